//! Finds the guilty records of a batch that failed. It never blames a record that was not run alone.

use std::ops::Range;

use super::Failure;

/// What held up, in input order, and who did not.
pub(super) struct Found<T> {
    pub(super) good: Vec<(Range<usize>, T)>,
    pub(super) guilty: Vec<(usize, Failure)>,
}

impl<T> Default for Found<T> {
    fn default() -> Found<T> {
        Found { good: Vec::new(), guilty: Vec::new() }
    }
}

/// `run` is given ever smaller parts of `whole`, which has just failed with `failure`; the first guilty come first,
/// and after `in_row_max` of them in a row the rest stays unknown.
pub(super) fn bisect<T, E>(
    whole: Range<usize>,
    failure: Failure,
    in_row_max: usize,
    run: &mut dyn FnMut(Range<usize>) -> Result<Result<T, Failure>, E>,
) -> Result<Found<T>, E> {
    let mut found: Found<T> = Found::default();
    let mut in_row = 0;
    // Parts still to be run, the next one last; a part that has failed already brings its failure.
    let mut todo = vec![(whole, Some(failure))];
    while let Some((part, failed)) = todo.pop() {
        let failure = match failed {
            Some(failure) => failure,
            None => match run(part.clone())? {
                Ok(outcome) => {
                    found.good.push((part, outcome));
                    continue;
                }
                Err(failure) => failure,
            },
        };
        if part.len() == 1 {
            let follows = found.guilty.last().is_some_and(|(last, _)| last + 1 == part.start);
            in_row = if follows { in_row + 1 } else { 1 };
            found.guilty.push((part.start, failure));
            if in_row >= in_row_max {
                break;
            }
            continue;
        }
        let middle = part.start + part.len() / 2;
        todo.push((middle..part.end, None));
        todo.push((part.start..middle, None));
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn failure() -> Failure {
        Failure::Contract { reason: "bad".into() }
    }

    fn with_bad(n: usize, bad: &[usize], in_row_max: usize) -> (Found<()>, usize) {
        let mut runs = 0;
        let found = bisect::<(), Infallible>(0..n, failure(), in_row_max, &mut |part| {
            runs += 1;
            Ok(if bad.iter().any(|b| part.contains(b)) { Err(failure()) } else { Ok(()) })
        });
        (found.unwrap(), runs)
    }

    #[test]
    fn exactly_the_guilty_are_found_and_order_is_kept() {
        let bad = [0, 17, 18, 999];
        let (found, runs) = with_bad(1000, &bad, usize::MAX);
        assert_eq!(found.guilty.iter().map(|(i, _)| *i).collect::<Vec<_>>(), bad);
        let good: Vec<usize> = found.good.into_iter().flat_map(|(part, ())| part).collect();
        assert_eq!(good, (0..1000).filter(|i| !bad.contains(i)).collect::<Vec<_>>());
        assert!(runs < 90, "{runs}");
    }

    #[test]
    fn a_batch_that_fails_only_as_a_whole_blames_nobody() {
        let (found, runs) = with_bad(8, &[], usize::MAX);
        assert!(found.guilty.is_empty());
        assert_eq!((found.good.len(), runs), (2, 2));
    }

    #[test]
    fn a_single_record_is_blamed_without_another_run() {
        let (found, runs) = with_bad(1, &[0], usize::MAX);
        assert_eq!((found.guilty.len(), runs), (1, 0));
    }

    #[test]
    fn a_search_for_the_first_guilty_ends_with_it() {
        let (found, runs) = with_bad(1000, &[17, 18, 999], 1);
        assert_eq!(found.guilty.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [17]);
        assert!(runs < 20, "{runs}");
    }
    #[test]
    fn a_search_ends_with_the_last_of_so_many_guilty_in_a_row() {
        let bad = [0, 1, 5, 6, 7, 8, 9];
        let guilty = |in_row_max| with_bad(100, &bad, in_row_max).0.guilty.len();
        assert_eq!([guilty(2), guilty(3), guilty(5), guilty(6)], [2, 5, 7, 7]);
    }
}
