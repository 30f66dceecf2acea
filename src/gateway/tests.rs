//! A browser made of the same handshake, and people who are not it.
#![expect(clippy::disallowed_methods, reason = "the library wants a clock's beginning")]

use std::time::Duration;

use super::*;
use crate::base::Mint;
use crate::gateway::ice::request;
use crate::media::rtp::srtp::{Opener, Protector};
use crate::media::sdp::{Credentials, Fingerprint, Theirs};

const DOOR: Door = Door(3);

#[test]
fn a_browser_that_begins_gets_the_same_keys_as_we_do() {
    let mut street = Street::new(false);

    street.checks(BROWSER, true);
    street.shakes_hands();

    street.both_have_the_same_keys();
    assert!(matches!(street.news(), [News::Secured { place, .. }] if *place == at(BROWSER)));
}

#[test]
fn a_browser_that_lets_us_begin_gets_the_same_keys_as_we_do() {
    let mut street = Street::new(true);

    street.checks(BROWSER, true);
    street.shakes_hands();

    street.both_have_the_same_keys();
}

/// Its checks are faster than its answer, as signalling goes round by the proxy.
#[test]
fn a_browser_may_look_for_us_before_its_answer_is_here() {
    let mut street = Street::new(false);
    let whole = street.meeting.clone();
    street.meet(Meeting { theirs: None, ..whole.clone() });

    street.checks(BROWSER, true);
    assert_eq!(street.wires.sent.len(), 1);
    street.meet(whole);
    street.shakes_hands();

    street.both_have_the_same_keys();
}

#[test]
fn words_that_are_lost_are_said_again() {
    for seed in 0..50 {
        for we_begin in [false, true] {
            let mut street = Street::new(we_begin);
            street.weather = Some(Mint::from_number(seed));

            street.checks(BROWSER, true);
            street.shakes_hands();

            street.both_have_the_same_keys();
        }
    }
}

/// T-14: unauthenticated STUN.
#[test]
fn a_check_without_our_password_is_neither_answered_nor_followed() {
    let mut street = Street::new(false);
    let ours = Credentials { password: "x".repeat(24), ..street.meeting.ours.clone() };

    street.hears(STRANGER, &request(&ours, "them", true));
    street.hears(STRANGER, &request(&street.meeting.ours.clone(), "else", true));

    assert!(street.wires.sent.is_empty());
    street.checks(BROWSER, true);
    street.shakes_hands();
    street.both_have_the_same_keys();
}

/// CVE-2023-49786: a ClientHello from elsewhere took the handshake's place.
#[test]
fn a_hello_from_an_address_that_proved_nothing_changes_nothing() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    let mut stranger = Visitor::new(street.fingerprint, true, street.now()).unwrap();
    let hello = says(&mut stranger).remove(0);

    for _ in 0..50 {
        street.hears(STRANGER, &hello);
    }
    street.wires.sent.clear();
    street.shakes_hands();

    street.both_have_the_same_keys();
    assert!(street.wires.sent.iter().all(|(to, _)| *to == at(BROWSER)));
}

#[test]
fn who_shows_another_certificate_than_the_one_described_gets_no_sound() {
    for we_begin in [false, true] {
        let mut street = Street::new(we_begin);
        let theirs = street.meeting.theirs.as_mut().unwrap();
        theirs.fingerprint = Fingerprint([9; 32]);
        let meeting = street.meeting.clone();
        street.meet(meeting);

        street.checks(BROWSER, true);
        street.shakes_hands();

        assert!(street.news().is_empty());
    }
}

#[test]
fn plain_alerts_and_garbage_do_not_end_a_handshake() {
    let mut street = Street::new(false);
    street.noise = true;

    street.checks(BROWSER, true);
    street.shakes_hands();

    street.both_have_the_same_keys();
}

#[test]
fn a_handshake_that_is_done_is_not_done_again() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    street.shakes_hands();
    let told = street.news().len();
    street.wires.sent.clear();

    let mut again = Visitor::new(street.fingerprint, true, street.now()).unwrap();
    let hello = says(&mut again).remove(0);
    for _ in 0..50 {
        street.hears(BROWSER, &hello);
    }

    assert_eq!(street.news().len(), told);
    assert!(street.wires.sent.is_empty(), "{}", street.wires.sent.len());
}

