//! The `#[avro(..)]` attributes.

use syn::{Attribute, Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp};

/// What may stand on a struct or an enum.
#[derive(Default)]
pub(crate) struct TypeAttributes {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) connect: bool,
}

/// What may stand on a field or a variant.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) rename: Option<String>,
    /// JSON.
    pub(crate) default: Option<String>,
    pub(crate) doc: Option<String>,
}

#[derive(Clone, Copy)]
pub(crate) enum Case {
    Upper,
    Lower,
    Camel,
}

impl Case {
    fn parse(text: &LitStr) -> syn::Result<Self> {
        match text.value().as_str() {
            "UPPERCASE" => Ok(Self::Upper),
            "lowercase" => Ok(Self::Lower),
            "camelCase" => Ok(Self::Camel),
            _ => Err(syn::Error::new(text.span(), "expected \"UPPERCASE\", \"lowercase\" or \"camelCase\"")),
        }
    }

    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::Upper => name.to_uppercase(),
            Self::Lower => name.to_lowercase(),
            Self::Camel => camel(name),
        }
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        all + letters.as_str()
    })
}

pub(crate) fn of_type(attributes: &[Attribute]) -> syn::Result<TypeAttributes> {
    let mut found = TypeAttributes::default();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("avro")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("connect") {
                found.connect = true;
            } else if meta.path.is_ident("name") {
                found.name = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("namespace") {
                found.namespace = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("rename_all") {
                found.rename_all = Some(Case::parse(&meta.value()?.parse()?)?);
            } else {
                return Err(meta.error("expected `name`, `namespace`, `rename_all` or `connect`"));
            }
            Ok(())
        })?;
    }
    Ok(found)
}

pub(crate) fn of_field(attributes: &[Attribute]) -> syn::Result<FieldAttributes> {
    let mut found = FieldAttributes::default();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("avro")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                found.rename = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("default") {
                found.default = Some(json(&meta.value()?.parse()?)?);
            } else if meta.path.is_ident("doc") {
                found.doc = Some(meta.value()?.parse::<LitStr>()?.value());
            } else {
                return Err(meta.error("expected `rename`, `default` or `doc`"));
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// A literal as JSON.
fn json(value: &Expr) -> syn::Result<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(quoted(&text.value())),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Ok(number.base10_digits().to_owned()),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => Ok(number.base10_digits().to_owned()),
        Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. }) => Ok(flag.value.to_string()),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Ok(format!("-{}", json(expr)?)),
        other => Err(syn::Error::new_spanned(other, "expected a literal: text, a number, true or false")),
    }
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
