//! A transform says where to.

use smt_plugin::transform;

#[transform]
fn bare(name: &str) -> bool {
    name.is_empty()
}

fn main() {}
