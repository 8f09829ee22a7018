//! Exercise 3: two topics. The task is in README.md.

use smt_plugin::{AvroRecord, Date, Outputs, transform};

/// The columns used of the table `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub nome: Option<&'a str>,
    pub nascimento: Option<Date>,
}

#[derive(AvroRecord)]
#[avro(rename_all = "UPPERCASE")]
pub struct Person<'a> {
    pub nome: Option<&'a str>,
    pub nascimento: Option<Date>,
}

/// Each variant is an output.
#[derive(Outputs)]
pub enum Class<'a> {
    #[output(topic = "jovens")]
    Jovem(Person<'a>),
    #[output(topic = "adultos")]
    Adulto(Person<'a>),
}

/// Sends customers born on 2000-01-01 or later to `jovens`, all others to `adultos`.
#[transform(topic = "jovens")]
pub fn classes(customer: Customer<'_>) -> Class<'_> {
    let Customer { nome, nascimento } = customer;
    let young = nascimento.is_some_and(|day| day >= Date::ymd(2000, 1, 1));
    let person = Person { nome, nascimento };
    if young { Class::Jovem(person) } else { Class::Adulto(person) }
}
