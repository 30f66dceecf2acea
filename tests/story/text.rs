//! Callers who write and read (scenarios.md SC-25): deaf, or unable to speak where they are.

use hotline::base::Text;
use hotline::exchange::Command;
use hotline::record::{Outcome, Party};
use hotline::sim::{Habits, Person, Town, minutes, secs};

stories![
    a_deaf_caller_reads_the_prompts_and_writes_with_a_listener,
    what_a_caller_writes_while_waiting_is_read_by_the_listener,
    a_listener_without_text_reads_on_the_page,
    a_listener_without_text_reads_on_the_page_what_was_written_before,
    a_listener_writes_on_the_page_and_the_caller_reads_it,
    the_keys_a_caller_presses_are_shown_to_their_listener_alone,
    a_caller_who_only_writes_is_not_hung_up_on,
    who_writes_is_offered_to_who_reads_before_others,
    a_phone_that_has_shown_text_once_is_rung_first_from_then_on,
    who_reads_is_left_for_who_writes,
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

fn a_listener_without_text_reads_on_the_page_what_was_written_before(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = dials(&town);
    anna.gets_through();
    anna.types("je ne peux pas parler");
    assert_eq!(town.shown(), [], "nobody is there yet");

    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));

    assert_eq!(town.shown(), [(Party::Caller, "je ne peux pas parler".to_owned())]);
    assert!(!town.tail().contains("parler"));
}

fn a_listener_writes_on_the_page_and_the_caller_reads_it(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = dials(&town);
    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));
    assert!(
        town.board().listeners.iter().any(|one| one.caller.as_ref().is_some_and(|it| it.writes))
    );

    let write =
        |text: &str| Command::Write { listener: "lea".parse().unwrap(), text: Text::new(text) };
    town.orders(write("je vous lis")).unwrap();

    anna.reads("je vous lis");
    assert!(!town.tail().contains("vous lis"));
    anna.hangs_up();
    town.passes(minutes(1));
    assert!(town.orders(write("allo")).is_err());
}

fn the_keys_a_caller_presses_are_shown_to_their_listener_alone(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let anna = lea.takes_a_call();
    let [marc] = town.listeners(["marc"]);

    anna.presses('4');
    anna.presses('2');
    lea.presses('7');

    assert_eq!(town.keys_shown(), [("lea".to_owned(), '4'), ("lea".to_owned(), '2')]);
    marc.is_quiet();
    let lea = "lea".parse().unwrap();
    let written = town.orders(Command::Write { listener: lea, text: Text::new("allo") });
    assert!(written.is_err(), "an ordinary telephone shows nothing");
    anna.hangs_up();
    assert!(!format!("{:?}", town.last_record()).contains("'4'"));
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

/// Nobody has to fetch a page to read somebody who can't speak, as long as a phone is there for it.
fn who_writes_is_offered_to_who_reads_before_others(town: Town) {
    let [marc] = town.listeners(["marc"]);
    town.passes(minutes(1));
    let lea = a_listener_who_reads(&town);
    let anna = dials(&town);
    anna.gets_through();

    lea.rings_within(secs(30));
    town.passes(secs(10));
    if town.is_fair() {
        assert_eq!(marc.rang(), 0, "while a phone that shows text rings, no other does");
    }
    // But a caller waits for nobody's phone who has walked off.
    marc.rings_within(secs(40));
    marc.picks_up();
    anna.talks_with_within(&marc, secs(10));
    anna.hangs_up();
    town.last_record();
}

/// Few phones say so when they register.
fn a_phone_that_has_shown_text_once_is_rung_first_from_then_on(town: Town) {
    let habits = Habits { writes: true, modest: true, ..Habits::default() };
    let lea = town.listener("lea", habits);
    lea.registers();
    let anna = dials(&town);
    lea.rings_within(secs(30));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));
    let [marc] = town.listeners(["marc"]);
    anna.hangs_up();
    lea.comes_free_within(secs(40));
    town.orders(Command::EndAfterCallWork { listener: "lea".parse().unwrap() }).unwrap();

    let berta = town.person("berta", Habits { writes: true, ..town.habits_of_a_caller() });
    berta.dials("3977");
    berta.gets_through();
    lea.rings_within(secs(30));
    if town.is_fair() {
        assert_eq!(marc.rang(), 0);
    }
    lea.picks_up();
    berta.talks_with_within(&lea, secs(10));
    berta.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}

fn who_reads_is_left_for_who_writes(town: Town) {
    let lea = a_listener_who_reads(&town);
    town.passes(minutes(1));
    let [marc] = town.listeners(["marc"]);
    let anna = town.dials("anna", "3977");
    let berta = town.person("berta", Habits { writes: true, ..town.habits_of_a_caller() });
    berta.dials("3977");
    if town.is_fair() {
        // The first in line gets who can't read, though the other rested longer.
        marc.rings_within(secs(10));
        lea.rings_within(secs(10));
        marc.picks_up();
        lea.picks_up();
        anna.talks_with_within(&marc, secs(10));
        berta.talks_with_within(&lea, secs(10));
    }
    anna.hangs_up();
    berta.hangs_up();
    assert_eq!(town.has_records(2).len(), 2);
}
