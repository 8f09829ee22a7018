//! The workshop's stream `idadeclass`: every customer with an age class.

use smt_plugin::{AvroRecord, Date, TimestampMillis, transform};

/// The columns used of the workshop's `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub nome: Option<&'a str>,
    pub telefone: Option<&'a str>,
    pub email: Option<&'a str>,
    pub profissao: Option<&'a str>,
    pub nascimento: Option<Date>,
    pub dt_update: Option<TimestampMillis>,
}

/// The schema ksqlDB gives the stream: every column nullable, even if it never is null.
#[derive(AvroRecord, Debug, PartialEq)]
#[avro(name = "KsqlDataSourceSchema", namespace = "io.confluent.ksql.avro_schemas", rename_all = "UPPERCASE", connect)]
pub struct Classified<'a> {
    pub nome: Option<&'a str>,
    pub telefone: Option<&'a str>,
    pub email: Option<&'a str>,
    pub profissao: Option<&'a str>,
    pub idadecat: Option<&'a str>,
    pub dt_update: Option<TimestampMillis>,
}

/// Calls customers born on 2000-01-01 or later JOVEM and all others ADULTO, the unknown among them.
#[transform(topic = "idadeclass")]
pub fn idadeclass(customer: Customer<'_>) -> Classified<'_> {
    let Customer { nome, telefone, email, profissao, nascimento, dt_update } = customer;
    let young = nascimento.is_some_and(|day| day >= Date::ymd(2000, 1, 1));
    let idadecat = Some(if young { "JOVEM" } else { "ADULTO" });
    Classified { nome, telefone, email, profissao, idadecat, dt_update }
}
