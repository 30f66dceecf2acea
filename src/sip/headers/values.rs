use std::fmt;

use serde::{Deserialize, Serialize};

use super::Params;
use super::text::{is_token_text, trim, unquote};
use crate::sip::message::Method;

/// The largest CSeq number (RFC 3261 §8.1.1.5).
const CSEQ_MAX: u32 = (1 << 31) - 1;

/// `CSeq: 1 INVITE`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CSeq {
    pub number: u32,
    pub method: Method,
}

impl CSeq {
    pub fn read(text: &str) -> Option<Self> {
        let text = trim(text);
        let (number, method) = text.split_at(text.find([' ', '\t'])?);
        let (number, method) = (digits(number)?, trim(method));
        (number <= u64::from(CSEQ_MAX) && is_token_text(method)).then(|| Self {
            number: u32::try_from(number).unwrap_or(CSEQ_MAX),
            method: Method::from(method),
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// `RAck: 776656 1 INVITE` (RFC 3262 §7.2).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RAck {
    pub rseq: u32,
    pub cseq: CSeq,
}

impl RAck {
    pub fn read(text: &str) -> Option<Self> {
        let (rseq, cseq) = text.split_at(text.find([' ', '\t'])?);
        Some(Self { rseq: u32::try_from(digits(rseq)?).ok()?, cseq: CSeq::read(cseq)? })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rseq, self.cseq)
    }
}

/// `Reason: Q.850;cause=16;text="…"` (RFC 3326).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reason {
    /// `SIP` or `Q.850`.
    pub protocol: String,
    pub cause: Option<u16>,
    pub text: Option<String>,
}

impl Reason {
    pub fn read(value: &str) -> Option<Self> {
        let (protocol, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        let (protocol, params) = (trim(protocol), Params::read(params)?);
        is_token_text(protocol).then(|| Self {
            protocol: protocol.to_owned(),
            cause: params.get("cause").and_then(|cause| cause.parse().ok()),
            text: params.unquoted("text").map(|text| text.into_owned()),
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        if let Some(text) = &self.text {
            write!(f, ";text={}", super::quote(text))?;
        }
        Ok(())
    }
}

/// `Warning: 305 host "text"` (RFC 3261 §20.43).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Warning {
    pub code: u16,
    pub agent: String,
    pub text: String,
}

impl Warning {
    pub fn read(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, ' ');
        let code = parts.next()?;
        let (agent, text) = (parts.next()?, trim(parts.next()?));
        let is_right = code.len() == 3 && text.len() >= 2 && text.starts_with('"');
        is_right.then_some(())?;
        Some(Self {
            code: u16::try_from(digits(code)?).ok()?,
            agent: agent.to_owned(),
            text: unquote(text).into_owned(),
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {} {}", self.code, self.agent, super::quote(&self.text))
    }
}

/// `Retry-After: 18000 (in a meeting);duration=3600` (RFC 3261 §20.33).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RetryAfter {
    pub seconds: u32,
    pub duration: Option<u32>,
}

impl RetryAfter {
    pub fn read(value: &str) -> Option<Self> {
        let value = trim(value);
        let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        let params = value.rsplit_once(')').map_or(&value[end..], |(_, params)| params);
        let duration = Params::read(params).and_then(|params| seconds(params.get("duration")?));
        Some(Self { seconds: seconds(&value[..end])?, duration })
    }
}

/// `Session-Expires: 1800;refresher=uac` (RFC 4028 §4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionExpires {
    pub seconds: u32,
    pub refresher: Option<Refresher>,
}

/// Who refreshes the session: the sender of the request, or its receiver.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Refresher {
    Uac,
    Uas,
}

impl SessionExpires {
    pub fn read(value: &str) -> Option<Self> {
        let (number, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        let refresher = match Params::read(params)?.get("refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) | None => None,
        };
        Some(Self { seconds: seconds(trim(number))?, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// `Content-Type: application/sdp`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ContentType<'a> {
    pub kind: &'a str,
    pub subtype: &'a str,
    pub params: Params<'a>,
}

impl<'a> ContentType<'a> {
    pub fn read(value: &'a str) -> Option<Self> {
        let (types, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        let (kind, subtype) = types.split_once('/')?;
        let (kind, subtype) = (trim(kind), trim(subtype));
        (is_token_text(kind) && is_token_text(subtype)).then_some(Self {
            kind,
            subtype,
            params: Params::read(params)?,
        })
    }

    /// Whether this is `kind/subtype`, whatever the case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}

/// A number of seconds; one too large to hold is the largest (RFC 3261 §20.19 allows 2^32 - 1).
pub(in crate::sip) fn seconds(text: &str) -> Option<u32> {
    Some(u32::try_from(digits(text)?).unwrap_or(u32::MAX))
}

/// A number written in digits only; one too large to hold is the largest.
pub(in crate::sip) fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}
