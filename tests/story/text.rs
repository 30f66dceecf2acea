//! Callers who write and read (scenarios.md SC-25): deaf, or unable to speak where they are.

use hotline::record::{Outcome, Party};
use hotline::sim::{Habits, Person, Town, minutes, secs};

stories![
    a_deaf_caller_reads_the_prompts_and_writes_with_a_listener,
    what_a_caller_writes_while_waiting_is_read_by_the_listener,
    a_listener_without_text_reads_on_the_page,
    a_caller_who_only_writes_is_not_hung_up_on,
];

fn dials(town: &Town) -> Person {
    let anna = town.person("anna", Habits { writes: true, ..town.habits_of_a_caller() });
    anna.dials("3977");
    anna
}

fn a_listener_who_reads(town: &Town) -> Person {
    let lea = town.listener("lea", Habits { writes: true, ..Habits::default() });
    lea.registers();
    lea
}

fn a_deaf_caller_reads_the_prompts_and_writes_with_a_listener(town: Town) {
    let lea = a_listener_who_reads(&town);
    let anna = dials(&town);

    anna.reads("Bonjour, le 39 77, gratuit et confidentiel.");
    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));
    anna.types("bonjour, je suis sourde");
    lea.reads("bonjour, je suis sourde");
    lea.types("bonjour, je vous lis");
    anna.reads("bonjour, je vous lis");

    // What was written has reached nobody's log or record.
    assert!(!town.tail().contains("sourde"));
    lea.hangs_up();
    anna.comes_free();
    let record = format!("{:?}", town.last_record());
    assert!(!record.contains("sourde") && !record.contains("je vous"), "{record}");
    assert_eq!(town.last_record().outcome, Outcome::TakenByListener);
}

fn what_a_caller_writes_while_waiting_is_read_by_the_listener(town: Town) {
    let lea = a_listener_who_reads(&town);
    let anna = dials(&town);
    anna.gets_through();
    anna.types("je ne peux pas parler");

    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));

    lea.reads("je ne peux pas parler");
}

fn a_listener_without_text_reads_on_the_page(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = dials(&town);
    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));

    anna.types("vous me lisez ?");

    assert_eq!(town.shown(), [(Party::Caller, "vous me lisez ?".to_owned())]);
    assert_eq!(lea.read(), "");
}

fn a_caller_who_only_writes_is_not_hung_up_on(town: Town) {
    let lea = a_listener_who_reads(&town);
    let anna = dials(&town);
    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));

    anna.changes(|habits| habits.sounds = false);
    town.passes(minutes(3));

    assert!(anna.is_in_call() && lea.is_in_call());
    anna.types("je suis toujours là");
    lea.reads("je suis toujours là");
}
