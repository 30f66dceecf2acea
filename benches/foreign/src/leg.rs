//! One call of one listener: the peer connection, what it says, what it hears.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ropus::{Application, Bandwidth, Bitrate, Channels, Encoder, InbandFec};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_PCMA, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtp::{Header, Packet};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tokio::sync::Notify;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
};

use crate::Fault;

/// What every leg says, over and over, in packets of 20 ms.
pub struct Voice {
    codec: RTCRtpCodec,
    number: u8,
    ticks: u32,
    payloads: Vec<Vec<u8>>,
}

impl Voice {
    pub fn of(codec: &str) -> Result<Self, Fault> {
        let (name, clock_rate, channels, number, payloads) = match codec {
            "pcma" => (MIME_TYPE_PCMA, 8_000, 1, 8, vec![vec![0xD5; 160]]),
            "opus" => (MIME_TYPE_OPUS, 48_000, 2, 111, spoken()?),
            _ => return Err(format!("no such codec: {codec}").into()),
        };
        let codec =
            RTCRtpCodec { mime_type: name.to_owned(), clock_rate, channels, ..Default::default() };
        Ok(Self { codec, number, ticks: clock_rate / 50, payloads })
    }

    fn payload(&self, count: u64) -> Vec<u8> {
        self.payloads[count as usize % self.payloads.len()].clone()
    }

    /// Whether `a=rtpmap` says it: its MIME type is `audio/` and the name there.
    fn is_mapped(&self, mapped: &str) -> bool {
        let said = mapped.split('/').next().unwrap_or_default();
        self.codec.mime_type.split('/').nth(1).is_some_and(|name| name.eq_ignore_ascii_case(said))
    }
}

/// A second of four syllables, in Opus as a browser speaks it that was asked for 16 kHz (RFC 7587
/// §6.1, `maxplaybackrate`).
fn spoken() -> Result<Vec<Vec<u8>>, Fault> {
    let mut encoder = Encoder::builder(RATE, Channels::Mono, Application::Voip)
        .bitrate(Bitrate::Bits(32_000))
        .max_bandwidth(Bandwidth::Wideband)
        .inband_fec(InbandFec::Enabled)
        .packet_loss_perc(5)
        .build()?;
    let samples: Vec<i16> = (0..RATE).map(syllables).collect();
    samples
        .chunks_exact(RATE as usize / 50)
        .map(|frame| {
            let mut packet = vec![0; 240];
            let length = encoder.encode(frame, &mut packet)?;
            packet.truncate(length);
            Ok(packet)
        })
        .collect()
}

/// A buzz of 140 Hz with the formants of an `a`, four times a second.
fn syllables(at: u32) -> i16 {
    let time = f64::from(at) / f64::from(RATE);
    let turn = std::f64::consts::TAU * time;
    let loudness = (turn * 2.0).sin().powi(2);
    let buzz: f64 = (1..25)
        .map(|harmonic| {
            let hertz = 140.0 * f64::from(harmonic);
            let near = |formant: f64| (-((hertz - formant) / 250.0).powi(2)).exp();
            (turn * hertz).sin() * (near(700.0) + 0.6 * near(1_200.0) + 0.3 * near(2_600.0))
        })
        .sum();
    (5_000.0 * loudness * buzz) as i16
}

const RATE: u32 = 48_000;

/// All that are in a call.
pub struct Legs {
    voice: Voice,
    all: Mutex<Vec<Arc<Leg>>>,
}

/// The mouth and the ear of one.
struct Leg {
    mouth: Arc<TrackLocalStaticRTP>,
    number: u8,
    ssrc: u32,
    said: AtomicU64,
    ear: Arc<Ear>,
    /// Held so that it lives.
    _connection: Arc<dyn PeerConnection>,
}

#[derive(Default)]
struct Ear {
    packets: AtomicU64,
    lost: AtomicU64,
}

/// What the connection tells while it is made.
struct Told {
    gathered: Arc<Notify>,
    ear: Arc<Ear>,
}

