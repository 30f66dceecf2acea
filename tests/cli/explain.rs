use hotline::cli::explain::{ExplainArgs, Origin, Tongue, explain};

use crate::now;
use crate::plan_folder::PlanFolder;

#[test]
fn christmas_is_explained() {
    insta::assert_snapshot!(told(&PlanFolder::new(), "2026-12-25T10:00", Origin::Metropole), @"");
}

#[test]
fn the_weekend_break_is_explained_to_a_caller_from_la_reunion() {
    insta::assert_snapshot!(told(&PlanFolder::new(), "2026-11-21 13h30", Origin::Reunion), @"");
}

#[test]
fn a_night_is_explained() {
    insta::assert_snapshot!(told(&PlanFolder::new(), "2026-11-21T19:00:00", Origin::Elsewhere), @"");
}

#[test]
fn a_closed_holiday_is_explained() {
    let plan = PlanFolder::new();
    plan.replace("calendars.toml", "holidays = \"usual\"", "holidays = \"closed\"");
    insta::assert_snapshot!(told(&plan, "2026-11-01T10:00", Origin::Metropole), @"");
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

    assert!(explain(&args, now()).unwrap_err().contains("n'existe pas"));
    args.when = Some("2027-03-28T01:30Z".into());
    assert!(explain(&args, now()).unwrap().contains("dimanche 28 mars 2027 à 3h30"));
    args.when = Some("demain".into());
    assert!(explain(&args, now()).unwrap_err().contains("n'est pas un instant"));
    args.when = None;
    args.line = Some("3979".into());
    assert!(explain(&args, now()).unwrap_err().contains("il y a 3133, 3977"));
}

fn told(plan: &PlanFolder, when: &str, territory: Origin) -> String {
    explain(&args(plan, when, territory), now()).unwrap()
}

fn args(plan: &PlanFolder, when: &str, territory: Origin) -> ExplainArgs {
    ExplainArgs {
        when: Some(when.into()),
        config: plan.path(),
        line: Some("3977".into()),
        territory,
        lang: Some(Tongue::Fr),
    }
}
