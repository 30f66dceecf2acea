//! The `HOTLINE__…` variables of this process: which of them can be used, and what to write instead of the others.
//!
//! Each is judged by itself, so that a slip in one is told under its name, in the operator's language, and costs
//! that setting only when something must be found to serve with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::House;
use crate::config::bootstrap::layered;
use crate::config::catalogue::What;
use crate::config::guess::nearest;

pub(super) const PREFIX: &str = "HOTLINE__";
pub(super) const DOORS: &str = "HOTLINE__DOORS";

/// Ours among the variables of this process.
pub(super) fn of_process() -> BTreeMap<String, String> {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    let all = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    all.filter(|(name, _)| name.starts_with(PREFIX)).collect()
}

/// Those that can be used.
pub(super) fn usable(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut usable = environment.clone();
    usable.retain(|name, value| is_usable(name, value));
    usable
}

/// What is wrong, by variable.
pub(super) fn problems(environment: &BTreeMap<String, String>) -> Vec<(String, What)> {
    let built_in = serde_json::to_value(House::default()).unwrap_or_default();
    environment
        .iter()
        .filter(|(name, value)| name.starts_with(PREFIX) && !is_usable(name, value))
        .map(|(name, value)| (name.clone(), judged(name, value, &built_in)))
        .collect()
}

fn is_usable(name: &str, value: &str) -> bool {
    layered("", &BTreeMap::from([(name.to_owned(), value.to_owned())])).is_ok()
}

fn judged(name: &str, value: &str, built_in: &Value) -> What {
    if name == DOORS {
        let wrong = value.split(',').find(|door| !is_usable(DOORS, door)).unwrap_or(value);
        let example = format!("{DOORS}=udp/127.0.0.1:5060,tcp/127.0.0.1:5060");
        return What::VariableUnusable { value: wrong.trim().to_owned(), example: Some(example) };
    }
    let mut setting = built_in;
    let mut path = PREFIX.trim_end_matches('_').to_owned();
    for word in name.trim_start_matches(PREFIX).split("__") {
        let Value::Object(table) = setting else {
            return What::VariableUnknown { suggestion: Some(path) };
        };
        let Some(next) = table.get(&word.to_lowercase()) else {
            let known: Vec<String> = table.keys().map(|key| key.to_uppercase()).collect();
            let like = nearest(word, known.iter().map(String::as_str));
            return What::VariableUnknown {
                suggestion: like.map(|like| format!("{path}__{like}")),
            };
        };
        path = format!("{path}__{word}");
        setting = next;
    }
    What::VariableUnusable { value: value.to_owned(), example: example(&path, setting) }
}

/// A variable as it may be written; none: the setting is for the file only.
fn example(name: &str, built_in: &Value) -> Option<String> {
    let text = match built_in {
        // Whatever is a text can be anything; what is left are addresses.
        Value::Null => "192.0.2.7".to_owned(),
        Value::Bool(_) | Value::Number(_) => built_in.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.is_empty() => return None,
        Value::Array(parts) => parts.iter().map(Value::to_string).collect::<Vec<_>>().join(","),
        Value::Object(table) => {
            let (key, inner) = table.iter().next()?;
            return example(&format!("{name}__{}", key.to_uppercase()), inner);
        }
    };
    Some(format!("{name}={text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Language;
    use crate::config::report::{Place, Report};

    #[test]
    fn what_is_wrong_with_a_variable_is_said_in_one_language_under_its_name() {
        let table = [
            (
                ("HOTLINE__DOORS", "udp/127.0.0.1:5060, 5060"),
                "HOTLINE__DOORS: « 5060 » ne convient pas à ce réglage\n\n\
                 conseil : écrivez par exemple HOTLINE__DOORS=udp/127.0.0.1:5060,tcp/127.0.0.1:5060",
                "HOTLINE__DOORS: `5060` does not fit this setting\n\n\
                 hint: write, for example, HOTLINE__DOORS=udp/127.0.0.1:5060,tcp/127.0.0.1:5060",
            ),
            (
                ("HOTLINE__HTTP", "everywhere"),
                "HOTLINE__HTTP: « everywhere » ne convient pas à ce réglage\n\n\
                 conseil : écrivez par exemple HOTLINE__HTTP=127.0.0.1:8380",
                "HOTLINE__HTTP: `everywhere` does not fit this setting\n\n\
                 hint: write, for example, HOTLINE__HTTP=127.0.0.1:8380",
            ),
            (
                ("HOTLINE__MEDIA__PORTS", "20000"),
                "HOTLINE__MEDIA__PORTS: « 20000 » ne convient pas à ce réglage\n\n\
                 conseil : écrivez par exemple HOTLINE__MEDIA__PORTS=20000,29999",
                "HOTLINE__MEDIA__PORTS: `20000` does not fit this setting\n\n\
                 hint: write, for example, HOTLINE__MEDIA__PORTS=20000,29999",
            ),
            (
                ("HOTLINE__DNS__SERVERS", "192.0.2.1:53"),
                "HOTLINE__DNS__SERVERS: « 192.0.2.1:53 » ne convient pas à ce réglage\n\n\
                 conseil : il ne s'écrit que dans hotline.toml",
                "HOTLINE__DNS__SERVERS: `192.0.2.1:53` does not fit this setting\n\n\
                 hint: it is written in hotline.toml only",
            ),
            (
                ("HOTLINE__MEDIA__BNID", "0.0.0.0"),
                "HOTLINE__MEDIA__BNID: il n'y a pas de réglage de ce nom\n\n\
                 conseil : vouliez-vous « HOTLINE__MEDIA__BIND » ?",
                "HOTLINE__MEDIA__BNID: there is no setting of this name\n\n\
                 hint: did you mean `HOTLINE__MEDIA__BIND`?",
            ),
        ];
        for ((name, value), french, english) in table {
            let environment = BTreeMap::from([(name.to_owned(), value.to_owned())]);

            let mut report = Report::new();
            for (name, what) in problems(&environment) {
                report.add(Place { file: name, position: None }, what);
            }

            let told = |language| report.problems()[0].told(language);
            assert_eq!(told(Language::French), french);
            assert_eq!(told(Language::English), english);
            assert_eq!(report.problems().len(), 1);
        }
    }

    #[test]
    fn a_slip_in_one_variable_spoils_no_other() {
        let written = [("HOTLINE__STATE", "here"), ("HOTLINE__HTTP", "x"), ("HOTLINE__HTPP", "y")];
        let written = written.map(|(name, value)| (name.to_owned(), value.to_owned()));

        let usable = usable(&BTreeMap::from(written));

        assert_eq!(usable.into_keys().collect::<Vec<_>>(), ["HOTLINE__STATE"]);
    }
}
