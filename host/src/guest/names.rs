//! Reads import and export names, so that a plugin of another contract is refused in words. It never links.

/// What this host serves, as it is told to people.
pub(super) const SERVED: &str = "smt:plugin/setup@1.x, smt:plugin/transformer@1.x, smt:plugin/host@1.x, wasi:*@0.2.x";

/// The interfaces a plugin must export; `None` if all is well, else what is wrong with it.
pub(super) fn misfit(imports: &[String], exports: &[String]) -> Option<String> {
    if let Some(import) = imports.iter().find(|name| !served(name)) {
        return Some(format!("it imports {import}, but this host serves {SERVED}"));
    }
    ["smt:plugin/setup", "smt:plugin/transformer"].iter().find_map(|wanted| missing(wanted, exports))
}

/// The contract version a plugin was built for.
pub(super) fn contract(exports: &[String]) -> Option<&str> {
    exports.iter().find_map(|name| name.strip_prefix("smt:plugin/transformer@"))
}

fn served(import: &str) -> bool {
    let (name, version) = split(import);
    match name {
        "smt:plugin/types" | "smt:plugin/host" => version.starts_with("1."),
        _ => name.starts_with("wasi:") && version.starts_with("0.2."),
    }
}

fn missing(wanted: &str, exports: &[String]) -> Option<String> {
    let version = exports.iter().map(|e| split(e)).find(|(name, _)| *name == wanted).map(|(_, version)| version);
    match version {
        Some(version) if version.starts_with("1.") => None,
        Some(version) => Some(format!("it is built for {wanted}@{version}, but this host serves {SERVED}")),
        None if exports.iter().any(|e| e.starts_with("smt:plugin/aggregator@")) => {
            Some(format!("it is an aggregator (world aggregate), but this host serves {SERVED}"))
        }
        None => {
            let found = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
            Some(format!("it exports {found}, not {wanted}@1.x; this host serves {SERVED}"))
        }
    }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn any_minor_version_of_the_contract_fits() {
        let exports = names(&["smt:plugin/setup@1.0.0", "smt:plugin/transformer@1.3.0", "python:extra/x@9.0.0"]);
        assert_eq!(misfit(&names(&["smt:plugin/host@1.0.0", "wasi:cli/stderr@0.2.6"]), &exports), None);
        assert_eq!(contract(&exports), Some("1.3.0"));
    }

    #[test]
    fn another_version_is_named_together_with_what_is_served() {
        let text = misfit(&[], &names(&["smt:plugin/setup@2.0.0", "smt:plugin/transformer@2.0.0"]));
        assert!(text.is_some_and(|t| t.contains("smt:plugin/setup@2.0.0") && t.contains("transformer@1.x")));
    }

    #[test]
    fn an_aggregator_and_an_unknown_import_are_named() {
        let aggregator = names(&["smt:plugin/setup@1.0.0", "smt:plugin/aggregator@1.0.0"]);
        assert!(misfit(&[], &aggregator).is_some_and(|t| t.contains("aggregator")));
        assert!(misfit(&names(&["acme:db/query@1.0.0"]), &aggregator).is_some_and(|t| t.contains("acme:db/query")));
    }
}
