//! What is in the bucket: keys and bytes.

use super::access::Encryption;
use super::{Failure, Store};

impl Store {
    /// All keys that begin so, in their order.
    pub(in super::super) async fn keys(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let request = self.client.list_objects_v2().bucket(&self.access.bucket).prefix(prefix);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of(error, prefix))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }

    pub(in super::super) async fn get(&self, key: &str) -> Result<Vec<u8>, Failure> {
        let request = self.client.get_object().bucket(&self.access.bucket).key(key);
        let answer = with_customer_key!(self, request).send().await.map_err(|error| Failure::of(error, key))?;
        let body = answer.body.collect().await.map_err(|error| Failure::Away(format!("{key}: {error}")))?;
        Ok(body.to_vec())
    }
}
