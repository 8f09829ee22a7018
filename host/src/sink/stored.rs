//! A connector's objects as a reader of the bucket finds them: for audits. Changes nothing.

use futures_util::{StreamExt, TryStreamExt};

use super::config::Connector;
use super::store::{Failure, Store};
use crate::exit::{Exit, Stop};

/// Objects that are fetched at a time.
const AT_ONCE: usize = 8;

/// An object with values of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub partition: i32,
    /// The offset in its name.
    pub first: i64,
    pub bytes: Vec<u8>,
}

/// All objects with values of `topic`, by partition and offset.
pub fn stored(connector: &Connector, topic: &str) -> Result<Vec<Stored>, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::new(Exit::Bug, format!("no runtime: {error}")))?;
    let unread = |failure: Failure| Stop::dependency(format!("{} cannot be read: {failure}", connector.access));
    runtime.block_on(async {
        let store = &Store::open(&connector.access).await?;
        let keys = store.keys(&connector.naming.front(topic)).await.map_err(unread)?;
        let values = keys.iter().filter_map(|key| Some((key, connector.naming.value(topic, key)?)));
        let fetched = values.map(|(key, (partition, first))| async move {
            Ok::<_, Failure>(Stored { partition, first, bytes: store.get(key).await? })
        });
        let fetched: Vec<_> = fetched.collect();
        let mut found: Vec<Stored> =
            futures_util::stream::iter(fetched).buffered(AT_ONCE).try_collect().await.map_err(unread)?;
        found.sort_by_key(|object| (object.partition, object.first));
        Ok(found)
    })
}
