//! Who calls, from where and for whom stays unsaid (domain.md §4, P-01 to P-05; §5, T-08, T-19).

use hotline::metrics::Metrics;
use hotline::record::Outcome;
use hotline::sim::{Habits, Restoring, Town, millis, secs};

stories![
    a_caller_who_asks_for_privacy_is_not_even_in_memory,
    where_a_caller_is_stays_at_the_door,
    a_listener_who_claims_to_be_another_is_taken_for_themselves,
    hostile_names_are_nobodys_business,
];

/// P-02: no RAM copy, no pseudonym.
fn a_caller_who_asks_for_privacy_is_not_even_in_memory(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let number = Some("+33699988776".to_owned());
    let habits = Habits { number, anonymous: true, ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    anna.gets_through();
    not_in_memory(&town, "99988776");
    lea.rings_within(secs(8));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(3));
    not_in_memory(&town, "99988776");
    town.never_tells("99988776", "");
    anna.hangs_up();
    town.last_record();
}

/// P-04: P-Access-Network-Info, Geolocation and their like; and who diverted to us.
fn where_a_caller_is_stays_at_the_door(town: Town) {
    let headers = vec![
        (
            "P-Access-Network-Info",
            "GSTN;operator-specific-GI=\"R17599001200\";network-provided".to_owned(),
        ),
        ("Geolocation", "<sip:7599001@lost.example>;routing-allowed=yes".to_owned()),
        ("P-Served-User", "<sip:7599001@ims.example>;sescase=term".to_owned()),
        ("Diversion", "<tel:+33175990012>;reason=no-answer".to_owned()),
    ];
    let number = Some("+33600000001".to_owned());
    let anna = town.person("anna", Habits { number, headers, ..Habits::default() });
    anna.dials("3977");
    anna.gets_through();
    not_in_memory(&town, "759900");
    town.never_tells("759900", "");
    anna.hangs_up();
    town.last_record();
}

/// T-08: the account counts, not From.
fn a_listener_who_claims_to_be_another_is_taken_for_themselves(town: Town) {
    let [lea, _marc] = town.listeners(["lea", "marc"]);
    lea.changes(|habits| habits.claims = Some("marc".into()));
    lea.dials("*10");
    lea.hears_within("pause-oui", secs(3));
    lea.comes_free_within(secs(10));
    assert_eq!(town.presence("lea"), "paused");
    assert_eq!(town.presence("marc"), "available");
}

/// T-19: what strangers write reaches no log, record, metric or board.
fn hostile_names_are_nobodys_business(town: Town) {
    let display = "=cmd|calc script".to_owned();
    let headers = vec![("Subject", "=1+1<script>".to_owned())];
    let number = Some("+33600000001".to_owned());
    let habits = Habits { number, display: Some(display), headers, ..Habits::default() };
    let anna = town.person("anna", habits);
    anna.dials("3977");
    anna.gets_through();
    let evil = town.person("evil", Habits::default());
    evil.dials("3977%0d%0aX-Evil:%20script");
    evil.gets_refused(404);
    for word in ["script", "=cmd", "X-Evil"] {
        town.never_tells_but_to(word, |name| name == "anna" || name == "evil");
        assert!(!format!("{:?}{:?}", town.board(), town.notes()).contains(word), "{word}");
    }
    anna.hangs_up();
    town.last_record();
}

/// P-01: the grep of everything the house says, after calls of every kind.
#[test]
fn a_thousand_calls_leave_no_number_in_anything_the_house_says() {
    let town = Town::new().restoring(Restoring::Never);
    let mut plan = town.plan();
    plan.calls_max = 20;
    let town = town.with_plan(plan);
    let listeners = town.listeners(["lea", "marc"]);
    let callers: Vec<_> =
        (0..25).map(|n| town.person(&format!("caller-{n}"), Habits::default())).collect();
    for n in 0..1_000_u32 {
        let number = Some(format!("+3367599{n:04}"));
        let canary = format!("67599{n:04}");
        let headers = vec![
            ("P-Access-Network-Info", format!("GSTN;operator-specific-GI=\"{canary}\"")),
            ("Geolocation", format!("<sip:{canary}@x.example>")),
            ("Diversion", format!("<tel:+33{canary}>;reason=unknown")),
            ("Remote-Party-ID", format!("\"{canary}\" <sip:{canary}@x.example>")),
            ("User-to-User", format!("{canary};encoding=hex")),
        ];
        let display = Some(format!("{canary} chez lui"));
        let anonymous = n % 3 == 0;
        let habits = Habits { number, headers, display, anonymous, ..Habits::default() };
        let caller = &callers[n as usize % callers.len()];
        caller.hangs_up();
        caller.changes(|its| *its = habits);
        caller.dials(match n % 7 {
            0 => "3133",
            1 => "0199999999",
            2 => "lea",
            _ => "3977",
        });
        town.passes(millis(u64::from(n * 37 % 9_000)));
        listeners.iter().for_each(hotline::sim::Person::picks_up_if_ringing);
        if n % 5 != 0 {
            caller.hangs_up();
        }
        if n % 11 == 0 {
            town.passes(secs(20));
            listeners.iter().for_each(hotline::sim::Person::hangs_up);
        }
    }
    callers.iter().for_each(hotline::sim::Person::hangs_up);
    town.passes(secs(60));
    let metrics = Metrics::new(town.wall());
    for record in town.records() {
        metrics.recorded(&record);
    }
    let board = town.board();
    let said = format!(
        "{:?}{:?}{:?}{}{}",
        town.notes(),
        town.records(),
        board,
        serde_json::to_string(&board).unwrap(),
        metrics.exposition(&board)
    );
    let counted = town.records().len();
    assert!(counted > 500, "{counted}");
    assert!(town.records().iter().any(|record| record.outcome == Outcome::TakenByListener));
    assert!(!said.contains("67599"));
    town.never_tells_but_to("67599", |name| name.starts_with("caller-"));
}

#[track_caller]
fn not_in_memory(town: &Town, canary: &str) {
    let memory = town.snapshot();
    let found = memory.windows(canary.len()).any(|window| window == canary.as_bytes());
    assert!(!found, "the exchange remembers {canary}");
}
