//! The workshop's stream `jovens`: customers born in 2000 or later.

use smt_plugin::{AvroRecord, Date, TimestampMillis, transform};

/// The columns used of the workshop's `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub nome: Option<&'a str>,
    pub sexo: Option<&'a str>,
    pub telefone: Option<&'a str>,
    pub email: Option<&'a str>,
    pub profissao: Option<&'a str>,
    pub nascimento: Option<Date>,
    pub dt_update: Option<TimestampMillis>,
}

/// The schema ksqlDB gives the stream.
#[derive(AvroRecord, Debug, PartialEq)]
#[avro(name = "KsqlDataSourceSchema", namespace = "io.confluent.ksql.avro_schemas", rename_all = "UPPERCASE", connect)]
pub struct Jovem<'a> {
    pub nome: Option<&'a str>,
    pub sexo: Option<&'a str>,
    pub telefone: Option<&'a str>,
    pub email: Option<&'a str>,
    pub profissao: Option<&'a str>,
    pub nascimento: Option<Date>,
    pub dt_update: Option<TimestampMillis>,
}

/// Keeps customers born on 2000-01-01 or later; an unknown birth date is not kept.
#[transform(topic = "jovens")]
pub fn jovens(customer: Customer<'_>) -> Option<Jovem<'_>> {
    let Customer { nome, sexo, telefone, email, profissao, nascimento, dt_update } = customer;
    let jovem = Jovem { nome, sexo, telefone, email, profissao, nascimento, dt_update };
    (nascimento? >= Date::ymd(2000, 1, 1)).then_some(jovem)
}
