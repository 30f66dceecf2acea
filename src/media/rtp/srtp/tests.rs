use super::keys::{Cipher, Keystream, derive};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|it| it.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn salt(text: &str) -> [u8; 14] {
    hex(text).try_into().unwrap()
}

fn key(suite: Suite) -> MasterKey {
    let octets: Vec<u8> = (0..suite.key_length() as u8 + 14).collect();
    MasterKey::new(suite, &octets).unwrap()
}

fn packet(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0, 160, 0xCA, 0xFE, 0xBA, 0xBE]);
    bytes.extend(payload);
    bytes
}

fn protected(protector: &mut Protector, sequence: u16, payload: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet(sequence, payload);
    let length = buffer.len();
    buffer.resize(length + OVERHEAD_MAX, 0);
    let length = protector.protect(&mut buffer, length)?;
    buffer.truncate(length);
    Some(buffer)
}

/// RFC 3711 appendix B.2.
#[test]
fn the_keystream_of_aes_128_is_the_standards() {
    let cipher = Cipher::new(&hex("2B7E151628AED2A6ABF7158809CF4F3C"));
    let keystream = Keystream { cipher, salt: salt("F0F1F2F3F4F5F6F7F8F9FAFBFCFD") };

    let mut octets = vec![0; 0xFF02 * 16];
    keystream.apply(0, 0, &mut octets);

    let block = |number: usize| &octets[number * 16..][..16];
    assert_eq!(block(0), hex("E03EAD0935C95E80E166B16DD92B4EB4"));
    assert_eq!(block(1), hex("D23513162B02D0F72A43A2FE4A5F97AB"));
    assert_eq!(block(2), hex("41E95B3BB0A2E8DD477901E4FCA894C0"));
    assert_eq!(block(0xFEFF), hex("EC8CDF7398607CB0F2D21675EA9EA1E4"));
    assert_eq!(block(0xFF00), hex("362B7C3C6773516318A077D7FC5073AE"));
    assert_eq!(block(0xFF01), hex("6A2CC3787889374FBEB4C81B17BA6C44"));
}

