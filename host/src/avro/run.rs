//! Runs a plan over one datum. It allocates for the output only, and in proportion to the datum.

use super::Malformed;
use super::plan::{Program, Step};
use super::shape::{Id, Shapes};
use super::wire::{Cursor, put_blob, put_long};

pub(super) fn run(program: &Program, datum: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut run =
        Run { steps: &program.steps, writer: &program.writer, cursor: Cursor::new(datum), starts: Vec::new() };
    run.step(program.root, out)?;
    run.cursor.end()
}

struct Run<'a> {
    steps: &'a [Step],
    writer: &'a Shapes,
    cursor: Cursor<'a>,
    /// Where the fields of the reordered records begin, the innermost record's last.
    starts: Vec<usize>,
}

impl Run<'_> {
    fn step(&mut self, id: Id, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let cursor = &mut self.cursor;
        match &self.steps[id] {
            Step::Copy(shape) => self.copy(&[*shape], out)?,
            Step::CopyRun(shapes) => self.copy(shapes, out)?,
            Step::Skip(shapes) => self.skip(shapes)?,
            Step::Literal(bytes) => out.extend_from_slice(bytes),
            Step::IntToFloat => out.extend((cursor.int()? as f32).to_le_bytes()),
            Step::IntToDouble => out.extend(f64::from(cursor.int()?).to_le_bytes()),
            Step::LongToFloat => out.extend((cursor.long()? as f32).to_le_bytes()),
            Step::LongToDouble => out.extend((cursor.long()? as f64).to_le_bytes()),
            Step::FloatToDouble => out.extend(f64::from(cursor.float()?).to_le_bytes()),
            Step::Enum(indexes) => match indexes[cursor.index(indexes.len())?] {
                Some(index) => put_long(out, index),
                None => return Err(cursor.malformed("the reader does not know this symbol")),
            },
            Step::Items { step, keyed } => self.items(*step, *keyed, out)?,
            Step::Sequence(steps) => {
                cursor.down()?;
                for &step in steps {
                    self.step(step, out)?;
                }
                self.cursor.up();
            }
            Step::Reorder { written, read } => self.reorder(written, read, out)?,
            Step::Branches(steps) => {
                let step = steps[cursor.index(steps.len())?];
                cursor.down()?;
                self.step(step, out)?;
                self.cursor.up();
            }
            Step::Wrap { index, step } => {
                put_long(out, *index);
                self.step(*step, out)?;
            }
            Step::Fail(why) => return Err(cursor.malformed(why.to_string())),
        }
        Ok(())
    }

    fn skip(&mut self, shapes: &[Id]) -> Result<(), Malformed> {
        shapes.iter().try_for_each(|&shape| self.cursor.scan(self.writer, shape))
    }

    fn copy(&mut self, shapes: &[Id], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let start = self.cursor.at;
        self.skip(shapes)?;
        out.extend_from_slice(self.cursor.since(start));
        Ok(())
    }

    fn items(&mut self, step: Id, keyed: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.cursor.down()?;
        loop {
            let count = self.cursor.block()?;
            put_long(out, i64::try_from(count).map_err(|_| self.cursor.malformed("a block is too long"))?);
            if count == 0 {
                break;
            }
            for _ in 0..count {
                let start = self.cursor.at;
                if keyed {
                    put_blob(out, self.cursor.blob()?);
                }
                self.step(step, out)?;
                self.cursor.item_since(start)?;
            }
        }
        self.cursor.up();
        Ok(())
    }

    fn reorder(&mut self, written: &[Id], read: &[(Option<usize>, Id)], out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.cursor.down()?;
        let base = self.starts.len();
        for &shape in written {
            self.starts.push(self.cursor.at);
            self.cursor.scan(self.writer, shape)?;
        }
        let end = self.cursor.at;
        for &(source, step) in read {
            if let Some(index) = source {
                self.cursor.at = self.starts[base + index];
            }
            self.step(step, out)?;
        }
        self.starts.truncate(base);
        self.cursor.at = end;
        self.cursor.up();
        Ok(())
    }
}
