//! What a plugin says of itself. It needs no broker, and never runs a record.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::exit::Stop;
use crate::guest::{Configured, Emit, Engine, Format, Grouping, Limits, LoadError, Plugin, Wants, World};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plugin: a component, or a core module with its component type.
    pub file: PathBuf,
    /// A setting; input and outputs may depend on it.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// For scripts.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let settings = args.set.iter().map(|s| setting(s)).collect::<Result<Vec<_>, _>>()?;
    let engine = Engine::new(None)?;
    let plugin = Plugin::load(&engine, &args.file, Limits::default())?;
    // A setting that must be given is no reason to say nothing about the rest.
    let configured = match plugin.configure(&settings) {
        Err(error) if !settings.is_empty() => return Err(error.into()),
        other => other,
    };
    let value = describe(&plugin, &configured);
    if args.json {
        println!("{value:#}");
    } else {
        print!("{}", text(&value));
    }
    Ok(())
}

fn setting(text: &str) -> Result<(String, String), Stop> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Stop::usage(format!("--set {text}: expected KEY=VALUE")).hint("for example --set min-age=18")),
    }
}

fn describe(plugin: &Plugin, configured: &Result<Configured, LoadError>) -> Value {
    let about = plugin.description();
    let settings: Vec<Value> =
        about.settings.iter().map(|s| json!({ "name": s.name, "summary": s.summary, "default": s.default })).collect();
    let mut value = json!({
        "name": about.name,
        "version": about.version,
        "summary": about.summary,
        "file": plugin.file().display().to_string(),
        "bytes": plugin.bytes_len(),
        "sha256": plugin.sha256(),
        "world": plugin.world(),
        "contract": plugin.contract(),
        "imports": plugin.imports(),
        "settings": settings,
    });
    match configured {
        Ok(configured) => {
            wiring(&mut value, configured);
            if let World::Aggregate(asked) = configured.world() {
                value["grouping"] = grouping(asked);
            }
        }
        Err(error) => value["unconfigured"] = json!(error.what),
    }
    value
}

fn wiring(value: &mut Value, configured: &Configured) {
    let wiring = configured.wiring();
    let outputs = wiring.outputs.iter().map(|o| {
        json!({
            "name": o.name,
            "topic": o.topic,
            "value": o.value.as_ref().map(format),
            "key": o.key.as_ref().map(format),
        })
    });
    value["input"] = format(&wiring.input);
    value["key"] = wiring.key.as_ref().map(format).into();
    value["wants"] = wants(wiring.wants).into();
    value["outputs"] = outputs.collect();
}

fn grouping(grouping: &Grouping) -> Value {
    let window = grouping.window.map(|w| {
        json!({
            "size-ms": w.size_ms,
            "advance-ms": w.advance_ms,
            "grace-ms": w.grace_ms,
            "retention-ms": w.retention_ms,
            "idle-ms": w.idle_ms,
        })
    });
    let emit = match grouping.emit {
        Emit::Changes => "changes",
        Emit::Final => "final",
    };
    json!({
        "key": format(&grouping.key),
        "window": window,
        "emit": emit,
        "time-field": grouping.time_field,
        "partitioned": grouping.partitioned,
        "accumulator-version": grouping.accumulator_version,
    })
}

fn wants(wants: Wants) -> Vec<&'static str> {
    let all = [(Wants::HEADERS, "headers"), (Wants::POSITIONS, "positions"), (Wants::TOMBSTONES, "tombstones")];
    all.into_iter().filter(|(flag, _)| wants.contains(*flag)).map(|(_, name)| name).collect()
}

fn format(format: &Format) -> Value {
    // A schema that is no JSON is shown as it is: this command finds faults, and must not stumble over them.
    let schema = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
    match format {
        Format::Avro(text) => json!({ "format": "avro", "schema": schema(text) }),
        Format::AvroAsJson(text) => json!({ "format": "avro-as-json", "schema": schema(text) }),
        Format::Json => json!({ "format": "json" }),
        Format::Bytes => json!({ "format": "bytes" }),
    }
}

