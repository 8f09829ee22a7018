//! Reading and writing the contract's columns, entry by entry.

use crate::guest::Column;

/// Entries in order; `None` for null and for any other negative length.
pub(super) fn entries(column: &Column) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = column.data.as_slice();
    column.lengths.iter().map(move |&length| {
        let length = usize::try_from(length).ok()?;
        let (entry, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(entry)
    })
}

pub(super) fn push(column: &mut Column, entry: &[u8]) {
    column.data.extend_from_slice(entry);
    column.lengths.push(i32::try_from(entry.len()).unwrap_or(i32::MAX)); // limits are far below 2 GiB
}

pub(super) fn empty() -> Column {
    Column { data: Vec::new(), lengths: Vec::new() }
}
