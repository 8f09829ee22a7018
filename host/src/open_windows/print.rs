//! A report as tables, for people. Times are UTC.

use std::fmt::Write as _;

use comfy_table::Table;
use jiff::{SignedDuration, Timestamp};

use super::report::{Input, Plugin, Report};
use crate::window::{HeldBack, OpenWindow, Windows};

/// So many partitions are named as the reason of one window.
const REASONS_MAX: usize = 3;

pub(super) fn text(report: &Report, now_ms: i64) -> String {
    let mut out = String::new();
    for plugin in &report.plugins {
        // Writing to a string cannot fail.
        writeln!(out, "plugin {} of group {}: {}\n", plugin.name, report.group, about(plugin)).ok();
        if !plugin.open.is_empty() {
            writeln!(out, "{}\n", windows(plugin, now_ms)).ok();
        }
        writeln!(out, "{}\n", inputs(plugin, now_ms)).ok();
    }
    out
}

fn about(plugin: &Plugin) -> String {
    let Some(Windows { size_ms, advance_ms, grace_ms, idle_ms, .. }) = plugin.windows else {
        return "groups without windows, which never close".to_owned();
    };
    let every = if advance_ms == size_ms { String::new() } else { format!(" every {}", duration(advance_ms)) };
    let idle = idle_ms.map_or_else(|| "never idle".to_owned(), |ms| format!("idle after {}", duration(ms)));
    let open = plugin.open.len();
    format!("windows of {}{every}, grace {}, {idle}; {open} open", duration(size_ms), duration(grace_ms))
}

fn windows(plugin: &Plugin, now_ms: i64) -> Table {
    let mut table = table(["window (UTC)", "keys", "records", "open because"]);
    for window in &plugin.open {
        table.add_row([span(window), window.keys.to_string(), window.count.to_string(), reasons(window, now_ms)]);
    }
    table
}

fn span(window: &OpenWindow) -> String {
    let (Some(start), Some(end)) = (window.start, window.end) else { return "all time".to_owned() };
    let (start, end) = (time(start), time(end));
    // The day is said once.
    let same_day = start.get(..11).is_some_and(|day| end.starts_with(day));
    format!("{start} – {}", if same_day { &end[11..] } else { &end })
}

fn reasons(window: &OpenWindow, now_ms: i64) -> String {
    if window.start.is_none() {
        return "it has no end".to_owned();
    }
    if window.held_back.is_empty() {
        return "its owner has not yet heard that all inputs have passed it".to_owned();
    }
    let mut lines: Vec<String> = window.held_back.iter().take(REASONS_MAX).map(|held| reason(held, now_ms)).collect();
    if window.held_back.len() > REASONS_MAX {
        lines.push(format!("and {} other partitions", window.held_back.len() - REASONS_MAX));
    }
    lines.join("\n")
}

fn reason(held: &HeldBack, now_ms: i64) -> String {
    let (Some(at), Some(missing)) = (held.stream_time, held.missing_ms) else {
        return format!("{} was never heard of", held.source);
    };
    let since = held.since_ms.map_or_else(String::new, |since| format!(", since {}", ago(since, now_ms)));
    format!("{} is at {}, {} short{since}", held.source, time(at), duration(missing))
}

fn inputs(plugin: &Plugin, now_ms: i64) -> Table {
    let mut table = table(["input", "stream time (UTC)", "since", "late records", "latest by"]);
    for Input { source, progress } in &plugin.inputs {
        let known = |text: String| if progress.stream_time.is_some() { text } else { "-".to_owned() };
        let late = progress.late;
        let by = if late.count == 0 { "-".to_owned() } else { duration(late.lateness_ms_max) };
        table.add_row([
            source.to_string(),
            known(time(progress.stream_time.unwrap_or_default())),
            known(ago(progress.at_ms, now_ms)),
            late.count.to_string(),
            by,
        ]);
    }
    table
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(header);
    table
}

