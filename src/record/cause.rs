//! Why a call ended, in the telephone network's words, and who ended it.
//!
//! Q.850 causes are what the public network counts in; a SIP status becomes one by RFC 3398 §8.2.6.1
//! and the other way round by §7.2.4.1; RFC 3326 carries one in a `Reason` header. What is *sent* to a trunk
//! for an outcome is decided in `call`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a call ended, and who ended it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cause {
    pub by: Party,
    pub q850: Q850,
}

impl Cause {
    pub fn new(by: Party, q850: Q850) -> Self {
        Self { by, q850 }
    }

    /// The cause of a call that ended with this SIP status.
    pub fn of_status(by: Party, status: u16) -> Self {
        Self { by, q850: Q850::of_status(status) }
    }
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Caller,
    Listener,
    /// This exchange: the message was over, the drain expired, the request was refused.
    House,
    /// Nobody: packets stopped, a transaction timed out, a connection broke.
    Network,
}

impl Party {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Caller, Self::Listener, Self::House, Self::Network];

    /// The word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Listener => "listener",
            Self::House => "house",
            Self::Network => "network",
        }
    }
}

/// An ITU-T Q.850 cause value, 1 to 127.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Q850(u8);

impl Q850 {
    pub const UNALLOCATED_NUMBER: Self = Self(1);
    pub const NORMAL_CLEARING: Self = Self(16);
    pub const USER_BUSY: Self = Self(17);
    pub const NO_USER_RESPONDING: Self = Self(18);
    pub const NO_ANSWER: Self = Self(19);
    pub const CALL_REJECTED: Self = Self(21);
    pub const NUMBER_CHANGED: Self = Self(22);
    pub const EXCHANGE_ROUTING_ERROR: Self = Self(25);
    pub const DESTINATION_OUT_OF_ORDER: Self = Self(27);
    pub const INVALID_NUMBER_FORMAT: Self = Self(28);
    pub const NORMAL_UNSPECIFIED: Self = Self(31);
    pub const NO_CIRCUIT: Self = Self(34);
    pub const TEMPORARY_FAILURE: Self = Self(41);
    pub const CONGESTION: Self = Self(42);
    pub const RESOURCE_UNAVAILABLE: Self = Self(47);
    pub const BEARER_NOT_IMPLEMENTED: Self = Self(65);
    pub const NOT_IMPLEMENTED: Self = Self(79);
    pub const RECOVERY_ON_TIMER_EXPIRY: Self = Self(102);
    pub const PROTOCOL_ERROR: Self = Self(111);
    pub const INTERWORKING: Self = Self(127);

    /// A cause by its number, if it is one.
    pub fn new(value: u8) -> Option<Self> {
        (1..=127).contains(&value).then_some(Self(value))
    }

    /// Its number.
    pub fn value(self) -> u8 {
        self.0
    }

