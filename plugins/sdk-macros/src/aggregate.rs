//! `#[aggregate]`: from an implementation of `Aggregate` to an exported component.

mod grouping;

use crate::transform::doc;
use grouping::Arguments;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, ImplItem, ImplItemFn, ItemImpl, PatType, Type, parse_quote};

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
    for item in &mut implementation.items {
        if let ImplItem::Fn(function) = item {
            with_settings(function)?;
        }
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

/// Settings are an author's to take or to leave: where a function does without, the parameter is added.
fn with_settings(function: &mut ImplItemFn) -> syn::Result<()> {
    let signature = &mut function.sig;
    let (name, wanted) = (signature.ident.to_string(), signature.inputs.len());
    let given = usize::from(signature.receiver().is_some());
    match (name.as_str(), wanted.saturating_sub(given)) {
        ("check" | "add" | "finish", 1) => signature.inputs.push(parse_quote!(_: &Self::Settings)),
        ("key", 1) => elided_key(function)?,
        ("check" | "key" | "add" | "finish", 2) => {}
        ("check" | "key" | "add", _) => {
            let expected = format!("`{name}` takes the input, and then, if it wants, `&Self::Settings`");
            return Err(syn::Error::new_spanned(&function.sig.inputs, expected));
        }
        ("finish", _) => {
            let expected = "`finish` takes `&self`, the group, and then, if it wants, `&Self::Settings`";
            return Err(syn::Error::new_spanned(&function.sig.inputs, expected));
        }
        _ => {}
    }
    Ok(())
}

/// With a second reference no lifetime of the key could be left out, so both are named as the trait names them.
fn elided_key(function: &mut ImplItemFn) -> syn::Result<()> {
    let signature = &mut function.sig;
    let Some(FnArg::Typed(PatType { pat, ty, .. })) = signature.inputs.first() else {
        return Err(syn::Error::new_spanned(&signature.inputs, "`key` takes the input, and no `self`"));
    };
    let lifetime = signature.generics.lifetimes().next().map(|named| named.lifetime.clone());
    let lifetime = lifetime.unwrap_or_else(|| parse_quote!('key));
    if !matches!(**ty, Type::Reference(_)) {
        return Err(syn::Error::new_spanned(ty, "`key` takes a reference to the input"));
    }
    let pat = pat.clone();
    signature.generics = parse_quote!(<#lifetime>);
    signature.inputs = parse_quote!(#pat: &#lifetime Self::Input<'_>, _: &Self::Settings);
    signature.output = parse_quote!(-> ::core::option::Option<Self::Key<#lifetime>>);
    Ok(())
}

/// Exports exist in the sandbox only; natively it is a type like any other.
fn exports(ty: &Type) -> TokenStream {
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use ::smt_plugin::{aggregate, bindings::{aggregator, setup, types}};

            static CONFIGURED: aggregate::Configured<#ty> = aggregate::Configured::<#ty>::new();
            struct Exported;

            fn configured() -> &'static (aggregator::Grouping, <#ty as ::smt_plugin::Aggregate>::Settings) {
                CONFIGURED.get().expect("the host configures before it calls anything else")
            }

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
                    configured().0.clone()
                }
                fn partial(batch: types::Batch) -> aggregator::Partials {
                    aggregate::partial::<#ty>(&configured().1, &batch)
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
                    aggregate::finish::<#ty>(&configured().1, &starts, &ends, &keys, &accumulators)
                }
            }

            ::smt_plugin::bindings::export_aggregate!(Exported with_types_in ::smt_plugin::bindings);
        };
    }
}
