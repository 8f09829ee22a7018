//! `#[derive(AvroEnum)]`.

use crate::attributes::{TypeAttributes, is_avro_name, of_type, of_variant};
use crate::record::option;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Fields, Variant};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(DataEnum { variants, .. }) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "an Avro enum is an enum"));
    };
    let head = of_type(&input.attrs)?;
    let mut symbols = Vec::new();
    for variant in variants {
        let symbol = symbol(variant, &head)?;
        if symbols.contains(&symbol) {
            return Err(syn::Error::new_spanned(variant, format!("another variant is called \"{symbol}\" already")));
        }
        symbols.push(symbol);
    }
    let name = head.name.clone().unwrap_or_else(|| input.ident.unraw().to_string());
    let namespace = option(head.namespace.as_deref());
    let idents = variants.iter().map(|variant| &variant.ident).collect::<Vec<_>>();
    let numbers = 0i32..;
    let numbers = numbers.take(idents.len()).collect::<Vec<_>>();
    let ident = &input.ident;
    Ok(quote! {
        impl ::smt_plugin::AvroType for #ident {
            const NODE: ::smt_plugin::schema::Node = ::smt_plugin::schema::Node::Enum(::smt_plugin::schema::Enum {
                name: #name,
                namespace: #namespace,
                symbols: &[#(#symbols),*],
            });
        }
        impl<'record> ::smt_plugin::Decode<'record> for #ident {
            fn decode(
                input: &mut ::smt_plugin::Reader<'record>,
            ) -> ::core::result::Result<Self, ::smt_plugin::DecodeError> {
                match input.int()? {
                    #(#numbers => ::core::result::Result::Ok(Self::#idents),)*
                    other => ::core::result::Result::Err(::smt_plugin::DecodeError::Index(i64::from(other))),
                }
            }
        }
        impl ::smt_plugin::Encode for #ident {
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
                let number: i32 = match self { #(Self::#idents => #numbers),* };
                ::smt_plugin::Encode::encode(&number, out);
            }
        }
    })
}

fn symbol(variant: &Variant, head: &TypeAttributes) -> syn::Result<String> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(syn::Error::new_spanned(
            variant,
            "a symbol of an Avro enum carries nothing. A choice of outputs with records in it derives Outputs",
        ));
    }
    let plain = variant.ident.unraw().to_string();
    let renamed = of_variant(&variant.attrs)?;
    let symbol = renamed.unwrap_or_else(|| head.rename_all.map_or_else(|| plain.clone(), |case| case.apply(&plain)));
    if is_avro_name(&symbol) {
        return Ok(symbol);
    }
    Err(syn::Error::new_spanned(variant, "no Avro name (letters a-z, digits and `_`): give it a `rename`"))
}
