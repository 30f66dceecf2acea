//! What is wrong, in English.

use super::{Kind, NotForTls, What, decibels, millis, one_of, plain, seconds, with};
use crate::config::hours::NotHours;

impl What {
    pub(super) fn in_english(&self) -> (String, Option<String>) {
        let meant = |suggestion: &Option<String>| {
            suggestion.as_ref().map(|name| format!("did you mean `{name}`?"))
        };
        match self {
            Self::FileMissing => plain("the file is missing"),
            Self::FileUnreadable { why } => plain(format!("the file can't be read: {why}")),
            Self::FileTooLong { max } => plain(format!("the file is longer than {max} bytes")),
            Self::NotUtf8 { utf16 } => with(
                "the text is not in UTF-8",
                if *utf16 {
                    "it is in UTF-16: save the file again, with the encoding UTF-8"
                } else {
                    "it is probably in Windows-1252 or Latin-1: save the file again, with the encoding UTF-8"
                },
            ),
            Self::Shape { message } => plain(message.trim_end().to_owned()),
            Self::VariableUnknown { suggestion } => {
                ("there is no setting of this name".to_owned(), meant(suggestion))
            }
            Self::VariableUnusable { value, example } => with(
                format!("`{value}` does not fit this setting"),
                match example {
                    Some(example) => format!("write, for example, {example}"),
                    None => "it is written in hotline.toml only".to_owned(),
                },
            ),
            Self::Environment => with(
                "the settings from the environment don't go together",
                "variables are called HOTLINE__ and the setting, as in HOTLINE__HTTP=127.0.0.1:9090",
            ),
            Self::BadName { kind, name, why } => {
                plain(format!("{} `{name}` can't be called that: {why}", kind.in_english()))
            }
            Self::Unknown { kind, name, suggestion } => {
                (format!("{} `{name}` does not exist", kind.in_english()), meant(suggestion))
            }
            Self::Unused { kind, name } => {
                plain(format!("{} `{name}` is not used by anything", kind.in_english()))
            }
            Self::None { kind } => plain(format!("there is no {} at all", kind.in_english())),
            Self::UnknownWord { text, allowed } => with(
                format!("`{text}` is not one of the words possible here"),
                format!("write {}", one_of(allowed, "or")),
            ),
            Self::BadDuration { text } => with(
                format!("`{text}` is no duration"),
                "write a number and a unit: `500ms`, `20s`, `10m`, `2h`",
            ),
            Self::OutOfRange { text, min, max } => with(
                format!("{text} is out of range"),
                format!("write something from {min} to {max}"),
            ),
            Self::BadNumber { text } => with(
                format!("`{text}` is no telephone number"),
                "write digits, with `+33` or `0` in front of long ones",
            ),
            Self::NumberTaken { number, by } => {
                plain(format!("the number {number} already belongs to line `{by}`"))
            }
            Self::BadRange { text } => with(
                format!("`{text}` is no range of addresses"),
                "write an address, or an address and a length, as in `192.0.2.0/24`",
            ),
            Self::BadCode { text } => with(
                format!("`{text}` is no code that can be dialled"),
                "write a star and digits, as in `*10`",
            ),
            Self::Hours { text, why } => match why {
                NotHours::Unreadable { suggestion } => (
                    format!("unreadable hours `{text}`"),
                    meant(suggestion)
                        .or_else(|| Some("write hours like `9h-19h` or `09:00-19:00`".into())),
                ),
                NotHours::Inverted => with(
                    format!("`{text}` ends before it begins"),
                    "hours that cross midnight are written on both days: `22h-24h` and `0h-2h`",
                ),
                NotHours::Empty => {
                    plain(format!("`{text}` ends where it begins: that is no time at all"))
                }
                NotHours::NoSuchTime => with(
                    format!("there is no such time of day as in `{text}`"),
                    "times go from `0h` to `24h`",
                ),
            },
            Self::Overlap { one, other } => plain(format!("`{one}` and `{other}` overlap")),
            Self::Day { text, suggestion } => (
                format!("unknown day `{text}`"),
                meant(suggestion).or_else(|| {
                    Some("write `monday`, `lundi`, `monday-friday` or `samedi-dimanche`".into())
                }),
            ),
            Self::DayTwice { text } => {
                plain(format!("`{text}` names a day that already has its hours"))
            }
            Self::Zone { text, suggestion } => (
                format!("unknown time zone `{text}`"),
                meant(suggestion).or_else(|| Some("write a zone like `Europe/Paris`".into())),
            ),
            Self::WeekAndRule => {
                with("the calendar has both a `week` and a `rule`", "keep one and delete the other")
            }
            Self::NeitherWeekNorRule => with(
                "the calendar says nothing about the week",
                "add a table [calendars.NAME.week] with lines like `monday-friday = \"9h-19h\"`",
            ),
            Self::Rule { message } => plain(format!("the rule can't be read:\n{message}")),
            Self::RuleOvernight => plain("the rule has hours that go on after midnight"),
            Self::HolidayPolicyMissing => with(
                "the calendar does not say what holds on public holidays",
                "write `holidays = \"usual\"`, \"as-sunday\", \"closed\", or hours like [\"10h-16h\"]",
            ),
            Self::NeverOpen => plain("the calendar never opens within a year"),
            Self::DateUnreadable { text } => with(
                format!("unreadable date `{text}`"),
                "write a date like \"2026-12-24\", or a date and time like \"2026-12-24 16:00\"",
            ),
            Self::TimeSkipped { text } => {
                plain(format!("`{text}` never happens: the clocks go forward over it"))
            }
            Self::ExceptionWhen => with(
                "an exception needs either a `date`, or both `from` and `until`",
                "write `date = \"2026-12-24\"` with `hours`, or `from` and `until` with a date and time each",
            ),
            Self::ExceptionInverted => plain("the exception ends before it begins"),
            Self::ExceptionPast => plain("the exception is over"),
            Self::ExceptionTwice => {
                plain("another exception already speaks of this time; the first one holds")
            }
            Self::LineWithoutNumber { line } => {
                plain(format!("line `{line}` has no number, so nobody can dial it"))
            }
            Self::LineWithoutGreeting { line } => plain(format!("line `{line}` has no greeting")),
            Self::ListenerWithoutQueue { listener } => {
                plain(format!("listener `{listener}` serves no queue"))
            }
            Self::QueueWithoutListener { queue } => {
                plain(format!("queue `{queue}` is used by a line, and no listener serves it"))
            }
            Self::BadPeer { text } => with(
                format!("`{text}` is no address of a trunk"),
                "write an address, with a transport and a port if need be: `tcp/192.0.2.1:5062`",
            ),
            Self::BadServer { text } => with(
                format!("`{text}` is no name of a server"),
                "write a whole name, with a transport or a port if need be: `sbc.operator.example`, \
                 `tls/sbc.operator.example:5061`; addresses belong into `peers`",
            ),
            Self::NoDoorTowards { trunk, transport } => with(
                format!(
                    "trunk `{trunk}` is called over {transport}, and this house has no such door: \
                     no call of ours goes there"
                ),
                "open a door of that transport in hotline.toml, or name another transport",
            ),
            Self::BadCentreCode { text } => with(
                format!("`{text}` can't be a code to be keyed in during a call"),
                "write one to six digits that no other centre, colleague or emergency service has",
            ),
            Self::NotCallable { text } => with(
                format!("`{text}` is no number this house may call"),
                "write a whole number, `06 …` or `+33…`; short numbers and 08 are never called",
            ),
            Self::TrunkPasswordMissing { trunk, key } => with(
                format!("trunk `{trunk}` has an account and no password: no call goes out by it"),
                format!("write `\"{key}\" = \"…\"` into the file of passwords"),
            ),
            Self::PagePasswordMissing { person } => with(
                format!("`{person}` has no password yet and can't sign in"),
                format!("make one: `hotline password {person}`"),
            ),
            Self::OverflowWithoutTrunk => with(
                "managers are to be called, and no trunk takes calls of ours",
                "give a trunk its `peers`",
            ),
            Self::MovedOn { line } => with(
                format!("callers can't be sent on to `{line}`, which has moved itself"),
                "name the line that serves them in the end",
            ),
            Self::TrunkWithoutAddress { trunk } => plain(format!("trunk `{trunk}` has no address")),
            Self::GreetingTooLong { length } => with(
                format!("the greeting lasts {}; it may last 7 s", seconds(*length)),
                "every second before a human voice costs callers",
            ),
            Self::FixedHour { words } => with(
                format!("an hour is fixed in a recording: \"{words}\""),
                "hours come from the calendar; a recording that names one will contradict it some day",
            ),
            Self::PromptFileMissing { path } => {
                with(format!("the recording {path} is missing"), "record it, or run prompts/make")
            }
            Self::PromptUnusable { why } => plain(why.to_string()),
            Self::PromptTooLong { length, max } => {
                plain(format!("it lasts {}; it may last {}", seconds(*length), seconds(*max)))
            }
            Self::PromptLevel { level, wanted } => plain(format!(
                "its level is {}; {} is wanted, 6 dB more or less",
                decibels(*level),
                decibels(*wanted)
            )),
            Self::PromptPeak { peak } => {
                plain(format!("its loudest moment is at {}; -1 dBFS is the most", decibels(*peak)))
            }
            Self::PromptClipped { times } => plain(format!("it is overdriven in {times} places")),
            Self::PromptLead { lead, min, max } => with(
                format!("it begins with {} of silence", millis(*lead)),
                format!("from {} to {} are wanted", millis(*min), millis(*max)),
            ),
            Self::PromptWithoutWords => with(
                "the prompt has no words",
                "write what is said, word for word, or `kind = \"sound\"`",
            ),
            Self::NoDoor => plain("the house has no door: no address where SIP is spoken"),
            Self::DoorTwice { address } => plain(format!("two doors are at {address}")),
            Self::PortsFew { first, last } => with(
                format!("the ports {first} to {last} are not enough for sound"),
                "name at least 100 ports, the first one even, as in `ports = [20000, 29999]`",
            ),
            Self::OriginsMissing { door } => with(
                format!("the door {door} lets nobody in: it has no list of pages that may"),
                "write `origins = [\"https://your.page\"]`",
            ),
            Self::OriginShape { text } => with(
                format!("`{text}` is no origin as a browser sends it"),
                "write `https://name` or `https://name:port`, in lower case, without a slash at the end",
            ),
            Self::PlainWebSocket { door } => with(
                format!("the door {door} would send passwords in the clear"),
                "use `wss` with a certificate; or listen on 127.0.0.1 behind a proxy that speaks TLS; or write `behind_proxy = true`",
            ),
            Self::PlainPage { listen } => with(
                format!(
                    "the page on {listen} takes passwords in the clear, and browsers there give it no microphone"
                ),
                "give `[page]` a `certificate` and a `key`; or let it listen on 127.0.0.1 behind a proxy that speaks TLS; or, if one stands before it already, write `behind_proxy = true`",
            ),
            Self::PageWithoutDoor => with(
                "the page speaks TLS, and browsers let its phone use no door that doesn't"
                    .to_owned(),
                "add a `wss` door (the same certificate will do), or write `sip = \"wss://…\"`",
            ),
            Self::CertificateNotGiven { door } => with(
                format!("the door {door} needs a certificate"),
                "write `certificate = \"chain.pem\"` and `key = \"key.pem\"`",
            ),
            Self::CertificateWithoutKey => with(
                "`certificate` and `key` belong together, and one of them is not written",
                "write both",
            ),
            Self::CertificateUnusable { why } => plain(format!(
                "this can't be used for TLS: {}",
                match why {
                    NotForTls::Damaged => "it is damaged, or no PEM",
                    NotForTls::NoCertificate => "there is no certificate in it",
                    NotForTls::NoKey => "there is no key in it",
                    NotForTls::OtherKind => "this kind of key is not known here",
                }
            )),
            Self::CertificateExpired { at } => with(
                format!("this certificate ended on {at}: phones refuse it"),
                "put the new one here and `hotline reload`",
            ),
            Self::CertificateTooEarly { at } => {
                plain(format!("this certificate begins on {at}: phones refuse it until then"))
            }
            Self::CertificateExpires { at, days } => with(
                format!("this certificate ends on {at}, in {days} days"),
                "put the new one here and `hotline reload`; no call is lost",
            ),
            Self::KeyOpen { mode } => with(
                format!("others on this machine may read the key (mode {mode:o})"),
                "chmod 600 this file",
            ),
            Self::WebhookAddress { url } => with(
                format!("`{url}` is no address for a webhook"),
                "write `https://…`, or `http://` to this machine: 127.0.0.1, [::1] or localhost",
            ),
            Self::WebhookSecretShort { least } => with(
                format!("the secret of a webhook is shorter than {least} characters"),
                "put a longer one into this file, and give it to the receiver: `openssl rand -hex 32`",
            ),
            Self::KeyOfAnother { certificate } => {
                plain(format!("this key does not belong to the certificate {certificate}"))
            }
            Self::PasswordsOpen { mode } => with(
                format!("others on this machine may read the passwords (mode {mode:o})"),
                "chmod 600 this file",
            ),
            Self::PasswordShort { listener } => with(
                format!("the password of listener `{listener}` is shorter than 12 characters"),
                "delete the line: a good one is made at the next start",
            ),
            Self::PasswordsMissing { count } => {
                plain(format!("{count} listeners have no password yet; `hotline serve` makes them"))
            }
        }
    }
}

impl Kind {
    fn in_english(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Centre => "centre",
            Self::Emergency => "emergency service",
            Self::Line => "line",
            Self::Listener => "listener",
            Self::Manager => "manager",
            Self::Person => "person",
            Self::Prompt => "prompt",
            Self::Queue => "queue",
            Self::Trunk => "trunk",
        }
    }
}
