#![allow(clippy::unwrap_used)]

use super::*;

const AT: Checkpoint = Checkpoint { input_offset: 7, changelog_offset: -1 };

fn put(key: u8, value: u8) -> Change {
    (vec![1, key], Some(vec![value]))
}

fn all(store: &Store) -> Vec<(u8, u8)> {
    let mut all = Vec::new();
    let see = |key: &[u8], value: &[u8]| {
        all.push((key[1], value[0]));
        Ok(ControlFlow::Continue(()))
    };
    store.scan((Bound::Unbounded, Bound::Unbounded), see).unwrap();
    all
}

/// Both kinds of store do the same.
fn check(name: &str, behaves: impl Fn(Store)) {
    behaves(Store::memory());
    let dir = tempfile::tempdir().unwrap();
    behaves(Database::open(dir.path()).unwrap().store(name, 0).unwrap());
}

#[test]
fn changes_and_checkpoint_are_there_together() {
    check("changes", |mut store| {
        assert_eq!(store.checkpoint().unwrap(), None);
        store.apply(vec![put(2, 20), put(1, 10), put(3, 30)], AT).unwrap();
        store.apply(vec![(vec![1, 3], None), put(2, 21)], AT).unwrap();
        assert_eq!((all(&store), store.checkpoint().unwrap()), (vec![(1, 10), (2, 21)], Some(AT)));
        assert_eq!(store.get(&[1, 2], <[u8]>::to_vec).unwrap(), Some(vec![21]));
        assert_eq!(store.get(&[1, 9], <[u8]>::to_vec).unwrap(), None);
        store.clear().unwrap();
        assert_eq!((all(&store), store.checkpoint().unwrap()), (vec![], None));
    });
}

#[test]
fn a_scan_keeps_to_its_range_and_ends_when_told() {
    check("scan", |mut store| {
        store.apply((0..9).map(|key| put(key, key)).collect(), AT).unwrap();
        let mut seen = Vec::new();
        let range = (Bound::Included(&[1, 2][..]), Bound::Excluded(&[1, 7][..]));
        let see = |key: &[u8], _: &[u8]| {
            seen.push(key[1]);
            Ok(if key[1] == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        store.scan(range, see).unwrap();
        assert_eq!(seen, [2, 3, 4, 5]);
    });
}

#[test]
fn a_restore_ends_with_the_last_value_of_each_key_also_over_an_older_copy() {
    check("restore", |mut store| {
        store.apply(vec![put(1, 1), put(2, 1), put(3, 1)], AT).unwrap();
        for (key, value) in [put(1, 2), put(1, 3), (vec![1, 2], None), put(4, 4)] {
            store.restore(key, value).unwrap();
        }
        let end = Checkpoint { input_offset: 8, changelog_offset: 5 };
        store.restored(end).unwrap();
        assert_eq!((all(&store), store.checkpoint().unwrap()), (vec![(1, 3), (3, 1), (4, 4)], Some(end)));
        store.apply(vec![put(4, 5), (vec![1, 3], None)], end).unwrap();
        assert_eq!(all(&store), [(1, 3), (4, 5)]);
    });
}

#[test]
fn what_is_written_is_there_when_it_is_opened_again_and_stores_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    {
        let database = Database::open(dir.path()).unwrap();
        database.store("a", 0).unwrap().apply(vec![put(1, 1)], AT).unwrap();
        let mut other = database.store("a", 1).unwrap();
        other.restore(vec![1, 2], Some(vec![2])).unwrap();
        other.restored(AT).unwrap();
        assert!(all(&database.store("b", 0).unwrap()).is_empty());
    }
    let database = Database::open(dir.path()).unwrap();
    let store = database.store("a", 0).unwrap();
    assert_eq!((all(&store), store.checkpoint().unwrap()), (vec![(1, 1)], Some(AT)));
    assert_eq!(all(&database.store("a", 1).unwrap()), [(2, 2)]);
}

#[test]
fn what_was_restored_over_an_older_copy_is_still_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Database::open(dir.path()).unwrap();
    for round in 0..20 {
        let database = open();
        let mut store = database.store("again", 0).unwrap();
        store.apply(vec![put(1, round), put(2, round)], AT).unwrap();
        store.restore(vec![1, 1], Some(vec![round + 100])).unwrap();
        store.restored(AT).unwrap();
        drop((store, database));
        assert_eq!(all(&open().store("again", 0).unwrap()), [(1, round + 100), (2, round)]);
    }
}

/// The journal replays a clearing at the next opening: what came after it has to come back with it.
#[test]
fn what_was_restored_into_a_cleared_store_is_still_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Database::open(dir.path()).unwrap();
    for round in 0..3 {
        let database = open();
        let mut store = database.store("cleared", 0).unwrap();
        store.apply(vec![put(1, round), put(2, round)], AT).unwrap();
        store.clear().unwrap();
        store.restore(vec![1, 1], Some(vec![round + 100])).unwrap();
        store.restored(AT).unwrap();
        drop((store, database));
        let store = open().store("cleared", 0).unwrap();
        assert_eq!((all(&store), store.checkpoint().unwrap()), (vec![(1, round + 100)], Some(AT)));
    }
}
