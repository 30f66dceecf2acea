//! What can be wrong, and how it is said in French and in English.
//!
//! One variant per problem; its words are in `english` and `french`, which must say the same thing.
//! Messages name the thing, hints say what to write. Nothing here reads anything.

mod english;
mod french;
mod shape;

use std::time::Duration;

use crate::base::NotAName;
use crate::config::Language;
use crate::config::hours::NotHours;
use crate::media::sound::Decibels;
use crate::media::sound::wav::Unusable;

/// Why a file is no certificate or key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotForTls {
    Damaged,
    NoCertificate,
    NoKey,
    OtherKind,
}

/// One problem, in data.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    FileMissing,
    FileUnreadable {
        why: String,
    },
    FileTooLong {
        max: usize,
    },
    NotUtf8 {
        utf16: bool,
    },
    /// The reader's own words, which are English.
    Shape {
        message: String,
    },
    /// Variables of the environment that can each be used, but not together.
    Environment,
    VariableUnknown {
        suggestion: Option<String>,
    },
    VariableUnusable {
        value: String,
        /// None: the setting is for the file only.
        example: Option<String>,
    },
    BadName {
        kind: Kind,
        name: String,
        why: NotAName,
    },
    Unknown {
        kind: Kind,
        name: String,
        suggestion: Option<String>,
    },
    Unused {
        kind: Kind,
        name: String,
    },
    None {
        kind: Kind,
    },
    UnknownWord {
        text: String,
        allowed: &'static [&'static str],
    },
    BadDuration {
        text: String,
    },
    OutOfRange {
        text: String,
        min: String,
        max: String,
    },
    BadNumber {
        text: String,
    },
    NumberTaken {
        number: String,
        by: String,
    },
    BadRange {
        text: String,
    },
    BadCode {
        text: String,
    },
    Hours {
        text: String,
        why: NotHours,
    },
    Overlap {
        one: String,
        other: String,
    },
    Day {
        text: String,
        suggestion: Option<String>,
    },
    DayTwice {
        text: String,
    },
    Zone {
        text: String,
        suggestion: Option<String>,
    },
    WeekAndRule,
    NeitherWeekNorRule,
    Rule {
        message: String,
    },
    RuleOvernight,
    HolidayPolicyMissing,
    NeverOpen,
    DateUnreadable {
        text: String,
    },
    TimeSkipped {
        text: String,
    },
    ExceptionWhen,
    ExceptionInverted,
    ExceptionPast,
    ExceptionTwice,
    LineWithoutNumber {
        line: String,
    },
    LineWithoutGreeting {
        line: String,
    },
    BadPeer {
        text: String,
    },
    BadServer {
        text: String,
    },
    NoDoorTowards {
        trunk: String,
        transport: &'static str,
    },
    BadCentreCode {
        text: String,
    },
    NotCallable {
        text: String,
    },
    TrunkPasswordMissing {
        trunk: String,
        key: String,
    },
    PagePasswordMissing {
        person: String,
    },
    OverflowWithoutTrunk,
    MovedOn {
        line: String,
    },
    ListenerWithoutQueue {
        listener: String,
    },
    QueueWithoutListener {
        queue: String,
    },
    TrunkWithoutAddress {
        trunk: String,
    },
    GreetingTooLong {
        length: Duration,
    },
    FixedHour {
        words: String,
    },
    PromptFileMissing {
        path: String,
    },
    PromptUnusable {
        why: Unusable,
    },
    PromptTooLong {
        length: Duration,
        max: Duration,
    },
    PromptLevel {
        level: Decibels,
        wanted: Decibels,
    },
    PromptPeak {
        peak: Decibels,
    },
    PromptClipped {
        times: usize,
    },
    PromptLead {
        lead: Duration,
        min: Duration,
        max: Duration,
    },
    PromptWithoutWords,
    NoDoor,
    DoorTwice {
        address: String,
    },
    OriginsMissing {
        door: String,
    },
    OriginShape {
        text: String,
    },
    PlainWebSocket {
        door: String,
    },
    PlainPage {
        listen: String,
    },
    /// It speaks TLS, and its phone can't register.
    PageWithoutDoor,
    CertificateNotGiven {
        door: String,
    },
    CertificateWithoutKey,
    CertificateUnusable {
        why: NotForTls,
    },
    CertificateExpired {
        at: String,
    },
    CertificateTooEarly {
        at: String,
    },
    CertificateExpires {
        at: String,
        days: i64,
    },
    KeyOpen {
        mode: u32,
    },
    WebhookAddress {
        url: String,
    },
    WebhookSecretShort {
        least: usize,
    },
    KeyOfAnother {
        certificate: String,
    },
    PortsFew {
        first: u16,
        last: u16,
    },
    PasswordsOpen {
        mode: u32,
    },
    PasswordShort {
        listener: String,
    },
    PasswordsMissing {
        count: usize,
    },
}

/// What a name is the name of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Calendar,
    Centre,
    Emergency,
    Line,
    Listener,
    Manager,
    Person,
    Prompt,
    Queue,
    Trunk,
}

impl What {
    /// The message, and a hint if there is one.
    pub fn told(&self, language: Language) -> (String, Option<String>) {
        match language {
            Language::English => self.in_english(),
            Language::French => self.in_french(),
        }
    }
}

fn plain(message: impl Into<String>) -> (String, Option<String>) {
    (message.into(), None)
}

fn with(message: impl Into<String>, hint: impl Into<String>) -> (String, Option<String>) {
    (message.into(), Some(hint.into()))
}

/// `` `a`, `b` or `c` ``.
fn one_of(words: &[&str], or: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {or} {last}", others.join(", ")),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn millis(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

fn decibels(level: Decibels) -> String {
    format!("{:.1} dBFS", level.0)
}
