//! The least and the greatest.

use super::transparent;
use crate::accumulator::Accumulator;
use crate::codec::{Decode, Encode};

macro_rules! extreme {
    ($(#[$doc:meta])* $name:ident, $new:ident $better:tt $kept:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<T>(Option<T>);

        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self(None)
            }
        }

        impl<T: PartialOrd> $name<T> {
            /// What cannot be compared even to itself (NaN) counts for nothing.
            pub fn add(&mut self, $new: T) {
                let ordered = $new.partial_cmp(&$new).is_some();
                if ordered && self.0.as_ref().is_none_or(|$kept| $new $better *$kept) {
                    self.0 = Some($new);
                }
            }

            /// Of nothing there is none.
            pub fn get(&self) -> Option<&T> {
                self.0.as_ref()
            }
        }

        transparent!($name<T> as Option<T>);

        impl<T: PartialOrd + Clone + Encode + for<'a> Decode<'a>> Accumulator for $name<T> {
            fn merge(&mut self, newer: &Self) {
                if let Some(value) = &newer.0 {
                    self.add(value.clone());
                }
            }
        }
    };
}

extreme!(/** The least value. */ Min, new < kept);
extreme!(/** The greatest value. */ Max, new > kept);
