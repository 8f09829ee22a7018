//! The faults themselves.

use smt_plugin::bindings::transformer::{Emitted, Outcome};
use smt_plugin::bindings::types::{Batch, Column, Rejection};

const MARKER: &[u8] = b"FAULT";
/// The value is the input's own.
const UNCHANGED: i32 = -2;

/// What to do about a marked record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Never return.
    Spin,
    /// Allocate until there is no more.
    Grow,
    /// Panic.
    Trap,
    /// Announce more bytes than there are.
    LieLengths,
    /// Name an input that does not exist.
    LieIndex,
    /// Emit a million copies.
    Flood,
    /// Name an output that does not exist.
    BadOutputNumber,
    /// Emit bytes that are not what the output's schema says.
    BadSchema,
    /// Reject with a reason of a megabyte.
    Reject,
}

const NAMES: [(&str, Fault); 10] = [
    ("none", Fault::None),
    ("spin", Fault::Spin),
    ("grow", Fault::Grow),
    ("trap", Fault::Trap),
    ("lie-lengths", Fault::LieLengths),
    ("lie-index", Fault::LieIndex),
    ("flood", Fault::Flood),
    ("bad-output-number", Fault::BadOutputNumber),
    ("bad-schema", Fault::BadSchema),
    ("reject", Fault::Reject),
];

impl Fault {
    pub fn parse(text: &str) -> Option<Self> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, fault)| *fault)
    }

    pub fn names() -> [&'static str; NAMES.len()] {
        NAMES.map(|(name, _)| name)
    }
}

pub fn transform(fault: Fault, batch: &Batch) -> Outcome {
    let mut outcome = Outcome { emitted: nothing(), rejections: Vec::new() };
    let mut rest = batch.values.data.as_slice();
    for (input, &length) in (0u32..).zip(&batch.values.lengths) {
        let (value, after) = rest.split_at(usize::try_from(length).unwrap_or(0));
        rest = after;
        let marked = value.windows(MARKER.len()).any(|window| window == MARKER);
        if marked { misbehave(fault, input, &mut outcome) } else { pass(fault, input, value, &mut outcome.emitted) }
    }
    outcome
}

fn nothing() -> Emitted {
    let values = Column { data: Vec::new(), lengths: Vec::new() };
    Emitted { inputs: Vec::new(), outputs: None, values, keys: None, timestamps: None, headers: None }
}

/// Emits a record unchanged. Where the output claims to be an Avro string, "unchanged" is a string of these bytes.
fn pass(fault: Fault, input: u32, value: &[u8], emitted: &mut Emitted) {
    if fault != Fault::BadSchema {
        return push(input, UNCHANGED, emitted);
    }
    let start = emitted.values.data.len();
    smt_plugin::Encode::encode(&String::from_utf8_lossy(value).into_owned(), &mut emitted.values.data);
    push(input, (emitted.values.data.len() - start) as i32, emitted);
}

fn push(input: u32, length: i32, emitted: &mut Emitted) {
    emitted.inputs.push(input);
    emitted.values.lengths.push(length);
    if let Some(outputs) = &mut emitted.outputs {
        outputs.push(0);
    }
}

fn misbehave(fault: Fault, input: u32, outcome: &mut Outcome) {
    let emitted = &mut outcome.emitted;
    match fault {
        Fault::None => push(input, UNCHANGED, emitted),
        Fault::Spin => spin(),
        Fault::Grow => grow(),
        Fault::Trap => panic!("a record with FAULT in it: this plugin was told to trap"),
        Fault::LieLengths => push(input, 1 << 20, emitted),
        Fault::LieIndex => push(u32::MAX, UNCHANGED, emitted),
        Fault::Flood => (0..1_000_000).for_each(|_| push(input, UNCHANGED, emitted)),
        Fault::BadOutputNumber => bad_output_number(input, emitted),
        Fault::BadSchema => bad_schema(input, emitted),
        Fault::Reject => outcome.rejections.push(Rejection { input, reason: "x".repeat(1 << 20) }),
    }
}

fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        // Something the optimizer cannot take away.
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn grow() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1u8; 1 << 20]));
    }
}

fn bad_output_number(input: u32, emitted: &mut Emitted) {
    push(input, UNCHANGED, emitted);
    let mut outputs = vec![0; emitted.inputs.len()];
    if let Some(last) = outputs.last_mut() {
        *last = 200;
    }
    // An earlier bad number gives way to this one: one is enough.
    emitted.outputs = Some(outputs);
}

/// A string that announces 50 bytes and has two.
fn bad_schema(input: u32, emitted: &mut Emitted) {
    emitted.values.data.extend([100, b'n', b'o']);
    push(input, 3, emitted);
}
