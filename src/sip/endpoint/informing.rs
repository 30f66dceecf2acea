//! INFO inside a dialog: keys pressed, as some phones and gateways tell them (RFC 6086 and what was
//! before it).
//!
//! `application/dtmf-relay` is what Cisco began and everybody copied: `Signal=5`, `Duration=160`;
//! `application/dtmf` is the key alone. Packages (RFC 6086) we have none.

use crate::base::Now;
use crate::sip::message::{HeaderName, Status};

use super::receiving::Arrival;
use super::{DialogRef, Endpoint, Event};

/// What an INFO may bring.
const ACCEPT: &str = "application/dtmf-relay, application/dtmf";
/// Nobody needs more to tell a key.
const BODY_MAX: usize = 256;

impl Endpoint {
    pub(super) fn info_received(&mut self, dialog: DialogRef, arrival: &Arrival, now: Now) {
        let request = arrival.request();
        if request.extension("Info-Package").is_some() {
            // §4.2.2: a package nobody here has; Recv-Info tells that there is none.
            let response =
                arrival.question.response(Status::BAD_INFO_PACKAGE).extension("Recv-Info", "");
            self.reply(arrival, response, now);
            return;
        }
        let body = request.body();
        if body.is_empty() {
            // A sign of life, as some gateways send it.
            self.reply_plain(arrival, Status::OK, now);
            return;
        }
        let is = |subtype| request.content_type().is_some_and(|it| it.is("application", subtype));
        let text = std::str::from_utf8(&body).ok().filter(|text| text.len() <= BODY_MAX);
        let key = match text {
            Some(text) if is("dtmf-relay") => Some(relayed(text)),
            Some(text) if is("dtmf") => Some(key(text)),
            Some(_) | None => None,
        };
        match key {
            None => {
                let response = arrival
                    .question
                    .response(Status::UNSUPPORTED_MEDIA_TYPE)
                    .header(HeaderName::Accept, ACCEPT);
                self.reply(arrival, response, now);
            }
            Some(None) => self.reply_plain(arrival, Status::BAD_REQUEST, now),
            Some(Some(digit)) => {
                self.reply_plain(arrival, Status::OK, now);
                self.report_of(dialog, Event::Pressed { dialog, digit });
            }
        }
    }
}

/// The key of `Signal=5` among other lines.
fn relayed(text: &str) -> Option<char> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then(|| key(value)).flatten()
    })
}

/// A key by its sign, or by its number among the events of RFC 4733.
fn key(text: &str) -> Option<char> {
    let text = text.trim();
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) => {
            let sign = sign.to_ascii_uppercase();
            matches!(sign, '0'..='9' | 'A'..='D' | '*' | '#').then_some(sign)
        }
        _ => match text {
            "10" => Some('*'),
            "11" => Some('#'),
            "12" => Some('A'),
            "13" => Some('B'),
            "14" => Some('C'),
            "15" => Some('D'),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_however_they_are_written() {
        for (text, digit) in [
            ("Signal=5\r\nDuration=160\r\n", Some('5')),
            ("Duration=160\nsignal = #\n", Some('#')),
            ("Signal=11", Some('#')),
            ("Signal= d", Some('D')),
            ("Signal=flash", None),
            ("Signal=", None),
            ("Duration=1", None),
            ("", None),
        ] {
            assert_eq!(relayed(text), digit, "{text}");
        }
        assert_eq!(key("7\r\n"), Some('7'));
        assert_eq!(key("77"), None);
    }
}
