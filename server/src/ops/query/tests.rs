//! What Query answers by version, from the tables and from the configuration.

use kmip_codec::schema::Encode;
use kmip_codec::spec::{ProfileName, RNGAlgorithm, Version};
use kmip_codec::ttlv::Writer;

use super::*;
use crate::crypto::permits::{Permits, Preset};
use crate::view::testing::{Bench, usage};
use crate::view::{About, Settings};

const EVERY: [QueryFunction; 14] = [
    QueryFunction::QueryOperations,
    QueryFunction::QueryObjects,
    QueryFunction::QueryServerInformation,
    QueryFunction::QueryApplicationNamespaces,
    QueryFunction::QueryExtensionList,
    QueryFunction::QueryExtensionMap,
    QueryFunction::QueryAttestationTypes,
    QueryFunction::QueryRNGs,
    QueryFunction::QueryValidations,
    QueryFunction::QueryProfiles,
    QueryFunction::QueryCapabilities,
    QueryFunction::QueryClientRegistrationMethods,
    QueryFunction::QueryDefaultsInformation,
    QueryFunction::QueryStorageProtectionMasks,
];

fn ask(bench: &Bench, version: Version, functions: &[QueryFunction]) -> Outcome<Response> {
    bench.run::<Query>(version, Request { functions: functions.to_vec(), object_groups: None })
}

/// A server whose operator has said something.
fn told(tag: Tag, fields: Vec<Element>) -> Bench {
    let about = About::new(vec![Element::new(tag, Value::Structure(fields))]);
    Bench::with(Settings { about, ..Settings::default() }, None)
}

#[test]
fn each_function_answers_in_each_version_that_has_it() {
    let bench = Bench::new();
    for &version in Version::ALL {
        for function in EVERY.into_iter().filter(|function| function.known_in(version)) {
            let answer = ask(&bench, version, &[function]).unwrap();
            let filled = match function {
                QueryFunction::QueryOperations => !answer.operations.is_empty(),
                QueryFunction::QueryObjects => !answer.object_types.is_empty(),
                QueryFunction::QueryServerInformation => {
                    answer.vendor_identification.is_some() && answer.server_information.is_some()
                }
                QueryFunction::QueryRNGs => !answer.rngs.is_empty(),
                // No profile of 1.x is without an authentication suite.
                QueryFunction::QueryProfiles => answer.profiles.is_empty() != version.is_v2(),
                QueryFunction::QueryCapabilities => !answer.capabilities.is_empty(),
                QueryFunction::QueryStorageProtectionMasks => answer.protection.is_some(),
                _ => answer == Response::default(),
            };
            assert!(filled, "{function} in {version}: {answer:?}");
            // The answer can be read in the version that it is written in.
            let mut writer = Writer::new(version);
            answer.encode(Tag::ResponsePayload, &mut writer);
            let frame = kmip_codec::ttlv::frame::protect(writer.finish());
            let element = kmip_codec::ttlv::parse(&frame, &kmip_codec::ttlv::Limits::default()).unwrap();
            let read = kmip_codec::schema::decode::<Response>(element, version).unwrap();
            assert_eq!(read.profiles, answer.profiles);
        }
    }
}

#[test]
fn a_function_that_nobody_knows_is_refused() {
    let bench = Bench::new();
    assert_eq!(ask(&bench, Version::V2_1, &[]).unwrap_err().reason, ResultReason::InvalidField);
    let extension = [QueryFunction::QueryOperations, QueryFunction(0x8000_0001)];
    assert_eq!(ask(&bench, Version::V2_1, &extension).unwrap_err().reason, ResultReason::FeatureNotSupported);
    let newer = Element::new(Tag::QueryFunction, Value::Enumeration(QueryFunction::QueryDefaultsInformation.0));
    let refused = bench.send::<Query>(Version::V1_4, vec![newer]).unwrap_err();
    assert_eq!(refused.reason, ResultReason::InvalidField);
}

#[test]
fn a_group_is_known_if_the_client_has_something_in_it() {
    let bench = Bench::new();
    let mask = kmip_codec::spec::CryptographicUsageMask::ENCRYPT;
    let object = kmip_codec::types::Object::SymmetricKey(crate::view::testing::block(
        kmip_codec::spec::KeyFormatType::Raw,
        kmip_codec::spec::CryptographicAlgorithm::AES,
        &[7; 16],
    ));
    bench.object(object, vec![usage(mask), (Tag::ObjectGroup, Value::TextString("tapes".into()))]);
    let ask = |group: &str| {
        let object_groups = Some(ObjectGroups { groups: vec![group.into()] });
        bench.run::<Query>(Version::V2_1, Request { functions: vec![QueryFunction::QueryObjects], object_groups })
    };
    assert!(!ask("tapes").unwrap().object_types.is_empty());
    assert_eq!(ask("disks").unwrap_err().reason, ResultReason::UnknownObjectGroup);
}

