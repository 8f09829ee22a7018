//! `key.converter` and `value.converter`.

use crate::connect::Converter;
use crate::connector_file::Values;
use crate::exit::Stop;
use crate::registry::Registry;

/// `key.converter`, `value.converter`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    Avro,
    Json { schemas_enable: bool },
    String,
    ByteArray,
}

impl Conversion {
    pub(super) fn parse(values: &Values, key: &str, default: Conversion) -> Result<Conversion, Stop> {
        let Some(class) = values.get(key).map(str::trim) else { return Ok(default) };
        let short = class.rsplit('.').next().unwrap_or_default();
        Ok(match short {
            "AvroConverter" => Conversion::Avro,
            "JsonConverter" => {
                Conversion::Json { schemas_enable: values.boolean(&format!("{key}.schemas.enable"), true)? }
            }
            "StringConverter" => Conversion::String,
            "ByteArrayConverter" => Conversion::ByteArray,
            _ => {
                return Err(Stop::usage(format!(
                    "{key} is {class:?}; allowed: io.confluent.connect.avro.AvroConverter, \
                     org.apache.kafka.connect.json.JsonConverter, org.apache.kafka.connect.storage.StringConverter, \
                     org.apache.kafka.connect.converters.ByteArrayConverter"
                )));
            }
        })
    }

    pub(super) fn build(self, registry: &Registry, key: bool) -> Converter {
        match self {
            Conversion::Avro => Converter::avro(registry.clone(), key),
            Conversion::Json { schemas_enable } => Converter::json(schemas_enable),
            Conversion::String => Converter::String,
            Conversion::ByteArray => Converter::ByteArray,
        }
    }
}
