//! Avro schema text, put together from the pieces that the derives know at compile time.
//!
//! The pieces are joined when the plugin is configured rather than in a `const`: a named type used twice must be
//! written once and referred to afterwards, and only the whole record knows which use is the first.

use crate::codec::AvroType;

/// Schema text under construction.
#[derive(Default)]
pub struct SchemaText {
    text: String,
    /// Kafka Connect's properties go with the logical types of the record being written.
    connect: bool,
    namespace: String,
    named: Vec<String>,
}

/// What stands on a record, its fields aside.
pub struct RecordHead {
    pub name: &'static str,
    pub namespace: Option<&'static str>,
    pub connect: bool,
}

/// The schema of a type as JSON text.
pub fn schema_of<T: AvroType>() -> String {
    let mut text = SchemaText::default();
    T::schema(&mut text);
    text.text
}

impl SchemaText {
    pub fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// A JSON string with its quotes.
    pub fn quoted(&mut self, plain: &str) {
        self.text.push('"');
        for c in plain.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                c if c < ' ' => self.text.push(' '), // Other controls say nothing in a name or a doc.
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }

    /// True if the type is new and must be written out now; else its name has been written.
    fn first_use(&mut self, full_name: &str) -> bool {
        if self.named.iter().any(|name| name == full_name) {
            self.quoted(full_name);
            return false;
        }
        self.named.push(full_name.to_owned());
        true
    }

    fn full_name(&self, name: &str) -> String {
        if self.namespace.is_empty() { name.to_owned() } else { format!("{}.{name}", self.namespace) }
    }

    pub fn record(&mut self, head: &RecordHead, fields: impl FnOnce(&mut Self)) {
        let outer = (self.namespace.clone(), self.connect);
        if let Some(namespace) = head.namespace {
            namespace.clone_into(&mut self.namespace);
        }
        let full_name = self.full_name(head.name);
        if self.first_use(&full_name) {
            self.connect |= head.connect;
            self.raw(r#"{"type":"record","name":"#);
            self.quoted(head.name);
            if let Some(namespace) = head.namespace {
                self.raw(r#","namespace":"#);
                self.quoted(namespace);
            }
            self.raw(r#","fields":["#);
            fields(self);
            self.raw("]");
            if self.connect {
                self.raw(r#","connect.name":"#);
                self.quoted(&full_name);
            }
            self.raw("}");
        }
        (self.namespace, self.connect) = outer;
    }

    /// One field. A nullable one gets `"default":null` by itself; `default` is JSON.
    pub fn field<T: AvroType>(&mut self, name: &str, doc: Option<&str>, default: Option<&str>) {
        if !self.text.ends_with('[') {
            self.raw(",");
        }
        self.raw(r#"{"name":"#);
        self.quoted(name);
        self.raw(r#","type":"#);
        T::schema(self);
        if let Some(doc) = doc {
            self.raw(r#","doc":"#);
            self.quoted(doc);
        }
        if let Some(default) = default.or(T::DEFAULT) {
            self.raw(r#","default":"#);
            self.raw(default);
        }
        self.raw("}");
    }

    pub fn enumeration(&mut self, name: &str, namespace: Option<&str>, symbols: &[&str]) {
        let full_name = namespace.map_or_else(|| self.full_name(name), |n| format!("{n}.{name}"));
        if !self.first_use(&full_name) {
            return;
        }
        self.raw(r#"{"type":"enum","name":"#);
        self.quoted(name);
        if let Some(namespace) = namespace {
            self.raw(r#","namespace":"#);
            self.quoted(namespace);
        }
        self.raw(r#","symbols":["#);
        for (i, symbol) in symbols.iter().enumerate() {
            self.raw(if i == 0 { "" } else { "," });
            self.quoted(symbol);
        }
        self.raw("]}");
    }

    pub fn fixed(&mut self, name: &str, size: usize) {
        let full_name = self.full_name(name);
        if self.first_use(&full_name) {
            self.raw(&format!(r#"{{"type":"fixed","name":"{name}","size":{size}}}"#));
        }
    }

    /// A logical type in the member order of Confluent's AvroData: type, own properties, Connect's, logicalType.
    pub fn logical(&mut self, base: &str, logical: &str, own: &str, connect: Option<Connect<'_>>) {
        self.raw(&format!(r#"{{"type":"{base}"{own}"#));
        if let Some(Connect { name, parameters }) = connect.filter(|_| self.connect) {
            self.raw(&format!(
                r#","connect.version":1{parameters},"connect.name":"org.apache.kafka.connect.data.{name}""#
            ));
        }
        self.raw(&format!(r#","logicalType":"{logical}"}}"#));
    }
}

/// Connect's view of a logical type.
pub struct Connect<'a> {
    pub name: &'a str,
    /// `,"connect.parameters":{...}` or nothing.
    pub parameters: &'a str,
}
