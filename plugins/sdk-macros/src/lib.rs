//! The derives and the attribute of smt-plugin. Use them through that crate.

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
use syn::{DeriveInput, ItemFn, parse_macro_input};

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
