//! smt-host runs sandboxed WASM transforms over Kafka topics, exactly once.
//!
//! The modules stand in the order in which a record meets them; what is not on a record's way comes last.

/// Avro: schema resolution plans, and Avro from and to Connect's JSON.
pub mod avro;
/// Plugins: compiled once, run in a sandbox, blamed record by record.
pub mod guest;
/// The door to rdkafka: clients, topics, transactions, partitioning.
pub mod kafka;
/// The way of a record, from poll to commit.
pub mod pipeline;
/// Schema Registry: the client, and the embedded server.
pub mod registry;
/// Windowed aggregation: time, groups, state and record formats.
pub mod window;

/// The workshop's fake customers.
pub mod generate;
/// The JDBC source connector.
pub mod source;

/// Everything embedded, from one command.
pub mod demo;
/// Pipelines from the command line.
pub mod run;

/// What a plugin says of itself.
pub mod inspect;
/// Child processes and servers of the embedded default: Kafka, Postgres, directories, ports.
pub mod platform;

/// Command line types.
pub mod cli;
/// TLS to Postgres.
pub mod database_tls;
/// Exit codes, and the one way in which an error becomes text and a code.
pub mod exit;
/// Signals and the token that asks everything to stop.
pub mod shutdown;
