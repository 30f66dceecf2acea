//! The endpoint against scripted peers: a trunk that sends callers, and listeners' phones.

mod answering;
mod beside;
mod door;
mod inviting;
mod load;
mod outbound;
mod races;
mod refreshing;
mod reliably;
mod survived;
mod transferring;
mod trunks;
mod watching;
mod widening;
mod within;

use std::time::Duration;

use crate::base::{Mint, Moment, Now};
use crate::sip::digest::{Secret, ha1};
use crate::sip::headers::Credentials;
use crate::sip::message::{Message, Method};
use crate::sip::{Algorithm, Door, Transport, locate, wire};

use super::*;

pub(super) const OFFER: &str = "v=0\r\ns=offer\r\n";
/// Not what was agreed before.
pub(super) const NEW_OFFER: &str = "v=0\r\ns=new\r\n";
pub(super) const ANSWER: &str = "v=0\r\ns=answer\r\n";

/// An endpoint with everything it wanted to say.
pub(super) struct House {
    pub(super) endpoint: Endpoint,
    pub(super) now: Now,
    pub(super) sent: Vec<(Flow, String)>,
    pub(super) events: Vec<Event>,
    pub(super) closed: Vec<Flow>,
    pub(super) asked: Vec<locate::Question>,
}

impl House {
    pub(super) fn new() -> Self {
        Self::with(setup())
    }

    pub(super) fn with(setup: Setup) -> Self {
        Self {
            endpoint: Endpoint::new(setup, Mint::from_number(1)),
            now: Now { steady: Moment::START, wall: "2026-11-21T10:00:00Z".parse().unwrap() },
            sent: Vec::new(),
            events: Vec::new(),
            closed: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// A message arrives; what follows is collected.
    pub(super) fn hears(&mut self, flow: Flow, text: &str) {
        self.endpoint.received(flow, text.as_bytes(), self.now);
        self.collect();
    }

    pub(super) fn does(&mut self, act: impl FnOnce(&mut Endpoint, Now)) {
        act(&mut self.endpoint, self.now);
        self.collect();
    }

    /// Time passes, timer by timer. Also proves that a snapshot restores.
    pub(super) fn passes(&mut self, duration: Duration) {
        let until = self.now.steady + duration;
        while let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.plus(due - self.now.steady);
            self.endpoint.handle_timeout(self.now);
            self.collect();
        }
        self.now = self.now.plus(until - self.now.steady);
        let snapshot = serde_json::to_string(&self.endpoint).unwrap();
        self.endpoint = serde_json::from_str(&snapshot).unwrap();
    }

    fn collect(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send(transmit) => {
                    let bytes = transmit.bytes.clone();
                    assert!(wire::parse_datagram(&bytes).is_ok(), "unreadable: {bytes:?}");
                    let text = String::from_utf8(transmit.bytes.to_vec()).unwrap();
                    self.sent.push((transmit.flow, text));
                }
                Output::Close(flow) => self.closed.push(flow),
                Output::LookUp(question) => self.asked.push(question),
                Output::Expect { .. } => {}
                Output::Tell(event) => self.events.push(event),
            }
        }
        let debug = format!("{:?}", self.endpoint);
        assert!(!debug.contains("612345678"), "a caller's number is printed: {debug}");
    }

    /// What was sent since the last time, only first lines.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let sent = std::mem::take(&mut self.sent);
        sent.iter().map(|(_, text)| text.lines().next().unwrap_or_default().to_owned()).collect()
    }

    pub(super) fn take_sent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.sent).into_iter().map(|(_, text)| text).collect()
    }

    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// After the last call and the last timer nothing is left.
    pub(super) fn is_empty_in_the_end(&mut self) {
        self.passes(Duration::from_secs(100));
        if self.endpoint.phones(&lea()).iter().any(|phone| !phone.reachable) {
            // A lost phone is looked for until its registration is over.
            self.passes(Duration::from_secs(700));
        }
        let load = self.endpoint.load();
        assert_eq!((load.dialogs, load.transactions), (0, 0));
        assert!(self.endpoint.timers.is_empty(), "{:?}", self.endpoint.timers);
        assert!(self.endpoint.purposes.is_empty());
        assert!(self.endpoint.index.is_empty());
        assert!(self.endpoint.merging.is_empty());
        assert!(self.endpoint.invites.is_empty());
    }

    /// A caller's INVITE was let in; returns its dialog.
    pub(super) fn is_invited(&mut self, invite: &str) -> DialogRef {
        self.hears(trunk(), invite);
        let events = self.take_events();
        let [Event::Invited { dialog, .. }] = events.as_slice() else {
            panic!("not invited: {events:?} {:?}", self.sent);
        };
        *dialog
    }

    /// A caller's dialog up to the ACK; returns it and our 200.
    pub(super) fn is_talking(&mut self) -> (DialogRef, String) {
        let dialog = self.is_invited(&invite("z9hG4bKone"));
        self.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
        let ok = self.take_sent().pop().unwrap();
        self.hears(trunk(), &ack(&ok, 1));
        assert_eq!(self.take_events(), [Event::Confirmed { dialog, answer: None }]);
        (dialog, ok)
    }

    /// Léa's phone registers over `flow`.
    pub(super) fn registers(&mut self, flow: Flow) -> PhoneRef {
        self.registers_with(flow, "<sip:lea@198.51.100.7:5060>", 600);
        self.endpoint.phones(&lea()).last().expect("registered").phone
    }

    pub(super) fn registers_with(&mut self, flow: Flow, contact: &str, expires: u32) {
        let call_id = format!("reg{}", self.now.steady);
        self.hears(flow, &register(&call_id, 1, contact, expires, ""));
        let challenge = self.take_sent().pop().expect("a challenge");
        let authorization = authorization(&challenge, "lea", "secret", Method::Register, REGISTRAR);
        self.hears(flow, &register(&call_id, 2, contact, expires, &authorization));
        let ok = self.take_sent().pop().expect("an answer");
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        self.take_events();
    }

    /// Léa's phone is rung; returns the dialog and our INVITE.
    pub(super) fn rings(&mut self, phone: PhoneRef) -> (DialogRef, String) {
        let mut dialog = None;
        self.does(|endpoint, now| dialog = Some(endpoint.invite(invitation(phone), now)));
        (dialog.unwrap(), self.take_sent().pop().expect("an INVITE"))
    }
}

