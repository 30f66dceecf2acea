//! Text → [`Description`].
//!
//! Tolerant of what real equipment sends (Latin-1 bytes, bare line feeds, missing `s=` or `t=`, odd
//! attributes), deaf to lines nobody needs, and bounded: more than any telephone says is refused
//! before it is looked at. The line grammar is `sdp_types`'; meaning is given here.

use std::borrow::Cow;
use std::time::Duration;

use super::description::{
    Description, Direction, Encoding, Format, Host, Media, Origin, Protocol, Rtcp,
};

/// A SIP message over UDP can't be longer than 64 KiB; a browser's description has about 6.
pub const DESCRIPTION_MAX: usize = 16 * 1024;
pub const LINES_MAX: usize = 512;
pub const MEDIA_MAX: usize = 16;
/// Formats of one `m=` line.
pub const FORMATS_MAX: usize = 64;
/// Longer packets than this are a slip of the pen (RFC 3551 §4.2 asks for up to 200 ms).
pub const PACKET_TIME_MAX: Duration = Duration::from_millis(200);

/// Why a text is not a description.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    #[error("a description has at most {DESCRIPTION_MAX} bytes")]
    TooLong,
    #[error("a description has at most {LINES_MAX} lines")]
    TooManyLines,
    #[error("a description has at most {MEDIA_MAX} streams")]
    TooManyStreams,
    #[error("a stream has at most {FORMATS_MAX} formats")]
    TooManyFormats,
    #[error("not a session description: {0}")]
    Malformed(String),
}

/// Reads a description.
pub fn parse(bytes: &[u8]) -> Result<Description, Unreadable> {
    if bytes.len() > DESCRIPTION_MAX {
        return Err(Unreadable::TooLong);
    }
    let text = needed_lines(&String::from_utf8_lossy(bytes))?;
    let session = sdp_types::Session::parse(text.as_bytes())
        .map_err(|error| Unreadable::Malformed(error.to_string()))?;
    if session.medias.len() > MEDIA_MAX {
        return Err(Unreadable::TooManyStreams);
    }
    Ok(Description {
        origin: Origin {
            host: host(&session.origin.unicast_address),
            id: session.origin.sess_id,
            version: session.origin.sess_version,
        },
        connection: session.connection.as_ref().map(|it| host(&it.connection_address)),
        direction: direction(&session.attributes),
        media: session.medias.iter().map(media).collect::<Result<_, _>>()?,
    })
}

/// The lines that are read at all, with `CRLF`. Lines about time, people and bandwidth break
/// descriptions in the field and are of no use to us, so they aren't even looked at.
fn needed_lines(text: &str) -> Result<String, Unreadable> {
    let mut kept = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > LINES_MAX {
            return Err(Unreadable::TooManyLines);
        }
        let line = line.trim_matches(['\r', ' ', '\t', '\0']);
        if let [b'v' | b'o' | b'c' | b'm' | b'a', b'=', ..] = line.as_bytes() {
            kept.push_str(line);
            kept.push_str("\r\n");
        }
    }
    Ok(kept)
}

fn media(from: &sdp_types::Media) -> Result<Media, Unreadable> {
    let names: Vec<&str> = from.fmt.split_ascii_whitespace().collect();
    if names.len() > FORMATS_MAX {
        return Err(Unreadable::TooManyFormats);
    }
    let mut formats: Vec<Format> = names
        .into_iter()
        .map(|name| Format { name: name.to_owned(), mapped: None, parameters: None })
        .collect();
    for attribute in &from.attributes {
        let Some((name, rest)) = attribute.value.as_deref().and_then(split_word) else {
            continue;
        };
        let Some(format) = formats.iter_mut().find(|format| format.name == name) else {
            continue;
        };
        // The first word on a format counts; a second one for the same format is a slip.
        if attribute.attribute.eq_ignore_ascii_case("rtpmap") && format.mapped.is_none() {
            format.mapped = encoding(rest);
        } else if attribute.attribute.eq_ignore_ascii_case("fmtp") && format.parameters.is_none() {
            format.parameters = Some(rest.to_owned());
        }
    }
    Ok(Media {
        kind: from.media.clone(),
        port: from.port,
        protocol: Protocol::from(from.proto.as_str()),
        formats,
        connection: from.connections.first().map(|it| host(&it.connection_address)),
        direction: direction(&from.attributes),
        packet_time: value(&from.attributes, "ptime").and_then(packet_time),
        packet_time_max: value(&from.attributes, "maxptime").and_then(packet_time),
        rtcp: value(&from.attributes, "rtcp").and_then(rtcp),
    })
}

/// `<name>/<clock>[/<parameters>]`
fn encoding(text: &str) -> Option<Encoding> {
    let mut parts = text.trim().splitn(3, '/');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let clock = parts.next()?.trim().parse().ok()?;
    let parameters = parts.next().map(str::to_owned).filter(|text| !text.is_empty());
    Some(Encoding { name: name.to_owned(), clock, parameters })
}

/// Whole milliseconds; some phones write fractions, which are cut off.
fn packet_time(text: &str) -> Option<Duration> {
    let whole = text.trim().split(['.', ',']).next()?;
    let time = Duration::from_millis(whole.parse().ok()?);
    (!time.is_zero() && time <= PACKET_TIME_MAX).then_some(time)
}

/// `<port> [IN IP4 <address>]` (RFC 3605 §2.1)
fn rtcp(text: &str) -> Option<Rtcp> {
    let mut words = text.split_ascii_whitespace();
    let port = words.next()?.parse().ok()?;
    Some(Rtcp { port, host: words.nth(2).map(host) })
}

/// The last word counts where a description contradicts itself.
fn direction(attributes: &[sdp_types::Attribute]) -> Option<Direction> {
    attributes.iter().rev().find_map(|attribute| {
        match attribute.attribute.to_ascii_lowercase().as_str() {
            "sendrecv" => Some(Direction::SendReceive),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::ReceiveOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        }
    })
}

fn value<'a>(attributes: &'a [sdp_types::Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.attribute.eq_ignore_ascii_case(name))
        .and_then(|attribute| attribute.value.as_deref())
}

/// An address without what multicast adds after a slash, or a name.
fn host(text: &str) -> Host {
    let bare = text.split('/').next().unwrap_or(text);
    let unbracketed = match bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(bare),
    };
    unbracketed.parse().map_or_else(|_| Host::Name(bare.to_owned()), Host::Address)
}

fn split_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    text.split_once([' ', '\t']).map(|(word, rest)| (word, rest.trim_start()))
}
