//! What protects one party's packets, once keys were agreed on (RFC 3711, RFC 4568).

use serde::{Deserialize, Serialize};

use super::rtp::srtp::{Opener, Protector};
use super::sdp::Secured;

/// Both directions of a protected stream. Its ciphers are large, and most streams wear none.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Armour(Box<Worn>);

#[derive(Clone, Deserialize, Serialize)]
struct Worn {
    keys: Secured,
    protector: Protector,
    opener: Opener,
}

impl Armour {
    /// Puts on what was agreed on, or takes it off. A key that stays goes on counting where it was
    /// (RFC 4568 §7.1.4).
    pub(super) fn fit(worn: &mut Option<Self>, secured: Option<&Secured>) {
        let Some(secured) = secured else {
            *worn = None;
            return;
        };
        let Some(Self(armour)) = worn else {
            *worn = Some(Self(Box::new(Worn {
                keys: secured.clone(),
                protector: Protector::new(&secured.ours),
                opener: Opener::new(&secured.theirs),
            })));
            return;
        };
        if armour.keys.ours != secured.ours {
            armour.protector = Protector::new(&secured.ours);
        }
        if armour.keys.theirs != secured.theirs {
            armour.opener = Opener::new(&secured.theirs);
        }
        armour.keys = secured.clone();
    }

    /// Opens a packet of sound; its length, if it was made by the other side.
    pub(super) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.0.opener.open(packet).ok()
    }

    pub(super) fn open_report(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.0.opener.open_report(packet).ok()
    }

    /// Protects what fills `buffer` up to `length`, and returns its new length.
    pub(super) fn protect(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.0.protector.protect(buffer, length)
    }

    pub(super) fn protect_report(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.0.protector.protect_report(buffer, length)
    }
}

/// Protects what fills `packet` up to `length`, if it needs to be.
pub(super) fn armoured(
    armour: &mut Option<Armour>,
    packet: &mut [u8],
    length: usize,
) -> Option<usize> {
    match armour {
        None => Some(length),
        Some(armour) => armour.protect(packet, length),
    }
}

/// What a datagram holds on any road there is; a longer one was cut when it came.
pub(super) const PACKET_MAX: usize = 1_500;
