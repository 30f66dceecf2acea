//! One party's sound, by a socket of ours: says a tone, and keeps all it hears.
//!
//! Sends to wherever sound comes from, as phones behind a NAT do. What it has heard can be asked
//! for tones, for silence, for a recording frame by frame, and for the continuity of the stream.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hotline::media::codec::{Codec, Decoder, Encoder};
use hotline::media::rtp::{Header, Packet};
use hotline::media::sound::{Clip, heard_tone, tone::sine, wav};

use crate::house::free_port;
use crate::millis;

/// Frequencies that parties use here. None is a harmonic of another.
pub(crate) const TONES: [f64; 4] = [440.0, 700.0, 1_100.0, 1_700.0];

pub(crate) struct Ear {
    pub(crate) port: u16,
    pub(crate) codec: Codec,
    heard: Arc<Mutex<Vec<Frame>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// One packet that was heard.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) at: Instant,
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
}

impl Ear {
    /// Opens an ear that says a tone all the time.
    pub(crate) fn saying(tone: f64, codec: Codec) -> Self {
        let port = free_port();
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        let reports = UdpSocket::bind(("127.0.0.1", port + 1)).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (heard, over) = (Arc::clone(&heard), Arc::clone(&over));
            move || {
                // Held, so that reports find an open port.
                let _reports = reports;
                listen(&socket, &Voice::new(tone, codec), codec, &heard, &over);
            }
        });
        Self { port, codec, heard, over, thread: Some(thread) }
    }

    /// The session description of this ear.
    pub(crate) fn sdp(&self) -> String {
        let (payload_type, encoding) = (self.codec.payload_type(), self.codec.encoding());
        format!(
            "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
             m=audio {} RTP/AVP {payload_type} 101\na=rtpmap:{payload_type} {encoding}/8000\n\
             a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv\n",
            self.port
        )
    }

    /// All it has heard so far.
    pub(crate) fn heard(&self) -> Vec<Frame> {
        self.heard.lock().unwrap().clone()
    }

    /// When the first sound came.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.heard.lock().unwrap().first().map(|frame| frame.at)
    }

    /// When the last sound came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.heard.lock().unwrap().last().map(|frame| frame.at)
    }

    /// The tone heard during the last second.
    pub(crate) fn tone(&self) -> Option<f64> {
        let frames = self.heard();
        let fresh =
            frames.iter().rev().take(50).take_while(|frame| frame.at.elapsed() < millis(1_200));
        let mut fresh: Vec<&Frame> = fresh.collect();
        if fresh.len() < 25 {
            return None;
        }
        fresh.reverse();
        let samples = self.decoded(fresh);
        heard_tone(&samples, self.codec.sample_rate(), &TONES)
    }

    /// Whether nothing at all has come for this long.
    pub(crate) fn is_quiet_for(&self, duration: Duration) -> bool {
        self.last().is_none_or(|last| last.elapsed() > duration)
    }

    /// Where a recording of the repository was heard, frame by frame: the index of its first packet
    /// at or after `from`.
    pub(crate) fn finds(&self, prompt: &str, from: usize) -> Option<usize> {
        let clip = clip(prompt);
        let frames = self.heard();
        let all: Vec<&[u8]> =
            (0..clip.frames()).map(|index| clip.frame(self.codec, index).unwrap()).collect();
        let last = frames.len().checked_sub(all.len())?;
        (from..=last).find(|start| {
            // The last frame may be the first of what comes next; all others are the recording's.
            all[..all.len() - 1]
                .iter()
                .zip(&frames[*start..])
                .all(|(ours, heard)| *ours == heard.payload)
        })
    }

    /// Whether the recording was heard for at least `frames` frames from its beginning.
    pub(crate) fn finds_beginning(
        &self,
        prompt: &str,
        frames: usize,
        from: usize,
    ) -> Option<usize> {
        let clip = clip(prompt);
        let heard = self.heard();
        let last = heard.len().checked_sub(frames)?;
        (from..=last).find(|start| {
            (0..frames).all(|index| {
                clip.frame(self.codec, index)
                    .is_some_and(|ours| ours == heard[start + index].payload)
            })
        })
    }

    /// Whether all that was heard is one stream: one source, no gap in sequence, timestamps that go
    /// as the sequence goes, or as time does.
    pub(crate) fn continuity(&self) -> Continuity {
        let frames = self.heard();
        let ahead = ahead_of_time(&frames);
        let mut continuity = Continuity::default();
        for (at, pair) in frames.windows(2).enumerate() {
            let (one, next) = (pair[0].header, pair[1].header);
            let steps = next.sequence.wrapping_sub(one.sequence);
            let ticks = next.timestamp.wrapping_sub(one.timestamp);
            continuity.sources += usize::from(one.ssrc != next.ssrc);
            continuity.missing += usize::from(steps.wrapping_sub(1));
            // A pause between two speakers takes time, and the clock of the stream goes on. Judged by the
            // packets around it: on a busy machine any single one is late.
            let before = middle(&ahead[(at + 1).saturating_sub(AROUND)..=at]);
            let after = middle(&ahead[at + 1..(at + 1 + AROUND).min(ahead.len())]);
            let jumps = ticks != u32::from(steps) * 160 && (after - before).abs() > TOLERANCE;
            continuity.jumps += usize::from(jumps);
            continuity.widest = continuity.widest.max(pair[1].at - pair[0].at);
        }
        continuity
    }

    fn decoded(
        &self,
        frames: impl IntoIterator<Item = impl std::borrow::Borrow<Frame>>,
    ) -> Vec<i16> {
        let mut decoder = Decoder::new(self.codec);
        let mut samples = Vec::new();
        for frame in frames {
            let payload = &frame.borrow().payload;
            let mut some = vec![0; self.codec.samples(payload.len())];
            decoder.decode(payload, &mut some);
            samples.extend(some);
        }
        samples
    }
}

