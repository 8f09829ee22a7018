//! What goes with a closed file: its tags and manifests.

use super::super::boundaries::File;
use super::super::config::{Connector, Tags};
use super::super::manifest::Manifest;
use super::super::store::{Body, Closed};

pub(super) fn manifests(
    connector: &Connector,
    file: &File,
    bodies: &[Body],
    kinds: &[(&'static str, Option<u32>)],
) -> Vec<Manifest> {
    let one = |(body, (format, schema_id)): (&Body, &(&str, Option<u32>))| {
        Manifest::of(body, file, &connector.naming.delimiter, format, *schema_id)
    };
    bodies.iter().zip(kinds).map(one).collect()
}

pub(super) fn closing(
    tagged: Option<&Tags>,
    file: &File,
    bodies: Vec<Body>,
    manifests: Vec<Manifest>,
    only_new: bool,
) -> Closed {
    let mut tags = Vec::new();
    if let Some(wanted) = tagged {
        let numbers = [("endOffset", file.last), ("startOffset", file.first), ("recordCount", file.records as i64)];
        tags.extend(numbers.map(|(name, number)| (name.to_owned(), number.to_string())));
        tags.extend(wanted.more.iter().cloned());
    }
    Closed { bodies, manifests, tags, tags_required: tagged.is_some_and(|wanted| wanted.required), only_new }
}
