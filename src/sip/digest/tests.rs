use std::time::Duration;

use super::*;

const URI: &str = "sip:example.org";
const BOTH: &[Algorithm] = &[Algorithm::Sha256, Algorithm::Md5];

fn account() -> Account {
    Account {
        ha1_md5: ha1(Algorithm::Md5, "lea", "example.org", "écoute"),
        ha1_sha256: ha1(Algorithm::Sha256, "lea", "example.org", "écoute"),
        algorithms: None,
        phones_max: 3,
    }
}

fn authenticator() -> Authenticator {
    Authenticator::new("example.org", Mint::from_number(3))
}

fn answer(challenge: &Challenge, password: &str, count: u32) -> Credentials {
    let secret = Secret::Password(password);
    Credentials::answer(challenge, "lea", secret, &Method::Register, URI, count, "0a4f113b")
}

fn verdict(house: &mut Authenticator, credentials: &Credentials, seconds: u64) -> Verdict {
    let now = Moment::START + Duration::from_secs(seconds);
    let written = Credentials::read(&credentials.to_string()).unwrap();
    house.verify(&written, &Method::Register, URI, Some(&account()), BOTH, now)
}

#[test]
fn the_right_password_is_proved_with_either_algorithm() {
    let mut house = authenticator();

    for (at, challenge) in house.challenge(BOTH, false, Moment::START).iter().enumerate() {
        let credentials = answer(challenge, "écoute", at as u32 + 1);
        assert_eq!(verdict(&mut house, &credentials, 1), Verdict::Proved);
    }
}

#[test]
fn a_wrong_password_or_an_unknown_user_is_refused() {
    let mut house = authenticator();
    let challenge = house.challenge(BOTH, false, Moment::START).remove(0);

    assert_eq!(verdict(&mut house, &answer(&challenge, "ecoute", 1), 1), Verdict::Refused);
    let right = answer(&challenge, "écoute", 1);
    let unknown = house.verify(&right, &Method::Register, URI, None, BOTH, Moment::START);
    assert_eq!(unknown, Verdict::Refused);
}

#[test]
fn an_answer_heard_on_the_way_is_worth_nothing_a_second_time() {
    let mut house = authenticator();
    let challenge = house.challenge(BOTH, false, Moment::START).remove(0);
    let heard = answer(&challenge, "écoute", 1);

    assert_eq!(verdict(&mut house, &heard, 1), Verdict::Proved);
    assert_eq!(verdict(&mut house, &heard, 1), Verdict::Stale);
    assert_eq!(verdict(&mut house, &answer(&challenge, "écoute", 2), 1), Verdict::Proved);
}

/// RFC 2617 §3.2.2: phones that know nothing of `qop`.
#[test]
fn a_phone_that_does_not_count_gets_in_once_for_each_nonce() {
    let mut house = authenticator();
    let mut challenge = house.challenge(BOTH, false, Moment::START).remove(1);
    challenge.qop_auth = false;
    let uncounted = answer(&challenge, "écoute", 1);
    assert_eq!(uncounted.qop, None);

    assert_eq!(verdict(&mut house, &answer(&challenge, "ecoute", 1), 1), Verdict::Refused);
    assert_eq!(verdict(&mut house, &uncounted, 1), Verdict::Proved);
    assert_eq!(verdict(&mut house, &uncounted, 1), Verdict::Stale);
}

#[test]
fn an_old_nonce_is_stale_and_one_from_before_a_restart_too() {
    let mut house = authenticator();
    let challenge = house.challenge(BOTH, false, Moment::START).remove(0);
    let credentials = answer(&challenge, "écoute", 1);

    assert_eq!(verdict(&mut house, &credentials, 301), Verdict::Stale);
    let mut restarted = Authenticator::new("example.org", Mint::from_number(4));
    assert_eq!(verdict(&mut restarted, &credentials, 1), Verdict::Stale);
}

