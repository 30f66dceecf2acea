//! Text beside the sound (RFC 4103), packet by packet.

use super::*;
use crate::media::sdp::TextNumbers;
use crate::media::text::{PACKET_MAX, Reading, Writing};

const NUMBERS: TextNumbers = TextNumbers { text: 98, redundancy: Some(100) };

/// scenarios.md SC-25: 10 % of the packets are lost on either road, and no letter is.
#[test]
fn what_one_writes_the_other_reads_though_every_tenth_packet_is_lost() {
    for secure in [false, true] {
        let mut office = Office::new(Some(10));
        let caller = office.calls("sendrecv", secure);
        let listener = office.is_called(caller, true);
        office.tell(Order::Join { streams: [caller, listener] });

        office.writes(caller, "bonjour, je suis sourde et je voudrais parler à quelqu'un");
        office.passes(20_000);
        office.writes(listener, "bonjour, je vous lis. Prenez votre temps.");
        office.passes(20_000);

        let read = |name| office.read(name).trim_start_matches('\u{2028}').to_owned();
        assert_eq!(read(listener), "bonjour, je suis sourde et je voudrais parler à quelqu'un");
        assert_eq!(read(caller), "bonjour, je vous lis. Prenez votre temps.");
        let told: String =
            office.told.iter().filter(|it| it.0 == caller).map(|it| &*it.1).collect();
        assert_eq!(told, read(listener));
    }
}

/// SC-25: who reads is shown what is said, within a second.
#[test]
fn a_prompt_is_shown_to_who_reads_while_it_is_said() {
    let mut office = Office::new(None);
    let caller = office.calls("sendrecv", false);
    let (play, prompts) = (PlayRef(1), vec!["greeting".parse().unwrap()]);

    office.tell(Order::Play { stream: caller, play, prompts, repeat: Repeat::Once });
    office.passes(900);

    assert_eq!(office.read(caller), "Bonjour, un écoutant va prendre votre appel.");
}

#[test]
fn what_is_written_before_anybody_is_there_is_read_by_who_comes() {
    let mut office = Office::new(None);
    let caller = office.calls("sendrecv", false);
    office.writes(caller, "je ne peux pas parler");
    office.passes(5_000);

    let listener = office.is_called(caller, true);
    office.tell(Order::Join { streams: [caller, listener] });
    office.passes(1_000);

    assert_eq!(office.read(listener), "je ne peux pas parler");
}

/// A call without text has one pair of ports; text has one more, which comes back.
#[test]
fn only_who_writes_has_a_port_for_it() {
    let mut office = Office::new(None);
    let caller = office.calls("sendrecv", false);
    assert_eq!(office.wires.open.len(), 2);
    let listener = office.is_called(caller, false);
    assert_eq!(office.wires.open.len(), 3, "declined: given back");
    office.tell(Order::Join { streams: [caller, listener] });
    office.writes(caller, "x");
    office.passes(500);

    office.tell(Order::Close { stream: caller });
    office.tell(Order::Close { stream: listener });
    assert_eq!(office.wires.open.len(), 0);
    assert_eq!((office.engine.ports.lent(), office.engine.texts.len()), (0, 0));
}

/// Text is no sound: who only writes is asked for like anybody who fell silent.
#[test]
fn who_only_writes_is_not_heard() {
    let mut office = Office::new(None);
    let caller = office.calls("sendrecv", false);
    office.tell(Order::Watch { stream: caller, patience: Duration::from_secs(4) });
    for _ in 0..10 {
        office.writes(caller, "encore ");
        office.passes(1_000);
    }
    assert!(office.silent.contains(&caller));
}

/// T-10, T-11: a stranger's letters are not read, and nothing is written to an address that an offer
/// alone names.
#[test]
fn a_stranger_writes_to_nobody() {
    let mut office = Office::new(None);
    let caller = office.calls("sendrecv", false);
    office.writers.get_mut(&caller).unwrap().address.set_ip("198.51.100.9".parse().unwrap());
    office.writes(caller, "x");
    office.passes(4_000);
    assert_eq!(office.told, []);

    let victim = office.opened("sendrecv", false);
    office.writers.get_mut(&victim).unwrap().address.set_ip("198.51.100.9".parse().unwrap());
    office.tell(Order::Write { stream: victim, text: Text::new("x") });
    office.passes(2_000);
    assert_eq!(office.read(victim), "");
}

