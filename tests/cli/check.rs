use std::process::ExitCode;

use hotline::cli::check::{CheckArgs, check};
use hotline::config::{self, Language};

use crate::now;
use crate::plan_folder::PlanFolder;

#[test]
fn a_broken_hour_is_named_with_its_place_and_what_was_meant() {
    let plan = PlanFolder::new();
    plan.replace("calendars.toml", "[\"9h-19h\"]", "[\"9h_19h\"]");

    assert_eq!(
        plan.problems(Language::French),
        "config/calendars.toml:24:18: heure illisible « 9h_19h » — vouliez-vous « 9h-19h » ?\n\n\
         1 problème\n"
    );
    assert_eq!(
        plan.problems(Language::English),
        "config/calendars.toml:24:18: unreadable hours `9h_19h`\n\nhint: did you mean `9h-19h`?\n\n\
         1 problem\n"
    );
}

#[test]
fn the_example_of_a_trunk_is_a_good_plan_once_its_recordings_are_installed() {
    let plan = PlanFolder::of("deploy/example-trunk");
    plan.replace("lines.toml", "/usr/share/hotline/prompts", "../prompts");

    plan.load().unwrap_or_else(|report| panic!("{}", report.told(Language::English)));
}

/// As the service and the container are told where: a plan that does not find its recordings tells
/// every caller that the line is closed.
#[test]
fn recordings_are_found_where_the_service_and_the_container_install_them() {
    let installed = "/usr/share/hotline/prompts";
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let deployed =
        |file: &str| std::fs::read_to_string(repository.join("deploy").join(file)).unwrap();
    let service = deployed("hotline.service");
    assert!(service.contains("cp -r prompts /usr/share/hotline/"));
    assert!(service.contains(&format!("Environment=HOTLINE__PROMPTS={installed}\n")));
    let container = deployed("Containerfile");
    assert!(container.contains(&format!("COPY prompts {installed}\n")));
    assert!(container.contains(&format!("HOTLINE__PROMPTS={installed}\n")));

    let plan = PlanFolder::new();
    std::fs::rename(plan.path().join("../prompts"), plan.path().join("../elsewhere")).unwrap();
    let check = |prompts: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.arg("check").arg(plan.path()).env("HOTLINE__LANGUAGE", "en");
        command.envs(prompts.map(|folder| ("HOTLINE__PROMPTS", folder)));
        command.output().unwrap()
    };
    assert!(!check(None).status.success());
    let output = check(Some("../elsewhere"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn all_problems_of_meaning_come_at_once() {
    let plan = PlanFolder::new();
    plan.replace("lines.toml", "calendar = \"3977\"", "calendar = \"3979\"");
    plan.replace("lines.toml", "queue = \"ecoute\"", "queue = \"ecuote\"");
    plan.replace("lines.toml", "drain = \"15m\"", "drain = \"15 minutes\"");
    plan.replace("lines.toml", "first = \"attente-1\"", "first = \"atente-1\"");
    plan.replace("lines.toml", "numbers = [\"3133\"]", "numbers = [\"39 77\", \"*10\"]");
    plan.replace("calendars.toml", "holidays = \"usual\"\n", "");
    plan.replace("calendars.toml", "monday-friday =", "mondy-friday =");
    plan.replace("calendars.toml", "\"14h-19h\"", "\"12h30-19h\"");
    plan.replace("trunks.toml", "\"::1\"", "\"localhost\"");
    plan.replace(
        "listeners.toml",
        "end_after_call_work = \"*12\"",
        "end_after_call_work = \"*10\"",
    );
    plan.replace("queues.toml", "places = 20", "places = -1");

    assert_eq!(
        plan.problems(Language::English),
        "\
config/calendars.toml:13:12: the calendar does not say what holds on public holidays

hint: write `holidays = \"usual\"`, \"as-sunday\", \"closed\", or hours like [\"10h-16h\"]

config/calendars.toml:23:1: unknown day `mondy-friday`

hint: did you mean `monday-friday`?

config/calendars.toml:24:30: `9h-13h` and `12h30-19h` overlap

config/queues.toml:11:10: -1 is out of range

hint: write something from 0 to 10000

config/listeners.toml:18:23: `*10` is no code that can be dialled

hint: write a star and digits, as in `*10`

config/trunks.toml:7:29: `localhost` is no range of addresses

hint: write an address, or an address and a length, as in `192.0.2.0/24`

config/lines.toml:18:12: the number 3977 already belongs to line `3133`

config/lines.toml:20:12: calendar `3979` does not exist

hint: did you mean `3977`?

config/lines.toml:21:9: queue `ecuote` does not exist

hint: did you mean `ecoute`?

config/lines.toml:30:9: prompt `atente-1` does not exist

hint: did you mean `attente-1`?

config/lines.toml:43:9: `15 minutes` is no duration

hint: write a number and a unit: `500ms`, `20s`, `10m`, `2h`

config/lines.toml:57:21: `*10` is no telephone number

hint: write digits, with `+33` or `0` in front of long ones

12 problems
"
    );
}

#[test]
fn a_key_that_does_not_exist_is_named_in_both_languages() {
    let plan = PlanFolder::new();
    plan.replace("lines.toml", "ring_after", "ring_aftre");

    let told = plan.problems(Language::French);
    assert!(told.starts_with("config/lines.toml:23:1: clé inconnue « ring_aftre » ; "), "{told}");
    let told = plan.problems(Language::English);
    assert!(told.starts_with("config/lines.toml:23:1: unknown field `ring_aftre`, "), "{told}");
}

#[test]
fn a_number_without_quotes_keeps_its_zero_by_being_refused() {
    let plan = PlanFolder::new();
    plan.replace("lines.toml", "numbers = [\"3977\"]", "numbers = [3977]");

    let told = plan.problems(Language::English);
    assert!(told.starts_with("config/lines.toml:18:12: invalid type: integer"), "{told}");
}

#[test]
fn a_file_from_an_old_editor_is_named_with_its_encoding() {
    let plan = PlanFolder::new();
    plan.write("calendars.toml", b"# heures d'\xe9t\xe9\n[calendars]\n");

    assert_eq!(
        plan.problems(Language::French),
        "config/calendars.toml:1:12: le texte n'est pas en UTF-8\n\nconseil : il est sans doute en \
         Windows-1252 ou Latin-1 : enregistrez de nouveau le fichier, avec le codage UTF-8\n\n\
         1 problème\n"
    );
}

#[test]
fn marks_of_windows_are_read_as_if_they_were_not_there() {
    let plan = PlanFolder::new();
    let text = std::fs::read_to_string(plan.path().join("calendars.toml")).unwrap();
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    plan.write("calendars.toml", windows.as_bytes());

    plan.load().unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let plan = PlanFolder::new();
    plan.remove("queues.toml");

    assert!(plan.problems(Language::English).contains("config/queues.toml: the file is missing"));
}

#[test]
fn a_night_written_in_one_day_is_explained() {
    let plan = PlanFolder::new();
    plan.replace("calendars.toml", "[\"9h-19h\"]", "[\"19h-9h\"]");

    let told = plan.problems(Language::French);
    assert!(told.contains("« 19h-9h » : la fin est avant le début"), "{told}");
}

#[test]
fn exceptions_are_read_in_both_forms_and_judged() {
    let plan = PlanFolder::new();
    plan.add(
        "calendars.toml",
        r#"
[[calendars.3977.exceptions]]
date = 2026-12-24
hours = "9h-17h"
reason = "équipe réduite"

[[calendars.3977.exceptions]]
from = "2026-12-31 16h"
until = 2027-01-02T10:30:00
reason = "déménagement"

[[calendars.3977.exceptions]]
date = "2026-11-20"
reason = "passée"
"#,
    );
    let loaded = plan.load().unwrap();
    let schedule = &loaded.plan.lines["3977"].schedule;
    assert_eq!(schedule.exceptions().len(), 3);
    let until = schedule.opening("2026-12-31T14:00:00Z".parse().unwrap()).until();
    assert_eq!(until, Some("2026-12-31T15:00:00Z".parse().unwrap()));
    assert!(
        plan.plain(&loaded.notices.told(Language::English))
            .contains(": note: the exception is over")
    );

    plan.add(
        "calendars.toml",
        r#"
[[calendars.3977.exceptions]]
date = "24/12/2026"
reason = "x"

[[calendars.3977.exceptions]]
from = "2026-12-31 16h"
reason = "x"

[[calendars.3977.exceptions]]
from = "2026-12-31 16h"
until = "2026-12-31 15h"
reason = "x"

[[calendars.3977.exceptions]]
from = "2027-03-28 02:30"
until = "2027-03-28 10h"
reason = "x"
"#,
    );
    let told = plan.problems(Language::English);
    for problem in [
        "unreadable date `24/12/2026`",
        "an exception needs either a `date`, or both `from` and `until`",
        "the exception ends before it begins",
        "`2027-03-28 02:30` never happens",
    ] {
        assert!(told.contains(problem), "{problem}\n\n{told}");
    }
}

#[test]
fn a_line_that_moves_names_a_line_that_serves() {
    let plan = PlanFolder::new();
    let moves = |line: &str| format!("calendar = \"3977\"\nmoved_to = \"{line}\"");
    plan.replace("lines.toml", "calendar = \"3977\"", &moves("3133"));
    let loaded = plan.load().unwrap();
    let moved = loaded.plan.lines["3977"].moved_to.clone().unwrap();
    assert_eq!((moved.line.as_str(), moved.words.as_str()), ("3133", "numero-remplace"));

    plan.replace("lines.toml", "moved_to = \"3133\"", "moved_to = \"3134\"");
    assert!(plan.problems(Language::English).contains("did you mean `3133`?"));
    plan.replace("lines.toml", "moved_to = \"3134\"", "moved_to = \"3977\"");
    let told = plan.problems(Language::English);
    assert!(told.contains("callers can't be sent on to `3977`"), "{told}");
}

#[test]
fn a_trunk_is_a_preset_with_exceptions_and_its_password_stays_elsewhere() {
    let plan = PlanFolder::new();
    plan.add(
        "trunks.toml",
        r#"
[trunks.operateur]
profile = "ovh"
addresses = ["192.0.2.0/28"]
peers = ["192.0.2.1", "tcp/192.0.2.2:5062"]
numbers = ["3133", "01 99 00 31 33"]
calls = 30
presented = "01 99 00 31 33"
keep_alive = "never"

[trunks.operateur.account]
user = "0199003133"
realm = "sip.example"
"#,
    );
    let loaded = plan.load().unwrap();
    let told = plan.plain(&loaded.notices.told(Language::English));
    assert!(told.contains("trunk `operateur` has an account and no password"), "{told}");
    let trunk = &loaded.plan.trunks["operateur"];
    assert_eq!((trunk.calls_max, trunk.numbers.len()), (Some(30), 2));
    let access = &loaded.plan.sip.trunks[1];
    assert_eq!((access.peers.len(), access.keep_alive), (2, None));
    assert_eq!(access.dress, hotline::sip::Dress::International);
    assert!(access.account.is_none(), "it could prove nothing");

    plan.replace("trunks.toml", "\"tcp/192.0.2.2:5062\"", "\"tls/192.0.2.2\"");
    plan.replace("trunks.toml", "profile = \"ovh\"", "profile = \"ovh\"\nserver = \"sbc.example\"");
    let loaded = plan.load().unwrap();
    let told = plan.plain(&loaded.notices.told(Language::English));
    assert!(
        told.contains("`operateur` is called over TLS, and this house has no such door"),
        "{told}"
    );
    let server = loaded.plan.sip.trunks[1].server.clone().unwrap();
    assert_eq!((server.host.as_str(), server.port, server.transport), ("sbc.example", None, None));

    plan.replace("trunks.toml", "server = \"sbc.example\"", "server = \"192.0.2.1\"");
    let told = plan.problems(Language::English);
    assert!(told.contains("`192.0.2.1` is no name of a server"), "{told}");

    plan.replace("trunks.toml", "tls/192.0.2.2", "sbc.example");
    plan.replace("trunks.toml", "profile = \"ovh\"", "profile = \"ohv\"");
    let told = plan.problems(Language::English);
    assert!(told.contains("`sbc.example` is no address of a trunk"), "{told}");
    assert!(told.contains("`ohv`"), "{told}");
}

#[test]
fn only_whole_numbers_of_people_may_be_called() {
    let plan = PlanFolder::new();
    plan.add("directory.toml", "[managers.claire]\nnumber = \"06 39 98 00 01\"\n");
    plan.replace("lines.toml", "# overflow = [\"claire\"] ", "overflow = [\"claire\"] ");
    let loaded = plan.load().unwrap();
    let told = plan.plain(&loaded.notices.told(Language::French));
    assert!(told.contains("aucun opérateur ne prend nos appels"), "{told}");
    assert_eq!(loaded.plan.lines["3977"].overflow.len(), 1);
    assert_eq!(loaded.plan.sip.callable.len(), 1);

    for wrong in ["3949", "08 99 12 34 56", "112"] {
        let number = format!("number = \"{wrong}\"");
        plan.write("directory.toml", format!("[managers.claire]\n{number}\n").as_bytes());
        let told = plan.problems(Language::English);
        assert!(told.contains("is no number this house may call"), "{wrong}: {told}");
    }
}

#[test]
fn centres_have_codes_of_their_own() {
    let plan = PlanFolder::new();
    let centre = |name: &str, code: &str| {
        format!("[centres.{name}]\nnumber = \"01 99 00 75 00\"\ncode = \"{code}\"\n")
    };
    plan.write("directory.toml", centre("alma-75", "75").as_bytes());
    let loaded = plan.load().unwrap();
    assert_eq!(loaded.plan.lines["3133"].centres["75"].name.as_str(), "alma-75");
    assert_eq!(loaded.plan.sip.callable.len(), 1);

    for second in ["75", "", "1234567", "7a"] {
        let both = centre("alma-75", "75") + &centre("alma-13", second);
        plan.write("directory.toml", both.as_bytes());
        let told = plan.problems(Language::English);
        assert!(told.contains("can't be a code to be keyed in during a call"), "{second}: {told}");
    }
}

#[test]
fn the_example_with_an_operators_trunk_holds_together() {
    let plan = PlanFolder::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/example-trunk");
    for entry in std::fs::read_dir(example).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        plan.write(&name, &std::fs::read(&path).unwrap());
    }
    plan.replace("lines.toml", "/usr/share/hotline/prompts", "../prompts");
    let loaded = plan.load().unwrap_or_else(|report| panic!("{}", report.told(Language::English)));
    assert!(loaded.plan.sip.trunks.iter().all(|trunk| !trunk.peers.is_empty()));
    assert_eq!(loaded.plan.lines["3133"].overflow.len(), 1);
}

#[test]
fn passwords_are_made_once_and_open_accounts() {
    let plan = PlanFolder::new();
    let mut mint = hotline::base::Mint::from_number(1);

    assert!(plan.load().unwrap().plan.sip.accounts.is_empty());
    let made = config::make_passwords(&plan.path(), &mut mint).unwrap();
    assert_eq!(made.listeners.len(), 21);
    let loaded = plan.load().unwrap();
    assert_eq!(loaded.plan.sip.accounts.len(), 21);
    assert!(loaded.notices.problems().is_empty());
    let again = config::make_passwords(&plan.path(), &mut mint).unwrap();
    assert!(again.listeners.is_empty());
}

#[test]
fn the_last_good_plan_survives_a_broken_file_and_a_broken_copy() {
    let plan = PlanFolder::new();
    let loaded = plan.load().unwrap();
    let kept = config::LastGood::of(&loaded.house);
    kept.keep(&loaded).unwrap();
    kept.keep(&loaded).unwrap();

    plan.write("calendars.toml", b"9h_19h");
    plan.write("hotline.toml", b"state = \"../state\"\nhttp = oops");
    plan.load().unwrap_err();
    let found = config::LastGood::of_folder(&plan.path()).load(&plan.path(), now()).unwrap();
    assert_eq!(found.plan.version, loaded.plan.version);
    assert_eq!(found.house, loaded.house);
    assert_eq!(found.plan.lines["3977"].schedule, loaded.plan.lines["3977"].schedule);

    let copy = loaded.house.state.join("last-good/plan/calendars.toml");
    let text = std::fs::read_to_string(&copy).unwrap();
    std::fs::write(&copy, text.replace("9h-19h", "9h-18h")).unwrap();
    config::LastGood::of(&loaded.house).load(&plan.path(), now()).unwrap_err();
}

#[test]
fn a_new_plan_is_compared_with_the_one_that_runs() {
    let plan = PlanFolder::new();
    let old = plan.load().unwrap();
    plan.replace("calendars.toml", "monday-friday = [\"9h-19h\"]", "monday-friday = [\"9h-18h\"]");
    plan.replace("calendars.toml", "[\"9h-13h\", \"14h-19h\"]", "[\"9h-13h\", \"15h-19h\"]");
    plan.add("listeners.toml", "\n[listeners.victor]\nname = \"Victor\"\nqueues = [\"ecoute\"]\n");
    plan.replace("hotline.toml", "8380", "8381");
    plan.replace(
        "lines.toml",
        "numbers = [\"3133\"]",
        "numbers = [\"3133\", \"+33 9 70 00 31 33\"]",
    );
    plan.replace("trunks.toml", "# profile = \"generic\"", "server = \"sbc.example\"\ncalls = 7");
    let new = plan.load().unwrap();
    let at = "2026-11-21T13:30:00Z".parse().unwrap();
    let found = config::difference((&old.plan, &old.house), (&new.plan, &new.house), at);

    assert_eq!(
        found.told(Language::French),
        "\
3977, samedi 21 novembre 2026 : 9h-13h, 14h-19h → 9h-13h, 15h-19h (et 60 autres jours d'ici deux mois)
le numéro +33970003133 mène à la ligne 3133
l'écoutant victor est nouveau
l'opérateur loopback change : `calls`, `server`
`http` ne changera qu'au prochain démarrage
cette modification ferme la ligne 3977 maintenant
"
    );
    let same = config::difference((&old.plan, &old.house), (&old.plan, &old.house), at);
    assert!(same.is_empty());
    assert_eq!(same.told(Language::English), "nothing changes\n");
}

#[test]
fn a_good_plan_is_summed_up() {
    let plan = PlanFolder::new();
    let mut mint = hotline::base::Mint::from_number(1);
    config::make_passwords(&plan.path(), &mut mint).unwrap();
    let args = CheckArgs { folder: plan.path() };
    let at = "2026-12-20T12:30:00Z".parse().unwrap();

    let (told, code) = check(&args, None, at);

    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    let told = told.split_once("3977 (Europe/Paris)").unwrap().1;
    insta::assert_snapshot!(told.split("version").next().unwrap().trim(), @r#"
    dimanche 20 décembre 2026      9h-13h, 14h-19h
      lundi 21 décembre 2026         9h-19h
      mardi 22 décembre 2026         9h-19h
      mercredi 23 décembre 2026      9h-19h
      jeudi 24 décembre 2026         9h-19h
      vendredi 25 décembre 2026      9h-19h   (Noël → holidays = "usual" → 9h-19h)
      samedi 26 décembre 2026        9h-13h, 14h-19h
      dimanche 27 décembre 2026      9h-13h, 14h-19h
      lundi 28 décembre 2026         9h-19h
      mardi 29 décembre 2026         9h-19h
      mercredi 30 décembre 2026      9h-19h
      jeudi 31 décembre 2026         9h-19h
      vendredi 1er janvier 2027      9h-19h   (jour de l'an → holidays = "usual" → 9h-19h)
      samedi 2 janvier 2027          9h-13h, 14h-19h

      ouvre  dimanche 20 décembre 2026 à 14h
      ferme  dimanche 20 décembre 2026 à 19h
      ouvre  lundi 21 décembre 2026 à 9h
      ferme  lundi 21 décembre 2026 à 19h
      ouvre  mardi 22 décembre 2026 à 9h

      3546 heures d'ouverture en 2027

    aucun problème, 0 remarque, 2 lignes, 1 file, 21 écoutants, 158 annonces,
    "#);
}
