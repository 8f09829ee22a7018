//! What a transform's signature says: the record's type, what comes after it, and what it returns.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    AngleBracketedGenericArguments, FnArg, GenericArgument, GenericParam, Ident, ItemFn, Pat, PatType, PathArguments,
    ReturnType, Type, TypeParamBound,
};

pub(crate) struct Signature {
    pub(crate) input: Type,
    pub(crate) settings: Option<Type>,
    /// The arguments after the record, in the order written.
    pub(crate) arguments: Vec<TokenStream>,
    pub(crate) output: Output,
    context: Option<Ident>,
}

/// What is returned, and how it is emitted.
pub(crate) struct Output {
    /// With the items in the place of an `impl Iterator`, which has no name to be called by.
    pub(crate) ty: Type,
    pub(crate) iterator: Iterated,
}

pub(crate) enum Iterated {
    No,
    Itself,
    /// `Option<impl Iterator>` or `Result<impl Iterator, _>`.
    Within,
}

impl Signature {
    pub(crate) fn of(function: &ItemFn) -> syn::Result<Self> {
        plain(function)?;
        let mut inputs = function.sig.inputs.iter();
        let Some(FnArg::Typed(record)) = inputs.next() else {
            return Err(syn::Error::new_spanned(&function.sig, "a transform takes a record"));
        };
        let ReturnType::Type(_, returned) = &function.sig.output else {
            let message = "a transform returns what it emits: a record, Option, Vec, impl Iterator or Result of one, \
                           or a bool that keeps the input or drops it";
            return Err(syn::Error::new_spanned(&function.sig, message));
        };
        let output = Output::of(anonymous(returned)?)?;
        let input = anonymous(&record.ty)?;
        let mut signature = Self { input, settings: None, arguments: Vec::new(), output, context: None };
        for parameter in inputs {
            match parameter {
                FnArg::Typed(parameter) => signature.add(parameter)?,
                FnArg::Receiver(receiver) => return Err(syn::Error::new_spanned(receiver, "a transform is no method")),
            }
        }
        Ok(signature)
    }

    fn add(&mut self, parameter: &PatType) -> syn::Result<()> {
        let ty = &parameter.ty;
        let wrong =
            || syn::Error::new_spanned(ty, "after the record come `&Context<'_>` and `&Settings` only, once each");
        let Type::Reference(reference) = &**ty else { return Err(wrong()) };
        let Type::Path(path) = &*reference.elem else { return Err(wrong()) };
        let is_context = path.path.segments.last().is_some_and(|segment| segment.ident == "Context");
        if is_context && self.context.is_none() {
            let Pat::Ident(name) = &*parameter.pat else {
                return Err(syn::Error::new_spanned(&parameter.pat, "give the context a name"));
            };
            self.context = Some(name.ident.clone());
            self.arguments.push(quote!(context));
        } else if !is_context && self.settings.is_none() {
            self.settings = Some((*reference.elem).clone());
            self.arguments.push(quote!(settings));
        } else {
            return Err(wrong());
        }
        Ok(())
    }

    /// An error where the function looks at what it did not ask for, and would never see.
    pub(crate) fn check_requests(&self, function: &ItemFn, asked: &[&str]) -> syn::Result<()> {
        let Some(context) = &self.context else { return Ok(()) };
        unasked(function.block.to_token_stream(), context, asked)
    }
}

fn plain(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    if let Some(keyword) = &signature.asyncness {
        return Err(syn::Error::new_spanned(keyword, "a transform is a plain function: the host calls it for a batch"));
    }
    let typed = |param: &&GenericParam| !matches!(param, GenericParam::Lifetime(_));
    match signature.generics.params.iter().find(typed) {
        Some(param) => {
            Err(syn::Error::new_spanned(param, "a transform has no type parameters: the host knows one type"))
        }
        None => Ok(()),
    }
}

/// The type outside the function, where its lifetimes have no names.
fn anonymous(ty: &Type) -> syn::Result<Type> {
    syn::parse2(without_names(ty.to_token_stream()))
}

fn without_names(tokens: TokenStream) -> TokenStream {
    let mut after_quote = false;
    let token = |token| match token {
        TokenTree::Ident(name) if after_quote && name != "static" => {
            after_quote = false;
            Ident::new("_", name.span()).into()
        }
        TokenTree::Group(group) => {
            let mut anonymous = Group::new(group.delimiter(), without_names(group.stream()));
            anonymous.set_span(group.span());
            anonymous.into()
        }
        other => {
            after_quote = matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '\'');
            other
        }
    };
    tokens.into_iter().map(token).collect()
}

impl Output {
    fn of(mut ty: Type) -> syn::Result<Self> {
        if let Some(item) = item(&ty)? {
            return Ok(Self { ty: item, iterator: Iterated::Itself });
        }
        if let Some(inner) = first_argument(&mut ty)
            && let Some(item) = item(inner)?
        {
            *inner = item;
            return Ok(Self { ty, iterator: Iterated::Within });
        }
        Ok(Self { ty, iterator: Iterated::No })
    }
}

fn first_argument(ty: &mut Type) -> Option<&mut Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last_mut().filter(|last| last.ident == "Option" || last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { return None };
    match arguments.args.first_mut() {
        Some(GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

/// The items of an `impl Iterator<Item = ..>`.
fn item(ty: &Type) -> syn::Result<Option<Type>> {
    let Type::ImplTrait(opaque) = ty else { return Ok(None) };
    let item = opaque.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(of) => of.path.segments.last().filter(|last| last.ident == "Iterator").and_then(|last| {
            let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) = &last.arguments else {
                return None;
            };
            args.iter().find_map(|argument| match argument {
                GenericArgument::AssocType(assoc) if assoc.ident == "Item" => Some(assoc.ty.clone()),
                _ => None,
            })
        }),
        _ => None,
    });
    let message = "of all `impl Trait`, a transform returns `impl Iterator<Item = Output>` only";
    item.map(Some).ok_or_else(|| syn::Error::new_spanned(ty, message))
}

/// An error at the first `context.what` in these tokens where `what` was not asked for.
fn unasked(tokens: TokenStream, context: &Ident, asked: &[&str]) -> syn::Result<()> {
    let mut seen = 0; // Of `context` and `.`.
    for token in tokens {
        seen = match &token {
            TokenTree::Ident(ident) if seen == 2 && is_unasked(ident, asked) => {
                let message =
                    format!("the host hands this over on request only: #[transform(topic = \"..\", {ident})]");
                return Err(syn::Error::new_spanned(ident, message));
            }
            TokenTree::Ident(ident) if ident == context => 1,
            TokenTree::Punct(punct) if seen == 1 && punct.as_char() == '.' => 2,
            TokenTree::Group(group) => {
                unasked(group.stream(), context, asked)?;
                0
            }
            _ => 0,
        };
    }
    Ok(())
}

fn is_unasked(ident: &Ident, asked: &[&str]) -> bool {
    crate::transform::REQUESTS.iter().any(|request| ident == request && !asked.contains(request))
}