/// RFC 6347 §4.2.4: our last flight was lost, so the browser says its own again.
#[test]
fn our_last_words_are_said_again_when_they_are_asked_for_and_not_without_end() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    street.shakes_hands();
    street.wires.sent.clear();

    // Read by nobody any more, told by its head alone.
    let finished = |number: u8| {
        let head = [22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, number, 0, 40];
        [&head[..], &[number; 40]].concat()
    };
    street.hears(BROWSER, &finished(1));
    let [(to, words)] = &street.wires.sent[..] else { panic!("{:?}", street.wires.sent) };
    assert_eq!(*to, at(BROWSER));
    assert!(words.starts_with(&[20, 0xFE, 0xFD]), "{words:?}");
    street.hears(ELSEWHERE, &finished(2));
    assert_eq!(street.wires.sent.len(), 1);
    for number in 0..=255 {
        street.hears(BROWSER, &finished(number));
    }
    assert!(street.wires.sent.len() <= 128, "{}", street.wires.sent.len());
    street.passes(Duration::from_secs(21));
    street.wires.sent.clear();
    street.hears(BROWSER, &finished(3));
    assert!(street.wires.sent.is_empty());
}

#[test]
fn a_browser_that_moves_is_followed() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    street.shakes_hands();

    // Another road is tried, and then taken.
    street.checks(ELSEWHERE, false);
    assert_eq!(street.news().len(), 1);
    street.checks(ELSEWHERE, true);

    let [_, News::Placed { place, .. }] = street.news() else { panic!("{:?}", street.news()) };
    assert_eq!(*place, Some(at(ELSEWHERE)));
}

/// RFC 8445 §9: new credentials, the same certificate.
#[test]
fn a_browser_that_begins_anew_keeps_its_keys_and_is_heard_meanwhile() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    street.shakes_hands();
    let old = street.meeting.ours.clone();
    let mut meeting = street.meeting.clone();
    meeting.ours.name = "anew".to_owned();
    meeting.ours.password = "y".repeat(24);
    meeting.theirs.as_mut().unwrap().ice.name = "them2".to_owned();
    street.meet(meeting.clone());
    street.wires.sent.clear();

    street.hears(BROWSER, &request(&old, "them", false));
    assert_eq!(street.wires.sent.len(), 1);
    street.hears(STRANGER, &request(&old, "them", true));
    assert_eq!(street.news().len(), 1);
    street.hears(ELSEWHERE, &request(&meeting.ours, "them2", true));

    let [_, News::Placed { place, .. }] = street.news() else { panic!("{:?}", street.news()) };
    assert_eq!(*place, Some(at(ELSEWHERE)));
    street.wires.sent.clear();
    street.hears(BROWSER, &request(&old, "them", true));
    assert!(street.wires.sent.is_empty());
}

/// RFC 7675: 30 s without a check.
#[test]
fn who_no_longer_says_that_it_wants_to_hear_us_is_left_alone_until_it_does() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    street.shakes_hands();
    for _ in 0..10 {
        street.passes(Duration::from_secs(15));
        street.checks(BROWSER, false);
    }
    assert_eq!(street.news().len(), 1);

    street.passes(Duration::from_secs(31));
    assert!(matches!(street.news()[1], News::Placed { place: None, .. }));
    street.checks(BROWSER, false);

    assert!(matches!(street.news()[2], News::Placed { place: Some(_), .. }));
}

#[test]
fn a_closed_stream_forgets_its_browser() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    street.wires.sent.clear();

    let now = street.now;
    street.gateway.meet(DOOR, None, now, &mut street.wires);
    street.checks(BROWSER, true);

    assert!(street.wires.sent.is_empty());
    street.passes(Duration::from_secs(60));
    assert_eq!(street.gateway.poll_timeout(), None);
}

#[test]
fn nothing_that_comes_breaks_it_or_makes_it_grow() {
    let mut street = Street::new(false);
    street.checks(BROWSER, true);
    let mut mint = Mint::from_number(1);

    for round in 0..20_000_u32 {
        let length = mint.below(300) as usize;
        let mut octets: Vec<u8> = (0..length).map(|_| mint.number() as u8).collect();
        if let [kind, rest @ ..] = &mut octets[..] {
            *kind = [0, 1, 20, 22, 22, 63][round as usize % 6];
            rest.iter_mut().take(1).for_each(|major| *major = 0xFE);
        }
        street.hears(if round % 2 == 0 { BROWSER } else { STRANGER }, &octets);
    }

    assert!(street.wires.sent.len() < 200, "{}", street.wires.sent.len());
}

const BROWSER: u16 = 5_000;
const ELSEWHERE: u16 = 5_001;
const STRANGER: u16 = 6_000;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], port))
}

fn says(visitor: &mut Visitor) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| visitor.poll_transmit()).collect()
}

