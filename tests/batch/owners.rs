//! What one client sees of another: nothing.

use kmip_codec::spec::{
    CryptographicUsageMask, DerivationMethod, ObjectType, Operation, ResultReason, RevocationReasonCode,
    StorageStatusMask, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attributes, CryptographicParameters, UniqueIdentifier};
use kmipd::ops;

use crate::common::{VERSIONS, export, import, join, nobody, split, wrapped, wrapping};
use crate::harness::Kmipd;
use crate::harness::kmip::{
    Kmip, Refused, adjust, allocation, bytes_of, check, create, delete, enumeration, get, get_attributes, locate,
    modify, name, new_attribute, number, object, re_key, re_key_key_pair, revoke, secret, text,
};

kmip_codec::structure! {
    /// What the cryptographic operations ask, as far as they name a key.
    struct Cryptography {
        /// The key.
        unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How.
        cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// On what.
        data: Option<Blob> = Data,
        /// A MAC to verify.
        mac_data: Option<Blob> = MACData,
        /// A signature to verify.
        signature_data: Option<Blob> = SignatureData,
    }
}

/// An operation on an object that is named; `None` for operations that name none.
fn ask(kmip: &mut Kmip, operation: Operation, identifier: &Text) -> Option<Result<kmip_codec::Element, Refused>> {
    let named = Some(identifier);
    let comment = text(Tag::ContactInformation, "changed");
    let cryptography = Cryptography {
        unique_identifier: named.cloned().map(UniqueIdentifier::Text),
        cryptographic_parameters: None,
        data: Some(Blob::copy_of(b"data")),
        mac_data: (operation == Operation::MACVerify).then(|| Blob::copy_of(b"mac")),
        signature_data: (operation == Operation::SignatureVerify).then(|| Blob::copy_of(b"signature")),
    };
    Some(match operation {
        Operation::Create
        | Operation::CreateKeyPair
        | Operation::Register
        | Operation::Locate
        | Operation::Query
        | Operation::DiscoverVersions
        | Operation::Log
        | Operation::Login
        | Operation::Logout
        | Operation::DelegatedLogin
        | Operation::Ping
        | Operation::ReProvision
        | Operation::Pkcs11
        | Operation::SetDefaults
        | Operation::SetConstraints
        | Operation::GetConstraints
        | Operation::Hash
        | Operation::RNGRetrieve
        | Operation::RNGSeed
        | Operation::Interop => return None,
        // It names an object that is to be: see `nothing_of_somebody_else_is_replaced`.
        Operation::Import => return None,
        Operation::DeriveKey => kmip.attempt(operation, &derive(identifier)),
        Operation::CreateSplitKey => kmip.attempt(operation, &split(named)),
        Operation::JoinSplitKey => kmip.attempt(operation, &join(std::slice::from_ref(identifier))),
        Operation::Get => kmip.attempt(operation, &get(named)),
        Operation::Export => kmip.attempt(operation, &export(named)),
        Operation::GetAttributes => kmip.attempt(operation, &get_attributes(named, vec![Tag::State.into()])),
        Operation::GetAttributeList
        | Operation::Activate
        | Operation::Destroy
        | Operation::ObtainLease
        | Operation::Archive
        | Operation::Recover
        | Operation::Certify
        | Operation::ReCertify
        | Operation::Validate => kmip.attempt(operation, &object(named)),
        Operation::ReKey => kmip.attempt(operation, &re_key(named, vec![])),
        Operation::ReKeyKeyPair => kmip.attempt(operation, &re_key_key_pair(named)),
        Operation::AdjustAttribute => kmip.attempt(operation, &adjust(named, Tag::ProtectionPeriod.into(), None)),
        Operation::GetUsageAllocation => kmip.attempt(operation, &allocation(named, 1)),
        Operation::Revoke => kmip.attempt(operation, &revoke(named, RevocationReasonCode::KeyCompromise)),
        Operation::Check => kmip.attempt(operation, &check(named, CryptographicUsageMask::ENCRYPT)),
        Operation::AddAttribute | Operation::SetAttribute => kmip.attempt(operation, &new_attribute(named, comment)),
        Operation::ModifyAttribute => kmip.attempt(operation, &modify(named, None, comment)),
        Operation::DeleteAttribute => kmip.attempt(operation, &delete(named, Tag::ContactInformation.into(), None)),
        Operation::Encrypt
        | Operation::Decrypt
        | Operation::Sign
        | Operation::SignatureVerify
        | Operation::MAC
        | Operation::MACVerify => kmip.attempt(operation, &cryptography),
        other => panic!("{other} has no request in this test"),
    })
}

