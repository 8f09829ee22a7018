//! One topic partition: its open files, what of it is on its way to S3, and the offset up to which all is there.

mod closing;
mod holding;
mod tail;

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc;
use std::time::Instant;

use tokio::task::AbortHandle;

use super::boundaries::{Arrival, Boundaries, Verdict};
use super::config::Connector;
use super::format::View;
use super::open::{Faulty, Open, Parts};
use super::store::{Ended, Outbox};
use closing::{closing, manifests};

use crate::connect::{Reason, project};
use crate::exit::{Exit, Stop};

/// What all topic partitions of a task share.
pub(super) struct Desk<'a> {
    pub(super) connector: &'a Connector,
    pub(super) outbox: Outbox,
    /// Where flushes say that they have ended.
    pub(super) ended: mpsc::Sender<Ended>,
    /// Counts flushes.
    pub(super) flushes: u64,
}

/// Closed files on their way, together.
struct Flight {
    flush: u64,
    /// The first offset behind them.
    next: i64,
    abort: AbortHandle,
    done: bool,
    totals: Totals,
}

/// What was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) records: u64,
    pub(super) objects: u64,
    pub(super) bytes: u64,
}

pub(super) struct Place {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The first offset that was seen since it was assigned.
    pub(super) first: i64,
    /// Whatever stands before it is old news.
    pub(super) next: i64,
    boundaries: Boundaries,
    open: Vec<Open>,
    /// Bytes of open files.
    held: usize,
    opened: Option<Instant>,
    flights: VecDeque<Flight>,
    /// All records before it are in S3.
    reached: Option<i64>,
    committed: Option<i64>,
    /// What is open closes before this offset, whatever its size.
    boundary: Option<i64>,
    /// When the last record was written.
    touched_ms: i64,
    /// Records that made a file unusable: left out when it is made again.
    torn: HashMap<i64, Reason>,
}

impl Place {
    pub(super) fn new(connector: &Connector, topic: &str, partition: i32, first: i64, now_ms: i64) -> Place {
        Place {
            topic: topic.to_owned(),
            partition,
            first,
            next: first,
            boundaries: Boundaries::new(&connector.rules, now_ms),
            open: Vec::new(),
            held: 0,
            opened: None,
            flights: VecDeque::new(),
            reached: None,
            committed: None,
            boundary: None,
            touched_ms: now_ms,
            torn: HashMap::new(),
        }
    }

    pub(super) fn is(&self, topic: &str, partition: i32) -> bool {
        self.partition == partition && self.topic == topic
    }

    /// Why the record of this offset cannot be written, where an earlier attempt has shown it.
    pub(super) fn known_fault(&self, offset: i64) -> Option<Reason> {
        self.torn.get(&offset).cloned()
    }

    pub(super) fn note_fault(&mut self, offset: i64, reason: Reason) {
        self.torn.insert(offset, reason);
    }

    /// Writes one record into the file where it belongs; closes files before and after as the rules say.
    pub(super) fn write(
        &mut self,
        desk: &mut Desk<'_>,
        record: &Parts,
        arrival: &Arrival<'_>,
        offset: i64,
    ) -> Result<Result<(), Faulty>, Stop> {
        if self.boundary.is_some_and(|end| offset >= end) {
            self.close(desk)?;
        }
        self.touched_ms = arrival.now_ms;
        loop {
            let written = match self.boundaries.admit(arrival) {
                Verdict::CloseFirst => {
                    self.close(desk)?;
                    continue;
                }
                Verdict::Begin => self.begin(desk.connector, record, arrival, offset).map_err(Faulty::Clean),
                Verdict::Write(number) => self.append(desk, number, record, arrival, offset),
            };
            return match written {
                Ok(true) => self.close(desk).map(Ok),
                Ok(false) => Ok(Ok(())),
                Err(faulty) => Ok(Err(faulty)),
            };
        }
    }

    /// True: all files close now.
    fn begin(
        &mut self,
        connector: &Connector,
        record: &Parts,
        arrival: &Arrival<'_>,
        offset: i64,
    ) -> Result<bool, Reason> {
        let mut open = Open::begin();
        for part in [View::Value, View::Key, View::Headers] {
            let Some(kind) = connector.formats.of(part) else { continue };
            let naming = &connector.naming;
            let key = naming.key(&self.topic, arrival.place, self.partition, offset, part, &kind.extension);
            open.add(part, &kind.format, connector.formats.compression, record, key)?;
        }
        open.append(record, None).map_err(|(Faulty::Clean(reason) | Faulty::Torn(reason))| reason)?;
        self.held += open.held();
        self.open.push(open);
        self.opened.get_or_insert_with(Instant::now);
        Ok(self.boundaries.begun(arrival, offset).1)
    }

