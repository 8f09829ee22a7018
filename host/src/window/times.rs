//! What an owner knows of time: the stream time of each source partition, and the watermark they allow.

use std::collections::BTreeMap;

use super::time::SourcePartition;
use super::wire;

/// Part of an owner's state, so it changes with the repartition log alone (`since_ms` is for people).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Times {
    sources: BTreeMap<SourcePartition, SourceTime>,
    watermark: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SourceTime {
    /// `None`: never heard of, so it holds the watermark back.
    pub(super) stream_time: Option<i64>,
    /// The wall clock when it last moved; `None` if it has not since the start.
    pub(super) since_ms: Option<i64>,
}

impl Times {
    pub(super) fn new(sources: impl IntoIterator<Item = SourcePartition>) -> Times {
        Times { sources: sources.into_iter().map(|source| (source, SourceTime::default())).collect(), watermark: None }
    }

    /// Source partitions that are no more do not come back; the watermark never goes back.
    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<(), wire::Unreadable> {
        let (watermark, times) = wire::decode_meta(bytes)?;
        self.watermark = watermark;
        for (source, time) in times {
            if let Some(known) = self.sources.get_mut(&source) {
                known.stream_time = Some(time);
            }
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let heard: Vec<_> =
            self.sources.iter().filter_map(|(source, time)| Some((source, time.stream_time?))).collect();
        wire::encode_meta(self.watermark, heard.into_iter())
    }

    /// A partition not known at the start, since the topic grew, is known from now on.
    pub(super) fn hear(&mut self, source: SourcePartition, stream_time: i64, now_ms: i64) {
        let known = self.sources.entry(source).or_default();
        if known.stream_time.is_none_or(|before| before < stream_time) {
            *known = SourceTime { stream_time: Some(stream_time), since_ms: Some(now_ms) };
        }
        // `None`, never heard, is the least.
        let least = self.sources.values().map(|time| time.stream_time).min().flatten();
        self.watermark = self.watermark.max(least);
    }

    /// Every source partition has passed it.
    pub(super) fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = (&SourcePartition, SourceTime)> {
        self.sources.iter().map(|(source, time)| (source, *time))
    }
}
