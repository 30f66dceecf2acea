//! Holds the house to its floor plan.
//!
//! A module may import from floors below its own and never from its own floor or above. The pure
//! floors may not touch sockets, threads, clocks or dice.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Top-level modules, lowest floor first.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["admission", "ivr", "media", "queue", "record", "roster", "schedule", "sip"],
    &["call"],
    &["exchange"],
    &["config", "gateway", "http", "metrics", "net", "sim", "store"],
    &["service"],
    &["cli"],
];

/// Floors below this one are pure.
const FIRST_IMPURE_FLOOR: usize = 4;

const IMPURE: &[&str] = &[
    "tokio::",
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
    "rand::rng(",
    "std::net::UdpSocket",
    "std::thread",
    "std::fs",
];

#[test]
fn modules_import_only_from_floors_below() {
    let floor_of = floors();
    let mut faults = Vec::new();
    for (module, file, text) in sources() {
        for imported in imports(&text) {
            let (Some(here), Some(there)) =
                (floor_of.get(module.as_str()), floor_of.get(imported.as_str()))
            else {
                continue;
            };
            if imported != module && there >= here {
                faults.push(format!(
                    "{}: `{module}` (floor {here}) imports `{imported}` (floor {there})",
                    file.display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    let floor_of = floors();
    for (module, file, _) in sources() {
        assert!(floor_of.contains_key(module.as_str()), "{} has no floor", file.display());
    }
}

#[test]
fn pure_floors_touch_nothing_outside() {
    let floor_of = floors();
    let mut faults = Vec::new();
    for (module, file, text) in sources() {
        if floor_of.get(module.as_str()).is_some_and(|floor| *floor >= FIRST_IMPURE_FLOOR) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = IMPURE.iter().find(|word| line.contains(**word)) {
                faults.push(format!(
                    "{}:{}: `{word}` in a pure module",
                    file.display(),
                    number + 1
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// A table of RFCs is worth what its tests are worth.
#[test]
fn every_test_the_table_of_rfcs_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("docs/reference/rfc.md")).unwrap();
    let files = ["src", "tests"].iter().flat_map(|folder| rust_files(&root.join(folder)));
    let code: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();

    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| RFC"));
    let mut missing = Vec::new();
    let mut named = 0;
    for row in rows {
        let last = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap();
        for test in last.split('`').skip(1).step_by(2) {
            named += 1;
            if !code.contains(&format!("fn {test}(")) {
                missing.push(format!("`{test}` in: {row}"));
            }
        }
    }

    assert!(named > 0);
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

fn floors() -> BTreeMap<&'static str, usize> {
    FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, modules)| modules.iter().map(move |module| (*module, floor)))
        .collect()
}

/// Every source file under `src/`: its top-level module, its path, and its text without comments and tests.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in rust_files(&src) {
        let module = path.strip_prefix(&src).unwrap().components().next().unwrap();
        let module = module.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module != "lib" && module != "main" {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let lines = code.lines().map(|line| line.split("//").next().unwrap());
            found.push((module, path, lines.collect::<Vec<_>>().join("\n")));
        }
    }
    found
}

/// Every Rust file in a folder and those below it.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Names following `crate::`, grouped imports included.
fn imports(text: &str) -> Vec<String> {
    let name = |rest: &str| {
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let mut names = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    names.push(name(group[start..i].trim_start()));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.push(name(group[start..i].trim_start()));
                    start = i + 1;
                }
                _ => {}
            }
        }
    }
    names
}
