//! A polled batch, split into runs of one topic partition and one writer schema, in offset order.
//!
//! Never reorders within a partition: a schema that comes back later opens a new run.

use rdkafka::message::{BorrowedMessage, Message};

use super::resolve::Resolver;

/// Messages of one topic partition and one writer schema, by index into the polled batch.
#[derive(Default)]
pub struct Group {
    pub partition: i32,
    pub writer: u32,
    pub rows: Vec<u32>,
}

impl Group {
    /// Its first and its last message.
    pub fn ends<'m, 'c>(
        &self,
        messages: &'m [BorrowedMessage<'c>],
    ) -> (&'m BorrowedMessage<'c>, &'m BorrowedMessage<'c>) {
        let at = |index: u32| &messages[index as usize];
        (at(self.rows[0]), at(self.rows[self.rows.len() - 1]))
    }
}

/// Reused from batch to batch, so that grouping allocates nothing.
pub struct Groups {
    groups: Vec<Group>,
    used: usize,
    /// With one topic a partition's number says all; names are compared only where there are more.
    one_topic: bool,
}

impl Groups {
    pub fn new(topics: usize) -> Groups {
        Groups { groups: Vec::new(), used: 0, one_topic: topics == 1 }
    }

    /// The resolver says where a writer's schema id stands; without one, values carry none.
    pub fn fill(&mut self, messages: &[BorrowedMessage<'_>], resolver: Option<&Resolver>) {
        self.used = 0;
        for (index, message) in messages.iter().enumerate() {
            let writer = match (resolver, message.payload()) {
                (Some(resolver), Some(value)) => resolver.writer_id(value),
                _ => 0,
            };
            let found = self.open_run(messages, message, writer);
            self.groups[found].rows.push(index as u32);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups[..self.used].iter()
    }

    fn open_run(&mut self, messages: &[BorrowedMessage<'_>], message: &BorrowedMessage<'_>, writer: u32) -> usize {
        let same_partition = |group: &Group| {
            group.partition == message.partition()
                && (self.one_topic || messages[group.rows[0] as usize].topic() == message.topic())
        };
        // The latest run of this partition; an older one may not be added to, or order would break.
        if let Some(found) = (0..self.used).rev().find(|i| same_partition(&self.groups[*i]))
            && (self.groups[found].writer == writer || message.payload().is_none())
        {
            return found;
        }
        if self.used == self.groups.len() {
            self.groups.push(Group::default());
        }
        let group = &mut self.groups[self.used];
        group.partition = message.partition();
        group.writer = writer;
        group.rows.clear();
        self.used += 1;
        self.used - 1
    }
}
