#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;

fn recording() -> Value {
    serde_json::from_str(include_str!("testdata/types.json")).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn described(recording: &Value, nullable: bool) -> (Vec<Described>, Vec<Vec<u8>>) {
    let columns = recording["columns"].as_array().unwrap();
    let one = |column: &Value| {
        let oid = column["oid"].as_u64().unwrap() as u32;
        let own = |kind: Kind| Type::new("own".into(), oid, kind, "public".into());
        let kind = match column["enum"].as_bool().unwrap() {
            true => own(Kind::Enum(vec!["feliz".into()])),
            false => Type::from_oid(oid).unwrap_or_else(|| own(Kind::Simple)),
        };
        let modifier = column["modifier"].as_i64().unwrap() as i32;
        let described = Described { name: column["name"].as_str().unwrap().into(), kind, modifier, nullable };
        (described, bytes(column["hex"].as_str().unwrap()))
    };
    columns.iter().map(one).unzip()
}

fn choices(numeric: NumericMapping) -> Choices {
    Choices { numeric, calendar: Calendar::Legacy, granularity: Granularity::ConnectLogical, zone: Zone::UTC }
}

fn encoded(plan: &Plan, values: &[Vec<u8>], null: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    plan.encode(|at| (!null.contains(&at)).then(|| values[at].as_slice()), &mut out).unwrap();
    out
}

fn expected(recording: &Value) -> Vec<u8> {
    // After the magic byte and the schema id.
    bytes(recording.as_str().unwrap())[5..].to_vec()
}

#[test]
fn every_type_has_the_schema_and_the_bytes_of_the_real_connector() {
    let recording = recording();
    for (table, key, nullable) in [("tipos_nn", "not_null", false), ("tipos_n", "nullable", true)] {
        let (columns, values) = described(&recording, nullable);
        let plan = Plan::compile(Some(table), &columns, &choices(NumericMapping::None)).unwrap();
        assert_eq!(plan.schema, recording[key]["schema"].as_str().unwrap());
        assert_eq!(encoded(&plan, &values, &[]), expected(&recording[key]["value_hex"]), "{table}");
    }
}

#[test]
fn a_null_is_the_first_branch_of_its_union() {
    let recording = recording();
    let (columns, _) = described(&recording, true);
    let plan = Plan::compile(Some("tipos_n"), &columns, &choices(NumericMapping::None)).unwrap();
    let mut out = Vec::new();
    plan.encode(|_| None, &mut out).unwrap();
    assert_eq!(out, vec![0; 40]);
}

#[test]
fn a_null_where_none_may_be_is_refused() {
    let (columns, _) = described(&recording(), false);
    let plan = Plan::compile(Some("tipos_nn"), &columns, &choices(NumericMapping::None)).unwrap();
    let refused = plan.encode(|_| None, &mut Vec::new()).unwrap_err();
    assert_eq!(refused.to_string(), r#"column "c_int2": null in a column that is declared not null"#);
}

#[test]
fn the_numeric_mappings_have_the_schemas_of_the_real_connector() {
    let recording = recording();
    let (columns, _) = described(&recording, true);
    for (name, mapping) in [
        ("precision_only", NumericMapping::PrecisionOnly),
        ("best_fit", NumericMapping::BestFit),
        ("best_fit_eager_double", NumericMapping::BestFitEagerDouble),
    ] {
        let plan = Plan::compile(Some("tipos_n"), &columns, &choices(mapping)).unwrap();
        assert_eq!(plan.schema, recording["mappings"][name]["schema"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn types_without_an_avro_type_are_left_out_and_named() {
    let (columns, _) = described(&recording(), true);
    let plan = Plan::compile(Some("t"), &columns, &choices(NumericMapping::None)).unwrap();
    let names: Vec<&str> = plan.dropped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "c_varbit",
            "c_textarr",
            "c_intarr",
            "c_interval",
            "c_inet",
            "c_cidr",
            "c_macaddr",
            "c_point",
            "c_range",
            "c_tsvector",
            "c_comp"
        ]
    );
}

#[test]
fn the_customers_table_has_the_workshops_schema() {
    let column = |(name, kind): (&str, Type)| Described { name: name.into(), kind, modifier: -1, nullable: true };
    let text = |name| (name, Type::TEXT);
    let columns = [
        text("nome"),
        text("sexo"),
        text("endereco"),
        text("telefone"),
        text("email"),
        text("foto"),
        ("nascimento", Type::DATE),
        text("profissao"),
        ("dt_update", Type::TIMESTAMP),
    ];
    let columns: Vec<Described> = columns.into_iter().map(column).collect();
    let plan = Plan::compile(Some("customers"), &columns, &choices(NumericMapping::None)).unwrap();
    assert_eq!(plan.schema, include_str!("testdata/customers.avsc").trim_end());
}

#[test]
fn a_name_that_avro_does_not_allow_is_refused() {
    let column = Described { name: "Nome Com Espaço".into(), kind: Type::TEXT, modifier: -1, nullable: true };
    let stop = Plan::compile(Some("t"), &[column], &choices(NumericMapping::None)).unwrap_err();
    assert_eq!(stop.exit, Exit::Connector);
    assert_eq!(
        Plan::compile(Some("Tabela-Um"), &[], &choices(NumericMapping::None)).unwrap_err().exit,
        Exit::Connector
    );
}

#[test]
fn the_numeric_mappings_have_the_bytes_of_the_real_connector_where_it_does_not_cut_a_value() {
    let recording = recording();
    let (columns, values) = described(&recording, true);
    // Without precision and scale the original makes 1.5 an int8 of 1; here that record is refused.
    let free = columns.iter().position(|column| column.name == "c_num").unwrap();
    for (name, mapping) in [
        ("precision_only", NumericMapping::PrecisionOnly),
        ("best_fit", NumericMapping::BestFit),
        ("best_fit_eager_double", NumericMapping::BestFitEagerDouble),
    ] {
        let plan = Plan::compile(Some("tipos_n"), &columns, &choices(mapping)).unwrap();
        let refused = plan.encode(|at| Some(values[at].as_slice()), &mut Vec::new()).unwrap_err();
        assert!(refused.to_string().starts_with("column \"c_num\": numeric 15000e-4"), "{name}: {refused}");
        let one = [0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        let cut = |at: usize| if at == free { Some(one.as_slice()) } else { Some(values[at].as_slice()) };
        let mut out = Vec::new();
        plan.encode(cut, &mut out).unwrap();
        let real = recording["mappings"][name]["value_hex"].as_array().unwrap();
        assert!(real.iter().any(|hex| expected(hex).starts_with(&out)), "{name}");
    }
}