pub(super) const REGISTRAR: &str = "sip:hotline.example";

pub(super) fn setup() -> Setup {
    let account = |name: &str| Account {
        ha1_md5: ha1(Algorithm::Md5, name, "hotline.example", "secret"),
        ha1_sha256: ha1(Algorithm::Sha256, name, "hotline.example", "secret"),
        algorithms: None,
        phones_max: 3,
    };
    Setup {
        doors: [Transport::Udp, Transport::Tcp]
            .map(|transport| Door {
                transport,
                local: "203.0.113.1:5060".parse().unwrap(),
                advertised: "203.0.113.1".parse().unwrap(),
                algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            })
            .to_vec(),
        realm: "hotline.example".into(),
        trunks: vec![TrunkAccess::delivering(
            "operator".parse().unwrap(),
            vec!["192.0.2.0/24".parse().unwrap()],
        )],
        accounts: ["lea", "max"].map(|name| (name.parse().unwrap(), account(name))).into(),
        numbers: ["3977", "3133"].map(|number| number.parse().unwrap()).into(),
        callable: Default::default(),
        reserved: ["*10".to_owned()].into(),
        expiry_min: Duration::from_secs(60),
        expiry_max: Duration::from_secs(3600),
        expiry_default: Duration::from_secs(600),
        dialogs_max: 100,
        ..Setup::default()
    }
}

pub(super) fn lea() -> ListenerName {
    "lea".parse().unwrap()
}

pub(super) fn invitation(phone: PhoneRef) -> Invitation {
    Invitation {
        target: Target::Phone(phone),
        from_user: "3977".into(),
        from_display: "3977, 2 min".into(),
        offer: OFFER.into(),
        alert_info: Some("<urn:alert:priority:high>".into()),
    }
}

pub(super) fn flow(transport: Transport, peer: &str) -> Flow {
    Flow {
        transport,
        local: "203.0.113.1:5060".parse().unwrap(),
        peer: peer.parse().unwrap(),
        connection: u64::from(transport.is_reliable()),
    }
}

/// The trunk's machine.
pub(super) fn trunk() -> Flow {
    flow(Transport::Udp, "192.0.2.1:5060")
}

