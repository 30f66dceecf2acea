//! An engine and a world of phones around it.

use super::*;

/// Our engine, a world of phones around it, and the time.
pub(super) struct Hall {
    pub(super) engine: Engine,
    pub(super) wires: Wires,
    pub(super) now: Now,
    pub(super) phones: Vec<Phone>,
    pub(super) closed: BTreeMap<StreamRef, Quality>,
}

/// Everything that leaves the engine.
#[derive(Clone, Default)]
pub(super) struct Wires {
    pub(super) open: BTreeMap<u32, u16>,
    pub(super) taken: BTreeSet<u16>,
    pub(super) packets: Vec<(Lane, SocketAddr, Vec<u8>)>,
    pub(super) recipients: BTreeMap<SocketAddr, usize>,
    pub(super) sent: usize,
}

impl Hall {
    pub(super) fn new() -> Self {
        let settings = Settings {
            address: "192.0.2.200".parse().unwrap(),
            ports: PortRange::new(20_000, 20_199, Mint::from_number(3)).unwrap(),
            codecs: Codec::ALL.to_vec(),
            fingerprint: None,
        };
        Self {
            engine: Engine::new(settings, library(), Mint::from_number(4)),
            wires: Wires::default(),
            now: Now {
                steady: Moment::START + Duration::from_millis(123_456),
                wall: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            },
            phones: Vec::new(),
            closed: BTreeMap::new(),
        }
    }

    pub(super) fn clone_with(&self, engine: Engine) -> Self {
        Self {
            engine,
            wires: self.wires.clone(),
            now: self.now,
            phones: self.phones.clone(),
            closed: self.closed.clone(),
        }
    }

    /// A phone that has called us, has been answered, and has acknowledged it.
    pub(super) fn phone(&mut self, codec: Codec) -> usize {
        self.phone_with(codec, Sources::Anywhere)
    }

    pub(super) fn phone_with(&mut self, codec: Codec, sources: Sources) -> usize {
        let phone = self.opened(codec, sources);
        self.offers(phone, "sendrecv");
        self.order(|stream| Order::Proven { stream }, phone);
        assert!(matches!(self.notices()[..], [.., Notice::Described { held: false, .. }]));
        phone
    }

    /// A phone that we are about to call.
    pub(super) fn called_phone(&mut self, codec: Codec) -> usize {
        self.opened(codec, Sources::Anywhere)
    }

    pub(super) fn opened(&mut self, codec: Codec, sources: Sources) -> usize {
        self.opened_with(codec, sources, Road::Readable)
    }

    /// A phone that calls by TLS and speaks with keys.
    pub(super) fn secure_phone(&mut self, codec: Codec, suite: Suite) -> usize {
        let phone = self.opened_with(codec, Sources::Anywhere, Road::Private);
        let key = MasterKey::new(suite, &vec![9; suite.key_length() + 14]).unwrap();
        self.phones[phone].key = Some(key);
        self.offers(phone, "sendrecv");
        self.order(|stream| Order::Proven { stream }, phone);
        let ours = self.notices().into_iter().find_map(|notice| {
            let Notice::Described { sdp, .. } = notice else { return None };
            Some(parse(&sdp).unwrap().media.remove(0).crypto.remove(0).key)
        });
        let keys = Secured { ours: self.phones[phone].key.clone().unwrap(), theirs: ours.unwrap() };
        let mut armour = None;
        Armour::fit(&mut armour, Some(&keys));
        self.phones[phone].armour = armour;
        phone
    }

    pub(super) fn opened_with(&mut self, codec: Codec, sources: Sources, road: Road) -> usize {
        let index = self.phones.len() as u32;
        let name = StreamRef { call: CallRef(1), index };
        self.tell(Order::Open { stream: name, sources, road });
        let door = self.engine.doors[&name];
        self.phones.push(Phone {
            name,
            door,
            address: SocketAddr::new([192, 0, 2, 1].into(), 4_000 + 2 * index as u16),
            codec,
            packet_time_max: None,
            ssrc: 1_000 + index,
            sequence: 65_500,
            timestamp: u32::MAX - 2_000,
            says: None,
            amplitude: 0.25,
            voice: Vec::new(),
            heard: Vec::new(),
            reports: 0,
            key: None,
            armour: None,
            uneven: None,
        });
        self.phones.len() - 1
    }

    pub(super) fn offers(&mut self, phone: usize, direction: &str) {
        let offer = self.phones[phone].describes(direction);
        self.order(|stream| Order::Answer { stream, offer: offer.into() }, phone);
    }

    pub(super) fn order(&mut self, order: impl FnOnce(StreamRef) -> Order, phone: usize) {
        self.tell(order(self.phones[phone].name));
    }

    pub(super) fn tell(&mut self, order: Order) {
        self.engine.handle(order, self.now, &mut self.wires);
        self.deliver();
    }

    pub(super) fn play(&mut self, phone: usize, prompts: &[&str], repeat: Repeat) {
        let prompts = prompts.iter().map(|name| name.parse().unwrap()).collect();
        self.order(|stream| Order::Play { stream, play: PlayRef(1), prompts, repeat }, phone);
    }

