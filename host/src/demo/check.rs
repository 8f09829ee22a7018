//! The demo's own audit: what is in the table against what is in the topics, read as a consumer would.

use comfy_table::Table;
use rdkafka::message::Message;

use super::counts::Counts;
use super::{COUNTED, INPUT, counts_windows};
use crate::exit::{Exit, Stop};
use crate::kafka::Settings;
use crate::kafka::reading::Reading;
use crate::pipeline::Delivery;
use crate::registry::Registry;

const DIFFERENT: &str = "DIFFERENT";
/// So many records of jovens are shown.
const SAMPLE: usize = 3;

/// What the table says must have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub rows: u64,
    pub jovens: u64,
}

/// Counts the customers; none where there is no table yet.
pub fn table_rows(url: &str) -> Result<Expected, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::start(format!("runtime: {error}")))?;
    runtime.block_on(query(url)).map_err(|error| Stop::dependency(format!("the embedded Postgres: {error}")))
}

async fn query(url: &str) -> Result<Expected, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let exists = client.query_one("SELECT to_regclass('public.customers') IS NOT NULL", &[]).await?.get::<_, bool>(0);
    let mut expected = Expected { rows: 0, jovens: 0 };
    if exists {
        let sql = "SELECT count(*), count(*) FILTER (WHERE nascimento >= DATE '2000-01-01') FROM customers";
        let row = client.query_one(sql, &[]).await?;
        expected = Expected { rows: row.get::<_, i64>(0) as u64, jovens: row.get::<_, i64>(1) as u64 };
    }
    drop(client);
    connection.await.ok();
    Ok(expected)
}

/// Compares table and topics, prints both, and fails on a difference.
pub fn all(postgres: &str, settings: &Settings, registry: &Registry, delivery: Delivery) -> Result<(), Stop> {
    let expected = table_rows(postgres)?;
    let mut lines = vec![
        Line::of(settings, INPUT, "all rows of the table", expected.rows)?,
        Line::of(settings, "jovens", "nascimento >= 2000-01-01", expected.jovens)?,
        Line::of(settings, "idadeclass", "all rows of the table", expected.rows)?,
    ];
    if counts_windows(delivery) {
        let counts = Counts::read(settings, registry, COUNTED)?;
        let counted = |what, expected, found| Line { topic: COUNTED, what, expected, found };
        lines.push(counted("counted in all windows", expected.rows, counts.sum()));
        lines.push(counted("of them JOVEM", expected.jovens, counts.of_class("JOVEM")));
        lines.push(counted("of them ADULTO", expected.rows - expected.jovens, counts.of_class("ADULTO")));
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(["topic", "what", "expected", "committed", ""]);
    for line in &lines {
        let verdict = line.verdict(delivery);
        table.add_row([line.topic, line.what, &line.expected.to_string(), &line.found.to_string(), verdict]);
    }
    println!("{table}\n");
    show(&first(settings, "jovens", SAMPLE)?, registry);
    let wrong = lines.iter().filter(|line| line.verdict(delivery) == DIFFERENT);
    let wrong: Vec<String> =
        wrong.map(|l| format!("{}: expected {}, found {}", l.topic, l.expected, l.found)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Stop::new(Exit::CheckFailed, format!("the topics do not hold what the table does: {}", wrong.join("; "))))
}

/// One number of the table against one of the topics.
struct Line {
    topic: &'static str,
    what: &'static str,
    expected: u64,
    found: u64,
}

impl Line {
    /// Against the number of records in a topic.
    fn of(settings: &Settings, topic: &'static str, what: &'static str, expected: u64) -> Result<Line, Stop> {
        let mut found = 0;
        Reading::open(settings, topic)?.to_end(|_| found += 1)?;
        Ok(Line { topic, what, expected, found })
    }

    fn verdict(&self, delivery: Delivery) -> &'static str {
        let doubled = delivery == Delivery::AtLeastOnce && self.found > self.expected;
        match self.found == self.expected {
            true => "ok",
            false if doubled => "ok: at least once",
            false => DIFFERENT,
        }
    }
}

fn show(sample: &[Vec<u8>], registry: &Registry) {
    for value in sample {
        println!("jovens  {}", super::sample::json(registry, value).unwrap_or_else(|| "(not Avro)".to_owned()));
    }
}

/// The first values of a topic, to look at.
fn first(settings: &Settings, topic: &str, values_max: usize) -> Result<Vec<Vec<u8>>, Stop> {
    let mut values = Vec::new();
    Reading::open(settings, topic)?.to_end(|record| {
        if values.len() < values_max {
            values.push(record.payload().unwrap_or_default().to_vec());
        }
    })?;
    Ok(values)
}
