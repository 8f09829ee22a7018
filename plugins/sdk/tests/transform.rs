//! A transform with a context and settings that returns several records or a rejection.
#![allow(clippy::unwrap_used)]

use smt_plugin::plugin::describe;
use smt_plugin::{AvroRecord, Context, Reject, Settings, testing, transform};

#[derive(AvroRecord, Debug, PartialEq, Clone)]
struct Count {
    n: i64,
}

/// What the copier may be told.
#[derive(Settings, Debug)]
struct Limits {
    /// The most copies of one record.
    #[setting(default = "3")]
    most_copies: i64,
    /// What to multiply with.
    factor: i64,
}

/// Copies a record as often as it says.
#[transform(topic = "copies")]
fn copier(count: Count, context: &Context<'_>, limits: &Limits) -> Result<Vec<Count>, Reject> {
    if count.n > limits.most_copies {
        return Err(Reject::new("too many"));
    }
    Ok((0..count.n).map(|i| Count { n: i * limits.factor + context.timestamp }).collect())
}

#[test]
fn settings_are_declared_with_their_summaries_and_defaults() {
    let settings = describe::<copier>().settings;
    let [most, factor] = settings.as_slice() else { panic!("{settings:?}") };
    assert_eq!((most.name.as_str(), most.default.as_deref()), ("most-copies", Some("3")));
    assert_eq!(most.summary, "The most copies of one record.");
    assert_eq!((factor.name.as_str(), factor.default.as_deref()), ("factor", None));
}

#[test]
fn a_setting_that_does_not_parse_is_named() {
    let error = testing::settings::<Limits>(&[("most-copies", "many"), ("factor", "1")]).unwrap_err();
    assert_eq!(error, "most-copies: invalid digit found in string: \"many\"");
    assert_eq!(testing::settings::<Limits>(&[("most-copies", "1")]).unwrap_err(), "factor: missing");
}

#[test]
fn several_records_and_rejections_keep_the_numbers_of_their_inputs() {
    let limits = testing::settings(&[("most-copies", "3"), ("factor", "10")]).unwrap();
    let inputs = [2, 9, 0, 1].map(|n| Count { n });
    let outcome = testing::run::<copier>(&limits, 5, &inputs);
    assert_eq!(testing::emitted::<Count>(&outcome), [5, 15, 5].map(|n| Count { n }));
    assert_eq!(outcome.emitted.inputs, [0, 0, 3]);
    let rejections = outcome.rejections.iter().map(|r| (r.input, r.reason.as_str())).collect::<Vec<_>>();
    assert_eq!(rejections, [(1, "too many")]);
}
