//! Methods and paths to what the herder does, and what it says to replies. Decides nothing itself.

use axum::http::{Method, header};
use serde_json::{Map, Value, json};

use super::{Reply, Request, body};
use crate::worker::class::{Class, VERSION};
use crate::worker::herder::Herder;
use crate::worker::records::{Restart, Target};
use crate::worker::refusal::Refusal;
use crate::worker::{loggers, offsets, validate};

const HEALTHY: &str = "Worker has completed startup and is ready to handle requests.";

type Handled = Result<Reply, Refusal>;

pub(super) fn answer(herder: &Herder, request: &Request) -> Reply {
    let path = request.uri.path().trim_matches('/');
    let segments: Vec<String> = if path.is_empty() { Vec::new() } else { path.split('/').map(decode).collect() };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let methods = methods(&segments);
    let method = if request.method == Method::HEAD { &Method::GET } else { &request.method };
    if methods.is_empty() {
        return Reply::own(404, "HTTP 404 Not Found");
    }
    if *method == Method::OPTIONS {
        let head = methods.contains(&"GET").then_some("HEAD");
        let all: Vec<&str> = head.into_iter().chain(methods.iter().copied()).chain(["OPTIONS"]).collect();
        return Reply { allow: Some(all.join(",")), ..Reply::empty(200) };
    }
    if !methods.contains(&method.as_str()) {
        return Reply::own(405, "HTTP 405 Method Not Allowed");
    }
    if takes_body(method.as_str(), &segments) && !is_json(request.header(header::CONTENT_TYPE)) {
        return Reply::own(415, "HTTP 415 Unsupported Media Type");
    }
    if !accepts_json(request.header(header::ACCEPT)) {
        return Reply::own(406, "HTTP 406 Not Acceptable");
    }
    handle(herder, request, method.as_str(), &segments).unwrap_or_else(Reply::from)
}

/// What may be asked of a path; nothing where there is none.
fn methods(segments: &[&str]) -> &'static [&'static str] {
    match segments {
        [] | ["health"] | ["connector-plugins"] | ["connector-plugins", _, "config"] | ["admin", "loggers"] => &["GET"],
        ["connectors"] => &["GET", "POST"],
        ["connectors", _] => &["GET", "DELETE"],
        ["connectors", _, "config"] => &["GET", "PUT", "PATCH"],
        ["connectors", _, "status" | "tasks" | "topics"] => &["GET"],
        ["connectors", _, "offsets"] => &["GET", "PATCH", "DELETE"],
        ["connectors", _, "pause" | "resume" | "stop"] | ["connectors", _, "topics", "reset"] => &["PUT"],
        ["connectors", _, "restart"] => &["POST"],
        ["connectors", _, "tasks", number, "status"] if is_number(number) => &["GET"],
        ["connectors", _, "tasks", number, "restart"] if is_number(number) => &["POST"],
        ["connector-plugins", _, "config", "validate"] => &["PUT"],
        ["admin", "loggers", _] => &["GET", "PUT"],
        _ => &[],
    }
}

fn takes_body(method: &str, segments: &[&str]) -> bool {
    match segments {
        ["connectors"] => method == "POST",
        ["connectors", _, "config"] => method != "GET",
        ["connectors", _, "offsets"] => method == "PATCH",
        ["connector-plugins", ..] | ["admin", ..] => method == "PUT",
        _ => false,
    }
}

fn is_number(segment: &str) -> bool {
    segment.parse::<u32>().is_ok()
}

