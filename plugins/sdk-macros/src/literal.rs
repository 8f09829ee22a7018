//! `default = ..`: a Rust literal as a JSON one, and what kind it is.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

/// An expression of `smt_plugin::schema::Literal`.
pub(crate) fn literal(value: &Expr) -> syn::Result<TokenStream> {
    let negative = matches!(value, Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }));
    let wrong = || syn::Error::new_spanned(value, "expected a literal: text, a number, true or false");
    let bare = match value {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => expr,
        other => other,
    };
    let Expr::Lit(ExprLit { lit, .. }) = bare else { return Err(wrong()) };
    let (kind, json) = match lit {
        Lit::Str(text) if !negative => (quote!(Text(#text)), quoted(&text.value())),
        Lit::Bool(flag) if !negative => (quote!(Bool), flag.value.to_string()),
        Lit::Float(number) => (quote!(Float), signed(negative, number.base10_digits())),
        Lit::Int(number) => {
            let json = signed(negative, number.base10_digits());
            let number: i64 = json.parse().map_err(|error| syn::Error::new_spanned(value, error))?;
            (quote!(Int(#number)), json)
        }
        _ => return Err(wrong()),
    };
    Ok(quote!(::smt_plugin::schema::Literal { kind: ::smt_plugin::schema::Kind::#kind, json: #json }))
}

fn signed(negative: bool, digits: &str) -> String {
    // `1.` and `1_000` are Rust's, not JSON's; the underscores are gone already.
    let zero = if digits.ends_with('.') { "0" } else { "" };
    format!("{}{digits}{zero}", if negative { "-" } else { "" })
}

fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json + "\""
}
