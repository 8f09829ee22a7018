//! `#[transform]`: from a function to an exported component.

use crate::attributes::known;
use crate::signature::{Iterated, Signature};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::{Attribute, Expr, ExprLit, ItemFn, Lit, LitStr, Meta};

/// What a context has on request only, by the names of its fields.
pub(crate) const REQUESTS: [&str; 3] = ["key", "headers", "position"];

/// What stands in the attribute.
struct Arguments {
    topic: String,
    requests: Vec<&'static str>,
}

pub(crate) fn expand(arguments: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    let arguments = Arguments::parse(arguments)?;
    let signature = Signature::of(function)?;
    signature.check_requests(function, &arguments.requests)?;
    let (ident, visibility) = (&function.sig.ident, &function.vis);
    let implementation = implementation(function, &arguments, &signature);
    let exports = exports(ident);
    Ok(quote! {
        #function

        // A type may have the function's name: they live in different name spaces.
        #[allow(non_camel_case_types)]
        #[doc(hidden)]
        #visibility enum #ident {}

        #implementation
        #exports
    })
}

impl Arguments {
    fn parse(arguments: TokenStream) -> syn::Result<Self> {
        let (mut topic, mut requests) = (None, Vec::new());
        let parser = syn::meta::parser(|meta| {
            match known(&meta, &["topic", "key", "headers", "position"])? {
                "topic" => topic = Some(meta.value()?.parse::<LitStr>()?.value()),
                request => requests.push(request),
            }
            Ok(())
        });
        parser.parse2(arguments)?;
        let missing = || syn::Error::new(proc_macro2::Span::call_site(), "say where to: #[transform(topic = \"..\")]");
        Ok(Self { topic: topic.ok_or_else(missing)?, requests })
    }

    fn requests(&self, what: &str) -> bool {
        self.requests.contains(&what)
    }
}

fn implementation(function: &ItemFn, arguments: &Arguments, signature: &Signature) -> TokenStream {
    let ident = &function.sig.ident;
    let (name, topic, summary) = (ident.to_string(), &arguments.topic, doc(&function.attrs));
    let (key, headers) = (arguments.requests("key"), arguments.requests("headers"));
    let position = arguments.requests("position");
    let settings = signature.settings.as_ref().map_or_else(|| quote!(()), |ty| quote!(#ty));
    let (input, output, extra) = (&signature.input, &signature.output.ty, &signature.arguments);
    let returned = quote!(#ident(input, #(#extra),*));
    let returned = match signature.output.iterator {
        Iterated::No => returned,
        Iterated::Itself => quote!(::smt_plugin::Each(#returned)),
        Iterated::Within => quote!(#returned.map(::smt_plugin::Each)),
    };
    quote! {
        impl ::smt_plugin::plugin::Transform for #ident {
            type Settings = #settings;
            const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const SUMMARY: &'static str = #summary;
            const KEYS: bool = #key;

            fn input() -> ::smt_plugin::bindings::types::Format {
                <#input as ::smt_plugin::Input<'_>>::format()
            }
            fn wants() -> ::smt_plugin::bindings::types::Wants {
                ::smt_plugin::plugin::wants::<#input>(#headers, #position)
            }
            fn outputs() -> ::std::vec::Vec<::smt_plugin::bindings::types::Output> {
                <#output as ::smt_plugin::IntoEmitted>::outputs(::smt_plugin::Target { name: #name, topic: #topic })
            }
            #[allow(unused_variables)]
            fn run(
                value: ::core::option::Option<&[u8]>,
                context: &::smt_plugin::Context<'_>,
                settings: &Self::Settings,
                out: &mut ::smt_plugin::Emitter,
            ) -> ::core::result::Result<(), ::smt_plugin::Reject> {
                let input = <#input as ::smt_plugin::Input<'_>>::read(value)?;
                ::smt_plugin::IntoEmitted::emit(#returned, out)
            }
        }
    }
}

/// Exports exist in the sandbox only; natively the function is a function.
fn exports(ident: &syn::Ident) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use ::smt_plugin::{bindings::{setup, transformer, types}, plugin};

            static SETTINGS: ::std::sync::OnceLock<<#ident as plugin::Transform>::Settings> =
                ::std::sync::OnceLock::new();
            struct Exported;

            impl setup::Guest for Exported {
                fn describe() -> types::Description {
                    plugin::describe::<#ident>()
                }
                fn configure(
                    settings: ::std::vec::Vec<types::SettingValue>,
                ) -> ::core::result::Result<types::Wiring, ::std::string::String> {
                    plugin::configure::<#ident>(&SETTINGS, &settings)
                }
            }

            impl transformer::Guest for Exported {
                fn transform(batch: types::Batch) -> transformer::Outcome {
                    let settings = SETTINGS.get().expect("the host configures before it transforms");
                    plugin::transform::<#ident>(settings, &batch)
                }
            }

            ::smt_plugin::bindings::export_plugin!(Exported with_types_in ::smt_plugin::bindings);
        };
    }
}

/// The first paragraph of a doc comment.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|a| a.path().is_ident("doc")).filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