fn is_json(media: Option<&str>) -> bool {
    let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

fn accepts_json(accept: Option<&str>) -> bool {
    let Some(accept) = accept else { return true };
    let one = |media: &str| {
        let media = media.split(';').next().unwrap_or_default().trim().to_lowercase();
        ["application/json", "application/*", "*/*", ""].contains(&media.as_str())
    };
    accept.split(',').any(one)
}

fn decode(segment: &str) -> String {
    // A plus is itself in a path.
    let form = format!("{}=", segment.replace('+', "%2B"));
    form_urlencoded::parse(form.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned())
}

fn handle(herder: &Herder, request: &Request, method: &str, segments: &[&str]) -> Handled {
    let ok = |value: Value| Ok(Reply::json(200, &value));
    match (method, segments) {
        (_, []) => ok(json!({ "version": VERSION, "commit": "unknown", "kafka_cluster_id": herder.context.cluster })),
        (_, ["health"]) => ok(json!({ "status": "healthy", "message": HEALTHY })),
        ("GET", ["connectors"]) => connectors(herder, request),
        ("POST", ["connectors"]) => create(herder, request),
        ("GET", ["connectors", name]) => ok(herder.info(name)?),
        ("DELETE", ["connectors", name]) => herder.delete(name).map(|()| Reply::empty(204)),
        ("GET", ["connectors", name, "config"]) => ok(herder.info(name)?["config"].take()),
        ("PUT", ["connectors", name, "config"]) => {
            let (info, is_new) = herder.put_config(name, body::config(&request.body)?)?;
            Ok(if is_new { created(request, name, &info) } else { Reply::json(200, &info) })
        }
        (_, ["connectors", name, "config"]) => ok(herder.patch_config(name, &body::patch(&request.body)?)?),
        (_, ["connectors", name, "status"]) => ok(herder.status(name)?),
        (_, ["connectors", name, "tasks"]) => ok(herder.tasks(name)?),
        (_, ["connectors", name, "topics"]) => ok(herder.topics(name)),
        (_, ["connectors", name, "topics", "reset"]) => herder.reset_topics(name).map(|()| Reply::empty(202)),
        ("GET", ["connectors", name, "offsets"]) => ok(offsets::get(herder, name)?),
        ("PATCH", ["connectors", name, "offsets"]) => ok(offsets::alter(herder, name, &body::any(&request.body)?)?),
        (_, ["connectors", name, "offsets"]) => ok(offsets::reset(herder, name)?),
        (_, ["connectors", name, "pause"]) => herder.set_target(name, Target::Paused).map(|()| Reply::empty(202)),
        (_, ["connectors", name, "resume"]) => herder.set_target(name, Target::Started).map(|()| Reply::empty(202)),
        (_, ["connectors", name, "stop"]) => herder.set_target(name, Target::Stopped).map(|()| Reply::empty(204)),
        (_, ["connectors", name, "restart"]) => restart(herder, request, name),
        (_, ["connectors", name, "tasks", number, "status"]) => ok(herder.task_status(name, task(number))?),
        (_, ["connectors", name, "tasks", number, "restart"]) => {
            herder.restart_task(name, task(number)).map(|()| Reply::empty(204))
        }
        (_, ["connector-plugins"]) => ok(plugins()),
        (_, ["connector-plugins", class, "config"]) => {
            let unknown = || Refusal::new(404, format!("Unknown plugin {class}."));
            ok(validate::definitions(Class::find(class).ok_or_else(unknown)?))
        }
        (_, ["connector-plugins", class, "config", "validate"]) => validated(herder, request, class),
        (_, ["admin", "loggers"]) => ok(loggers::all()),
        ("GET", ["admin", "loggers", name]) => ok(loggers::one(name)?),
        (_, ["admin", "loggers", name]) => ok(loggers::set(name, &body::any(&request.body)?)?),
        _ => Ok(Reply::own(404, "HTTP 404 Not Found")),
    }
}

/// The path was matched as a number before.
fn task(number: &str) -> u32 {
    number.parse().unwrap_or(u32::MAX)
}

fn query<'a>(request: &'a Request, wanted: &'a str) -> impl Iterator<Item = String> + 'a {
    let pairs = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
    pairs.filter(move |(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

fn flag(request: &Request, name: &str) -> bool {
    query(request, name).next().is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn connectors(herder: &Herder, request: &Request) -> Handled {
    let expand: Vec<String> = query(request, "expand").collect();
    if expand.is_empty() {
        return Ok(Reply::json(200, &json!(herder.names())));
    }
    let mut all = Map::new();
    for name in herder.names() {
        let mut one = Map::new();
        for part in &expand {
            let found = match part.as_str() {
                "status" => herder.status(&name),
                "info" => herder.info(&name),
                _ => continue,
            };
            // One that is just coming or going has none.
            if let Ok(found) = found {
                one.insert(part.clone(), found);
            }
        }
        all.insert(name, Value::Object(one));
    }
    Ok(Reply::json(200, &Value::Object(all)))
}

fn create(herder: &Herder, request: &Request) -> Handled {
    let creation = body::creation(&request.body)?;
    let name = creation.name.clone();
    Ok(created(request, &name, &herder.create(creation)?))
}

fn created(request: &Request, name: &str, info: &Value) -> Reply {
    let host = request.header(header::HOST).unwrap_or("localhost");
    // A path's own rules: a blank is no plus.
    let name = form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    Reply { location: Some(format!("http://{host}/connectors/{name}")), ..Reply::json(201, info) }
}

fn restart(herder: &Herder, request: &Request, name: &str) -> Handled {
    let (include_tasks, only_failed) = (flag(request, "includeTasks"), flag(request, "onlyFailed"));
    let restart = Restart { include_tasks, only_failed, task: None };
    let status = herder.restart(name, restart)?;
    let has_flags = restart.include_tasks || restart.only_failed;
    Ok(if has_flags { Reply::json(202, &status) } else { Reply::empty(204) })
}

/// Converters and transforms are built in, so there are connectors only.
fn plugins() -> Value {
    let one = |class: Class| json!({ "class": class.name(), "type": class.kind(), "version": VERSION });
    Class::ALL.into_iter().map(one).collect()
}

fn validated(herder: &Herder, request: &Request, given: &str) -> Handled {
    let config = body::config(&request.body)?;
    let word = config.get("connector.class").and_then(Value::as_str);
    if let Some(word) = word
        && Class::find(word).is_none_or(|class| Class::find(given) != Some(class))
        && !word.ends_with(given)
    {
        let what = format!("Included connector type {word} does not match request type {given}");
        return Err(Refusal::new(400, what));
    }
    // Connect wraps what it does not know here.
    let class = validate::class(&config).map_err(|refusal| Refusal::new(500, refusal.message))?;
    Ok(Reply::json(200, &herder.validator().report(class, &config)))
}