    /// The cause a final SIP status stands for (RFC 3398 §8.2.6.1); a success ends normally.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 | 487 => Self::NORMAL_CLEARING,
            400 | 481 | 500 | 503 => Self::TEMPORARY_FAILURE,
            401..=403 | 407 | 603 | 607 | 608 => Self::CALL_REJECTED,
            404 | 485 | 604 => Self::UNALLOCATED_NUMBER,
            405 => Self(63),
            408 | 504 => Self::RECOVERY_ON_TIMER_EXPIRY,
            410 => Self::NUMBER_CHANGED,
            413 | 414 | 416 | 420 | 421 | 423 | 505 | 513 => Self::INTERWORKING,
            415 | 501 => Self::NOT_IMPLEMENTED,
            480 => Self::NO_USER_RESPONDING,
            482 | 483 => Self::EXCHANGE_ROUTING_ERROR,
            484 => Self::INVALID_NUMBER_FORMAT,
            486 | 600 => Self::USER_BUSY,
            488 | 606 => Self::BEARER_NOT_IMPLEMENTED,
            502 => Self(38),
            _ => Self::INTERWORKING,
        }
    }

    /// The SIP status that stands for this cause (RFC 3398 §7.2.4.1).
    pub fn status(self) -> u16 {
        match self.0 {
            1..=3 | 26 => 404,
            16 | 19 | 20 | 31 => 480,
            17 => 486,
            18 => 408,
            21 | 55 | 57 | 87 => 403,
            22 | 23 => 410,
            27 => 502,
            28 => 484,
            29 | 79 => 501,
            34 | 38 | 41 | 42 | 47 | 58 | 88 => 503,
            65 | 70 => 488,
            102 => 504,
            _ => 500,
        }
    }

    /// The first Q.850 cause of a `Reason` header's value (RFC 3326), e.g.
    /// `SIP ;cause=200, Q.850;cause=16;text="Terminated"`.
    pub fn of_reason(value: &str) -> Option<Self> {
        split_outside_quotes(value, ',').find_map(|reason| {
            let mut parts = split_outside_quotes(reason, ';').map(str::trim);
            if !parts.next()?.eq_ignore_ascii_case("Q.850") {
                return None;
            }
            parts.find_map(|parameter| {
                let (name, number) = parameter.split_once('=')?;
                if !name.trim().eq_ignore_ascii_case("cause") {
                    return None;
                }
                Self::new(number.trim().parse().ok()?)
            })
        })
    }

    /// The value of a `Reason` header that tells this cause.
    pub fn reason(self) -> String {
        format!("Q.850;cause={};text=\"{}\"", self.0, self.text())
    }

    /// Its name in Q.850.
    pub fn text(self) -> &'static str {
        match self.0 {
            1 => "unallocated number",
            2 | 3 => "no route to destination",
            16 => "normal call clearing",
            17 => "user busy",
            18 => "no user responding",
            19 => "no answer from user",
            20 => "subscriber absent",
            21 => "call rejected",
            22 => "number changed",
            25 => "exchange routing error",
            27 => "destination out of order",
            28 => "invalid number format",
            29 => "facility rejected",
            31 => "normal, unspecified",
            34 => "no circuit available",
            38 => "network out of order",
            41 => "temporary failure",
            42 => "switching equipment congestion",
            47 => "resource unavailable",
            63 => "service not available",
            65 => "bearer capability not implemented",
            79 => "service not implemented",
            102 => "recovery on timer expiry",
            111 => "protocol error",
            127 => "interworking",
            _ => "unspecified",
        }
    }
}

impl fmt::Display for Q850 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.text())
    }
}

/// Splits at `separator`, but not inside a quoted string.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_becomes_the_cause_the_network_knows() {
        let table = [
            (200, 16),
            (404, 1),
            (408, 102),
            (480, 18),
            (486, 17),
            (487, 16),
            (488, 65),
            (500, 41),
            (503, 41),
            (600, 17),
            (603, 21),
            (699, 127),
            (0, 127),
        ];
        for (status, cause) in table {
            assert_eq!(Q850::of_status(status).value(), cause, "{status}");
        }
    }

    #[test]
    fn every_cause_has_a_final_status() {
        for value in 1..=127 {
            let status = Q850::new(value).unwrap().status();
            assert!((400..700).contains(&status), "{value} became {status}");
        }
    }

    #[test]
    fn a_reason_is_read_whatever_stands_around_it() {
        let table = [
            ("Q.850;cause=16;text=\"Terminated\"", Some(16)),
            ("SIP ;cause=200 ;text=\"Call completed elsewhere\", q.850 ; Cause = 31", Some(31)),
            ("Q.850;text=\"a, b; cause=3\";cause=17", Some(17)),
            ("Q.850;cause=0", None),
            ("Q.850;cause=999", None),
            ("SIP;cause=16", None),
            ("", None),
            ("Q.850;text=\"no end", None),
        ];
        for (value, cause) in table {
            assert_eq!(Q850::of_reason(value).map(Q850::value), cause, "{value}");
        }
    }

    #[test]
    fn a_reason_we_write_is_one_we_read() {
        for value in 1..=127 {
            let cause = Q850::new(value).unwrap();
            assert_eq!(Q850::of_reason(&cause.reason()), Some(cause));
        }
    }
}
