//! `smt-host print`: a topic's records as ksqlDB's PRINT shows them, with dates and decimals for people.

use serde_json::{Value as Json, json};

use super::cell::{Cell, spaced, timestamp};
use super::columns;
use super::condition::Condition;
use super::record::{Data, Decoder, Format, Record, Window};
use super::show::write;
use super::signals;
use super::table::plain;
use super::tail::{Go, Tail};
use crate::exit::Stop;
use crate::kafka::From;
use crate::registry::Registry;
use crate::run::Platform;

#[derive(clap::Args, Debug)]
pub struct Args {
    topic: String,
    /// What is there already, too, not only what comes
    #[arg(long)]
    from_beginning: bool,
    /// Only what is there now: end where the topic ends
    #[arg(long)]
    until_end: bool,
    /// End after so many records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only records for which this holds: nascimento >= '2000-01-01' AND ROWPARTITION = 1
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// The headers, too
    #[arg(long)]
    headers: bool,
    /// What is in transactions that are open or were given up, too
    #[arg(long)]
    uncommitted: bool,
    /// Go on until Ctrl-C, as print does anyway
    #[arg(long, conflicts_with = "until_end")]
    watch: bool,
    /// For scripts: one JSON object a record
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    platform: Platform,
}

pub fn run(args: Args) -> Result<(), Stop> {
    let condition = args.condition.as_deref().map(Condition::parse).transpose()?;
    let found = args.platform.find()?;
    let mut filter = Filter::new(condition, &found.registry, &args.topic)?;
    let (stop, tail) = (signals()?, Tail::open(&found.kafka, &args.topic, args.uncommitted)?);
    let (mut decoder, mut printer) = (Decoder::new(&found.registry), Printer::new(&args));
    let each = |message: &rdkafka::message::BorrowedMessage<'_>| {
        let record = decoder.record(message)?;
        Ok(if filter.lets_through(&record)? { printer.print(&record) } else { Go::On })
    };
    if args.limit == Some(0) {
        Ok(())
    } else if args.until_end {
        tail.to_end(&stop, each)
    } else {
        let from = if args.from_beginning { From::Earliest } else { From::Latest };
        tail.follow(from, &stop, each, || Go::On)
    }
}

/// `--where`, checked as soon as it is known which columns there are.
struct Filter {
    condition: Option<Condition>,
    checked: bool,
}

impl Filter {
    fn new(condition: Option<Condition>, registry: &Registry, topic: &str) -> Result<Filter, Stop> {
        let mut filter = Filter { condition, checked: false };
        if filter.condition.is_some()
            && let Some(columns) = columns::registered(registry, topic)?
        {
            filter.check(&columns)?;
        }
        Ok(filter)
    }

    fn check(&mut self, columns: &[String]) -> Result<(), Stop> {
        self.checked = true;
        self.condition.as_ref().map_or(Ok(()), |condition| condition.check(&columns::all(columns)))
    }

    fn lets_through(&mut self, record: &Record) -> Result<bool, Stop> {
        if !self.checked && record.value.format != Format::None {
            self.check(&columns::of_record(record))?;
        }
        let Some(condition) = &self.condition else { return Ok(true) };
        condition.holds(&|name| columns::cell(record, name))
    }
}

struct Printer {
    json: bool,
    headers: bool,
    left: Option<u64>,
    begun: bool,
}

impl Printer {
    fn new(args: &Args) -> Printer {
        Printer { json: args.json, headers: args.headers, left: args.limit, begun: false }
    }

    fn print(&mut self, record: &Record) -> Go {
        let mut text = String::new();
        if !self.begun && !self.json {
            text = format!("Key format: {}\nValue format: {}\n", formats(&record.key), formats(&record.value));
        }
        self.begun = true;
        text += &if self.json { format!("{}\n", json_of(record)) } else { line(record, self.headers) };
        self.left = self.left.map(|left| left - 1);
        if write(&text) && self.left != Some(0) { Go::On } else { Go::Enough }
    }
}

/// What the bytes may be, as ksqlDB names it.
fn formats(data: &Data) -> String {
    let formats: &[&str] = match data.format {
        Format::None => &["¯\\_(ツ)_/¯ - no data processed"],
        Format::Avro => &["AVRO"],
        Format::Json => &["JSON", "KAFKA_STRING"],
        Format::Int => &["KAFKA_INT", "KAFKA_STRING"],
        Format::Bigint => &["KAFKA_BIGINT", "KAFKA_DOUBLE", "KAFKA_STRING"],
        Format::Text => &["KAFKA_STRING"],
        Format::Bytes => &["KAFKA_BYTES"],
    };
    let windows: &[&str] = match data.window {
        None => return formats.join(" or "),
        Some(Window { end: Some(_), .. }) => &["SESSION"],
        Some(Window { end: None, .. }) => &["HOPPING", "TUMBLING"],
    };
    let windowed = windows.iter().flat_map(|window| formats.iter().map(move |format| format!("{window}({format})")));
    windowed.chain(["KAFKA_STRING".to_owned()]).collect::<Vec<_>>().join(" or ")
}

fn line(record: &Record, headers: bool) -> String {
    let time = record.time_ms.map_or_else(|| "N/A".to_owned(), |ms| timestamp(ms, "%Y/%m/%d %H:%M:%S.%3f Z"));
    let (key, value) = (key_text(&record.key), shown(&record.value));
    let headers = match headers {
        false => String::new(),
        true => format!(", headers: [{}]", record.headers.iter().map(header).collect::<Vec<_>>().join(", ")),
    };
    let partition = record.partition;
    format!("{}\n", plain(&format!("rowtime: {time}, key: {key}, value: {value}{headers}, partition: {partition}")))
}

fn header((name, data): &(String, Data)) -> String {
    format!("{name}: {}", shown(data))
}

/// `[JOVEM@1618269960000/-]` where it is windowed.
pub(super) fn key_text(key: &Data) -> String {
    match key.window {
        None => shown(key),
        Some(Window { start, end }) => {
            let end = end.map_or_else(|| "-".to_owned(), |end| end.to_string());
            format!("[{}@{start}/{end}]", shown(key))
        }
    }
}

fn shown(data: &Data) -> String {
    match (&data.written, &data.cell) {
        (Some(written), _) => written.clone(),
        (None, Cell::Null) => "<null>".to_owned(),
        (None, cell @ (Cell::Array(_) | Cell::Fields(_))) => spaced(&cell.json()),
        (None, cell) => cell.text(),
    }
}

fn json_of(record: &Record) -> Json {
    let window = |window: Window| json!({ "start-ms": window.start, "end-ms": window.end });
    let header = |(name, data): &(String, Data)| json!({ "name": name, "value": data.cell.json() });
    json!({
        "partition": record.partition,
        "offset": record.offset,
        "timestamp-ms": record.time_ms,
        "key": record.key.cell.json(),
        "window": record.key.window.map(window),
        "value": record.value.cell.json(),
        "headers": record.headers.iter().map(header).collect::<Vec<_>>(),
    })
}
