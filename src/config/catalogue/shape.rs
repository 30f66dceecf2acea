//! What the readers of TOML and of values say, in French. Their own words are English and many; what is not known
//! here is said without them, because its place in the file is said too.

use crate::config::catalogue::one_of;

pub(super) fn in_french(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let first = quoted.first().unwrap_or(&"");
    if message.starts_with("unknown field ") {
        let known = quoted.get(1..).unwrap_or_default();
        return format!(
            "clé inconnue « {first} » ; les clés possibles sont {}",
            one_of(known, "et")
        );
    }
    if message.starts_with("unknown variant ") {
        let known = quoted.get(1..).unwrap_or_default();
        return format!(
            "« {first} » n'est pas un des mots possibles ici : {}",
            one_of(known, "ou")
        );
    }
    if message.starts_with("missing field ") {
        return format!("il manque la clé « {first} »");
    }
    if message.contains("is no duration") {
        return format!("« {first} » n'est pas une durée ; écrivez `500ms`, `5s` ou `2m`");
    }
    if message.starts_with("invalid type: ") || message.starts_with("invalid value: ") {
        return of_another_kind(message);
    }
    let known = GRAMMAR.iter().find(|(english, _)| message.starts_with(english));
    known.map_or("le fichier ne suit pas la grammaire de TOML ici", |(_, french)| french).to_owned()
}

/// `invalid type: integer `5`, expected a string`.
fn of_another_kind(message: &str) -> String {
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    let known = KINDS.iter().find(|(english, _)| expected.starts_with(english));
    match known {
        Some((_, french)) => format!("la valeur n'a pas la bonne forme : il faut {french}"),
        None => "la valeur n'a pas la bonne forme".to_owned(),
    }
}

const KINDS: [(&str, &str); 16] = [
    ("a boolean", "`true` ou `false`"),
    ("a map", "une table"),
    ("a sequence", "une liste"),
    ("a string", "un texte entre guillemets"),
    ("a text, or a list", "un texte, ou une liste de textes"),
    ("a tuple of size 2", "une liste de deux valeurs"),
    ("i64", "un nombre entier"),
    ("IP address", "une adresse IP"),
    ("path string", "un chemin entre guillemets"),
    ("socket address", "une adresse avec son port"),
    ("string or table", "un mot entre guillemets"),
    ("struct ", "une table"),
    ("u16", "un nombre entier de 0 à 65535"),
    ("u32", "un nombre entier positif"),
    ("u64", "un nombre entier positif"),
    ("usize", "un nombre entier positif"),
];

const GRAMMAR: [(&str, &str); 15] = [
    ("duplicate key", "cette clé est déjà écrite plus haut"),
    ("extra ", "il y a quelque chose de trop ici"),
    ("invalid IP address", "ce n'est pas une adresse IP, comme `192.0.2.7`"),
    ("invalid basic string", "il manque un guillemet à la fin de ce texte"),
    ("invalid literal string", "il manque une apostrophe à la fin de ce texte"),
    ("invalid socket address", "ce n'est pas une adresse avec son port, comme `127.0.0.1:5060`"),
    (
        "invalid unquoted key",
        "une clé qui n'est pas entre guillemets n'a que des lettres, des chiffres, `-` et `_`",
    ),
    ("key with no value", "cette clé n'a pas de valeur : écrivez `clé = valeur`"),
    ("missing comma", "il manque une virgule"),
    ("string values must be quoted", "il faut une valeur ici ; un texte s'écrit entre guillemets"),
    ("unclosed array table", "il manque `]]`"),
    ("unclosed array", "il manque `]` à la fin de cette liste"),
    ("unclosed inline table", "il manque `}`"),
    ("unclosed table", "il manque `]`"),
    ("unexpected key or value", "il y a quelque chose de trop sur cette ligne"),
];

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::in_french;
    use crate::config::House;
    use crate::config::file::LinesFile;

    #[test]
    fn what_is_wrong_with_a_files_shape_is_said_in_french_alone() {
        fn of<T: DeserializeOwned>(text: &str) -> String {
            let Err(wrong) = toml::from_str::<T>(text) else {
                panic!("nothing is wrong with {text}");
            };
            in_french(wrong.message())
        }
        let house = of::<House>;
        let table = [
            (house("http = 'everywhere'"), "ce n'est pas une adresse avec son port"),
            (house("http = 5"), "il faut une adresse avec son port"),
            (house("[media]\nbind = 'x'"), "ce n'est pas une adresse IP"),
            (house("[media]\nports = 'x'"), "il faut une liste de deux valeurs"),
            (house("[media]\nshards = 'x'"), "il faut un nombre entier positif"),
            (house("[page]\nbehind_proxy = 'x'"), "il faut `true` ou `false`"),
            (house("[page]\norigins = 'x'"), "il faut une liste"),
            (house("[log]\nlevel = 5"), "il faut un texte entre guillemets"),
            (house("state = 5"), "il faut un chemin entre guillemets"),
            (house("media = 5"), "il faut une table"),
            (house("language = 'de'"), "« de » n'est pas un des mots possibles ici : `en` ou `fr`"),
            (house("[connections]\nidle_timeout = 'x'"), "« x » n'est pas une durée"),
            (house("[[doors]]\ntransport = 'udp'"), "il manque la clé « listen »"),
            (of::<LinesFile>("prompts = []"), "il faut un texte entre guillemets"),
            (house("state = here"), "un texte s'écrit entre guillemets"),
            (house("state = \"here"), "il manque un guillemet à la fin de ce texte"),
            (house("state = 'here"), "il manque une apostrophe à la fin de ce texte"),
            (house("state 'here'"), "cette clé n'a pas de valeur"),
            (house("state ="), "il faut une valeur ici"),
            (house("doors = [1"), "il manque `]` à la fin de cette liste"),
            (house("doors = ['a' 'b']"), "il manque une virgule"),
            (house("[media"), "il manque `]`"),
            (house("state"), "cette clé n'a pas de valeur"),
            (house("state = 'a' b"), "il y a quelque chose de trop sur cette ligne"),
            (house("state = 'a'\nstate = 'b'"), "cette clé est déjà écrite plus haut"),
        ];
        let told: Vec<_> = table.iter().filter(|(told, wanted)| !told.contains(wanted)).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}