/// Léa's phone, on UDP.
pub(super) fn desk() -> Flow {
    flow(Transport::Udp, "198.51.100.7:5060")
}

/// Léa's phone, on TCP.
pub(super) fn wire_to_desk() -> Flow {
    flow(Transport::Tcp, "198.51.100.7:33000")
}

/// A caller's INVITE with an offer.
pub(super) fn invite(branch: &str) -> String {
    request("INVITE", branch, "sip:3977@203.0.113.1", "", 1, "", OFFER)
}

/// A request of the caller's. `to_tag` includes `;tag=`.
pub(super) fn request(
    method: &str,
    branch: &str,
    uri: &str,
    to_tag: &str,
    cseq: u32,
    more: &str,
    sdp: &str,
) -> String {
    let content = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch};rport\r\n\
         Max-Forwards: 70\r\n\
         From: \"Jeanne\" <sip:0612345678@192.0.2.1>;tag=caller\r\n\
         To: <sip:3977@203.0.113.1>{to_tag}\r\n\
         Call-ID: call-1\r\n\
         CSeq: {cseq} {method}\r\n\
         Contact: <sip:0612345678@192.0.2.1:5060>\r\n\
         {more}{content}Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

/// A request of the caller's inside the dialog `ok` made.
pub(super) fn inside(method: &str, branch: &str, ok: &str, cseq: u32, sdp: &str) -> String {
    let tag = format!(";tag={}", to_tag(ok));
    request(method, branch, "sip:hotline@203.0.113.1", &tag, cseq, "", sdp)
}

/// The ACK of a 200 to the caller's INVITE.
pub(super) fn ack(ok: &str, cseq: u32) -> String {
    inside("ACK", &format!("z9hG4bKack{cseq}"), ok, cseq, "")
}

/// The other side answers a request of ours.
pub(super) fn answer(request: &str, status: u16, tag: &str, more: &str, sdp: &str) -> String {
    let mut text = format!("SIP/2.0 {status} Whatever\r\n");
    for line in request.lines() {
        let name = line.split(':').next().unwrap_or_default();
        if matches!(name, "Via" | "From" | "Call-ID" | "CSeq") {
            text.push_str(&format!("{line}\r\n"));
        }
        if name == "To" {
            let tag = if line.contains(";tag=") { String::new() } else { format!(";tag={tag}") };
            text.push_str(&format!("{line}{tag}\r\n"));
        }
    }
    let content = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{text}{more}{content}Content-Length: {}\r\n\r\n{sdp}", sdp.len())
}

/// A phone's 200 to our INVITE.
pub(super) fn picks_up(invite: &str, tag: &str) -> String {
    answer(invite, 200, tag, "Contact: <sip:lea@198.51.100.7:5060>\r\n", ANSWER)
}

pub(super) fn register(
    call_id: &str,
    cseq: u32,
    contact: &str,
    expires: u32,
    authorization: &str,
) -> String {
    let contact =
        if contact.is_empty() { String::new() } else { format!("Contact: {contact}\r\n") };
    format!(
        "REGISTER {REGISTRAR} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK{call_id}{cseq};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:lea@hotline.example>;tag=phone\r\n\
         To: <sip:lea@hotline.example>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: {cseq} REGISTER\r\n\
         {contact}Expires: {expires}\r\n\
         User-Agent: Telephone 3000\r\n\
         {authorization}Content-Length: 0\r\n\r\n"
    )
}

/// The Authorization line that answers the first challenge in `text`.
pub(super) fn authorization(
    text: &str,
    user: &str,
    password: &str,
    method: Method,
    uri: &str,
) -> String {
    let Ok(Message::Response(response)) =
        wire::parse_datagram(&Bytes::copy_from_slice(text.as_bytes()))
    else {
        panic!("no response: {text}");
    };
    let challenge = response.challenges().next().expect("a challenge");
    let secret = Secret::Password(password);
    let credentials =
        Credentials::answer(&challenge, user, secret, &method, uri, 1, "client-nonce");
    format!("Authorization: {credentials}\r\n")
}

/// The value of a header in a message.
pub(super) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub(super) fn to_tag(text: &str) -> &str {
    header(text, "To").unwrap_or_default().split(";tag=").nth(1).unwrap_or_default()
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(super) fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}
