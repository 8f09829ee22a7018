//! `#[derive(Accumulator)]`.

use crate::record;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataStruct, DeriveInput, Expr, Field, Fields};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let codec = record::codec(input)?;
    if let Some(parameter) = input.generics.params.first() {
        return Err(syn::Error::new_spanned(parameter, "an accumulator is kept, so it borrows nothing"));
    }
    let fields = match &input.data {
        Data::Struct(DataStruct { fields: Fields::Named(named), .. }) => named.named.iter(),
        _ => return Err(syn::Error::new_spanned(&input.ident, "an accumulator is a struct with named fields")),
    };
    let merges = fields.map(merge).collect::<syn::Result<Vec<_>>>()?;
    let ident = &input.ident;
    Ok(quote! {
        #codec
        impl ::smt_plugin::Accumulator for #ident {
            fn merge(&mut self, newer: &Self) {
                #(#merges)*
            }
        }
    })
}

fn merge(field: &Field) -> syn::Result<TokenStream> {
    let ident = &field.ident;
    let mut how = quote!(::smt_plugin::Accumulator::merge);
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("accumulator")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("merge") {
                return Err(meta.error("expected `merge`"));
            }
            how = match meta.value()?.parse()? {
                Expr::Path(path) => quote!(#path),
                other => quote!((#other)),
            };
            Ok(())
        })?;
    }
    Ok(quote!(#how(&mut self.#ident, &newer.#ident);))
}
