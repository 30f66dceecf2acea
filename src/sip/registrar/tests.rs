use super::*;
use crate::sip::Transport;

const BOUNDS: Bounds = Bounds {
    expiry_min: Duration::from_secs(60),
    expiry_max: Duration::from_secs(3600),
    expiry_default: Duration::from_secs(600),
    phones_max: 2,
};

#[test]
fn expiry_is_bounded_below_by_423_and_above_by_us() {
    let mut book = Registrar::default();
    assert_eq!(put(&mut book, &[("sip:a@192.0.2.1", Some(59))], 1), Err(Refused::TooBrief));
    assert_eq!(put(&mut book, &[("sip:a@192.0.2.1", Some(9_999))], 2), Ok(()));
    assert_eq!(put(&mut book, &[("sip:b@192.0.2.1", None)], 3), Ok(()));

    let listed = book.listed(&lea(), Moment::START);
    let expiries: Vec<u64> = listed.iter().map(|one| one.expires.as_secs()).collect();
    assert_eq!(expiries, [3600, 600]);
}

#[test]
fn a_register_is_carried_out_whole_or_not_at_all() {
    let mut book = Registrar::default();

    let result = put(&mut book, &[("sip:a@192.0.2.1", Some(600)), ("sip:b@192.0.2.1", Some(1))], 1);

    assert_eq!(result, Err(Refused::TooBrief));
    assert_eq!(book.len(), 0);
}

#[test]
fn an_older_register_changes_nothing() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@192.0.2.1", Some(600))], 5).unwrap();

    assert_eq!(put(&mut book, &[("sip:a@192.0.2.1", Some(0))], 4), Err(Refused::OutOfOrder));
    assert_eq!(put(&mut book, &[("sip:a@192.0.2.1", Some(0))], 6), Ok(()));
    assert_eq!(book.len(), 0);
}

#[test]
fn the_same_uri_written_otherwise_is_the_same_phone() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@Example.org", Some(600))], 1).unwrap();
    let before = book.phones(&lea())[0].phone;

    put(&mut book, &[("SIP:%61@example.ORG", Some(600))], 2).unwrap();

    assert_eq!(book.phones(&lea()).len(), 1);
    assert_eq!(book.phones(&lea())[0].phone, before);
}

#[test]
fn one_phone_too_many_takes_the_place_of_the_oldest() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@192.0.2.1", None)], 1).unwrap();
    put(&mut book, &[("sip:b@192.0.2.1", None)], 2).unwrap();
    let oldest = book.phones(&lea())[0].phone;
    outputs(&mut book);

    put(&mut book, &[("sip:c@192.0.2.1", None)], 3).unwrap();

    let uris: Vec<String> =
        book.listed(&lea(), Moment::START).into_iter().map(|one| one.uri).collect();
    assert_eq!(uris, ["sip:b@192.0.2.1", "sip:c@192.0.2.1"]);
    assert_eq!(outputs(&mut book)[0], Output::Gone { phone: oldest, sibling: None });
}

#[test]
fn a_star_removes_everything() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@192.0.2.1", None), ("sip:b@192.0.2.1", None)], 1).unwrap();

    let registration = registration(Contacts::RemoveAll, 2);
    book.registered(&lea(), registration, BOUNDS, Moment::START).unwrap();

    assert!(book.phones(&lea()).is_empty());
    assert!(book.poll_timeout().is_none());
}

#[test]
fn a_refresh_that_changes_nothing_says_nothing() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@192.0.2.1", None)], 1).unwrap();
    assert_eq!(outputs(&mut book), [Output::Changed(lea())]);

    put(&mut book, &[("sip:a@192.0.2.1", None)], 2).unwrap();

    assert!(outputs(&mut book).is_empty());
}

#[test]
fn a_lost_phone_is_looked_for_ever_more_seldom_until_it_is_found() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@192.0.2.1", Some(3_600))], 1).unwrap();
    let phone = book.phones(&lea())[0].phone;
    book.lost(phone, Moment::START);
    outputs(&mut book);

    let mut asked = Vec::new();
    for second in 1..=120 {
        book.handle_timeout(Moment::START + Duration::from_secs(second));
        asked.extend(outputs(&mut book).into_iter().map(|_| second));
    }
    assert_eq!(asked, [5, 15, 35, 65, 95]);

    book.found(phone);
    assert_eq!(outputs(&mut book), [Output::Changed(lea())]);
    assert!(book.phones(&lea())[0].reachable);
}

#[test]
fn a_lost_connection_takes_its_phones_along() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:a@192.0.2.1", None)], 1).unwrap();

    book.flow_closed(flow());

    assert_eq!(book.len(), 0);
}

