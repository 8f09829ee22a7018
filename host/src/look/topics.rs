//! `smt-host topics`: what topics there are, what one of them is like, and making one.

use rdkafka::consumer::Consumer;
use rdkafka::metadata::{Metadata, MetadataTopic};
use serde_json::{Value, json};

use super::show::{Show, Shown, write};
use super::table::{Table, terminal};
use super::{no_topic, reach, signals};
use crate::exit::Stop;
use crate::kafka::standing::{Ends, Standing};
use crate::kafka::topics::{self, Shape};
use crate::kafka::{REQUEST_TIMEOUT, Settings};
use crate::registry::Registry;
use crate::run::Platform;

/// ksqlDB hides these, too.
const HIDDEN: [&str; 3] = ["_schemas", "__consumer_offsets", "__transaction_state"];
const HIDDEN_PREFIXES: [&str; 2] = ["_confluent", "__confluent"];
const HIDDEN_OF_CONNECT: [&str; 4] = ["connect-configs", "connect-offsets", "connect-status", "connect-statuses"];

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    platform: Platform,
    /// Kafka's, the registry's and Connect's own topics, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    show: Show,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Make a topic.
    Create(Box<Create>),
    /// One topic: partitions, offsets, what was set, and its schema.
    Describe(Box<Describe>),
}

#[derive(clap::Args, Debug)]
struct Create {
    name: String,
    #[arg(long, value_name = "P", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: i32,
    /// On how many brokers each partition is kept
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=i64::from(i16::MAX)))]
    replicas: i32,
    #[command(flatten)]
    platform: Platform,
    /// For scripts: one JSON value
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Describe {
    name: String,
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: Args) -> Result<(), Stop> {
    match args.command {
        None => list(&args.platform, args.show, args.all),
        Some(Command::Create(args)) => create(&args),
        Some(Command::Describe(args)) => describe(&args),
    }
}

fn list(platform: &Platform, show: Show, all: bool) -> Result<(), Stop> {
    let found = platform.find()?;
    let (stop, looking) = (signals()?, Looking::open(&found.kafka)?);
    show.show(&stop, || {
        let metadata = looking.metadata(None)?;
        let mut topics: Vec<&MetadataTopic> =
            metadata.topics().iter().filter(|t| all || !is_hidden(t.name())).collect();
        topics.sort_by_key(|topic| topic.name());
        let mut table = Table::new(["Kafka Topic", "Partitions", "Partition Replicas", "Records"]);
        let mut rows = Vec::new();
        for topic in topics {
            let (replicas, records) = (replicas(topic), looking.records(topic)?);
            let (name, partitions) = (topic.name(), topic.partitions().len());
            rows.push(json!({ "topic": name, "partitions": partitions, "replicas": replicas, "records": records }));
            table.row([name.to_owned(), partitions.to_string(), collapsed(&replicas), records.to_string()]);
        }
        Ok(Shown { json: Value::Array(rows), text: table.text(terminal()) })
    })
}

fn is_hidden(topic: &str) -> bool {
    HIDDEN.contains(&topic)
        || HIDDEN_OF_CONNECT.contains(&topic)
        || HIDDEN_PREFIXES.iter().any(|prefix| topic.starts_with(prefix))
}

fn replicas(topic: &MetadataTopic) -> Vec<usize> {
    topic.partitions().iter().map(|partition| partition.replicas().len()).collect()
}

