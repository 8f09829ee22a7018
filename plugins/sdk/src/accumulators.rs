//! Ready-made accumulators.

mod distinct;
mod extremes;
mod registers;
mod sums;

pub use distinct::Distinct;
pub use extremes::{Max, Min};
pub use sums::{Count, Mean, Sum, Summand};

/// Kept exactly as the one field is kept.
macro_rules! transparent {
    ($name:ident<$type:ident> as $kept:ty) => {
        impl<$type: $crate::AvroType> $crate::AvroType for $name<$type> {
            const NODE: $crate::schema::Node = <$kept as $crate::AvroType>::NODE;
        }
        impl<'a, $type: $crate::Decode<'a>> $crate::Decode<'a> for $name<$type> {
            fn decode(input: &mut $crate::Reader<'a>) -> Result<Self, $crate::DecodeError> {
                $crate::Decode::decode(input).map(Self)
            }
        }
        impl<$type: $crate::Encode> $crate::Encode for $name<$type> {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }
    };
}
use transparent;
