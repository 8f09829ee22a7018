//! The connector's life: connect, choose tables, poll until asked to stop, and again from the start after a failure.
//!
//! What was committed is asked of Kafka each time, never remembered: so a failure whose effect is unknown loses and
//! doubles nothing. An outage is logged when it begins and when it ends. It never gives up on what it once had.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::config::{Connector, Initial, Mode};
use super::failure::Failure;
use super::offset::Offset;
use super::outage::{Outage, Places};
use super::publish::{KafkaSettings, Publisher, ensure_topic};
use super::sql::{Origin, Table};
use super::task::{Register, Task, check_columns};
use super::{Progress, database, select, stored};
use crate::exit::Stop;
use crate::shutdown::Shutdown;

const FOR_EVER: Duration = Duration::from_secs(1 << 30);

pub(super) struct Runner<'a> {
    connector: &'a Connector,
    kafka: &'a KafkaSettings,
    register: Register<'a>,
    shutdown: &'a Shutdown,
    progress: &'a Progress,
    /// Where what has no stored offset began: `now` is asked for once only.
    initials: HashMap<Option<String>, Offset>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        connector: &'a Connector,
        kafka: &'a KafkaSettings,
        register: Register<'a>,
        shutdown: &'a Shutdown,
        progress: &'a Progress,
    ) -> Runner<'a> {
        Runner { connector, kafka, register, shutdown, progress, initials: HashMap::new() }
    }

    pub(super) async fn run(&mut self) -> Result<(), Stop> {
        let shutdown = self.shutdown;
        // At start the database gets a few attempts only, as in the original: its address may simply be wrong.
        let attempts = if self.kafka.fail_fast { 1 } else { self.connector.attempts };
        let (database, brokers) = (self.connector.database.to_string(), self.kafka.brokers.clone());
        let places = Places { database, brokers };
        let mut outage = Outage::new(places, self.connector.backoff, attempts, self.kafka.fail_fast);
        loop {
            let failure = tokio::select! {
                ended = self.session(&mut outage) => match ended {
                    Err(failure) => failure,
                    Ok(never) => match never {},
                },
                _ = shutdown.sleep_async(FOR_EVER) => return Ok(()),
            };
            // A failure that came of stopping is none.
            if shutdown.is_requested() && !matches!(failure, Failure::Stop(_)) {
                return Ok(());
            }
            let pause = outage.begins(failure)?;
            if shutdown.sleep_async(pause).await {
                return Ok(());
            }
        }
    }

    /// From connecting to the first failure. What was open in Kafka then ends with the publisher.
    async fn session(&mut self, outage: &mut Outage) -> Result<Infallible, Failure> {
        ensure_topic(self.kafka, &self.kafka.offsets_topic, 1, -1, true).await?;
        let mut client = database::connect(&self.connector.database).await?;
        let mut origins = self.origins(&client).await?;
        loop {
            // Before the offsets are read: it waits until all that was committed can be seen.
            let mut publisher = Publisher::open(self.kafka, &self.connector.name, self.shutdown)?;
            outage.kafka_answers();
            let mut tasks = self.tasks(&client, &origins).await?;
            self.say_what_is_read(&origins);
            origins = self.poll_until_tables_change(&origins, &mut tasks, &mut client, &mut publisher, outage).await?;
        }
    }

    async fn poll_until_tables_change(
        &self,
        origins: &[Origin],
        tasks: &mut [Task],
        client: &mut Client,
        publisher: &mut Publisher<'_>,
        outage: &mut Outage,
    ) -> Result<Vec<Origin>, Failure> {
        loop {
            let polled = self.poll_until_tables_are_due(tasks, client, publisher, outage).await;
            let now = match &polled {
                Ok(()) | Err(Failure::NoTable(_)) => self.origins(client).await?,
                Err(_) => origins.to_vec(),
            };
            // A table that is gone is no failure where others are left.
            if now != origins {
                return Ok(now);
            }
            polled?;
        }
    }

    async fn poll_until_tables_are_due(
        &self,
        tasks: &mut [Task],
        client: &mut Client,
        publisher: &mut Publisher<'_>,
        outage: &mut Outage,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            for task in &mut *tasks {
                task.poll(client, self.connector, publisher, self.register, self.progress).await?;
            }
            outage.ends();
            tokio::time::sleep(self.connector.poll_interval).await;
            if self.connector.query.is_none() && begun.elapsed() >= self.connector.table_poll_interval {
                return Ok(());
            }
        }
    }

    /// What there is to read now.
    async fn origins(&self, client: &Client) -> Result<Vec<Origin>, Failure> {
        if let Some(query) = &self.connector.query {
            return Ok(vec![Origin::Query(query.clone())]);
        }
        let all = database::tables(client, &self.connector.table_kinds).await?;
        Ok(select::select(&self.connector.wanted, all)?.into_iter().map(Origin::Table).collect())
    }

    fn say_what_is_read(&self, origins: &[Origin]) {
        let (connector, database) = (&self.connector.name, &self.connector.database);
        let what: Vec<String> = origins.iter().map(Origin::to_string).collect();
        tracing::info!(%connector, %database, "reading {}", what.join(", "));
        let tables: Vec<Table> = origins.iter().filter_map(Origin::table).cloned().collect();
        for entry in select::absent(&self.connector.wanted, &tables) {
            tracing::warn!(%connector, "table.whitelist has {entry:?}, but there is no such table yet");
        }
    }

    async fn tasks(&mut self, client: &Client, origins: &[Origin]) -> Result<Vec<Task>, Failure> {
        let names: Vec<Option<String>> = origins.iter().map(Origin::table_name).collect();
        let offsets = match self.connector.mode {
            Mode::Bulk => vec![None; names.len()],
            _ => stored::read(self.kafka, &self.connector.name, &names, self.shutdown)?,
        };
        let mut tasks = Vec::new();
        for ((origin, name), offset) in origins.iter().zip(names).zip(offsets) {
            if let Origin::Table(table) = origin {
                let attributes = database::attributes(client, table.oid).await?;
                let columns: Vec<_> = attributes.into_iter().map(|column| (column.name, column.not_null)).collect();
                check_columns(self.connector, table, &columns)?;
            }
            let from = match offset {
                Some(offset) => offset,
                None => self.initial(client, name).await?,
            };
            let task = Task::new(self.connector, origin.clone(), from);
            let (partitions, replication) = (self.connector.partitions, self.connector.replication);
            ensure_topic(self.kafka, task.topic(), partitions, replication, false).await?;
            tasks.push(task);
        }
        Ok(tasks)
    }

    async fn initial(&mut self, client: &Client, name: Option<String>) -> Result<Offset, Failure> {
        if let Some(known) = self.initials.get(&name) {
            return Ok(*known);
        }
        let timestamp = match self.connector.initial {
            _ if !self.connector.mode.has_timestamp() => None,
            Initial::At(micros) => Some(micros),
            Initial::Now => Some(database::now(client).await?),
        };
        let initial = Offset { timestamp, incrementing: None };
        self.initials.insert(name, initial);
        Ok(initial)
    }
}
