//! The workshop's fake customers: rows of made-up people, inserted at a steady pace.
//!
//! Makes the table if it is missing and only ever inserts. A round is one transaction: a round that is interrupted
//! leaves nothing. Never writes anything about a real person: e-mails and photos are at example.com.

/// The command line's options.
mod args;
/// Inserting.
mod database;
/// The lists.
mod names;
/// Making up people.
mod people;
/// What is printed.
mod print;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::StdRng;

pub use args::{Args, ConnectionString, normalize_args};
use database::{Address, Database};
use people::Person;

use crate::exit::{Exit, Stop};
use crate::shutdown::Shutdown;

/// The most rows in one INSERT.
const CHUNK: u64 = 5000;

/// What to generate.
#[derive(Clone)]
pub struct Spec {
    pub url: String,
    pub rows_per_round: u64,
    /// From the end of a round to the start of the next.
    pub interval: Duration,
    /// None: until asked to stop.
    pub rounds: Option<u64>,
    /// Stop after this many rows.
    pub total: Option<u64>,
    /// The same seed makes up the same people (of the same age, on whatever day).
    pub seed: Option<u64>,
    pub silent: bool,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spec")
            .field("url", &database::mask(&self.url))
            .field("rows_per_round", &self.rows_per_round)
            .field("interval", &self.interval)
            .field("rounds", &self.rounds)
            .field("total", &self.total)
            .field("seed", &self.seed)
            .field("silent", &self.silent)
            .finish()
    }
}

/// How far a generator is, for others to look at.
#[derive(Debug, Default)]
pub struct Progress {
    /// Committed rows.
    pub rows: AtomicU64,
}

/// The `generate` command: until a signal, or the rounds are done.
pub fn run(args: Args) -> Result<(), Stop> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(|error| Stop::new(Exit::Bug, format!("cannot listen for signals: {error}")))?;
    generate(args.spec(), &shutdown, &Progress::default()).map(drop)
}

/// Generates until done or asked to stop, and gives the number of committed rows. Blocks.
pub fn generate(spec: Spec, shutdown: &Shutdown, progress: &Progress) -> Result<u64, Stop> {
    let address = Address::parse(&spec.url)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::new(Exit::Bug, format!("cannot start a runtime: {error}")))?;
    runtime.block_on(async {
        let mut database = Database::connect(address).await?;
        rounds(&spec, &mut database, shutdown, progress).await
    })
}

async fn rounds(spec: &Spec, database: &mut Database, shutdown: &Shutdown, progress: &Progress) -> Result<u64, Stop> {
    let mut source = Source::new(spec.seed);
    let mut done = 0;
    let mut round = 0;
    while !shutdown.is_requested() && spec.rounds.is_none_or(|rounds| round < rounds) {
        let rows = spec.total.map_or(spec.rows_per_round, |total| spec.rows_per_round.min(total - done));
        if rows == 0 || !one_round(spec, rows, database, &mut source, shutdown).await? {
            break;
        }
        done += rows;
        round += 1;
        progress.rows.fetch_add(rows, Ordering::Relaxed);
        let last = spec.rounds == Some(round) || spec.total == Some(done);
        if last || shutdown.sleep_async(spec.interval).await {
            break;
        }
    }
    Ok(done)
}

/// False: nobody wants more, or this round was given up.
async fn one_round(
    spec: &Spec,
    rows: u64,
    database: &mut Database,
    source: &mut Source,
    shutdown: &Shutdown,
) -> Result<bool, Stop> {
    let mut insert = database.begin().await?;
    let mut left = rows;
    let mut shown = Vec::new();
    while left > 0 {
        if shutdown.is_requested() {
            return Ok(false);
        }
        let people = source.take(left.min(CHUNK));
        insert.add(&people).await?;
        left -= people.len() as u64;
        if !spec.silent {
            shown.extend(people);
        }
    }
    insert.commit().await?;
    Ok(spec.silent || print::people(&shown))
}

/// People in the order in which they are updated: no two have the same `dt_update`.
struct Source {
    rng: StdRng,
    last: i64,
}

impl Source {
    fn new(seed: Option<u64>) -> Source {
        let rng = seed.map_or_else(rand::make_rng, StdRng::seed_from_u64);
        Source { rng, last: 0 }
    }

    fn take(&mut self, rows: u64) -> Vec<Person> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let first = i64::try_from(now).unwrap_or(i64::MAX).max(self.last + 1);
        let mut people = Vec::with_capacity(usize::try_from(rows).unwrap_or(0));
        for dt_update in (first..).zip(0..rows).map(|(at, _)| at) {
            people.push(Person::make_up(&mut self.rng, dt_update));
            self.last = dt_update;
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_the_same_time_and_a_seed_repeats_the_people() {
        let (mut one, mut two) = (Source::new(Some(7)), Source::new(Some(7)));
        let people: Vec<Person> = [one.take(3), one.take(500)].concat();
        assert!(people.windows(2).all(|pair| pair[0].dt_update < pair[1].dt_update));
        let names = |people: &[Person]| people.iter().map(|one| one.nome.clone()).collect::<Vec<_>>();
        assert_eq!(names(&people), names(&two.take(503)));
    }

    #[test]
    fn people_are_plausible() {
        let today = Source::new(None).take(1)[0].dt_update / 86_400_000_000;
        for person in Source::new(Some(1)).take(2000) {
            let age = (today - i64::from(person.nascimento)) / 365;
            assert!((0..=91).contains(&age), "{person:?}");
            assert!(person.email.ends_with("@example.com") && person.email.is_ascii(), "{person:?}");
            assert!(person.foto.starts_with("https://example.com/"), "{person:?}");
            assert_eq!(person.telefone.chars().count(), 15, "{person:?}");
        }
    }
}
