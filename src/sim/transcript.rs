//! Everything that was said in a town, with times: for reading after a story failed, and for asking
//! afterwards whether something was ever told to anybody.

use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Paris;

use crate::base::Moment;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Moment,
    pub wall: DateTime<Utc>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// The house sent this to a phone.
    Sent { to: String, text: String },
    /// The house received this from a phone.
    Received { from: String, text: String },
    /// Anything else the house wished for, in its own words.
    Wished(String),
    /// A person in the town did something.
    Did(String),
}

/// The lines, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    lines: Vec<Line>,
}

/// How much of the end is told when a story fails, unless `HOTLINE_TAIL` asks for more.
const TAIL: usize = 60;

impl Transcript {
    pub fn happened(&mut self, at: Moment, wall: DateTime<Utc>, what: What) {
        self.lines.push(Line { at, wall, what });
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The requests and responses the house sent to a phone since a moment, as whole messages.
    pub fn sent_to<'a>(&'a self, name: &'a str, since: Moment) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |line| line.at >= since).filter_map(move |line| {
            match &line.what {
                What::Sent { to, text } if to == name => Some(text.as_str()),
                What::Sent { .. } | What::Received { .. } | What::Wished(_) | What::Did(_) => None,
            }
        })
    }

    /// Where a word was told to anybody but `except`: in a message, a note or a record.
    pub fn tells(&self, word: &str, except: &str) -> Option<&Line> {
        self.tells_beyond(word, |name| name == except)
    }

    /// The same, whoever may hear it.
    pub fn tells_beyond(&self, word: &str, may_hear: impl Fn(&str) -> bool) -> Option<&Line> {
        self.lines.iter().find(|line| match &line.what {
            What::Sent { to, text } => !may_hear(to) && text.contains(word),
            What::Wished(text) => text.contains(word),
            What::Received { .. } | What::Did(_) => false,
        })
    }

    /// The end of it, in short lines.
    pub fn tail(&self) -> String {
        let asked = std::env::var("HOTLINE_TAIL").ok().and_then(|text| text.parse().ok());
        let from = self.lines.len().saturating_sub(asked.unwrap_or(TAIL));
        self.lines[from..].iter().map(|line| format!("{line}\n")).collect()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.wall.with_timezone(&Paris).format("%H:%M:%S%.3f");
        match &self.what {
            What::Sent { to, text } => write!(f, "{time}  house → {to}: {}", in_short(text)),
            What::Received { from, text } => {
                write!(f, "{time}  {from} → house: {}", in_short(text))
            }
            What::Wished(text) => write!(f, "{time}  house wishes {text}"),
            What::Did(text) => write!(f, "{time}  {text}"),
        }
    }
}

/// `INVITE sip:lea@10.2.0.1 (1 INVITE)`; a Reason is told too.
fn in_short(text: &str) -> String {
    let start = text.lines().next().unwrap_or_default().replace(" SIP/2.0", "");
    let header = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_default()
    };
    let reason = header("Reason");
    let reason = if reason.is_empty() { String::new() } else { format!(" [{reason}]") };
    format!("{start} ({}){reason}", header("CSeq"))
}