fn derive(identifier: &Text) -> ops::derive_key::Request {
    ops::derive_key::Request {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![UniqueIdentifier::Text(identifier.clone())],
        derivation_method: DerivationMethod::HASH,
        derivation_parameters: ops::derive_key::DerivationParameters::default(),
        attributes: Attributes { list: vec![number(Tag::CryptographicLength, 128)], ..Attributes::default() },
        protection_storage_masks: None,
    }
}

#[test]
fn an_object_of_somebody_else_does_not_exist() {
    let kmipd = Kmipd::dev();
    let stranger = kmipd.client_named("stranger");
    for version in VERSIONS {
        let mut owner = kmipd.kmip(version);
        let mut other = Kmip::new(stranger.connect().unwrap(), version);
        let mark = name(&format!("mine in {version}"));
        let contact = text(Tag::ContactInformation, "as it was");
        let own = owner.create(vec![mark.clone(), contact.clone()]);
        let not_found = if version.is_v2() { ResultReason::ObjectNotFound } else { ResultReason::ItemNotFound };
        let mut asked = 0;
        // What the dispatcher does itself is about no object.
        let handled = |row: &&ops::OperationRow| matches!(row.run, ops::Run::Handler(_));
        for row in ops::OPERATIONS.iter().filter(|row| row.operation.known_in(version)).filter(handled) {
            let Some(theirs) = ask(&mut other, row.operation, &own) else { continue };
            let theirs = theirs.unwrap_err();
            // Their error tables have the old name of it.
            let old =
                [Operation::AdjustAttribute, Operation::Certify, Operation::CreateSplitKey].contains(&row.operation);
            let not_found = if old { ResultReason::ItemNotFound } else { not_found };
            assert_eq!(theirs.reason(), not_found, "{}", row.operation);
            // To the letter what is said of an object that nobody has.
            assert_eq!(ask(&mut other, row.operation, &nobody()), Some(Err(theirs)), "{}", row.operation);
            asked += 1;
        }
        assert!(asked >= 10, "{asked}");
        assert_eq!(owner.values(&own, Tag::ContactInformation), [contact.value]);
        assert_eq!(owner.state(&own), kmip_codec::spec::State::PreActive);

        // Locate does not see it either, whatever it looks for.
        let mut filters = vec![
            vec![],
            vec![mark.clone()],
            vec![text(Tag::UniqueIdentifier, &own)],
            vec![enumeration(Tag::ObjectType, ObjectType::SymmetricKey)],
            vec![text(Tag::ContactInformation, "as it was")],
        ];
        if version == Version::V1_0 {
            filters.pop();
        }
        for filter in filters {
            let request = ops::locate::Request {
                storage_status_mask: Some(StorageStatusMask::all()).filter(|_| version.is_v2()),
                ..locate(filter)
            };
            let found: ops::locate::Response = other.ask(Operation::Locate, &request);
            assert_eq!(found.unique_identifiers, [] as [&str; 0]);
        }
        assert_eq!(owner.locate(vec![mark]), [own]);
    }
}

