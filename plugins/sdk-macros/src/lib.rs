//! The derives and the attribute of smt-plugin. Use them through that crate.

mod accumulator;
mod aggregate;
mod attributes;
mod enumeration;
mod literal;
mod outputs;
mod record;
mod settings;
mod signature;
mod transform;
mod unsupported;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, ItemImpl, parse_macro_input};

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// An Avro record: schema, decoding and encoding of a struct with named fields and at most one lifetime.
///
/// On the struct: `#[avro(name = "..", namespace = "..", rename_all = "UPPERCASE", connect)]`.
/// On a field: `#[avro(rename = "..", default = .., doc = "..", fixed = "..")]`.
#[proc_macro_derive(AvroRecord, attributes(avro))]
pub fn avro_record(input: TokenStream) -> TokenStream {
    expand(record::derive(&parse_macro_input!(input as DeriveInput)))
}

/// An Avro enum, from an enum without fields: `#[avro(name, namespace, rename_all)]`, on a variant `#[avro(rename)]`.
#[proc_macro_derive(AvroEnum, attributes(avro))]
pub fn avro_enum(input: TokenStream) -> TokenStream {
    expand(enumeration::derive(&parse_macro_input!(input as DeriveInput)))
}

/// A plugin's settings: a struct of types that parse from text. A field's doc comment is its summary, underscores in
/// its name become hyphens, and `#[setting(default = "..")]` is the text it has unasked.
#[proc_macro_derive(Settings, attributes(setting))]
pub fn settings(input: TokenStream) -> TokenStream {
    expand(settings::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Several outputs: an enum with a record in each variant, or a `Record<..>`, or `Keep` for the input as it is. An
/// output is named after its variant in lower case; `#[output(topic = "..")]` is its topic, else the transform's.
#[proc_macro_derive(Outputs, attributes(output))]
pub fn outputs(input: TokenStream) -> TokenStream {
    expand(outputs::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Makes a function the plugin: `#[transform(topic = "..", key, headers, position)]`, the last three to fill the fields
/// of that name in its `Context`. The function stays callable.
///
/// It takes the input (what implements `Input`), then optionally `&Context<'_>` and a reference to the settings, in
/// this order or the other, and returns what implements `IntoEmitted`, or an `impl Iterator` of that.
#[proc_macro_attribute]
pub fn transform(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand(transform::expand(arguments.into(), &parse_macro_input!(function as ItemFn)))
}

/// A struct of accumulators is an accumulator, merged field by field. A field of another type says how:
/// `#[accumulator(merge = i64::add_assign)]`, a function of `&mut` the older and `&` the newer value.
#[proc_macro_derive(Accumulator, attributes(accumulator, avro))]
pub fn accumulator(input: TokenStream) -> TokenStream {
    expand(accumulator::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Makes a type the plugin: on its `impl Aggregate for ..`, `#[aggregate(topic = "..", tumbling = "30s")]`.
///
/// Windows: `tumbling = "30s"`, or `hopping = "30s", advance = "10s"`, or none: one group a key for ever. With a window
/// `grace`, `retention` and `idle` (durations) and `emit = "final"` (else `"changes"`). `time = "field"` is the input's
/// field with the event time, `partitioned` says that the input already stands where its groups do, and `version` is
/// raised when accumulators of an older build can no longer be read. `check`, `key`, `add` and `finish` take a reference
/// to the settings last, or do without. The summary is the implementation's doc comment.
#[proc_macro_attribute]
pub fn aggregate(arguments: TokenStream, implementation: TokenStream) -> TokenStream {
    expand(aggregate::expand(arguments.into(), parse_macro_input!(implementation as ItemImpl)))
}
