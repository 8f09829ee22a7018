//! Writes a schema's JSON, in constant functions: once to measure it, once into an array of that length.
//!
//! A named type is written out where it comes first and referred to afterwards, as Avro wants it. Two types of one name
//! do not compile:
//!
//! ```compile_fail,E0080
//! #[derive(smt_plugin::AvroRecord)]
//! struct Hashes {
//!     #[avro(fixed = "hash")]
//!     short: [u8; 16],
//!     #[avro(fixed = "hash")]
//!     long: [u8; 32],
//! }
//! ```

use super::{Enum, Field, Logical, Node, Record, same};

/// More different named types than this in one schema do not compile.
const NAMES_MAX: usize = 64;

/// A named type already written out.
#[derive(Clone, Copy)]
struct Named {
    namespace: &'static str,
    name: &'static str,
    /// Two types of one name differ in this if they differ in what is easily told.
    shape: u32,
}

/// Text under construction. What does not fit the buffer is only counted.
pub struct Text<'t> {
    out: &'t mut [u8],
    len: usize,
    namespace: &'static str,
    /// Kafka Connect's properties go with the logical types of the record being written.
    connect: bool,
    named: [Named; NAMES_MAX],
    names: usize,
}

/// The length of a schema's text.
pub const fn length(node: &Node) -> usize {
    let mut text = Text::new(&mut []);
    text.schema(node, None);
    text.len
}

/// A schema's text as an array: `N` is its [`length`].
pub const fn write<const N: usize>(node: &Node) -> [u8; N] {
    let mut out = [0; N];
    Text::new(&mut out).schema(node, None);
    out
}

/// What [`write`] wrote.
pub const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("the pieces of a schema are text"),
    }
}

impl<'t> Text<'t> {
    pub const fn new(out: &'t mut [u8]) -> Self {
        let nothing = Named { namespace: "", name: "", shape: 0 };
        Self { out, len: 0, namespace: "", connect: false, named: [nothing; NAMES_MAX], names: 0 }
    }

