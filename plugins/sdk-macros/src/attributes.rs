//! The `#[avro(..)]` attributes.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitStr};

/// What may stand on a struct or an enum.
#[derive(Default)]
pub(crate) struct TypeAttributes {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) connect: bool,
}

/// What may stand on a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) rename: Option<String>,
    pub(crate) default: Option<Expr>,
    pub(crate) doc: Option<String>,
    pub(crate) fixed: Option<String>,
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

const OF_TYPES: [&str; 4] = ["name", "namespace", "rename_all", "connect"];
const OF_FIELDS: [&str; 4] = ["rename", "default", "doc", "fixed"];

pub(crate) fn of_type(attributes: &[Attribute]) -> syn::Result<TypeAttributes> {
    let mut found = TypeAttributes::default();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("avro")) {
        attribute.parse_nested_meta(|meta| {
            match known(&meta, &OF_TYPES)? {
                "connect" => found.connect = true,
                "name" => found.name = Some(avro_name(&meta.value()?.parse()?)?),
                "namespace" => found.namespace = Some(namespace(&meta.value()?.parse()?)?),
                _ => found.rename_all = Some(Case::parse(&meta.value()?.parse()?)?),
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
            match known(&meta, &OF_FIELDS)? {
                "rename" => found.rename = Some(avro_name(&meta.value()?.parse()?)?),
                "default" => found.default = Some(meta.value()?.parse()?),
                "doc" => found.doc = Some(meta.value()?.parse::<LitStr>()?.value()),
                _ => found.fixed = Some(avro_name(&meta.value()?.parse()?)?),
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// What may stand on the variant of an enum: another name.
pub(crate) fn of_variant(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut rename = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("avro")) {
        attribute.parse_nested_meta(|meta| {
            known(&meta, &["rename"])?;
            rename = Some(avro_name(&meta.value()?.parse()?)?);
            Ok(())
        })?;
    }
    Ok(rename)
}

/// The attribute's name if it is one of these; else the error names the nearest.
pub(crate) fn known(meta: &ParseNestedMeta<'_>, names: &[&'static str]) -> syn::Result<&'static str> {
    if let Some(name) = names.iter().find(|name| meta.path.is_ident(name)) {
        return Ok(name);
    }
    let written = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    let nearest = names.iter().map(|&name| (strsim::damerau_levenshtein(&written, name), name)).min();
    let hint = match nearest {
        Some((distance, name)) if distance <= 3 && distance < name.len() => format!("did you mean `{name}`? "),
        _ => String::new(),
    };
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err(meta.error(format!("unknown attribute: {hint}There are {all}")))
}

/// A name as Avro allows it.
fn avro_name(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    if is_avro_name(&name) {
        return Ok(name);
    }
    Err(syn::Error::new(text.span(), "an Avro name has letters a-z and A-Z, digits and `_`, and no digit first"))
}

pub(crate) fn is_avro_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn namespace(text: &LitStr) -> syn::Result<String> {
    let namespace = text.value();
    if namespace.is_empty() || namespace.split('.').all(is_avro_name) {
        return Ok(namespace);
    }
    Err(syn::Error::new(text.span(), "a namespace is Avro names with dots between them"))
}
