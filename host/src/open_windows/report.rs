//! What is reported: the owners' view of each window, with how far the sources have come since.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::window::{OpenWindow, Progress, SourcePartition, Windows};

pub(super) struct Report {
    pub(super) group: String,
    pub(super) plugins: Vec<Plugin>,
}

pub(super) struct Plugin {
    pub(super) name: String,
    /// `None`: groups that never close.
    pub(super) windows: Option<Windows>,
    /// The oldest first.
    pub(super) open: Vec<OpenWindow>,
    pub(super) inputs: Vec<Input>,
}

/// An input partition.
pub(super) struct Input {
    pub(super) source: SourcePartition,
    pub(super) progress: Progress,
}

/// One entry a window, though every partition has its own. Owners hear of a stream time only when it closes a window,
/// so what the sources have committed says better how far they are.
pub(super) fn merged(open: Vec<OpenWindow>, inputs: &[Input]) -> Vec<OpenWindow> {
    let mut windows: BTreeMap<Option<i64>, OpenWindow> = BTreeMap::new();
    for window in open {
        match windows.get_mut(&window.start) {
            None => {
                windows.insert(window.start, window);
            }
            Some(known) => {
                known.keys += window.keys;
                known.count += window.count;
                for held in window.held_back {
                    if !known.held_back.iter().any(|other| other.source == held.source) {
                        known.held_back.push(held);
                    }
                }
            }
        }
    }
    windows.into_values().map(|window| with_progress(window, inputs)).collect()
}

fn with_progress(mut window: OpenWindow, inputs: &[Input]) -> OpenWindow {
    let Some(closes_at) = window.closes_at else { return window };
    for held in &mut window.held_back {
        if let Some(input) = inputs.iter().find(|input| input.source == held.source) {
            held.stream_time = held.stream_time.max(input.progress.stream_time);
            held.since_ms = held.stream_time.map(|_| input.progress.at_ms);
            held.missing_ms = held.stream_time.map(|time| (closes_at - time).max(0));
        }
    }
    window.held_back.retain(|held| held.missing_ms != Some(0));
    window.held_back.sort_by_key(|held| held.stream_time);
    window
}

impl Report {
    pub(super) fn json(&self) -> Value {
        json!({ "group": self.group, "plugins": self.plugins.iter().map(plugin).collect::<Vec<_>>() })
    }
}

fn plugin(plugin: &Plugin) -> Value {
    let windows = plugin.windows.map(|windows| {
        json!({
            "size-ms": windows.size_ms,
            "advance-ms": windows.advance_ms,
            "grace-ms": windows.grace_ms,
            "retention-ms": windows.retention_ms,
            "idle-ms": windows.idle_ms,
        })
    });
    json!({
        "plugin": plugin.name,
        "windows": windows,
        "open": plugin.open.iter().map(window).collect::<Vec<_>>(),
        "inputs": plugin.inputs.iter().map(input).collect::<Vec<_>>(),
    })
}

fn window(window: &OpenWindow) -> Value {
    let held = window.held_back.iter().map(|held| {
        json!({
            "topic": &*held.source.topic,
            "partition": held.source.partition,
            "stream-time-ms": held.stream_time,
            "missing-ms": held.missing_ms,
            "since-ms": held.since_ms,
        })
    });
    json!({
        "start-ms": window.start,
        "end-ms": window.end,
        "closes-at-ms": window.closes_at,
        "keys": window.keys,
        "records": window.count,
        "held-back-by": held.collect::<Vec<_>>(),
    })
}

fn input(input: &Input) -> Value {
    let Progress { stream_time, at_ms, late, .. } = input.progress;
    json!({
        "topic": &*input.source.topic,
        "partition": input.source.partition,
        "stream-time-ms": stream_time,
        "at-ms": stream_time.map(|_| at_ms),
        "late-records": late.count,
        "lateness-ms-max": late.lateness_ms_max,
    })
}
