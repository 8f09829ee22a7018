//! `#[derive(AvroRecord)]`.

use crate::attributes::{FieldAttributes, TypeAttributes, of_field, of_type};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, GenericParam, Generics, Ident, Lifetime, Type};

struct Field<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    name: String,
    attributes: FieldAttributes,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let codec = codec(input)?;
    let (ident, generics) = (&input.ident, lifetime(&input.generics)?.map(|lifetime| quote!(<#lifetime>)));
    Ok(quote! {
        #codec
        impl #generics ::smt_plugin::IntoEmitted for #ident #generics {
            fn outputs(target: ::smt_plugin::Target) -> ::std::vec::Vec<::smt_plugin::bindings::types::Output> {
                ::std::vec![::smt_plugin::plugin::avro_output::<Self>(target)]
            }
            fn emit(self, out: &mut ::smt_plugin::Emitter) -> ::core::result::Result<(), ::smt_plugin::Reject> {
                out.push(0, &self);
                ::core::result::Result::Ok(())
            }
        }
    })
}

/// Schema, decoding and encoding.
pub(crate) fn codec(input: &DeriveInput) -> syn::Result<TokenStream> {
    let head = of_type(&input.attrs)?;
    let fields = fields(input, &head)?;
    let lifetime = lifetime(&input.generics)?;
    let schema = schema(input, &head, &fields);
    let (idents, types): (Vec<_>, Vec<_>) = fields.iter().map(|field| (field.ident, field.ty)).unzip();
    let ident = &input.ident;
    // A struct that borrows nothing decodes from a record of any lifetime.
    let generics = lifetime.as_ref().map(|lifetime| quote!(<#lifetime>));
    let from = lifetime.clone().unwrap_or_else(|| Lifetime::new("'record", ident.span()));
    Ok(quote! {
        impl #generics ::smt_plugin::AvroType for #ident #generics {
            fn schema(text: &mut ::smt_plugin::SchemaText) {
                #schema
            }
        }
        impl<#from> ::smt_plugin::Decode<#from> for #ident #generics {
            fn decode(
                input: &mut ::smt_plugin::Reader<#from>,
            ) -> ::core::result::Result<Self, ::smt_plugin::DecodeError> {
                // A struct expression evaluates its fields in the order written, which is the schema's.
                ::core::result::Result::Ok(Self { #(#idents: <#types as ::smt_plugin::Decode<#from>>::decode(input)?),* })
            }
        }
        impl #generics ::smt_plugin::Encode for #ident #generics {
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
                #(::smt_plugin::Encode::encode(&self.#idents, out);)*
            }
        }
    })
}

fn fields<'a>(input: &'a DeriveInput, head: &TypeAttributes) -> syn::Result<Vec<Field<'a>>> {
    let Data::Struct(syn::DataStruct { fields: Fields::Named(named), .. }) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "an Avro record is a struct with named fields"));
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let attributes = of_field(&field.attrs)?;
        let plain = ident.unraw().to_string();
        let name = match (&attributes.rename, head.rename_all) {
            (Some(name), _) => name.clone(),
            (None, Some(case)) => case.apply(&plain),
            (None, None) => plain,
        };
        fields.push(Field { ident, ty: &field.ty, name, attributes });
    }
    Ok(fields)
}

fn lifetime(generics: &Generics) -> syn::Result<Option<Lifetime>> {
    let mut params = generics.params.iter();
    let first = match params.next() {
        None => return Ok(None),
        Some(GenericParam::Lifetime(first)) => first.lifetime.clone(),
        Some(other) => return Err(syn::Error::new_spanned(other, "an Avro record has no type parameters")),
    };
    match params.next() {
        None => Ok(Some(first)),
        Some(other) => Err(syn::Error::new_spanned(other, "an Avro record has one lifetime at most: the record's")),
    }
}

fn schema(input: &DeriveInput, head: &TypeAttributes, fields: &[Field<'_>]) -> TokenStream {
    let name = head.name.clone().unwrap_or_else(|| input.ident.unraw().to_string());
    let namespace = option(head.namespace.as_deref());
    let connect = head.connect;
    let fields = fields.iter().map(|field| {
        let (ty, name) = (field.ty, &field.name);
        let doc = option(field.attributes.doc.as_deref());
        let default = option(field.attributes.default.as_deref());
        quote!(text.field::<#ty>(#name, #doc, #default);)
    });
    quote! {
        let head = ::smt_plugin::RecordHead { name: #name, namespace: #namespace, connect: #connect };
        text.record(&head, |text| { #(#fields)* });
    }
}

pub(crate) fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
