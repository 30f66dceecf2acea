//! What a side can do, and what both hold to.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Sdp;
use crate::media::codec::Codec;
use crate::media::rtp::srtp::{MasterKey, Suite};
use crate::media::sdp::browser::{Meeting, OurSide};
use crate::media::sdp::crypto::Crypto;
use crate::media::sdp::description::{Direction, Place};
use crate::media::sdp::text::{AgreedText, TextAbilities};

/// What our side of a stream can do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Abilities {
    /// Where we receive.
    pub address: IpAddr,
    /// The port of RTP; RTCP is received one above.
    pub rtp_port: u16,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Keys of ours, if the description travels where nobody can read it (RFC 4568 §7: inside TLS).
    /// Without them we neither offer nor accept protection.
    pub keys: Option<OurKeys>,
    /// Without it we neither answer nor call browsers.
    pub browser: Option<OurSide>,
    /// Our offers are for a browser.
    pub offers_handshake: bool,
    /// Our offers are for a phone that takes nothing plain.
    pub demands_keys: bool,
    /// What we can do about text; without it text is declined.
    pub text: Option<TextAbilities>,
}

/// A key of ours for each suite; the same while a stream lives, so that no index is used twice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OurKeys(Vec<MasterKey>);

/// What protects a stream: both sides' keys, of one suite.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Secured {
    pub ours: MasterKey,
    pub theirs: MasterKey,
}

/// What both sides hold to from now on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Agreed {
    /// Where the other side says it receives; [`Place::socket`] tells whether it can be sent to.
    pub remote_rtp: Place,
    pub remote_rtcp: Place,
    /// What we send.
    pub codec: Codec,
    pub payload_type_send: u8,
    /// The number of `codec` in what we receive.
    pub payload_type_receive: u8,
    /// All that may arrive; more than one only if their answer left it open.
    pub receives: Vec<(u8, Codec)>,
    pub telephone_event: Option<EventNumbers>,
    /// Nothing plain is sent or believed, if there is this.
    pub secured: Option<Secured>,
    /// Nothing is sent or believed before this led to keys, if there is this.
    pub meeting: Option<Box<Meeting>>,
    /// RTCP travels with RTP.
    pub rtcp_mux: bool,
    /// How much sound we put in a packet.
    pub packet_time: Duration,
    /// No more bits a second than they want of a codec that leaves us the choice (RFC 7587 §6.1).
    pub bits_max: Option<u32>,
    /// Ours: what we may do.
    pub direction: Direction,
    /// The other side does not want to hear us now.
    pub held: bool,
    /// Text beside the sound.
    pub text: Option<Box<AgreedText>>,
}

/// The numbers of `telephone-event` each way.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EventNumbers {
    pub send: u8,
    pub receive: u8,
}

/// Our answer and what it means.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answer {
    pub sdp: Sdp,
    pub agreed: Agreed,
}

impl Agreed {
    /// The codec of a payload type that arrives.
    pub fn codec_received(&self, payload_type: u8) -> Option<Codec> {
        self.receives.iter().find(|(number, _)| *number == payload_type).map(|(_, codec)| *codec)
    }
}

impl OurKeys {
    /// `random` should be unguessable.
    pub fn new(mut random: impl FnMut() -> u64) -> Self {
        let key = |suite| {
            let octets: Vec<u8> = (0..KEY_WORDS).flat_map(|_| random().to_be_bytes()).collect();
            let length = Suite::key_length(suite) + SALT_LENGTH;
            MasterKey::new(suite, &octets[..length]).expect("it has the suite's length")
        };
        Self(Suite::ALL.into_iter().map(key).collect())
    }

    pub(super) fn of(&self, suite: Suite) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.suite() == suite)
    }

    pub(super) fn lines(&self) -> Vec<Crypto> {
        (1..).zip(&self.0).map(|(tag, key)| Crypto { tag, key: key.clone() }).collect()
    }
}

/// Enough random words for the longest key and its salt.
const KEY_WORDS: usize = 6;

const SALT_LENGTH: usize = 14;
