//! Bodies of requests, as Connect reads them: texts from numbers and booleans, nothing unknown, nothing nested.

use serde_json::{Map, Value};

use crate::worker::herder::Creation;
use crate::worker::records::{Config, Target};
use crate::worker::refusal::Refusal;

fn refuse(message: impl Into<String>) -> Refusal {
    // Connect answers 500 to what it cannot read.
    Refusal::new(500, message)
}

fn object(body: &[u8], what: &str) -> Result<Map<String, Value>, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(refuse(format!("the request has no body; {what} is needed")));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(refuse(format!("the body is no JSON object; {what} is needed"))),
        Err(error) => Err(refuse(format!("the body is not JSON: {error}"))),
    }
}

/// `{"name":…,"config":{…},"initial_state":…}`
pub(super) fn creation(body: &[u8]) -> Result<Creation, Refusal> {
    let mut object = object(body, "{\"name\":…,\"config\":{…}}")?;
    if let Some(unknown) = object.keys().find(|key| !["name", "config", "initial_state"].contains(&key.as_str())) {
        let known = "3 known properties: \"config\", \"name\", \"initial_state\"";
        return Err(refuse(format!("Unrecognized field {unknown:?}, not marked as ignorable ({known})")));
    }
    let name = match object.remove("name") {
        None | Some(Value::Null) => String::new(),
        Some(value) => text("name", value)?.unwrap_or_default().trim().to_owned(),
    };
    let initial = match object.remove("initial_state") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let word = value.as_str().unwrap_or_default().to_uppercase();
            // What is wanted has another word in the topic than here.
            let known = ["RUNNING", "PAUSED", "STOPPED"].contains(&word.as_str());
            let target = Target::parse(&word).filter(|_| known);
            Some(target.ok_or_else(|| refuse(format!("initial_state is {value}; allowed: RUNNING, PAUSED, STOPPED")))?)
        }
    };
    match object.remove("config") {
        Some(Value::Object(given)) => Ok(Creation { name, config: texts(given)?, initial }),
        None | Some(Value::Null) => Err(refuse("the request has no config")),
        Some(_) => Err(refuse("config is no JSON object")),
    }
}

/// A flat map.
pub(super) fn config(body: &[u8]) -> Result<Config, Refusal> {
    texts(object(body, "a flat JSON object")?)
}

/// The same, where null removes.
pub(super) fn patch(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let given = object(body, "a flat JSON object")?;
    let one = |(key, value): (String, Value)| {
        let value = text(&key, value)?.map_or(Value::Null, Value::String);
        Ok((key, value))
    };
    given.into_iter().map(one).collect()
}

/// Any JSON object.
pub(super) fn any(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    object(body, "a JSON object")
}

fn texts(given: Map<String, Value>) -> Result<Config, Refusal> {
    let one = |(key, value): (String, Value)| match text(&key, value)? {
        Some(text) => Ok((key, Value::String(text))),
        None => Err(Refusal::new(
            400,
            "Connector configuration is invalid and contains the following 1 error(s):\nNull value can not be supplied \
             as the configuration value.\nYou can also find the above list of errors at the endpoint \
             `/connector-plugins/{connectorType}/config/validate`",
        )),
    };
    given.into_iter().map(one).collect()
}

fn text(key: &str, value: Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(boolean) => Ok(Some(boolean.to_string())),
        Value::Array(_) | Value::Object(_) => {
            Err(refuse(format!("{key} is no text; allowed: a string, a number, true or false")))
        }
    }
}
