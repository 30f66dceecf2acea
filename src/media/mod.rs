//! Everything about sound.
//!
//! Call control never reads SDP or packets: it sends [`Order`]s and hears [`Notice`]s. The same
//! two types drive the real [`engine`](self) of a shard and the stand-in of `sim`.

mod armour;
mod bridge;
pub mod codec;
mod comfort;
mod ear;
pub mod ear_guard;
pub mod engine;
mod incoming;
mod jitter;
pub mod library;
mod mouth;
mod outgoing;
mod playout;
pub mod ports;
mod reports;
mod room;
pub mod rtp;
mod score;
pub mod sdp;
pub mod sound;
mod source_lock;
mod stream;
pub mod text;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use score::Score;
use sdp::TextAbilities;

use crate::base::{AddressRange, CallRef, Moment, PromptName, Sdp, StreamRef, Text};

/// What call control may ask. Orders for a stream that is gone are ignored.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Order {
    /// Makes a stream: a port pair is lent to it. `road`: what its descriptions travel by.
    Open { stream: StreamRef, sources: Sources, road: Road },
    /// Reads an offer, new or again, and describes our answer ([`Notice::Described`] or
    /// [`Notice::Refused`]; refused again and again, the session stays as it was).
    Answer { stream: StreamRef, offer: Sdp },
    /// Who may be the party is known now, or is another: the trunk that carries a call of ours. To be said
    /// before it answers.
    Restrict { stream: StreamRef, sources: Sources },
    /// Describes an offer of ours. `like` names the stream it will be joined to: its codec comes
    /// first, so that a bridge is a copy.
    Offer { stream: StreamRef, like: Option<StreamRef> },
    /// Takes the answer to our offer; [`Notice::Refused`] if it can't be.
    Accept { stream: StreamRef, answer: Sdp },
    /// The other side proved that our answer reached it (its ACK or PRACK came). Until then nothing is
    /// sent to an address that its offer alone names: whoever forges an INVITE could name anybody's
    /// (T-11). What plays meanwhile waits.
    Proven { stream: StreamRef },
    /// Plays these recordings one after the other, at once, instead of what plays now; with whom text
    /// was agreed on, they are shown what is said in them.
    /// `play` comes back in [`Notice::Finished`].
    Play { stream: StreamRef, play: PlayRef, prompts: Vec<PromptName>, repeat: Repeat },
    /// Ends what plays at the next pause in the sound, or after 3 s at the latest
    /// ([`Notice::Finished`] with `cut`).
    Conclude { stream: StreamRef },
    /// A tone of the telephone network, until something else is ordered.
    Tone { stream: StreamRef, tone: Tone },
    /// Stops what plays, at once, without a notice.
    Hush { stream: StreamRef },
    /// Each hears the other from now on; what plays on either stops.
    Join { streams: [StreamRef; 2] },
    /// Ends that.
    Part { streams: [StreamRef; 2] },
    /// Each hears all the others from now on, until one of them is joined to somebody or given up;
    /// those that are left go on (three: SC-27). What plays on any of them stops.
    Gather { streams: Vec<StreamRef> },
    /// Shows the party these words, if text was agreed on with it.
    Write { stream: StreamRef, text: Text },
    /// Tells [`Notice::Silent`] when neither RTP nor RTCP came for `patience` while the other side
    /// should be sending, and [`Notice::Heard`] when it comes back.
    Watch { stream: StreamRef, patience: Duration },
    /// Gives the stream up; [`Notice::Closed`] follows, its ports go to quarantine.
    Close { stream: StreamRef },
}

impl Order {
    /// The stream it is for; one of them, if it is for several of a call.
    pub fn stream(&self) -> StreamRef {
        match self {
            Self::Gather { streams } => {
                streams.first().copied().unwrap_or(StreamRef { call: CallRef(0), index: 0 })
            }
            Self::Open { stream, .. }
            | Self::Answer { stream, .. }
            | Self::Restrict { stream, .. }
            | Self::Offer { stream, .. }
            | Self::Accept { stream, .. }
            | Self::Proven { stream }
            | Self::Play { stream, .. }
            | Self::Conclude { stream }
            | Self::Tone { stream, .. }
            | Self::Hush { stream }
            | Self::Watch { stream, .. }
            | Self::Write { stream, .. }
            | Self::Close { stream } => *stream,
            Self::Join { streams: [stream, _] } | Self::Part { streams: [stream, _] } => *stream,
        }
    }
}

