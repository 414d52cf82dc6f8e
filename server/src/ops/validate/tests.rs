use std::sync::Arc;

use kmip_codec::ttlv::Blob;

use kmip_codec::spec::{Operation, RevocationReasonCode};
use kmip_codec::types::RevocationReason;

use super::*;
use crate::crypto::chain::Anchor;
use crate::crypto::testing::{DAY, Entity, authority};
use crate::ops::revoke::{self, Revoke};
use crate::trust::revocation::RevocationLists;
use crate::view::Settings;
use crate::view::testing::{Bench, NOW, usage};

const V: Version = Version::V2_1;

/// A server that trusts a root, an authority below it, and an end.
struct House {
    bench: Bench,
    root: Vec<u8>,
    middle: Vec<u8>,
    end: Vec<u8>,
}

impl House {
    fn new() -> Self {
        let (root, middle, end) = (Entity::new("CN=root"), Entity::new("CN=middle"), Entity::new("CN=end"));
        let own = root.authority(&root, None);
        let anchors = vec![Anchor::new(own.clone()).unwrap()];
        Self {
            bench: Bench::with(Settings { anchors, ..Settings::default() }, None),
            middle: middle.authority(&root, None),
            end: end.certificate(&middle, |_| {}),
            root: own,
        }
    }

    fn object(&self, der: &[u8], attributes: Vec<(Tag, Value)>) -> UniqueIdentifier {
        let mut found = certificate::attributes(der).unwrap();
        found.extend(attributes);
        self.bench.object(Object::Certificate(x509(der)), found)
    }

    fn validate(&self, request: Request) -> ValidityIndicator {
        self.bench.run::<Validate>(V, request).unwrap().validity_indicator
    }

    fn reason(&self, request: Request) -> (ResultReason, ResultReason) {
        let failure = self.bench.run::<Validate>(V, request).unwrap_err();
        let operation = Some(Operation::Validate);
        (failure.reason_in(operation, V), failure.reason_in(operation, Version::V1_4))
    }

    fn revoke(&self, object: &UniqueIdentifier, code: RevocationReasonCode) {
        let revocation = revoke::Request {
            unique_identifier: Some(object.clone()),
            revocation_reason: RevocationReason { code, message: None },
            compromise_occurrence_date: None,
        };
        self.bench.run::<Revoke>(V, revocation).unwrap();
    }
}

fn x509(der: &[u8]) -> Certificate {
    Certificate { certificate_type: CertificateType::X509, certificate_value: Blob::copy_of(der) }
}

fn request(certificates: &[&[u8]], unique_identifiers: &[&UniqueIdentifier]) -> Request {
    Request {
        certificates: certificates.iter().map(|der| x509(der)).collect(),
        unique_identifiers: unique_identifiers.iter().map(|&identifier| identifier.clone()).collect(),
        validity_date: None,
    }
}

#[test]
fn both_lists_are_one_chain() {
    let house = House::new();
    let middle = house.object(&house.middle, vec![usage(Mask::VERIFY)]);
    let end = house.object(&house.end, Vec::new());
    for given in [
        request(&[&house.end, &house.middle, &house.root], &[]),
        request(&[&house.root, &house.end], &[&middle]),
        request(&[], &[&middle, &end]),
        request(&[&house.end], &[&end, &middle]),
    ] {
        assert_eq!(house.validate(given), ValidityIndicator::Valid);
    }
    assert_eq!(house.validate(request(&[&house.end], &[])), ValidityIndicator::Unknown);
    let stranger = Entity::new("CN=stranger");
    let other = stranger.authority(&stranger, None);
    assert_eq!(house.validate(request(&[&other], &[])), ValidityIndicator::Unknown);
    let pgp = Certificate { certificate_type: CertificateType::PGP, certificate_value: Blob::copy_of(b"pgp") };
    let illegible = Request { certificates: vec![pgp], ..request(&[], &[&end, &middle]) };
    assert_eq!(house.validate(illegible), ValidityIndicator::Unknown);
}

#[test]
fn the_date_is_now_unless_it_is_said() {
    let house = House::new();
    let at = |date| {
        let chain = request(&[&house.end, &house.middle], &[]);
        house.validate(Request { validity_date: Some(DateTime(date)), ..chain })
    };
    assert_eq!(at(NOW + DAY), ValidityIndicator::Valid);
    assert_eq!((at(NOW + DAY + 1), at(NOW - DAY - 1)), (ValidityIndicator::Invalid, ValidityIndicator::Invalid));
    house.bench.pass(DAY + 1);
    assert_eq!(house.validate(request(&[&house.end, &house.middle], &[])), ValidityIndicator::Invalid);
    assert_eq!(at(NOW), ValidityIndicator::Valid);
}

