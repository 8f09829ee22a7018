//! What `up` and `status` print. No secret.

use std::path::Path;

use comfy_table::{Table, presets};

use super::Ports;
use super::health::Server;

pub(super) fn table(servers: &[Server]) {
    if servers.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["server", "address", "health"]);
    for server in servers {
        let health = server.problem.as_ref().map_or_else(|| "up".to_owned(), |problem| format!("DOWN: {problem}"));
        table.add_row([server.name, &server.address, &health]);
    }
    println!("\n{table}");
}

pub(super) fn json(dir: &Path, servers: &[Server]) {
    let servers: serde_json::Map<String, serde_json::Value> = servers
        .iter()
        .map(|server| {
            let up = server.problem.is_none();
            let about = serde_json::json!({ "address": server.address, "up": up, "problem": server.problem });
            (server.name.to_owned(), about)
        })
        .collect();
    let up = !servers.is_empty() && servers.values().all(|server| server["up"] == true);
    println!("{:#}", serde_json::json!({ "dir": dir, "up": up, "servers": servers }));
}

/// As the option is spelt.
pub(super) fn ports(ports: Ports) -> &'static str {
    match ports {
        Ports::Workshop => "workshop",
        Ports::Free => "free",
    }
}
