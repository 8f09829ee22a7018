//! The names that a connector file may use. Names only: what they mean is read elsewhere.

use super::Connector;
use crate::connector_file::Known;

pub(super) const KNOWN: Known = Known { supported: SUPPORTED, refused: REFUSED };

/// Keys that mean something here, and those of `IGNORED`.
const SUPPORTED: &[&str] = &[
    "name",
    "connector.class",
    "tasks.max",
    "topics",
    "topics.regex",
    "format.class",
    "keys.format.class",
    "headers.format.class",
    "store.kafka.keys",
    "store.kafka.headers",
    "flush.size",
    "rotate.interval.ms",
    "rotate.schedule.interval.ms",
    "rotate.file.on.partition.change",
    "max.open.files.per.partition",
    "schema.compatibility",
    "partitioner.class",
    "partition.field.name",
    "partition.duration.ms",
    "path.format",
    "locale",
    "timezone",
    "timestamp.extractor",
    "timestamp.field",
    "tombstone.encoded.partition",
    "topics.dir",
    "directory.delim",
    "file.delim",
    "filename.offset.zero.pad.width",
    "storage.class",
    "store.url",
    "s3.bucket.name",
    "s3.region",
    "s3.part.size",
    "s3.wan.mode",
    "s3.ssea.name",
    "s3.sse.customer.key",
    "s3.sse.kms.key.id",
    "s3.acl.canned",
    "s3.object.tagging",
    "s3.object.tagging.key.value.pairs",
    "s3.object.behavior.on.tagging.error",
    "s3.path.style.access.enabled",
    "s3.part.retries",
    "s3.retry.backoff.ms",
    "s3.compression.type",
    "s3.compression.level",
    "s3.credentials.provider.class",
    "aws.access.key.id",
    "aws.secret.access.key",
    "enable.conditional.writes",
    "retry.backoff.ms",
    "avro.codec",
    "parquet.codec",
    "connect.meta.data",
    "enhanced.avro.schema.support",
    "json.decimal.format",
    "replace.null.with.default",
    "format.bytearray.extension",
    "format.bytearray.separator",
    "behavior.on.null.values",
    "errors.tolerance",
    "errors.log.enable",
    "errors.log.include.messages",
    "errors.deadletterqueue.topic.name",
    "errors.deadletterqueue.topic.replication.factor",
    "errors.deadletterqueue.context.headers.enable",
    "key.converter",
    "key.converter.schemas.enable",
    "value.converter",
    "value.converter.schemas.enable",
    "consumer.override.isolation.level",
    "consumer.override.auto.offset.reset",
    "smt.buffer.max.bytes",
    "smt.flush.idle.ms",
    "smt.manifest",
    "schema.generator.class",
    "schema.cache.size",
    "shutdown.timeout.ms",
    "key.converter.schema.registry.url",
    "value.converter.schema.registry.url",
    "header.converter",
    "s3.elastic.buffer.enable",
    "s3.elastic.buffer.init.capacity",
    "s3.http.send.expect.continue",
    "errors.retry.timeout",
    "errors.retry.delay.max.ms",
    "config.action.reload",
];

/// Keys that are accepted without an effect, with the reason that is logged.
pub(super) const IGNORED: &[(&str, &str)] = &[
    ("schema.generator.class", "it is no setting of the original either"),
    ("schema.cache.size", "a schema is kept as long as it is used"),
    ("shutdown.timeout.ms", "stopping waits for closed files only"),
    ("key.converter.schema.registry.url", "the registry is that of --registry"),
    ("value.converter.schema.registry.url", "the registry is that of --registry"),
    ("header.converter", "headers are written as text"),
    ("s3.elastic.buffer.enable", "buffers always grow as they are filled"),
    ("s3.elastic.buffer.init.capacity", "buffers always grow as they are filled"),
    ("s3.http.send.expect.continue", "the S3 client decides"),
    ("errors.retry.timeout", "what is away is waited for without limit; a bad record stays bad"),
    ("errors.retry.delay.max.ms", "what is away is waited for without limit; a bad record stays bad"),
    ("config.action.reload", "start again after a change"),
];

/// Keys of the original that are known, and whose effect smt-host does not have; with what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("transforms", "transforms run in a pipeline of their own: smt-host run"),
    ("predicates", "transforms run in a pipeline of their own: smt-host run"),
    ("hive", "there is no Hive integration"),
    ("s3.proxy", "set HTTPS_PROXY"),
    ("s3.credentials.provider", "credentials come from the AWS default chain: use a profile with role_arn"),
    ("s3.schema.partition.affix.type", "use a partitioner"),
    ("s3.json.decimal.format", "use json.decimal.format"),
    ("allow.optional.map.keys", "map keys are required in Avro files"),
    ("append.late.data", "late data close what is open, as by default in the original"),
    ("value.converter", "smt-host has AvroConverter's and JsonConverter's defaults"),
    ("key.converter", "smt-host has AvroConverter's and JsonConverter's defaults"),
    ("consumer.override", "pass librdkafka's property with -X"),
    ("admin.override", "pass librdkafka's property with -X"),
    ("producer.override", "pass librdkafka's property with -X"),
    ("confluent", "smt-host needs no licence"),
    ("reporter", "use errors.deadletterqueue.topic.name"),
];

impl Connector {
    /// All keys that mean something here.
    pub(crate) fn keys() -> &'static [&'static str] {
        KNOWN.supported
    }

    /// Names, or one pattern after `^`.
    pub(crate) fn topics(&self) -> &[String] {
        &self.topics
    }
}
