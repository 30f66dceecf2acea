//! A lamp beside a colleague's name: a subscription (RFC 6665) to their dialogs (RFC 4235) or their
//! presence (RFC 3863), and what its NOTIFYs say.

use super::asking::{Asked, Purpose};
use super::letter::{Letter, parameter, written};
use super::{Phone, Seen};
use crate::base::Moment;

/// How a lamp is lit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Light {
    /// Nothing was said yet, or the subscription is over.
    Dark,
    Free,
    Rung,
    Busy,
}

/// One lamp.
#[derive(Debug)]
pub(super) struct Lamp {
    id: String,
    tag: String,
    whom: String,
    package: &'static str,
    remote: String,
    cseq: u32,
    seconds: u32,
    light: Light,
    /// RFC 4235 §4.1.1: of the document shown.
    version: Option<u64>,
}

impl Phone {
    /// Begins to watch a colleague.
    pub fn watches(&mut self, whom: &str, package: &'static str, now: Moment) {
        let lamp = Lamp {
            id: self.mint.token(),
            tag: self.mint.token(),
            whom: whom.to_owned(),
            package,
            remote: format!("<sip:{whom}@{}>", self.flow.local.ip()),
            cseq: 0,
            seconds: 3_600,
            light: Light::Dark,
            version: None,
        };
        self.lamps.push(lamp);
        self.subscribe(self.lamps.len() - 1, None, now);
    }

    /// Watches nobody any more.
    pub fn watches_nobody(&mut self, now: Moment) {
        for at in 0..self.lamps.len() {
            self.lamps[at].seconds = 0;
            self.subscribe(at, None, now);
        }
    }

    /// How the lamp for a colleague is lit.
    pub fn lamp(&self, whom: &str, package: &str) -> Option<Light> {
        let lamp = self.lamps.iter().find(|lamp| lamp.whom == whom && lamp.package == package);
        lamp.map(|lamp| lamp.light)
    }

    fn subscribe(&mut self, at: usize, credentials: Option<(&str, String)>, now: Moment) {
        let Some(account) = &self.credentials else { return };
        let from = format!("<sip:{}@{}>", account.user, self.flow.local.ip());
        let (branch, contact) = (self.branch(), self.contact());
        let (again, house) = (credentials.is_some(), self.flow.local);
        let lamp = &mut self.lamps[at];
        lamp.cseq += 1;
        let mut headers = vec![
            ("Max-Forwards", "70".to_owned()),
            ("From", format!("{from};tag={}", lamp.tag)),
            ("To", lamp.remote.clone()),
            ("Call-ID", lamp.id.clone()),
            ("CSeq", format!("{} SUBSCRIBE", lamp.cseq)),
            ("Contact", format!("<{contact}>")),
            ("Event", lamp.package.to_owned()),
            ("Expires", lamp.seconds.to_string()),
        ];
        headers.extend(credentials);
        let (start, call) =
            (format!("SUBSCRIBE sip:{}@{house} SIP/2.0", lamp.whom), lamp.id.clone());
        headers.insert(0, ("Via", self.via(&branch)));
        let text = written(&start, &headers, "");
        self.send(&text);
        let reliable = self.flow.transport.is_reliable();
        let purpose = Purpose::Subscribe { again };
        self.asked.push(Asked::new(branch, "SUBSCRIBE", call, purpose, text, reliable, now));
    }

    pub(super) fn subscribed(&mut self, letter: &Letter, again: bool, now: Moment) {
        let Some(at) = self.lamps.iter().position(|lamp| lamp.id == letter.call_id()) else {
            return;
        };
        match letter.status {
            200..=299 => letter.header("to").clone_into(&mut self.lamps[at].remote),
            401 | 407 if !again => {
                let uri = format!("sip:{}@{}", self.lamps[at].whom, self.flow.local);
                if let Some(credentials) = self.met(letter, "SUBSCRIBE", &uri) {
                    self.subscribe(at, Some(credentials), now);
                }
            }
            status => self.saw(Seen::Replied { method: "SUBSCRIBE".to_owned(), status }, now),
        }
    }

    /// News about a colleague; false if no lamp of ours asked for it.
    pub(super) fn lit(&mut self, notify: &Letter) -> bool {
        let Some(lamp) = self.lamps.iter_mut().find(|lamp| lamp.id == notify.call_id()) else {
            return false;
        };
        if parameter(&lamp.remote, "tag").is_empty() {
            // It may overtake the answer to the SUBSCRIBE.
            notify.header("from").clone_into(&mut lamp.remote);
        }
        if notify.header("subscription-state").starts_with("terminated") {
            lamp.light = Light::Dark;
            return true;
        }
        let version = notify.body.split("version=\"").nth(2).unwrap_or_default();
        let version = version.split('"').next().and_then(|version| version.parse().ok());
        if version.is_some() && version < lamp.version {
            return true;
        }
        lamp.version = version;
        let says = |text| notify.body.contains(text);
        lamp.light = match lamp.package {
            "presence" if says("<basic>open</basic>") => Light::Free,
            "presence" => Light::Busy,
            _ if says("<state>confirmed</state>") => Light::Busy,
            _ if says("<state>early</state>") => Light::Rung,
            _ => Light::Free,
        };
        true
    }
}
