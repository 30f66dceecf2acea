use std::borrow::Cow;
use std::fmt::Display;

use super::text::{is_token_text, quote, quoted_length, trim, unquote};
use super::{Params, Unreadable, seconds};
use crate::sip::message::HeaderName;
use crate::sip::uri::{self, NotAUri, Uri};

/// An address with its display name and parameters: the value of From, To, Contact, Route,
/// Record-Route, P-Asserted-Identity, Refer-To, ….
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NameAddr<'a> {
    display: &'a str,
    uri: &'a str,
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads `"Name" <uri>;param` or `uri;param`.
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        Self::parse(trim(text)).ok_or(Unreadable(HeaderName::Other))
    }

    fn parse(text: &'a str) -> Option<Self> {
        if text.starts_with('"') {
            let (display, rest) = text.split_at(quoted_length(text)?);
            return Self::bracketed(display, trim(rest).strip_prefix('<')?);
        }
        match text.split_once('<') {
            Some((display, rest)) if is_words(display) => Self::bracketed(trim(display), rest),
            Some(_) => None,
            None => {
                // RFC 3261 §20.10: without brackets the parameters are the header's, and a URI
                // with a comma, semicolon or question mark can't stand.
                let (uri, params) = text.split_at(text.find(';').unwrap_or(text.len()));
                let uri = trim(uri);
                let is_fit = !uri.contains(['?', ',']) && uri::is_readable(uri);
                is_fit.then_some(())?;
                Some(Self { display: "", uri, params: Params::read(params)? })
            }
        }
    }

    fn bracketed(display: &'a str, rest: &'a str) -> Option<Self> {
        let (uri, params) = rest.split_once('>')?;
        uri::is_readable(uri).then_some(())?;
        Some(Self { display, uri, params: Params::read(params)? })
    }

    /// The display name, unquoted; None if there is none. Words of a stranger.
    pub fn display(&self) -> Option<Cow<'a, str>> {
        (!self.display.is_empty()).then(|| unquote(self.display))
    }

    /// The URI as written.
    pub fn uri_text(&self) -> &'a str {
        self.uri
    }

    /// The URI in pieces.
    pub fn uri(&self) -> Result<Uri, NotAUri> {
        self.uri.parse()
    }

    pub fn params(&self) -> Params<'a> {
        self.params
    }

    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Contact's `expires`, in seconds.
    pub fn expires(&self) -> Option<u32> {
        seconds(self.params.get("expires")?)
    }

    /// Contact's `q`, in thousandths.
    pub fn q(&self) -> Option<u16> {
        let text = self.params.get("q")?;
        let (whole, thousandths) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !matches!(whole, "0" | "1") || thousandths.len() > 3 || !is_digits(thousandths) {
            return None;
        }
        let q = format!("{whole}{thousandths:0<3}").parse().ok()?;
        (q <= 1000).then_some(q)
    }

    /// `+sip.instance` (RFC 5626 §4.1), without quotes and brackets: `urn:uuid:…`.
    pub fn instance(&self) -> Option<Cow<'a, str>> {
        let value = self.params.unquoted("+sip.instance")?;
        Some(match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(['<', '>'])),
            Cow::Owned(text) => Cow::Owned(text.trim_matches(['<', '>']).to_owned()),
        })
    }

    /// `reg-id` (RFC 5626 §4.2).
    pub fn reg_id(&self) -> Option<u32> {
        self.params.get("reg-id")?.parse().ok()
    }

    /// Whether Contact claims the `text` of RFC 3840 §10.1: a word that is there, and not `"FALSE"`.
    pub fn shows_text(&self) -> bool {
        let value = self.params.unquoted("text");
        value.is_some_and(|value| value.is_empty() || value.eq_ignore_ascii_case("TRUE"))
    }

    /// Writes an address, always with brackets: `"Name" <uri>;tag=x`.
    pub fn write(display: Option<&str>, uri: impl Display, tag: Option<&str>) -> String {
        let mut text = display.map(quote).unwrap_or_default();
        if !text.is_empty() {
            text.push(' ');
        }
        text.push('<');
        text.push_str(&uri.to_string());
        text.push('>');
        if let Some(tag) = tag {
            text.push_str(";tag=");
            text.push_str(tag);
        }
        text
    }
}

/// One value of Contact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Contact<'a> {
    /// `*`: every binding (RFC 3261 §10.2.2).
    Everything,
    Address(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        if trim(text) == "*" {
            return Ok(Self::Everything);
        }
        NameAddr::read(text).map(Self::Address).map_err(|_| Unreadable(HeaderName::Contact))
    }
}

/// A display name without quotes. The grammar wants tokens; people write `Jean (bureau)` and
/// accents, which confuse nobody. What could be taken for the end of something is refused.
fn is_words(text: &str) -> bool {
    text.split([' ', '\t']).filter(|word| !word.is_empty()).all(|word| {
        is_token_text(word)
            || word.chars().all(|c| {
                !c.is_ascii_control()
                    && !matches!(c, '"' | ',' | ';' | '<' | '>' | '@' | ':' | '\\')
            })
    })
}
