//! What a refusal inside a dialog costs (RFC 5057 §5.1).
//!
//! Most refusals are about the request only. Some say that what the dialog was used for is over, and
//! some that the dialog itself is no more; other usages of it (a transfer's subscription) then end
//! with it. Who refuses so may still be wrong (a border element that lost its memory of one
//! branch), so a call is asked for by OPTIONS before it is given up.

use crate::sip::message::Status;

/// How much ends with a response.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Toll {
    /// Nothing but the request.
    Transaction,
    /// What the request was for: the call, or the subscription.
    Usage,
    /// The dialog, with all that it is used for.
    Dialog,
}

impl Toll {
    pub(crate) fn of(status: Status) -> Self {
        match status.0 {
            404 | 410 | 416 | 482 | 483 | 484 | 485 | 502 | 604 => Self::Dialog,
            405 | 408 | 480 | 481 | 489 | 501 => Self::Usage,
            _ => Self::Transaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5057 §5.1, row by row.
    #[test]
    fn a_refusal_ends_what_rfc_5057_says() {
        let all: Vec<_> = (300..700).map(|code| (code, Toll::of(Status(code)))).collect();
        let with = |toll| {
            let hit = all.iter().filter(move |(_, other)| *other == toll);
            hit.map(|(code, _)| *code).collect::<Vec<u16>>()
        };

        assert_eq!(with(Toll::Dialog), [404, 410, 416, 482, 483, 484, 485, 502, 604]);
        assert_eq!(with(Toll::Usage), [405, 408, 480, 481, 489, 501]);
        for code in [302, 401, 403, 415, 420, 422, 423, 486, 487, 488, 491, 500, 503, 600, 603] {
            assert_eq!(Toll::of(Status(code)), Toll::Transaction, "{code}");
        }
    }
}
