//! Where keys live: the configuration's default, Protection Storage Masks, and keys on the token.

use std::fs;
use std::time::{Duration, Instant};

use kmip_codec::spec::ResultReason;

use crate::harness::Kmipd;
use crate::house::House;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, V2_1, identifier, name, new, stays};
use crate::xml::{bo, bytes, en, id, int, st, text};

/// Alternatives of Protection Storage Masks.
fn masks(alternatives: &[&str]) -> String {
    let alternatives: Vec<String> = alternatives.iter().map(|bits| int("ProtectionStorageMask", bits)).collect();
    st("ProtectionStorageMasks", &alternatives)
}

/// Create's payload for an AES key.
fn create(attributes: &[String], masks: &str) -> [String; 3] {
    let given = [en("CryptographicAlgorithm", "AES"), int("CryptographicUsageMask", "Encrypt Decrypt")];
    [en("ObjectType", "SymmetricKey"), st("Attributes", &[&given, attributes].concat()), masks.to_owned()]
}

/// Waits for what another process is about to do.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_configuration_lets_every_new_key_stay() {
    let house = House::with("[keys]\nextractable_by_default = false");
    let mut speaker = Speaker::of(&house.kmipd);
    let made = speaker.create("AES", "256", "Encrypt", &[]);
    let registered = speaker.register(&[3; 32], &[]);
    for key in [&made, &registered] {
        assert!(!speaker.flag(key, "Extractable"));
        assert!(speaker.flag(key, "NeverExtractable"));
        assert_eq!(speaker.protection(key), 2);
        speaker.block(key);
        assert_eq!(speaker.refusal("Get", &[id(key)]), ResultReason::NotExtractable);
    }
    // Who says so gets one that leaves.
    let open = identifier(&speaker.ask("Create", &create(&[bo("Extractable", true)], "")));
    assert_eq!(speaker.protection(&open), 1);
    speaker.ask("Get", &[id(&open)]);
    // What came in the clear and is no key of the module's stays sealed, and does not leave either.
    let secret = [
        en("ObjectType", "SecretData"),
        st("Attributes", &[int("CryptographicUsageMask", "DeriveKey")]),
        st(
            "SecretData",
            &[
                en("SecretDataType", "Password"),
                st("KeyBlock", &[en("KeyFormatType", "Opaque"), st("KeyValue", &[bytes("KeyMaterial", b"a word")])]),
            ],
        ),
    ];
    let secret = identifier(&speaker.ask("Register", &secret));
    assert_eq!(speaker.refusal("Get", &[id(&secret)]), ResultReason::NotExtractable);
}

#[test]
fn masks_choose_where_a_key_lives() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let leaves = || vec![bo("Extractable", true)];
    for (attributes, alternatives, came) in [
        (stays(), &["Hardware"][..], Some(2)),
        (stays(), &["Software", "Hardware"], Some(2)),
        (stays(), &["Software"], None),
        (leaves(), &["Software"], Some(1)),
        (leaves(), &["Hardware", "Software"], Some(1)),
        (leaves(), &["Hardware"], None),
        // All the bits of one alternative at once; and a place that there is not.
        (leaves(), &["Software Hardware"], None),
        (stays(), &["Software Hardware"], None),
        (stays(), &["OnProcessor"], None),
        (stays(), &["OnProcessor", "Hardware"], Some(2)),
    ] {
        let request = create(&attributes, &masks(alternatives));
        match (speaker.attempt(V2_1, "Create", &request), came) {
            (Ok(made), Some(mask)) => assert_eq!(speaker.protection(&identifier(&made)), mask, "{alternatives:?}"),
            (Err(reason), None) => assert_eq!(reason, ResultReason::ProtectionStorageUnavailable, "{alternatives:?}"),
            other => panic!("{alternatives:?}: {other:?}"),
        }
    }
    // The halves of a pair have places and reasons of their own.
    let halves = |private: &str, public: &str| {
        let of = |half: &str, mask: &str| st(half, &[int("ProtectionStorageMask", mask)]);
        [
            st("CommonAttributes", &[en("CryptographicAlgorithm", "ECDSA"), int("CryptographicLength", "256")]),
            st("PrivateKeyAttributes", &[int("CryptographicUsageMask", "Sign"), bo("Extractable", false)]),
            st("PublicKeyAttributes", &[int("CryptographicUsageMask", "Verify")]),
            of("PrivateProtectionStorageMasks", private),
            of("PublicProtectionStorageMasks", public),
        ]
    };
    speaker.ask("CreateKeyPair", &halves("Hardware", "Software"));
    for (private, public, reason) in [
        ("Software", "Software", ResultReason::PrivateProtectionStorageUnavailable),
        ("Hardware", "Hardware", ResultReason::PublicProtectionStorageUnavailable),
    ] {
        assert_eq!(speaker.refusal("CreateKeyPair", &halves(private, public)), reason);
    }
}

/// Without a module the server keeps the attributes' word, and does not say more than that.
#[test]
fn without_a_module_the_mask_says_software() {
    let kmipd = Kmipd::dev();
    let mut speaker = Speaker::of(&kmipd);
    let key = speaker.create("AES", "256", "Encrypt", &stays());
    assert_eq!(speaker.protection(&key), 1);
    assert_eq!(speaker.refusal("Get", &[id(&key)]), ResultReason::NotExtractable);
    let hardware = create(&stays(), &masks(&["Hardware"]));
    assert_eq!(speaker.refusal("Create", &hardware), ResultReason::ProtectionStorageUnavailable);
    let tightened = speaker.register(&[5; 32], &[]);
    speaker.ask("SetAttribute", &[id(&tightened), new(bo("Extractable", false))]);
    assert_eq!(speaker.refusal("Get", &[id(&tightened)]), ResultReason::NotExtractable);
    // Here it can be loosened again; that it once could leave is not forgotten.
    speaker.ask("SetAttribute", &[id(&tightened), new(bo("Extractable", true))]);
    speaker.ask("Get", &[id(&tightened)]);
    assert!(!speaker.flag(&tightened, "NeverExtractable"));
}

