//! How fast a store is restored from a changelog, and what it takes in memory.
//!
//!     cargo run --release -p smt-host --example restore -- [GROUPS]

use std::time::Instant;

use smt_host::exit::Stop;
use smt_host::window::wire::{self, Entry};
use smt_host::window::{Checkpoint, Database, Emit, Error, Limits, Owner};

fn main() -> Result<(), Stop> {
    let groups = std::env::args().nth(1).map_or(Ok(1_000_000), |n| n.parse());
    let groups: u64 = groups.map_err(|_| Stop::usage("the number of groups is not a number"))?;
    run(groups).map_err(|error| Stop::start(error.to_string()))
}

fn run(groups: u64) -> Result<(), Error> {
    let dir = std::env::temp_dir().join(format!("restore-{}", std::process::id()));
    let database = Database::open(&dir)?;
    let mut store = database.store("restore", 0)?;
    let begun = Instant::now();
    for group in 0..groups {
        // Keys of 16 bytes in 2,880 windows, in no order of theirs.
        let key = format!("{:016x}", group.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let entry = Entry { count: group, greatest: 0, accumulator: &[7; 8] };
        let start = (group % 2880) as i64 * 30_000;
        store.restore(wire::group_key(start, key.as_bytes()), Some(wire::encode_entry(&entry)))?;
    }
    store.restored(Checkpoint { input_offset: 0, changelog_offset: 0 })?;
    let restored = begun.elapsed();
    let limits = Limits { keys_max: u64::MAX, accumulator_bytes_max: 1 << 20, overlay_bytes_max: 16 << 20 };
    let begun = Instant::now();
    let owner = Owner::open("restore", None, Emit::Changes, limits, [], store)?;
    println!("{:.0} records restored a second", groups as f64 / restored.as_secs_f64());
    println!("{:?} to open with {} windows", begun.elapsed(), owner.why_open().len());
    println!("{} at most in memory", peak().unwrap_or_default());
    drop((owner, database));
    std::fs::remove_dir_all(&dir).ok();
    Ok(())
}

fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}
