//! Avro schemas and data, from and to Connect's, as Confluent's AvroData maps them.

/// What goes into an Avro schema made of a Connect schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// `connect.meta.data`: names, versions, parameters, docs and defaults of Connect.
    pub connect: bool,
    /// `enhanced.avro.schema.support`: enums and full names survive.
    pub enhanced: bool,
}

impl Default for Metadata {
    fn default() -> Metadata {
        Metadata { connect: true, enhanced: true }
    }
}
