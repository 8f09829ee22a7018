//! Exercise 1: the stream `jovens` with another bound. The task is in README.md.

use smt_plugin::{AvroRecord, Date, transform};

/// The columns used of the table `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub nome: Option<&'a str>,
    pub nascimento: Option<Date>,
}

#[derive(AvroRecord)]
#[avro(rename_all = "UPPERCASE")]
pub struct Jovem<'a> {
    pub nome: Option<&'a str>,
    pub nascimento: Option<Date>,
}

/// Keeps customers born on 1990-01-01 or later.
#[transform(topic = "jovens")]
pub fn jovens(customer: Customer<'_>) -> Option<Jovem<'_>> {
    let Customer { nome, nascimento } = customer;
    (nascimento? >= Date::ymd(1990, 1, 1)).then_some(Jovem { nome, nascimento })
}
