//! Connectivity checks (RFC 8445 §7.3, RFC 8489), as far as an ICE-lite agent needs them: a Binding
//! request is read where it lies, judged by the password of our description, and answered.
//!
//! Whoever doesn't know the password gets nothing, not even a refusal: a forged source address would
//! have us send it to somebody else. Attributes behind MESSAGE-INTEGRITY are not believed.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::media::sdp::Credentials;

/// A Binding request, read and not yet believed.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    datagram: &'a [u8],
    username: &'a [u8],
    /// Where MESSAGE-INTEGRITY begins.
    sealed: usize,
    seal: &'a [u8],
    /// The browser wants this road.
    pub nominates: bool,
    /// It thinks that we decide, which a lite agent never does (RFC 8445 §7.3.1.1).
    controlled: bool,
    /// It asks for something we have never heard of, and must not ignore (RFC 8489 §6.3.1).
    unknown: Option<u16>,
}

/// What is sent back.
#[derive(Clone, Debug)]
pub struct Answer {
    octets: Vec<u8>,
    /// The road is good.
    pub succeeds: bool,
}

impl<'a> Check<'a> {
    /// `None` for everything that isn't a whole, sound Binding request with a seal.
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let (head, body) = datagram.split_first_chunk::<HEAD>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let sound = head[..2] == BINDING_REQUEST
            && length == body.len()
            && length.is_multiple_of(4)
            && head[4..8] == COOKIE
            && datagram.len() <= CHECK_MAX;
        if !sound {
            return None;
        }
        let (mut username, mut nominates, mut controlled, mut unknown) = (None, false, false, None);
        let mut at = HEAD;
        while let Some((kind, value)) = attribute(datagram, at) {
            match kind {
                USERNAME => username = username.or(Some(value)),
                USE_CANDIDATE => nominates = true,
                ICE_CONTROLLED => controlled = true,
                MESSAGE_INTEGRITY => {
                    fingerprinted(datagram, at + ATTRIBUTE_HEAD + SEAL)?;
                    return (value.len() == SEAL).then_some(Self {
                        datagram,
                        username: username?,
                        sealed: at,
                        seal: value,
                        nominates,
                        controlled,
                        unknown,
                    });
                }
                PRIORITY => {}
                _ if kind < OPTIONAL => unknown = unknown.or(Some(kind)),
                _ => {}
            }
            at += ATTRIBUTE_HEAD + value.len().next_multiple_of(4);
        }
        None
    }

    /// Whether it was made by somebody who read our description; `theirs` is what they call
    /// themselves, once that is known.
    pub fn knows(&self, ours: &Credentials, theirs: Option<&str>) -> bool {
        let Some(name) = self.username.strip_prefix(ours.name.as_bytes()) else {
            return false;
        };
        let Some(name) = name.strip_prefix(b":") else { return false };
        if theirs.is_some_and(|theirs| theirs.as_bytes() != name) {
            return false;
        }
        // The length as if the seal were the last attribute (RFC 8489 §14.5).
        let length = (self.sealed + ATTRIBUTE_HEAD + SEAL - HEAD) as u16;
        let Some(mut mac) = keyed(ours) else { return false };
        mac.update(&self.datagram[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&self.datagram[4..self.sealed]);
        mac.verify_slice(self.seal).is_ok()
    }

    /// The answer to a check that [`knows`](Self::knows) us.
    pub fn answer(&self, source: SocketAddr, ours: &Credentials) -> Option<Answer> {
        let mut octets = Vec::with_capacity(ANSWER_MAX);
        let refusal = match (self.unknown, self.controlled) {
            (Some(_), _) => Some((4, 20, "Unknown Attribute")),
            (None, true) => Some((4, 87, "Role Conflict")),
            (None, false) => None,
        };
        octets.extend(if refusal.is_some() { BINDING_ERROR } else { BINDING_SUCCESS });
        octets.extend([0, 0]);
        octets.extend_from_slice(&self.datagram[4..HEAD]);
        match refusal {
            None => put(&mut octets, XOR_MAPPED_ADDRESS, &mapped(source, &self.datagram[4..HEAD])),
            Some((class, number, words)) => {
                let value = [&[0, 0, class, number], words.as_bytes()].concat();
                put(&mut octets, ERROR_CODE, &value);
                if let Some(unknown) = self.unknown {
                    put(&mut octets, UNKNOWN_ATTRIBUTES, &unknown.to_be_bytes());
                }
            }
        }
        seal(&mut octets, ours)?;
        Some(Answer { octets, succeeds: refusal.is_none() })
    }
}

