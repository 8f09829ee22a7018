//! Compiles a pair of schemas into steps that turn the writer's bytes into the reader's.
//!
//! The steps lie in an arena and refer to each other by index, so that a recursive type is a loop. Every name,
//! default and promotion is settled here; nothing here sees a datum.

use std::collections::HashMap;
use std::sync::Arc;

use super::resolve::{Mismatch, Resolver, default_bytes, source};
use super::shape::{Field, Id, Kind, Shapes};
use super::{Malformed, Schema, run, whole};

/// How data of one schema become data of another.
#[derive(Debug, Clone)]
pub struct Plan(Arc<Program>);

#[derive(Debug)]
pub(super) struct Program {
    pub(super) writer: Arc<Shapes>,
    pub(super) steps: Vec<Step>,
    pub(super) root: Id,
}

#[derive(Debug)]
pub(super) enum Step {
    /// The bytes stay as they are.
    Copy(Id),
    /// A run of fields is copied at once.
    CopyRun(Box<[Id]>),
    /// The writer's fields the reader does not want.
    Skip(Box<[Id]>),
    Literal(Box<[u8]>),
    IntToFloat,
    IntToDouble,
    LongToFloat,
    LongToDouble,
    FloatToDouble,
    /// The reader's index for each of the writer's.
    Enum(Box<[Option<i64>]>),
    Items {
        step: Id,
        keyed: bool,
    },
    /// A record whose fields the reader wants in the order in which they come.
    Sequence(Box<[Id]>),
    /// A record whose fields the reader wants in another order: where each begins is found first.
    Reorder {
        written: Box<[Id]>,
        read: Box<[(Option<usize>, Id)]>,
    },
    /// The writer's union: a step for each branch.
    Branches(Box<[Id]>),
    /// The reader's union.
    Wrap {
        index: i64,
        step: Id,
    },
    Fail(Box<str>),
}

impl Plan {
    pub fn compile(writer: &Schema, reader: &Schema) -> Result<Plan, Mismatch> {
        let (w, r) = (writer.shapes(), reader.shapes());
        let mut resolver = Resolver::new(w, r);
        resolver.check(w.root, r.root)?;
        let mut compiler = Compiler { resolver, steps: Vec::new(), known: HashMap::new() };
        let root = compiler.step(w.root, r.root);
        Ok(Plan(Arc::new(Program { writer: w.clone(), steps: compiler.steps, root })))
    }

    /// Whether both schemas lay the same data out the same way: a datum may be passed on as it is.
    pub fn is_identity(&self) -> bool {
        matches!(self.0.steps[self.0.root], Step::Copy(_))
    }

    /// Appends the datum, as the reader's schema lays it out.
    pub fn run(&self, datum: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        whole(out, |out| run::run(&self.0, datum, out))
    }
}

struct Compiler<'a> {
    resolver: Resolver<'a>,
    steps: Vec<Step>,
    known: HashMap<(Id, Id), Id>,
}

