//! Types that authors reach for and Avro has not, each with what to write instead.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

const INSTEAD: [(&[&str], &str); 6] = [
    (&["u8", "i8", "u16", "i16", "isize"], "Avro's int is `i32` (bytes are `&[u8]` or `Vec<u8>`)"),
    (&["u32", "u64", "usize"], "Avro has no unsigned numbers: use `i32` or `i64`"),
    (&["i128", "u128"], "Avro's long is `i64`; larger numbers are `Decimal<PRECISION, SCALE>`"),
    (&["char"], "Avro has no single characters: use `&str` or `String`"),
    (&["HashMap", "BTreeMap"], "A map is `Vec<(&str, T)>` or `Vec<(String, T)>`, in the order of the wire"),
    (&["Box", "Rc", "Arc", "Cow"], "A field holds its value itself, or borrows it as `&str` or `&[u8]`"),
];

/// An error at the first type in `ty` that Avro has not.
pub(crate) fn check(ty: &Type, record: &Ident) -> syn::Result<()> {
    tokens(ty.to_token_stream(), record)
}

fn tokens(ty: TokenStream, record: &Ident) -> syn::Result<()> {
    let mut before = String::new();
    for token in ty {
        match token {
            TokenTree::Ident(ident) => {
                // `Vec<u8>` is bytes.
                if before != "Vec<" || ident != "u8" {
                    name(&ident, record)?;
                }
                before = ident.to_string();
            }
            // `[u8]` and `[u8; N]` are bytes too; a tuple is looked into.
            TokenTree::Group(group) if group.delimiter() != proc_macro2::Delimiter::Bracket => {
                tokens(group.stream(), record)?;
            }
            other => before.push_str(&other.to_string()),
        }
    }
    Ok(())
}

fn name(ident: &Ident, record: &Ident) -> syn::Result<()> {
    if ident == record || ident == "Self" {
        let message = "a record that contains itself is not supported: its schema is written out by the compiler";
        return Err(syn::Error::new_spanned(ident, message));
    }
    match INSTEAD.iter().find(|(names, _)| names.iter().any(|name| ident == name)) {
        Some((_, instead)) => Err(syn::Error::new_spanned(ident, format!("`{ident}` is no Avro type. {instead}"))),
        None => Ok(()),
    }
}
