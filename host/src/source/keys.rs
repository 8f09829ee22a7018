//! The names that a connector file may use. Names only: what they mean is read elsewhere.

/// Keys that mean something here.
pub(super) const SUPPORTED: &[&str] = &[
    "name",
    "connector.class",
    "tasks.max",
    "connection.url",
    "connection.user",
    "connection.password",
    "connection.attempts",
    "connection.backoff.ms",
    "mode",
    "timestamp.column.name",
    "timestamp.delay.interval.ms",
    "timestamp.initial",
    "timestamp.granularity",
    "incrementing.column.name",
    "validate.non.null",
    "table.whitelist",
    "table.blacklist",
    "table.include.list",
    "table.exclude.list",
    "table.types",
    "table.poll.interval.ms",
    "query",
    "query.masked",
    "topic.prefix",
    "poll.interval.ms",
    "batch.max.rows",
    "query.suffix",
    "numeric.mapping",
    "numeric.precision.mapping",
    "db.timezone",
    "date.calendar.system",
    "dialect.name",
    "quote.sql.identifiers",
    "key.converter",
    "value.converter",
    "topic.creation.default.partitions",
    "topic.creation.default.replication.factor",
];

/// Keys of the original that are known, and whose effect smt-host does not have; with what to do instead.
pub(super) const UNSUPPORTED: &[(&str, &str)] = &[
    ("query.retry.attempts", "queries are repeated without limit while the database is away"),
    ("table.monitoring.startup.polling.limit.ms", "tables are looked up at start"),
    ("timestamp.columns.mapping", "use timestamp.column.name"),
    ("incrementing.column.mapping", "use incrementing.column.name"),
    ("catalog.pattern", "use table.whitelist with schema.table entries"),
    ("schema.pattern", "use table.whitelist with schema.table entries"),
    ("poll.linger.ms", "rows are sent as soon as they are read"),
    ("max.buffer.size", "rows are not buffered"),
    ("transaction.isolation.mode", "the database's default is used"),
    ("value.converter.schema.registry.url", "use --registry"),
    ("key.converter.schema.registry.url", "keys are null"),
    ("value.converter.schemas.enable", "values are Avro"),
    ("key.converter.schemas.enable", "keys are null"),
    ("header.converter", "records have no headers"),
    ("transforms", "transforms run in a pipeline of their own: smt-host run"),
    ("predicates", "transforms run in a pipeline of their own: smt-host run"),
    ("errors.tolerance", "a value that its schema cannot hold is always logged and left out"),
    ("errors.log.enable", "rejected records are always logged"),
    ("errors.log.include.messages", "a message never shows a record"),
    ("errors.retry.timeout", "failures of the database are retried without limit"),
    ("errors.retry.delay.max.ms", "use connection.backoff.ms"),
    ("exactly.once.support", "delivery is always exactly once"),
    ("transaction.boundary", "a transaction is a batch"),
    ("transaction.boundary.interval.ms", "a transaction is a batch"),
    ("offsets.storage.topic", "use --offsets-topic"),
    ("topic.creation.groups", "use topic.creation.default.partitions"),
    ("config.action.reload", "start again after a change"),
];

/// The allowed key nearest to a mistyped one, if any is near.
pub(super) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase());
    let near = names.into_iter().min_by_key(|name| distance(name))?;
    (distance(near) <= 2 + wrong.len() / 5).then_some(near)
}
