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
    ("RFC 4411, preemption", "Reason: preemption;cause=1;text=\"UA Preemption\"\r\n"),
    ("RFC 5079, anonymity", "Privacy: id\r\n"),
    ("RFC 7463, shared appearances", "Alert-Info: <urn:alert:service:normal>;appearance=1\r\n"),
    (
        "RFC 8443 and RFC 9027, assertions of priority",
        "Resource-Priority: esnet.1\r\nIdentity: eyJ.e30.sig;info=<https://x.example>;ppt=rph\r\n",
    ),
    ("RFC 8496, who is charged", "P-Charge-Info: <sip:+33199003133@operator.example>;npi=ISDN\r\n"),
    ("RFC 7245, RFC 7865 and RFC 7866, recording", "Supported: siprec, record-aware\r\n"),
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

/// RFC 6341, RFC 7245, RFC 7865, RFC 7866: nobody records here, and nobody is recorded for.
#[test]
fn a_recorder_is_told_that_we_do_not_do_it() {
    let mut house = House::new();
    let more = "Require: siprec\r\nContact: <sip:rec@192.0.2.9>;+sip.src\r\n";
    let uri = "sip:3977@203.0.113.1";
    house.hears(trunk(), &request("INVITE", "z9hG4bKone", uri, "", 1, more, OFFER));

    let refusal = house.take_sent().pop().unwrap();
    assert!(refusal.starts_with("SIP/2.0 420 "), "{refusal}");
    assert_eq!(header(&refusal, "Unsupported"), Some("siprec"));
}

/// RFC 4240, RFC 5552 (no media of anybody's URL), RFC 6116 (no ENUM): what is dialled is looked up in our
/// own book alone. RFC 5031, RFC 6881: this is not where emergencies are dialled, and none is passed on.
#[test]
fn what_is_dialled_makes_us_ask_and_fetch_nothing() {
    for uri in [
        "sip:annc@203.0.113.1;play=http://198.51.100.66/x.wav",
        "sip:dialog@203.0.113.1;voicexml=http://198.51.100.66/x.vxml",
        "sip:+33199000000@203.0.113.1;user=phone",
        "urn:service:sos",
    ] {
        let mut house = House::new();
        house.hears(trunk(), &request("INVITE", "z9hG4bKone", uri, "", 1, "", OFFER));

        assert!(house.asked.is_empty(), "{uri}");
        let events = house.take_events();
        if let Some(Event::Invited { dialog, dialled, .. }) = events.first() {
            let (dialog, number) = (*dialog, dialled.number.clone());
            assert!(number.is_none_or(|number| number.as_str() == "+33199000000"), "{uri}");
            house.does(|endpoint, now| endpoint.refuse(dialog, Refusal::NotFound, now));
        }
        let sent = house.take_sent();
        assert!(sent.iter().all(|sent| sent.starts_with("SIP/2.0 ")), "{uri}: {sent:?}");
        let last = sent.last().unwrap();
        assert!(["404", "416"].contains(&&last[8..11]), "{uri}: {last}");
    }
}

/// RFC 8197 (607) and RFC 8688 (608): never said by us, and from a phone a plain no.
#[test]
fn unwanted_and_rejected_are_a_plain_no() {
    for status in [607, 608] {
        let mut house = House::new();
        let phone = house.registers(desk());
        let (dialog, invite) = house.rings(phone);
        let call_info = "Call-Info: <https://192.0.2.9/jcard>;purpose=jwscard\r\n";
        house.hears(desk(), &answer(&invite, status, "phone", call_info, ""));

        let why = Failure::Refused(status);
        assert_eq!(house.take_events(), [Event::Failed { dialog, why, cause: None }]);
    }
}

/// RFC 5009 §8, RFC 3960 §2: who asks is told that what comes before the answer is to be heard.
#[test]
fn sound_before_the_answer_is_announced_to_who_asks() {
    for (asks, told) in [("P-Early-Media: supported\r\n", Some("sendrecv")), ("", None)] {
        let mut house = House::new();
        let uri = "sip:3977@203.0.113.1";
        let dialog = house.is_invited(&request("INVITE", "z9hG4bKone", uri, "", 1, asks, OFFER));
        house.take_sent();
        house.does(|endpoint, now| endpoint.progress(dialog, ANSWER.into(), now));

        let progress = house.take_sent().pop().unwrap();
        assert!(progress.starts_with("SIP/2.0 183"), "{progress}");
        assert_eq!(header(&progress, "P-Early-Media"), told);
    }
}
