//! The rules of schema resolution: which of the writer's types become which of the reader's, and why others do not.
//!
//! It follows the specification, as Java does where that leaves room: names are compared without their namespaces,
//! and the two outermost records need not agree on theirs, since a plugin's view of a topic has a name of its own.
//! Field names are compared exactly. Nothing here writes or reads a byte of a datum.

use std::collections::HashSet;
use std::fmt;

use super::encode::{Dialect, encode};
use super::shape::{Field, Id, Kind, MAX_DEPTH, Shape, Shapes};

/// What the writer wrote cannot become what the reader asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mismatch {
    /// The record's name, and the fields that lead to the place.
    pub path: String,
    pub writer: String,
    pub reader: String,
    pub why: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { path, writer, reader, why } = self;
        write!(f, "{path}: written as {writer}, read as {reader}: {why}")
    }
}

pub(super) struct Resolver<'a> {
    pub(super) writer: &'a Shapes,
    pub(super) reader: &'a Shapes,
    path: Vec<String>,
    /// Pairs that match, or are being looked at: a recursive type matches if nothing on the way back to it does not.
    assumed: HashSet<(Id, Id)>,
    trail: Vec<(Id, Id)>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(writer: &'a Shapes, reader: &'a Shapes) -> Resolver<'a> {
        let path = vec![reader.get(reader.root).name.clone()];
        Resolver { writer, reader, path, assumed: HashSet::new(), trail: Vec::new() }
    }

    pub(super) fn check(&mut self, w: Id, r: Id) -> Result<(), Mismatch> {
        if !self.assumed.insert((w, r)) {
            return Ok(());
        }
        let known = self.trail.len();
        self.trail.push((w, r));
        let result = if known < MAX_DEPTH * MAX_DEPTH && self.path.len() < MAX_DEPTH {
            self.check_new(w, r)
        } else {
            self.fail(w, r, "the types are nested too deep")
        };
        if result.is_err() {
            // What was found under an assumption that does not hold is forgotten with it.
            for pair in self.trail.drain(known..) {
                self.assumed.remove(&pair);
            }
        }
        result
    }

    fn check_new(&mut self, w: Id, r: Id) -> Result<(), Mismatch> {
        let (writer, reader) = (self.writer, self.reader);
        match (writer.kind(w), reader.kind(r)) {
            (Kind::Union(branches), _) => self.check_any(branches, w, r),
            (_, Kind::Union(_)) => match self.branch(w, r) {
                Some(_) => Ok(()),
                None => self.fail(w, r, "no branch of the reader's union takes it"),
            },
            (Kind::Array(w), Kind::Array(r)) => self.within("[]", *w, *r),
            (Kind::Map(w), Kind::Map(r)) => self.within("{}", *w, *r),
            (written, read) => {
                if let Some(why) = self.clash(w, r) {
                    return self.fail(w, r, why);
                }
                match (written, read) {
                    (Kind::Record(written), Kind::Record(read)) => self.check_fields(w, written, read),
                    _ => Ok(()),
                }
            }
        }
    }

    fn check_any(&mut self, branches: &[Id], w: Id, r: Id) -> Result<(), Mismatch> {
        let mut first = None;
        let mut some = false;
        for &branch in branches {
            match self.check(branch, r) {
                Ok(()) => some = true,
                Err(mismatch) => first = first.or(Some(mismatch)),
            }
        }
        match first {
            _ if some => Ok(()),
            Some(mismatch) if branches.len() == 1 => Err(mismatch),
            _ => self.fail(w, r, "the reader takes no branch of the writer's union"),
        }
    }

    fn check_fields(&mut self, w: Id, written: &[Field], read: &[Field]) -> Result<(), Mismatch> {
        for field in read {
            match source(written, field) {
                Some(index) => self.within(&field.name, written[index].shape, field.shape)?,
                None => {
                    if let Err(why) = default_bytes(self.reader, field) {
                        self.path.push(field.name.clone());
                        let writer = format!("a {} without this field", describe(self.writer.get(w)));
                        let reader = describe(self.reader.get(field.shape));
                        return Err(self.mismatch(writer, reader, why));
                    }
                }
            }
        }
        Ok(())
    }

    fn within(&mut self, step: &str, w: Id, r: Id) -> Result<(), Mismatch> {
        let length = self.path.len();
        self.path.push(step.to_owned());
        let result = self.check(w, r);
        self.path.truncate(length);
        result
    }

    fn fail(&self, w: Id, r: Id, why: impl Into<String>) -> Result<(), Mismatch> {
        let (writer, reader) = (describe(self.writer.get(w)), describe(self.reader.get(r)));
        Err(self.mismatch(writer, reader, why.into()))
    }

    fn mismatch(&self, writer: String, reader: String, why: String) -> Mismatch {
        Mismatch { path: self.path.join("."), writer, reader, why }
    }

    /// The first branch of the reader's union which is of the writer's type, else the first that it is promoted to.
    pub(super) fn branch(&mut self, w: Id, r: Id) -> Option<usize> {
        let (written, Kind::Union(branches)) = (self.writer.kind(w), self.reader.kind(r)) else {
            return None;
        };
        let exact = |kind: &Kind| std::mem::discriminant(kind) == std::mem::discriminant(written);
        let reader = self.reader;
        let (first, second): (Vec<_>, Vec<_>) =
            branches.iter().enumerate().partition(|(_, branch)| exact(reader.kind(**branch)));
        let path = self.path.len();
        first.into_iter().chain(second).find_map(|(index, &branch)| {
            let fits = self.check(w, branch).is_ok();
            self.path.truncate(path);
            fits.then_some(index)
        })
    }

    /// Why two types that are neither unions nor arrays nor maps do not match, leaving aside a record's fields.
    fn clash(&self, w: Id, r: Id) -> Option<String> {
        let (writer, reader) = (self.writer.get(w), self.reader.get(r));
        let roots = (w, r) == (self.writer.root, self.reader.root);
        match (&writer.kind, &reader.kind) {
            (Kind::Record(_), Kind::Record(_)) if roots => None,
            (Kind::Record(_), Kind::Record(_)) => other_name(writer, reader),
            (Kind::Enum { symbols, .. }, Kind::Enum { symbols: known, default }) => {
                let some = default.is_some() || symbols.iter().any(|symbol| known.contains(symbol));
                other_name(writer, reader).or((!some).then(|| "they share no symbol".into()))
            }
            (Kind::Fixed(size), Kind::Fixed(due)) => {
                let other_size = (size != due).then(|| format!("{size} bytes are not {due}"));
                other_name(writer, reader).or(other_size).or_else(|| other_decimal(writer, reader))
            }
            (written, read) if promotes(written, read) => other_decimal(writer, reader),
            _ => Some("the one is not promoted to the other".into()),
        }
    }
}

