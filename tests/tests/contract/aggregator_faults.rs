//! An aggregator that misbehaves in each of its functions: whatever it does, it is the one that is blamed.

use smt_host::guest::Aggregator;
use smt_tests::plugin;

use crate::{batch, load};

/// What is said of a plugin with this fault, from its start to a finished row.
fn story(fault: &str) -> Result<usize, String> {
    let loaded = load(&plugin("faults-aggregate")).unwrap();
    let configured = loaded.configure(&[("fault".into(), fault.into())]).map_err(|e| format!("start: {e}"))?;
    let mut aggregator = configured.start_aggregate().unwrap();
    fold_merge_finish(&mut aggregator)
}

fn fold_merge_finish(aggregator: &mut Aggregator) -> Result<usize, String> {
    let folded = aggregator.partial(&batch(&["a", "b", "FAULT"])).unwrap();
    if let Some(guilty) = folded.guilty.first() {
        return Err(format!("partial {}: {}", guilty.input, guilty.failure));
    }
    if let Some(rejection) = folded.pieces.iter().find_map(|piece| piece.partials.rejections.first()) {
        return Err(format!("rejected: {} bytes", rejection.reason.len()));
    }
    let [piece] = folded.pieces.as_slice() else { panic!("{folded:?}") };
    let (keys, accumulators) = (&piece.partials.keys, &piece.partials.accumulators);
    let merged = aggregator.merge(accumulators, accumulators).unwrap();
    let merged = merged.map_err(|blame| format!("merge {}: {}", blame.index, blame.failure))?;
    let times = vec![0; keys.lengths.len()];
    let finished = aggregator.finish(&times, &times, keys, &merged).unwrap();
    finished.map(|f| f.inputs.len()).map_err(|blame| format!("finish {}: {}", blame.index, blame.failure))
}

#[test]
fn each_fault_is_told_apart() {
    let cases = [
        ("trap-grouping", "start: plugin", "fails in grouping-for: the plugin trapped: panicked"),
        ("uneven-window", "start: plugin", "advance-ms = 3000, which does not divide size-ms = 10000"),
        ("empty-window", "start: plugin", "size-ms = 0, at least 1"),
        ("final-forever", "start: plugin", "only changes is allowed"),
        ("reject", "rejected", "bytes"),
        ("trap-partial", "partial 2", "told to trap"),
        ("grow", "partial 2", "an accumulator of"),
        ("lie-group", "partial 2", "but there are"),
        ("lie-count", "partial 2", "groups has 0 entries"),
        ("lie-keys", "partial 2", "are needed"),
        ("lie-lengths", "partial 2", "add up to"),
        ("null-key", "partial 2", "length -1 in keys"),
        ("trap-merge", "merge 2", "told to trap"),
        ("spin-merge", "merge 2", "CPU time"),
        ("merge-fewer", "merge 2", "merged accumulators has 0 entries"),
        ("merge-more", "merge 2", "merged accumulators has 2 entries"),
        ("trap-finish", "finish 2", "told to trap"),
        ("finish-index", "finish 2", "but there are 1"),
    ];
    let wrong = cases.into_iter().filter_map(|(fault, place, text)| match story(fault) {
        Err(said) if said.starts_with(place) && said.contains(text) => None,
        other => Some(format!("{fault}: {other:?}")),
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn what_does_no_harm_goes_on() {
    // Rows in falling order have no such order where each group is finished alone.
    assert_eq!(["none", "empty", "finish-decreasing"].map(story), [Ok(3), Ok(3), Ok(3)]);
}

#[test]
fn the_workshops_table_counts_each_class() {
    let mut aggregator = load(&plugin("idadecont")).unwrap().configure(&[]).unwrap().start_aggregate().unwrap();
    // Null, JOVEM, ADULTO, JOVEM as a nullable string, and one that is not Avro.
    let folded =
        aggregator.partial(&batch(&["\0", "\x02\x0aJOVEM", "\x02\x0cADULTO", "\x02\x0aJOVEM", "\x02"])).unwrap();
    let partials = &folded.pieces[0].partials;
    assert_eq!(
        (partials.keys.data.as_slice(), partials.groups.as_slice()),
        (b"JOVEMADULTO".as_slice(), [-1, 0, 1, 0, -1].as_slice())
    );
    assert_eq!(partials.rejections[0].input, 4);
    let merged = aggregator.merge(&partials.accumulators, &partials.accumulators).unwrap().unwrap();
    let finished = aggregator.finish(&[0; 2], &[30_000; 2], &partials.keys, &merged).unwrap().unwrap();
    // 4 and 2, each a nullable long.
    assert_eq!((finished.inputs, finished.values.data), (vec![0, 1], vec![2, 8, 2, 4]));
}
