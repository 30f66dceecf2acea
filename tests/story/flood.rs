//! Many calls from few people, or from nobody in particular (domain.md §5, T-17).

use hotline::record::Outcome;
use hotline::sim::{Habits, Person, Restoring, Town, millis, minutes, secs};

stories![
    three_numbers_that_call_a_hundred_times_take_six_places,
    who_called_too_often_may_call_again_as_soon_as_they_hang_up,
    a_hundred_calls_without_a_number_leave_half_of_the_queue_to_the_others,
    on_an_ordinary_day_nobody_waits_longer_for_being_anonymous,
    two_hundred_callers_at_once_are_answered_and_the_next_hears_the_busy_tone,
    guesses_from_two_hundred_addresses_disturb_nobody,
];

/// scenarios.md SC-40.
fn three_numbers_that_call_a_hundred_times_take_six_places(town: Town) {
    let town = town.restoring(Restoring::OneIn(50));
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    let trolls: Vec<Person> = (0..100)
        .map(|n| {
            let number = Some(format!("+3369900000{}", n % 3));
            let troll = town.person(&format!("troll-{n}"), Habits { number, ..Habits::default() });
            troll.dials("3977");
            troll
        })
        .collect();
    town.passes(secs(if town.is_fair() { 2 } else { 20 }));
    assert_eq!(town.waiting(), 6, "two for each of three numbers");
    let words = "unusual_activity: 3 ";
    assert!(town.board().alarms.iter().any(|alarm| alarm.to_string().starts_with(words)));
    talking.talks_with(&lea);

    let others = ["anna", "berta", "clara"].map(|name| {
        let caller = town.dials(name, "3977");
        caller.gets_through();
        caller
    });
    town.passes(secs(90));
    assert_eq!(town.waiting(), 9);
    assert_eq!(trolls.iter().filter(|troll| troll.is_in_call()).count(), 6, "nobody is banned");
    assert!(others.iter().all(Person::is_in_call));
    let records = town.records();
    assert_eq!(records.len(), 94);
    let told = |outcome: Outcome| matches!(outcome, Outcome::Saturated | Outcome::Overload);
    assert!(records.iter().all(|record| told(record.outcome)), "{records:#?}");
}

/// scenarios.md SC-40 and SC-41: nothing is banned for good.
fn who_called_too_often_may_call_again_as_soon_as_they_hang_up(town: Town) {
    let phone = |name: &str| {
        let number = Some("+33699000000".to_owned());
        town.person(name, Habits { number, ..Habits::default() })
    };
    let [one, two, three] = ["one", "two", "three"].map(phone);
    one.dials("3977");
    one.gets_through();
    two.dials("3977");
    two.gets_through();
    three.dials("3977");
    three.hears("sature");
    three.comes_free_within(minutes(1));
    assert_eq!(town.last_record().outcome, Outcome::Saturated);

    one.hangs_up();
    town.has_records(2);
    three.dials("3977");
    three.hears("accueil-3977");
}

/// scenarios.md SC-40, the variant with `Privacy: id` on all of them.
fn a_hundred_calls_without_a_number_leave_half_of_the_queue_to_the_others(town: Town) {
    let town = town.restoring(Restoring::OneIn(50));
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    for n in 0..100 {
        let troll = town.person(&format!("troll-{n}"), anonymous(n));
        troll.dials("3977");
    }
    town.passes(secs(if town.is_fair() { 2 } else { 20 }));
    assert_eq!(town.waiting(), 20);

    let known: Vec<Person> = (0..8)
        .map(|n| {
            let caller = town.dials(&format!("known-{n}"), "3977");
            caller.hears("accueil-3977");
            caller
        })
        .collect();
    assert_eq!(town.waiting(), 28, "their half is theirs, whoever was there before");
    talking.hangs_up();
    lea.comes_free();
    let mut served = Vec::new();
    for _ in 0..8 {
        lea.rings_within(minutes(3));
        lea.picks_up();
        town.passes(secs(if town.is_fair() { 2 } else { 20 }));
        served.push(known.iter().any(|caller| caller.hearing() == voice_of(&lea)));
        lea.hangs_up();
        lea.comes_free_within(minutes(1));
    }
    assert_eq!(served.iter().filter(|served| **served).count(), 4, "{served:?}");
}

