#![allow(clippy::unwrap_used)]

use super::*;
use crate::kafka::Settings;
use crate::registry::{self, Registry};

const JDBC: &str = "io.confluent.connect.jdbc.JdbcSourceConnector";
const S3: &str = "io.confluent.connect.s3.S3SinkConnector";

fn options() -> Options {
    let registry = Registry::new(registry::Config::new("http://127.0.0.1:1"));
    Options::new(([127, 0, 0, 1], 0).into(), Settings::new("127.0.0.1:1"), registry, "/nowhere".into())
}

fn config(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
}

fn with<T>(look: impl FnOnce(&Validator<'_>) -> T) -> T {
    let (options, engine) = (options(), Engine::new(None).unwrap());
    look(&Validator { options: &options, engine: &engine })
}

const GOOD: [(&str, &str); 6] = [
    ("name", "a"),
    ("connector.class", JDBC),
    ("connection.url", "jdbc:postgresql://db:5432/a"),
    ("connection.password", "Postgres2023!"),
    ("mode", "bulk"),
    ("topic.prefix", "p-"),
];

fn refusal(changes: &[(&str, &str)]) -> String {
    let mut all = config(&GOOD);
    all.extend(config(changes));
    with(|validator| validator.check(&all).err().unwrap().message)
}

fn listed(lines: &[&str]) -> String {
    format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}\nYou can also find the above list \
         of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        lines.len(),
        lines.join("\n")
    )
}

#[test]
fn a_good_configuration_is_ready_to_run() {
    assert!(with(|validator| validator.check(&config(&GOOD)).is_ok()));
}

#[test]
fn a_refusal_lists_what_connect_and_what_the_connector_refuse() {
    assert_eq!(
        refusal(&[("tasks.max", "x")]),
        listed(&[
            "Invalid value x for configuration tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null",
        ])
    );
    assert_eq!(
        refusal(&[("tasks.max", "0")]),
        listed(&["Invalid value 0 for configuration tasks.max: Value must be at least 1"])
    );
    assert_eq!(refusal(&[("name", " ")]), listed(&["Invalid value   for configuration name: String may not be empty"]));
    assert_eq!(
        refusal(&[("poll.interval.ms", "soon"), ("batch.max.rows", "0")]),
        listed(&[
            "poll.interval.ms is \"soon\"; allowed: a whole number from 0 to 2147483647",
            "batch.max.rows is \"0\"; allowed: a whole number from 1 to 2147483647",
        ])
    );
    assert_eq!(
        refusal(&[("topic.prefx", "x")]),
        listed(&["unknown connector key \"topic.prefx\" (did you mean \"topic.prefix\"?)"])
    );
}

#[test]
fn a_mask_is_no_secret() {
    let told =
        "connection.password is ********, which stands for a secret that is not known here (give the secret itself)";
    assert_eq!(refusal(&[("connection.password", "********")]), listed(&[told]));
}

#[test]
fn a_refusal_never_tells_a_password() {
    let text = refusal(&[("topic.prefix", "Postgres2023!")]);
    assert!(text.contains("topic.prefix") && !text.contains("Postgres2023!"), "{text}");
}

#[test]
fn no_class_and_an_unknown_class_are_refused_as_connect_does() {
    let refused = |changes: &[(&str, &str)]| class(&config(changes)).unwrap_err();
    let none = refused(&[("name", "b"), ("connection.password", "secret")]);
    assert_eq!(
        none,
        Refusal::new(400, "Connector config {name=b, connection.password=********} contains no connector type")
    );
    let unknown = refused(&[("connector.class", "nope")]);
    let start = "Failed to find any class that implements Connector and which name matches nope, available connectors are: \
                 PluginDesc{klass=class io.confluent.connect.s3.S3SinkConnector, name=";
    assert!(unknown.status == 400 && unknown.message.starts_with(start), "{unknown:?}");
}

#[test]
fn a_class_is_found_by_its_name_and_its_short_names() {
    for word in [JDBC, "JdbcSourceConnector", "JdbcSource"] {
        assert_eq!(Class::find(word), Some(Class::JdbcSource), "{word}");
    }
    assert_eq!(Class::find("S3Sink"), Some(Class::S3Sink));
    assert_eq!(Class::find("PluginPipeline"), Some(Class::PluginPipeline));
    assert_eq!(Class::find("Jdbc"), None);
}

#[test]
fn a_report_tells_each_mistake_at_its_key() {
    let given =
        config(&[("connector.class", S3), ("flush.size", "0"), ("topics", "t"), ("s3.bucket.name", "workshop")]);
    let report = with(|validator| validator.report(Class::S3Sink, &given));
    let errors = |key: &str| {
        let configs = report["configs"].as_array().unwrap();
        let found = configs.iter().find(|config| config["value"]["name"] == key).unwrap();
        found["value"]["errors"].clone()
    };
    assert_eq!(errors("name"), json!(["Missing required configuration \"name\" which has no default value."]));
    assert_eq!(
        errors("flush.size"),
        json!(["flush.size is \"0\"; allowed: a whole number from 1 to 2147483647", "flush.size is missing"])
    );
    assert_eq!(errors("topics"), json!([]));
    assert_eq!(report["error_count"], 3);
    assert_eq!(report["name"], S3);
}

#[test]
fn a_pipeline_is_refused_with_the_key_and_what_is_allowed() {
    let base = [
        ("name", "p"),
        ("connector.class", "smt-host.PluginPipeline"),
        ("topics", "t"),
        ("plugin.path", "/etc/passwd"),
    ];
    let check = |changes: &[(&str, &str)], wanted: &str| {
        let mut all = config(&base);
        all.extend(config(changes));
        let found = with(|validator| validator.mistakes(Class::PluginPipeline, &all));
        assert!(found[0].text.starts_with(wanted), "{found:?}");
    };
    check(&[], "plugin.path is \"/etc/passwd\", but this worker has no directory for plugins");
    check(&[("name", "../../x")], "name is \"../../x\"; a pipeline's has no / and does not begin with a dot");
    check(&[("plugin.sett", "x")], "unknown connector key \"plugin.sett\"");
}