/// An engine, and people who only write.
struct Office {
    engine: Engine,
    wires: Wires,
    now: Now,
    writers: BTreeMap<StreamRef, Writer>,
    told: Vec<(StreamRef, String)>,
    silent: BTreeSet<StreamRef>,
    packets: u64,
    loses_each: Option<u64>,
    mint: Mint,
}

struct Writer {
    /// Where they read, and from where they write.
    address: SocketAddr,
    reads_at: SocketAddr,
    ours: u16,
    writing: Writing,
    reading: Reading,
    read: String,
    armour: Option<Armour>,
}

impl Office {
    fn new(loses_each: Option<u64>) -> Self {
        let settings = Settings {
            address: "192.0.2.200".parse().unwrap(),
            ports: PortRange::new(20_000, 20_199, Mint::from_number(3)).unwrap(),
            codecs: Codec::TELEPHONE.to_vec(),
            fingerprint: None,
        };
        let tone =
            Recording { rate: 16_000, samples: sine(600.0, 16_000, Duration::from_secs(1), 0.2) };
        let greeting: PromptName = "greeting".parse().unwrap();
        let words = "Bonjour, un écoutant va prendre votre appel.".to_owned();
        let library = Library::new([(greeting.clone(), &tone)]).with_words([(greeting, words)]);
        Self {
            engine: Engine::new(settings, Arc::new(library), Mint::from_number(4)),
            wires: Wires::default(),
            now: Now {
                steady: Moment::START + Duration::from_secs(100),
                wall: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            },
            writers: BTreeMap::new(),
            told: Vec::new(),
            silent: BTreeSet::new(),
            packets: 0,
            loses_each,
            mint: Mint::from_number(7),
        }
    }

    /// Somebody who writes has called us and acknowledged our answer.
    fn calls(&mut self, direction: &str, secure: bool) -> StreamRef {
        let stream = self.opened(direction, secure);
        self.tell(Order::Proven { stream });
        stream
    }

    fn opened(&mut self, direction: &str, secure: bool) -> StreamRef {
        let stream = self.opens(secure);
        let index = stream.index as u16;
        let key = MasterKey::new(Suite::AesCm128Sha1Tag80, &[7; 30]).unwrap();
        let offer = description(index, direction, true, secure.then_some(&key));
        self.engine.handle(
            Order::Answer { stream, offer: offer.into() },
            self.now,
            &mut self.wires,
        );
        let ours = self.described();
        self.begins(stream, &ours, secure.then_some(key));
        stream
    }

    /// And somebody is called for them, who may write, too.
    fn is_called(&mut self, like: StreamRef, writes: bool) -> StreamRef {
        let stream = self.opens(false);
        self.engine.handle(Order::Offer { stream, like: Some(like) }, self.now, &mut self.wires);
        let ours = self.described();
        assert!(ours.contains("m=text"), "{ours}");
        let answer = description(stream.index as u16, "sendrecv", writes, None);
        self.tell(Order::Accept { stream, answer: answer.into() });
        if writes {
            self.begins(stream, &ours, None);
        }
        stream
    }

    fn opens(&mut self, secure: bool) -> StreamRef {
        let index = self.engine.streams().len() as u32;
        let stream = StreamRef { call: CallRef(1), index };
        let road = if secure { Road::Private } else { Road::Readable };
        self.tell(Order::Open { stream, sources: Sources::Anywhere, road });
        stream
    }

    fn described(&mut self) -> String {
        let notices = std::iter::from_fn(|| self.engine.poll_notice());
        let sdp = notices.filter_map(|notice| {
            let Notice::Described { sdp, .. } = notice else { return None };
            Some(String::from_utf8(sdp.to_vec()).unwrap())
        });
        sdp.last().expect("a description")
    }

