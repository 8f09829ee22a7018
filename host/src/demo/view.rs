//! What the demo shows while records flow: redrawn in place on a terminal, plain lines elsewhere.
//!
//! It only shows: whether all has arrived is decided elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(1);
const WIDTH_UNKNOWN: usize = 100;

/// One place on the way, and how many records have come so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) count: u64,
    /// Of so many that were read.
    pub(super) of: Option<u64>,
}

pub(super) struct View {
    terminal: bool,
    shown: Vec<Stage>,
    rates: Vec<u64>,
    at: Instant,
    /// How many lines stand there to be drawn over.
    drawn: usize,
}

impl View {
    pub(super) fn new() -> View {
        let terminal = std::io::stdout().is_terminal();
        View { terminal, shown: Vec::new(), rates: Vec::new(), at: Instant::now(), drawn: 0 }
    }

    /// Whether what is shown is drawn over; else it stays, line after line.
    pub(super) fn is_drawn(&self) -> bool {
        self.terminal
    }

    /// Called often: rates are taken once a second.
    pub(super) fn show(&mut self, stages: &[Stage], notes: &[String], last: bool) {
        let due = self.at.elapsed() >= EVERY;
        let changed = self.shown != stages;
        if due || last || self.rates.is_empty() {
            let seconds = self.at.elapsed().as_secs_f64();
            let before = |i: usize| self.shown.get(i).map_or(0, |stage| stage.count);
            let rate = |(i, stage): (usize, &Stage)| per_second(stage.count.saturating_sub(before(i)), seconds);
            self.rates = stages.iter().enumerate().map(rate).collect();
            (self.shown, self.at) = (stages.to_vec(), Instant::now());
        }
        if self.terminal {
            self.redraw(&table(stages, &self.rates, notes, width()));
        } else if changed && (due || last) {
            println!("{}", line(stages, &self.rates));
        }
    }

    fn redraw(&mut self, lines: &[String]) {
        let mut out = String::new();
        if self.drawn > 0 {
            out.push_str(&format!("\x1b[{}A", self.drawn));
        }
        for line in lines {
            out.push_str(&format!("\x1b[2K{line}\n"));
        }
        // What stood below is gone where there are fewer lines now.
        out.push_str("\x1b[J");
        self.drawn = lines.len();
        let mut stdout = std::io::stdout();
        stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()).ok();
    }
}

fn per_second(count: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (count as f64 / seconds).round() as u64 } else { 0 }
}

/// A line that wraps could not be drawn over.
fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(WIDTH_UNKNOWN, |size| usize::from(size.ws_col).max(20))
}

fn table(stages: &[Stage], rates: &[u64], notes: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![format!("{:<26}{:>10}{:>8}", "", "so far", "per s")];
    for (stage, rate) in stages.iter().zip(rates) {
        let of = stage.of.map_or_else(String::new, |of| format!("   of {of} read"));
        lines.push(format!("{:<26}{:>10}{:>8}{of}", stage.name, stage.count, rate));
    }
    lines.extend(notes.iter().map(|note| format!("  {note}")));
    lines.iter().map(|line| line.chars().take(width - 1).collect()).collect()
}

fn line(stages: &[Stage], rates: &[u64]) -> String {
    let one = |(stage, rate): (&Stage, &u64)| {
        let of = stage.of.map_or_else(String::new, |of| format!(" of {of}"));
        format!("{} {}{of} ({rate}/s)", stage.name, stage.count)
    };
    stages.iter().zip(rates).map(one).collect::<Vec<_>>().join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages() -> Vec<Stage> {
        vec![
            Stage { name: "table customers".into(), count: 500, of: None },
            Stage { name: "topic jovens".into(), count: 120, of: Some(480) },
        ]
    }

    #[test]
    fn a_plain_line_has_counts_and_rates_of_each_stage() {
        let text = line(&stages(), &[100, 24]);
        assert_eq!(text, "table customers 500 (100/s) → topic jovens 120 of 480 (24/s)");
    }

    #[test]
    fn a_drawn_line_never_wraps_and_every_note_has_its_own() {
        let lines = table(&stages(), &[100, 24], &["{\"NOME\":\"Ação\"}".to_owned()], 40);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.chars().count() < 40), "{lines:?}");
        assert_eq!(lines[3], "  {\"NOME\":\"Ação\"}");
    }

    #[test]
    fn a_rate_is_per_second_and_no_time_is_no_rate() {
        assert_eq!((per_second(10, 2.0), per_second(1, 0.0)), (5, 0));
    }
}