/// decisions.md §15: strict order, as long as nobody floods the line.
fn on_an_ordinary_day_nobody_waits_longer_for_being_anonymous(town: Town) {
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    let anna = town.person("anna", anonymous(1));
    anna.dials("3977");
    anna.gets_through();
    for name in ["berta", "clara"] {
        town.dials(name, "3977").gets_through();
    }
    talking.hangs_up();
    lea.comes_free();
    lea.rings_within(minutes(2));
    lea.picks_up();
    anna.talks_with_within(&lea, secs(10));
}

/// scenarios.md SC-20.
fn two_hundred_callers_at_once_are_answered_and_the_next_hears_the_busy_tone(town: Town) {
    let town = town.restoring(Restoring::OneIn(200));
    let [lea] = town.listeners(["lea"]);
    let talking = lea.takes_a_call();
    let dialled = town.now();
    let callers: Vec<Person> =
        (0..199).map(|n| town.dials(&format!("caller-{n}"), "3977")).collect();
    for caller in &callers {
        caller.gets_through();
    }
    if town.is_fair() {
        assert!(town.now() - dialled < millis(300));
    }
    let late = town.dials("late", "3977");
    late.gets_refused(486);
    assert!(late.reason().contains("Q.850;cause=17"), "{}", late.reason());
    talking.talks_with(&lea);
}

/// scenarios.md SC-39, in small: the whole flood meets the real binary in tests/interop.
fn guesses_from_two_hundred_addresses_disturb_nobody(town: Town) {
    let town = town.restoring(Restoring::OneIn(500));
    let [lea, marc] = town.listeners(["lea", "marc"]);
    let talking = lea.takes_a_call();
    for second in 0..10 {
        for n in 0..200 {
            let stranger = std::net::SocketAddr::from(([203, 0, 113, n], 5060));
            let name = if n % 2 == 0 { "lea".to_owned() } else { format!("agent{n}") };
            town.hears_from(stranger, &guess(&name, n, second));
        }
        if second == 5 {
            let anna = town.dials("anna", "3977");
            let dialled = town.now();
            anna.hears("accueil-3977");
            if town.is_fair() {
                assert!(town.now() - dialled < millis(300));
            }
            // The right password counts, whoever guesses at it meanwhile.
            marc.registers();
            marc.rings_within(secs(20));
            marc.picks_up();
            anna.talks_with_within(&marc, secs(10));
        }
        town.passes(secs(1));
    }
    talking.talks_with(&lea);
    assert_eq!(town.presence("lea"), "talking");
    assert!(town.board().authentication_failures > 0);
}

fn guess(name: &str, from: u8, count: u32) -> String {
    format!(
        "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.{from};branch=z9hG4bKg{from}x{count}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{name}@10.0.0.1>;tag=t\r\nTo: <sip:{name}@10.0.0.1>\r\n\
         Call-ID: guess-{from}-{count}\r\nCSeq: {} REGISTER\r\nContact: <sip:x@203.0.113.{from}>\r\n\
         Authorization: Digest username=\"{name}\", realm=\"hotline.example\", nonce=\"{count}\", \
         uri=\"sip:10.0.0.1\", response=\"{:032x}\", algorithm=MD5, qop=auth, cnonce=\"c\", nc=00000001\r\n\
         Content-Length: 0\r\n\r\n",
        count + 1,
        u128::from(from) << 8 | u128::from(count),
    )
}

fn anonymous(n: usize) -> Habits {
    let number = Some(format!("+336100{n:05}"));
    Habits { number, anonymous: true, ..Habits::default() }
}

fn voice_of(person: &Person) -> hotline::sim::Heard {
    hotline::sim::Heard::Voice(person.name().to_owned())
}
