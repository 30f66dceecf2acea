//! What can be wrong, and how it is said in French and in English.
//!
//! One variant per problem; the two tables below it must say the same thing. Messages name the
//! thing, hints say what to write. Nothing here reads anything.

use std::time::Duration;

use crate::base::NotAName;
use crate::config::Language;
use crate::config::hours::NotHours;
use crate::media::sound::Decibels;
use crate::media::sound::wav::Unusable;

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
    /// A variable of the environment, or a setting that it spoils.
    Environment {
        message: String,
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
    Line,
    Listener,
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

    fn in_english(&self) -> (String, Option<String>) {
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
            Self::Environment { message } => with(
                format!("a setting from the environment can't be used: {message}"),
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

    fn in_french(&self) -> (String, Option<String>) {
        let meant = |suggestion: &Option<String>| {
            suggestion.as_ref().map(|name| format!("vouliez-vous « {name} » ?"))
        };
        match self {
            Self::FileMissing => plain("le fichier manque"),
            Self::FileUnreadable { why } => {
                plain(format!("le fichier ne peut pas être lu : {why}"))
            }
            Self::FileTooLong { max } => plain(format!("le fichier dépasse {max} octets")),
            Self::NotUtf8 { utf16 } => with(
                "le texte n'est pas en UTF-8",
                if *utf16 {
                    "il est en UTF-16 : enregistrez de nouveau le fichier, avec le codage UTF-8"
                } else {
                    "il est sans doute en Windows-1252 ou Latin-1 : enregistrez de nouveau le fichier, avec le codage UTF-8"
                },
            ),
            Self::Shape { message } => plain(shape_in_french(message.trim_end())),
            Self::Environment { message } => with(
                format!("un réglage venu de l'environnement est inutilisable : {message}"),
                "les variables se nomment HOTLINE__ suivi du réglage, comme HOTLINE__HTTP=127.0.0.1:9090",
            ),
            Self::BadName { kind, name, why } => plain(format!(
                "{} « {name} » : {}",
                kind.in_french(),
                match why {
                    NotAName::Empty => "un nom ne peut pas être vide",
                    NotAName::TooLong => "un nom a au plus 64 caractères",
                    NotAName::OddCharacter =>
                        "un nom est fait de lettres, de chiffres, de « - », « _ » et « . »",
                }
            )),
            Self::Unknown { kind, name, suggestion } => {
                (format!("{} « {name} » n'existe pas", kind.in_french()), meant(suggestion))
            }
            Self::Unused { kind, name } => {
                plain(format!("{} « {name} » ne sert à rien", kind.in_french()))
            }
            Self::None { kind } => plain(match kind {
                Kind::Calendar => "il n'y a aucun calendrier",
                Kind::Line => "il n'y a aucune ligne",
                Kind::Listener => "il n'y a aucun écoutant",
                Kind::Prompt => "il n'y a aucune annonce",
                Kind::Queue => "il n'y a aucune file",
                Kind::Trunk => "il n'y a aucun opérateur",
            }),
            Self::UnknownWord { text, allowed } => with(
                format!("« {text} » n'est pas un mot possible ici"),
                format!("écrivez {}", one_of(allowed, "ou")),
            ),
            Self::BadDuration { text } => with(
                format!("« {text} » n'est pas une durée"),
                "écrivez un nombre et une unité : `500ms`, `20s`, `10m`, `2h`",
            ),
            Self::OutOfRange { text, min, max } => with(
                format!("{text} est hors limites"),
                format!("écrivez une valeur de {min} à {max}"),
            ),
            Self::BadNumber { text } => with(
                format!("« {text} » n'est pas un numéro de téléphone"),
                "écrivez des chiffres, avec `+33` ou `0` devant les numéros longs",
            ),
            Self::NumberTaken { number, by } => {
                plain(format!("le numéro {number} est déjà celui de la ligne « {by} »"))
            }
            Self::BadRange { text } => with(
                format!("« {text} » n'est pas une plage d'adresses"),
                "écrivez une adresse, ou une adresse et une longueur, comme `192.0.2.0/24`",
            ),
            Self::BadCode { text } => with(
                format!("« {text} » n'est pas un code que l'on peut composer"),
                "écrivez une étoile et des chiffres, comme `*10`",
            ),
            Self::Hours { text, why } => match why {
                NotHours::Unreadable { suggestion: Some(meant) } => {
                    plain(format!("heure illisible « {text} » — vouliez-vous « {meant} » ?"))
                }
                NotHours::Unreadable { suggestion: None } => with(
                    format!("heure illisible « {text} »"),
                    "écrivez des heures comme `9h-19h` ou `09:00-19:00`",
                ),
                NotHours::Inverted => with(
                    format!("« {text} » : la fin est avant le début"),
                    "des heures qui passent minuit s'écrivent sur les deux jours : `22h-24h` et `0h-2h`",
                ),
                NotHours::Empty => {
                    plain(format!("« {text} » : la fin est le début, cela ne dure rien"))
                }
                NotHours::NoSuchTime => with(
                    format!("« {text} » : cette heure n'existe pas"),
                    "les heures vont de `0h` à `24h`",
                ),
            },
            Self::Overlap { one, other } => {
                plain(format!("« {one} » et « {other} » se chevauchent"))
            }
            Self::Day { text, suggestion } => (
                format!("jour inconnu « {text} »"),
                meant(suggestion).or_else(|| {
                    Some("écrivez `lundi`, `monday`, `lundi-vendredi` ou `saturday-sunday`".into())
                }),
            ),
            Self::DayTwice { text } => {
                plain(format!("« {text} » nomme un jour qui a déjà ses heures"))
            }
            Self::Zone { text, suggestion } => (
                format!("fuseau horaire inconnu « {text} »"),
                meant(suggestion).or_else(|| Some("écrivez un fuseau comme `Europe/Paris`".into())),
            ),
            Self::WeekAndRule => {
                with("le calendrier a une `week` et une `rule`", "gardez l'une et effacez l'autre")
            }
            Self::NeitherWeekNorRule => with(
                "le calendrier ne dit rien de la semaine",
                "ajoutez une table [calendars.NOM.week] avec des lignes comme `monday-friday = \"9h-19h\"`",
            ),
            Self::Rule { message } => plain(format!("la règle est illisible :\n{message}")),
            Self::RuleOvernight => plain("la règle a des heures qui continuent après minuit"),
            Self::HolidayPolicyMissing => with(
                "le calendrier ne dit pas ce qui vaut les jours fériés",
                "écrivez `holidays = \"usual\"` (heures habituelles), \"as-sunday\" (comme un dimanche), \"closed\" (fermé), ou des heures comme [\"10h-16h\"]",
            ),
            Self::NeverOpen => plain("le calendrier n'ouvre jamais dans l'année qui vient"),
            Self::DateUnreadable { text } => with(
                format!("date illisible « {text} »"),
                "écrivez une date comme \"2026-12-24\", ou une date et une heure comme \"2026-12-24 16:00\"",
            ),
            Self::TimeSkipped { text } => {
                plain(format!("« {text} » n'existe pas : l'heure d'été passe par-dessus"))
            }
            Self::ExceptionWhen => with(
                "une exception veut soit une `date`, soit `from` et `until`",
                "écrivez `date = \"2026-12-24\"` avec `hours`, ou `from` et `until` avec chacun une date et une heure",
            ),
            Self::ExceptionInverted => plain("l'exception finit avant de commencer"),
            Self::ExceptionPast => plain("l'exception est passée"),
            Self::ExceptionTwice => {
                plain("une autre exception parle déjà de ce moment ; c'est la première qui vaut")
            }
            Self::LineWithoutNumber { line } => {
                plain(format!("la ligne « {line} » n'a pas de numéro, personne ne peut l'appeler"))
            }
            Self::LineWithoutGreeting { line } => {
                plain(format!("la ligne « {line} » n'a pas d'accueil"))
            }
            Self::ListenerWithoutQueue { listener } => {
                plain(format!("l'écoutant « {listener} » ne sert aucune file"))
            }
            Self::QueueWithoutListener { queue } => {
                plain(format!("la file « {queue} » sert à une ligne, et aucun écoutant ne la sert"))
            }
            Self::TrunkWithoutAddress { trunk } => {
                plain(format!("l'opérateur « {trunk} » n'a pas d'adresse"))
            }
            Self::GreetingTooLong { length } => with(
                format!("l'accueil dure {} ; il peut durer 7 s", seconds(*length)),
                "chaque seconde avant une voix humaine fait raccrocher",
            ),
            Self::FixedHour { words } => with(
                format!("une heure est figée dans un enregistrement : « {words} »"),
                "les heures viennent du calendrier ; un enregistrement qui en nomme une le contredira un jour",
            ),
            Self::PromptFileMissing { path } => with(
                format!("l'enregistrement {path} manque"),
                "enregistrez-le, ou lancez prompts/make",
            ),
            Self::PromptUnusable { why } => plain(unusable_in_french(why)),
            Self::PromptTooLong { length, max } => {
                plain(format!("il dure {} ; il peut durer {}", seconds(*length), seconds(*max)))
            }
            Self::PromptLevel { level, wanted } => plain(format!(
                "son niveau est de {} ; il faut {}, à 6 dB près",
                decibels(*level),
                decibels(*wanted)
            )),
            Self::PromptPeak { peak } => plain(format!(
                "son moment le plus fort est à {} ; -1 dBFS est le plus permis",
                decibels(*peak)
            )),
            Self::PromptClipped { times } => plain(format!("il sature en {times} endroits")),
            Self::PromptLead { lead, min, max } => with(
                format!("il commence par {} de silence", millis(*lead)),
                format!("il en faut de {} à {}", millis(*min), millis(*max)),
            ),
            Self::PromptWithoutWords => with(
                "l'annonce n'a pas de texte",
                "écrivez mot pour mot ce qui est dit, ou `kind = \"sound\"`",
            ),
            Self::NoDoor => plain("aucune adresse où parler SIP (`doors` est vide)"),
            Self::DoorTwice { address } => plain(format!("deux `doors` ont l'adresse {address}")),
            Self::PortsFew { first, last } => with(
                format!("les ports {first} à {last} ne suffisent pas pour le son"),
                "nommez au moins 100 ports, le premier pair, comme `ports = [20000, 29999]`",
            ),
            Self::PasswordsOpen { mode } => with(
                format!(
                    "d'autres sur cette machine peuvent lire les mots de passe (mode {mode:o})"
                ),
                "chmod 600 sur ce fichier",
            ),
            Self::PasswordShort { listener } => with(
                format!("le mot de passe de l'écoutant « {listener} » a moins de 12 caractères"),
                "effacez la ligne : un bon sera fait au prochain démarrage",
            ),
            Self::PasswordsMissing { count } => plain(format!(
                "{count} écoutants n'ont pas encore de mot de passe ; `hotline serve` les fera"
            )),
        }
    }
}

impl Kind {
    fn in_english(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Line => "line",
            Self::Listener => "listener",
            Self::Prompt => "prompt",
            Self::Queue => "queue",
            Self::Trunk => "trunk",
        }
    }

    fn in_french(self) -> &'static str {
        match self {
            Self::Calendar => "le calendrier",
            Self::Line => "la ligne",
            Self::Listener => "l'écoutant",
            Self::Prompt => "l'annonce",
            Self::Queue => "la file",
            Self::Trunk => "l'opérateur",
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

/// The TOML reader speaks English only; its commonest sentences are said in French here.
fn shape_in_french(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let known: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        let field = quoted.first().unwrap_or(&"");
        return format!(
            "clé inconnue « {field} » ; les clés possibles sont {}",
            one_of(&known, "et")
        );
    }
    if message.starts_with("missing field ") {
        return format!("il manque la clé « {} »", quoted.first().unwrap_or(&""));
    }
    if message.starts_with("duplicate key") {
        return "cette clé est déjà écrite plus haut".to_owned();
    }
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        return format!("la valeur n'a pas la bonne forme : {rest}");
    }
    format!("le fichier ne suit pas la grammaire de TOML : {message}")
}

fn unusable_in_french(why: &Unusable) -> String {
    match why {
        Unusable::NotWav => "ce n'est pas un fichier WAV".to_owned(),
        Unusable::Damaged(why) => format!("il est abîmé : {why}"),
        Unusable::Truncated { missing } => {
            format!("il est tronqué : il manque {missing} octets de son")
        }
        Unusable::Unfinished => {
            "sa longueur n'y est pas écrite (il vient d'un tube) : enregistrez-le de nouveau"
                .to_owned()
        }
        Unusable::NotPcm { format } => {
            format!("il est compressé (format {format:#06x}) : enregistrez-le en PCM 16 bits")
        }
        Unusable::NotMono { channels } => {
            format!("il a {channels} canaux : enregistrez-le en mono")
        }
        Unusable::NotSixteenBit { bits } => {
            format!("il a {bits} bits par échantillon : enregistrez-le en PCM 16 bits")
        }
        Unusable::RateTooLow { rate } => {
            format!("il a {rate} échantillons par seconde : enregistrez-le à 16 kHz ou plus")
        }
        Unusable::RateTooHigh { rate } => {
            format!("il a {rate} échantillons par seconde, c'est trop")
        }
        Unusable::Empty => "il ne contient aucun son".to_owned(),
        Unusable::TooLong => "il dure plus de 15 minutes".to_owned(),
    }
}