#[test]
fn the_life_of_a_managed_certificate_counts() {
    let house = House::new();
    let judge = |code| {
        let end = house.object(&house.end, Vec::new());
        house.revoke(&end, code);
        house.validate(request(&[&house.middle], &[&end]))
    };
    assert_eq!(judge(RevocationReasonCode::CessationOfOperation), ValidityIndicator::Invalid);
    // Also where the bytes are given, and the object is the requester's.
    let by_itself = request(&[&house.end, &house.middle], &[]);
    assert_eq!(house.validate(by_itself), ValidityIndicator::Invalid);
    // Before it was revoked it was good, unless somebody else has its key.
    let before = Request { validity_date: Some(DateTime(NOW - 1)), ..request(&[&house.end, &house.middle], &[]) };
    assert_eq!(house.validate(before), ValidityIndicator::Valid);
    assert_eq!(judge(RevocationReasonCode::KeyCompromise), ValidityIndicator::Invalid);
    let before = Request { validity_date: Some(DateTime(NOW - 1)), ..request(&[&house.end, &house.middle], &[]) };
    assert_eq!(house.validate(before), ValidityIndicator::Invalid);
    let house = House::new();
    let later = (Tag::ActivationDate, Value::DateTime(NOW + 9));
    let end = house.object(&house.end, vec![later]);
    assert_eq!(house.validate(request(&[&house.middle], &[&end])), ValidityIndicator::Invalid);
    house.bench.pass(9);
    assert_eq!(house.validate(request(&[&house.middle], &[&end])), ValidityIndicator::Valid);
}

#[test]
fn what_is_no_chain_is_refused() {
    let house = House::new();
    let invalid = (ResultReason::InvalidMessage, ResultReason::InvalidMessage);
    assert_eq!(house.reason(request(&[], &[])), invalid);
    let stranger = Entity::new("CN=stranger");
    let other = stranger.authority(&stranger, None);
    assert_eq!(house.reason(request(&[&house.end, &other], &[])), invalid);
    let garbled = (ResultReason::InvalidField, ResultReason::InvalidField);
    assert_eq!(house.reason(request(&[b"no certificate"], &[])), garbled);
    let nobody = UniqueIdentifier::Text("nobody".into());
    assert_eq!(house.reason(request(&[], &[&nobody])), (ResultReason::ObjectNotFound, ResultReason::ItemNotFound));
    let secret = house.bench.object(crate::view::testing::secret(b"s"), Vec::new());
    assert_eq!(house.reason(request(&[], &[&secret])), (ResultReason::InvalidObjectType, ResultReason::InvalidMessage));
    // One that may not verify others is in the place of one that does.
    let middle = house.object(&house.middle, Vec::new());
    let denied = (ResultReason::PermissionDenied, ResultReason::PermissionDenied);
    assert_eq!(house.reason(request(&[&house.end], &[&middle])), denied);
    assert_eq!(house.validate(request(&[], &[&middle])), ValidityIndicator::Valid);
    let gone = house.object(&house.end, Vec::new());
    house.revoke(&gone, RevocationReasonCode::Superseded);
    let destroy = crate::ops::activate::Request { unique_identifier: Some(gone.clone()) };
    house.bench.run::<crate::ops::destroy::Destroy>(V, destroy).unwrap();
    assert_eq!(house.reason(request(&[], &[&gone])).0, ResultReason::ObjectNotFound);
    let archived = house.object(&house.end, Vec::new());
    let archive = crate::ops::activate::Request { unique_identifier: Some(archived.clone()) };
    house.bench.run::<crate::ops::archive::Archive>(V, archive).unwrap();
    let archived = house.reason(request(&[], &[&archived]));
    assert_eq!(archived, (ResultReason::ObjectArchived, ResultReason::ObjectArchived));
}

#[test]
fn a_list_of_the_configuration_revokes() {
    let (root, end) = (Entity::new("CN=root"), Entity::new("CN=end"));
    let own = root.certificate(&root, |body| body.extensions = Some(authority(None).into_iter().take(1).collect()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crl.der");
    std::fs::write(&path, root.revocation_list(&[(1, NOW)], NOW, NOW + DAY, |_| {})).unwrap();
    let settings = Settings {
        anchors: vec![Anchor::new(own).unwrap()],
        revocation: Arc::new(RevocationLists::load(vec![path]).unwrap()),
        ..Settings::default()
    };
    let bench = Bench::with(settings, None);
    let end = end.certificate(&root, |_| {});
    let at = |date| {
        let request = Request { validity_date: Some(DateTime(date)), ..request(&[&end], &[]) };
        bench.run::<Validate>(V, request).unwrap().validity_indicator
    };
    assert_eq!((at(NOW), at(NOW - 1)), (ValidityIndicator::Invalid, ValidityIndicator::Valid));
}
