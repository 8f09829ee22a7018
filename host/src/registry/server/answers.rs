//! The registry's answers as plain functions: a request's meaning in, JSON or a refusal out. Knows nothing of HTTP.

use apache_avro::Schema;
use serde_json::{Value, json};

use crate::registry::compatibility::{Level, objections};
use crate::registry::store::{Event, Store};

/// An HTTP status, the registry's own code, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: String,
}

pub(super) type Answer = Result<Value, Refusal>;

/// The status of most codes is their first three digits.
pub(super) fn refuse(code: u32, message: impl Into<String>) -> Refusal {
    let status = if code >= 1000 { code / 100 } else { code };
    Refusal { status: u16::try_from(status).unwrap_or(500), code, message: message.into() }
}

fn no_subject(subject: &str) -> Refusal {
    refuse(40401, format!("Subject '{subject}' not found."))
}

/// A request body's schema: its compact text, the key of its id, and what it means.
pub(super) struct Offered {
    text: String,
    schema: Schema,
}

impl Offered {
    pub(super) fn parse(body: &Value) -> Result<Offered, Refusal> {
        let bad = |why: String| refuse(42201, format!("Invalid schema: {why}"));
        let kind = body["schemaType"].as_str().unwrap_or("AVRO");
        if kind != "AVRO" {
            return Err(bad(format!("schemaType is {kind}, only AVRO is served")));
        }
        if body["references"].as_array().is_some_and(|references| !references.is_empty()) {
            return Err(bad("references are not served, write the types into the schema".to_string()));
        }
        let text = body["schema"].as_str().ok_or_else(|| bad("the body has no \"schema\" text".to_string()))?;
        let json: Value = serde_json::from_str(text).map_err(|error| bad(format!("not JSON: {error}")))?;
        let schema = Schema::parse(&json).map_err(|error| bad(error.to_string()))?;
        Ok(Offered { text: json.to_string(), schema })
    }
}

/// A version that a path names.
fn version_number(store: &Store, subject: &str, version: &str, deleted: bool) -> Result<u32, Refusal> {
    let versions = store.known.subjects.get(subject).ok_or_else(|| no_subject(subject))?;
    if !deleted && versions.values().all(|found| found.deleted) {
        return Err(no_subject(subject));
    }
    if version == "latest" || version == "-1" {
        let latest = store.known.live(subject).next_back().map(|(version, _)| version);
        return latest.or(versions.keys().next_back().copied()).ok_or_else(|| no_subject(subject));
    }
    let number = version.parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(|| {
        let allowed = "Allowed values are between [1, 2^31-1] and the string \"latest\"";
        refuse(42202, format!("The specified version '{version}' is not a valid version id. {allowed}"))
    })?;
    match versions.get(&number) {
        Some(found) if deleted || !found.deleted => Ok(number),
        _ => Err(refuse(40402, format!("Version {number} not found."))),
    }
}

fn describe(store: &Store, subject: &str, version: u32) -> Value {
    let id = store.known.subjects.get(subject).and_then(|versions| versions.get(&version)).map_or(0, |found| found.id);
    let schema = store.known.schemas.get(&id).map_or("", |text| text.as_ref());
    json!({ "subject": subject, "version": version, "id": id, "schema": schema })
}

fn earlier(store: &Store, versions: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, Schema)> {
    let parsed = versions.filter_map(|(version, id)| Some((version, store.known.schemas.get(&id)?)));
    parsed.filter_map(|(version, text)| Some((version, Schema::parse_str(text).ok()?))).collect()
}

pub(super) fn register(store: &mut Store, subject: &str, body: &Value) -> Answer {
    let offered = Offered::parse(body)?;
    let known = store.known.ids.get(&offered.text).copied();
    if let Some(id) = known.filter(|id| store.known.live(subject).any(|(_, other)| other == *id)) {
        return Ok(json!({ "id": id }));
    }
    let reasons = objections(store.known.level(subject), &offered.schema, &earlier(store, store.known.live(subject)));
    if !reasons.is_empty() {
        let why = reasons.join("; ");
        let what = "Schema being registered is incompatible with an earlier schema for subject";
        return Err(refuse(409, format!("{what} \"{subject}\", details: [{why}]")));
    }
    let id = known.unwrap_or_else(|| store.known.next_id());
    let last = store.known.subjects.get(subject).and_then(|versions| versions.keys().next_back().copied());
    let version = last.unwrap_or(0) + 1;
    record(store, Event::Version { subject: subject.to_string(), version, id, schema: offered.text })?;
    Ok(json!({ "id": id }))
}

fn record(store: &mut Store, event: Event) -> Result<(), Refusal> {
    store.record(event).map_err(|error| refuse(50001, format!("Error in the backend data store: {error}")))
}

pub(super) fn look_up(store: &Store, subject: &str, body: &Value) -> Answer {
    let offered = Offered::parse(body)?;
    if store.known.live(subject).next().is_none() {
        return Err(no_subject(subject));
    }
    let id = store.known.ids.get(&offered.text);
    let found = store.known.live(subject).rev().find(|(_, other)| Some(other) == id);
    found.map(|(version, _)| describe(store, subject, version)).ok_or_else(|| refuse(40403, "Schema not found"))
}

