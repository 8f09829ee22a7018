//! `#[aggregate]`: from an implementation of `Aggregate` to an exported component.

mod grouping;

use crate::transform::doc;
use grouping::Arguments;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{ImplItem, ItemImpl, Type, parse_quote};

pub(crate) fn expand(arguments: TokenStream, mut implementation: ItemImpl) -> syn::Result<TokenStream> {
    let arguments = Arguments::parse(arguments)?;
    if let Some(parameter) = implementation.generics.params.first() {
        return Err(syn::Error::new_spanned(parameter, "an aggregate has no type parameters"));
    }
    let has_settings = |item: &ImplItem| matches!(item, ImplItem::Type(item) if item.ident == "Settings");
    if !implementation.items.iter().any(has_settings) {
        implementation.items.push(parse_quote!(
            type Settings = ();
        ));
    }
    let (ty, summary) = (&*implementation.self_ty, doc(&implementation.attrs));
    let topic = &arguments.topic;
    let declared = arguments.declared();
    let exports = exports(ty);
    Ok(quote! {
        #implementation

        impl ::smt_plugin::aggregate::Plugin for #ty {
            const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const SUMMARY: &'static str = #summary;
            const TOPIC: &'static str = #topic;

            fn declared() -> ::smt_plugin::Grouping {
                #declared
            }
        }

        #exports
    })
}

/// Exports exist in the sandbox only; natively it is a type like any other.
fn exports(ty: &Type) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use ::smt_plugin::{aggregate, bindings::{aggregator, setup, types}};

            static CONFIGURED: aggregate::Configured = aggregate::Configured::new();
            struct Exported;

            impl setup::Guest for Exported {
                fn describe() -> types::Description {
                    aggregate::describe::<#ty>()
                }
                fn configure(
                    settings: ::std::vec::Vec<types::SettingValue>,
                ) -> ::core::result::Result<types::Wiring, ::std::string::String> {
                    aggregate::configure::<#ty>(&CONFIGURED, &settings)
                }
            }

            impl aggregator::Guest for Exported {
                fn grouping_for() -> aggregator::Grouping {
                    CONFIGURED.get().expect("the host configures before it asks for the grouping").clone()
                }
                fn partial(batch: types::Batch) -> aggregator::Partials {
                    aggregate::partial::<#ty>(&batch)
                }
                fn merge(left: types::Column, right: types::Column) -> types::Column {
                    aggregate::merge::<#ty>(&left, &right)
                }
                fn finish(
                    starts: ::std::vec::Vec<i64>,
                    ends: ::std::vec::Vec<i64>,
                    keys: types::Column,
                    accumulators: types::Column,
                ) -> aggregator::Finished {
                    aggregate::finish::<#ty>(&starts, &ends, &keys, &accumulators)
                }
            }

            ::smt_plugin::bindings::export_aggregate!(Exported with_types_in ::smt_plugin::bindings);
        };
    }
}
