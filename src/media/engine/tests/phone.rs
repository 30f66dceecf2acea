//! A phone, what it says, and what it hears.

use super::*;

#[derive(Clone)]
pub(super) struct Phone {
    pub(super) name: StreamRef,
    pub(super) door: Door,
    pub(super) address: SocketAddr,
    pub(super) codec: Codec,
    pub(super) packet_time_max: Option<u32>,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) says: Option<f64>,
    pub(super) amplitude: f64,
    pub(super) voice: Vec<u8>,
    pub(super) heard: Vec<HeardPacket>,
    pub(super) reports: usize,
    pub(super) key: Option<MasterKey>,
    pub(super) armour: Option<Armour>,
    pub(super) uneven: Option<Uneven>,
}

/// A bad road to us: packets are held up by as many milliseconds, and some are lost.
#[derive(Clone)]
pub(super) struct Uneven {
    pub(super) millis: u64,
    pub(super) loss: u64,
    pub(super) mint: Mint,
    pub(super) under_way: Vec<(Moment, Vec<u8>)>,
}

impl Uneven {
    pub(super) fn new(millis: u64, loss: u64) -> Self {
        Self { millis, loss, mint: Mint::from_number(9), under_way: Vec::new() }
    }

    pub(super) fn takes(&mut self, packet: Vec<u8>, now: Moment) {
        if self.mint.below(100) >= self.loss {
            let due = now + Duration::from_millis(self.mint.below(self.millis + 1));
            self.under_way.push((due, packet));
        }
    }

    pub(super) fn brings(&mut self, now: Moment) -> Option<Vec<u8>> {
        let at = self.under_way.iter().position(|(due, _)| *due <= now)?;
        Some(self.under_way.remove(at).1)
    }
}

#[derive(Clone, PartialEq)]
pub(super) struct HeardPacket {
    pub(super) at: Moment,
    pub(super) header: Header,
    pub(super) octets: Vec<u8>,
}

impl Phone {
    pub(super) fn describes(&self, direction: &str) -> bytes::Bytes {
        let number = self.codec.payload_type();
        let most = self.packet_time_max.map(|most| format!("a=maxptime:{most}\r\n"));
        let crypto = self.key.clone().map(|key| {
            let text = print_key(&key);
            format!("a=crypto:1 {} inline:{text}\r\n", key.suite().name())
        });
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {number} 101\r\na=rtpmap:{number} {}\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n{}{}",
            self.address.port(),
            Encoding::of(self.codec),
            most.unwrap_or_default(),
            crypto.unwrap_or_default(),
        )
        .into()
    }

    pub(super) fn speaks(&mut self) -> Option<Vec<u8>> {
        let frequency = self.says?;
        if self.voice.is_empty() {
            // A second is a whole number of waves, so that it goes round.
            let rate = self.codec.sample_rate();
            let mut tone = sine(frequency, rate, Duration::from_secs(4), self.amplitude);
            let second = rate as usize;
            let middle: Vec<i16> = tone.drain(second..3 * second).collect();
            self.voice = vec![0; 16_000];
            let mut encoder = Encoder::new(self.codec);
            if self.codec == Codec::Opus {
                // A hundred packets, each in its place of 160 bytes.
                let frames = middle.chunks(320).zip(self.voice.chunks_mut(160));
                frames.for_each(|(frame, packet)| {
                    assert_eq!(encoder.encode(frame, packet), OPUS_OCTETS)
                });
            } else {
                encoder.encode(&middle, &mut self.voice);
            }
        }
        let header = Header {
            marker: false,
            payload_type: self.codec.payload_type(),
            sequence: self.next_sequence(),
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        let mut packet = vec![0; 172];
        let length = if self.codec == Codec::Opus { OPUS_OCTETS } else { 160 };
        let length = header.write(&self.voice[..length], &mut packet).unwrap();
        packet.truncate(length);
        self.voice.rotate_left(160);
        self.timestamp = self.timestamp.wrapping_add(160 * self.codec.clock_ratio());
        Some(packet)
    }

    pub(super) fn next_sequence(&mut self) -> u16 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// So many packets are lost on their way to us.
    pub(super) fn loses(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
        let ticks = 160 * self.codec.clock_ratio();
        self.timestamp = self.timestamp.wrapping_add(u32::from(packets) * ticks);
        let length = self.voice.len().max(1);
        self.voice.rotate_left(160 * usize::from(packets) % length);
    }

    pub(super) fn plays(&self) -> Vec<i16> {
        let mut decoder = Decoder::new(self.codec);
        let mut samples = Vec::new();
        let Some(first) = self.heard.first() else {
            return samples;
        };
        for heard in &self.heard {
            let ticks = heard.header.timestamp.wrapping_sub(first.header.timestamp);
            let ticks = (ticks / self.codec.clock_ratio()) as usize;
            samples.resize(self.codec.samples(ticks), 0);
            let length = if self.codec == Codec::Opus { 160 } else { heard.octets.len() };
            let mut frame = vec![0; self.codec.samples(length)];
            decoder.decode(&heard.octets, &mut frame);
            samples.extend(frame);
        }
        samples
    }
}

/// A packet of A-law.
pub(super) fn packet_of(ssrc: u32, sequence: u16, frequency: f64) -> Vec<u8> {
    let mut payload = [0; 160];
    let tone = sine(frequency, 8_000, Duration::from_millis(20), 0.5);
    Encoder::new(Codec::Pcma).encode(&tone, &mut payload);
    let timestamp = u32::from(sequence) * 160;
    let header = Header { marker: false, payload_type: 8, sequence, timestamp, ssrc };
    let mut packet = vec![0; 172];
    header.write(&payload, &mut packet).unwrap();
    packet
}