    pub(super) fn join(&mut self, one: usize, other: usize) {
        self.tell(Order::Join { streams: [self.phones[one].name, self.phones[other].name] });
    }

    pub(super) fn gather(&mut self, phones: [usize; 3]) {
        let streams = phones.map(|phone| self.phones[phone].name).to_vec();
        self.tell(Order::Gather { streams });
    }

    /// How loud a tone is, in decibels below full scale.
    pub(super) fn level(&self, phone: usize, tone: f64, from: u64, to: u64) -> f64 {
        let (samples, rate) = self.sound_of(phone, from, to);
        Decibels::of_amplitude(Goertzel::new(tone, rate).amplitude(&samples)).0
    }

    pub(super) fn part(&mut self, one: usize, other: usize) {
        self.tell(Order::Part { streams: [self.phones[one].name, self.phones[other].name] });
    }

    pub(super) fn close(&mut self, phone: usize) {
        self.order(|stream| Order::Close { stream }, phone);
    }

    /// Milliseconds pass; who has something to say says it every 20 ms.
    pub(super) fn passes(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now = self.now.plus(Duration::from_millis(1));
            for phone in 0..self.phones.len() {
                let due = millisecond(self.now.steady) % 20 == (3 + 7 * phone as u64) % 20;
                if due && let Some(mut packet) = self.phones[phone].speaks() {
                    let length = packet.len();
                    packet.resize(length + OVERHEAD_MAX, 0);
                    let length = armoured(&mut self.phones[phone].armour, &mut packet, length);
                    packet.truncate(length.unwrap());
                    match &mut self.phones[phone].uneven {
                        None => self.receives(phone, Lane::Rtp, &mut packet),
                        Some(uneven) => uneven.takes(packet, self.now.steady),
                    }
                }
                let now = self.now.steady;
                let brings = |uneven: &mut Uneven| uneven.brings(now);
                while let Some(mut packet) = self.phones[phone].uneven.as_mut().and_then(brings) {
                    self.receives(phone, Lane::Rtp, &mut packet);
                }
            }
            self.engine.tick(self.now, &mut self.wires);
            self.deliver();
        }
    }

    pub(super) fn receives(&mut self, phone: usize, lane: Lane, packet: &mut [u8]) {
        let Phone { door, mut address, .. } = self.phones[phone];
        if lane == Lane::Rtcp {
            address.set_port(address.port() + 1);
        }
        self.engine.received(door, lane, address, packet, self.now, &mut self.wires);
        self.deliver();
    }

    pub(super) fn presses(&mut self, phone: usize, digit: char) {
        let mut press = KeySender::new(digit, self.phones[phone].timestamp, 800).unwrap();
        while let Some(telling) = press.next(160) {
            let header = Header {
                marker: telling.marker,
                payload_type: 101,
                sequence: self.phones[phone].next_sequence(),
                timestamp: telling.timestamp,
                ssrc: self.phones[phone].ssrc,
            };
            let mut packet = [0; 16];
            header.write(&telling.payload, &mut packet).unwrap();
            self.receives(phone, Lane::Rtp, &mut packet);
        }
    }

    /// The phone sends a receiver report.
    pub(super) fn reports(&mut self, phone: usize) {
        self.reports_about(phone, None);
    }

    /// RFC 3389: so many dB below the loudest.
    pub(super) fn falls_silent(&mut self, phone: usize, below: u8) {
        let header = Header {
            marker: false,
            payload_type: 13,
            sequence: self.phones[phone].next_sequence(),
            timestamp: self.phones[phone].timestamp,
            ssrc: self.phones[phone].ssrc,
        };
        let mut packet = [0; 13];
        header.write(&[below], &mut packet).unwrap();
        self.receives(phone, Lane::Rtp, &mut packet);
    }

    pub(super) fn reports_about(&mut self, phone: usize, heard: Option<rtcp::ReportBlock>) {
        let report = rtcp::Report { ssrc: 5, sender: None, heard, cname: "a" };
        let mut packet = [0; 100];
        let length = report.write(&mut packet).unwrap();
        self.receives(phone, Lane::Rtcp, &mut packet[..length]);
    }

    pub(super) fn deliver(&mut self) {
        for (lane, to, mut bytes) in self.wires.packets.drain(..) {
            let Some(phone) =
                self.phones.iter_mut().find(|phone| phone.address.port() == to.port() & !1)
            else {
                continue;
            };
            match lane {
                Lane::Rtcp => {
                    if let Some(armour) = &mut phone.armour {
                        let length = armour.open_report(&mut bytes).unwrap();
                        bytes.truncate(length);
                    }
                    rtcp::parse(&bytes, 0).unwrap();
                    phone.reports += 1;
                }
                Lane::Rtp => {
                    if let Some(armour) = &mut phone.armour {
                        let length = armour.open(&mut bytes).expect("sound in our armour");
                        bytes.truncate(length);
                    }
                    let packet = Packet::parse(&bytes).unwrap();
                    let (header, octets) = (packet.header, packet.payload.to_vec());
                    phone.heard.push(HeardPacket { at: self.now.steady, header, octets });
                }
            }
        }
    }

    pub(super) fn notices(&mut self) -> Vec<Notice> {
        let notices: Vec<Notice> = std::iter::from_fn(|| self.engine.poll_notice()).collect();
        for notice in &notices {
            if let Notice::Closed { stream, quality } = notice {
                self.closed.insert(*stream, *quality);
            }
        }
        notices
    }

    pub(super) fn quality(&mut self, phone: usize) -> Quality {
        self.notices();
        self.closed[&self.phones[phone].name]
    }

    pub(super) fn forget_what_was_heard(&mut self) {
        for phone in &mut self.phones {
            phone.heard.clear();
            phone.reports = 0;
        }
    }

    /// The tone a phone plays to its owner between two times after the first packet, its jitter
    /// buffer going by timestamps.
    pub(super) fn heard(&self, phone: usize, from: u64, to: u64) -> Option<f64> {
        let (samples, rate) = self.sound_of(phone, from, to);
        heard_tone(&samples, rate, &TONES)
    }

    pub(super) fn sound_of(&self, phone: usize, from: u64, to: u64) -> (Vec<i16>, u32) {
        let phone = &self.phones[phone];
        let rate = phone.codec.sample_rate();
        let samples = phone.plays();
        let at = |millis: u64| (millis * u64::from(rate) / 1_000) as usize;
        let to = at(to).min(samples.len());
        (samples[at(from).min(to)..to].to_vec(), rate)
    }

    /// Besides: from each packet to the next the timestamp goes by whole frames, as many as went by
    /// in real time, and a mark stands where something else begins and after a silence only.
    pub(super) fn is_strictly_continuous(&self, phone: usize, begins: &[Moment]) {
        self.is_one_series(phone);
        let heard = &self.phones[phone].heard;
        let first = &heard[0];
        for pair in heard.windows(2) {
            let [one, next] = [&pair[0], &pair[1]];
            let ticks = next.header.timestamp.wrapping_sub(one.header.timestamp);
            assert_eq!(ticks % 160, 0, "a step of {ticks}");
            let told = i64::from(next.header.timestamp.wrapping_sub(first.header.timestamp)) / 8;
            let went_by = (next.at - first.at).as_millis() as i64;
            assert!((told - went_by).abs() <= 30, "{told} ms told, {went_by} ms went by");
            let begins_here = begins.iter().any(|at| one.at <= *at && *at < next.at);
            assert_eq!(next.header.marker, begins_here || ticks > 160, "at {}", next.at);
        }
    }

    /// One SSRC, no sequence number missing, no sound lying over another.
    pub(super) fn is_one_series(&self, phone: usize) {
        for pair in self.phones[phone].heard.windows(2) {
            let [one, next] = [&pair[0], &pair[1]];
            let ratio = self.phones[phone].codec.clock_ratio();
            let ticks = next.header.timestamp.wrapping_sub(one.header.timestamp) / ratio;
            assert_eq!(one.header.ssrc, next.header.ssrc);
            assert_eq!(next.header.sequence, one.header.sequence.wrapping_add(1));
            assert!((160..=80_000).contains(&ticks), "a step of {ticks}");
            assert!(ticks == 160 || next.header.marker, "a silence without a mark");
        }
    }
}