/// `version`: one to compare with, or none for what the level asks for.
pub(super) fn check(store: &Store, subject: &str, version: Option<&str>, body: &Value, verbose: bool) -> Answer {
    let offered = Offered::parse(body)?;
    let against = match version {
        None => earlier(store, store.known.live(subject)),
        Some("latest") => earlier(store, store.known.live(subject).rev().take(1)),
        Some(version) => {
            let number = version_number(store, subject, version, false)?;
            earlier(store, store.known.live(subject).filter(|(other, _)| *other == number))
        }
    };
    let reasons = objections(store.known.level(subject), &offered.schema, &against);
    let mut answer = json!({ "is_compatible": reasons.is_empty() });
    if verbose {
        answer["messages"] = json!(reasons);
    }
    Ok(answer)
}

pub(super) fn schema(store: &Store, id: &str) -> Answer {
    known_id(store, id).map(|(_, text)| json!({ "schema": text }))
}

/// The schema itself, not as a text in JSON.
pub(super) fn bare_schema(store: &Store, id: &str) -> Answer {
    known_id(store, id).and_then(|(_, text)| unquote(text))
}

fn unquote(text: &str) -> Answer {
    serde_json::from_str(text).map_err(|error| refuse(50001, format!("Error in the backend data store: {error}")))
}

fn known_id<'a>(store: &'a Store, id: &str) -> Result<(u32, &'a str), Refusal> {
    let number = id.parse::<u32>().map_err(|_| refuse(404, "HTTP 404 Not Found"))?;
    let text = store.known.schemas.get(&number).ok_or_else(|| refuse(40403, format!("Schema {id} not found")))?;
    Ok((number, text))
}

/// Subject and version pairs that use an id.
pub(super) fn uses(store: &Store, id: &str) -> Result<Vec<(String, u32)>, Refusal> {
    let (number, _) = known_id(store, id)?;
    let all = store.known.subjects.iter().flat_map(|(subject, versions)| {
        let hits = versions.iter().filter(move |(_, found)| found.id == number && !found.deleted);
        hits.map(move |(version, _)| (subject.clone(), *version))
    });
    Ok(all.collect())
}

pub(super) fn subjects(store: &Store, deleted: bool) -> Answer {
    let all = store.known.subjects.iter();
    let shown = all.filter(|(_, versions)| deleted || versions.values().any(|found| !found.deleted));
    Ok(json!(shown.map(|(subject, _)| subject).collect::<Vec<_>>()))
}

pub(super) fn versions(store: &Store, subject: &str, deleted: bool) -> Answer {
    version_number(store, subject, "latest", deleted)?;
    let all = store.known.subjects.get(subject).into_iter().flatten();
    Ok(json!(all.filter(|(_, found)| deleted || !found.deleted).map(|(version, _)| version).collect::<Vec<_>>()))
}

pub(super) fn version(store: &Store, subject: &str, version: &str, deleted: bool) -> Answer {
    Ok(describe(store, subject, version_number(store, subject, version, deleted)?))
}

pub(super) fn bare_version(store: &Store, subject: &str, version: &str, deleted: bool) -> Answer {
    let number = version_number(store, subject, version, deleted)?;
    unquote(describe(store, subject, number)["schema"].as_str().unwrap_or_default())
}

pub(super) fn delete_subject(store: &mut Store, subject: &str, permanent: bool) -> Answer {
    let all = store.known.subjects.get(subject).ok_or_else(|| no_subject(subject))?;
    let live: Vec<u32> = store.known.live(subject).map(|(version, _)| version).collect();
    let versions = match (permanent, live.is_empty()) {
        (false, true) => return Err(refuse(40404, format!("Subject '{subject}' was soft deleted."))),
        (true, false) => return Err(refuse(40405, format!("Subject '{subject}' was not deleted first."))),
        (false, false) => live,
        (true, true) => all.keys().copied().collect(),
    };
    let answer = json!(versions);
    record(store, Event::Delete { subject: subject.to_string(), versions, permanent })?;
    Ok(answer)
}

pub(super) fn delete_version(store: &mut Store, subject: &str, version: &str, permanent: bool) -> Answer {
    let number = version_number(store, subject, version, true)?;
    let live = store.known.live(subject).any(|(other, _)| other == number);
    match (permanent, live) {
        (false, false) => return Err(refuse(40406, format!("Version {number} was soft deleted."))),
        (true, true) => return Err(refuse(40407, format!("Version {number} was not deleted first."))),
        _ => record(store, Event::Delete { subject: subject.to_string(), versions: vec![number], permanent })?,
    }
    Ok(json!(number))
}

pub(super) fn level(store: &Store, subject: Option<&str>, default_to_global: bool) -> Answer {
    let level = match subject {
        None => store.known.global_level(),
        Some(subject) if default_to_global => store.known.level(subject),
        Some(subject) => *store.known.levels.get(subject).ok_or_else(|| {
            let what = "does not have subject-level compatibility configured";
            refuse(40408, format!("Subject '{subject}' {what}"))
        })?,
    };
    Ok(json!({ "compatibilityLevel": level.name() }))
}

pub(super) fn set_level(store: &mut Store, subject: Option<&str>, body: &Value) -> Answer {
    let level = body["compatibility"].as_str().and_then(Level::parse).ok_or_else(|| {
        let allowed = "NONE, BACKWARD, FORWARD, FULL, BACKWARD_TRANSITIVE, FORWARD_TRANSITIVE, and FULL_TRANSITIVE";
        refuse(42203, format!("Invalid compatibility level. Valid values are {allowed}"))
    })?;
    let name = level.name().to_string();
    record(store, Event::Level { subject: subject.map(String::from), level: Some(name) })?;
    Ok(json!({ "compatibility": level.name() }))
}

pub(super) fn clear_level(store: &mut Store, subject: Option<&str>) -> Answer {
    let was = level(store, subject, false)?;
    record(store, Event::Level { subject: subject.map(String::from), level: None })?;
    Ok(was)
}