#[test]
fn a_key_of_somebody_else_wraps_nothing() {
    let kmipd = Kmipd::dev();
    let stranger = kmipd.client_named("stranger");
    for version in VERSIONS {
        let mut owner = kmipd.kmip(version);
        let mut other = Kmip::new(stranger.connect().unwrap(), version);
        let key = owner.create(vec![wrapping()]);
        owner.activate(&key);
        let own = other.create(vec![]);
        let theirs = other.attempt::<kmip_codec::Element>(Operation::Get, &wrapped(&own, &key, version)).unwrap_err();
        let reason = if version.is_v2() { ResultReason::WrappingObjectNotFound } else { ResultReason::ItemNotFound };
        assert_eq!(theirs.reason(), reason);
        let absent =
            other.attempt::<kmip_codec::Element>(Operation::Get, &wrapped(&own, &nobody(), version)).unwrap_err();
        assert_eq!(theirs, absent);
        if Operation::Export.known_in(version) {
            let [theirs, absent] = [&key, &nobody()].map(|key| {
                let request = ops::export::Request {
                    key_wrapping_specification: wrapped(&own, key, version).key_wrapping_specification,
                    ..export(Some(&own))
                };
                other.attempt::<kmip_codec::Element>(Operation::Export, &request).unwrap_err()
            });
            assert_eq!(theirs, absent);
        }
    }
}

#[test]
fn parts_of_somebody_else_join_nothing() {
    let kmipd = Kmipd::dev();
    let stranger = kmipd.client_named("stranger");
    for version in VERSIONS.into_iter().filter(|&version| Operation::JoinSplitKey.known_in(version)) {
        let mut owner = kmipd.kmip(version);
        let mut other = Kmip::new(stranger.connect().unwrap(), version);
        let key = owner.create(vec![]);
        let made: ops::create_split_key::Response = owner.ask(Operation::CreateSplitKey, &split(Some(&key)));
        let parts = made.unique_identifiers;
        let made: ops::create_split_key::Response = other.ask(Operation::CreateSplitKey, &split(None));
        let own = made.unique_identifiers;
        // All of them, or one among others: what is not there is said before anything of what is.
        for (theirs, absent) in [
            (vec![parts[0].clone(), parts[1].clone()], vec![nobody(), nobody()]),
            (vec![own[0].clone(), parts[1].clone()], vec![own[0].clone(), nobody()]),
            (vec![own[0].clone(), own[1].clone(), parts[2].clone()], vec![own[0].clone(), own[1].clone(), nobody()]),
        ] {
            let [theirs, absent] = [theirs, absent]
                .map(|parts| other.attempt::<kmip_codec::Element>(Operation::JoinSplitKey, &join(&parts)).unwrap_err());
            assert_eq!(theirs, absent);
        }
        // They belong together all the same.
        let joined: ops::join_split_key::Response = owner.ask(Operation::JoinSplitKey, &join(&parts[1..]));
        assert_eq!(bytes_of(&owner.get(&joined.unique_identifier)), bytes_of(&owner.get(&key)));
    }
}

/// Identifiers are unique in the server, not for an owner: whoever imports under one that is taken learns that it is, and
/// no more than that.
#[test]
fn nothing_of_somebody_else_is_replaced() {
    let kmipd = Kmipd::dev();
    let stranger = kmipd.client_named("stranger");
    for version in VERSIONS.into_iter().filter(|&version| Operation::Import.known_in(version)) {
        let mut owner = kmipd.kmip(version);
        let mut other = Kmip::new(stranger.connect().unwrap(), version);
        let alive = owner.create(vec![]);
        let archived = owner.create(vec![]);
        owner.ask::<ops::activate::Response>(Operation::Archive, &object(Some(&archived)));
        let destroyed = owner.create(vec![]);
        owner.destroy(&destroyed);
        let secret_data = owner.register(secret(b"theirs"), vec![]);
        let before = bytes_of(&owner.get(&alive));
        // Whatever it is, and whatever became of it, there is one answer.
        let answers = [&alive, &archived, &destroyed, &secret_data].map(|identifier| {
            [false, true].map(|replace| {
                let request = import(identifier, secret(b"mine"), replace, version);
                other.attempt::<kmip_codec::Element>(Operation::Import, &request).unwrap_err()
            })
        });
        let exists = kmipd::failure::reason_in(version, ResultReason::ObjectAlreadyExists);
        assert_eq!(answers[0].each_ref().map(Refused::reason), [exists, ResultReason::PermissionDenied]);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(bytes_of(&owner.get(&alive)), before);
        assert_eq!(bytes_of(&owner.get(&secret_data)), b"theirs");
        let theirs = other.attempt::<kmip_codec::Element>(Operation::Get, &get(Some(&alive)));
        assert_eq!(theirs, other.attempt(Operation::Get, &get(Some(&nobody()))));
    }
}

