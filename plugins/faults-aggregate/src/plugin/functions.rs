//! Folding, merging and finishing, each done rightly and then spoilt.

use crate::accumulator::{Accumulator, is_marked};
use crate::fault::Fault;
use crate::shape::{column, fewer, more, strings};
use smt_plugin::bindings::aggregator::{Finished, Partials};
use smt_plugin::bindings::types::{Batch, Column, Rejection};

/// Where nothing is.
const NOWHERE: u32 = 1 << 20;

pub(crate) fn partial(fault: Fault, batch: &Batch) -> Partials {
    let mut found: Vec<(Vec<u8>, Accumulator)> = Vec::new();
    let (mut groups, mut rejections, mut marked) = (Vec::new(), Vec::new(), false);
    for (input, record) in (0u32..).zip(strings(&batch.values)) {
        marked |= is_marked(record);
        if is_marked(record) && fault == Fault::Reject {
            rejections.push(Rejection { input, reason: "a record with FAULT in it".to_owned() });
            groups.push(-1);
            continue;
        }
        let key = record.split(|&byte| byte == b' ').next().unwrap_or_default();
        let group = found.iter().position(|(found, _)| found == key).unwrap_or(found.len());
        if group == found.len() {
            found.push((key.to_vec(), Accumulator::default()));
        }
        found[group].1.add(record, fault == Fault::Grow);
        groups.push(group as i32);
    }
    let (keys, accumulators): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let keys = keys.into_iter().map(|key| if fault == Fault::AvroKey { avro(key) } else { key });
    let accumulators = column(accumulators.iter().map(|accumulator| kept(fault, accumulator)));
    let mut partials = Partials { keys: column(keys), accumulators, groups, rejections };
    if marked {
        spoil(fault, &mut partials);
    }
    partials
}

/// Behind its length.
fn avro(key: Vec<u8>) -> Vec<u8> {
    [&[2 * key.len() as u8], key.as_slice()].concat()
}

fn kept(fault: Fault, accumulator: &Accumulator) -> Vec<u8> {
    if fault == Fault::Empty { Vec::new() } else { accumulator.bytes() }
}

fn spoil(fault: Fault, partials: &mut Partials) {
    match fault {
        Fault::SpinPartial => spin(),
        Fault::TrapPartial => panic!("a record with FAULT in it: this plugin was told to trap in partial"),
        Fault::LieGroup => partials.groups.iter_mut().for_each(|group| *group = NOWHERE as i32),
        Fault::LieCount => partials.groups.truncate(partials.groups.len() - 1),
        Fault::LieKeys => partials.keys = fewer(std::mem::replace(&mut partials.keys, column([]))),
        Fault::LieLengths => partials.accumulators.lengths.iter_mut().for_each(|length| *length = NOWHERE as i32),
        Fault::NullKey => {
            let lengths = vec![-1; partials.keys.lengths.len()];
            partials.keys = Column { data: Vec::new(), lengths };
        }
        _ => {}
    }
}

pub(crate) fn merge(fault: Fault, left: &Column, right: &Column) -> Column {
    let (mut merged, mut marked) = (Vec::new(), false);
    for (older, newer) in strings(left).zip(strings(right)) {
        let sum = Accumulator::from_bytes(older).merge(&Accumulator::from_bytes(newer));
        marked |= sum.marked;
        merged.push(kept(fault, &sum));
    }
    let merged = column(merged);
    match fault {
        _ if !marked => merged,
        Fault::TrapMerge => panic!("a record with FAULT in it: this plugin was told to trap in merge"),
        Fault::SpinMerge => spin(),
        Fault::MergeFewer => fewer(merged),
        Fault::MergeMore => more(merged),
        _ => merged,
    }
}

fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        // Something the optimizer cannot take away.
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

pub(crate) fn finish(fault: Fault, accumulators: &Column) -> Finished {
    let counts = strings(accumulators).map(Accumulator::from_bytes).collect::<Vec<_>>();
    let rows = counts.iter().map(|counted| counted.count.to_string().into_bytes());
    let mut finished = Finished { inputs: (0..counts.len() as u32).collect(), values: column(rows) };
    if counts.iter().any(|counted| counted.marked) {
        match fault {
            Fault::TrapFinish => panic!("a record with FAULT in it: this plugin was told to trap in finish"),
            Fault::WideRow => finished.values = column(counts.iter().map(|_| vec![b'x'; 900])),
            Fault::FinishDecreasing => finished.inputs.reverse(),
            Fault::FinishIndex => finished.inputs.iter_mut().for_each(|input| *input = NOWHERE),
            _ => {}
        }
    }
    finished
}