/// RFC 5626 §6: instance and reg-id are the key of a flow; a new REGISTER replaces the old one.
#[test]
fn a_flow_takes_the_place_of_its_predecessor_whatever_its_uri() {
    let mut book = Registrar::default();
    keeps(&mut book, "uuid:a", 1, "sip:one@a.invalid", 7);
    let phone = book.phones(&lea())[0].phone;
    outputs(&mut book);

    keeps(&mut book, "uuid:a", 1, "sip:two@b.invalid", 8);

    assert_eq!(book.len(), 1);
    let phones = book.phones(&lea());
    assert_eq!((phones[0].phone, phones[0].flow.connection), (phone, 8));
    let told = outputs(&mut book);
    let [Output::Moved { phone: moved, to }, Output::Changed(listener)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((*moved, to.connection, listener), (phone, 8, &lea()));
}

/// RFC 5626 §7.2: several flows are one phone, rung by the newest that works.
#[test]
fn a_phone_with_two_flows_is_one_phone_and_one_stands_in_for_the_other() {
    let mut book = Registrar::default();
    keeps(&mut book, "uuid:a", 1, "sip:a@x.invalid", 7);
    keeps(&mut book, "uuid:a", 2, "sip:a@x.invalid", 8);
    keeps(&mut book, "uuid:b", 1, "sip:b@x.invalid", 9);

    let connections = |book: &Registrar| -> Vec<u64> {
        book.phones(&lea()).iter().map(|phone| phone.flow.connection).collect()
    };
    assert_eq!(book.len(), 3);
    assert_eq!(connections(&book), [8, 9]);

    let newest = book.phones(&lea())[0].phone;
    book.lost(newest, Moment::START);
    assert_eq!(connections(&book), [7, 9]);
    book.found(newest);
    assert_eq!(connections(&book), [8, 9]);

    outputs(&mut book);
    book.flow_closed(Flow { connection: 8, ..flow() });
    let older = book.phones(&lea())[0].phone;
    assert_eq!(outputs(&mut book)[0], Output::Gone { phone: newest, sibling: Some(older) });
    assert_eq!(connections(&book), [7, 9]);
}

#[test]
fn the_flows_of_a_phone_are_bounded_and_take_one_place() {
    let mut book = Registrar::default();
    put(&mut book, &[("sip:desk@192.0.2.1", None)], 1).unwrap();
    for reg_id in 1..=20 {
        keeps(&mut book, "uuid:a", reg_id, "sip:a@x.invalid", u64::from(reg_id));
    }

    assert_eq!(book.len(), 1 + FLOWS_MAX);
    assert_eq!(book.phones(&lea()).len(), 2, "BOUNDS allow two phones");
}

/// A phone registers one of its flows.
fn keeps(book: &mut Registrar, instance: &str, reg_id: u32, uri: &str, connection: u64) {
    let wish = Wish {
        uri: uri.parse().unwrap(),
        instance: Some(instance.to_owned()),
        reg_id: Some(reg_id),
        q: None,
        expires: None,
        shows_text: false,
    };
    let flow = Flow { connection, ..flow() };
    let call_id = format!("{instance}{reg_id}{connection}");
    let contacts = Contacts::These(vec![wish]);
    let user_agent = String::new();
    let registration = Registration { contacts, call_id, cseq: 1, flow, user_agent };
    book.registered(&lea(), registration, BOUNDS, Moment::START).unwrap();
}

fn lea() -> ListenerName {
    "lea".parse().unwrap()
}

fn flow() -> Flow {
    let address = "192.0.2.1:5060".parse().unwrap();
    Flow { transport: Transport::Tcp, local: address, peer: address, connection: 7 }
}

fn registration(contacts: Contacts, cseq: u32) -> Registration {
    Registration { contacts, call_id: "r".into(), cseq, flow: flow(), user_agent: String::new() }
}

fn put(book: &mut Registrar, wishes: &[(&str, Option<u64>)], cseq: u32) -> Result<(), Refused> {
    let wishes = wishes
        .iter()
        .map(|(uri, expires)| Wish {
            uri: uri.parse().unwrap(),
            instance: None,
            reg_id: None,
            q: None,
            expires: expires.map(Duration::from_secs),
            shows_text: false,
        })
        .collect();
    book.registered(&lea(), registration(Contacts::These(wishes), cseq), BOUNDS, Moment::START)
}

fn outputs(book: &mut Registrar) -> Vec<Output> {
    std::iter::from_fn(|| book.poll_output()).collect()
}
