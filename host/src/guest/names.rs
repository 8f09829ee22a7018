//! Reads import and export names, so that a plugin of another contract is refused in words. It never links.

/// What this host serves, as it is told to people.
pub(super) const SERVED: &str = "smt:plugin/setup@1.x with smt:plugin/transformer@1.x or smt:plugin/aggregator@1.x, and offers smt:plugin/host@1.x \
     and wasi:*@0.2.x";

const SETUP: &str = "smt:plugin/setup";

/// The worlds of the contract; a plugin is of exactly one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Transform,
    Aggregate,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Transform => "transform",
            Kind::Aggregate => "aggregate",
        }
    }
}

const WORLDS: [(Kind, &str); 2] =
    [(Kind::Transform, "smt:plugin/transformer"), (Kind::Aggregate, "smt:plugin/aggregator")];

/// The plugin's world, or what is wrong with it.
pub(super) fn world(imports: &[String], exports: &[String]) -> Result<Kind, String> {
    if let Some(import) = imports.iter().find(|name| !offered(name)) {
        return Err(format!("it imports {import}, but this host serves {SERVED}"));
    }
    let exported = |wanted: &str| exports.iter().find(|export| split(export).0 == wanted);
    let found: Vec<_> = WORLDS.into_iter().filter_map(|(kind, name)| Some((kind, exported(name)?))).collect();
    let (kind, entry) = match (found.as_slice(), exported(SETUP)) {
        (_, Some(setup)) if !first_version(setup) => return Err(built_for(setup)),
        ([(kind, entry)], Some(_)) => (*kind, entry),
        ([_, _], Some(_)) => return Err("it exports both transformer and aggregator, allowed is one".to_owned()),
        _ => return Err(not_ours(exports)),
    };
    if first_version(entry) { Ok(kind) } else { Err(built_for(entry)) }
}

/// What `smt:plugin/host` offers; a later minor version may have more.
const HOST: [&str; 2] = ["level", "log"];

/// What a plugin takes from an interface of ours that this host does not have.
pub(super) fn lacking<'a>(interface: &str, mut items: impl Iterator<Item = &'a str>) -> Option<String> {
    if split(interface).0 != "smt:plugin/host" {
        return None;
    }
    let unknown = items.find(|item| !HOST.contains(item))?;
    Some(format!("it calls {unknown} of {interface}, but this host serves {SERVED}, where host has only log"))
}

/// The contract version a plugin was built for.
pub(super) fn contract(exports: &[String]) -> Option<&str> {
    exports.iter().map(|e| split(e)).find(|(name, _)| *name == SETUP).map(|(_, version)| version)
}

fn offered(import: &str) -> bool {
    let (name, version) = split(import);
    match name {
        "smt:plugin/types" | "smt:plugin/host" => version.starts_with("1."),
        _ => name.starts_with("wasi:") && version.starts_with("0.2."),
    }
}

fn first_version(export: &str) -> bool {
    split(export).1.starts_with("1.")
}

fn built_for(export: &str) -> String {
    format!("it is built for {export}, but this host serves {SERVED}")
}

fn not_ours(exports: &[String]) -> String {
    let found = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
    format!("it exports {found}, but this host serves {SERVED}")
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
        let imports = names(&["smt:plugin/host@1.0.0", "wasi:cli/stderr@0.2.6"]);
        assert_eq!(world(&imports, &exports), Ok(Kind::Transform));
        assert_eq!(contract(&exports), Some("1.0.0"));
        let aggregator = names(&["smt:plugin/setup@1.0.0", "smt:plugin/aggregator@1.0.0"]);
        assert_eq!(world(&[], &aggregator), Ok(Kind::Aggregate));
    }

    #[test]
    fn what_does_not_fit_is_named_together_with_what_is_served() {
        let cases: &[(&[&str], &[&str], &str)] = &[
            (&[], &["smt:plugin/setup@2.0.0", "smt:plugin/transformer@2.0.0"], "built for smt:plugin/setup@2.0.0"),
            (
                &[],
                &["smt:plugin/setup@1.0.0", "smt:plugin/joiner@1.0.0"],
                "exports smt:plugin/setup@1.0.0, smt:plugin/joiner",
            ),
            (&[], &["acme:plugin/setup@1.0.0"], "exports acme:plugin/setup@1.0.0"),
            (&[], &["transform"], "exports transform"),
            (&[], &[], "exports nothing"),
            (&["acme:db/query@1.0.0"], &["smt:plugin/setup@1.0.0"], "imports acme:db/query"),
            (&["wasi:cli/stderr@0.3.0"], &["smt:plugin/setup@1.0.0"], "imports wasi:cli/stderr@0.3.0"),
        ];
        for (imports, exports, wanted) in cases {
            let text = world(&names(imports), &names(exports)).map_err(|t| t.contains(wanted) && t.contains(SERVED));
            assert_eq!(text, Err(true), "{wanted}");
        }
    }

    #[test]
    fn a_function_of_a_later_host_is_named() {
        let of = |interface: &str, item: &'static str| lacking(interface, ["level", "log", item].into_iter());
        assert!(
            of("smt:plugin/host@1.1.0", "metric").is_some_and(|text| text.contains("metric of smt:plugin/host@1.1.0"))
        );
        assert_eq!((of("smt:plugin/host@1.1.0", "log"), of("wasi:io/poll@0.2.6", "poll")), (None, None));
    }

    #[test]
    fn a_plugin_is_of_one_world() {
        let both = ["smt:plugin/setup@1.0.0", "smt:plugin/transformer@1.0.0", "smt:plugin/aggregator@1.0.0"];
        assert!(world(&[], &names(&both)).is_err_and(|text| text.contains("both")));
    }
}
