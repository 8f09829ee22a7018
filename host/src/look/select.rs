//! `smt-host select`: some columns of a topic's records as an aligned table.

use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};

use super::columns;
use super::condition::Condition;
use super::record::{Decoder, Format, Record};
use super::show::{Show, write};
use super::signals;
use super::table::{Layout, Table, terminal};
use super::tail::{Go, Tail};
use crate::exit::Stop;
use crate::kafka::From;
use crate::run::{Found, Platform};
use crate::shutdown::Shutdown;

/// So many rows say how wide the columns are; then they are shown.
const ROWS_HELD_MAX: usize = 1000;
/// So long a row is held back at most, for others to be aligned with it.
const HELD: Duration = Duration::from_millis(500);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Columns, in any case, comma-separated; '*' is all. Also ROWKEY, ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART
    #[arg(required = true, value_delimiter = ',')]
    columns: Vec<String>,
    /// The topic
    #[arg(long, value_name = "TOPIC")]
    from: String,
    /// Only rows for which this holds: nascimento >= '2000-01-01' AND nome LIKE 'A%'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, conflicts_with = "watch")]
    emit_changes: bool,
    /// Without what is there already
    #[arg(long, requires = "emit_changes")]
    from_latest: bool,
    /// End after so many rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let condition = args.condition.as_deref().map(Condition::parse).transpose()?;
    let found = args.platform.find()?;
    let stop = signals()?;
    loop {
        let mut query = Query::new(&args, condition.clone(), &found)?;
        query.run(&found, &stop)?;
        if !args.show.watch || query.out.closed || stop.sleep(Duration::from_secs(1)) {
            return Ok(());
        }
    }
}

struct Query<'a> {
    args: &'a Args,
    condition: Option<Condition>,
    decoder: Decoder,
    /// What the registry knows of.
    registered: Option<Vec<String>>,
    left: Option<u64>,
    out: Out,
}

impl Query<'_> {
    fn new<'a>(args: &'a Args, condition: Option<Condition>, found: &Found) -> Result<Query<'a>, Stop> {
        let registered = columns::registered(&found.registry, &args.from)?;
        let query = Query {
            args,
            condition,
            decoder: Decoder::new(&found.registry),
            left: args.limit,
            out: Out::new(args.show),
            registered,
        };
        // Mistakes are told at once, even if no record ever comes.
        if let Some(columns) = &query.registered {
            query.check(columns, false)?;
        }
        Ok(query)
    }

    fn run(&mut self, found: &Found, stop: &Shutdown) -> Result<(), Stop> {
        let tail = Tail::open(&found.kafka, &self.args.from, false)?;
        if self.left != Some(0) {
            if self.args.emit_changes {
                let from = if self.args.from_latest { From::Latest } else { From::Earliest };
                let this = std::cell::RefCell::new(&mut *self);
                let each = |message: &rdkafka::message::BorrowedMessage<'_>| this.borrow_mut().take(message);
                tail.follow(from, stop, each, || this.borrow_mut().out.flush())?;
            } else {
                tail.to_end(stop, |message| self.take(message))?;
            }
        }
        self.finish()
    }

    fn take(&mut self, message: &rdkafka::message::BorrowedMessage<'_>) -> Result<Go, Stop> {
        let record = self.decoder.record(message)?;
        // A tombstone is no row.
        if record.value.format == Format::None {
            return Ok(Go::On);
        }
        if self.out.columns.is_empty() {
            let columns = match &self.registered {
                Some(columns) => columns.clone(),
                None => columns::of_record(&record),
            };
            if columns.is_empty() {
                return Err(no_columns(&self.args.from));
            }
            let keyed = record.key.format != Format::None;
            self.out.begin(self.check(&columns, keyed)?);
        }
        let holds = self.condition.as_ref().map_or(Ok(true), |it| it.holds(&|name| columns::cell(&record, name)))?;
        if !holds {
            return Ok(Go::On);
        }
        self.left = self.left.map(|left| left - 1);
        match self.out.row(&record) {
            Go::On if self.left != Some(0) => Ok(Go::On),
            _ => Ok(Go::Enough),
        }
    }

    /// The projection, if all that was asked for is there.
    fn check(&self, columns: &[String], keyed: bool) -> Result<Vec<String>, Stop> {
        if let Some(condition) = &self.condition {
            condition.check(&columns::all(columns))?;
        }
        let asked: Vec<String> = self.args.columns.iter().map(|name| name.trim().to_owned()).collect();
        let asked: Vec<String> = asked.into_iter().filter(|name| !name.is_empty()).collect();
        if asked.is_empty() {
            return Err(Stop::usage("no column is named").hint(format!("columns: {}", columns.join(", "))));
        }
        columns::project(&asked, columns, keyed)
    }

    /// A table without rows is a table, too.
    fn finish(&mut self) -> Result<(), Stop> {
        if self.out.columns.is_empty()
            && let Some(columns) = &self.registered
        {
            self.out.begin(self.check(columns, false)?);
        }
        self.out.end();
        Ok(())
    }
}

fn no_columns(topic: &str) -> Stop {
    Stop::start(format!("the records of topic {topic} have no columns"))
        .hint(format!("smt-host print {topic} --from-beginning shows them as they are"))
}

/// Rows on their way out: held back until it is known how wide the columns are.
struct Out {
    show: Show,
    /// As they are spelled; none before it is known which there are.
    columns: Vec<String>,
    held: Table,
    since: Option<Instant>,
    layout: Option<Layout>,
    /// Nobody reads on.
    closed: bool,
}

impl Out {
    fn new(show: Show) -> Out {
        Out { show, columns: Vec::new(), held: Table::default(), since: None, layout: None, closed: false }
    }

    fn begin(&mut self, columns: Vec<String>) {
        self.held = Table::new(columns.iter().map(|name| name.to_uppercase()));
        self.columns = columns;
    }

    fn row(&mut self, record: &Record) -> Go {
        let cells = self.columns.iter().map(|name| columns::cell(record, name));
        if self.show.json {
            let row: Map<String, Json> = self.columns.iter().cloned().zip(cells.map(|cell| cell.json())).collect();
            return self.write(&format!("{}\n", Json::Object(row)));
        }
        let cells: Vec<String> = cells.map(|cell| cell.text()).collect();
        self.held.row(cells);
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.held.len() >= ROWS_HELD_MAX || since.elapsed() > HELD { self.flush() } else { Go::On }
    }

    /// What is held goes out, under the head if it is the first.
    fn flush(&mut self) -> Go {
        if self.show.json || self.held.is_empty() {
            return Go::On;
        }
        let text = self.text();
        self.write(&text)
    }

    fn text(&mut self) -> String {
        let layout = self.held.layout(terminal());
        let first = self.layout.is_none();
        let layout = self.layout.take().map_or(layout.clone(), |known| known.wider(&layout));
        let head =
            if first { format!("{}{}", self.show.clear(), layout.head(self.held.header())) } else { String::new() };
        let text = format!("{head}{}", self.held.body(&layout));
        self.held.clear();
        self.since = None;
        self.layout = Some(layout);
        text
    }

    fn end(&mut self) {
        if self.show.json || self.columns.is_empty() || self.closed {
            return;
        }
        let text = self.text();
        let rule = self.layout.as_ref().map(Layout::rule).unwrap_or_default();
        self.write(&format!("{text}{rule}"));
    }

    fn write(&mut self, text: &str) -> Go {
        self.closed = !write(text);
        if self.closed { Go::Enough } else { Go::On }
    }
}
