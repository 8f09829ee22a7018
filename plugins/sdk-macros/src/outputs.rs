//! `#[derive(Outputs)]`.

use crate::attributes::known;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Fields, LitStr, Type, Variant};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(DataEnum { variants, .. }) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "outputs are an enum, a variant for each"));
    };
    if variants.len() > 256 {
        return Err(syn::Error::new_spanned(&input.ident, "there are at most 256 outputs"));
    }
    let (mut declared, mut arms) = (Vec::new(), Vec::new());
    for (number, variant) in (0..=u8::MAX).zip(variants) {
        let (ident, record) = (&variant.ident, record(variant)?);
        let name = ident.to_string().to_lowercase();
        let topic = topic(variant)?.map_or_else(|| quote!(target.topic), |topic| quote!(#topic));
        declared.push(quote! {
            <#record as ::smt_plugin::Single>::output(::smt_plugin::Target { name: #name, topic: #topic })
        });
        arms.push(quote!(Self::#ident(record) => out.to(#number, record)));
    }
    let (ident, (generics, types, bounds)) = (&input.ident, input.generics.split_for_impl());
    Ok(quote! {
        impl #generics ::smt_plugin::IntoEmitted for #ident #types #bounds {
            #[allow(unused_variables)]
            fn outputs(target: ::smt_plugin::Target) -> ::std::vec::Vec<::smt_plugin::bindings::types::Output> {
                ::std::vec![#(#declared),*]
            }
            fn emit(self, out: &mut ::smt_plugin::Emitter) -> ::core::result::Result<(), ::smt_plugin::Reject> {
                match self { #(#arms),* }
            }
        }
    })
}

fn record(variant: &Variant) -> syn::Result<&Type> {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(&fields.unnamed[0].ty),
        _ => Err(syn::Error::new_spanned(
            variant,
            "an output carries one record: `Name(Record)`, or Keep for the input as it is",
        )),
    }
}

fn topic(variant: &Variant) -> syn::Result<Option<String>> {
    let mut topic = None;
    for attribute in variant.attrs.iter().filter(|a| a.path().is_ident("output")) {
        attribute.parse_nested_meta(|meta| {
            known(&meta, &["topic"])?;
            topic = Some(meta.value()?.parse::<LitStr>()?.value());
            Ok(())
        })?;
    }
    Ok(topic)
}