impl Compiler<'_> {
    fn step(&mut self, w: Id, r: Id) -> Id {
        if let Some(&step) = self.known.get(&(w, r)) {
            return step;
        }
        // The place is taken before the parts are compiled: one of them may lead back here.
        // It holds no copy until it is known to be one, lest a record on the way takes it for one of its own.
        let place = self.push(Step::Fail("".into()));
        self.known.insert((w, r), place);
        let same = self.same_layout(w, r, &mut Vec::new());
        self.steps[place] = if same { Step::Copy(w) } else { self.compile(w, r) };
        place
    }

    fn push(&mut self, step: Step) -> Id {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn compile(&mut self, w: Id, r: Id) -> Step {
        let (writer, reader) = (self.resolver.writer, self.resolver.reader);
        match (writer.kind(w), reader.kind(r)) {
            (Kind::Union(branches), _) => Step::Branches(branches.iter().map(|&w| self.branch(w, r)).collect()),
            (_, Kind::Union(branches)) => match self.resolver.branch(w, r) {
                Some(index) => Step::Wrap { index: index as i64, step: self.step(w, branches[index]) },
                None => Step::Fail("no branch of the reader's union takes it".into()),
            },
            (Kind::Array(w), Kind::Array(r)) => Step::Items { step: self.step(*w, *r), keyed: false },
            (Kind::Map(w), Kind::Map(r)) => Step::Items { step: self.step(*w, *r), keyed: true },
            (Kind::Record(written), Kind::Record(read)) => self.record(written, read),
            (Kind::Enum { symbols, .. }, Kind::Enum { symbols: known, default }) => {
                let index = |symbol: &String| known.iter().position(|known| known == symbol);
                let default = default.as_ref().and_then(index);
                Step::Enum(symbols.iter().map(|symbol| index(symbol).or(default).map(|index| index as i64)).collect())
            }
            (Kind::Int, Kind::Float) => Step::IntToFloat,
            (Kind::Int, Kind::Double) => Step::IntToDouble,
            (Kind::Long, Kind::Float) => Step::LongToFloat,
            (Kind::Long, Kind::Double) => Step::LongToDouble,
            (Kind::Float, Kind::Double) => Step::FloatToDouble,
            _ => Step::Copy(w),
        }
    }

    /// A branch the reader does not take is no fault of the schemas until a datum uses it.
    fn branch(&mut self, w: Id, r: Id) -> Id {
        match self.resolver.check(w, r) {
            Ok(()) => self.step(w, r),
            Err(mismatch) => self.push(Step::Fail(mismatch.to_string().into())),
        }
    }

    fn record(&mut self, written: &[Field], read: &[Field]) -> Step {
        let mut fields = Vec::with_capacity(read.len());
        for field in read {
            let source = source(written, field);
            let step = match source {
                Some(index) => self.step(written[index].shape, field.shape),
                None => {
                    let literal = match default_bytes(self.resolver.reader, field) {
                        Ok(bytes) => Step::Literal(bytes.into()),
                        Err(why) => Step::Fail(why.into()),
                    };
                    self.push(literal)
                }
            };
            fields.push((source, step));
        }
        if fields.iter().flat_map(|(source, _)| source).is_sorted_by(|a, b| a < b) {
            Step::Sequence(self.sequence(written, &fields).into())
        } else {
            let written = written.iter().map(|field| field.shape).collect();
            Step::Reorder { written, read: fields.into() }
        }
    }

    /// Puts the fields left out between those asked for, and joins what is copied one after the other.
    fn sequence(&mut self, written: &[Field], fields: &[(Option<usize>, Id)]) -> Vec<Id> {
        let mut steps = Vec::new();
        let mut next = 0;
        let mut copied = Vec::new();
        let end = (Some(written.len()), usize::MAX);
        for &(source, step) in fields.iter().chain([&end]) {
            let skipped: Box<[Id]> = written[next..source.unwrap_or(next)].iter().map(|field| field.shape).collect();
            let copy = match self.steps.get(step) {
                Some(Step::Copy(shape)) => Some(*shape),
                _ => None,
            };
            if !copied.is_empty() && (copy.is_none() || !skipped.is_empty()) {
                let run = std::mem::take(&mut copied).into();
                steps.push(self.push(Step::CopyRun(run)));
            }
            if !skipped.is_empty() {
                steps.push(self.push(Step::Skip(skipped)));
            }
            match copy {
                Some(shape) => copied.push(shape),
                None if step != end.1 => steps.push(step),
                None => {}
            }
            next = source.map_or(next, |source| source + 1);
        }
        steps
    }

    /// Whether any datum of the one is a datum of the other, and stands for the same. `assumed` holds the pairs being
    /// looked at, which a recursive type leads back to.
    fn same_layout(&mut self, w: Id, r: Id, assumed: &mut Vec<(Id, Id)>) -> bool {
        if assumed.contains(&(w, r)) {
            return true;
        }
        assumed.push((w, r));
        let (writer, reader) = (self.resolver.writer, self.resolver.reader);
        match (writer.kind(w), reader.kind(r)) {
            (Kind::Union(written), Kind::Union(read)) => written.iter().enumerate().all(|(index, &branch)| {
                self.resolver.branch(branch, r) == Some(index) && self.same_layout(branch, read[index], assumed)
            }),
            (Kind::Array(w), Kind::Array(r)) | (Kind::Map(w), Kind::Map(r)) => self.same_layout(*w, *r, assumed),
            (Kind::Record(written), Kind::Record(read)) => {
                written.len() == read.len()
                    && read.iter().enumerate().all(|(index, field)| {
                        source(written, field) == Some(index)
                            && self.same_layout(written[index].shape, field.shape, assumed)
                    })
            }
            (Kind::Enum { symbols, .. }, Kind::Enum { symbols: known, .. }) => known.starts_with(symbols),
            (Kind::Fixed(size), Kind::Fixed(due)) => size == due,
            (Kind::Int, Kind::Long) | (Kind::Bytes, Kind::String) | (Kind::String, Kind::Bytes) => true,
            (written, read) => std::mem::discriminant(written) == std::mem::discriminant(read),
        }
    }
}