#[test]
fn names_are_unique_for_their_owner_and_free_after_destroy() {
    let kmipd = Kmipd::dev();
    let stranger = kmipd.client_named("stranger");
    for version in VERSIONS {
        let mut owner = kmipd.kmip(version);
        let mut other = Kmip::new(stranger.connect().unwrap(), version);
        let mark = name(&format!("the key of {version}"));
        let first = owner.create(vec![mark.clone()]);
        let taken = if version.is_v2() { ResultReason::NonUniqueNameAttribute } else { ResultReason::InvalidField };
        // Taken for its owner, in every way to get a name; free for others.
        assert_eq!(owner.refusal(Operation::Create, &create(vec![mark.clone()])), taken);
        let nameless = owner.create(vec![]);
        assert_eq!(owner.refusal(Operation::AddAttribute, &new_attribute(Some(&nameless), mark.clone())), taken);
        let theirs = other.create(vec![mark.clone()]);
        assert_eq!(other.refusal(Operation::Create, &create(vec![mark.clone()])), taken);
        assert_eq!(owner.locate(vec![mark.clone()]), std::slice::from_ref(&first));
        assert_eq!(other.locate(vec![mark.clone()]), std::slice::from_ref(&theirs));

        owner.destroy(&first);
        assert!(owner.locate(vec![mark.clone()]).is_empty());
        let second = owner.create(vec![mark.clone()]);
        assert_eq!(owner.locate(vec![mark.clone()]), std::slice::from_ref(&second));
        assert_eq!(other.locate(vec![mark.clone()]), [theirs]);
        // A name that is deleted or changed is free too.
        owner.ask::<ops::attribute::Response>(
            Operation::DeleteAttribute,
            &delete(Some(&second), Tag::Name.into(), None),
        );
        owner.ask::<ops::attribute::Response>(Operation::AddAttribute, &new_attribute(Some(&nameless), mark.clone()));
        assert_eq!(owner.locate(vec![mark.clone()]), std::slice::from_ref(&nameless));
        let changed = name(&format!("another key of {version}"));
        let current = version.is_v2().then(|| mark.clone());
        owner.ask::<ops::attribute::Response>(
            Operation::ModifyAttribute,
            &modify(Some(&nameless), current, changed.clone()),
        );
        assert!(owner.locate(vec![mark.clone()]).is_empty());
        assert_eq!(owner.locate(vec![changed]), [nameless]);
        owner.create(vec![mark]);
    }
}

#[test]
fn of_clients_that_race_for_a_name_one_gets_it() {
    let kmipd = Kmipd::dev();
    for round in 0..10 {
        let mark = name(&format!("round {round}"));
        let made: usize = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4)
                .map(|_| {
                    let (kmipd, mark) = (&kmipd, &mark);
                    scope.spawn(move || {
                        let mut kmip = kmipd.kmip(Version::V2_1);
                        match kmip.attempt::<kmip_codec::Element>(Operation::Create, &create(vec![mark.clone()])) {
                            Ok(_) => 1,
                            Err(refused) => {
                                assert_eq!(refused.reason(), ResultReason::NonUniqueNameAttribute);
                                0
                            }
                        }
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(made, 1);
        assert_eq!(kmipd.kmip(Version::V2_1).locate(vec![mark]).len(), 1);
    }
}
