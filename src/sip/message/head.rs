use std::fmt;

use bytes::Bytes;

use crate::sip::headers::{
    CSeq, Challenge, Contact, ContentType, Credentials, NameAddr, RAck, Reason, RetryAfter,
    SessionExpires, Unreadable, Via, Warning, seconds, split_list,
};
use crate::sip::message::HeaderName;

/// Header fields and body: what requests and responses have in common.
///
/// A plain reader gives text: [`header`](Self::header), [`headers`](Self::headers). A typed reader
/// gives a value, or [`Unreadable`]. After [`wire`](crate::sip::wire) has let a message in, the
/// topmost and all further Vias, From, To, Call-ID and CSeq are there and can be read.
#[derive(Clone)]
pub struct Head {
    /// The whole message, first line and body included.
    pub(in crate::sip) bytes: Bytes,
    pub(in crate::sip) lines: Vec<Line>,
    /// Values that had to be unfolded or made UTF-8, by the number of their line.
    pub(in crate::sip) cleaned: Vec<(u32, Box<str>)>,
    pub(in crate::sip) cseq: CSeq,
    pub(in crate::sip) body: u32,
}

/// Where something stands in the message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::sip) struct Span {
    pub(in crate::sip) start: u32,
    pub(in crate::sip) end: u32,
}

/// One header line.
#[derive(Clone, Copy, Debug)]
pub(in crate::sip) struct Line {
    pub(in crate::sip) name: HeaderName,
    /// The name as written.
    pub(in crate::sip) spelling: Span,
    pub(in crate::sip) value: Span,
}

impl Head {
    /// The whole message as it came, or as it was built.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The body; empty if there is none.
    pub fn body(&self) -> Bytes {
        self.bytes.slice(self.body as usize..)
    }

    // ---- as text ----

