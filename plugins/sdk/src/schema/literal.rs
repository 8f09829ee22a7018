//! Defaults, checked against their field's type by the compiler.

use super::{Enum, Field, Logical, Node, same};

/// A default as it was written, and its JSON.
#[derive(Debug, Clone, Copy)]
pub struct Literal {
    pub kind: Kind,
    pub json: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text(&'static str),
    Int(i64),
    Float,
    Bool,
}

impl Field {
    /// The field if its default is one of its type; `message` says which field it is.
    #[must_use]
    pub const fn checked(self, message: &str) -> Self {
        if let Some(default) = self.default
            && !default.fits(self.node)
        {
            panic!("{}", message);
        }
        self
    }
}

impl Literal {
    const fn fits(self, node: &Node) -> bool {
        match (node, self.kind) {
            (Node::Primitive(base) | Node::Logical(Logical { base, precision_and_scale: None, .. }), kind) => {
                match kind {
                    Kind::Text(_) => same(base, "string") || same(base, "bytes"),
                    Kind::Int(n) if same(base, "int") => n >= i32::MIN as i64 && n <= i32::MAX as i64,
                    Kind::Int(_) => same(base, "long") || same(base, "float") || same(base, "double"),
                    Kind::Float => same(base, "float") || same(base, "double"),
                    Kind::Bool => same(base, "boolean"),
                }
            }
            (Node::Enum(Enum { symbols, .. }), Kind::Text(symbol)) => contains(symbols, symbol),
            _ => false,
        }
    }
}

const fn contains(symbols: &[&str], symbol: &str) -> bool {
    let mut i = 0;
    while i < symbols.len() {
        if same(symbols[i], symbol) {
            return true;
        }
        i += 1;
    }
    false
}
