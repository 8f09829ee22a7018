//! When to read no further: the registry is away, too much is on its way to S3, or too much is held in memory.

use std::time::{Duration, Instant};

use super::{Outbox, Place, Stop, Task};

/// Flushes of a task that are under way together.
const FLIGHTS_MAX: usize = 32;
/// Not worth to stop fetching for.
const SHORT: Duration = Duration::from_secs(1);
/// S3's least for a part that is not the last.
const PART_MIN: usize = 5 * 1024 * 1024;

pub(super) struct Brake {
    bytes_max: usize,
    /// Bytes in open files of other tasks.
    others: usize,
    /// Until when nothing is read, whatever else holds.
    held_until: Option<Instant>,
    since: Option<Instant>,
    paused: bool,
    /// Said once.
    told: bool,
}

impl Brake {
    pub(super) fn new(bytes_max: usize) -> Brake {
        Brake { bytes_max, others: 0, held_until: None, since: None, paused: false, told: false }
    }

    pub(super) fn others_hold(&mut self, bytes: usize) {
        self.others = bytes;
    }

    pub(super) fn hold(&mut self, pause: Duration) {
        self.held_until = Some(Instant::now() + pause);
    }

    pub(super) fn is_due(&self, places: &[Place], outbox: &Outbox) -> bool {
        let flights: usize = places.iter().map(Place::flights).sum();
        self.is_held() || flights >= FLIGHTS_MAX || (outbox.bytes() > 0 && self.is_full(places, outbox))
    }

    fn is_held(&self) -> bool {
        self.held_until.is_some_and(|until| Instant::now() < until)
    }

    fn is_full(&self, places: &[Place], outbox: &Outbox) -> bool {
        outbox.bytes() + self.others + places.iter().map(Place::held).sum::<usize>() > self.bytes_max
    }
}

impl Task<'_> {
    /// True: nothing is to be read now. Membership of the group goes on.
    pub(super) fn brakes(&mut self) -> Result<bool, Stop> {
        if self.brake.is_full(&self.places, &self.desk.outbox) {
            self.make_room();
        }
        if !self.brake.is_due(&self.places, &self.desk.outbox) {
            self.release()?;
            self.brake.since = None;
            return Ok(false);
        }
        let since = *self.brake.since.get_or_insert_with(Instant::now);
        if since.elapsed() < SHORT && !self.brake.is_held() {
            // Soon there is room again; until then the fetched records stay where they are.
            if let Ok(ended) = self.ended.recv_timeout(Duration::from_millis(20)) {
                self.landed(ended)?;
            }
            return Ok(true);
        }
        if !self.brake.paused {
            self.member.pause().map_err(|error| self.lost_place(&error))?;
            self.brake.paused = true;
        }
        match self.member.poll(Duration::from_millis(20)) {
            // Fetched before the pause was known.
            Some(Ok(message)) => self.write(&message)?,
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) => self.consumer_error(&error)?,
        }
        Ok(true)
    }

    /// Fetches again, where that was stopped.
    pub(super) fn release(&mut self) -> Result<(), Stop> {
        if std::mem::take(&mut self.brake.paused) {
            self.member.resume().map_err(|error| self.lost_place(&error))?;
        }
        Ok(())
    }

    /// Open files hold everything: parts go out before they are full.
    fn make_room(&mut self) {
        for place in &mut self.places {
            place.ship_early(PART_MIN, &self.desk.outbox);
        }
        if self.desk.outbox.bytes() == 0 && !std::mem::replace(&mut self.brake.told, true) {
            let files: usize = self.places.iter().map(Place::open_files).sum();
            tracing::warn!(
                connector = self.desk.connector.name,
                "{files} open files hold more than smt.buffer.max.bytes, each less than a part: lower flush.size, or \
                 let the partitioner make fewer places"
            );
        }
    }
}
