//! A real media thread over loopback: what it plays is heard, and two phones hear each other.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hotline::base::{CallRef, Mint, StreamRef};
use hotline::media::codec::{Codec, Decoder, Encoder};
use hotline::media::library::Library;
use hotline::media::rtp::{Header, Packet};
use hotline::media::sound::tone::sine;
use hotline::media::sound::{Recording, heard_tone};
use hotline::media::{Notice, Order, PlayRef, Repeat, Road, Sources};
use hotline::service::shards::{Settings, Shards};
use hotline::service::{Clock, shards};

use crate::PATIENCE;

const TONES: [f64; 5] = [440.0, 600.0, 800.0, 1_000.0, 1_500.0];

#[test]
fn a_prompt_is_heard_and_then_two_phones_hear_each_other() {
    let studio = Studio::open((43_000, 43_099));
    let caller = studio.phone(0, Codec::Pcma);
    let listener = studio.phone(1, Codec::G722);

    let prompts = vec!["greeting".parse().unwrap()];
    let (stream, play) = (caller.name, PlayRef(7));
    studio.shards.order(Order::Play { stream, play, prompts, repeat: Repeat::Once });
    let greeting = caller.hears(50);
    assert_eq!(heard_tone(&greeting, 8_000, &TONES), Some(600.0));
    assert_eq!(studio.next(), Notice::Finished { stream, play, cut: false });

    studio.shards.order(Order::Join { streams: [caller.name, listener.name] });
    std::thread::scope(|scope| {
        scope.spawn(|| caller.says(800.0, 50));
        scope.spawn(|| listener.says(1_500.0, 50));
        let at_the_caller = scope.spawn(|| caller.hears(45));
        let at_the_listener = scope.spawn(|| listener.hears(45));
        assert_eq!(heard_tone(&at_the_caller.join().unwrap(), 8_000, &TONES), Some(1_500.0));
        assert_eq!(heard_tone(&at_the_listener.join().unwrap(), 16_000, &TONES), Some(800.0));
    });

    studio.shards.order(Order::Close { stream: caller.name });
    let Notice::Closed { quality, .. } = studio.next() else { panic!("not closed") };
    assert_eq!((quality.received, quality.lost, quality.strangers), (50, 0, 0));
    let figures = studio.shards.figures()[0];
    assert_eq!((figures.streams, figures.packets_unsent, figures.restarts), (1, 0, 0));
}

struct Studio {
    shards: Shards,
    notices: Receiver<Notice>,
}

struct Phone {
    name: StreamRef,
    socket: UdpSocket,
    codec: Codec,
    to: SocketAddr,
}

impl Studio {
    fn open(ports: (u16, u16)) -> Self {
        let settings = Settings {
            threads: 1,
            listen: [127, 0, 0, 1].into(),
            advertised: [127, 0, 0, 1].into(),
            ports,
            codecs: Codec::TELEPHONE.to_vec(),
        };
        let recording =
            Recording { rate: 16_000, samples: sine(600.0, 16_000, Duration::from_secs(1), 0.2) };
        let library = Arc::new(Library::new([("greeting".parse().unwrap(), &recording)]));
        let (told, notices) = channel();
        let tell: shards::Tell = Arc::new(move |_, notice| {
            let _ = told.send(notice);
        });
        let mut mint = Mint::from_number(1);
        let shards = Shards::start(&settings, &library, &mut mint, Clock::start(), tell).unwrap();
        Self { shards, notices }
    }

    fn next(&self) -> Notice {
        self.notices.recv_timeout(PATIENCE).unwrap()
    }

    /// A phone that has called and was answered.
    fn phone(&self, index: u32, codec: Codec) -> Phone {
        let name = StreamRef { call: CallRef(1), index };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {}\r\n",
            socket.local_addr().unwrap().port(),
            codec.payload_type()
        );
        self.shards.order(Order::Open {
            stream: name,
            sources: Sources::Anywhere,
            road: Road::Readable,
        });
        self.shards.order(Order::Answer { stream: name, offer: offer.into() });
        self.shards.order(Order::Proven { stream: name });
        let Notice::Described { sdp, .. } = self.next() else { panic!("not described") };
        let answer = String::from_utf8(sdp.to_vec()).unwrap();
        let fields: BTreeMap<&str, &str> =
            answer.lines().filter_map(|line| line.split_once('=')).collect();
        let port = fields["m"].split(' ').nth(1).unwrap().parse().unwrap();
        Phone { name, socket, codec, to: SocketAddr::new([127, 0, 0, 1].into(), port) }
    }
}

impl Phone {
    /// Sends so many packets, one every 20 ms.
    fn says(&self, frequency: f64, packets: u16) {
        let rate = self.codec.sample_rate();
        let tone = sine(frequency, rate, Duration::from_millis(20) * packets.into(), 0.25);
        let mut payload = vec![0; 160 * usize::from(packets)];
        Encoder::new(self.codec).encode(&tone, &mut payload);
        for (sequence, octets) in payload.chunks(160).enumerate() {
            let header = Header {
                marker: sequence == 0,
                payload_type: self.codec.payload_type(),
                sequence: sequence as u16,
                timestamp: 160 * sequence as u32,
                ssrc: 9,
            };
            let mut packet = [0; 172];
            header.write(octets, &mut packet).unwrap();
            self.socket.send_to(&packet, self.to).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What so many packets hold; their numbers have no gap.
    fn hears(&self, packets: usize) -> Vec<i16> {
        let mut decoder = Decoder::new(self.codec);
        let mut samples = Vec::new();
        let mut last = None;
        for _ in 0..packets {
            let mut buffer = [0; 2_048];
            let (length, source) = self.socket.recv_from(&mut buffer).unwrap();
            let packet = Packet::parse(&buffer[..length]).unwrap();
            assert_eq!(source, self.to);
            if let Some(last) = last.replace(packet.header.sequence) {
                assert_eq!(packet.header.sequence.wrapping_sub(last), 1);
            }
            let mut frame = vec![0; self.codec.samples(packet.payload.len())];
            decoder.decode(packet.payload, &mut frame);
            samples.extend(frame);
        }
        samples
    }
}
