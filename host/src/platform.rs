//! Child processes and servers of the embedded default: directories, ports, Kafka, Postgres.
//!
//! Everything here is for one machine and one user: servers listen on loopback only, and nothing outlives the host.
//! Never on a record's way.

pub mod child;
pub mod command;
pub mod connect;
pub mod dir;
pub mod endpoints;
pub mod jars;
pub mod kafka;
mod kafka_files;
pub mod mock;
pub mod port;
pub mod postgres;
pub mod s3;
pub mod servers;