    fn begins(&mut self, name: StreamRef, ours: &str, key: Option<MasterKey>) {
        let ours = parse(ours.as_bytes()).unwrap();
        let media = ours.media.iter().find(|media| media.kind == "text").unwrap();
        let address = SocketAddr::new("192.0.2.1".parse().unwrap(), 45_000 + name.index as u16);
        let mut armour = None;
        let secured = key.map(|ours| Secured { ours, theirs: media.crypto[0].key.clone() });
        Armour::fit(&mut armour, secured.as_ref());
        let mut writing = Writing::new(&mut self.mint);
        writing.begin();
        let writer = Writer {
            address,
            reads_at: address,
            ours: media.port,
            writing,
            reading: Reading::default(),
            read: String::new(),
            armour,
        };
        self.writers.insert(name, writer);
    }

    fn tell(&mut self, order: Order) {
        self.engine.handle(order, self.now, &mut self.wires);
        self.looks();
    }

    fn writes(&mut self, name: StreamRef, text: &str) {
        self.writers.get_mut(&name).unwrap().writing.write(text);
    }

    fn read(&self, name: StreamRef) -> &str {
        &self.writers[&name].read
    }

    fn passes(&mut self, millis: u64) {
        for _ in 0..millis / 20 {
            self.now = self.now.plus(Duration::from_millis(20));
            let now = self.now.steady;
            for writer in self.writers.values_mut() {
                let mut packet = [0; PACKET_MAX + OVERHEAD_MAX];
                if !writer.writing.is_due(now) {
                    continue;
                }
                let Some(length) = writer.writing.packet(NUMBERS, 30, now, &mut packet) else {
                    continue;
                };
                let length = armoured(&mut writer.armour, &mut packet, length).unwrap();
                self.packets += 1;
                if self.loses_each.is_some_and(|each| self.packets.is_multiple_of(each)) {
                    continue;
                }
                let opened = self.wires.open.iter().find(|(_, port)| **port == writer.ours);
                let Some((door, _)) = opened else { continue };
                let (door, packet) = (Door(*door), &mut packet[..length]);
                let (lane, from) = (Lane::Rtp, writer.address);
                self.engine.received(door, lane, from, packet, self.now, &mut self.wires);
            }
            self.engine.tick(self.now, &mut self.wires);
            self.looks();
        }
    }

    fn looks(&mut self) {
        for (_, to, mut packet) in self.wires.packets.drain(..) {
            let Some(writer) = self.writers.values_mut().find(|writer| writer.reads_at == to)
            else {
                continue;
            };
            self.packets += 1;
            if self.loses_each.is_some_and(|each| self.packets.is_multiple_of(each)) {
                continue;
            }
            if let Some(armour) = &mut writer.armour {
                let length = armour.open(&mut packet).expect("text in our armour");
                packet.truncate(length);
            }
            let Packet { header, payload } = Packet::parse(&packet).unwrap();
            writer.read += &writer.reading.received(header, payload, NUMBERS, self.now.steady);
        }
        while let Some(notice) = self.engine.poll_notice() {
            if let Notice::Written { stream, text } = &notice {
                self.told.push((*stream, text.shown().to_owned()));
            }
            if let Notice::Silent { stream, .. } = notice {
                self.silent.insert(stream);
            }
        }
    }
}

fn description(index: u16, direction: &str, writes: bool, key: Option<&MasterKey>) -> String {
    let (audio, text) = (40_000 + 2 * index, if writes { 45_000 + index } else { 0 });
    let crypto = key.map(|key| {
        let key = print_key(key);
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")
    });
    let (crypto, profile) = match crypto {
        Some(crypto) => (crypto, "RTP/SAVP"),
        None => (String::new(), "RTP/AVP"),
    };
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio {audio} {profile} 8\r\n{crypto}a={direction}\r\n\
         m=text {text} {profile} 100 98\r\n{crypto}a=rtpmap:98 t140/1000\r\n\
         a=rtpmap:100 red/1000\r\na=fmtp:100 98/98/98\r\na={direction}\r\n"
    )
}
