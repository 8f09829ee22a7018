//! Columns taken apart and put together.

use smt_plugin::bindings::types::Column;

/// The strings of a column, null as an empty one.
pub(crate) fn strings(column: &Column) -> impl Iterator<Item = &[u8]> {
    let mut rest = column.data.as_slice();
    column.lengths.iter().map(move |&length| {
        let (string, after) = rest.split_at(usize::try_from(length).unwrap_or(0));
        rest = after;
        string
    })
}

pub(crate) fn column(strings: impl IntoIterator<Item = Vec<u8>>) -> Column {
    let mut all = Column { data: Vec::new(), lengths: Vec::new() };
    for string in strings {
        all.lengths.push(string.len() as i32);
        all.data.extend(string);
    }
    all
}

/// The last string gone.
pub(crate) fn fewer(mut column: Column) -> Column {
    let last = column.lengths.pop().unwrap_or(0);
    column.data.truncate(column.data.len() - usize::try_from(last).unwrap_or(0));
    column
}

/// One string more.
pub(crate) fn more(mut column: Column) -> Column {
    column.lengths.push(1);
    column.data.push(0);
    column
}
