//! RFCs that are decided against (domain.md §3.1, level X): whoever uses them is served without them.

use super::*;

/// What an INVITE may carry of them, each without effect: the call is a call.
const IGNORED: &[(&str, &str)] = &[
    ("RFC 3329, security agreement", "Security-Client: tls;q=0.1\r\nSupported: sec-agree\r\n"),
    ("RFC 3486, SigComp", "Supported: sigcomp\r\n"),
    ("RFC 3841, caller preferences", "Accept-Contact: *;text;require;explicit\r\n"),
    ("RFC 3893, authenticated identity", "Supported: aib\r\n"),
    ("RFC 3911, join", "Join: 12345;from-tag=a;to-tag=b\r\n"),
    ("RFC 3959, early session", "Supported: early-session\r\n"),
    ("RFC 4092, ANAT", "Supported: sdp-anat\r\n"),
    ("RFC 5360, consent", "Trigger-Consent: sip:a@192.0.2.9;target-uri=\"sip:b@192.0.2.9\"\r\n"),
    ("RFC 5365 to RFC 5368, lists", "Supported: recipient-list-invite, multiple-refer\r\n"),
    ("RFC 5373, answering modes", "Priv-Answer-Mode: Auto;require\r\nAnswer-Mode: Auto\r\n"),
    ("RFC 5393, breadth", "Max-Breadth: 0\r\n"),
    ("RFC 6878, priority", "Priority: emergency\r\n"),
    ("RFC 6809, capabilities of proxies", "Feature-Caps: *;+g.3gpp.srvcc\r\n"),
    ("RFC 8123 and RFC 8497, log-me", "Session-ID: ab30317f1a784dc48ff824d0d3715d86;logme\r\n"),
    ("RFC 3312 and RFC 4032, preconditions", "Supported: precondition\r\n"),
];

#[test]
fn a_call_with_things_we_do_not_do_is_a_call() {
    for (what, more) in IGNORED {
        let mut house = House::new();
        let uri = "sip:3977@203.0.113.1";
        let dialog = house.is_invited(&request("INVITE", "z9hG4bKone", uri, "", 1, more, OFFER));
        house.does(|endpoint, now| endpoint.accept(dialog, ANSWER.into(), now));
        let ok = house.take_sent().pop().unwrap();
        assert!(ok.starts_with("SIP/2.0 200"), "{what}: {ok}");
        house.hears(trunk(), &ack(&ok, 1));
        assert_eq!(house.take_events(), [Event::Confirmed { dialog, answer: None }], "{what}");
    }
}

/// RFC 3486 (`comp`), RFC 8055 (`received-realm`), RFC 7355 (a WebSocket's road in a log), RFC 4168 (SCTP):
/// unknown words in a Via or a URI change nothing.
#[test]
fn unknown_parameters_of_the_road_change_nothing() {
    for (from, to) in [
        (";rport\r\n", ";rport;comp=sigcomp;sigcomp-id=\"urn:uuid:0\"\r\n"),
        (";rport\r\n", ";rport;received-realm=\"example.fr\";realm-token=x\r\n"),
        ("INVITE sip:3977@203.0.113.1 ", "INVITE sip:3977@203.0.113.1;comp=sigcomp "),
        ("INVITE sip:3977@203.0.113.1 ", "INVITE sip:3977@203.0.113.1;transport=sctp "),
    ] {
        let mut house = House::new();
        let text = invite("z9hG4bKone").replace(from, to);
        assert!(text.contains(to));
        house.is_invited(&text);
        assert_eq!(house.lines(), ["SIP/2.0 100 Trying"]);
    }
}

/// RFC 3428 and RFC 5365: nobody writes to the line. RFC 3903: nobody publishes for us.
#[test]
fn texts_and_publications_from_outside_are_405() {
    let mut house = House::new();
    for method in ["MESSAGE", "PUBLISH"] {
        let text =
            request(method, &format!("z9hG4bK{method}"), "sip:3977@203.0.113.1", "", 1, "", "");
        house.hears(trunk(), &text);
        let refusal = house.take_sent().pop().unwrap();
        assert!(refusal.starts_with("SIP/2.0 405 Method Not Allowed"), "{refusal}");
        assert!(!header(&refusal, "Allow").unwrap().contains(method));
    }
}

/// RFC 3420 beside RFC 3893, RFC 3959, RFC 5363: bodies of theirs are optional, or they are 415.
#[test]
fn bodies_of_other_worlds_are_passed_over_or_415() {
    for (kind, disposition, status) in [
        ("message/sipfrag", "aib;handling=optional", "100"),
        ("application/sdp2", "early-session;handling=optional", "100"),
        ("application/resource-lists+xml", "recipient-list;handling=optional", "100"),
        ("application/resource-lists+xml", "recipient-list", "415"),
        ("application/cpl-sigcomp", "render", "415"),
    ] {
        let mut house = House::new();
        let more = format!("Content-Disposition: {disposition}\r\n");
        let uri = "sip:3977@203.0.113.1";
        let text = request("INVITE", "z9hG4bKone", uri, "", 1, &more, "whatever")
            .replace("application/sdp", kind);
        house.hears(trunk(), &text);
        let sent = house.take_sent().pop().unwrap();
        assert!(sent.starts_with(&format!("SIP/2.0 {status}")), "{kind} {disposition}: {sent}");
    }
}

/// RFC 3578: a number that is not ours, however short, is unknown and never incomplete.
#[test]
fn overlap_dialling_is_never_asked_for() {
    for digits in ["3", "39", "397"] {
        let mut house = House::new();
        let uri = format!("sip:{digits}@203.0.113.1");
        let dialog = house.is_invited(&request("INVITE", "z9hG4bKone", &uri, "", 1, "", OFFER));
        house.lines();
        house.does(|endpoint, now| endpoint.refuse(dialog, Refusal::NotFound, now));
        assert_eq!(house.lines(), ["SIP/2.0 404 Not Found"]);
    }
}
