//! What can go wrong.

/// Which function misbehaves, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Accumulators grow by a megabyte with each marked record.
    Grow,
    /// Accumulators of no bytes at all; that is allowed.
    Empty,
    /// Reject marked records.
    Reject,
    TrapGrouping,
    TrapPartial,
    TrapMerge,
    TrapFinish,
    /// Never return.
    SpinPartial,
    SpinMerge,
    /// No fault: keys in Avro, of at most 63 bytes.
    AvroKey,
    /// Rows of 900 bytes.
    WideRow,
    /// A window whose advance does not divide its size.
    UnevenWindow,
    /// A window of no size.
    EmptyWindow,
    /// Final counts of windows that there are not.
    FinalForever,
    /// No fault where it is true: say that the input stands where its groups do.
    Partitioned,
    /// Fold a record into a group that does not exist.
    LieGroup,
    /// Say nothing of the batch's last record.
    LieCount,
    /// Fewer keys than accumulators.
    LieKeys,
    /// Announce more bytes than there are.
    LieLengths,
    /// Groups whose key is null.
    NullKey,
    /// Fewer accumulators than pairs.
    MergeFewer,
    /// More accumulators than pairs.
    MergeMore,
    /// Rows of groups in falling order; with one group there is no such order.
    FinishDecreasing,
    /// Rows of a group that does not exist.
    FinishIndex,
}

const NAMES: [(&str, Fault); 25] = [
    ("none", Fault::None),
    ("grow", Fault::Grow),
    ("empty", Fault::Empty),
    ("reject", Fault::Reject),
    ("trap-grouping", Fault::TrapGrouping),
    ("trap-partial", Fault::TrapPartial),
    ("trap-merge", Fault::TrapMerge),
    ("trap-finish", Fault::TrapFinish),
    ("spin-partial", Fault::SpinPartial),
    ("avro-key", Fault::AvroKey),
    ("wide-row", Fault::WideRow),
    ("spin-merge", Fault::SpinMerge),
    ("uneven-window", Fault::UnevenWindow),
    ("empty-window", Fault::EmptyWindow),
    ("final-forever", Fault::FinalForever),
    ("partitioned", Fault::Partitioned),
    ("lie-group", Fault::LieGroup),
    ("lie-count", Fault::LieCount),
    ("lie-keys", Fault::LieKeys),
    ("lie-lengths", Fault::LieLengths),
    ("null-key", Fault::NullKey),
    ("merge-fewer", Fault::MergeFewer),
    ("merge-more", Fault::MergeMore),
    ("finish-decreasing", Fault::FinishDecreasing),
    ("finish-index", Fault::FinishIndex),
];

impl Fault {
    pub fn parse(text: &str) -> Option<Self> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, fault)| *fault)
    }

    pub fn names() -> [&'static str; NAMES.len()] {
        NAMES.map(|(name, _)| name)
    }
}
