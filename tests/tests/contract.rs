//! What a plugin may be and do, seen through the host's library with real WASM; no Kafka.
#![allow(clippy::unwrap_used)]

#[path = "contract/aggregator.rs"]
mod aggregator;
#[path = "contract/aggregator_faults.rs"]
mod aggregator_faults;
#[path = "contract/cache.rs"]
mod cache;
#[path = "contract/misfits.rs"]
mod misfits;
#[path = "contract/search.rs"]
mod search;
#[path = "contract/stub.rs"]
mod stub;
#[path = "contract/wasi.rs"]
mod wasi;

use std::path::Path;
use std::sync::LazyLock;

use smt_host::guest::{Batch, Column, Engine, Limits, LoadError, Plugin};

/// One for all tests, as in the host; compiled code is kept from one run of the tests to the next.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    Engine::new(Some(&cache)).unwrap()
});

fn load(file: &Path) -> Result<Plugin, LoadError> {
    Plugin::load(&ENGINE, file, Limits::default())
}

fn column<T: AsRef<[u8]>>(entries: &[T]) -> Column {
    let entries = entries.iter().map(AsRef::as_ref);
    Column { lengths: entries.clone().map(|e| e.len() as i32).collect(), data: entries.collect::<Vec<_>>().concat() }
}

fn texts(column: &Column) -> Vec<String> {
    let mut rest = column.data.as_slice();
    let take = |&length: &i32| {
        let (text, after) = rest.split_at(length as usize);
        rest = after;
        String::from_utf8(text.to_vec()).unwrap()
    };
    column.lengths.iter().map(take).collect()
}

fn batch<T: AsRef<[u8]>>(records: &[T]) -> Batch {
    let timestamps = vec![0; records.len()];
    Batch { values: column(records), timestamps, keys: None, headers: None, positions: None }
}
