//! Carries a plan out. The store goes first: it is only a copy, so a reset that ends half-way loses nothing.
//!
//! State is removed by tombstones, not by deleting topics: offsets never go back, so a copy on another machine, which
//! nobody removes, is brought up to date from where it was.

use std::sync::Arc;

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult};

use super::plan::{Plan, refuse_members};
use crate::exit::Stop;
use crate::kafka::patience::{Outage, Patience};
use crate::kafka::producer::Record;
use crate::kafka::standing::Standing;
use crate::kafka::topics;
use crate::kafka::transaction::{Span, Transaction};
use crate::shutdown::Shutdown;
use crate::window::RESET;

impl Plan {
    pub fn carry_out(&self, stop: &Shutdown) -> Result<(), Stop> {
        let standing = Standing::of(&self.kafka, &self.group)?;
        refuse_members(&standing, &self.group)?;
        self.remove_store()?;
        let patience = Patience::new(stop, &Arc::new(Outage::new(&self.group)));
        let id = format!("smt-reset-{}", self.group);
        let mut transaction = Transaction::begin_with(&self.kafka, Some(id), patience).map_err(|e| self.failed(&e))?;
        match self.write(&mut transaction, &standing) {
            Ok(()) => Ok(()),
            Err(error) => {
                let stop = self.failed(&error);
                transaction.undo(error);
                Err(stop)
            }
        }
    }

    fn remove_store(&self) -> Result<(), Stop> {
        let Some(store) = &self.store else { return Ok(()) };
        match std::fs::remove_dir_all(store) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Stop::start(format!("the store {} cannot be removed: {error}", store.display()))
                    .hint("nothing else was changed; remove it by hand, then try again"))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, transaction: &mut Transaction, standing: &Standing) -> KafkaResult<()> {
        transaction.ensure_open()?;
        for state in &self.states {
            for (partition, keys) in &state.keys {
                for key in keys {
                    transaction.send(tombstone(&state.changelog, *partition, key))?;
                }
            }
        }
        for moved in &self.inputs {
            // Stream times and late counts begin anew too.
            let metadata = (!self.states.is_empty()).then(|| RESET.to_owned());
            transaction.touch(Span { metadata, ..Span::at(&moved.topic, moved.partition, moved.to) });
        }
        for moved in &self.repartition {
            let metadata = Some(RESET.to_owned());
            transaction.touch(Span { metadata, ..Span::at(&moved.topic, moved.partition, moved.to) });
        }
        let group = standing.consumer().group_metadata();
        transaction.commit(standing.consumer(), group.as_ref())
    }

    fn failed(&self, error: &KafkaError) -> Stop {
        topics::away(&self.kafka, error).hint(format!(
            "group {} stands where it stood; only a store on this machine may be gone, which is built again at the next start",
            self.group
        ))
    }
}

fn tombstone<'a>(topic: &'a str, partition: i32, key: &'a [u8]) -> Record<'a> {
    Record { topic, partition: Some(partition), key: Some(key), value: None, timestamp_ms: None, headers: None }
}
