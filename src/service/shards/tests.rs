use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::media::{Road, Sources};

#[test]
fn ports_are_shared_out_in_pairs() {
    assert_eq!(shares((10_000, 10_007), 2).unwrap(), [(10_000, 10_003), (10_004, 10_007)]);
    assert_eq!(shares((10_001, 10_009), 2).unwrap(), [(10_002, 10_005), (10_006, 10_009)]);
    assert_eq!(shares((60_000, 65_535), 1).unwrap(), [(60_000, 65_535)]);
    assert!(matches!(shares((10_000, 10_003), 3), Err(CannotStart::TooFewPorts)));
    assert!(matches!(shares((10_003, 10_000), 1), Err(CannotStart::TooFewPorts)));
}

#[test]
fn a_thread_that_breaks_loses_its_streams_and_takes_new_ones() {
    let (shards, notices) = started((42_000, 42_099));
    let stream = |call| StreamRef { call: CallRef(call), index: 0 };
    // Two calls in the thread that will break, one in the other.
    for call in [0, 2, 3] {
        shards.order(Order::Open {
            stream: stream(call),
            sources: Sources::Anywhere,
            road: Road::Readable,
        });
        shards.order(Order::Offer { stream: stream(call), like: None });
        assert!(matches!(notices.recv().unwrap(), Notice::Described { .. }));
    }

    assert!(shards.shards[0].send(Errand::Mistake));

    let lost = [notices.recv().unwrap(), notices.recv().unwrap()];
    assert_eq!(lost, [0, 2].map(|call| Notice::Lost { stream: stream(call) }));
    shards.order(Order::Open {
        stream: stream(4),
        sources: Sources::Anywhere,
        road: Road::Readable,
    });
    shards.order(Order::Offer { stream: stream(4), like: None });
    assert!(matches!(notices.recv().unwrap(), Notice::Described { .. }));
    shards.order(Order::Close { stream: stream(3) });
    assert!(matches!(notices.recv().unwrap(), Notice::Closed { .. }));
    assert_eq!(shards.figures()[0].restarts, 1);
}

#[test]
fn a_full_road_loses_the_stream_and_never_blocks() {
    let (mut shards, notices) = started((42_100, 42_199));
    // Nobody takes anything any more.
    shards.stop();
    let stream = StreamRef { call: CallRef(1), index: 0 };

    shards.order(Order::Open { stream, sources: Sources::Anywhere, road: Road::Readable });

    assert_eq!(notices.recv().unwrap(), Notice::Lost { stream });
    assert_eq!(shards.figures()[1].orders_refused, 1);
}

fn started(ports: (u16, u16)) -> (Shards, Receiver<Notice>) {
    let settings = Settings {
        threads: 2,
        listen: [127, 0, 0, 1].into(),
        advertised: [127, 0, 0, 1].into(),
        ports,
        codecs: Codec::TELEPHONE.to_vec(),
    };
    let library = Arc::new(Library::of_clips(std::collections::BTreeMap::new()));
    let (told, notices) = channel();
    let tell: Tell = Arc::new(move |_, notice| {
        let _ = told.send(notice);
    });
    let shards =
        Shards::start(&settings, &library, &mut Mint::from_number(1), Clock::start(), tell);
    (shards.unwrap(), notices)
}