impl Answer {
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// Adds MESSAGE-INTEGRITY and FINGERPRINT.
fn seal(octets: &mut Vec<u8>, with: &Credentials) -> Option<()> {
    set_length(octets, ATTRIBUTE_HEAD + SEAL);
    let mut mac = keyed(with)?;
    mac.update(octets);
    let value = mac.finalize().into_bytes();
    put(octets, MESSAGE_INTEGRITY, &value);
    set_length(octets, ATTRIBUTE_HEAD + 4);
    let sum = crc32(octets) ^ FINGERPRINT_MASK;
    put(octets, FINGERPRINT, &sum.to_be_bytes());
    Some(())
}

fn keyed(with: &Credentials) -> Option<Hmac<Sha1>> {
    Hmac::<Sha1>::new_from_slice(with.password.as_bytes()).ok()
}

fn set_length(octets: &mut [u8], more: usize) {
    let length = (octets.len() - HEAD + more) as u16;
    octets[2..4].copy_from_slice(&length.to_be_bytes());
}

fn put(octets: &mut Vec<u8>, kind: u16, value: &[u8]) {
    octets.extend_from_slice(&kind.to_be_bytes());
    octets.extend_from_slice(&(value.len() as u16).to_be_bytes());
    octets.extend_from_slice(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
    set_length(octets, 0);
}

/// RFC 8489 §14.2: hidden from routers that rewrite addresses wherever they see them.
fn mapped(source: SocketAddr, mask: &[u8]) -> Vec<u8> {
    let port = source.port().to_be_bytes();
    let (family, address) = match source.ip().to_canonical() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let hidden = |octets: &[u8]| -> Vec<u8> {
        octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect()
    };
    [vec![0, family], hidden(&port), hidden(&address)].concat()
}

/// The attribute that begins at `at`, if it is whole.
fn attribute(datagram: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let head = datagram.get(at..at + ATTRIBUTE_HEAD)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let start = at + ATTRIBUTE_HEAD;
    datagram.get(start..start + length.next_multiple_of(4))?;
    Some((u16::from_be_bytes([head[0], head[1]]), &datagram[start..start + length]))
}

/// If a FINGERPRINT follows, it must be right.
fn fingerprinted(datagram: &[u8], at: usize) -> Option<()> {
    match attribute(datagram, at) {
        Some((FINGERPRINT, value)) => {
            let sum = crc32(datagram.get(..at)?) ^ FINGERPRINT_MASK;
            (value == sum.to_be_bytes()).then_some(())
        }
        Some(_) | None => Some(()),
    }
}

/// ISO-HDLC, bit by bit: a check has a hundred octets and comes every few seconds.
fn crc32(octets: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for octet in octets {
        sum ^= u32::from(*octet);
        for _ in 0..8 {
            sum = sum >> 1 ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

const HEAD: usize = 20;
const ATTRIBUTE_HEAD: usize = 4;
const SEAL: usize = 20;

const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const BINDING_ERROR: [u8; 2] = [0x01, 0x11];
const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const FINGERPRINT_MASK: u32 = 0x5354_554E;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802A;
const NETWORK_COST: u16 = 0xC057;
/// From here on attributes may be ignored.
const OPTIONAL: u16 = 0x8000;

/// Browsers' have about a hundred octets.
const CHECK_MAX: usize = 1_280;

const ANSWER_MAX: usize = 128;

/// What a browser called `theirs` sends to the owner of these credentials, for those who play one.
pub(super) fn request(ours: &Credentials, theirs: &str, nominates: bool) -> Vec<u8> {
    request_with(ours, theirs, if nominates { &[(USE_CANDIDATE, &[])] } else { &[] })
}

fn request_with(ours: &Credentials, theirs: &str, more: &[(u16, &[u8])]) -> Vec<u8> {
    let mut octets = [&BINDING_REQUEST[..], &[0, 0], &COOKIE, &[7; 12]].concat();
    put(&mut octets, USERNAME, format!("{}:{theirs}", ours.name).as_bytes());
    put(&mut octets, NETWORK_COST, &[0, 1, 0, 10]);
    put(&mut octets, ICE_CONTROLLING, &[1; 8]);
    put(&mut octets, PRIORITY, &[0x6E, 0, 1, 0xFF]);
    for (kind, value) in more {
        put(&mut octets, *kind, value);
    }
    // It can't fail: HMAC takes keys of any length.
    let _ = seal(&mut octets, ours);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Credentials {
        Credentials { name: "evtj".to_owned(), password: "VOkJxbRl1RmTxUk/WvJxBt".to_owned() }
    }

    /// RFC 5769 §2.1.
    const SAMPLE: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\
        \x87\xdf\xae\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\
        \x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09evtj:h6vY\x20\x20\x20\x00\x08\x00\x14\
        \x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\x80\x28\
        \x00\x04\xe5\x7a\x3b\xcf";

    #[test]
    fn the_sample_of_the_rfc_is_believed_and_told_that_roles_are_not_ours_to_take() {
        let check = Check::read(SAMPLE).unwrap();

        assert!(check.knows(&ours(), Some("h6vY")));
        assert!(check.knows(&ours(), None));
        assert!(!check.knows(&ours(), Some("h6vX")));
        let answer = check.answer("192.0.2.1:32853".parse().unwrap(), &ours()).unwrap();
        assert!(!answer.succeeds);
        assert_eq!(answer.octets[..2], BINDING_ERROR);
    }

    /// RFC 5769 §2.2: mapped address, but for its SOFTWARE attribute.
    #[test]
    fn the_answer_names_the_address_the_check_came_from() {
        let source = "192.0.2.1:32853".parse().unwrap();
        assert_eq!(
            mapped(source, &SAMPLE[4..HEAD]),
            [0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]
        );
        let source = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        let hidden = mapped(source, &SAMPLE[4..HEAD]);
        assert_eq!(hidden[..6], [0x00, 0x02, 0xa1, 0x47, 0x01, 0x13]);
    }

    #[test]
    fn an_answer_is_sealed_with_our_password() {
        let request = request(&ours(), "abcd", true);
        let check = Check::read(&request).unwrap();
        assert!(check.nominates && check.knows(&ours(), Some("abcd")));

        let answer = check.answer("192.0.2.1:4000".parse().unwrap(), &ours()).unwrap();

        assert!(answer.succeeds);
        let octets = answer.octets();
        assert_eq!(octets[..2], BINDING_SUCCESS);
        assert_eq!(octets[8..20], request[8..20]);
        let at = octets.len() - 8 - 24;
        let mut mac = keyed(&ours()).unwrap();
        mac.update(&octets[..2]);
        mac.update(&((octets.len() - 8 - HEAD) as u16).to_be_bytes());
        mac.update(&octets[4..at]);
        assert!(mac.verify_slice(&octets[at + 4..at + 24]).is_ok());
        assert!(fingerprinted(octets, octets.len() - 8).is_some());
    }

    #[test]
    fn a_check_of_somebody_who_does_not_know_the_password_is_not_believed() {
        let guessed = Credentials { password: "x".repeat(24), ..ours() };
        let request = request(&guessed, "abcd", true);
        assert!(!Check::read(&request).unwrap().knows(&ours(), None));

        let mut without_seal = SAMPLE[..SAMPLE.len() - 32].to_vec();
        set_length(&mut without_seal, 0);
        assert!(Check::read(&without_seal).is_none());
    }

    /// What is added behind the seal is nobody's word.
    #[test]
    fn what_stands_behind_the_seal_is_not_believed() {
        let mut request = request(&ours(), "abcd", false);
        request.truncate(request.len() - 8);
        put(&mut request, USE_CANDIDATE, &[]);

        let check = Check::read(&request).unwrap();

        assert!(!check.nominates);
        assert!(check.knows(&ours(), None));
    }

    #[test]
    fn what_we_must_not_ignore_and_do_not_know_is_refused() {
        let request = request_with(&ours(), "abcd", &[(0x0031, &[1, 2, 3, 4])]);
        let answer = Check::read(&request).unwrap();
        let answer = answer.answer("192.0.2.1:4000".parse().unwrap(), &ours()).unwrap();
        assert_eq!((answer.succeeds, &answer.octets[24..28]), (false, &[0, 0, 4, 20][..]));
    }

    /// CVE-2021-37706 and its like: lengths that lie.
    #[test]
    fn every_cut_and_every_flipped_octet_is_survived_and_none_is_believed() {
        let whole = request(&ours(), "abcd", true);
        for length in 0..whole.len() {
            assert!(Check::read(&whole[..length]).is_none());
        }
        let fingerprint_at = whole.len() - 8;
        for at in 0..whole.len() {
            for flip in [1, 0x80, 0xFF] {
                let mut bent = whole.clone();
                bent[at] ^= flip;
                let believed = Check::read(&bent).is_some_and(|it| it.knows(&ours(), None));
                // Only FINGERPRINT stands behind the seal, and it may be anything but wrong.
                assert!(!believed || at >= fingerprint_at, "{at}");
            }
        }
    }
}
