use super::*;

const ANNA: CallRef = CallRef(1);
const BERT: CallRef = CallRef(2);
const CLEO: CallRef = CallRef(3);

#[test]
fn three_free_listeners_take_the_first_three_callers_in_order() {
    let mut queue = queue(20);
    for call in [ANNA, BERT, CLEO, CallRef(4)] {
        comes(&mut queue, call);
    }

    let matches = matches(&mut queue, &["lea", "marc", "nora"]);

    assert_eq!(matches, [(ANNA, "lea"), (BERT, "marc"), (CLEO, "nora")].map(owned));
}

#[test]
fn a_lone_caller_has_several_phones_ringing_up_to_the_plans_number() {
    let mut queue = queue(20);
    comes(&mut queue, ANNA);

    let matches = matches(&mut queue, &["lea", "marc", "nora", "omar", "paul"]);

    assert_eq!(matches.len(), 4);
    assert!(matches.iter().all(|(call, _)| *call == ANNA));
}

#[test]
fn a_quiet_phone_does_not_keep_another_from_ringing() {
    let mut queue = queue(20);
    queue.plan.listeners_at_once = 1;
    comes(&mut queue, ANNA);
    assert_eq!(matches(&mut queue, &["lea"]), [(ANNA, "lea")].map(owned));

    assert_eq!(matches(&mut queue, &["marc"]), []);
    queue.quiet(ANNA, &name("lea"));

    assert_eq!(matches(&mut queue, &["marc"]), [(ANNA, "marc")].map(owned));
}

#[test]
fn who_reads_is_rung_first_for_who_writes_and_left_for_them() {
    let mut queue = queue(20);
    comes(&mut queue, ANNA);
    comes(&mut queue, BERT);

    let found = matches_with(&mut queue, &["lea", "marc"], &["lea"], &[BERT]);
    assert_eq!(found, [(ANNA, "marc"), (BERT, "lea")].map(owned));

    // While a reader's phone rings, nobody else's does; when it is quiet, anybody's.
    assert_eq!(
        matches_with(&mut queue, &["nora"], &["lea"], &[ANNA, BERT]),
        [(ANNA, "nora")].map(owned)
    );
    queue.quiet(BERT, &name("lea"));
    assert_eq!(matches_with(&mut queue, &["omar"], &["lea"], &[BERT]), [(BERT, "omar")].map(owned));
}

#[test]
fn with_no_reader_there_who_writes_is_like_anybody() {
    let mut queue = queue(20);
    comes(&mut queue, ANNA);

    let found = matches_with(&mut queue, &["lea", "marc"], &[], &[ANNA]);

    assert_eq!(found, [(ANNA, "lea"), (ANNA, "marc")].map(owned));
}

#[test]
fn when_one_picks_up_the_others_stop() {
    let mut queue = queue(20);
    comes(&mut queue, ANNA);
    matches(&mut queue, &["lea", "marc"]);
    outputs(&mut queue);

    queue.answered(ANNA, &name("marc"));

    assert_eq!(
        outputs(&mut queue),
        [Output::StopRinging { call: ANNA, listener: name("lea"), why: Stop::TakenByAnother }]
    );
    assert!(queue.is_empty());
    assert_eq!(queue.poll_timeout(), None);
}

#[test]
fn a_ring_in_vain_ends_and_the_caller_keeps_the_head() {
    let mut queue = queue(20);
    comes(&mut queue, ANNA);
    comes(&mut queue, BERT);
    matches(&mut queue, &["lea"]);
    outputs(&mut queue);

    queue.handle_timeout(at(20));

    assert_eq!(
        outputs(&mut queue),
        [Output::StopRinging { call: ANNA, listener: name("lea"), why: Stop::Unanswered }]
    );
    assert_eq!(matches(&mut queue, &["marc"]), [(ANNA, "marc")].map(owned));
}

#[test]
fn a_full_queue_gives_a_freed_place_to_the_first_at_the_door() {
    let mut queue = queue(1);
    queue.knocked(ANNA, Class::Known, at(0));
    queue.knocked(BERT, Class::Known, at(1));
    queue.knocked(CLEO, Class::Known, at(2));
    assert_eq!(
        outputs(&mut queue),
        [Output::Placed { call: ANNA }, Output::Full { call: BERT }, Output::Full { call: CLEO }]
    );

    queue.left(BERT);
    queue.left(ANNA);

    assert_eq!(outputs(&mut queue), [Output::Placed { call: CLEO }]);
}