/// RFC 3711 appendix B.3.
#[test]
fn session_keys_of_aes_128_are_derived_as_the_standard_says() {
    let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
    let salt = salt("0EC675AD498AFEEBB6960B3AABE6");
    let derived = |label, length| {
        let mut octets = vec![0; length];
        derive(&master, &salt, label, &mut octets);
        octets
    };

    assert_eq!(derived(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(derived(1, 20), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

/// RFC 6188 §7.1 and §7.2.
#[test]
fn keystream_and_session_keys_of_aes_256_are_the_standards() {
    let cipher =
        Cipher::new(&hex("57f82fe3613fd170a85ec93c40b1f092 2ec4cb0dc025b58272147cc438944a98"));
    let keystream = Keystream { cipher, salt: salt("f0f1f2f3f4f5f6f7f8f9fafbfcfd") };
    let mut octets = vec![0; 48];
    keystream.apply(0, 0, &mut octets);
    assert_eq!(octets[..16], hex("92bdd28a93c3f52511c677d08b5515a4"));
    assert_eq!(octets[16..32], hex("9da71b2378a854f67050756ded165bac"));
    assert_eq!(octets[32..], hex("63c4868b7096d88421b563b8c94c9a31"));

    let master = hex("f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6");
    let salt = salt("3b04803de51ee7c96423ab5b78d2");
    let derived = |label, length| {
        let mut octets = vec![0; length];
        derive(&master, &salt, label, &mut octets);
        octets
    };
    assert_eq!(
        derived(0, 32),
        hex("5ba1064e30ec51613cad926c5a28ef73 1ec7fb397f70a960653caf06554cd8c4")
    );
    assert_eq!(derived(2, 14), hex("fa31791685ca444a9e07c6c64e93"));
    assert_eq!(derived(1, 20), hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

/// RFC 3711 §3.1, §3.3.
#[test]
fn what_is_sealed_can_be_opened_and_nothing_else_can() {
    for suite in Suite::ALL {
        let (mut protector, mut opener) = (Protector::new(&key(suite)), Opener::new(&key(suite)));
        for (step, length) in [160, 0, 1, 15, 16, 17, 161, 1_200].into_iter().enumerate() {
            let payload: Vec<u8> = (0..length).map(|it| it as u8).collect();
            let plain = packet(step as u16, &payload);
            let sealed = protected(&mut protector, step as u16, &payload).unwrap();
            assert_eq!(sealed[..12], plain[..12]);
            assert!(length < 16 || sealed[12..plain.len()] != plain[12..]);

            for at in [0, 3, 11, plain.len() - 1, plain.len(), sealed.len() - 1] {
                let mut forged = sealed.clone();
                forged[at] ^= 0x10;
                assert!(opener.open(&mut forged).is_err(), "{suite:?} byte {at}");
            }
            assert!(opener.open(&mut plain.clone()).is_err(), "plain sound is refused");

            let mut opened = sealed.clone();
            let opened_length = opener.open(&mut opened).unwrap();
            assert_eq!(opened[..opened_length], plain);
            assert_eq!(opener.open(&mut sealed.clone()), Err(Unopened::Replayed));
        }
        let other = MasterKey::new(suite, &vec![7; suite.key_length() + 14]).unwrap();
        let mut stranger = Opener::new(&other);
        let mut sealed = protected(&mut protector, 100, &[1; 160]).unwrap();
        assert_eq!(stranger.open(&mut sealed), Err(Unopened::Forged));
    }
}

/// RFC 3711 §3.3.1: the number rolls over, packets are lost and overtake each other around it.
#[test]
fn a_rollover_is_survived_whatever_the_order() {
    let key = key(Suite::AesCm128Sha1Tag80);
    let (mut protector, mut opener) = (Protector::new(&key), Opener::new(&key));
    let mut sealed: Vec<(u32, Vec<u8>)> = (0..400_u32)
        .map(|step| {
            let sequence = 65_300_u32.wrapping_add(step) as u16;
            (step, protected(&mut protector, sequence, &step.to_be_bytes()).unwrap())
        })
        .collect();
    // Every third is lost, neighbours change places.
    sealed.retain(|(step, _)| step % 3 != 1);
    sealed.chunks_mut(2).for_each(<[_]>::reverse);

    for (step, mut bytes) in sealed.clone() {
        let length = opener.open(&mut bytes).unwrap();
        assert_eq!(bytes[12..length], step.to_be_bytes(), "step {step}");
    }
    for (step, mut bytes) in sealed {
        assert_eq!(opener.open(&mut bytes), Err(Unopened::Replayed), "step {step}");
    }
}

#[test]
fn a_call_of_a_day_and_a_half_goes_on() {
    let key = key(Suite::AesCm128Sha1Tag80);
    let (mut protector, mut opener) = (Protector::new(&key), Opener::new(&key));
    for step in 0..200_000_u32 {
        let mut sealed = protected(&mut protector, step as u16, &[9]).unwrap();
        assert_eq!(opener.open(&mut sealed), Ok(13), "step {step}");
    }
}

/// Two packets under one index would give both away.
#[test]
fn an_index_is_never_used_twice() {
    let mut protector = Protector::new(&key(Suite::AesCm128Sha1Tag80));
    for sequence in [10, 11, 13, 12] {
        assert!(protected(&mut protector, sequence, &[1; 20]).is_some());
    }
    for sequence in [10, 11, 12, 13] {
        assert_eq!(protected(&mut protector, sequence, &[2; 20]), None);
    }
    let mut tight = packet(20, &[0; 20]);
    let length = tight.len();
    assert_eq!(protector.protect(&mut tight, length), None, "no room for the tag");
}

/// RFC 3711 §3.4.
#[test]
fn reports_are_sealed_and_opened_once() {
    for suite in Suite::ALL {
        let (mut protector, mut opener) = (Protector::new(&key(suite)), Opener::new(&key(suite)));
        for step in 0..10_u8 {
            let mut report = vec![0x80, 201, 0, 1, 1, 2, 3, 4, step, 9, 9, 9];
            let plain = report.clone();
            report.resize(12 + OVERHEAD_MAX, 0);
            assert_eq!(protector.protect_report(&mut report, 12), Some(26));
            let mut forged = report.clone();
            forged[9] ^= 1;
            assert_eq!(opener.open_report(&mut forged), Err(Unopened::Forged));
            assert_eq!(opener.open_report(&mut plain.clone()), Err(Unopened::Short));
            let mut again = report.clone();
            assert_eq!(opener.open_report(&mut report), Ok(12));
            assert_eq!(report[..12], plain);
            assert_eq!(opener.open_report(&mut again), Err(Unopened::Replayed));
        }
    }
}

#[test]
fn what_was_written_down_goes_on_where_it_was_and_no_key_is_printed() {
    let key = key(Suite::Aes256CmSha1Tag80);
    assert_eq!(format!("{key:?}"), "MasterKey(AES_256_CM_HMAC_SHA1_80, ·)");
    let (mut protector, mut opener) = (Protector::new(&key), Opener::new(&key));
    let mut sealed: Vec<Vec<u8>> = (65_530..=65_535)
        .chain(0..5)
        .map(|sequence| protected(&mut protector, sequence, &[3; 160]).unwrap())
        .collect();
    sealed.iter_mut().for_each(|packet| assert!(opener.open(packet).is_ok()));

    let written = serde_json::to_string(&(protector, opener)).unwrap();
    let (mut protector, mut opener): (Protector, Opener) = serde_json::from_str(&written).unwrap();

    assert_eq!(protected(&mut protector, 2, &[3; 160]), None);
    let mut next = protected(&mut protector, 5, &[3; 160]).unwrap();
    assert_eq!(opener.open(&mut next), Ok(172));
}

#[test]
fn a_hostile_packet_opens_nothing_and_breaks_nothing() {
    let mut opener = Opener::new(&key(Suite::AesCm128Sha1Tag32));
    for length in 0..60 {
        for first in [0x80, 0x8F, 0x90, 0x9F, 0xBF] {
            let mut bytes = vec![0xFF; length];
            bytes.iter_mut().take(1).for_each(|byte| *byte = first);
            assert!(opener.open(&mut bytes.clone()).is_err());
            assert!(opener.open_report(&mut bytes).is_err());
        }
    }
    assert!(opener.sources.is_empty());
}
