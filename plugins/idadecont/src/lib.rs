//! The workshop's table `idadecont`: how many JOVEM and ADULTO in every 30 seconds.

use smt_plugin::{Accumulator, Aggregate, AvroRecord, Group, accumulators::Count, aggregate};

/// The column used of the workshop's stream `idadeclass`.
#[derive(AvroRecord)]
#[avro(name = "KsqlDataSourceSchema", namespace = "io.confluent.ksql.avro_schemas", rename_all = "UPPERCASE")]
pub struct Classified<'a> {
    pub idadecat: Option<&'a str>,
}

/// The schema ksqlDB gives the table: the class is the key, and only that.
#[derive(AvroRecord, Debug, PartialEq)]
#[avro(name = "KsqlDataSourceSchema", namespace = "io.confluent.ksql.avro_schemas", rename_all = "UPPERCASE", connect)]
pub struct Counted {
    pub contagem: Option<i64>,
}

#[derive(Default, Accumulator)]
pub struct Contagem {
    customers: Count,
}

/// Counts customers by class in windows of 30 seconds; one without a class is not counted.
#[aggregate(topic = "idadecont", tumbling = "30s")]
impl Aggregate for Contagem {
    type Input<'a> = Classified<'a>;
    type Key<'a> = &'a str;
    type Output = Counted;
    fn key<'a>(row: &'a Classified<'_>) -> Option<&'a str> {
        row.idadecat
    }
    fn add(&mut self, _: &Classified<'_>) {
        self.customers.increment();
    }
    fn finish(&self, _: &Group<&str>) -> Counted {
        Counted { contagem: Some(self.customers.get()) }
    }
}
