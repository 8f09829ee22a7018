//! Accumulators: merged in parts they are what they are as a whole, and they survive being kept.
#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use smt_plugin::accumulators::{Count, Distinct, Max, Mean, Min, Sum};
use smt_plugin::{Accumulator, Decimal, decode_record};
use std::fmt::Debug;
use std::ops::AddAssign;

/// Every ready-made accumulator, and fields of plain types.
#[derive(Debug, Default, Clone, PartialEq, Accumulator)]
struct Everything {
    count: Count,
    long: Sum<i64>,
    int: Sum<i32>,
    price: Sum<Decimal<20, 2>>,
    least: Min<i64>,
    greatest: Max<String>,
    mean: Mean,
    distinct: Distinct<4>,
    maybe: Option<Sum<i64>>,
    list: Vec<i64>,
    #[accumulator(merge = i64::add_assign)]
    plain: i64,
    #[accumulator(merge = String::push_str)]
    text: String,
    #[accumulator(merge = |older: &mut bool, newer: &bool| *older |= newer)]
    odd: bool,
}

impl Everything {
    fn of(values: &[i64]) -> Self {
        let mut all = Self::default();
        values.iter().for_each(|&value| all.add(value));
        all
    }

    fn add(&mut self, value: i64) {
        self.count.increment();
        self.long.add(value);
        self.int.add(value as i32);
        self.price.add(Decimal(i128::from(value)));
        self.least.add(value);
        self.greatest.add(value.to_string());
        self.mean.add(f64::from(value as i8)); // Small whole numbers add up exactly.
        self.distinct.add(value.to_be_bytes());
        self.maybe.get_or_insert_default().add(value);
        self.list.push(value);
        self.plain = self.plain.wrapping_add(value & 0xff);
        self.text.push_str(&value.to_string());
        self.odd |= value & 1 == 1;
    }
}

fn merged<A: Accumulator>(mut older: A, newer: &A) -> A {
    older.merge(newer);
    older
}

fn kept<A: Accumulator>(accumulator: &A) -> A {
    decode_record(&bytes(accumulator)).unwrap()
}

