//! What a broker reads: its properties, its logging, its two ports.
//!
//! Never starts anything.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::dir::failed;
use super::port;
use crate::exit::Stop;

/// The listener for clients, and the one the broker uses for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) client: u16,
    pub(super) controller: u16,
}

/// The broker's own folder.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn open(directory: &Path) -> Result<Files, Stop> {
        let folder = directory.join("kafka");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| failed("make", &folder, &error))?;
        Ok(Files { folder })
    }

    pub(super) fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    pub(super) fn logging(&self) -> PathBuf {
        self.folder.join("log4j2.xml")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("kafka.log")
    }

    pub(super) fn is_formatted(&self) -> bool {
        // Written last by the format, so half a format is done again.
        self.data().join("meta.properties").is_file()
    }

    /// The ports of the last start if they are free, so that clients find the broker again; else fresh ones. A fixed
    /// port for clients is taken as it is.
    pub(super) fn ports(&self, fixed: Option<u16>) -> Ports {
        let kept = fs::read_to_string(self.folder.join("ports")).ok().and_then(|text| parse_ports(&text));
        kept.filter(|ports| fixed.is_none_or(|port| port == ports.client))
            .filter(|ports| port::is_free(ports.client) && port::is_free(ports.controller))
            .unwrap_or_else(|| fresh_ports(fixed))
    }

    pub(super) fn write(&self, ports: Ports, extra: &[(String, String)]) -> Result<(), Stop> {
        self.put("ports", &format!("{} {}\n", ports.client, ports.controller))?;
        self.put("log4j2.xml", LOGGING)?;
        self.put("server.properties", &properties(ports, &self.data(), extra))
    }

    /// Fills the data directory from a formatted one, with ids of its own.
    pub(super) fn copy_format(&self, from: &Path, new_id: impl Fn() -> String) -> Result<(), Stop> {
        let data = self.data();
        fs::create_dir_all(&data).map_err(|error| failed("make", &data, &error))?;
        let source = from.join("meta.properties");
        let text = fs::read_to_string(&source).map_err(|error| failed("read", &source, &error))?;
        for entry in fs::read_dir(from).map_err(|error| failed("read", from, &error))?.flatten() {
            if entry.path() != source {
                let to = data.join(entry.file_name());
                fs::copy(entry.path(), &to).map_err(|error| failed("write", &to, &error))?;
            }
        }
        let lines = text.lines().map(|line| match line.split_once('=') {
            Some((name @ ("cluster.id" | "directory.id"), _)) => format!("{name}={}\n", new_id()),
            _ => format!("{line}\n"),
        });
        // Last, because it marks the format as complete.
        self.put("data/meta.properties", &lines.collect::<String>())
    }

    fn put(&self, name: &str, text: &str) -> Result<(), Stop> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| failed("write", &path, &error))
    }
}

pub(super) fn fresh_ports(fixed: Option<u16>) -> Ports {
    let ports = port::free_list(2);
    Ports { client: fixed.unwrap_or(ports[0]), controller: ports[1] }
}

fn parse_ports(text: &str) -> Option<Ports> {
    let (client, controller) = text.trim().split_once(' ')?;
    Some(Ports { client: client.parse().ok()?, controller: controller.parse().ok()? })
}

fn properties(Ports { client, controller }: Ports, data: &Path, extra: &[(String, String)]) -> String {
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{client}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={}\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         group.initial.rebalance.delay.ms=0\n\
         auto.create.topics.enable=false\n",
        data.display()
    );
    for (name, value) in extra {
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}

/// To standard output, which the host sends to the broker's log file.
const LOGGING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
    <Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n"/></Console>
  </Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn kept_ports_are_used_again_only_while_they_are_free() {
        let base = tempfile::tempdir().unwrap();
        let files = Files::open(base.path()).unwrap();
        let ports = fresh_ports(None);
        files.write(ports, &[]).unwrap();
        assert_eq!(files.ports(None), ports);
        let _taken = std::net::TcpListener::bind(("127.0.0.1", ports.client)).unwrap();
        assert_ne!(files.ports(None), ports);
    }

    #[test]
    fn extra_properties_come_last_and_so_win() {
        let extra = [("num.partitions".to_owned(), "3".to_owned())];
        let text = properties(Ports { client: 1, controller: 2 }, Path::new("/d"), &extra);
        assert!(text.ends_with("num.partitions=3\n"));
    }
}