/// What call control hears back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Notice {
    /// Our SDP, to be sent. `held`: the other side does not want to hear us now (`sendonly`,
    /// `inactive`, or `c=0.0.0.0`).
    Described {
        stream: StreamRef,
        sdp: Sdp,
        held: bool,
    },
    /// No agreement could be reached, or no port is left.
    Refused {
        stream: StreamRef,
        why: Refused,
    },
    /// A key was pressed (once per press, however often the network repeats it).
    Digit {
        stream: StreamRef,
        digit: char,
    },
    /// What [`Order::Play`] began is over; `cut` by [`Order::Conclude`] or played to the end.
    Finished {
        stream: StreamRef,
        play: PlayRef,
        cut: bool,
    },
    /// `never`: nor did anything ever come.
    Silent {
        stream: StreamRef,
        since: Moment,
        never: bool,
    },
    Heard {
        stream: StreamRef,
    },
    /// Text was agreed on with the party: it can be written to ([`Order::Write`]).
    Writes {
        stream: StreamRef,
    },
    /// The party wrote this. Whoever hears them has been sent it, if their phone can show it.
    Written {
        stream: StreamRef,
        text: Text,
    },
    Closed {
        stream: StreamRef,
        quality: Quality,
    },
    /// The shard that held this stream is gone.
    Lost {
        stream: StreamRef,
    },
}

/// Names one playing, so that the end of an old one isn't taken for the end of a new one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct PlayRef(pub u64);

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Repeat {
    Once,
    Forever,
}

/// Tones of the French network (domain.md §1.7), attenuated to −18 dBm0.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Tone {
    /// 440 Hz, 1.5 s on, 3.5 s off.
    Ringback,
    /// 440 Hz, 0.5 s on, 0.5 s off.
    Busy,
}

/// What a stream's descriptions travel by.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Road {
    /// Anybody on the way can read them.
    Readable,
    /// Inside TLS: keys may stand in them (RFC 4568 §7).
    Private,
    /// The same, to a phone that takes no sound that might be plain: offers demand the keys.
    Sealed,
    /// A WebSocket: a browser is at the other end, and offers are made as browsers want them.
    Web,
}

/// Whose packets may become a stream's source.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Sources {
    /// The first to send from the address its SDP or its signalling names, or from behind its NAT:
    /// latched once.
    Anywhere,
    /// Only these ranges (a trunk's).
    Within(Vec<AddressRange>),
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Refused {
    /// Nothing we speak is on offer.
    NoCommonCodec,
    /// It is not SDP, or breaks its limits.
    Unreadable,
    /// Every port is lent out.
    NoPort,
}

/// What one stream's network was like.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Quality {
    pub received: u64,
    pub sent: u64,
    /// Packets that never came, by sequence number.
    pub lost: u64,
    /// RFC 3550 §6.4.1 interarrival jitter.
    pub jitter: Duration,
    /// Packets from a source that was not ours.
    pub strangers: u64,
    /// Packets of ours that never reached the party, as it reports.
    pub lost_outward: u64,
    /// There and back, as its reports tell.
    pub round_trip: Option<Duration>,
    /// How the worse of both directions sounds.
    pub score: Option<Score>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::CallRef;

    #[test]
    fn no_key_of_a_conversation_can_be_printed() {
        let stream = StreamRef { call: CallRef(1), index: 0 };
        let sdp = || Sdp::from("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkg");

        let printed = [
            format!("{:?}", Order::Answer { stream, offer: sdp() }),
            format!("{:?}", Order::Accept { stream, answer: sdp() }),
            format!("{:?}", Notice::Described { stream, sdp: sdp(), held: false }),
        ];

        for printed in printed {
            assert!(!printed.contains("inline") && !printed.contains("WVN"), "{printed}");
        }
    }
}
