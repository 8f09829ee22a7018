//! Exercise 5: a plugin that misbehaves. The task is in README.md.

use smt_plugin::{AvroRecord, Reject, transform};

/// The columns used of the table `customers`.
#[derive(AvroRecord)]
#[avro(name = "customers")]
pub struct Customer<'a> {
    pub nome: Option<&'a str>,
    pub telefone: Option<&'a str>,
}

#[derive(AvroRecord)]
#[avro(rename_all = "UPPERCASE")]
pub struct Phone<'a> {
    pub nome: Option<&'a str>,
    pub ddd: i32,
}

/// Every customer with the area code of the telephone: 11 of "(11) 91234-5678".
#[transform(topic = "ddd")]
pub fn ddd(customer: Customer<'_>) -> Result<Phone<'_>, Reject> {
    let Customer { nome, telefone } = customer;
    let telephone = telefone.ok_or_else(|| Reject::new("telefone is null"))?;
    let ddd = area_code(telephone).ok_or_else(|| Reject::new(format!("no area code in {telephone}")))?;
    Ok(Phone { nome, ddd })
}

fn area_code(telephone: &str) -> Option<i32> {
    telephone.strip_prefix('(')?.split_once(')')?.0.parse().ok()
}
