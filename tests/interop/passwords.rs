//! Who may register, and who may not.

use crate::house::{Account, House};
use crate::raw::Raw;
use crate::secs;
use crate::sipp::{self, Step};

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn phones_register_with_both_algorithms_and_not_with_a_wrong_password() {
    let house = House::open();
    let account = house.account("gael");
    let wrong = Account { password: "mot-de-passe-faux".to_owned(), ..account.clone() };

    for algorithm in ["SHA-256", "MD5"] {
        assert_eq!(Raw::of(&account).registers(algorithm).status, 200, "{algorithm}");
        let refused = Raw::of(&wrong).registers(algorithm).status;
        assert!(refused == 401 || refused == 403, "{algorithm}: {refused}");
    }
    let order: Vec<String> =
        Raw::of(&account).challenges().into_iter().map(|one| one.algorithm).collect();
    assert_eq!(order, ["SHA-256", "MD5"]);
    // A listener whose phone gives up when it sees SHA-256.
    let order: Vec<String> = Raw::of(&house.account("adele"))
        .challenges()
        .into_iter()
        .map(|one| one.algorithm)
        .collect();
    assert_eq!(order, ["MD5"]);
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn a_nonce_count_is_good_once() {
    let house = House::open();
    let mut phone = Raw::of(&house.account("gael"));
    let challenge = phone.is_challenged("SHA-256");

    assert_eq!(phone.registers_with(&challenge, 1).status, 200);
    assert_eq!(phone.registers_with(&challenge, 2).status, 200);
    let replayed = phone.registers_with(&challenge, 2);
    assert_eq!(replayed.status, 401, "{}", replayed.text);
}

#[test]
#[ignore = "needs sipp and baresip: tests/interop/run installs them"]
fn sipp_registers_too() {
    let house = House::open();
    let account = house.account("adele");
    let wrong = Account { password: "mot-de-passe-faux".to_owned(), ..account.clone() };

    sipp::calls(house.sip, "adele", &[Step::Registers(account.clone(), 200)])
        .goes_as_planned_within(secs(5));
    sipp::calls_by_tcp(house.sip, "adele", &[Step::Registers(account, 200)])
        .goes_as_planned_within(secs(5));
    sipp::calls(house.sip, "adele", &[Step::Registers(wrong, 401)]).goes_as_planned_within(secs(5));
}
