use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::media::rtp::{Header, Packet};
use crate::media::{Road, Sources, Tone};

#[test]
fn ports_are_shared_out_in_pairs() {
    assert_eq!(shares((10_000, 10_007), 2).unwrap(), [(10_000, 10_003), (10_004, 10_007)]);
    assert_eq!(shares((10_001, 10_009), 2).unwrap(), [(10_002, 10_005), (10_006, 10_009)]);
    assert_eq!(shares((60_000, 65_535), 1).unwrap(), [(60_000, 65_535)]);
    assert!(matches!(shares((10_000, 10_003), 3), Err(CannotStart::TooFewPorts)));
    assert!(matches!(shares((10_003, 10_000), 1), Err(CannotStart::TooFewPorts)));
}

#[test]
fn a_thread_that_can_not_be_mended_loses_its_streams_and_takes_new_ones() {
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

    for _ in 0..8 {
        assert!(shards.shards[0].send(Errand::Mistake));
    }
    assert!(notices.recv_timeout(Duration::from_millis(300)).is_err(), "it goes on");
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
    assert_eq!(shards.figures()[0].restarts, 9);
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

/// The sound of everybody goes on, in the same series, and nobody's call is lost.
#[test]
fn a_stream_that_breaks_costs_a_moment_of_its_sound_and_no_call() {
    let (shards, notices) = started((42_200, 42_299));
    let phones = [0, 1, 2].map(|index| phone(&shards, &notices, 2, index));
    let [one, other, _] = [0, 1, 2].map(|index| StreamRef { call: CallRef(2), index });
    let clock = Clock::start();
    shards.order(Order::Join { streams: [one, other] });
    shards.order(Order::Tone { stream: StreamRef { index: 2, ..one }, tone: Tone::Ringback });

    for _ in 0..2 {
        assert!(shards.shards[0].send(Errand::MistakeIn(one)));
        let (there, back) = (phones[0].hears_what(&phones[1]), phones[1].hears_what(&phones[0]));
        assert!(there && back, "after a mistake they hear each other");
    }

    assert_eq!(shards.figures()[0].restarts, 2);
    assert!(notices.try_recv().is_err(), "nobody was told of a loss");
    let heard = phones[2].heard();
    let gaps = heard.windows(2).filter(|two| two[1].0 != two[0].0.wrapping_add(1)).count();
    assert_eq!(gaps, 0, "{heard:?}");
    assert!(heard.windows(2).all(|two| two[0].1 == two[1].1), "one series");
    let sound = Duration::from_millis(20) * heard.len() as u32;
    assert!(sound + Duration::from_millis(300) > clock.moment().since_start(), "{sound:?}");

    // One that breaks again and again is lost, alone.
    assert!(shards.shards[0].send(Errand::MistakeIn(one)));
    let all: Vec<Notice> = (0..2).map(|_| notices.recv().unwrap()).collect();
    assert!(all.contains(&Notice::Lost { stream: one }), "{all:?}");
    let before = phones[2].heard().len();
    std::thread::sleep(Duration::from_millis(200));
    assert!(phones[2].heard().len() > before + 4);
}

/// A phone of a test: what came to it (sequence number, SSRC).
struct Phone {
    socket: UdpSocket,
    house: SocketAddr,
    heard: RefCell<Vec<(u16, u32)>>,
    said: Cell<u16>,
}

fn phone(shards: &Shards, notices: &Receiver<Notice>, call: u64, index: u32) -> Phone {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let stream = StreamRef { call: CallRef(call), index };
    let (sources, road) = (Sources::Anywhere, Road::Readable);
    shards.order(Order::Open { stream, sources, road });
    let offer = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {} RTP/AVP 8\r\n",
        socket.local_addr().unwrap().port()
    );
    shards.order(Order::Answer { stream, offer: offer.into() });
    shards.order(Order::Proven { stream });
    let Notice::Described { sdp, .. } = notices.recv().unwrap() else { panic!("not described") };
    let text = String::from_utf8(sdp.to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let port: u16 = line.split(' ').next().unwrap().parse().unwrap();
    let house = SocketAddr::from(([127, 0, 0, 1], port));
    Phone { socket, house, heard: RefCell::default(), said: Cell::default() }
}

impl Phone {
    fn says(&self, what: u8) {
        let sequence = self.said.get().wrapping_add(1);
        self.said.set(sequence);
        let ssrc = u32::from(self.house.port());
        let timestamp = u32::from(sequence) * 160;
        let header = Header { marker: false, payload_type: 8, sequence, timestamp, ssrc };
        let mut packet = [0; 200];
        let length = header.write(&[what; 160], &mut packet).unwrap();
        self.socket.send_to(&packet[..length], self.house).unwrap();
    }

    /// All that has come, and keeps what it was.
    fn takes(&self) -> Vec<u8> {
        let mut last = Vec::new();
        let mut buffer = [0; 400];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            if let Ok(packet) = Packet::parse(&buffer[..length]) {
                let Header { sequence, ssrc, .. } = packet.header;
                self.heard.borrow_mut().push((sequence, ssrc));
                last = packet.payload.to_vec();
            }
        }
        last
    }

    fn heard(&self) -> Vec<(u16, u32)> {
        self.takes();
        self.heard.borrow().clone()
    }

    /// The other says something for a second at most: does it arrive?
    fn hears_what(&self, other: &Self) -> bool {
        (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            other.says(0x55);
            self.takes().first() == Some(&0x55)
        })
    }
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
