//! The embedded S3 as a client sees it: AWS's own SDK over the socket.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use smt_host::platform::s3::S3;

/// A client that tries once: a test sees every answer.
pub fn client(s3: &S3) -> Client {
    client_of(&s3.endpoint(), s3.region(), s3.access_key_id(), s3.secret_access_key())
}

/// The same of any server.
pub fn client_of(endpoint: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .force_path_style(true)
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(access_key_id, secret_access_key, None, None, "tests"))
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

/// An object as a reader finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub key: String,
    pub bytes: Vec<u8>,
    pub tags: BTreeMap<String, String>,
    pub content_type: Option<String>,
    pub encryption: Option<String>,
}

/// All objects of the server's bucket, in the order of their keys.
pub fn objects(s3: &S3) -> Vec<Stored> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(objects_of(&client(s3), s3.bucket()))
}

/// The same of any server, for tests that are asynchronous themselves.
pub async fn objects_of(client: &Client, bucket: &str) -> Vec<Stored> {
    let mut objects = Vec::new();
    for key in keys_of(client, bucket).await {
        let object = client.get_object().bucket(bucket).key(&key).send().await.expect("a listed object");
        let tags = client.get_object_tagging().bucket(bucket).key(&key).send().await.expect("its tags");
        objects.push(Stored {
            key,
            tags: tags.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            content_type: object.content_type,
            encryption: object.server_side_encryption.map(|algorithm| algorithm.as_str().to_owned()),
            bytes: object.body.collect().await.expect("its bytes").to_vec(),
        });
    }
    objects
}

/// All keys of a bucket, page after page.
pub async fn keys_of(client: &Client, bucket: &str) -> Vec<String> {
    let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.expect("a page").contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
    }
    keys
}
