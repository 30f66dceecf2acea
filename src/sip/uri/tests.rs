use super::*;

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

#[test]
fn a_uri_that_was_read_is_written_as_it_came() {
    for text in [
        "sip:alice@example.org",
        "sips:alice@example.org:5061;transport=tcp;lr?subject=a%20b&priority=urgent",
        "sip:[2001:db8::10]:5070",
        "sip:user;par=u%40example.net@example.com",
        "sip:+33800000000;npdi@192.0.2.1;user=phone",
        "tel:+33-1-23.45(67);phone-context=example.org",
        "urn:service:sos",
        "nobodyKnowsThisScheme:totallyopaquecontent",
    ] {
        assert_eq!(uri(text).to_string(), text);
    }
}

#[test]
fn a_password_is_dropped() {
    assert_eq!(uri("sip:alice:secret@example.org").to_string(), "sip:alice@example.org");
}

#[test]
fn what_was_dialled_is_decoded_and_without_parameters() {
    for (text, dialled) in [
        ("sip:3977@example.org", "3977"),
        ("sip:+33800000000;npdi;cpc=ordinary@example.org;user=phone", "+33800000000"),
        ("sip:%2B333133@example.org", "+333133"),
        ("tel:+33800000000", "+33800000000"),
        ("sip:example.org", ""),
        ("urn:service:sos", ""),
    ] {
        assert_eq!(uri(text).dialled(), dialled, "{text}");
    }
}

#[test]
fn text_that_is_no_uri_is_refused() {
    for text in [
        "",
        "sip:",
        "sip",
        ":a",
        "1x:a",
        "sip:@host",
        "sip:a@",
        "sip:a@h:0",
        "sip:a@h:99999",
        "sip:a@h:x",
        "sip:a@[::g]",
        "sip:a@[2001:db8::1",
        "sip:a@2001:db8::1",
        "sip:a b@h",
        "sip:a@h;",
        "sip:a@h;;lr",
        "sip:a@h;?x=y",
        "sip:a@h;=x",
        "sip:a%4@h",
        "sip:a%zz@h",
        "sip:a@b@c",
        "sip:<a@h",
        "tel:",
        "tel:abcxyz",
        "tel:33+1",
        "urn:a b",
        "sip:a@-h",
        "sip:a@h..i",
        "sip:a@h?",
    ] {
        assert_eq!(text.parse::<Uri>(), Err(NotAUri), "{text}");
        assert!(!is_readable(text), "{text}");
    }
}

/// RFC 5954 §3.
#[test]
fn ipv6_with_the_three_colons_of_the_old_grammar_is_read() {
    let Uri::Sip(read) = uri("sip:user@[2001:db8:::192.0.2.1]") else { unreachable!() };

    assert_eq!(read.host, "[2001:db8::192.0.2.1]".parse().unwrap());
}

#[test]
fn comparison_follows_the_examples_of_the_rfc() {
    for (one, two) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+33-1-23", "tel:+3312(3)"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
    ] {
        assert!(uri(one).matches(&uri(two)) && uri(two).matches(&uri(one)), "{one} {two}");
    }
    for (one, two) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "tel:+1"),
    ] {
        assert!(!uri(one).matches(&uri(two)) && !uri(two).matches(&uri(one)), "{one} {two}");
    }
}

#[test]
fn what_we_write_ourselves_is_encoded() {
    let uri = SipUri::new(Some("a b@c;d"), Host::Name("h".to_owned()), Some(5070))
        .with_param("x", Some("1;2"));

    assert_eq!(uri.to_string(), "sip:a%20b%40c%3Bd@h:5070;x=1%3B2");
    assert_eq!(uri.user().unwrap(), "a b@c;d");
}

#[test]
fn an_address_of_record_forgets_port_parameters_and_case_of_the_host() {
    let address =
        AddressOfRecord::of(&uri("sips:L%C3%A9a@Example.ORG:5061;transport=tcp")).unwrap();

    assert_eq!(address, AddressOfRecord { user: "Léa".to_owned(), host: "example.org".to_owned() });
    assert_eq!(address.to_string(), "sip:L%C3%A9a@example.org");
}

#[test]
fn a_uri_stands_in_a_snapshot_as_text() {
    let uri = uri("sip:alice@example.org;lr");
    let text = serde_json::to_string(&uri).unwrap();

    assert_eq!(text, "\"sip:alice@example.org;lr\"");
    assert_eq!(serde_json::from_str::<Uri>(&text).unwrap(), uri);
}

#[test]
fn a_uri_that_says_something_twice_still_equals_itself() {
    for text in ["sip:a@h;x=1;x=2", "sip:h;transport=udp;transport=tcp", "tel:+33;a=1;a=2"] {
        assert!(uri(text).matches(&uri(text)), "{text}");
    }
    assert!(!uri("sip:a@h;x=1;x=2").matches(&uri("sip:a@h;x=1")));
}
