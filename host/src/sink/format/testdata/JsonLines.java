import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;

/** Reads enveloped JSON line by line, and writes each value as the S3 sink does. Argument: BASE64 or NUMERIC. */
public class JsonLines {
    public static void main(String[] arguments) throws Exception {
        var in = new JsonConverter();
        in.configure(Map.of("schemas.enable", "true", "converter.type", "value"));
        var out = new JsonConverter();
        out.configure(
                Map.of("schemas.enable", "false", "converter.type", "value", "decimal.format", arguments[0]));
        var mapper = new ObjectMapper();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            var read = in.toConnectData("t", line.getBytes(StandardCharsets.UTF_8));
            System.out.write(
                    read.value() instanceof Struct
                            ? out.fromConnectData("t", read.schema(), read.value())
                            : mapper.writeValueAsBytes(read.value()));
            System.out.write('\n');
        }
        System.out.flush();
    }
}
