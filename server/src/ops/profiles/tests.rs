//! Which profiles are claimed: what the tables have, and no more.

use super::*;
use crate::crypto::permits::Preset;
use crate::view::{About, Endpoint, Spoken};

/// The Basic Authentication Suite of 2.1, and HTTPS.
fn basic() -> Settings {
    let mut about = About::default();
    about.spoken = Spoken {
        protocols: vec![suites::TLS_1_3],
        cipher_suites: vec![0x1302, 0x1303],
        ports: vec![5696],
        batch_items: 1000,
    };
    Settings { about, ..Settings::default() }
}

fn names(version: Version, settings: &Settings) -> Vec<ProfileName> {
    fulfilled(version, settings).into_iter().map(|profile| profile.name).collect()
}

fn by_name(name: &str) -> &'static ProfileRow {
    PROFILES.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn every_server_profile_of_the_enumeration_has_a_row() {
    for row in <ProfileName as Enumeration>::TABLE {
        if !row.name.contains("Server") {
            continue;
        }
        let rows = PROFILES.iter().filter(|profile| {
            Version::ALL.iter().any(|&version| profile.name_in(version) == Some(ProfileName(row.value)))
        });
        assert_eq!(rows.count(), 1, "{}", row.name);
    }
}

#[test]
fn a_profile_is_claimed_only_with_its_authentication_suite() {
    // Messages alone: Baseline Server, in each version that has the name.
    let silent = Settings::default();
    assert_eq!(names(Version::V2_0, &silent), [ProfileName::BaselineServer]);
    assert_eq!(names(Version::V2_1, &silent), [ProfileName::BaselineServer; 2]);
    let claimed = names(Version::V2_1, &basic());
    for name in [
        ProfileName::TapeLibraryServer,
        ProfileName::SymmetricKeyLifecycleServer,
        ProfileName::AsymmetricKeyLifecycleServer,
        ProfileName::AdvancedCryptographicServer,
        ProfileName::AESXTSServer,
    ] {
        // In 2.1 and not in 2.0, whose suite needs TLS 1.2.
        assert_eq!(claimed.iter().filter(|claimed| **claimed == name).count(), 1, "{name}");
        assert!(!names(Version::V2_0, &basic()).contains(&name));
    }
    // 1.x asks for RSA and CBC.
    assert_eq!(names(Version::V1_4, &basic()), []);
    assert_eq!(names(Version::V1_2, &basic()), []);
}

#[test]
fn what_the_tables_lack_is_not_claimed() {
    let claimed = names(Version::V2_1, &basic());
    for name in [ProfileName::CompleteServer, ProfileName::CompleteServerBasic, ProfileName::QuantumSafeServer] {
        assert!(!claimed.contains(&name), "{name}");
    }
    assert_eq!(claimed.contains(&ProfileName::Pkcs11Server), row_of(Operation::Pkcs11, Version::V2_1).is_some());
    // McEliece is what is made by nobody here; its neighbours are.
    let permits = Permits::default();
    let keys = |algorithm| makes(algorithm, 256, Version::V2_1, &permits);
    assert!(keys(Algorithm::ChaCha20) && keys(Algorithm::RSA) && !keys(Algorithm::McEliece6960119));
}

#[test]
fn limits_take_a_profile_away() {
    let tapes = by_name("Tape Library Server");
    assert!(tapes.is_fulfilled(Version::V2_1, &basic()));
    let few = Settings { maximum_attributes: 29, ..basic() };
    assert!(!tapes.is_fulfilled(Version::V2_1, &few));
    let mut short = basic();
    short.about.spoken.batch_items = 31;
    assert!(!tapes.is_fulfilled(Version::V2_1, &short));
    // 1.x asks a storage array for ten, 2.x for twenty.
    let array = by_name("Storage Array with Self Encrypting Drive Server");
    let some = Settings { maximum_attributes: 15, ..basic() };
    assert!(array.is_met(Version::V1_4, &some) && !array.is_met(Version::V2_1, &some));
}

#[test]
fn a_profile_of_operations_is_none_where_there_are_none_of_them() {
    let basic_cryptography = by_name("Basic Cryptographic Server");
    assert!(!basic_cryptography.is_met(Version::V1_1, &basic()));
    assert!(basic_cryptography.is_met(Version::V1_2, &basic()));
}

#[test]
fn where_https_is_spoken_is_said() {
    let claimed = |settings: &Settings, name: ProfileName| {
        let claimed = fulfilled(Version::V2_1, settings).into_iter();
        claimed.filter(|profile| profile.name == name).collect::<Vec<_>>()
    };
    assert_eq!(claimed(&basic(), ProfileName::XMLServer), []);
    let mut settings = basic();
    settings.about.https.push(Endpoint { uri: "https://keys.example.org:5697/kmip".into(), port: 5697 });
    let [xml] = &claimed(&settings, ProfileName::XMLServer)[..] else { panic!() };
    assert!(xml.server_port == Some(5697) && xml.server_uri.is_some());
    assert_eq!(xml.version, Some(ProfileVersion { major: 2, minor: 1 }));
    // It is one for requests alone, while the server's own leave otherwise.
    assert_eq!(claimed(&settings, ProfileName::HTTPSServer), []);
}

/// A profile asks for keys, curves and hash functions: a server that may not make or use them has it no more.
#[test]
fn what_the_configured_algorithms_do_not_leave_is_not_claimed() {
    let claims = |preset, forbid: &[&str], name: &str| {
        let forbid: Vec<String> = forbid.iter().map(|&name| name.to_owned()).collect();
        let settings = Settings { permits: Permits::changed(preset, &[], &[], &forbid).unwrap(), ..basic() };
        by_name(name).is_met(Version::V2_1, &settings)
    };
    let (tapes, foundry) = ("Tape Library Server", "Symmetric Key Foundry Server");
    let (pairs, suite_b) = ("Asymmetric Key Lifecycle Server", "Suite B minLOS_128 Server");
    for name in [tapes, foundry, pairs, suite_b] {
        assert!(claims(Preset::Default, &[], name), "{name}");
    }
    // What is left of triple DES is to read what is there.
    assert!(!claims(Preset::Fips, &[], foundry));
    assert!(claims(Preset::Fips, &[], pairs) && claims(Preset::Fips, &[], suite_b));
    // Keys of 256 bits are made, those of 128 are not; and none of the pairs and curves.
    assert!(claims(Preset::Cnsa2, &[], tapes));
    assert!(!claims(Preset::Cnsa2, &[], foundry) && !claims(Preset::Cnsa2, &[], pairs));
    assert!(!claims(Preset::Cnsa2, &[], suite_b));
    assert!(!claims(Preset::Default, &["AES-256"], tapes));
    assert!(!claims(Preset::Default, &["P-384"], suite_b));
    assert!(!claims(Preset::Default, &["SHA-384"], suite_b));
    // What asks for none of it stays.
    assert!(claims(Preset::Cnsa2, &[], "Baseline Server") && claims(Preset::Cnsa2, &[], "PKCS#11 Server"));
}
