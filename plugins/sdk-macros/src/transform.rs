//! `#[transform]`: from a function to an exported component.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::{Attribute, Expr, ExprLit, FnArg, ItemFn, Lit, LitStr, Meta, ReturnType, Type};

/// The parameters after the record.
#[derive(Default)]
struct Extra<'a> {
    context: bool,
    settings: Option<&'a Type>,
    /// In the order written, as the call passes them on.
    arguments: Vec<TokenStream>,
}

pub(crate) fn expand(arguments: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    let topic = topic(arguments)?;
    let (input, extra) = parameters(function)?;
    let ReturnType::Type(_, output) = &function.sig.output else {
        return Err(syn::Error::new_spanned(&function.sig, "a transform returns what it emits"));
    };
    let (ident, visibility) = (&function.sig.ident, &function.vis);
    let implementation = implementation(function, &topic, input, output, &extra);
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

fn topic(arguments: TokenStream) -> syn::Result<String> {
    let mut topic = None;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("topic") {
            return Err(meta.error("expected `topic`"));
        }
        topic = Some(meta.value()?.parse::<LitStr>()?.value());
        Ok(())
    });
    parser.parse2(arguments)?;
    topic.ok_or_else(|| syn::Error::new(proc_macro2::Span::call_site(), "say where to: #[transform(topic = \"..\")]"))
}

fn parameters(function: &ItemFn) -> syn::Result<(&Type, Extra<'_>)> {
    let mut inputs = function.sig.inputs.iter();
    let Some(FnArg::Typed(record)) = inputs.next() else {
        return Err(syn::Error::new_spanned(&function.sig, "a transform takes a record"));
    };
    let mut extra = Extra::default();
    for parameter in inputs {
        match parameter {
            FnArg::Typed(parameter) => extra.add(&parameter.ty)?,
            FnArg::Receiver(receiver) => return Err(syn::Error::new_spanned(receiver, "a transform is no method")),
        }
    }
    Ok((&record.ty, extra))
}

impl<'a> Extra<'a> {
    fn add(&mut self, ty: &'a Type) -> syn::Result<()> {
        let wrong = || syn::Error::new_spanned(ty, "after the record come `&Context<'_>` and `&Settings` only");
        let Type::Reference(reference) = ty else { return Err(wrong()) };
        let Type::Path(path) = &*reference.elem else { return Err(wrong()) };
        let is_context = path.path.segments.last().is_some_and(|segment| segment.ident == "Context");
        if is_context && !self.context {
            self.context = true;
            self.arguments.push(quote!(context));
        } else if !is_context && self.settings.is_none() {
            self.settings = Some(&reference.elem);
            self.arguments.push(quote!(settings));
        } else {
            return Err(wrong());
        }
        Ok(())
    }
}

fn implementation(function: &ItemFn, topic: &str, input: &Type, output: &Type, extra: &Extra<'_>) -> TokenStream {
    let ident = &function.sig.ident;
    let name = ident.to_string();
    let summary = doc(&function.attrs);
    let keys = extra.context;
    let settings = extra.settings.map_or_else(|| quote!(()), |ty| quote!(#ty));
    let arguments = &extra.arguments;
    quote! {
        impl ::smt_plugin::plugin::Transform for #ident {
            type Settings = #settings;
            const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const SUMMARY: &'static str = #summary;
            const KEYS: bool = #keys;

            fn input_schema() -> ::std::string::String {
                ::smt_plugin::schema_of::<#input>()
            }
            fn outputs() -> ::std::vec::Vec<::smt_plugin::bindings::types::Output> {
                <#output as ::smt_plugin::IntoEmitted>::outputs(::smt_plugin::Target { name: #name, topic: #topic })
            }
            #[allow(unused_variables)]
            fn run(
                record: &[u8],
                context: &::smt_plugin::Context<'_>,
                settings: &Self::Settings,
                out: &mut ::smt_plugin::Emitter,
            ) -> ::core::result::Result<(), ::smt_plugin::Reject> {
                let input = ::smt_plugin::decode_record(record).map_err(::smt_plugin::Reject::new)?;
                ::smt_plugin::IntoEmitted::emit(#ident(input, #(#arguments),*), out)
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
