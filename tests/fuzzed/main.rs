//! What the fuzz targets are given (`just fuzz`), in short: everything they have ever found interesting,
//! the same spoilt in many ways, and bytes made up. Needs no fuzzer.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![expect(
    clippy::disallowed_methods,
    reason = "the handshake of browsers counts from an `Instant`"
)]

use std::fs;
use std::path::Path;

use hotline::base::Mint;

/// How many times an input is spoilt, and how many are made up.
const SPOILT: u32 = 24;
const MADE_UP: u32 = 400;
const OCTETS_MAX: u64 = 1_500;

/// A module and a test for each target.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        mod short {
            $(#[test]
            fn $name() {
                for input in crate::inputs(stringify!($name)) {
                    crate::Input::given(&input, crate::$name::fuzz);
                }
            })*
        }
    };
}

targets! {
    config, dns, gateway, opus, rtcp, rtp, sdp, sip_uri, sip_wire, srtp, telephone_event, text,
}

fn inputs(target: &str) -> Vec<Vec<u8>> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = vec![Vec::new()];
    for file in fs::read_dir(kept).into_iter().flatten() {
        inputs.push(fs::read(file.unwrap().path()).unwrap());
    }
    let mut mint = Mint::from_number(4_475);
    for at in 1..inputs.len() {
        for _ in 0..SPOILT {
            let spoilt = spoil(&inputs[at], &mut mint);
            inputs.push(spoilt);
        }
    }
    for _ in 0..MADE_UP {
        let length = mint.below(OCTETS_MAX);
        inputs.push((0..length).map(|_| octet(&mut mint)).collect());
    }
    inputs
}

/// Some octets changed, a piece cut out, a piece doubled.
fn spoil(input: &[u8], mint: &mut Mint) -> Vec<u8> {
    let mut spoilt = input.to_vec();
    for _ in 0..=mint.below(4) {
        let (from, to) = (place(&spoilt, mint), place(&spoilt, mint));
        let (from, to) = (from.min(to), from.max(to));
        match mint.below(3) {
            0 if from < spoilt.len() => spoilt[from] = octet(mint),
            1 => drop(spoilt.drain(from..to)),
            _ => {
                let piece = spoilt[from..to].to_vec();
                spoilt.splice(to..to, piece);
            }
        }
    }
    spoilt
}

fn place(input: &[u8], mint: &mut Mint) -> usize {
    usize::try_from(mint.below(input.len() as u64 + 1)).unwrap()
}

fn octet(mint: &mut Mint) -> u8 {
    u8::try_from(mint.below(256)).unwrap()
}

/// What a target takes, made of octets.
trait Input {
    fn given(octets: &[u8], fuzz: fn(&Self));
}

impl Input for [u8] {
    fn given(octets: &[u8], fuzz: fn(&Self)) {
        fuzz(octets);
    }
}

impl Input for str {
    fn given(octets: &[u8], fuzz: fn(&Self)) {
        fuzz(&String::from_utf8_lossy(octets));
    }
}

impl Input for [Vec<u8>] {
    fn given(octets: &[u8], fuzz: fn(&Self)) {
        let datagrams: Vec<Vec<u8>> = octets.chunks(40).map(<[u8]>::to_vec).collect();
        fuzz(&datagrams);
    }
}
