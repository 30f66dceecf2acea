//! A message as a phone sees it: read with `rsip`, written as text.

use rsip::SipMessage;

/// A message that was received.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// The method of a request, or none for a response.
    pub(super) method: Option<String>,
    /// The status of a response, or 0 for a request.
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Letter {
    /// Reads one message; none if `rsip` can't (the witness makes a fault of that).
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let message = SipMessage::try_from(bytes).ok()?;
        let (method, status, headers) = match &message {
            SipMessage::Request(request) => {
                (Some(request.method.to_string().to_uppercase()), 0, &request.headers)
            }
            SipMessage::Response(response) => {
                (None, response.status_code.clone().into(), &response.headers)
            }
        };
        let headers = headers
            .iter()
            .filter_map(|header| {
                let text = header.to_string();
                let (name, value) = text.split_once(':')?;
                Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect();
        let body = String::from_utf8_lossy(message.body()).into_owned();
        Some(Self { method, status, headers, body })
    }

    /// The value of the first header of that name, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The values of all headers of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn call_id(&self) -> &str {
        self.header("call-id")
    }

    /// The branch of the topmost Via.
    pub(super) fn branch(&self) -> &str {
        parameter(self.header("via"), "branch")
    }

    pub(super) fn cseq(&self) -> u32 {
        self.header("cseq").split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// The method the CSeq names: that of the request, also in a response.
    pub(super) fn cseq_method(&self) -> &str {
        self.header("cseq").split_whitespace().nth(1).unwrap_or_default()
    }

    /// The address in Contact, without its angle brackets.
    pub(super) fn contact(&self) -> String {
        let contact = self.header("contact");
        let inner = contact.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        inner.map_or(contact, |(uri, _)| uri).to_owned()
    }

    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// The value of `expires` granted for our own contact.
    pub(super) fn granted(&self, contact: &str) -> Option<u64> {
        let ours = self
            .all("contact")
            .flat_map(|value| value.split(','))
            .find(|value| value.contains(contact))?;
        let expires = parameter(ours, "expires");
        let expires = if expires.is_empty() { self.header("expires") } else { expires };
        expires.parse().ok()
    }
}

/// The value of a parameter, outside of any angle brackets.
pub(super) fn parameter<'a>(value: &'a str, name: &str) -> &'a str {
    let outside = value.rsplit('>').next().unwrap_or(value);
    outside
        .split(';')
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .unwrap_or_default()
}

/// A message to be sent, with its length written at the end.
pub(super) fn written(start: &str, headers: &[(&str, String)], body: &str) -> String {
    let mut text = format!("{start}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += "Content-Type: application/sdp\r\n";
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    text
}

/// A response to `request`; `tag` is ours, for To.
pub(super) fn response(
    request: &Letter,
    status: u16,
    tag: &str,
    more: &[(&str, String)],
    body: &str,
) -> String {
    let mut headers: Vec<(&str, String)> =
        request.all("via").map(|via| ("Via", via.to_owned())).collect();
    let mut to = request.header("to").to_owned();
    if status > 100 && parameter(&to, "tag").is_empty() {
        to += &format!(";tag={tag}");
    }
    headers.push(("From", request.header("from").to_owned()));
    headers.push(("To", to));
    headers.push(("Call-ID", request.call_id().to_owned()));
    headers.push(("CSeq", request.header("cseq").to_owned()));
    headers.extend(more.iter().cloned());
    written(&format!("SIP/2.0 {status} {}", phrase(status)), &headers, body)
}

fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        603 => "Decline",
        _ => "Refused",
    }
}
