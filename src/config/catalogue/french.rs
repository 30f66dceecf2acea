//! What is wrong, in French.

use super::{Kind, NotForTls, What, decibels, millis, one_of, plain, seconds, shape, with};
use crate::base::NotAName;
use crate::config::hours::NotHours;
use crate::media::sound::wav::Unusable;

impl What {
    pub(super) fn in_french(&self) -> (String, Option<String>) {
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
            Self::Shape { message } => plain(shape::in_french(message.trim_end())),
            Self::VariableUnknown { suggestion } => {
                ("il n'y a pas de réglage de ce nom".to_owned(), meant(suggestion))
            }
            Self::VariableUnusable { value, example } => with(
                format!("« {value} » ne convient pas à ce réglage"),
                match example {
                    Some(example) => format!("écrivez par exemple {example}"),
                    None => "il ne s'écrit que dans hotline.toml".to_owned(),
                },
            ),
            Self::Environment => with(
                "les réglages venus de l'environnement ne vont pas ensemble",
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
                Kind::Centre => "il n'y a aucun centre",
                Kind::Emergency => "il n'y a aucun service de secours",
                Kind::Line => "il n'y a aucune ligne",
                Kind::Listener => "il n'y a aucun écoutant",
                Kind::Manager => "il n'y a aucun responsable",
                Kind::Person => "il n'y a personne",
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
            Self::BadPeer { text } => with(
                format!("« {text} » n'est pas une adresse d'opérateur"),
                "écrivez une adresse, au besoin avec transport et port : `tcp/192.0.2.1:5062`",
            ),
            Self::BadServer { text } => with(
                format!("« {text} » n'est pas le nom d'un serveur"),
                "écrivez un nom complet, au besoin avec transport ou port : `sbc.operateur.example`, \
                 `tls/sbc.operateur.example:5061` ; les adresses se mettent dans `peers`",
            ),
            Self::NoDoorTowards { trunk, transport } => with(
                format!(
                    "l'opérateur « {trunk} » est appelé en {transport}, et la maison n'a pas de telle \
                     porte : aucun de nos appels n'y va"
                ),
                "ouvrez une porte de ce transport dans hotline.toml, ou indiquez un autre transport",
            ),
            Self::BadCentreCode { text } => with(
                format!("« {text} » ne peut pas être un code à composer pendant un appel"),
                "écrivez un à six chiffres qu'aucun autre centre, collègue ou service de secours n'a",
            ),
            Self::NotCallable { text } => with(
                format!("« {text} » n'est pas un numéro que la maison peut appeler"),
                "écrivez un numéro entier, `06 …` ou `+33…` ; ni numéro court, ni 08",
            ),
            Self::TrunkPasswordMissing { trunk, key } => with(
                format!(
                    "l'opérateur « {trunk} » a un compte sans mot de passe : aucun appel ne sort par lui"
                ),
                format!("écrivez `\"{key}\" = \"…\"` dans le fichier des mots de passe"),
            ),
            Self::PagePasswordMissing { person } => with(
                format!("« {person} » n'a pas encore de mot de passe et ne peut pas se connecter"),
                format!("créez-en un : `hotline password {person}`"),
            ),
            Self::OverflowWithoutTrunk => with(
                "des responsables sont à appeler, et aucun opérateur ne prend nos appels",
                "donnez ses `peers` à un opérateur",
            ),
            Self::MovedOn { line } => with(
                format!(
                    "les appels ne peuvent pas être renvoyés vers « {line} », qui a changé de numéro"
                ),
                "indiquez la ligne qui les prend pour finir",
            ),
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
            Self::OriginsMissing { door } => with(
                format!(
                    "la porte {door} ne laisse entrer personne : elle n'a pas de liste de pages"
                ),
                "écrivez `origins = [\"https://votre.page\"]`",
            ),
            Self::OriginShape { text } => with(
                format!("« {text} » n'est pas une origine telle qu'un navigateur l'envoie"),
                "écrivez `https://nom` ou `https://nom:port`, en minuscules, sans barre à la fin",
            ),
            Self::PlainWebSocket { door } => with(
                format!("la porte {door} enverrait des mots de passe en clair"),
                "employez `wss` avec un certificat ; ou écoutez sur 127.0.0.1 derrière un proxy qui parle TLS ; ou écrivez `behind_proxy = true`",
            ),
            Self::PlainPage { listen } => with(
                format!("la page sur {listen} reçoit des mots de passe en clair, et les navigateurs n'y donnent pas le microphone"),
                "donnez à `[page]` un `certificate` et une `key` ; ou faites-la écouter sur 127.0.0.1 derrière un proxy qui parle TLS ; ou, s'il y en a déjà un devant, écrivez `behind_proxy = true`",
            ),
            Self::PageWithoutDoor => with(
                "la page parle TLS, et les navigateurs n'y laissent son poste employer que des portes qui le parlent".to_owned(),
                "ajoutez une porte `wss` (le même certificat convient), ou écrivez `sip = \"wss://…\"`",
            ),
            Self::CertificateNotGiven { door } => with(
                format!("la porte {door} a besoin d'un certificat"),
                "écrivez `certificate = \"chaine.pem\"` et `key = \"cle.pem\"`",
            ),
            Self::CertificateWithoutKey => with(
                "`certificate` et `key` vont ensemble, et l'un des deux n'est pas écrit",
                "écrivez les deux",
            ),
            Self::CertificateUnusable { why } => plain(format!(
                "ceci ne peut pas servir à TLS : {}",
                match why {
                    NotForTls::Damaged => "c'est abîmé, ou ce n'est pas du PEM",
                    NotForTls::NoCertificate => "il n'y a pas de certificat dedans",
                    NotForTls::NoKey => "il n'y a pas de clé dedans",
                    NotForTls::OtherKind => "cette sorte de clé n'est pas connue ici",
                }
            )),
            Self::CertificateExpired { at } => with(
                format!("ce certificat a pris fin le {at} : les postes le refusent"),
                "déposez le nouveau ici, puis `hotline reload`",
            ),
            Self::CertificateTooEarly { at } => {
                plain(format!("ce certificat commence le {at} : les postes le refusent d'ici là"))
            }
            Self::CertificateExpires { at, days } => with(
                format!("ce certificat prend fin le {at}, dans {days} jours"),
                "déposez le nouveau ici, puis `hotline reload` ; aucun appel n'est perdu",
            ),
            Self::KeyOpen { mode } => with(
                format!("d'autres sur cette machine peuvent lire la clé (mode {mode:o})"),
                "chmod 600 sur ce fichier",
            ),
            Self::WebhookAddress { url } => with(
                format!("`{url}` n'est pas une adresse de webhook"),
                "écrivez `https://…`, ou `http://` vers cette machine : 127.0.0.1, [::1] ou localhost",
            ),
            Self::WebhookSecretShort { least } => with(
                format!("le secret d'un webhook a moins de {least} caractères"),
                "mettez-en un plus long dans ce fichier, et donnez-le au destinataire : `openssl rand -hex 32`",
            ),
            Self::KeyOfAnother { certificate } => {
                plain(format!("cette clé n'est pas celle du certificat {certificate}"))
            }
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
    fn in_french(self) -> &'static str {
        match self {
            Self::Calendar => "le calendrier",
            Self::Centre => "le centre",
            Self::Emergency => "le service de secours",
            Self::Line => "la ligne",
            Self::Listener => "l'écoutant",
            Self::Manager => "le responsable",
            Self::Person => "la personne",
            Self::Prompt => "l'annonce",
            Self::Queue => "la file",
            Self::Trunk => "l'opérateur",
        }
    }
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
