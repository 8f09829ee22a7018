//! Exercise 4: counts in windows. The task is in README.md.

use smt_plugin::{Accumulator, Aggregate, AvroRecord, Group, accumulators::Count, aggregate};

/// The columns used of the table `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub profissao: Option<&'a str>,
}

/// The key is not in it: it is the record's key on the topic.
#[derive(AvroRecord)]
#[avro(rename_all = "UPPERCASE")]
pub struct Counted {
    pub contagem: i64,
}

#[derive(Default, Accumulator)]
pub struct Customers {
    number: Count,
}

/// Counts customers by profession in windows of 30 seconds.
#[aggregate(topic = "profissoes", tumbling = "30s", grace = "10s", emit = "final")]
impl Aggregate for Customers {
    type Input<'a> = Customer<'a>;
    type Key<'a> = &'a str;
    type Output = Counted;
    fn key<'a>(customer: &'a Customer<'_>) -> Option<&'a str> {
        customer.profissao
    }
    fn add(&mut self, _: &Customer<'_>) {
        self.number.increment();
    }
    fn finish(&self, _: &Group<&str>) -> Counted {
        Counted { contagem: self.number.get() }
    }
}
