//! Any bytes as checks and handshakes on a browser's road, from it and from strangers: no panic, and no
//! more sent than came.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotline::base::Moment;
use hotline::gateway::ice::Check;
use hotline::gateway::{Gateway, Guard, Identity, Visitor, is_for_the_gateway};
use hotline::media::engine::{Door, Lane, Sink};
use hotline::media::sdp::{Credentials, Meeting, Theirs};

struct Counting(usize);

impl Sink for Counting {
    fn open(&mut self, _: Door, _: u16) -> bool {
        true
    }

    fn shut(&mut self, _: Door) {}

    fn send(&mut self, _: Door, _: Lane, _: SocketAddr, _: &[u8]) {
        self.0 += 1;
    }
}

thread_local! {
    static IDENTITY: RefCell<Option<Arc<Identity>>> = const { RefCell::new(None) };
}

pub(crate) fn fuzz(bytes: &[u8]) {
    let identity = IDENTITY.with_borrow_mut(|identity| {
        let made = || Arc::new(Identity::new().expect("a certificate"));
        Arc::clone(identity.get_or_insert_with(made))
    });
    let beginning = Instant::now();
    let begins = bytes.first().is_some_and(|first| first % 2 == 1);
    let visitor = Visitor::new(identity.fingerprint(), begins, beginning).expect("a certificate");
    let meeting = Meeting {
        ours: Credentials { name: "ours".to_owned(), password: "p".repeat(24) },
        theirs: Some(Theirs {
            ice: visitor.ice().clone(),
            fingerprint: visitor.fingerprint(),
            we_begin: !begins,
        }),
    };
    let mut sink = Counting(0);
    let mut gateway = Gateway::new(identity, beginning);
    let door = Door(0);
    let mut now = Moment::START;
    let browser: SocketAddr = ([192, 0, 2, 1], 4_000).into();
    gateway.meet(door, Some(meeting.clone()), now, &mut sink);
    // The browser is there, so that what follows is looked at.
    gateway.received(door, browser, &visitor.check(&meeting.ours, true), now, &mut sink);

    // Datagrams, each behind its length.
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)) % 1_500;
        let (datagram, after) = after.split_at(length.min(after.len()));
        rest = after;
        now += Duration::from_millis(20);
        let _ = Check::read(datagram).map(|check| check.knows(&meeting.ours, None));
        Guard::default().admits(datagram);
        if is_for_the_gateway(datagram) {
            gateway.received(door, browser, datagram, now, &mut sink);
            gateway.received(door, ([192, 0, 2, 2], 4_000).into(), datagram, now, &mut sink);
        }
        gateway.handle_timeout(now, &mut sink);
        while gateway.poll_news().is_some() {}
    }
}