/// The gateway, a browser, and what lies between them.
struct Street {
    gateway: Gateway,
    fingerprint: Fingerprint,
    browser: Visitor,
    meeting: Meeting,
    now: Moment,
    beginning: Instant,
    wires: Wires,
    told: Vec<News>,
    /// One word in four of either side is lost.
    weather: Option<Mint>,
    /// A stranger who can forge the browser's address talks in between.
    noise: bool,
}

#[derive(Default)]
struct Wires {
    sent: Vec<(SocketAddr, Vec<u8>)>,
}

impl Sink for Wires {
    fn open(&mut self, _: Door, _: u16) -> bool {
        true
    }

    fn shut(&mut self, _: Door) {}

    fn send(&mut self, door: Door, lane: Lane, to: SocketAddr, packet: &[u8]) {
        assert_eq!((door, lane), (DOOR, Lane::Rtp));
        self.sent.push((to, packet.to_vec()));
    }
}

impl Street {
    fn new(we_begin: bool) -> Self {
        let identity = Arc::new(Identity::new().unwrap());
        let fingerprint = identity.fingerprint();
        let beginning = Instant::now();
        let browser = Visitor::new(fingerprint, !we_begin, beginning).unwrap();
        let ice = browser.ice().clone();
        let meeting = Meeting {
            ours: Credentials { name: "ours".to_owned(), password: "o".repeat(24) },
            theirs: Some(Theirs { ice, fingerprint: browser.fingerprint(), we_begin }),
        };
        let mut street = Self {
            gateway: Gateway::new(identity, beginning),
            fingerprint,
            browser,
            meeting: meeting.clone(),
            now: Moment::START,
            beginning,
            wires: Wires::default(),
            told: Vec::new(),
            weather: None,
            noise: false,
        };
        street.meet(meeting);
        street
    }

    fn now(&self) -> Instant {
        self.beginning + self.now.since_start()
    }

    fn meet(&mut self, meeting: Meeting) {
        self.meeting = meeting.clone();
        self.gateway.meet(DOOR, Some(meeting), self.now, &mut self.wires);
    }

    fn hears(&mut self, from: u16, datagram: &[u8]) {
        assert!(is_for_the_gateway(datagram) || datagram.is_empty());
        self.gateway.received(DOOR, at(from), datagram, self.now, &mut self.wires);
        self.told.extend(std::iter::from_fn(|| self.gateway.poll_news()));
    }

    fn checks(&mut self, from: u16, nominates: bool) {
        let ours = self.meeting.ours.clone();
        self.hears(from, &request(&ours, "them", nominates));
    }

    /// Both talk for 20 s, or until they are done.
    fn shakes_hands(&mut self) {
        for _ in 0..200 {
            for word in says(&mut self.browser) {
                if self.noise {
                    self.hears(BROWSER, &[21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40]);
                    self.hears(BROWSER, &[22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3]);
                    self.hears(BROWSER, &[23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1]);
                }
                if self.arrives() {
                    self.hears(BROWSER, &word);
                }
            }
            let mut here = self.wires.sent.drain(..).collect::<Vec<_>>();
            here.retain(|(_, word)| word.first().is_some_and(|first| *first >= 20));
            for (to, word) in here {
                assert_eq!(to, at(BROWSER));
                if self.arrives() {
                    let now = self.now();
                    self.browser.received(&word, now);
                }
            }
            self.passes(Duration::from_millis(100));
            let now = self.now();
            self.browser.handle_timeout(now);
            if self.browser.keys().is_some() && !self.told.is_empty() {
                return;
            }
        }
    }

    fn arrives(&mut self) -> bool {
        self.weather.as_mut().is_none_or(|weather| weather.below(4) > 0)
    }

    fn passes(&mut self, time: Duration) {
        self.now += time;
        self.gateway.handle_timeout(self.now, &mut self.wires);
        self.told.extend(std::iter::from_fn(|| self.gateway.poll_news()));
    }

    fn news(&self) -> &[News] {
        &self.told
    }

    /// What one protects, the other opens, both ways.
    fn both_have_the_same_keys(&self) {
        let Some(News::Secured { secured, .. }) = self.told.first() else {
            panic!("not secured: {:?}", self.told)
        };
        let theirs = self.browser.keys().expect("the browser has keys");
        assert_eq!((&secured.ours, &secured.theirs), (&theirs.theirs, &theirs.ours));
        let mut packet = [0; 100];
        packet[..12].copy_from_slice(&[0x80, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4]);
        let length = Protector::new(&secured.ours).protect(&mut packet, 60).unwrap();
        assert_eq!(Opener::new(&theirs.theirs).open(&mut packet[..length]).ok(), Some(60));
    }
}