    fn append(
        &mut self,
        desk: &Desk<'_>,
        number: usize,
        record: &Parts,
        arrival: &Arrival<'_>,
        offset: i64,
    ) -> Result<bool, Faulty> {
        let rules = &desk.connector.rules;
        let schema = self.boundaries.files()[number].schema.as_ref();
        let projected = match schema {
            Some(file) if rules.compatibility.projects(arrival.schema, schema) => {
                Some(project(&record.value, file).map_err(Faulty::Clean)?)
            }
            _ => None,
        };
        let open = &mut self.open[number];
        let before = open.held();
        open.append(record, projected.as_ref())?;
        open.ship(desk.connector.part_size, &desk.outbox);
        self.held = (self.held + open.held()).saturating_sub(before);
        Ok(self.boundaries.written(number, offset))
    }

    /// Closes what the clock says, or what is recorded to end here.
    pub(super) fn tick(&mut self, desk: &mut Desk<'_>, now_ms: i64) -> Result<(), Stop> {
        if self.boundary.is_some_and(|end| self.next >= end) {
            self.close(desk)?;
        }
        if self.boundaries.tick(now_ms) { self.close(desk) } else { Ok(()) }
    }

    /// All open files are on their way from now on.
    fn close(&mut self, desk: &mut Desk<'_>) -> Result<(), Stop> {
        // Recorded for what begins at the committed offset, and for nothing behind it.
        self.boundary = None;
        let files = self.boundaries.close();
        let Some(last) = files.iter().map(|file| file.last).max() else { return Ok(()) };
        let connector = desk.connector;
        let only_new = connector.no_overwrite && files.len() == 1;
        let (mut closed, mut totals) = (Vec::with_capacity(files.len()), Totals::default());
        for (file, open) in files.into_iter().zip(std::mem::take(&mut self.open)) {
            let tagged = connector.tags.as_ref().filter(|_| open.has_value());
            let kinds = open.kinds();
            let bodies = open.close(&desk.outbox).map_err(|reason| {
                let what = format!("{}-{} from offset {}", self.topic, self.partition, file.first);
                Stop::new(Exit::Connector, format!("the file of {what} cannot be finished: {reason}"))
            })?;
            totals.records += file.records;
            totals.objects += bodies.len() as u64;
            totals.bytes += bodies.iter().map(|body| body.length).sum::<u64>();
            let manifests = if connector.manifest { manifests(connector, &file, &bodies, &kinds) } else { Vec::new() };
            closed.push(closing(tagged, &file, bodies, manifests, only_new));
        }
        (self.opened, self.held) = (None, 0);
        desk.flushes += 1;
        let abort = desk.outbox.flush(desk.flushes, closed, &desk.ended);
        self.flights.push_back(Flight { flush: desk.flushes, next: last + 1, abort, done: false, totals });
        Ok(())
    }

    /// A flush has ended well. `None`: not one of this topic partition.
    pub(super) fn landed(&mut self, flush: u64) -> Option<Totals> {
        let flight = self.flights.iter_mut().find(|flight| flight.flush == flush)?;
        flight.done = true;
        let totals = flight.totals;
        // In the order in which they were closed: the offset is that of all before it.
        while let Some(first) = self.flights.front().filter(|first| first.done) {
            self.reached = Some(first.next);
            self.flights.pop_front();
        }
        Some(totals)
    }

    pub(super) fn has_flight(&self, flush: u64) -> bool {
        self.flights.iter().any(|flight| flight.flush == flush)
    }

    pub(super) fn flights(&self) -> usize {
        self.flights.len()
    }

    /// What an object's tags say that S3 has.
    pub(super) fn reaches(&mut self, next: i64) {
        self.reached = self.reached.max(Some(next));
    }

    /// The offset to be committed, where that is news.
    pub(super) fn to_commit(&self) -> Option<i64> {
        self.reached.filter(|_| self.reached != self.committed)
    }

    /// Where reading began, where nothing is committed and nothing is to be.
    pub(super) fn start(&self) -> Option<i64> {
        (self.committed.is_none() && self.reached.is_none()).then_some(self.first)
    }

    pub(super) fn is_committed(&mut self) {
        self.committed = self.reached.or(Some(self.first));
    }

    /// Drops everything that is not in S3: it will be read again.
    pub(super) fn forget(&mut self, now_ms: i64, connector: &Connector) {
        self.abort();
        self.boundary = None;
        self.boundaries = Boundaries::new(&connector.rules, now_ms);
        // What is committed is asked of the group, which may have more than is known here.
        self.next = 0;
    }

    fn abort(&mut self) {
        for flight in self.flights.drain(..) {
            flight.abort.abort();
        }
        self.open.clear();
        (self.opened, self.held) = (None, 0);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.abort();
    }
}
