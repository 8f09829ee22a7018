//! `#[derive(Settings)]`.

use crate::attributes::known;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(syn::DataStruct { fields: Fields::Named(named), .. }) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "settings are a struct with named fields"));
    };
    let (mut declared, mut parsed) = (Vec::new(), Vec::new());
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        // Settings are written as the operator's files write them.
        let name = ident.unraw().to_string().replace('_', "-");
        let summary = crate::transform::doc(&field.attrs);
        let default = crate::record::option(default(&field.attrs)?.as_deref());
        declared.push(quote! {
            ::smt_plugin::bindings::types::Setting {
                name: ::std::string::String::from(#name),
                summary: ::std::string::String::from(#summary),
                default: #default.map(|text: &str| ::std::string::String::from(text)),
            }
        });
        parsed.push(quote!(#ident: ::smt_plugin::SettingText(values).get(#name)?));
    }
    let ident = &input.ident;
    Ok(quote! {
        impl ::smt_plugin::Settings for #ident {
            fn declare() -> ::std::vec::Vec<::smt_plugin::bindings::types::Setting> {
                ::std::vec![#(#declared),*]
            }
            fn parse(
                values: &[::smt_plugin::bindings::types::SettingValue],
            ) -> ::core::result::Result<Self, ::std::string::String> {
                ::core::result::Result::Ok(Self { #(#parsed),* })
            }
        }
    })
}

fn default(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut default = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("setting")) {
        attribute.parse_nested_meta(|meta| {
            known(&meta, &["default"])?;
            default = Some(meta.value()?.parse::<LitStr>()?.value());
            Ok(())
        })?;
    }
    Ok(default)
}