pub(crate) const ON_TOKEN: &str =
    "[keys.protection_storage]\n\"Software\" = \"sealed\"\n\"Hardware\" = \"wrapped\"\n\"On Processor\" = \"token\"";

#[test]
fn keys_live_on_the_token_where_the_configuration_says_so() {
    let mut house = House::with(ON_TOKEN);
    let empty = house.token_objects();
    let mut speaker = Speaker::of(&house.kmipd);
    let on_token = create(&stays(), &masks(&["OnProcessor"]));
    let key = identifier(&speaker.ask("Create", &on_token));
    speaker.ask("Activate", &[id(&key)]);
    assert_eq!(speaker.protection(&key), 4);
    assert_eq!(house.token_objects(), empty + 1);
    let made = calls(&house.calls);
    let made: Vec<_> = named(&made, "C_GenerateKey").collect();
    let [made] = made[..] else { panic!("{made:?}") };
    let template = &made["template"];
    assert_eq!(template["token"], true);
    assert_eq!((&template["sensitive"], &template["extractable"]), (&true.into(), &false.into()));

    let block = speaker.block(&key);
    assert_eq!(speaker.refusal("Get", &[id(&key)]), ResultReason::NotExtractable);
    // One that leaves cannot live there; and one that is wrapped makes no object there.
    let leaves = create(&[bo("Extractable", true)], &masks(&["OnProcessor"]));
    assert_eq!(speaker.refusal("Create", &leaves), ResultReason::ProtectionStorageUnavailable);
    speaker.ask("Create", &create(&stays(), &masks(&["Hardware"])));
    assert_eq!(house.token_objects(), empty + 1);

    house.kmipd.kill();
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    assert_eq!(speaker.block(&key), block);
    // What fails or is undone leaves nothing on the token.
    let items = [("Create", on_token.concat()), ("Destroy", id("nobody"))];
    let came = speaker.batch_or(V2_1, "Undo", &items);
    assert!(came.len() == 2 && came.iter().all(Result::is_err), "{came:?}");
    assert_eq!(house.token_objects(), empty + 1);
    let named = create(&[&stays()[..], &[name("one")]].concat(), &masks(&["OnProcessor"]));
    speaker.ask("Create", &named);
    assert_eq!(speaker.refusal("Create", &named), ResultReason::NonUniqueNameAttribute);
    assert_eq!(house.token_objects(), empty + 2);

    speaker.ask("Revoke", &[id(&key), st("RevocationReason", &[en("RevocationReasonCode", "CessationOfOperation")])]);
    speaker.ask("Destroy", &[id(&key)]);
    assert_eq!(house.token_objects(), empty + 1);
    assert!(house.kmipd.terminate().success());
    house.kmipd.restart();
    assert_eq!(house.token_objects(), empty + 1);
}

#[test]
fn a_reset_takes_the_keys_off_the_token_at_the_latest_when_it_is_back() {
    let mut house = House::dev(&["--hsm", "--conformance"], ON_TOKEN);
    let empty = house.token_objects();
    let mut speaker = Speaker::of(&house.kmipd);
    let on_token = create(&stays(), &masks(&["OnProcessor"]));
    let reset = [en("InteropFunction", "Reset"), text("InteropIdentifier", "a test")];
    speaker.ask("Create", &on_token);
    speaker.ask("Create", &on_token);
    assert_eq!(house.token_objects(), empty + 2);
    speaker.ask("Interop", &reset);
    until("the keys are still on the token", || house.token_objects() == empty);
    speaker.ask("Create", &on_token);
    fs::write(&house.gone, "").unwrap();
    speaker.ask("Interop", &reset);
    assert_eq!(house.token_objects(), empty + 1);
    fs::remove_file(&house.gone).unwrap();
    house.kmipd.kill();
    house.kmipd.restart();
    until("the key is still on the token", || house.token_objects() == empty);
}

#[test]
fn a_kill_while_a_token_key_is_made_leaves_nothing_on_the_token() {
    let mut house = House::with(ON_TOKEN);
    let empty = house.token_objects();
    let request = create(&[&stays()[..], &[name("cut off")]].concat(), &masks(&["OnProcessor"])).concat();
    fs::write(&house.end, "C_GenerateKey").unwrap();
    let mut speaker = Speaker::of(&house.kmipd);
    let cut =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| speaker.batch(V2_1, &[("Create", request.clone())])));
    assert!(cut.is_err());
    house.kmipd.wait_for_end();
    fs::remove_file(&house.end).unwrap();
    // It was there.
    assert_eq!(house.token_objects(), empty + 1);
    house.kmipd.restart();
    until("the key is still on the token", || house.token_objects() == empty);
    let mut speaker = Speaker::of(&house.kmipd);
    assert!(speaker.ask("Locate", &[st("Attributes", &[name("cut off")])]).elements().is_empty());
    // The name is free, and the next one stays, over a restart too.
    let key = identifier(&speaker.batch(V2_1, &[("Create", request)]).remove(0).unwrap());
    speaker.ask("Activate", &[id(&key)]);
    let block = speaker.block(&key);
    house.kmipd.kill();
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    assert_eq!(speaker.block(&key), block);
    assert_eq!(house.token_objects(), empty + 1);
}
