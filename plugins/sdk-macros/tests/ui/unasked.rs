//! What a context has on request only.

use smt_plugin::{Context, transform};

#[transform(topic = "t")]
fn keyed(name: &str, context: &Context<'_>) -> bool {
    context.key == Some(name.as_bytes())
}

#[transform(topic = "t", key)]
fn traced(_name: &str, context: &Context<'_>) -> bool {
    context.key.is_some() && context.headers.get("trace").is_some()
}

fn main() {}
