use super::*;

const EVERY: Duration = Duration::from_secs(30);

/// domain.md §2.2; scenarios.md SC-33.
#[test]
fn three_misses_and_a_peer_is_down_two_replies_and_it_is_up() {
    let mut trunks = trunks(1);
    let name = name();
    for tick in 0..3 {
        trunks.handle_timeout(at(tick));
        assert!(trunks.is_up(&name), "after {tick} misses");
    }
    trunks.handle_timeout(at(3));
    assert!(!trunks.is_up(&name));
    assert!(asked(&mut trunks).contains(&Output::Changed(name.clone())));

    trunks.replied(&name, peer(1), 200);
    assert!(!trunks.is_up(&name), "one reply is luck");
    trunks.handle_timeout(at(4));
    trunks.replied(&name, peer(1), 404);
    assert!(trunks.is_up(&name), "whatever it says, it is there");
}

#[test]
fn a_reply_in_between_forgives_the_misses() {
    let mut trunks = trunks(1);
    for tick in 0..20 {
        trunks.handle_timeout(at(tick));
        if tick % 3 == 2 {
            trunks.replied(&name(), peer(1), 200);
        }
    }

    assert!(trunks.is_up(&name()));
}

#[test]
fn the_second_peer_takes_over_from_the_first() {
    let mut trunks = trunks(2);
    for tick in 0..5 {
        trunks.handle_timeout(at(tick));
        trunks.replied(&name(), peer(2), 200);
    }

    assert!(trunks.is_up(&name()));
    assert!(!trunks.answers(&name(), peer(1)) && trunks.answers(&name(), peer(2)));
}

#[test]
fn a_peer_that_says_it_can_not_serve_is_as_good_as_silent() {
    let mut trunks = trunks(1);
    for tick in 0..4 {
        trunks.handle_timeout(at(tick));
        trunks.replied(&name(), peer(1), 503);
    }

    assert!(!trunks.is_up(&name()));
}

fn trunks(peers: u8) -> Trunks {
    let mut trunks = Trunks::new(Mint::from_number(1));
    let plan = TrunkAccess {
        peers: (1..=peers).map(peer).collect(),
        keep_alive: Some(EVERY),
        ..TrunkAccess::delivering(name(), Vec::new())
    };
    trunks.planned(&[plan], &BTreeMap::new(), Moment::START);
    trunks
}

fn peer(n: u8) -> TrunkPeer {
    TrunkPeer { transport: Transport::Udp, address: ([192, 0, 2, n], 5060).into() }
}

fn asked(trunks: &mut Trunks) -> Vec<Output> {
    std::iter::from_fn(|| trunks.poll_output()).collect()
}

fn at(tick: u32) -> Moment {
    Moment::START + EVERY * tick
}

fn name() -> TrunkName {
    "operateur".parse().unwrap()
}