#[test]
fn phones_do_not_ring_before_the_caller_is_ready() {
    let mut queue = queue(20);
    queue.knocked(ANNA, Class::Known, at(0));
    assert_eq!(matches(&mut queue, &["lea"]), []);

    queue.ready(ANNA);

    assert_eq!(matches(&mut queue, &["lea"]), [(ANNA, "lea")].map(owned));
}

#[test]
fn a_caller_who_holds_us_keeps_a_listener_for_a_minute_and_the_head_for_good() {
    let mut queue = queue(20);
    comes(&mut queue, ANNA);
    comes(&mut queue, BERT);
    queue.held(ANNA);
    assert_eq!(matches(&mut queue, &["lea"]), []);
    assert_eq!(matches(&mut queue, &["lea", "marc"]), [(BERT, "lea")].map(owned));
    queue.attempt_failed(BERT, &name("lea"));

    queue.handle_timeout(at(60));
    assert_eq!(matches(&mut queue, &["lea"]), [(BERT, "lea")].map(owned));
    queue.resumed(ANNA);

    assert_eq!(queue.place_of(ANNA), Some(1));
    assert_eq!(matches(&mut queue, &["marc"]), [(ANNA, "marc")].map(owned));
}

#[test]
fn a_caller_given_back_goes_to_the_head_even_of_a_full_queue() {
    let mut queue = queue(1);
    comes(&mut queue, ANNA);

    queue.returned(BERT, Class::Known, None);

    assert_eq!(queue.place_of(BERT), Some(1));
    assert_eq!(queue.place_of(ANNA), Some(2));
}

#[test]
fn patience_spent_stops_the_phones_first() {
    let mut queue = queue(20);
    queue.plan.patience = Some(Duration::from_secs(10));
    comes(&mut queue, ANNA);
    matches(&mut queue, &["lea"]);
    outputs(&mut queue);

    queue.handle_timeout(at(10));

    assert_eq!(
        outputs(&mut queue),
        [
            Output::StopRinging { call: ANNA, listener: name("lea"), why: Stop::CallerLeft },
            Output::PatienceSpent { call: ANNA }
        ]
    );
    assert_eq!(queue.poll_timeout(), None);
}

#[test]
fn when_all_ring_they_ring_for_the_first_in_line() {
    let mut queue = queue(20);
    queue.plan.strategy = RingStrategy::RingAll;
    comes(&mut queue, ANNA);
    comes(&mut queue, BERT);

    let matches = matches(&mut queue, &["lea", "marc"]);

    assert_eq!(matches, [(ANNA, "lea"), (ANNA, "marc")].map(owned));
}

fn comes(queue: &mut Queue, call: CallRef) {
    queue.knocked(call, Class::Known, at(0));
    queue.ready(call);
}

/// Matches until nothing more can be, as the exchange does.
fn matches(queue: &mut Queue, free: &[&str]) -> Vec<(CallRef, String)> {
    matches_with(queue, free, &[], &[])
}

fn matches_with(
    queue: &mut Queue,
    free: &[&str],
    readers: &[&str],
    writers: &[CallRef],
) -> Vec<(CallRef, String)> {
    let mut free: Vec<_> = free.iter().map(|listener| (name(listener), at(0))).collect();
    let on_duty = free.iter().map(|(listener, _)| listener.clone()).collect();
    let readers = readers.iter().map(|reader| name(reader)).collect();
    let writers = writers.iter().copied().collect();
    let mut found = Vec::new();
    loop {
        let staff = Staff { free: &free, on_duty: &on_duty, readers: &readers, writers: &writers };
        let Some((call, listener)) = queue.next_match(staff, at(0)) else {
            break;
        };
        free.retain(|(name, _)| *name != listener);
        queue.matched(call, listener.clone(), at(0));
        found.push((call, listener.to_string()));
    }
    found
}

fn owned((call, listener): (CallRef, &str)) -> (CallRef, String) {
    (call, listener.to_owned())
}

fn outputs(queue: &mut Queue) -> Vec<Output> {
    std::iter::from_fn(|| queue.poll_output()).collect()
}

fn queue(places_max: usize) -> Queue {
    Queue::new(QueuePlan {
        strategy: RingStrategy::LongestIdle,
        listeners_at_once: 4,
        ring_for: Duration::from_secs(20),
        places_max,
        patience: None,
        after_call_work: Duration::from_secs(180),
        misses_max: 2,
        refusal_pause: Duration::from_secs(10),
    })
}

fn name(text: &str) -> ListenerName {
    text.parse().expect("a name")
}

fn at(secs: u64) -> Moment {
    Moment::START + Duration::from_secs(secs)
}
