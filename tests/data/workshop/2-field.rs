//! Exercise 2: one more field. The task is in README.md.

use smt_plugin::{AvroRecord, transform};

/// The columns used of the table `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub nome: Option<&'a str>,
    pub email: Option<&'a str>,
}

#[derive(AvroRecord)]
#[avro(rename_all = "UPPERCASE")]
pub struct Contact<'a> {
    pub nome: Option<&'a str>,
    pub email: Option<&'a str>,
    pub dominio: Option<&'a str>,
}

/// Every customer with name and email.
#[transform(topic = "contatos")]
pub fn contatos(customer: Customer<'_>) -> Contact<'_> {
    let Customer { nome, email } = customer;
    let dominio = email.and_then(|email| email.split_once('@')).map(|(_, domain)| domain);
    Contact { nome, email, dominio }
}
