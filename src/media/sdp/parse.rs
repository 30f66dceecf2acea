//! Text → [`Description`].
//!
//! Tolerant of what real equipment sends (Latin-1 bytes, bare line feeds, missing `s=` or `t=`, odd
//! attributes), deaf to lines nobody needs, and bounded: more than any telephone says is refused
//! before it is looked at. The line grammar is `sdp_types`'; meaning is given here.

use std::borrow::Cow;
use std::time::Duration;

use super::browser::{Browser, Credentials, Fingerprint, MID_MAX, Setup};
use super::crypto::Crypto;
use super::description::{
    Description, Direction, Encoding, Format, Host, Media, Origin, Protocol, Rtcp,
};

/// A SIP message over UDP can't be longer than 64 KiB; a browser's description has about 6.
pub const DESCRIPTION_MAX: usize = 16 * 1024;
pub const LINES_MAX: usize = 512;
/// A telephone has one, a browser three.
pub const MEDIA_MAX: usize = 8;
/// Formats of one `m=` line.
pub const FORMATS_MAX: usize = 64;
/// A longer `a=fmtp` is left unread; none of ours has more than 20 bytes.
pub const PARAMETERS_MAX: usize = 512;
/// Keys of one stream.
pub const CRYPTO_MAX: usize = 8;
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
        bundle: bundle(&session.attributes),
        ice_lite: has(&session.attributes, "ice-lite"),
        media: session
            .medias
            .iter()
            .map(|it| media(it, &session.attributes))
            .collect::<Result<_, _>>()?,
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
        match line.as_bytes() {
            // The words of an `m=` line are counted, so two spaces would be an empty word.
            [b'm', b'=', ..] => {
                for (at, word) in line.split_ascii_whitespace().enumerate() {
                    if at > 0 {
                        kept.push(' ');
                    }
                    kept.push_str(word);
                }
            }
            [b'v' | b'o' | b'c' | b'a', b'=', ..] => kept.push_str(line),
            [..] => continue,
        }
        kept.push_str("\r\n");
    }
    Ok(kept)
}

fn media(from: &sdp_types::Media, session: &[sdp_types::Attribute]) -> Result<Media, Unreadable> {
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
        } else if attribute.attribute.eq_ignore_ascii_case("fmtp")
            && format.parameters.is_none()
            && rest.len() <= PARAMETERS_MAX
        {
            format.parameters = Some(rest.to_owned());
        }
    }
    let protocol = Protocol::from(from.proto.as_str());
    Ok(Media {
        browser: protocol.is_handshake().then(|| Box::new(browser(&from.attributes, session))),
        kind: from.media.clone(),
        port: from.port,
        protocol,
        formats,
        connection: from.connections.first().map(|it| host(&it.connection_address)),
        direction: direction(&from.attributes),
        packet_time: value(&from.attributes, "ptime").and_then(packet_time),
        packet_time_max: value(&from.attributes, "maxptime").and_then(packet_time),
        rtcp: value(&from.attributes, "rtcp").and_then(rtcp),
        rtcp_mux: has(&from.attributes, "rtcp-mux"),
        crypto: from
            .attributes
            .iter()
            .filter(|attribute| attribute.attribute.eq_ignore_ascii_case("crypto"))
            .take(CRYPTO_MAX)
            .filter_map(|attribute| Crypto::parse(attribute.value.as_deref()?))
            .collect(),
    })
}

/// What may stand for the whole session as well as for one stream.
fn browser(media: &[sdp_types::Attribute], session: &[sdp_types::Attribute]) -> Browser {
    let said = |name: &str| value(media, name).or_else(|| value(session, name)).map(str::trim);
    let fingerprint = |attributes: &[sdp_types::Attribute]| {
        attributes
            .iter()
            .filter(|it| it.attribute.eq_ignore_ascii_case("fingerprint"))
            .find_map(|it| Fingerprint::parse(it.value.as_deref()?))
    };
    let token = |text: &&str| {
        !text.is_empty() && text.len() <= MID_MAX && text.bytes().all(|b| b.is_ascii_graphic())
    };
    Browser {
        ice: said("ice-ufrag")
            .zip(said("ice-pwd"))
            .and_then(|(name, password)| Credentials::read(name, password)),
        fingerprint: fingerprint(media).or_else(|| fingerprint(session)),
        setup: said("setup").and_then(Setup::parse),
        mid: value(media, "mid").map(str::trim).filter(token).map(str::to_owned),
        candidate: None,
    }
}

