//! Types that Avro has not.

use smt_plugin::AvroRecord;
use std::collections::HashMap;
use std::net::Ipv4Addr;

#[derive(AvroRecord)]
struct Unsigned {
    count: Option<u64>,
}

#[derive(AvroRecord)]
struct Mapped<'a> {
    tags: HashMap<&'a str, i64>,
}

#[derive(AvroRecord)]
struct Tree {
    children: Vec<Tree>,
}

#[derive(AvroRecord)]
struct Unknown {
    address: Ipv4Addr,
}

fn main() {}