fn bytes<A: Accumulator>(accumulator: &A) -> Vec<u8> {
    let mut bytes = Vec::new();
    accumulator.encode(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn merging_is_associative(a: Vec<i64>, b: Vec<i64>, c: Vec<i64>) {
        let [a, b, c] = [a, b, c].map(|values| Everything::of(&values));
        prop_assert_eq!(merged(merged(a.clone(), &b), &c), merged(a, &merged(b, &c)));
    }

    #[test]
    fn any_split_merges_to_the_whole(parts in vec(vec(any::<i64>(), 0..20), 0..6)) {
        let split = parts.iter().fold(Everything::default(), |sum, part| merged(sum, &Everything::of(part)));
        prop_assert_eq!(split, Everything::of(&parts.concat()));
    }

    #[test]
    fn what_is_kept_comes_back(values in vec(any::<i64>(), 0..50)) {
        let all = Everything::of(&values);
        prop_assert_eq!(kept(&all), all);
    }

    #[test]
    fn equal_sketches_are_equal_bytes_however_they_came_about(mut values in vec(0i64..500, 0..400), at in 0usize..400) {
        let sketch = |values: &[i64]| {
            let mut sketch = Distinct::<8>::default();
            values.iter().for_each(|value| sketch.add(value.to_be_bytes()));
            sketch
        };
        let (left, right) = values.split_at(at.min(values.len()));
        let parts = merged(sketch(left), &sketch(right));
        values.reverse();
        prop_assert_eq!(bytes(&parts), bytes(&sketch(&values)));
    }
}

#[test]
fn an_accumulator_is_as_small_as_its_numbers() {
    let mut count = Count::default();
    assert_eq!(bytes(&count), [0]);
    (0..64).for_each(|_| count.increment());
    assert_eq!(bytes(&count), [0x80, 1]);
    assert_eq!(bytes(&Min::<i64>::default()), [0]);
}

#[test]
fn whole_sums_wrap_so_that_their_order_never_matters() {
    let mut sum = Sum::<i64>::default();
    [i64::MAX, 1, -1].into_iter().for_each(|value| sum.add(value));
    assert_eq!(sum.get(), i64::MAX);
}

#[test]
fn of_nothing_there_is_no_mean_no_least_and_no_greatest() {
    assert_eq!(Mean::default().get(), None);
    assert_eq!(Min::<i64>::default().get(), None);
    let mut mean = Mean::default();
    [1.0, 2.0].into_iter().for_each(|value| mean.add(value));
    assert_eq!(mean.get(), Some(1.5));
}

#[test]
fn what_is_no_number_is_neither_least_nor_greatest() {
    let (mut least, mut greatest) = (Min::default(), Max::default());
    for value in [f64::NAN, 2.0, f64::NAN, -1.0] {
        least.add(value);
        greatest.add(value);
    }
    assert_eq!((least.get(), greatest.get()), (Some(&-1.0), Some(&2.0)));
}

fn sketch<const PRECISION: u32>(seed: u64, values: u64) -> Distinct<PRECISION> {
    let mut sketch = Distinct::default();
    (0..values).for_each(|value| sketch.add(format!("customer-{seed}-{value}")));
    sketch
}

/// Root of the mean square of the relative errors over `seeds` sets of so many values.
fn error<const PRECISION: u32>(values: u64, seeds: u64) -> f64 {
    let square = |seed| (sketch::<PRECISION>(seed, values).get() as f64 / values as f64 - 1.0).powi(2);
    ((0..seeds).map(square).sum::<f64>() / seeds as f64).sqrt()
}

#[test]
fn the_error_of_distinct_is_the_one_stated() {
    // Over 100 sets the root mean square itself varies by 7 %; 1.25 leaves three and a half times that.
    for values in [100, 1_000, 4_000, 20_000] {
        let (coarse, fine) = (error::<8>(values, 100), error::<12>(values, 30));
        assert!(coarse < 1.25 * 1.04 / 16.0, "precision 8, {values} values: {coarse}");
        assert!(fine < 1.5 * 1.04 / 64.0, "precision 12, {values} values: {fine}");
    }
}

#[test]
fn few_values_are_counted_nearly_exactly() {
    assert_eq!(Distinct::<12>::default().get(), 0);
    for values in [1, 2, 5, 10] {
        assert_eq!(sketch::<12>(0, values).get(), values as i64);
    }
    let mut twice = sketch::<12>(0, 10);
    twice.merge(&sketch(0, 10));
    assert_eq!(twice.get(), 10);
}

#[test]
fn a_sketch_never_takes_more_than_its_registers() {
    // Few are a list: two bytes that say how long it is, three for each register set.
    assert_eq!(bytes(&sketch::<12>(0, 600)).len() % 3, 2);
    assert!((1..200).all(|hundreds| bytes(&sketch::<12>(1, hundreds * 100)).len() <= 4_096 + 2));
}

#[test]
fn bytes_of_another_precision_or_no_sketch_at_all_are_refused() {
    let refused = |bytes: &[u8]| {
        let mut record = vec![(bytes.len() * 2) as u8];
        record.extend(bytes);
        decode_record::<Distinct<4>>(&record).is_err()
    };
    assert!(!refused(&[]));
    assert!(!refused(&[0, 0, 1, 0, 15, 61]), "the last register at its highest rank");
    assert!(refused(&[0, 16, 1]), "there is no register 16");
    assert!(refused(&[0, 0, 62]), "no rank is 62");
    assert!(refused(&[0, 0, 0]), "a register that is zero is not listed");
    assert!(refused(&[0, 1, 1, 0, 0, 1]), "out of order");
    assert!(refused(&[0, 0]), "cut short");
    assert!(!refused(&[61; 16]));
    assert!(refused(&[62; 16]), "no rank is 62");
}
