//! `/admin/loggers`: the one logger that there is. Its level is set at start (`SMT_LOG`) and stays.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;

const LEVELS: [&str; 6] = ["OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

pub(super) fn all() -> Value {
    json!({ "root": root() })
}

pub(super) fn one(name: &str) -> Result<Value, Refusal> {
    if name == "root" { Ok(root()) } else { Err(Refusal::new(404, format!("Logger {name} not found."))) }
}

/// Answers which loggers were changed: none.
pub(super) fn set(name: &str, body: &Map<String, Value>) -> Result<Value, Refusal> {
    one(name)?;
    let level = body.get("level").and_then(Value::as_str);
    let level = level.ok_or_else(|| Refusal::new(400, "Desired 'level' parameter was not specified in request."))?;
    if !LEVELS.contains(&level.to_uppercase().as_str()) {
        return Err(Refusal::new(404, format!("invalid log level '{level}'.")));
    }
    Ok(json!([]))
}

fn root() -> Value {
    let level = tracing::level_filters::LevelFilter::current().to_string().to_uppercase();
    json!({ "level": level, "last_modified": null })
}
