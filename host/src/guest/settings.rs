//! The operator's settings against the plugin's declaration. It never looks at what a value means.

use super::{Setting, SettingValue};

/// Every declared setting in the declared order, defaults filled in; or what is wrong.
pub(super) fn fill(declared: &[Setting], given: &[(String, String)]) -> Result<Vec<SettingValue>, String> {
    for (i, (name, _)) in given.iter().enumerate() {
        if !declared.iter().any(|d| d.name == *name) {
            return Err(unknown(declared, name));
        }
        if given.iter().take(i).any(|(other, _)| other == name) {
            return Err(format!("setting \"{name}\" is given twice"));
        }
    }
    declared.iter().map(|setting| value_of(setting, given)).collect()
}

fn value_of(setting: &Setting, given: &[(String, String)]) -> Result<SettingValue, String> {
    let chosen = given.iter().find(|(name, _)| *name == setting.name).map(|(_, value)| value.clone());
    match chosen.or_else(|| setting.default.clone()) {
        Some(value) => Ok(SettingValue { name: setting.name.clone(), value }),
        None => Err(format!("setting \"{}\" ({}) has no default and must be given", setting.name, setting.summary)),
    }
}

fn unknown(declared: &[Setting], name: &str) -> String {
    if declared.is_empty() {
        return format!("unknown setting \"{name}\": the plugin has no settings");
    }
    let list = declared.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", ");
    let nearest = declared
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(&a.name, name).total_cmp(&strsim::jaro_winkler(&b.name, name)));
    match nearest.filter(|n| strsim::jaro_winkler(&n.name, name) > 0.7) {
        Some(n) => format!("unknown setting \"{name}\", did you mean \"{}\"? the plugin has: {list}", n.name),
        None => format!("unknown setting \"{name}\"; the plugin has: {list}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn declared() -> Vec<Setting> {
        vec![
            Setting { name: "min-age".into(), summary: "youngest".into(), default: Some("18".into()) },
            Setting { name: "field".into(), summary: "which".into(), default: None },
        ]
    }

    fn given(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn defaults_are_filled_in_the_declared_order() {
        let filled = fill(&declared(), &[given("field", "x")]).unwrap();
        let pairs: Vec<_> = filled.iter().map(|s| (s.name.as_str(), s.value.as_str())).collect();
        assert_eq!(pairs, [("min-age", "18"), ("field", "x")]);
    }

    #[test]
    fn an_unknown_setting_names_the_nearest() {
        let error = fill(&declared(), &[given("minage", "3")]).unwrap_err();
        assert!(error.contains("did you mean \"min-age\"") && error.contains("field"), "{error}");
    }

    #[test]
    fn a_setting_without_default_must_be_given_and_only_once() {
        assert!(fill(&declared(), &[]).unwrap_err().contains("must be given"));
        assert!(fill(&declared(), &[given("field", "a"), given("field", "b")]).unwrap_err().contains("twice"));
    }
}
