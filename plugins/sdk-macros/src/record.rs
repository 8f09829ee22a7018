//! `#[derive(AvroRecord)]`.

use crate::attributes::{FieldAttributes, TypeAttributes, is_avro_name, of_field, of_type};
use crate::literal::literal;
use crate::unsupported;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, GenericParam, Generics, Ident, Lifetime, Type};

struct Field<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    name: String,
    attributes: FieldAttributes,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let codec = codec(input)?;
    let lifetime = lifetime(&input.generics)?;
    let (ident, generics) = (&input.ident, lifetime.as_ref().map(|lifetime| quote!(<#lifetime>)));
    let from = lifetime.unwrap_or_else(|| Lifetime::new("'record", ident.span()));
    Ok(quote! {
        #codec
        impl<#from> ::smt_plugin::Input<#from> for #ident #generics {
            fn format() -> ::smt_plugin::bindings::types::Format {
                ::smt_plugin::payload::avro::<Self>()
            }
            fn read(
                value: ::core::option::Option<&#from [u8]>,
            ) -> ::core::result::Result<Self, ::smt_plugin::Reject> {
                ::smt_plugin::read_avro(value)
            }
        }
        impl #generics ::smt_plugin::Payload for #ident #generics {
            fn format() -> ::core::option::Option<::smt_plugin::bindings::types::Format> {
                ::core::option::Option::Some(::smt_plugin::payload::avro::<Self>())
            }
            #[inline]
            fn write(&self, out: &mut ::smt_plugin::Strings) -> ::core::result::Result<(), ::smt_plugin::Reject> {
                out.push_with(|out| ::smt_plugin::Encode::encode(self, out));
                ::core::result::Result::Ok(())
            }
        }
    })
}

/// Schema, decoding and encoding.
pub(crate) fn codec(input: &DeriveInput) -> syn::Result<TokenStream> {
    let head = of_type(&input.attrs)?;
    let lifetime = lifetime(&input.generics)?;
    let fields = fields(input, &head)?;
    let node = node(input, &head, &fields)?;
    let (idents, types): (Vec<_>, Vec<_>) = fields.iter().map(|field| (field.ident, field.ty)).unzip();
    let ident = &input.ident;
    // A struct that borrows nothing decodes from a record of any lifetime.
    let generics = lifetime.as_ref().map(|lifetime| quote!(<#lifetime>));
    let from = lifetime.clone().unwrap_or_else(|| Lifetime::new("'record", ident.span()));
    let schema = schema(ident, lifetime.is_some());
    Ok(quote! {
        impl #generics ::smt_plugin::AvroType for #ident #generics {
            const NODE: ::smt_plugin::schema::Node = #node;
        }
        #schema
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

/// The text, made by the compiler: a lifetime is no obstacle to that, a type parameter would be.
fn schema(ident: &Ident, borrows: bool) -> TokenStream {
    let generics = borrows.then(|| quote!(<'_>));
    let concrete = borrows.then(|| quote!(<'static>));
    quote! {
        impl ::smt_plugin::AvroSchema for #ident #generics {
            const TEXT: &'static str = {
                const NODE: &::smt_plugin::schema::Node = &<#ident #concrete as ::smt_plugin::AvroType>::NODE;
                const BYTES: [u8; ::smt_plugin::schema::length(NODE)] = ::smt_plugin::schema::write(NODE);
                ::smt_plugin::schema::text(&BYTES)
            };
        }
        // So that a mistake in it is found even if the type is not used.
        const _: &str = <#ident #concrete as ::smt_plugin::AvroSchema>::TEXT;
    }
}

fn fields<'a>(input: &'a DeriveInput, head: &TypeAttributes) -> syn::Result<Vec<Field<'a>>> {
    let Data::Struct(syn::DataStruct { fields: Fields::Named(named), .. }) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, kind_error(&input.data)));
    };
    let mut fields: Vec<Field<'a>> = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        unsupported::check(&field.ty, &input.ident)?;
        let attributes = of_field(&field.attrs)?;
        let plain = ident.unraw().to_string();
        let name = match (&attributes.rename, head.rename_all) {
            (Some(name), _) => name.clone(),
            (None, Some(case)) => case.apply(&plain),
            (None, None) => plain,
        };
        if !is_avro_name(&name) {
            return Err(syn::Error::new_spanned(
                ident,
                "no Avro name (letters a-z, digits and `_`): give it a `rename`",
            ));
        }
        if let Some(other) = fields.iter().find(|other| other.name == name) {
            let message = format!("`{ident}` and `{}` are both called \"{name}\" in the schema", other.ident);
            return Err(syn::Error::new_spanned(field, message));
        }
        fields.push(Field { ident, ty: &field.ty, name, attributes });
    }
    Ok(fields)
}

fn kind_error(data: &Data) -> &'static str {
    match data {
        Data::Enum(_) => "an Avro record is a struct. For an Avro enum derive AvroEnum; for several outputs, Outputs",
        _ => "an Avro record is a struct with named fields",
    }
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

fn node(input: &DeriveInput, head: &TypeAttributes, fields: &[Field<'_>]) -> syn::Result<TokenStream> {
    let name = head.name.clone().unwrap_or_else(|| input.ident.unraw().to_string());
    let namespace = option(head.namespace.as_deref());
    let connect = head.connect;
    let fields = fields.iter().map(field_node).collect::<syn::Result<Vec<_>>>()?;
    Ok(quote! {
        ::smt_plugin::schema::Node::Record(::smt_plugin::schema::Record {
            name: #name,
            namespace: #namespace,
            connect: #connect,
            fields: &[#(#fields),*],
        })
    })
}

fn field_node(field: &Field<'_>) -> syn::Result<TokenStream> {
    let (ty, name) = (field.ty, &field.name);
    let doc = option(field.attributes.doc.as_deref());
    let fixed = option(field.attributes.fixed.as_deref());
    let default = field.attributes.default.as_ref();
    let literal = match default.map(literal).transpose()? {
        Some(literal) => quote!(::core::option::Option::Some(#literal)),
        None => quote!(::core::option::Option::None),
    };
    let node = quote! {
        ::smt_plugin::schema::Field {
            name: #name,
            node: &<#ty as ::smt_plugin::AvroType>::NODE,
            doc: #doc,
            default: #literal,
            fixed: #fixed,
        }
    };
    let Some(default) = default else { return Ok(node) };
    let message = format!(
        "the default of `{}` is no value of its type (an enum's is a symbol of it, a nullable field's is null, unasked)",
        field.ident
    );
    Ok(quote_spanned!(default.span()=> (#node).checked(#message)))
}

pub(crate) fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
