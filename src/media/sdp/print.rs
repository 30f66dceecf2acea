//! [`Description`] → text, strictly as RFC 8866 §5 orders it, every line ended by `CRLF`.

use std::fmt::Write;
use std::net::IpAddr;

use bytes::Bytes;

use super::browser::{Browser, PRIORITY};
use super::crypto::Line;
use super::description::{Description, Host, Media};

/// Writes a description.
pub fn print(description: &Description) -> Bytes {
    let mut text = String::with_capacity(256 + 256 * description.media.len());
    write_description(&mut text, description).expect("writing to a string can't fail");
    Bytes::from(text)
}

fn write_description(text: &mut String, description: &Description) -> std::fmt::Result {
    let origin = &description.origin;
    write!(text, "v=0\r\n")?;
    write!(text, "o=- {} {} {}\r\n", origin.id, origin.version, Net(&origin.host))?;
    write!(text, "s=-\r\n")?;
    if let Some(host) = &description.connection {
        write!(text, "c={}\r\n", Net(host))?;
    }
    write!(text, "t=0 0\r\n")?;
    if !description.bundle.is_empty() {
        write!(text, "a=group:BUNDLE {}\r\n", description.bundle.join(" "))?;
    }
    if description.ice_lite {
        write!(text, "a=ice-lite\r\n")?;
    }
    if let Some(direction) = description.direction {
        write!(text, "a={direction}\r\n")?;
    }
    description.media.iter().try_for_each(|media| write_media(text, media))
}

fn write_media(text: &mut String, media: &Media) -> std::fmt::Result {
    write!(text, "m={} {} {}", media.kind, media.port, media.protocol)?;
    for format in &media.formats {
        write!(text, " {}", format.name)?;
    }
    write!(text, "\r\n")?;
    if let Some(host) = &media.connection {
        write!(text, "c={}\r\n", Net(host))?;
    }
    for format in &media.formats {
        if let Some(encoding) = &format.mapped {
            write!(text, "a=rtpmap:{} {encoding}\r\n", format.name)?;
        }
        if let Some(parameters) = &format.parameters {
            write!(text, "a=fmtp:{} {parameters}\r\n", format.name)?;
        }
    }
    if let Some(time) = media.packet_time {
        write!(text, "a=ptime:{}\r\n", time.as_millis())?;
    }
    if let Some(time) = media.packet_time_max {
        write!(text, "a=maxptime:{}\r\n", time.as_millis())?;
    }
    if let Some(rtcp) = &media.rtcp {
        write!(text, "a=rtcp:{}", rtcp.port)?;
        if let Some(host) = &rtcp.host {
            write!(text, " {}", Net(host))?;
        }
        write!(text, "\r\n")?;
    }
    if media.rtcp_mux {
        write!(text, "a=rtcp-mux\r\n")?;
    }
    for crypto in &media.crypto {
        write!(text, "a=crypto:{}\r\n", Line(crypto))?;
    }
    if let Some(browser) = &media.browser {
        write_browser(text, browser)?;
    }
    if let Some(direction) = media.direction {
        write!(text, "a={direction}\r\n")?;
    }
    Ok(())
}

fn write_browser(text: &mut String, browser: &Browser) -> std::fmt::Result {
    if let Some(mid) = &browser.mid {
        write!(text, "a=mid:{mid}\r\n")?;
    }
    if let Some(ice) = &browser.ice {
        write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice.name, ice.password)?;
    }
    if let Some(fingerprint) = &browser.fingerprint {
        write!(text, "a=fingerprint:{fingerprint}\r\n")?;
    }
    if let Some(setup) = &browser.setup {
        write!(text, "a=setup:{setup}\r\n")?;
    }
    if let Some(address) = &browser.candidate {
        let (ip, port) = (address.ip(), address.port());
        write!(text, "a=candidate:1 1 udp {PRIORITY} {ip} {port} typ host\r\n")?;
        write!(text, "a=end-of-candidates\r\n")?;
        // Pages look for our sound in a stream of the answer (RFC 8830).
        write!(text, "a=msid:hotline sound\r\n")?;
    }
    Ok(())
}

/// `IN IP4 192.0.2.1`. A name is said to be IPv4, as nearly all are.
struct Net<'a>(&'a Host);

impl std::fmt::Display for Net<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let family = match self.0 {
            Host::Address(IpAddr::V6(_)) => "IP6",
            Host::Address(IpAddr::V4(_)) | Host::Name(_) => "IP4",
        };
        write!(f, "IN {family} {}", self.0)
    }
}
