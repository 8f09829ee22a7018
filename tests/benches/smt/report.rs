//! How figures are printed.

/// The middle one; of an even number, the lower of the two in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[(figures.len() - 1) / 2]
}

pub(crate) fn heading(what: &str, target: &str) {
    println!("\n{what}   ({target})");
}

pub(crate) fn row(cells: &[&str]) {
    let line: Vec<String> = cells.iter().map(|cell| format!("{cell:>14}")).collect();
    println!("{}", line.join("  "));
}

/// Alternates two measurements, so that a noisy moment hurts both; gives their medians.
pub(crate) fn alternate(rounds: usize, mut first: impl FnMut() -> f64, mut second: impl FnMut() -> f64) -> (f64, f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        a.push(first());
        b.push(second());
    }
    (median(a), median(b))
}
