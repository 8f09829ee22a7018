//! Merging many parts of many groups with few calls of the plugin.

use super::columns;
use super::functions::{Fault, Functions};

/// A call's pairs and bytes are bounded, as the plugin's memory is.
const PAIRS_MAX: usize = 10_000;
const BYTES_MAX: usize = 4 << 20;

/// Each chain is the parts of one group, the oldest first; afterwards it has one. A round merges neighbours, so that a
/// chain of n parts takes log n rounds: `merge` is associative, but need not be commutative. A fault's index is a
/// chain's number.
pub(super) fn reduce<F: Functions>(functions: &mut F, chains: &mut [Vec<Vec<u8>>]) -> Result<(), Fault> {
    loop {
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (chain, parts) in chains.iter().enumerate() {
            pairs.extend((0..parts.len() / 2).map(|pair| (chain, 2 * pair)));
        }
        if pairs.is_empty() {
            return Ok(());
        }
        let mut rest = pairs.as_slice();
        while !rest.is_empty() {
            let (call, after) = rest.split_at(fitting(chains, rest));
            merge(functions, chains, call)?;
            rest = after;
        }
        for parts in chains.iter_mut().filter(|parts| parts.len() > 1) {
            let mut left = false;
            parts.retain(|_| {
                left = !left;
                left
            });
        }
    }
}

/// How many of the pairs go into one call: at least one.
fn fitting(chains: &[Vec<Vec<u8>>], pairs: &[(usize, usize)]) -> usize {
    let mut bytes = 0;
    let fits = |&&(chain, at): &&(usize, usize)| {
        bytes += chains[chain][at].len() + chains[chain][at + 1].len();
        bytes <= BYTES_MAX
    };
    pairs.iter().take(PAIRS_MAX).take_while(fits).count().max(1)
}

/// The left part of each pair becomes the pair's sum.
fn merge<F: Functions>(functions: &mut F, chains: &mut [Vec<Vec<u8>>], pairs: &[(usize, usize)]) -> Result<(), Fault> {
    let (mut left, mut right) = (columns::empty(), columns::empty());
    for &(chain, at) in pairs {
        columns::push(&mut left, &chains[chain][at]);
        columns::push(&mut right, &chains[chain][at + 1]);
    }
    let merged = functions.merge(&left, &right).map_err(|fault| match fault {
        Fault::Group { index, failure } => {
            Fault::Group { index: pairs.get(index).map_or(0, |(chain, _)| *chain), failure }
        }
        instance => instance,
    })?;
    for (&(chain, at), sum) in pairs.iter().zip(columns::entries(&merged)) {
        let part = &mut chains[chain][at];
        part.clear();
        part.extend_from_slice(sum.unwrap_or_default());
    }
    Ok(())
}
