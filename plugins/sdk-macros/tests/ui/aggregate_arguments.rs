//! What an aggregate's attribute does not take.

use smt_plugin::{Accumulator, Aggregate, AvroRecord, Group, aggregate};

#[derive(AvroRecord)]
struct Row {
    name: String,
}

macro_rules! counter {
    ($name:ident, $($arguments:tt)*) => {
        #[derive(Default, Accumulator)]
        struct $name {}

        #[aggregate($($arguments)*)]
        impl Aggregate for $name {
            type Input<'a> = Row;
            type Key<'a> = &'a str;
            type Output = Row;
            fn key(row: &Row) -> Option<&str> {
                Some(&row.name)
            }
            fn add(&mut self, _: &Row) {}
            fn finish(&self, group: &Group<&str>) -> Row {
                Row { name: group.key.to_owned() }
            }
        }
    };
}

counter!(Nowhere, tumbling = "30s");
counter!(Both, topic = "t", tumbling = "30s", hopping = "1m", advance = "30s");
counter!(NoAdvance, topic = "t", hopping = "1m");
counter!(OnlyAdvance, topic = "t", advance = "1m");
counter!(Graceful, topic = "t", grace = "1m");
counter!(Final, topic = "t", emit = "final");
counter!(Sometimes, topic = "t", tumbling = "30s", emit = "sometimes");
counter!(Unknown, topic = "t", windows = "30s");
counter!(Soon, topic = "t", tumbling = "soon");
counter!(Uneven, topic = "t", hopping = "1m", advance = "7s");

fn main() {}