#[test]
fn what_the_operator_says_goes_first() {
    let bench = told(
        Tag::CapabilityInformation,
        vec![
            Element::new(Tag::AttestationCapability, Value::Boolean(true)),
            Element::new(Tag::RNGMode, Value::Enumeration(RNGMode::Unspecified.0)),
        ],
    );
    let answer = ask(&bench, Version::V1_4, &[QueryFunction::QueryCapabilities]).unwrap();
    let [capability] = &answer.capabilities[..] else { panic!("{answer:?}") };
    assert_eq!((capability.attestation, capability.rng_mode), (Some(true), Some(RNGMode::Unspecified)));
    assert_eq!(capability.batch_undo, Some(true));

    let name = Element::new(Tag::ServerName, Value::TextString("vault-7".into()));
    let bench = told(Tag::ServerInformation, vec![name]);
    let answer = ask(&bench, Version::V2_1, &[QueryFunction::QueryServerInformation]).unwrap();
    let information = answer.server_information.unwrap();
    assert_eq!(information.server_name.as_deref(), Some("vault-7"));
    assert_eq!(information.server_version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert!(information.load.unwrap().parse::<f64>().unwrap() >= 0.0);

    let answer = ask(&told(Tag::ServerInformation, vec![]), Version::V2_1, &[QueryFunction::QueryServerInformation]);
    assert_eq!(answer.unwrap().server_information, Some(ServerInformation::default()));
}

#[test]
fn a_profile_that_a_version_cannot_name_is_not_said_there() {
    let name = |name: ProfileName| Element::new(Tag::ProfileName, Value::Enumeration(name.0));
    let bench = told(Tag::ProfileInformation, vec![name(ProfileName::TapeLibraryServerKMIPV14)]);
    let of = |version| ask(&bench, version, &[QueryFunction::QueryProfiles]).unwrap().profiles;
    assert_eq!(of(Version::V1_4).len(), 1);
    // There the tables speak.
    for version in [Version::V1_3, Version::V2_1] {
        assert_eq!(of(version), profiles::fulfilled(version, &Settings::default()));
    }
}

#[test]
fn the_map_of_extensions_replaces_the_list() {
    let bench = told(
        Tag::ExtensionInformation,
        vec![
            Element::new(Tag::ExtensionName, Value::TextString("PLACE".into())),
            Element::new(Tag::ExtensionTag, Value::Integer(0x54_AA01)),
            Element::new(Tag::ExtensionType, Value::Enumeration(7)),
        ],
    );
    let of = |version, functions: &[QueryFunction]| ask(&bench, version, functions).unwrap().extensions;
    let [list] = &of(Version::V1_1, &[QueryFunction::QueryExtensionList])[..] else { panic!() };
    assert_eq!((list.tag, &list.item_type), (None, &None));
    let both = [QueryFunction::QueryExtensionMap, QueryFunction::QueryExtensionList];
    for (version, number) in [(Version::V1_1, Value::Integer(7)), (Version::V2_1, Value::Enumeration(7))] {
        let [map] = &of(version, &both)[..] else { panic!() };
        assert_eq!((map.tag, &map.item_type.as_ref().unwrap().value), (Some(0x54_AA01), &number));
    }
}

#[test]
fn the_generator_is_named() {
    let answer = ask(&Bench::new(), Version::V1_3, &[QueryFunction::QueryRNGs]).unwrap();
    let [rng] = &answer.rngs[..] else { panic!("{answer:?}") };
    assert_eq!((rng.algorithm, rng.cryptographic_length), (RNGAlgorithm::DRBG, Some(256)));
}

#[test]
fn the_answers_are_those_that_the_configured_algorithms_leave() {
    let of = |preset, forbid: &[String]| {
        let permits = Permits::changed(preset, &[], &[], forbid).unwrap();
        let bench = Bench::with(Settings { permits, ..Settings::default() }, None);
        let answer = ask(&bench, Version::V2_1, &[QueryFunction::QueryCapabilities]).unwrap();
        answer.capabilities[0].quantum_safe
    };
    assert_eq!(of(Preset::Default, &[]), Some(true));
    assert_eq!(of(Preset::Cnsa2, &[]), Some(true));
    assert_eq!(of(Preset::Cnsa2, &["ML-DSA-87".to_owned()]), Some(false));
}
