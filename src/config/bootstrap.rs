//! `hotline.toml` and the environment → a [`House`].
//!
//! Layers, through the `config` crate: what is built in, then the file, then `HOTLINE__…`
//! variables, where `__` goes one table deeper (`HOTLINE__MEDIA__BIND=0.0.0.0`). The crate knows no
//! lines and coerces types, so the file is read strictly first, by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use config::{ConfigError, Environment, File, FileFormat};

use crate::config::House;
use crate::config::catalogue::What;
use crate::config::environment::{self, DOORS, PREFIX};
use crate::config::report::{Place, Report};
use crate::config::source::Source;

/// The file of the house; it may be missing.
pub(super) const FILE: &str = "hotline.toml";

/// Reads the settings of a house; its paths are still as written.
pub(super) fn house(
    folder: &Path,
    environment: &BTreeMap<String, String>,
    report: &mut Report,
) -> Option<House> {
    let path = folder.join(FILE);
    let source = if path.exists() {
        Source::read(&path, report)?
    } else {
        Source { name: path.display().to_string(), text: String::new() }
    };
    source.table::<House>(report)?;
    match layered(&source.text, environment) {
        Ok(house) => {
            judge(&house, &source, report);
            Some(house)
        }
        Err(_) => {
            let problems = environment::problems(environment);
            if problems.is_empty() {
                let place = Place { file: source.name.clone(), position: None };
                report.add(place, What::Environment);
            }
            for (variable, what) in problems {
                report.add(Place { file: variable, position: None }, what);
            }
            None
        }
    }
}

/// A house without what can't be read: variables first, then all of the file but its state folder and language.
pub(super) fn salvaged(folder: &Path, environment: &BTreeMap<String, String>) -> House {
    let usable = environment::usable(environment);
    if let Some(house) = house(folder, &usable, &mut Report::new()) {
        return house;
    }
    let bytes = std::fs::read(folder.join(FILE)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let is_kept = |line: &&str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        ["language", "state"].contains(&key) && layered(line, &BTreeMap::new()).is_ok()
    };
    let kept: BTreeMap<&str, &str> =
        text.lines().filter(is_kept).filter_map(|line| line.split_once('=')).collect();
    let kept: String = kept.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    layered(&kept, &usable).unwrap_or_default()
}

pub(super) fn layered(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<House, ConfigError> {
    let mut settings: HashMap<String, String> = environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let doors = settings.remove(DOORS);
    let variables = Environment::with_prefix("HOTLINE")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("media.ports")
        .with_list_parse_key("page.origins")
        .source(Some(settings));
    let mut builder = config::Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(variables);
    if let Some(doors) = doors {
        builder = builder.set_override("doors", door_tables(&doors)?)?;
    }
    builder.build()?.try_deserialize()
}

/// `udp/127.0.0.1:5060,tcp/127.0.0.1:5060`: a list of tables has no other spelling in a variable.
fn door_tables(text: &str) -> Result<Vec<HashMap<String, String>>, ConfigError> {
    let door = |text: &str| {
        // What is said of it is in `environment`.
        let parts = text.trim().split_once('/');
        let (transport, listen) = parts.ok_or_else(|| ConfigError::Message(text.to_owned()))?;
        Ok(HashMap::from([
            ("transport".to_owned(), transport.to_owned()),
            ("listen".to_owned(), listen.to_owned()),
        ]))
    };
    text.split(',').map(door).collect()
}

fn judge(house: &House, source: &Source, report: &mut Report) {
    let place = |word: &str| {
        let at = source.text.lines().scan(0, |at, line| {
            let start = *at;
            *at += line.len() + 1;
            Some((start, line))
        });
        let mut found = at.filter(|(_, line)| line.trim_start().starts_with(word));
        found.next().map_or_else(
            || Place { file: source.name.clone(), position: None },
            |(start, _)| source.place(start),
        )
    };
    if house.doors.is_empty() {
        report.add(place("doors"), What::NoDoor);
    }
    let mut taken = BTreeSet::new();
    for door in house.doors.iter().filter(|door| door.listen.port() != 0) {
        if !taken.insert((door.transport, door.listen)) {
            let address = format!("{} {}", door.transport.token(), door.listen);
            report.add(place("[[doors]]"), What::DoorTwice { address });
        }
    }
    let (first, last) = house.media.ports;
    let enough = first >= 1_024 && first % 2 == 0 && last.saturating_sub(first) >= 99;
    if !enough {
        report.add(place("ports"), What::PortsFew { first, last });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<House, ConfigError> {
        let environment = variables.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        layered(text, &environment)
    }

    #[test]
    fn nothing_written_is_the_house_that_is_built_in() {
        assert_eq!(read("", &[]).unwrap(), House::default());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let house = read(
            "http = '127.0.0.1:1'\nstate = 'here'\n[media]\nshards = 1",
            &[
                ("HOTLINE__HTTP", "127.0.0.1:9090"),
                ("HOTLINE__MEDIA__PORTS", "16384,32767"),
                ("HOTLINE__LOG__FORMAT", "json"),
                ("HOTLINE__CONNECTIONS__MAX_PER_ADDRESS", "7"),
                ("HOTLINE_SEEDS", "5"),
                ("HOTLINE__DOORS", "udp/127.0.0.1:5070, tcp/[::1]:5071"),
            ],
        )
        .unwrap();

        assert_eq!(house.http.port(), 9090);
        assert_eq!(house.state, Path::new("here"));
        assert_eq!(house.media.shards, 1);
        assert_eq!(house.media.ports, (16_384, 32_767));
        assert_eq!(house.connections.max_per_address, 7);
        assert_eq!(house.doors.len(), 2);
        assert_eq!(house.doors[1].transport, Transport::Tcp);
        assert_eq!(house.doors[1].listen.to_string(), "[::1]:5071");
    }

    #[test]
    fn a_house_that_cannot_be_read_keeps_its_state_its_language_and_its_good_variables() {
        let folder = std::env::temp_dir().join(format!("hotline-salvaged-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let broken = "language = \"en\"\nstate = 'there' # records\nhttp = 5\n[media\n";
        std::fs::write(folder.join(FILE), broken).unwrap();
        let variables = [("HOTLINE__PAGE__LISTEN", "127.0.0.1:9"), ("HOTLINE__DOORS", "5060")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));

        let house = salvaged(&folder, &BTreeMap::from(variables));

        assert_eq!(house.language, crate::config::Language::English);
        assert_eq!(house.state, Path::new("there"));
        assert_eq!(house.page.listen.port(), 9);
        assert_eq!(house.doors, House::default().doors);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_unknown_variable_is_refused() {
        read("", &[("HOTLINE__HTPP", "127.0.0.1:9090")]).unwrap_err();
        read("", &[("HOTLINE__DOORS", "5060")]).unwrap_err();
    }
}
