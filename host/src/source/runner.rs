//! The connector's life: connect, choose tables, poll until asked to stop, and again after a failure.
//!
//! Failures are logged once for each change between away and back. It never gives up on a database it once had.

use std::time::Duration;

use tokio_postgres::Client;

use super::config::{Connector, Initial, Mode};
use super::failure::Failure;
use super::offset::Offset;
use super::publish::{KafkaSettings, Publisher, ensure_topic};
use super::task::{Register, Task, check_columns};
use super::{Progress, database, select, stored};
use crate::exit::{Exit, Stop};
use crate::shutdown::Shutdown;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

pub(super) struct Runner<'a> {
    pub(super) connector: &'a Connector,
    pub(super) kafka: &'a KafkaSettings,
    pub(super) register: Register<'a>,
    pub(super) shutdown: &'a Shutdown,
    pub(super) progress: &'a Progress,
}

impl Runner<'_> {
    pub(super) async fn run(&self) -> Result<(), Stop> {
        ensure_topic(self.kafka, &self.kafka.offsets_topic, 1, -1, true).await?;
        let mut publisher = Publisher::open(self.kafka, &self.connector.name)?;
        let Some(mut client) = self.first_connection().await? else { return Ok(()) };
        let mut tasks = self.tasks(&client).await?;
        for task in &tasks {
            let (partitions, replication) = (self.connector.partitions, self.connector.replication);
            ensure_topic(self.kafka, task.topic(), partitions, replication, false).await?;
        }
        let database = &self.connector.database;
        tracing::info!(connector = %self.connector.name, %database, tables = tasks.len(), "reading");
        let mut pause = FIRST_PAUSE;
        loop {
            let failure = tokio::select! {
                failed = self.poll_all(&mut tasks, &mut client, &mut publisher, &mut pause) => failed,
                _ = self.shutdown.sleep_async(FOR_EVER) => return self.stop(&mut publisher),
            };
            let (what, why) = match failure {
                Failure::Stop(stop) => return Err(self.stopped(stop, &mut publisher)),
                Failure::Database(why) => ("database", why),
                Failure::Kafka(why) => ("kafka", why),
            };
            if pause == FIRST_PAUSE {
                tracing::warn!("{what} is away, trying again: {why}");
            }
            match self.recover(&mut publisher, &mut pause).await? {
                Some(fresh) => client = fresh,
                None => return self.stop(&mut publisher),
            }
        }
    }

    /// Ends only with a failure.
    async fn poll_all(
        &self,
        tasks: &mut [Task],
        client: &mut Client,
        publisher: &mut Publisher,
        pause: &mut Duration,
    ) -> Failure {
        loop {
            for task in &mut *tasks {
                let polled = task.poll(client, self.connector, publisher, self.register, self.progress).await;
                if let Err(failure) = polled {
                    return failure;
                }
            }
            if *pause != FIRST_PAUSE {
                *pause = FIRST_PAUSE;
                tracing::info!("reading again");
            }
            tokio::time::sleep(self.connector.poll_interval).await;
        }
    }

    /// Aborts what was open and connects again, waiting longer each time. None: asked to stop.
    async fn recover(&self, publisher: &mut Publisher, pause: &mut Duration) -> Result<Option<Client>, Stop> {
        loop {
            if self.shutdown.sleep_async(*pause).await {
                return Ok(None);
            }
            *pause = (*pause * 2).min(self.connector.backoff.max(FIRST_PAUSE * 2));
            match publisher.abort() {
                Ok(()) => {}
                Err(Failure::Stop(stop)) => return Err(stop),
                Err(Failure::Kafka(_) | Failure::Database(_)) => {
                    // The transaction's fate is unknown: a new producer with the same id settles it.
                    return Err(Stop::dependency("kafka did not take back a transaction")
                        .hint("start again: it goes on from the last committed offset"));
                }
            }
            match database::connect(&self.connector.database).await {
                Ok(client) => return Ok(Some(client)),
                Err(Failure::Stop(stop)) => return Err(stop),
                Err(_) => {}
            }
        }
    }

    /// At start the database gets a few attempts only: its address may simply be wrong.
    async fn first_connection(&self) -> Result<Option<Client>, Stop> {
        let database = &self.connector.database;
        for attempt in 1.. {
            match database::connect(database).await {
                Ok(client) => return Ok(Some(client)),
                Err(Failure::Stop(stop)) => return Err(stop),
                Err(Failure::Database(why) | Failure::Kafka(why)) if attempt >= self.connector.attempts => {
                    return Err(Stop::dependency(format!("database {database} cannot be reached: {why}")));
                }
                Err(Failure::Database(why) | Failure::Kafka(why)) => {
                    tracing::warn!("database {database} cannot be reached, trying again: {why}");
                }
            }
            if self.shutdown.sleep_async(self.connector.backoff).await {
                break;
            }
        }
        Ok(None)
    }

    async fn tasks(&self, client: &Client) -> Result<Vec<Task>, Stop> {
        let all = database::tables(client, &self.connector.table_kinds).await.map_err(at_start)?;
        let tables = select::select(self.connector, all)?;
        for table in &tables {
            let attributes = database::attributes(client, table.oid).await.map_err(at_start)?;
            let columns: Vec<_> = attributes.into_iter().map(|column| (column.name, column.not_null)).collect();
            check_columns(self.connector, table, &columns)?;
        }
        let names: Vec<String> = tables.iter().map(|table| table.full_name()).collect();
        let offsets = match self.connector.mode {
            Mode::Bulk => Default::default(),
            _ => stored::read(self.kafka, &self.connector.name, &names)?,
        };
        let initial = self.initial(client).await?;
        let start = |name: &String| offsets.get(name).copied().unwrap_or(initial);
        let starts: Vec<Offset> = names.iter().map(start).collect();
        Ok(tables.into_iter().zip(starts).map(|(table, from)| Task::new(self.connector, table, from)).collect())
    }

    async fn initial(&self, client: &Client) -> Result<Offset, Stop> {
        let timestamp = match self.connector.initial {
            _ if !self.connector.mode.has_timestamp() => return Ok(Offset::default()),
            Initial::At(micros) => micros,
            Initial::Now => database::now(client).await.map_err(at_start)?,
        };
        Ok(Offset { timestamp: Some(timestamp), incrementing: None })
    }

    fn stop(&self, publisher: &mut Publisher) -> Result<(), Stop> {
        // What was open is read again next time.
        match publisher.abort() {
            Err(Failure::Stop(stop)) => Err(stop),
            _ => Ok(()),
        }
    }

    fn stopped(&self, stop: Stop, publisher: &mut Publisher) -> Stop {
        if stop.exit != Exit::Fenced && publisher.abort().is_err() {
            tracing::debug!("the open transaction is left to time out");
        }
        stop
    }
}

fn at_start(failure: Failure) -> Stop {
    match failure {
        Failure::Stop(stop) => stop,
        Failure::Database(why) | Failure::Kafka(why) => Stop::dependency(format!("database: {why}")),
    }
}
