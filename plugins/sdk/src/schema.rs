//! What an Avro schema consists of, as constants: a tree that each type contributes a node to, so that the text of a
//! record's schema is made by the compiler (`schema/text.rs`). It never holds a value at run time.

mod literal;
mod text;

use crate::codec::AvroType;
pub use literal::{Kind, Literal};
pub use text::{Text, length, text, write};

/// A schema.
#[derive(Debug, Clone, Copy)]
pub enum Node {
    Primitive(&'static str),
    Logical(Logical),
    /// The union of null and this.
    Nullable(&'static Node),
    Array(&'static Node),
    Map(&'static Node),
    /// Called so where the field chooses no name.
    Fixed {
        name: &'static str,
        size: u32,
    },
    Enum(Enum),
    Record(Record),
}

/// A meaning on top of a primitive type.
#[derive(Debug, Clone, Copy)]
pub struct Logical {
    pub base: &'static str,
    pub name: &'static str,
    /// Of a decimal.
    pub precision_and_scale: Option<(u32, u32)>,
    /// What Kafka Connect calls it: the last part of `org.apache.kafka.connect.data.…`.
    pub connect: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
pub struct Enum {
    pub name: &'static str,
    pub namespace: Option<&'static str>,
    pub symbols: &'static [&'static str],
}

#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub name: &'static str,
    pub namespace: Option<&'static str>,
    /// Writes Kafka Connect's properties, on everything below too.
    pub connect: bool,
    pub fields: &'static [Field],
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub node: &'static Node,
    pub doc: Option<&'static str>,
    /// A nullable field has `null` unasked.
    pub default: Option<Literal>,
    /// The name of the fixed in this field.
    pub fixed: Option<&'static str>,
}

/// A type whose schema the compiler has written out. The derives implement it.
pub trait AvroSchema: AvroType {
    const TEXT: &'static str;
}

/// The schema of any type as JSON text, written now.
pub fn schema_of<T: AvroType>() -> String {
    let mut bytes = vec![0; length(&T::NODE)];
    Text::new(&mut bytes).schema(&T::NODE, None);
    String::from_utf8(bytes).expect("the pieces of a schema are text")
}

/// `==` is no constant function yet.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}