    /// The first value of this name: the first of a list, the whole line for other headers.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers(name).next()
    }

    /// All values of this name in order, over all lines and commas.
    pub fn headers(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        let is_list = name.is_list();
        self.whole(name).flat_map(move |value| split_list(value, is_list))
    }

    /// The lines of this name in order, each whole.
    pub fn whole(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        self.lines
            .iter()
            .enumerate()
            .filter(move |(_, line)| line.name == name)
            .map(|(at, _)| self.value(at))
    }

    pub fn has(&self, name: HeaderName) -> bool {
        self.lines.iter().any(|line| line.name == name)
    }

    /// The first line of a header that [`HeaderName`] does not list.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.all().find(|(spelling, _)| spelling.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every line: name as written, and value.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().enumerate().map(|(at, line)| (self.text(line.spelling), self.value(at)))
    }

    // ---- who, whence, which ----

    /// The topmost Via.
    pub fn via(&self) -> Result<Via<'_>, Unreadable> {
        self.vias().next().unwrap_or(Err(Unreadable(HeaderName::Via)))
    }

    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, Unreadable>> {
        self.headers(HeaderName::Via).map(Via::read)
    }

    pub fn from(&self) -> Result<NameAddr<'_>, Unreadable> {
        self.address(HeaderName::From)
    }

    pub fn to(&self) -> Result<NameAddr<'_>, Unreadable> {
        self.address(HeaderName::To)
    }

    pub fn from_tag(&self) -> Option<&str> {
        self.from().ok()?.tag()
    }

    pub fn to_tag(&self) -> Option<&str> {
        self.to().ok()?.tag()
    }

    pub fn call_id(&self) -> &str {
        self.header(HeaderName::CallId).unwrap_or_default()
    }

    pub fn cseq(&self) -> &CSeq {
        &self.cseq
    }

    /// The one value of a header that holds a name-addr: Refer-To, P-Called-Party-ID, ….
    pub fn address(&self, name: HeaderName) -> Result<NameAddr<'_>, Unreadable> {
        NameAddr::read(self.header(name).ok_or(Unreadable(name))?).map_err(|_| Unreadable(name))
    }

    /// All values of a header that holds name-addrs: P-Asserted-Identity, Diversion, Path, ….
    pub fn addresses(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<NameAddr<'_>, Unreadable>> {
        self.headers(name).map(move |value| NameAddr::read(value).map_err(|_| Unreadable(name)))
    }

    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'_>, Unreadable>> {
        self.headers(HeaderName::Contact).map(Contact::read)
    }

    /// The first Contact that is an address: the remote target of a dialog.
    pub fn contact(&self) -> Result<NameAddr<'_>, Unreadable> {
        match self.contacts().next().unwrap_or(Err(Unreadable(HeaderName::Contact)))? {
            Contact::Address(address) => Ok(address),
            Contact::Everything => Err(Unreadable(HeaderName::Contact)),
        }
    }

    // ---- roads ----

    pub fn record_routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, Unreadable>> {
        self.addresses(HeaderName::RecordRoute)
    }

    pub fn routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, Unreadable>> {
        self.addresses(HeaderName::Route)
    }

    /// Hops left; None when not said.
    pub fn max_forwards(&self) -> Option<u8> {
        self.header(HeaderName::MaxForwards)?.parse().ok()
    }

    // ---- numbers of seconds ----

    /// Expires, in seconds; a number too large is the largest.
    pub fn expires(&self) -> Option<u32> {
        seconds(self.header(HeaderName::Expires)?)
    }

    pub fn min_expires(&self) -> Option<u32> {
        seconds(self.header(HeaderName::MinExpires)?)
    }

    pub fn retry_after(&self) -> Option<RetryAfter> {
        RetryAfter::read(self.header(HeaderName::RetryAfter)?)
    }

    pub fn session_expires(&self) -> Option<SessionExpires> {
        SessionExpires::read(self.header(HeaderName::SessionExpires)?)
    }

    pub fn min_se(&self) -> Option<u32> {
        seconds(self.header(HeaderName::MinSe)?.split(';').next()?.trim_end())
    }

    // ---- abilities ----

    pub fn require(&self) -> impl Iterator<Item = &str> {
        self.headers(HeaderName::Require)
    }

    pub fn proxy_require(&self) -> impl Iterator<Item = &str> {
        self.headers(HeaderName::ProxyRequire)
    }

    pub fn supported(&self) -> impl Iterator<Item = &str> {
        self.headers(HeaderName::Supported)
    }

    /// Whether an option tag stands in Require or Supported.
    pub fn knows(&self, option: &str) -> bool {
        self.supported().chain(self.require()).any(|tag| tag.eq_ignore_ascii_case(option))
    }

    pub fn allows(&self, method: &super::Method) -> bool {
        self.headers(HeaderName::Allow).any(|allowed| allowed == method.as_str())
    }

    // ---- identity ----

    /// Authorization and Proxy-Authorization: those with scheme Digest that can be read.
    pub fn credentials(&self) -> impl Iterator<Item = Credentials> {
        self.whole(HeaderName::Authorization)
            .chain(self.whole(HeaderName::ProxyAuthorization))
            .filter_map(Credentials::read)
    }

    /// WWW-Authenticate and Proxy-Authenticate: those with scheme Digest that can be read.
    pub fn challenges(&self) -> impl Iterator<Item = Challenge> {
        self.whole(HeaderName::WwwAuthenticate)
            .chain(self.whole(HeaderName::ProxyAuthenticate))
            .filter_map(Challenge::read)
    }

    pub fn asserted_identities(&self) -> impl Iterator<Item = Result<NameAddr<'_>, Unreadable>> {
        self.addresses(HeaderName::PAssertedIdentity)
    }

    /// The words of Privacy (RFC 3323): `id`, `user`, `header`, `session`, `none`, `critical`.
    pub fn privacy(&self) -> impl Iterator<Item = &str> {
        self.whole(HeaderName::Privacy)
            .flat_map(|value| value.split([';', ',']))
            .map(str::trim)
            .filter(|word| !word.is_empty())
    }

    // ---- the rest ----

    pub fn content_type(&self) -> Option<ContentType<'_>> {
        ContentType::read(self.header(HeaderName::ContentType)?)
    }

    pub fn reasons(&self) -> impl Iterator<Item = Reason> {
        self.headers(HeaderName::Reason).filter_map(Reason::read)
    }

    pub fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.headers(HeaderName::Warning).filter_map(Warning::read)
    }

    pub fn rseq(&self) -> Option<u32> {
        self.header(HeaderName::RSeq)?.parse().ok()
    }

    pub fn rack(&self) -> Option<RAck> {
        RAck::read(self.header(HeaderName::RAck)?)
    }

    pub fn timestamp(&self) -> Option<&str> {
        self.header(HeaderName::Timestamp)
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.header(HeaderName::UserAgent)
    }

    // ---- private parts ----

    pub(in crate::sip) fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.raw(span)).unwrap_or_default()
    }

    pub(in crate::sip) fn raw(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Text that need not be UTF-8: bytes that are not are taken for Latin-1.
    pub(in crate::sip) fn lossy(&self, span: Span) -> String {
        clean(self.raw(span))
    }

    fn value(&self, at: usize) -> &str {
        if !self.cleaned.is_empty() {
            let found = self.cleaned.binary_search_by_key(&at, |(line, _)| *line as usize);
            if let Ok(found) = found {
                return &self.cleaned[found].1;
            }
        }
        self.text(self.lines[at].value)
    }
}

/// Unfolds a value (RFC 3261 §7.3.1: a line break and the spaces after it are one space) and makes
/// it UTF-8, taking it for Latin-1 if it is not.
pub(in crate::sip) fn clean(raw: &[u8]) -> String {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.iter().map(|byte| char::from(*byte)).collect(),
    };
    if !text.contains("\r\n") {
        return text;
    }
    let mut lines = text.split("\r\n");
    let mut unfolded = lines.next().unwrap_or_default().trim_end_matches([' ', '\t']).to_owned();
    for line in lines {
        let line = line.trim_matches([' ', '\t']);
        if !line.is_empty() {
            if !unfolded.is_empty() {
                unfolded.push(' ');
            }
            unfolded.push_str(line);
        }
    }
    unfolded
}

/// Two messages are equal when their bytes are: the index follows from them.
impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Head {}

/// No header values: a log line made with `{:?}` must not tell who called.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({} headers, {} octets)", self.lines.len(), self.bytes.len())
    }
}