/// `2021-04-12 23:26:00`, with a fraction where there is one.
fn time(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S%.f").to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

fn ago(ms: i64, now_ms: i64) -> String {
    format!("{} ago", duration((now_ms - ms).max(0) / 1000 * 1000))
}

fn duration(ms: i64) -> String {
    format!("{:#}", SignedDuration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{Declared, Late, Progress, SourcePartition};
    use expect_test::expect;

    const NOW: i64 = 1_618_269_975_000;

    fn input(partition: i32, stream_time: Option<i64>, late: Late) -> Input {
        let progress = Progress { stream_time, at_ms: NOW - 4_000, sent: None, late };
        Input { source: SourcePartition::new("idadeclass", partition), progress }
    }

    fn held(partition: i32, stream_time: Option<i64>) -> HeldBack {
        let source = SourcePartition::new("idadeclass", partition);
        HeldBack { source, stream_time, missing_ms: None, since_ms: None }
    }

    fn open(start: i64, keys: u64, held_back: Vec<HeldBack>) -> OpenWindow {
        let (end, closes_at) = (Some(start + 30_000), Some(start + 35_000));
        OpenWindow { start: Some(start), end, closes_at, keys, count: 10 * keys, held_back }
    }

    #[test]
    fn a_report_says_what_is_open_and_who_holds_it() {
        let declared =
            Declared { size_ms: 30_000, advance_ms: 30_000, grace_ms: Some(5_000), retention_ms: None, idle_ms: None };
        let start = 1_618_269_960_000;
        let late = Late { count: 3, lateness_ms_max: 61_500 };
        let inputs = vec![input(0, Some(start + 12_250), late), input(1, None, Late::default())];
        let all = || vec![held(0, None), held(1, None)];
        // Two partitions with keys in the first window; only the first input has come to the second.
        let windows = vec![open(start, 2, all()), open(start, 1, all()), open(start - 30_000, 1, vec![held(0, None)])];
        let plugin = Plugin {
            name: "idadecont".to_owned(),
            windows: Windows::new(declared).ok(),
            open: super::super::report::merged(windows, &inputs),
            inputs,
        };
        let report = Report { group: "smt-idadecont".to_owned(), plugins: vec![plugin] };
        expect![[r#"
            plugin idadecont of group smt-idadecont: windows of 30s, grace 5s, idle after 30s; 2 open

            | window (UTC)                   | keys | records | open because                                                             |
            |--------------------------------|------|---------|--------------------------------------------------------------------------|
            | 2021-04-12 23:25:30 – 23:26:00 | 1    | 10      | its owner has not yet heard that all inputs have passed it               |
            | 2021-04-12 23:26:00 – 23:26:30 | 3    | 30      | idadeclass-1 was never heard of                                          |
            |                                |      |         | idadeclass-0 is at 2021-04-12 23:26:12.25, 22s 750ms short, since 4s ago |

            | input        | stream time (UTC)      | since  | late records | latest by   |
            |--------------|------------------------|--------|--------------|-------------|
            | idadeclass-0 | 2021-04-12 23:26:12.25 | 4s ago | 3            | 1m 1s 500ms |
            | idadeclass-1 | -                      | -      | 0            | -           |

        "#]].assert_eq(&text(&report, NOW));
        let json = report.json();
        assert_eq!(json["plugins"][0]["open"][1]["held-back-by"][1]["missing-ms"], 22_750);
        assert!(json["plugins"][0]["inputs"][1]["at-ms"].is_null());
    }

    #[test]
    fn groups_without_windows_have_no_end() {
        let window = OpenWindow { start: None, end: None, closes_at: None, keys: 2, count: 9, held_back: Vec::new() };
        let plugin = Plugin { name: "all".to_owned(), windows: None, open: vec![window], inputs: Vec::new() };
        let shown = text(&Report { group: "g".to_owned(), plugins: vec![plugin] }, NOW);
        assert!(shown.starts_with("plugin all of group g: groups without windows, which never close"), "{shown}");
        assert!(shown.contains("| all time     | 2    | 9       | it has no end |"), "{shown}");
    }

    #[test]
    fn a_window_over_midnight_names_both_days() {
        let mut window = open(0, 1, Vec::new());
        assert_eq!(span(&window), "1970-01-01 00:00:00 – 00:00:30");
        (window.start, window.end) = (Some(86_399_500), Some(86_400_500));
        assert_eq!(span(&window), "1970-01-01 23:59:59.5 – 1970-01-02 00:00:00.5");
    }
}