#[async_trait]
impl PeerConnectionEventHandler for Told {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let ear = Arc::clone(&self.ear);
        tokio::spawn(async move {
            let mut last: Option<u16> = None;
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let sequence = packet.header.sequence_number;
                    let gap = last.map_or(0, |last| sequence.wrapping_sub(last).wrapping_sub(1));
                    ear.packets.fetch_add(1, Ordering::Relaxed);
                    if gap < 1_000 {
                        ear.lost.fetch_add(gap.into(), Ordering::Relaxed);
                    }
                    last = Some(sequence);
                }
            }
        });
    }
}

impl Legs {
    pub fn new(voice: Voice) -> Self {
        Self { voice, all: Mutex::default() }
    }

    /// Takes a call: the answer to this offer.
    pub async fn answers(&self, offer: String) -> Result<String, Fault> {
        let mut engine = MediaEngine::default();
        let parameters = RTCRtpCodecParameters {
            rtp_codec: self.voice.codec.clone(),
            payload_type: self.voice.number,
            ..Default::default()
        };
        engine.register_codec(parameters, RtpCodecKind::Audio)?;
        let settings = SettingEngineBuilder::new().with_include_loopback_candidate(true).build();
        let (gathered, ear) = (Arc::new(Notify::new()), Arc::new(Ear::default()));
        let told = Told { gathered: Arc::clone(&gathered), ear: Arc::clone(&ear) };
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_setting_engine(settings)
            .with_handler(Arc::new(told))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await?;

        let count = self.all.lock().unwrap_or_else(PoisonError::into_inner).len() as u32;
        let ssrc = 0x00C0_FFEE + count;
        let mouth = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "voice".to_owned(),
            format!("voice-{count}"),
            "voice".to_owned(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters {
                    ssrc: Some(ssrc),
                    ..Default::default()
                },
                codec: self.voice.codec.clone(),
                ..Default::default()
            }],
        )));
        let track: Arc<dyn TrackLocal> = Arc::<TrackLocalStaticRTP>::clone(&mouth);
        connection.add_track(track).await?;
        connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
        let answer = connection.create_answer(None).await?;
        connection.set_local_description(answer).await?;
        gathered.notified().await;
        let answer = connection.local_description().await.ok_or("no description of ours")?.sdp;
        // The offer has named the codec.
        let number = answer
            .lines()
            .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
            .find(|(_, mapped)| self.voice.is_mapped(mapped))
            .map_or(Ok(self.voice.number), |(number, _)| number.parse())?;
        let leg = Leg {
            number,
            mouth,
            ssrc,
            said: AtomicU64::new(0),
            ear,
            _connection: Arc::new(connection),
        };
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(leg));
        Ok(answer)
    }

    pub async fn say(&self) {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for leg in all {
            let count = leg.said.fetch_add(1, Ordering::Relaxed);
            let header = Header {
                version: 2,
                payload_type: leg.number,
                sequence_number: count as u16,
                timestamp: (count as u32).wrapping_mul(self.voice.ticks),
                ssrc: leg.ssrc,
                ..Default::default()
            };
            let packet = Packet { header, payload: self.voice.payload(count).into() };
            // Before it is connected nobody hears it.
            let _ = leg.mouth.write_rtp(packet).await;
        }
    }

    pub fn forget(&self) {
        for leg in self.all.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            leg.ear.packets.store(0, Ordering::Relaxed);
            leg.ear.lost.store(0, Ordering::Relaxed);
        }
    }

    /// How many legs hear something, how many packets they heard, how many they missed.
    pub fn told(&self) -> String {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let heard: Vec<u64> =
            all.iter().map(|leg| leg.ear.packets.load(Ordering::Relaxed)).collect();
        let lost: u64 = all.iter().map(|leg| leg.ear.lost.load(Ordering::Relaxed)).sum();
        let hearing = heard.iter().filter(|packets| **packets > 0).count();
        format!("{hearing} {} {lost}", heard.iter().sum::<u64>())
    }
}