/// The writer's field for a field of the reader: the one of its name, else the one of its first known alias.
pub(super) fn source(written: &[Field], read: &Field) -> Option<usize> {
    let position = |name: &String| written.iter().position(|field| field.name == *name);
    position(&read.name).or_else(|| read.aliases.iter().find_map(position))
}

pub(super) fn default_bytes(reader: &Shapes, field: &Field) -> Result<Vec<u8>, String> {
    let Some(default) = &field.default else {
        return Err("the reader's field has no default".into());
    };
    let mut bytes = Vec::new();
    encode(reader, field.shape, default, Dialect::Default, &mut bytes)
        .map_err(|why| format!("the reader's default is of no use: {why}"))?;
    Ok(bytes)
}

fn promotes(written: &Kind, read: &Kind) -> bool {
    use Kind::*;
    matches!(
        (written, read),
        (Null, Null)
            | (Boolean, Boolean)
            | (Int, Int | Long | Float | Double)
            | (Long, Long | Float | Double)
            | (Float, Float | Double)
            | (Double, Double)
            | (Bytes | String, Bytes | String)
    )
}

fn other_name(writer: &Shape, reader: &Shape) -> Option<String> {
    let same = writer.name == reader.name || reader.aliases.contains(&writer.name);
    (!same).then(|| "their names differ".into())
}

/// A decimal may be read as plain bytes and the reverse, but its digits are never moved.
fn other_decimal(writer: &Shape, reader: &Shape) -> Option<String> {
    let (Some((wp, ws)), Some((rp, rs))) = (writer.decimal, reader.decimal) else {
        return None;
    };
    let same = (wp, ws) == (rp, rs);
    (!same).then(|| format!("decimal({wp}, {ws}) is not decimal({rp}, {rs})"))
}

fn describe(shape: &Shape) -> String {
    match shape.kind {
        Kind::Record(_) | Kind::Enum { .. } | Kind::Fixed(_) => format!("{} {}", shape.kind.type_name(), shape.name),
        _ => shape.name.clone(),
    }
}
