//! Real plugins in the simulation: the workshop's table, and one that rejects or traps, with keys without end.

use rand::RngExt;
use rand::rngs::StdRng;
use smt_host::guest::{Aggregator, Configured, Engine, Limits, Plugin};

use super::{Kind, Record, Workload};

/// `idadecont`: its records are Avro, its rows a count.
pub struct Classes(Configured);

/// `faults-aggregate`: the first word of a value is its key; marked records are rejected, or trap.
pub struct Words {
    configured: Configured,
    marked: Kind,
}

impl Classes {
    pub fn new(engine: &Engine) -> Classes {
        Classes(configured(engine, "idadecont", &[]))
    }
}

impl Words {
    pub fn rejecting(engine: &Engine) -> Words {
        Words { configured: configured(engine, "faults-aggregate", &[("fault", "reject")]), marked: Kind::Rejected }
    }

    pub fn trapping(engine: &Engine) -> Words {
        Words { configured: configured(engine, "faults-aggregate", &[("fault", "trap-partial")]), marked: Kind::Guilty }
    }
}

fn configured(engine: &Engine, name: &str, settings: &[(&str, &str)]) -> Configured {
    let plugin = Plugin::load(engine, &crate::plugin(name), Limits::default()).expect("the plugin loads");
    let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    plugin.configure(&settings).expect("the plugin takes its settings")
}

impl Workload for Classes {
    type Functions = Aggregator;

    fn functions(&self) -> Aggregator {
        self.0.start_aggregate().expect("an instance")
    }

    fn key(&self, rng: &mut StdRng) -> Vec<u8> {
        ["", "JOVEM", "ADULTO", "ação"][rng.random_range(0..4)].into()
    }

    fn kind(&self, rng: &mut StdRng) -> Kind {
        match rng.random_range(0..20) {
            0 => Kind::Rejected,
            1 => Kind::LeftOut,
            _ => Kind::Good,
        }
    }

    /// A union of null and a string; one without an end is no record.
    fn value(&self, record: &Record) -> Vec<u8> {
        match record.kind {
            Kind::LeftOut => vec![0],
            Kind::Good => [&[2, 2 * record.key.len() as u8], record.key.as_slice()].concat(),
            Kind::Rejected | Kind::Guilty => vec![2],
        }
    }

    /// A union of null and a long, of at most 63 or of two bytes.
    fn is_right(&self, output: &[u8], records: &[&Record]) -> bool {
        let zigzag = 2 * records.len();
        let long = if zigzag < 128 { vec![zigzag as u8] } else { vec![zigzag as u8 | 128, (zigzag >> 7) as u8] };
        output == [&[2], long.as_slice()].concat()
    }
}

impl Workload for Words {
    type Functions = Aggregator;

    fn functions(&self) -> Aggregator {
        self.configured.start_aggregate().expect("an instance")
    }

    fn key(&self, rng: &mut StdRng) -> Vec<u8> {
        format!("k{}", rng.random_range(0..30)).into_bytes()
    }

    fn kind(&self, rng: &mut StdRng) -> Kind {
        if rng.random_bool(0.02) { self.marked } else { Kind::Good }
    }

    fn value(&self, record: &Record) -> Vec<u8> {
        let marker = if record.kind == Kind::Good { "" } else { "FAULT" };
        [&record.key, format!(" {} {marker}", record.id).as_bytes()].concat()
    }

    fn is_right(&self, output: &[u8], records: &[&Record]) -> bool {
        output == records.len().to_string().as_bytes()
    }
}
