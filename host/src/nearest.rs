//! The known name that a mistyped one was probably meant to be. Says nothing where none is near.

pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&wrong.to_lowercase(), &name.to_lowercase());
    let near = names.into_iter().min_by_key(|name| distance(name))?;
    (distance(near) <= 2 + wrong.len() / 5).then_some(near)
}

/// `; did you mean "…"?`, or nothing.
pub fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, names).map_or_else(String::new, |near| format!("; did you mean {near:?}?"))
}
