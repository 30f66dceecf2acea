//! What 20 ms of sound cost: encoding, decoding, from law to law, from rate to rate, and the words
//! before it.
//!
//! `cargo bench --bench media_codec`

#![expect(clippy::unwrap_used, reason = "a bench that can't go on should stop")]

use divan::{Bencher, black_box};
use hotline::media::codec::halfband::{Doubler, Halver};
use hotline::media::codec::{Codec, Decoder, Encoder, g711};
use hotline::media::ear_guard::EarGuard;
use hotline::media::rtp::srtp::{MasterKey, Opener, Protector, Suite};
use hotline::media::rtp::{Header, Packet};
use hotline::media::sdp::{Abilities, Session};

fn main() {
    divan::main();
}

#[divan::bench(args = Codec::TELEPHONE)]
fn encode(bencher: Bencher<'_, '_>, codec: Codec) {
    let mut encoder = Encoder::new(codec);
    let sound = sound(codec.samples_per_frame());
    let mut payload = [0; 160];
    bencher.bench_local(|| encoder.encode(black_box(&sound), &mut payload));
}

#[divan::bench(args = Codec::TELEPHONE)]
fn decode(bencher: Bencher<'_, '_>, codec: Codec) {
    let mut payload = [0; 160];
    Encoder::new(codec).encode(&sound(codec.samples_per_frame()), &mut payload);
    let mut decoder = Decoder::new(codec);
    let mut samples = [0; Codec::FRAME_SAMPLES_MAX];
    bencher.bench_local(|| decoder.decode(black_box(&payload), &mut samples));
}

#[divan::bench]
fn alaw_to_ulaw(bencher: Bencher<'_, '_>) {
    let mut payload = [g711::ALAW_SILENCE; 160];
    bencher.bench_local(|| g711::alaw_to_ulaw(black_box(&mut payload)));
}

/// What guarding a listener's ear adds to a bridge that copies.
#[divan::bench]
fn speech_past_the_ear_guard(bencher: Bencher<'_, '_>) {
    let mut payload = [0; 160];
    Encoder::new(Codec::Pcma).encode(&sound(160), &mut payload);
    let mut guard = EarGuard::default();
    bencher.bench_local(|| guard.guard_payload(Codec::Pcma, black_box(&mut payload)));
}

#[divan::bench(args = Suite::ALL)]
fn packet_protected(bencher: Bencher<'_, '_>, suite: Suite) {
    let mut protector = Protector::new(&key(suite));
    let mut sequence = 0_u16;
    bencher.bench_local(|| {
        let mut buffer = [0x80; 200];
        sequence = sequence.wrapping_add(1);
        buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
        buffer[0] = 0x80;
        protector.protect(black_box(&mut buffer), 172).unwrap()
    });
}

#[divan::bench(args = Suite::ALL)]
fn packet_opened(bencher: Bencher<'_, '_>, suite: Suite) {
    let mut protector = Protector::new(&key(suite));
    let mut buffer = [0x80; 200];
    let length = protector.protect(&mut buffer, 172).unwrap();
    let opener = Opener::new(&key(suite));
    bencher.bench_local(|| {
        let (mut opener, mut packet) = (opener.clone(), buffer);
        opener.open(black_box(&mut packet[..length])).unwrap()
    });
}

fn key(suite: Suite) -> MasterKey {
    MasterKey::new(suite, &vec![7; suite.key_length() + 14]).unwrap()
}

#[divan::bench]
fn from_8_to_16_khz(bencher: Bencher<'_, '_>) {
    let mut doubler = Doubler::default();
    let sound = sound(160);
    let mut out = [0; 320];
    bencher.bench_local(|| doubler.double(black_box(&sound), &mut out));
}

#[divan::bench]
fn from_16_to_8_khz(bencher: Bencher<'_, '_>) {
    let mut halver = Halver::default();
    let sound = sound(320);
    let mut out = [0; 160];
    bencher.bench_local(|| halver.halve(black_box(&sound), &mut out));
}

#[divan::bench]
fn packet_written_and_read(bencher: Bencher<'_, '_>) {
    let header =
        Header { marker: false, payload_type: 8, sequence: 1, timestamp: 160, ssrc: 0xABCD };
    let mut buffer = [0; 172];
    bencher.bench_local(|| {
        header.write(black_box(&[0xD5; 160]), &mut buffer).unwrap();
        Packet::parse(black_box(&buffer)).unwrap().payload.len()
    });
}

#[divan::bench]
fn offer_answered(bencher: Bencher<'_, '_>) {
    let offer = b"v=0\r\no=SBC 4711 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.11\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8 18 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:18 G729/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    let abilities = Abilities {
        address: "198.51.100.1".parse().unwrap(),
        rtp_port: 20_000,
        codecs: Codec::TELEPHONE.to_vec(),
        keys: None,
        browser: None,
        offers_handshake: false,
        demands_keys: false,
        text: None,
    };
    bencher.bench_local(|| Session::new(1).answer(black_box(offer), &abilities, None).unwrap());
}

/// T-09: all that the limits allow, at once.
#[divan::bench]
fn worst_description_refused(bencher: Bencher<'_, '_>) {
    let mut worst = String::from("v=0\r\nc=IN IP4 192.0.2.1\r\n");
    for _ in 0..8 {
        worst.push_str(&format!("m=audio 4000 RTP/AVP{}\r\n", " 127".repeat(64)));
        for number in 0..50 {
            worst.push_str(&format!("a=rtpmap:{number} x/8000\r\n"));
        }
    }
    worst.truncate(16 * 1024);
    bencher.bench_local(|| hotline::media::sdp::parse(black_box(worst.as_bytes())).is_ok());
}

/// Something between a tone and a hiss.
fn sound(count: usize) -> Vec<i16> {
    let mut noise = 7_u32;
    (0..count)
        .map(|i| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let tone = (i as f64 * 0.39).sin() * 9000.0;
            tone as i16 + (noise >> 22) as i16
        })
        .collect()
}