fn text(value: &Value) -> String {
    let mut out = String::new();
    let word = |key: &str| value[key].as_str().unwrap_or_default();
    line(&mut out, "plugin", &format!("{} {}", word("name"), word("version")));
    line(&mut out, "summary", word("summary"));
    line(&mut out, "file", &format!("{} ({} bytes)", word("file"), value["bytes"]));
    line(&mut out, "sha256", word("sha256"));
    line(&mut out, "contract", &format!("smt:plugin@{}, world {}", word("contract"), word("world")));
    list(&mut out, "imports", &value["imports"], |import| import.as_str().unwrap_or_default().to_owned());
    list(&mut out, "settings", &value["settings"], setting_line);
    if let Some(why) = value["unconfigured"].as_str() {
        line(&mut out, "outputs", &format!("not known: {why}"));
        return out;
    }
    line(&mut out, "input", &format_text(&value["input"]));
    if !value["key"].is_null() {
        line(&mut out, "key", &format_text(&value["key"]));
    }
    list(&mut out, "wants", &value["wants"], |want| want.as_str().unwrap_or_default().to_owned());
    grouping_lines(&mut out, &value["grouping"]);
    for output in value["outputs"].as_array().into_iter().flatten() {
        let name = output["name"].as_str().unwrap_or_default();
        line(&mut out, "output", &format!("{name}, to topic {}", output["topic"].as_str().unwrap_or_default()));
        line(&mut out, "  value", &format_text(&output["value"]));
        let inherited = output["key"].is_null() && !value["grouping"].is_null();
        line(&mut out, "  key", &if inherited { "the group's".to_owned() } else { format_text(&output["key"]) });
    }
    out
}

/// Nothing, of a transformer.
fn grouping_lines(out: &mut String, grouping: &Value) {
    let Some(emit) = grouping["emit"].as_str() else { return };
    line(out, "group key", &format_text(&grouping["key"]));
    let window = &grouping["window"];
    if window.is_null() {
        line(out, "window", "none: one group a key for ever");
    } else {
        let of = |name: &str| window[name].as_u64().map_or("the host's default".to_owned(), |ms| format!("{ms} ms"));
        line(out, "window", &format!("size {}, advance {}", of("size-ms"), of("advance-ms")));
        line(out, "  grace", &of("grace-ms"));
        line(out, "  retention", &of("retention-ms"));
        line(out, "  idle", &of("idle-ms"));
    }
    line(out, "emit", emit);
    line(out, "time", grouping["time-field"].as_str().unwrap_or("the record's timestamp"));
    if grouping["partitioned"] == true {
        line(out, "partitioned", "its input stands where its groups do");
    }
    line(out, "accumulator", &format!("version {}", grouping["accumulator-version"]));
}

fn setting_line(setting: &Value) -> String {
    let name = setting["name"].as_str().unwrap_or_default();
    let summary = setting["summary"].as_str().unwrap_or_default();
    match setting["default"].as_str() {
        Some(default) => format!("{name} = {default}  {summary}"),
        None => format!("{name} (must be given)  {summary}"),
    }
}

fn format_text(format: &Value) -> String {
    match format["format"].as_str() {
        Some(name) if format["schema"].is_null() => name.to_owned(),
        Some(name) => format!("{name}\n{:#}", format["schema"]),
        None => "the input's, as it stands".to_owned(),
    }
}

fn list(out: &mut String, what: &str, items: &Value, show: impl Fn(&Value) -> String) {
    let items: Vec<String> = items.as_array().into_iter().flatten().map(show).collect();
    line(out, what, &if items.is_empty() { "none".to_owned() } else { items.join("\n") });
}

/// Further lines of a value stand under its first.
fn line(out: &mut String, what: &str, value: &str) {
    let value = value.replace('\n', &format!("\n{:12}", ""));
    // Writing to a string cannot fail.
    writeln!(out, "{what:<12}{value}").ok();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::guest::Window;
    use expect_test::expect;

    #[test]
    fn a_setting_is_a_name_and_a_value_that_may_hold_anything() {
        assert_eq!(setting("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert!(setting("a").unwrap_err().to_string().contains("KEY=VALUE"));
    }

    #[test]
    fn schemas_are_pretty_printed_under_their_format() {
        let shown = format_text(&format(&Format::Avro(r#"{"type":"int"}"#.into())));
        assert_eq!(shown, "avro\n{\n  \"type\": \"int\"\n}");
        assert_eq!(format_text(&format(&Format::Avro("broken".into()))), "avro\n\"broken\"");
    }

    #[test]
    fn an_aggregator_shows_its_grouping() {
        let window =
            Window { size_ms: 30_000, advance_ms: 30_000, grace_ms: Some(0), retention_ms: None, idle_ms: None };
        let asked = Grouping {
            key: Format::Bytes,
            window: Some(window),
            emit: Emit::Final,
            time_field: Some("at".into()),
            partitioned: true,
            accumulator_version: 7,
        };
        let mut shown = String::new();
        grouping_lines(&mut shown, &grouping(&asked));
        expect![[r"
            group key   bytes
            window      size 30000 ms, advance 30000 ms
              grace     0 ms
              retention the host's default
              idle      the host's default
            emit        final
            time        at
            partitioned its input stands where its groups do
            accumulator version 7
        "]]
        .assert_eq(&shown);
        grouping_lines(&mut shown, &Value::Null);
        assert_eq!(shown.lines().count(), 9);
    }

    #[test]
    fn what_is_not_configured_says_why() {
        let text = text(&json!({ "name": "n", "version": "1", "unconfigured": "setting \"x\" must be given" }));
        assert!(text.contains("outputs     not known: setting \"x\""), "{text}");
    }
}