impl Wires {
    pub(super) fn to(&self, address: SocketAddr) -> usize {
        self.recipients.get(&address).copied().unwrap_or(0)
    }
}

impl Sink for Wires {
    fn open(&mut self, door: Door, port: u16) -> bool {
        if self.taken.contains(&port) {
            return false;
        }
        self.open.insert(door.0, port);
        true
    }

    fn shut(&mut self, door: Door) {
        self.open.remove(&door.0);
    }

    fn send(&mut self, door: Door, lane: Lane, to: SocketAddr, packet: &[u8]) {
        assert!(self.open.contains_key(&door.0), "sent through a door that is shut");
        self.sent += 1;
        *self.recipients.entry(to).or_default() += 1;
        self.packets.push((lane, to, packet.to_vec()));
    }
}

/// `greeting`: 1 s of 600 Hz. `music`: 2 s of 300 Hz, again and again. `sentences`: 1 s of 800 Hz,
/// a pause, 5 s more.
pub(super) fn library() -> Arc<Library> {
    static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(recorded);
    Arc::clone(&LIBRARY)
}

pub(super) fn recorded() -> Arc<Library> {
    let tone = |frequency, millis| sine(frequency, 16_000, Duration::from_millis(millis), 0.2);
    let recording = |samples| Recording { rate: 16_000, samples };
    let mut sentences = tone(800.0, 1_000);
    sentences.extend([0; 8_000]);
    sentences.extend(tone(800.0, 5_000));
    let recordings = [
        ("greeting", recording(tone(600.0, 1_000))),
        ("music", recording(tone(300.0, 2_000))),
        ("sentences", recording(sentences)),
    ];
    Arc::new(Library::new(
        recordings.iter().map(|(name, recording)| (name.parse().unwrap(), recording)),
    ))
}
