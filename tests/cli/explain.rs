use hotline::cli::explain::{ExplainArgs, Origin, explain};

use crate::now;
use crate::plan_folder::PlanFolder;

#[test]
fn christmas_is_explained() {
    insta::assert_snapshot!(told(&PlanFolder::new(), "2026-12-25T10:00", Origin::Metropole), @r#"
    3977, vendredi 25 décembre 2026 à 10h
    OUVERT jusqu'au vendredi 25 décembre 2026 à 19h
    règle : Noël → holidays = "usual" → 9h-19h

       0.0 s « Bonjour, le 39 77, gratuit et confidentiel. Un écoutant va prendre votre appel. »
       0.5 s les téléphones des écoutants libres commencent à sonner
       0.5 s le son d'attente, jusqu'à ce qu'un écoutant décroche
      20.5 s « Tous les écoutants sont en ligne. Restez avec nous, l'appel est gratuit. »
      45.5 s « Si une personne est en danger tout de suite, raccrochez et appelez le 17, le 15 ou le 112. Par SMS, le 114. »
             puis toutes les 40 s, à tour de rôle : « Nous ne vous oublions pas. Un écoutant prendra votre appel dès que possible. », « Merci de patienter. Votre appel est toujours dans la file, à sa place. », « Restez avec nous. Un écoutant vous répondra dès qu'il sera libre. » ; une fois sur 4, que faire en cas de danger
    "#);
}

#[test]
fn the_weekend_break_is_explained_to_a_caller_from_la_reunion() {
    insta::assert_snapshot!(told(&PlanFolder::new(), "2026-11-21 13h30", Origin::Reunion), @r#"
    3977, samedi 21 novembre 2026 à 13h30
    FERMÉ jusqu'au samedi 21 novembre 2026 à 14h
    règle : samedi → 9h-13h, 14h-19h

       0.0 s « Bonjour, ici le 39 77. »
       0.7 s « Nos écoutants reprennent à 17 heures heure de La Réunion. »
       1.3 s « En cas de danger, appelez le 17, le 15 ou le 112 ; par SMS, le 114. »
       1.5 s l'appel se termine
    "#);
}

#[test]
fn a_night_is_explained() {
    insta::assert_snapshot!(told(&PlanFolder::new(), "2026-11-21T19:00:00", Origin::Elsewhere), @r#"
    3977, samedi 21 novembre 2026 à 19h
    FERMÉ jusqu'au dimanche 22 novembre 2026 à 9h
    règle : samedi → 9h-13h, 14h-19h

       0.0 s « Bonjour, ici le 39 77. »
       0.7 s « Nos écoutants sont absents. »
       0.9 s « En cas de danger, appelez le 17, le 15 ou le 112 ; par SMS, le 114. »
       1.1 s « Nous répondons à nouveau demain à 9 heures heure de Paris. »
       1.9 s « Pour un enfant, le 119. Violences faites aux femmes, le 39 19. »
       4.2 s l'appel se termine ; tout a été dit deux fois
    "#);
}

#[test]
fn a_closed_holiday_is_explained() {
    let plan = PlanFolder::new();
    plan.replace("calendars.toml", "holidays = \"usual\"", "holidays = \"closed\"");
    insta::assert_snapshot!(told(&plan, "2026-11-01T10:00", Origin::Metropole), @r#"
    3977, dimanche 1er novembre 2026 à 10h
    FERMÉ jusqu'au lundi 2 novembre 2026 à 9h
    règle : Toussaint → holidays = "closed" → fermé

       0.0 s « Bonjour, ici le 39 77. »
       0.7 s « Nos écoutants sont absents. »
       0.9 s « En cas de danger, appelez le 17, le 15 ou le 112 ; par SMS, le 114. »
       1.1 s « Nous répondons à nouveau lundi 2 novembre à 9 heures heure de Paris. »
       2.3 s « Pour un enfant, le 119. Violences faites aux femmes, le 39 19. »
       5.0 s l'appel se termine ; tout a été dit deux fois
    "#);
}

#[test]
fn easter_monday_names_the_rule() {
    let told = told(&PlanFolder::new(), "2027-03-29T10:00", Origin::Metropole);
    assert!(told.contains("lundi de Pâques → holidays = \"usual\" → 9h-19h"), "{told}");
}

#[test]
fn an_instant_that_never_happens_is_named() {
    let plan = PlanFolder::new();
    let mut args = args(&plan, "2027-03-28T02:30", Origin::Metropole);

    assert!(explain(&args, None, now()).unwrap_err().contains("n'existe pas"));
    args.when = Some("2027-03-28T01:30Z".into());
    assert!(explain(&args, None, now()).unwrap().contains("dimanche 28 mars 2027 à 3h30"));
    args.when = Some("demain".into());
    assert!(explain(&args, None, now()).unwrap_err().contains("n'est pas un instant"));
    args.when = None;
    args.line = Some("3979".into());
    assert!(explain(&args, None, now()).unwrap_err().contains("il y a 3133, 3977"));
}

fn told(plan: &PlanFolder, when: &str, territory: Origin) -> String {
    explain(&args(plan, when, territory), None, now()).unwrap()
}

fn args(plan: &PlanFolder, when: &str, territory: Origin) -> ExplainArgs {
    ExplainArgs {
        when: Some(when.into()),
        config: plan.path(),
        line: Some("3977".into()),
        territory,
    }
}