fn bundle(session: &[sdp_types::Attribute]) -> Vec<String> {
    let group = value(session, "group").unwrap_or_default();
    let mut words = group.split_ascii_whitespace();
    match words.next() {
        Some("BUNDLE") => {
            let sound = words.filter(|word| word.len() <= MID_MAX);
            sound.take(MEDIA_MAX).map(str::to_owned).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

fn has(attributes: &[sdp_types::Attribute], name: &str) -> bool {
    attributes.iter().any(|it| it.attribute.eq_ignore_ascii_case(name))
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
    let bare = text.split('/').next().filter(|bare| !bare.is_empty()).unwrap_or(text);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::sdp::print;

    /// As an SBC of a French operator says it, with a name in Latin-1.
    const TRUNK: &[u8] = b"v=0\r\n\
        o=SBC 4711 1 IN IP4 192.0.2.10\r\n\
        s=Soci\xe9t\xe9\r\n\
        c=IN IP4 192.0.2.11\r\n\
        b=AS:odd\r\n\
        t=0 0\r\n\
        m=audio 4000 RTP/AVP 8 18 101\r\n\
        a=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:18 G729/8000\r\n\
        a=fmtp:18 annexb=no\r\n\
        a=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-16\r\n\
        a=ptime:20\r\n\
        a=maxptime:40\r\n\
        a=rtcp:4005 IN IP4 192.0.2.12\r\n\
        a=sendrecv\r\n\
        m=image 0 udptl t38\r\n";

    #[test]
    fn what_a_trunk_says_is_understood() {
        let description = parse(TRUNK).unwrap();

        assert_eq!(description.origin.id, "4711");
        assert_eq!(description.connection, Some(Host::Address("192.0.2.11".parse().unwrap())));
        let [audio, image] = &description.media[..] else { panic!("two streams") };
        assert_eq!((audio.kind.as_str(), audio.port), ("audio", 4000));
        assert_eq!(audio.protocol, Protocol::Plain);
        assert_eq!(audio.direction, Some(Direction::SendReceive));
        assert_eq!(audio.packet_time, Some(Duration::from_millis(20)));
        assert_eq!(audio.packet_time_max, Some(Duration::from_millis(40)));
        let rtcp = audio.rtcp.as_ref().unwrap();
        assert_eq!((rtcp.port, &rtcp.host), (4005, &Some(host("192.0.2.12"))));
        let event = &audio.formats[2];
        assert_eq!(event.payload_type(), Some(101));
        assert_eq!(event.mapped, Some(Encoding::new("telephone-event", 8000)));
        assert_eq!(event.parameters.as_deref(), Some("0-16"));
        assert_eq!((image.port, image.formats[0].payload_type()), (0, None));
        assert_eq!(image.protocol, Protocol::Other("udptl".to_owned()));
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again() {
        let description = parse(TRUNK).unwrap();
        let text = print(&description);
        assert_eq!(parse(&text).unwrap(), description);
        assert!(!text.windows(2).any(|two| two[1] == b'\n' && two[0] != b'\r'));
    }

    #[test]
    fn a_group_without_an_address_is_still_a_word() {
        let description = parse(b"v=0\r\nc=IN IP4 /127\r\n").unwrap();
        assert_eq!(parse(&print(&description)).unwrap(), description);
    }

    #[test]
    fn sloppy_writing_is_forgiven() {
        let text = b"v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio  4000  RTP/AVP  8  0 \n\
            a=RTPMAP:8 pcma/8000/1 \nc=IN IP6 [2001:db8::1]\na=ptime:20.0\na=SendOnly\nx\n\n";
        let description = parse(text).unwrap();

        let audio = &description.media[0];
        assert!(audio.formats[0].mapped.as_ref().unwrap().is("PCMA", 8000));
        assert_eq!(audio.connection, Some(host("2001:db8::1")));
        assert_eq!(audio.packet_time, Some(Duration::from_millis(20)));
        assert_eq!(audio.direction, Some(Direction::SendOnly));
    }

    #[test]
    fn numbers_out_of_bounds_are_left_out_or_refused() {
        let with = |lines: &str| parse(format!("v=0\r\n{lines}").as_bytes());
        let audio = |lines: &str| {
            with(&format!("m=audio 4000 RTP/AVP 8\r\n{lines}")).unwrap().media.remove(0)
        };
        for ptime in ["0", "-20", "201", "99999999999999999999", "x", ""] {
            assert_eq!(audio(&format!("a=ptime:{ptime}\r\n")).packet_time, None, "{ptime}");
        }
        assert_eq!(audio("a=rtcp:70000\r\n").rtcp, None);
        assert_eq!(audio("a=rtpmap:8 PCMA/99999999999\r\n").formats[0].mapped, None);
        assert_eq!(audio("a=rtpmap:8\r\na=rtpmap\r\na=rtpmap:8 /\r\n").formats[0].mapped, None);
        let long = format!("a=fmtp:8 {}\r\n", "x".repeat(513));
        assert_eq!(audio(&long).formats[0].parameters, None);
        assert!(with("m=audio 70000 RTP/AVP 8\r\n").is_err());
        assert!(with("m=audio 4000 RTP/AVP\r\n").is_err());
        assert!(parse(b"").is_err());
        assert!(parse(b"INVITE sip:3133@example.com SIP/2.0\r\n").is_err());
    }

    /// T-09: descriptions that are all the limits allow cost little; those beyond are refused.
    #[test]
    fn the_worst_description_within_bounds_is_read_in_no_time() {
        let mut worst = String::from("v=0\r\nc=IN IP4 192.0.2.1\r\n");
        for _ in 0..MEDIA_MAX {
            worst.push_str(&format!("m=audio 4000 RTP/AVP{}\r\n", " 127".repeat(FORMATS_MAX)));
            for number in 0..29 {
                let line = "x".repeat(12);
                worst.push_str(&format!("a=fmtp:{number} {line}\r\na=crypto:1 {line}\r\n"));
            }
        }
        worst.truncate(DESCRIPTION_MAX);
        assert!(worst.len() > DESCRIPTION_MAX / 2);
        assert_eq!(parse(worst.as_bytes()).unwrap().media.len(), MEDIA_MAX);
        let hostile = [
            "a=fmtp:8 ".to_owned() + &"x".repeat(PARAMETERS_MAX + 1),
            "a=rtpmap:8 ".to_owned() + &"/".repeat(9_000),
            "a=crypto:99999999999999999999 AES_CM_128_HMAC_SHA1_80 inline:AA".to_owned(),
            "a=ptime:-1".to_owned(),
            "a=rtcp:65536 IN IP4 x".to_owned(),
            "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n".repeat(200),
        ];
        for line in hostile {
            let text = format!("v=0\r\nm=audio 4000 RTP/AVP 8 8 8 8\r\n{line}\r\n");
            let audio = parse(text.as_bytes()).unwrap().media.remove(0);
            assert_eq!((audio.port, audio.formats.len()), (4000, 4));
            assert!(audio.crypto.is_empty() && audio.packet_time.is_none());
        }
    }

    #[test]
    fn too_much_of_anything_is_refused() {
        let with =
            |line: &str, count: usize| parse(format!("v=0\r\n{}", line.repeat(count)).as_bytes());
        let media = "m=audio 4000 RTP/AVP 8\r\n";
        assert_eq!(with(media, MEDIA_MAX).unwrap().media.len(), MEDIA_MAX);
        assert_eq!(with(media, MEDIA_MAX + 1), Err(Unreadable::TooManyStreams));
        assert!(with("a=x\r\n", LINES_MAX - 1).is_ok());
        assert_eq!(with("a=x\r\n", LINES_MAX), Err(Unreadable::TooManyLines));
        assert_eq!(with("a=xxxxxxxxxxxxxxxxxxxxxxxx\r\n", 700), Err(Unreadable::TooLong));
        let formats = |count| {
            parse(format!("v=0\r\nm=audio 4000 RTP/AVP{}\r\n", " 8".repeat(count)).as_bytes())
        };
        assert!(formats(FORMATS_MAX).is_ok());
        assert_eq!(formats(FORMATS_MAX + 1), Err(Unreadable::TooManyFormats));
    }
}
