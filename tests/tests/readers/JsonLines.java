import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/** Apache Kafka's own JsonConverter: lines with their schemas in, lines without out, once for each decimal format. */
public class JsonLines {
    static JsonConverter converter(boolean schemas, String decimals) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", schemas, "decimal.format", decimals), false);
        return converter;
    }

    public static void main(String[] arguments) throws Exception {
        JsonConverter in = converter(true, "BASE64");
        JsonConverter[] out = {converter(false, "BASE64"), converter(false, "NUMERIC")};
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream stdout = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            SchemaAndValue data = in.toConnectData("topic", line.getBytes(StandardCharsets.UTF_8));
            for (JsonConverter each : out) {
                stdout.write(each.fromConnectData("topic", data.schema(), data.value()));
                stdout.write('\n');
            }
        }
        stdout.flush();
    }
}
