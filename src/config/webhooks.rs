//! Programs of others that are told what happens: where, what, and the secret that signs it.
//!
//! One that can't be told is said and left out; it keeps nothing else from being used.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::catalogue::What;
use crate::config::house::House;
use crate::config::private::{file, read_secret};
use crate::config::report::{Place, Report};
use crate::config::written::Written;

/// The shortest secret that signs (RFC 2104 §3: as long as what it makes).
const SECRET_MIN: usize = 32;

/// The largest file of a secret that is read.
const SECRET_FILE_MAX: u64 = 4_096;

/// A program that is told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// What the log calls it.
    pub name: String,
    pub url: String,
    /// A file with the secret.
    pub secret: PathBuf,
    /// None: everything.
    #[serde(default)]
    pub events: BTreeSet<WebhookEvent>,
}

/// What there is to be told.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEvent {
    AlarmCleared,
    AlarmRaised,
    CallEnded,
    LineClosed,
    LineOpened,
}

/// One that is ready to be told.
#[derive(Clone, Eq, PartialEq)]
pub struct Webhook {
    pub name: String,
    pub url: String,
    pub secret: Vec<u8>,
    pub events: BTreeSet<WebhookEvent>,
}

impl WebhookEvent {
    pub const ALL: [Self; 5] = [
        Self::AlarmCleared,
        Self::AlarmRaised,
        Self::CallEnded,
        Self::LineClosed,
        Self::LineOpened,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlarmCleared => "alarm_cleared",
            Self::AlarmRaised => "alarm_raised",
            Self::CallEnded => "call_ended",
            Self::LineClosed => "line_closed",
            Self::LineOpened => "line_opened",
        }
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({} to {})", self.name, self.url)
    }
}

/// Reads what the webhooks of a house need. What is wrong was said when the plan was read.
pub fn webhooks(house: &House) -> Vec<Webhook> {
    judged(house, &Written::default(), &mut Report::new())
}

/// The same; what is wrong goes into the report.
pub(super) fn judged(house: &House, written: &Written, report: &mut Report) -> Vec<Webhook> {
    let all = house.webhooks.iter().enumerate();
    all.filter_map(|(nth, settings)| webhook(settings, written.webhook(nth), report)).collect()
}

fn webhook(settings: &WebhookSettings, place: Place, report: &mut Report) -> Option<Webhook> {
    if !is_fit(&settings.url) {
        report.broken(place, What::WebhookAddress { url: settings.url.clone() });
        return None;
    }
    let secret = read_secret(&settings.secret, SECRET_FILE_MAX, report)?.trim_ascii().to_vec();
    if secret.len() < SECRET_MIN {
        report.broken(file(&settings.secret), What::WebhookSecretShort { least: SECRET_MIN });
        return None;
    }
    let events = if settings.events.is_empty() {
        WebhookEvent::ALL.into_iter().collect()
    } else {
        settings.events.clone()
    };
    Some(Webhook { name: settings.name.clone(), url: settings.url.clone(), secret, events })
}

/// HTTPS, or plain HTTP to this machine.
fn is_fit(url: &str) -> bool {
    let of = |rest: &str| {
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let is_clean = !host.is_empty()
            && !host.contains('@')
            && rest.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c));
        is_clean.then(|| host.to_owned())
    };
    if let Some(rest) = url.strip_prefix("https://") {
        return of(rest).is_some();
    }
    url.strip_prefix("http://").and_then(of).is_some_and(|host| {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            Some(_) | None => &host,
        };
        ["127.0.0.1", "localhost", "[::1]"].contains(&name)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;
    use crate::config::Language;
    use crate::config::source::Source;

    #[test]
    fn a_webhook_is_told_by_https_or_on_this_machine() {
        for fit in
            ["https://astreinte.example/h?a=1", "http://127.0.0.1:9000/", "http://localhost/x"]
        {
            assert!(is_fit(fit), "{fit}");
        }
        for unfit in [
            "http://astreinte.example/",
            "http://localhost.example/",
            "http://localhost@astreinte.example/",
            "https://",
            "https://a b/",
            "ftp://a/",
        ] {
            assert!(!is_fit(unfit), "{unfit}");
        }
    }

    #[test]
    fn a_webhook_with_a_weak_or_open_secret_is_left_out_and_said() {
        let folder = std::env::temp_dir().join(format!("hotline-hooks-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let puts = |name: &str, text: &str, mode: u32| {
            let path = folder.join(name);
            let mut file = fs::OpenOptions::new();
            let file = file.create(true).write(true).truncate(true).mode(mode).open(&path);
            std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
            path
        };
        let long = "0123456789abcdef0123456789abcdef\n";
        let hook = |name: &str, url: &str, secret: PathBuf| WebhookSettings {
            name: name.to_owned(),
            url: url.to_owned(),
            secret,
            events: BTreeSet::new(),
        };
        let house = House {
            webhooks: vec![
                hook("good", "https://a.example/", puts("good", long, 0o600)),
                hook("open", "https://a.example/", puts("open", long, 0o640)),
                hook("short", "https://a.example/", puts("short", "abc", 0o600)),
                hook("missing", "https://a.example/", folder.join("missing")),
                hook("plain", "http://a.example/", puts("plain", long, 0o600)),
            ],
            ..House::default()
        };

        let text = "[[webhooks]]\nurl = 'a'\n".repeat(5);
        let written = Written::of(&Source { name: "house.toml".into(), text });
        let mut report = Report::new();
        let found = judged(&house, &written, &mut report);

        let _ = fs::remove_dir_all(&folder);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].secret, long.trim().as_bytes());
        assert_eq!(found[0].events.len(), WebhookEvent::ALL.len());
        assert!(!format!("{found:?}").contains("0123"), "a secret can't be printed");
        let told = report.told(Language::English);
        for words in ["house.toml:10:7: `http://a.example/`", "mode 640", "32", "missing"] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}