    pub const fn schema(&mut self, node: &Node, fixed: Option<&'static str>) {
        match node {
            Node::Primitive(name) => self.quoted(name),
            Node::Logical(logical) => self.logical(logical),
            Node::Nullable(inner) => {
                self.raw(r#"["null","#);
                self.schema(inner, fixed);
                self.raw("]");
            }
            Node::Array(inner) => self.collection(r#"{"type":"array","items":"#, inner, fixed),
            Node::Map(inner) => self.collection(r#"{"type":"map","values":"#, inner, fixed),
            Node::Fixed { name, size } => {
                let name = match fixed {
                    Some(name) => name,
                    None => name,
                };
                self.fixed(name, *size);
            }
            Node::Enum(shape) => self.enumeration(shape),
            Node::Record(shape) => self.record(shape),
        }
    }

    const fn byte(&mut self, byte: u8) {
        if self.len < self.out.len() {
            self.out[self.len] = byte;
        }
        self.len += 1;
    }

    const fn raw(&mut self, json: &str) {
        let mut i = 0;
        while i < json.len() {
            self.byte(json.as_bytes()[i]);
            i += 1;
        }
    }

    /// A JSON string with its quotes.
    const fn quoted(&mut self, plain: &str) {
        self.byte(b'"');
        self.escaped(plain);
        self.byte(b'"');
    }

    const fn escaped(&mut self, plain: &str) {
        let mut i = 0;
        while i < plain.len() {
            match plain.as_bytes()[i] {
                b'"' => self.raw("\\\""),
                b'\\' => self.raw("\\\\"),
                b'\n' => self.raw("\\n"),
                0..b' ' => self.byte(b' '), // Other controls say nothing in a name or a doc.
                byte => self.byte(byte),
            }
            i += 1;
        }
    }

    const fn number(&mut self, number: u32) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    const fn collection(&mut self, head: &str, inner: &Node, fixed: Option<&'static str>) {
        self.raw(head);
        self.schema(inner, fixed);
        self.raw("}");
    }

    /// True if the type is new and must be written out now; else its name has been written.
    const fn first_use(&mut self, namespace: &'static str, name: &'static str, shape: u32) -> bool {
        let mut i = 0;
        while i < self.names {
            let known = self.named[i];
            if same(known.namespace, namespace) && same(known.name, name) {
                assert!(
                    known.shape == shape,
                    "two different types of one name in a schema: give one another `name` or `namespace` (on a field \
                     with a fixed: `fixed = \"..\"`)"
                );
                self.byte(b'"');
                self.full_name(namespace, name);
                self.byte(b'"');
                return false;
            }
            i += 1;
        }
        assert!(self.names < NAMES_MAX, "more than 64 named types in one schema");
        self.named[self.names] = Named { namespace, name, shape };
        self.names += 1;
        true
    }

    const fn full_name(&mut self, namespace: &str, name: &str) {
        if !namespace.is_empty() {
            self.escaped(namespace);
            self.byte(b'.');
        }
        self.escaped(name);
    }

    /// `{"type":"<kind>","name":"<name>"` and the namespace, if it has one of its own.
    const fn head(&mut self, kind: &str, name: &str, namespace: Option<&str>) {
        self.raw(r#"{"type":""#);
        self.raw(kind);
        self.raw(r#"","name":"#);
        self.quoted(name);
        if let Some(namespace) = namespace {
            self.raw(r#","namespace":"#);
            self.quoted(namespace);
        }
    }

    const fn record(&mut self, record: &Record) {
        let (outer_namespace, outer_connect) = (self.namespace, self.connect);
        if let Some(namespace) = record.namespace {
            self.namespace = namespace;
        }
        if self.first_use(self.namespace, record.name, 1 + record.fields.len() as u32) {
            self.connect |= record.connect;
            self.head("record", record.name, record.namespace);
            self.raw(r#","fields":["#);
            let mut i = 0;
            while i < record.fields.len() {
                self.raw(if i == 0 { "" } else { "," });
                self.field(&record.fields[i]);
                i += 1;
            }
            self.raw("]");
            if self.connect {
                self.raw(r#","connect.name":""#);
                self.full_name(self.namespace, record.name);
                self.byte(b'"');
            }
            self.raw("}");
        }
        (self.namespace, self.connect) = (outer_namespace, outer_connect);
    }

    const fn field(&mut self, field: &Field) {
        self.raw(r#"{"name":"#);
        self.quoted(field.name);
        self.raw(r#","type":"#);
        self.schema(field.node, field.fixed);
        if let Some(doc) = field.doc {
            self.raw(r#","doc":"#);
            self.quoted(doc);
        }
        match (field.default, field.node) {
            (Some(default), _) => {
                self.raw(r#","default":"#);
                self.raw(default.json);
            }
            (None, Node::Nullable(_)) => self.raw(r#","default":null"#),
            (None, _) => {}
        }
        self.raw("}");
    }

    const fn enumeration(&mut self, shape: &Enum) {
        let namespace = match shape.namespace {
            Some(namespace) => namespace,
            None => self.namespace,
        };
        if !self.first_use(namespace, shape.name, 0x4000_0000 | shape.symbols.len() as u32) {
            return;
        }
        self.head("enum", shape.name, shape.namespace);
        self.raw(r#","symbols":["#);
        let mut i = 0;
        while i < shape.symbols.len() {
            self.raw(if i == 0 { "" } else { "," });
            self.quoted(shape.symbols[i]);
            i += 1;
        }
        self.raw("]}");
    }

    const fn fixed(&mut self, name: &'static str, size: u32) {
        if self.first_use(self.namespace, name, 0x8000_0000 | size) {
            self.head("fixed", name, None);
            self.raw(r#","size":"#);
            self.number(size);
            self.raw("}");
        }
    }

    /// A logical type in the member order of Confluent's AvroData: type, own properties, Connect's, logicalType.
    const fn logical(&mut self, logical: &Logical) {
        self.raw(r#"{"type":""#);
        self.raw(logical.base);
        self.raw("\"");
        if let Some((precision, scale)) = logical.precision_and_scale {
            self.raw(r#","scale":"#);
            self.number(scale);
            self.raw(r#","precision":"#);
            self.number(precision);
        }
        if let (Some(name), true) = (logical.connect, self.connect) {
            self.raw(r#","connect.version":1"#);
            self.connect_parameters(logical);
            self.raw(r#","connect.name":"org.apache.kafka.connect.data."#);
            self.raw(name);
            self.raw("\"");
        }
        self.raw(r#","logicalType":""#);
        self.raw(logical.name);
        self.raw("\"}");
    }

    const fn connect_parameters(&mut self, logical: &Logical) {
        if let Some((precision, scale)) = logical.precision_and_scale {
            self.raw(r#","connect.parameters":{"scale":""#);
            self.number(scale);
            self.raw(r#"","connect.decimal.precision":""#);
            self.number(precision);
            self.raw(r#""}"#);
        }
    }
}
