//! Connectors as Connect's REST API tells of them, summed up as ksqlDB does. Asks only; starts and stops nothing.

use std::time::Duration;

use serde_json::Value as Json;

use super::Connector;
use crate::exit::Stop;

const WORKSHOPS: &str = "http://localhost:8083";
const WITHIN: Duration = Duration::from_secs(5);

pub(super) struct Rest {
    agent: ureq::Agent,
    url: String,
    /// Somebody said that it is there.
    needed: bool,
}

impl Rest {
    pub(super) fn open(given: Option<&str>, told: Option<&str>) -> Rest {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(WITHIN)).build();
        let url = given.or(told).unwrap_or(WORKSHOPS).trim_end_matches('/').to_owned();
        Rest { agent: agent.new_agent(), url, needed: given.or(told).is_some() }
    }

    pub(super) fn connectors(&self) -> Result<Vec<Connector>, Stop> {
        let names = match self.get("/connectors") {
            Ok(Json::Array(names)) => names,
            Ok(_) | Err(_) if !self.needed => return Ok(Vec::new()),
            Ok(other) => return Err(self.away(format!("it does not list connectors: {:.100}", other.to_string()))),
            Err(why) => return Err(self.away(why)),
        };
        let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
        names.iter().map(|name| self.connector(name).map_err(|why| self.away(why))).collect()
    }

    fn connector(&self, name: &str) -> Result<Connector, String> {
        let path = format!("/connectors/{}", encode(name));
        let info = self.get(&path)?;
        let status = self.get(&format!("{path}/status"))?;
        let text = |json: &Json| json.as_str().unwrap_or("UNKNOWN").to_owned();
        Ok(Connector {
            name: name.to_owned(),
            kind: text(&info["type"]).to_uppercase(),
            class: text(&info["config"]["connector.class"]),
            status: summary(&status),
            progress: None,
        })
    }

    fn get(&self, path: &str) -> Result<Json, String> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call().map_err(|error| error.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|_| format!("{path} answers {}, and no JSON", answer.status()))
    }

    fn away(&self, why: String) -> Stop {
        let url = self.url.rsplit_once('@').map_or(self.url.as_str(), |(_, host)| host);
        Stop::dependency(format!("Connect cannot be asked at {url}: {why}"))
            .hint("check --connect, and that Connect is running and reachable from here")
    }
}

fn encode(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// As ksqlDB's SHOW CONNECTORS.
fn summary(status: &Json) -> String {
    let state = status["connector"]["state"].as_str().unwrap_or("UNKNOWN");
    if state != "RUNNING" {
        return state.to_owned();
    }
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let running = tasks.iter().filter(|task| task["state"] == "RUNNING").count();
    let state = if running == 0 && !tasks.is_empty() { "WARNING" } else { "RUNNING" };
    format!("{state} ({running}/{} tasks RUNNING)", tasks.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn d8_4_states_are_summed_up_as_ksqldb_does() {
        for (state, tasks, expected) in [
            ("RUNNING", &["RUNNING", "FAILED"][..], "RUNNING (1/2 tasks RUNNING)"),
            ("RUNNING", &["FAILED"], "WARNING (0/1 tasks RUNNING)"),
            ("RUNNING", &[], "RUNNING (0/0 tasks RUNNING)"),
            ("PAUSED", &["PAUSED"], "PAUSED"),
            ("FAILED", &[], "FAILED"),
        ] {
            let tasks: Vec<Json> = tasks.iter().map(|state| json!({ "state": state })).collect();
            assert_eq!(summary(&json!({ "connector": { "state": state }, "tasks": tasks })), expected);
        }
        assert_eq!(summary(&json!({ "error_code": 404 })), "UNKNOWN");
    }
}