/// One number where all are the same.
fn collapsed(replicas: &[usize]) -> String {
    match replicas {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => first.to_string(),
        all => all.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn create(args: &Create) -> Result<(), Stop> {
    let found = args.platform.find()?;
    topics::check_name(&args.name)?;
    reach(&found.kafka)?;
    let shape = Shape { partitions: args.partitions, replicas: args.replicas };
    if let Some(there) = topics::shape(&found.kafka, &args.name)? {
        return Err(Stop::start(format!("topic {} exists, with {} partitions", args.name, there.partitions))
            .hint(format!("smt-host topics describe {} shows it", args.name)));
    }
    topics::make(&found.kafka, &args.name, shape)?;
    let json = json!({ "topic": args.name, "partitions": shape.partitions, "replicas": shape.replicas });
    let text = format!("Created topic {}: {} partitions, {} replicas", args.name, shape.partitions, shape.replicas);
    write(&if args.json { format!("{json:#}\n") } else { format!("{text}\n") });
    Ok(())
}

fn describe(args: &Describe) -> Result<(), Stop> {
    let found = args.platform.find()?;
    let (stop, looking) = (signals()?, Looking::open(&found.kafka)?);
    args.show.show(&stop, || {
        let described = looking.describe(&args.name, &found.registry)?;
        Ok(Shown { text: described.text(), json: described.json() })
    })
}

struct Looking {
    settings: Settings,
    standing: Standing,
}

struct Described {
    name: String,
    partitions: Vec<Partition>,
    set: Vec<(String, String)>,
    /// Subject, version and id; `Err` says why that is not known.
    schema: Result<Option<(String, u32, u32)>, String>,
}

struct Partition {
    number: i32,
    leader: i32,
    replicas: Vec<i32>,
    in_sync: Vec<i32>,
    ends: Ends,
}

impl Looking {
    fn open(settings: &Settings) -> Result<Looking, Stop> {
        reach(settings)?;
        Ok(Looking { settings: settings.clone(), standing: Standing::of(settings, "smt-host-reading")? })
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, Stop> {
        let answer = self.standing.consumer().fetch_metadata(topic, REQUEST_TIMEOUT);
        answer.map_err(|error| topics::away(&self.settings, &error))
    }

    /// The number of records ever added. What transactions end with counts, too: only reading would tell.
    fn records(&self, topic: &MetadataTopic) -> Result<i64, Stop> {
        let end = |p: &rdkafka::metadata::MetadataPartition| Ok(self.standing.ends(topic.name(), p.id())?.end);
        topic.partitions().iter().map(end).sum()
    }

    fn describe(&self, name: &str, registry: &Registry) -> Result<Described, Stop> {
        let metadata = self.metadata(Some(name))?;
        let topic = metadata.topics().iter().find(|t| t.error().is_none() && !t.partitions().is_empty());
        let topic = topic.ok_or_else(|| no_topic(&self.settings, name))?;
        let mut partitions = Vec::new();
        for partition in topic.partitions() {
            partitions.push(Partition {
                number: partition.id(),
                leader: partition.leader(),
                replicas: partition.replicas().to_vec(),
                in_sync: partition.isr().to_vec(),
                ends: self.standing.ends(name, partition.id())?,
            });
        }
        partitions.sort_by_key(|partition| partition.number);
        let subject = format!("{name}-value");
        let latest = registry.with_deadline(super::REGISTRY_WITHIN).latest(&subject);
        let schema = latest.map(|found| found.map(|(id, version, _)| (subject, version, id)));
        let set = topics::set_for(&self.settings, name)?;
        Ok(Described { name: name.to_owned(), partitions, set, schema: schema.map_err(|error| error.to_string()) })
    }
}

impl Described {
    fn records(&self) -> i64 {
        self.partitions.iter().map(|partition| partition.ends.end).sum()
    }

    fn json(&self) -> Value {
        let partition = |p: &Partition| {
            json!({
                "partition": p.number, "leader": p.leader, "replicas": p.replicas, "in-sync": p.in_sync,
                "start-offset": p.ends.first, "end-offset": p.ends.end,
            })
        };
        let schema =
            |(subject, version, id): &(String, u32, u32)| json!({ "subject": subject, "version": version, "id": id });
        json!({
            "topic": self.name,
            "records": self.records(),
            "partitions": self.partitions.iter().map(partition).collect::<Vec<_>>(),
            "set": self.set.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<serde_json::Map<_, _>>(),
            "value-schema": self.schema.as_ref().ok().and_then(Option::as_ref).map(schema),
        })
    }

    fn text(&self) -> String {
        let list = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        let header = ["Partition", "Leader", "Replicas", "In Sync", "Start Offset", "End Offset", "Records"];
        let mut table = Table::new(header);
        for p in &self.partitions {
            // Of these, so many are still there.
            let kept = (p.ends.end - p.ends.first).to_string();
            let (leader, offsets) = (p.leader.to_string(), [p.ends.first.to_string(), p.ends.end.to_string()]);
            let [first, end] = offsets;
            table.row([p.number.to_string(), leader, list(&p.replicas), list(&p.in_sync), first, end, kept]);
        }
        let set = self.set.iter().map(|(name, value)| format!("  {name}={value}\n")).collect::<String>();
        let set = if set.is_empty() { " none, all as the broker has it\n".to_owned() } else { format!("\n{set}") };
        let schema = match &self.schema {
            Ok(Some((subject, version, id))) => format!("subject {subject}, version {version}, id {id}"),
            Ok(None) => "none is registered".to_owned(),
            Err(why) => format!("unknown: {why}"),
        };
        format!(
            "Topic: {}\nRecords ever added: {}\nValue schema: {schema}\nConfiguration:{set}\n{}",
            self.name,
            self.records(),
            table.text(terminal())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_topics_are_hidden_and_the_workshops_are_not() {
        for (topic, hidden) in [
            ("__consumer_offsets", true),
            ("_schemas", true),
            ("_confluent-ksql-default__command_topic", true),
            ("__confluent.support.metrics", true),
            ("connect-configs", true),
            ("connect-configs-2", false),
            ("docker-connect-offsets", false),
            ("postgres-customers", false),
        ] {
            assert_eq!(is_hidden(topic), hidden, "{topic}");
        }
    }

    #[test]
    fn replicas_are_one_number_where_all_are_the_same() {
        for (replicas, shown) in [(&[1, 1][..], "1"), (&[3], "3"), (&[1, 2, 1], "1, 2, 1"), (&[], "")] {
            assert_eq!(collapsed(replicas), shown);
        }
    }
}