/// What should be nought: changes of source, packets missing, timestamps that jump.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Continuity {
    pub(crate) sources: usize,
    pub(crate) missing: usize,
    pub(crate) jumps: usize,
    /// The longest time between two packets.
    pub(crate) widest: Duration,
}

/// By how many seconds the clock of the stream is ahead of the time at which each packet came.
fn ahead_of_time(frames: &[Frame]) -> Vec<f64> {
    let Some(first) = frames.first() else { return Vec::new() };
    let (mut ticks, mut last) = (0_i64, first.header.timestamp);
    let mut ahead = Vec::with_capacity(frames.len());
    for frame in frames {
        ticks += i64::from(frame.header.timestamp.wrapping_sub(last).cast_signed());
        last = frame.header.timestamp;
        ahead.push(ticks as f64 / 8_000.0 - (frame.at - first.at).as_secs_f64());
    }
    ahead
}

fn middle(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// How exactly a stream keeps time, in seconds.
const TOLERANCE: f64 = 0.08;

/// How many packets tell what time a stream has: half a second.
const AROUND: usize = 25;

impl Drop for Ear {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A recording of the repository, made ready as the house makes it ready.
pub(crate) fn clip(prompt: &str) -> Clip {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("prompts/fr/{prompt}.wav"));
    Clip::new(&wav::read(&fs::read(path).unwrap()).unwrap())
}

/// One second of a tone, encoded.
struct Voice(Vec<Vec<u8>>);

impl Voice {
    fn new(tone: f64, codec: Codec) -> Self {
        // Ten seconds, so that the soft edges are rare.
        let samples = sine(tone, codec.sample_rate(), Duration::from_secs(10), 0.3);
        let mut encoder = Encoder::new(codec);
        let frames = samples.chunks(codec.samples_per_frame()).map(|frame| {
            let mut payload = vec![0; codec.bytes_per_frame()];
            encoder.encode(frame, &mut payload);
            payload
        });
        Self(frames.collect())
    }
}

fn listen(
    socket: &UdpSocket,
    voice: &Voice,
    codec: Codec,
    heard: &Mutex<Vec<Frame>>,
    over: &AtomicBool,
) {
    const FRAME: Duration = Duration::from_millis(20);
    let mut datagram = [0; 2_048];
    let mut peer = None;
    let mut spoken: u32 = 0;
    let mut due = Instant::now();
    while !over.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now >= due {
            if let Some(peer) = peer {
                let header = Header {
                    marker: spoken == 0,
                    payload_type: codec.payload_type(),
                    sequence: (spoken & 0xFFFF) as u16,
                    timestamp: spoken.wrapping_mul(160),
                    ssrc: 0x0EA2_0EA2,
                };
                let payload = &voice.0[spoken as usize % voice.0.len()];
                let mut packet = [0; 256];
                let length = header.write(payload, &mut packet).unwrap();
                let _ = socket.send_to(&packet[..length], peer);
                spoken += 1;
            }
            due += FRAME;
            continue;
        }
        socket.set_read_timeout(Some(due - now)).unwrap();
        let Ok((length, from)) = socket.recv_from(&mut datagram) else {
            continue;
        };
        peer = Some(from);
        if let Ok(packet) = Packet::parse(&datagram[..length])
            && packet.header.payload_type == codec.payload_type()
        {
            heard.lock().unwrap().push(Frame {
                at: Instant::now(),
                header: packet.header,
                payload: packet.payload.to_vec(),
            });
        }
    }
}
