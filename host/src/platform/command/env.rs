//! `platform env`: what a shell has to know, as `export` lines. Prints secrets, because it is asked to.

use std::path::Path;

use super::{is_down, up};
use crate::exit::Stop;
use crate::platform::endpoints::Endpoints;

pub(super) fn print(dir: &Path) -> Result<(), Stop> {
    let endpoints = up::running(dir)?.and_then(|_| Endpoints::read(dir)).ok_or_else(|| is_down(dir))?;
    for (name, value) in variables(&endpoints) {
        println!("export {name}={}", quoted(value));
    }
    Ok(())
}

fn variables(endpoints: &Endpoints) -> Vec<(&'static str, &str)> {
    let mut variables = vec![
        ("SMT_BROKERS", endpoints.kafka.as_str()),
        ("SMT_REGISTRY", &endpoints.registry),
        ("SMT_CONNECTION_STRING", &endpoints.postgres),
    ];
    if let Some(connect) = &endpoints.connect {
        variables.push(("SMT_CONNECT", connect));
    }
    if let Some(s3) = &endpoints.s3 {
        variables.extend([
            ("AWS_ACCESS_KEY_ID", s3.access_key_id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", &s3.secret_access_key),
            ("AWS_REGION", &s3.region),
            ("AWS_DEFAULT_REGION", &s3.region),
            ("AWS_ENDPOINT_URL_S3", &s3.endpoint),
            ("SMT_BUCKET", &s3.bucket),
        ]);
    }
    variables
}

/// For a shell: nothing inside single quotes means anything.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_reads_what_was_meant() {
        let text = "it's $HOME; `id`!";
        let script = format!("printf %s {}", super::quoted(text));
        let output = std::process::Command::new("sh").arg("-c").arg(script).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), text);
    }
}