#[test]
fn credentials_made_for_something_else_are_refused() {
    let mut house = authenticator();
    let challenge = house.challenge(BOTH, false, Moment::START).remove(0);
    let right = answer(&challenge, "écoute", 1);
    let other_place = Credentials::answer(
        &challenge,
        "lea",
        Secret::Password("écoute"),
        &Method::Register,
        "sip:elsewhere.org",
        1,
        "0a4f113b",
    );

    assert_eq!(verdict(&mut house, &other_place, 1), Verdict::Refused);
    let now = Moment::START;
    let account = account();
    let invite = house.verify(&right, &Method::Invite, URI, Some(&account), BOTH, now);
    assert_eq!(invite, Verdict::Refused);
    let weak = house.verify(&right, &Method::Register, URI, Some(&account), &[Algorithm::Md5], now);
    assert_eq!(weak, Verdict::Refused);
    for broken in [
        Credentials { qop: None, ..right.clone() },
        Credentials { qop: Some("auth-int".to_owned()), ..right.clone() },
        Credentials { nc: None, ..right.clone() },
        Credentials { nc: Some("00000000".to_owned()), ..right.clone() },
        Credentials { cnonce: None, ..right.clone() },
        Credentials { realm: "other".to_owned(), ..right.clone() },
        Credentials { response: String::new(), ..right.clone() },
    ] {
        assert_eq!(verdict(&mut house, &broken, 1), Verdict::Refused, "{broken}");
    }
}

#[test]
fn an_account_without_a_digest_is_never_proved() {
    let mut house = authenticator();
    let challenge = house.challenge(BOTH, false, Moment::START).remove(0);
    let secret = Secret::Ha1("");
    let credentials =
        Credentials::answer(&challenge, "lea", secret, &Method::Register, URI, 1, "0a4f113b");
    let empty = Account { ha1_sha256: String::new(), ..account() };

    let verdict =
        house.verify(&credentials, &Method::Register, URI, Some(&empty), BOTH, Moment::START);

    assert_eq!(verdict, Verdict::Refused);
}

#[test]
fn port_and_parameters_may_differ_between_credentials_and_request() {
    assert!(is_for("sip:lea@example.org", "sip:lea@EXAMPLE.org:5060;transport=ws"));
    assert!(is_for("tel:+33-1", "tel:+331"));
    assert!(!is_for("sip:lea@example.org", "sip:marc@example.org"));
    assert!(!is_for("sip:example.org", "sip:marc@example.org"));
    assert!(!is_for("", "sip:example.org"));
}

#[test]
fn the_example_of_rfc_7616_comes_out_right() {
    for (token, expected) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = Challenge::read(&format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={token}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
        ))
        .unwrap();
        let credentials = Credentials::answer(
            &challenge,
            "Mufasa",
            Secret::Password("Circle of Life"),
            &Method::Extension("GET".to_owned()),
            "/dir/index.html",
            1,
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        );

        assert_eq!(credentials.response, expected);
    }
}

#[test]
fn quotes_too_many_or_too_few_are_read_and_escapes_undone() {
    let credentials = Credentials::read(
        "DIGEST username=\"l\\\"ea\" , realm=r,nonce = \"n\", uri=\"sip:a,b\", response=\"AB\",\
         algorithm=\"SHA-256\", qop=\"auth\", nc=\"00000001\", cnonce=c",
    )
    .unwrap();

    assert_eq!(credentials.username, "l\"ea");
    assert_eq!(credentials.uri, "sip:a,b");
    assert_eq!(credentials.response, "ab");
    assert_eq!(credentials.algorithm, Some(Algorithm::Sha256));
    assert_eq!(credentials.qop.as_deref(), Some("auth"));
    for text in ["Digest", "Basic QWxh", "Digest realm=\"r", "Digest a=1, a=2", "Digest a", ""] {
        assert!(Credentials::read(text).is_none(), "{text}");
    }
}

#[test]
fn a_snapshot_remembers_what_was_used() {
    let mut house = authenticator();
    let challenge = house.challenge(BOTH, false, Moment::START).remove(0);
    let heard = answer(&challenge, "écoute", 1);
    assert_eq!(verdict(&mut house, &heard, 1), Verdict::Proved);

    let text = serde_json::to_string(&house).unwrap();
    let mut restored: Authenticator = serde_json::from_str(&text).unwrap();

    assert_eq!(verdict(&mut restored, &heard, 1), Verdict::Stale);
}
