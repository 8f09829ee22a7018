//! smt-host runs sandboxed WASM transforms over Kafka topics, exactly once.
//!
//! The modules stand in the order in which a record meets them; what is not on a record's way comes last.

/// Avro: schema resolution plans, and Avro from and to Connect's JSON.
pub mod avro;
/// Kafka Connect's data model and its converters.
pub mod connect;
/// Connector files: Kafka Connect's JSON, every key checked.
pub(crate) mod connector_file;
/// Plugins: compiled once, run in a sandbox, blamed record by record.
pub mod guest;
/// The door to rdkafka: clients, topics, transactions, partitioning.
pub mod kafka;
/// The way of a record, from poll to commit.
pub mod pipeline;
/// Schema Registry: the client, and the embedded server.
pub mod registry;
/// The S3 sink connector.
pub mod sink;
/// Windowed aggregation: time, groups, state and record formats.
pub mod window;

/// The workshop's fake customers.
pub mod generate;
/// The JDBC source connector.
pub mod source;

/// What a user wants run: the configuration file, the options that win over it, their units and secrets.
pub mod config;
/// Everything embedded, from one command.
pub mod demo;
/// Pipelines from options and from a configuration file.
pub mod run;

/// Connectors behind Kafka Connect's REST API.
pub mod worker;

/// What a plugin says of itself.
pub mod inspect;
/// Topics, records, pipelines and connectors, for people.
pub mod look;
/// Which windows are open, and why.
pub mod open_windows;
/// Child processes and servers of the embedded default: Kafka, Postgres, directories, ports.
pub mod platform;
/// A pipeline that nobody runs begins anew.
pub mod reset;
/// What windowed plugins keep in Kafka, seen from outside.
pub mod state;
/// The workshop's exercises.
pub mod workshop;

/// Command line types.
pub mod cli;
/// TLS to Postgres.
pub mod database_tls;
/// Exit codes, and the one way in which an error becomes text and a code.
pub mod exit;
/// Log lines, for people or for machines.
pub mod log;
/// The known name that a mistyped one was probably meant to be.
pub mod nearest;
/// Signals and the token that asks everything to stop.
pub mod shutdown;
