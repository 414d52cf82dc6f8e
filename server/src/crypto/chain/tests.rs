use x509_cert::certificate::TbsCertificate;
use x509_cert::der::Any;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Validity as Dates;

use super::*;
use crate::crypto::algorithm::{Edwards, ParameterSet};
use crate::crypto::testing::{DAY, Entity, authority, extension, raw_extension, time};
use crate::view::testing::NOW;

const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
const PSS: &str = "1.2.840.113549.1.1.10";

/// A root, an authority below it, and an end.
struct House {
    root: Entity,
    middle: Entity,
    end: Entity,
}

impl House {
    fn new() -> Self {
        Self { root: Entity::new("CN=root"), middle: Entity::new("CN=middle"), end: Entity::new("CN=end") }
    }

    fn root(&self) -> Vec<u8> {
        self.root.authority(&self.root, None)
    }

    fn middle(&self) -> Vec<u8> {
        self.middle.authority(&self.root, None)
    }

    fn end(&self) -> Vec<u8> {
        self.end.certificate(&self.middle, |_| {})
    }

    /// What is found of certificates, with the root trusted.
    fn judge(&self, chain: &[Vec<u8>]) -> Validity {
        judge(chain, &[Anchor::new(self.root()).unwrap()])
    }
}

fn linked(chain: &[Vec<u8>]) -> Vec<Linked> {
    chain.iter().map(|der| Linked::new(der.clone()).unwrap()).collect()
}

fn judge(chain: &[Vec<u8>], anchors: &[Anchor]) -> Validity {
    validate(&order(linked(chain)).expect("no chain"), anchors, NOW)
}

#[test]
fn any_order_is_that_of_the_chain() {
    let house = House::new();
    let expected = linked(&[house.end(), house.middle(), house.root()]);
    let [end, middle, root] = [&expected[0], &expected[1], &expected[2]].map(|linked| linked.der().to_vec());
    for mixed in [[&root, &end, &middle], [&middle, &root, &end], [&end, &middle, &root], [&root, &middle, &end]] {
        let mixed: Vec<Vec<u8>> = mixed.into_iter().cloned().collect();
        assert_eq!(order(linked(&mixed)).as_ref(), Some(&expected));
    }
    let twice = [end.clone(), middle.clone(), end.clone(), root.clone()];
    assert_eq!(order(linked(&twice)), Some(expected));
    // Two ends, and one that belongs to none of them.
    let other = house.end.named("CN=other").certificate(&house.middle, |_| {});
    assert_eq!(order(linked(&[end.clone(), other, middle.clone()])), None);
    let stranger = Entity::new("CN=stranger");
    assert_eq!(order(linked(&[end, middle, stranger.authority(&stranger, None)])), None);
    assert_eq!(order(Vec::new()), None);
}

#[test]
fn of_issuers_of_one_name_the_one_that_signed_is_in_the_chain() {
    let house = House::new();
    // The same name with another key, as after a renewal: which one has certified the end says the signature.
    let former = Entity::new("CN=middle");
    let end = house.end();
    let both = linked(&[former.authority(&house.root, None), end.clone(), house.middle()]);
    assert_eq!(order(both), None);
    let one = linked(&[end.clone(), former.authority(&house.root, None)]);
    assert_eq!(validate(&order(one).unwrap(), &[Anchor::new(house.root()).unwrap()], NOW), Validity::Invalid);
    assert_eq!(house.judge(&[end, house.middle()]), Validity::Valid);
}

#[test]
fn a_chain_is_as_good_as_where_it_ends() {
    let house = House::new();
    assert_eq!(house.judge(&[house.end(), house.middle(), house.root()]), Validity::Valid);
    assert_eq!(house.judge(&[house.end(), house.middle()]), Validity::Valid);
    assert_eq!(house.judge(&[house.root()]), Validity::Valid);
    assert_eq!(house.judge(&[house.end()]), Validity::Unknown);
    assert_eq!(judge(&[house.end(), house.middle(), house.root()], &[]), Validity::Unknown);
    let between = [Anchor::new(house.middle()).unwrap()];
    assert_eq!(judge(&[house.end()], &between), Validity::Valid);
    // Another one of the same name is not the one that is trusted.
    let other = Entity::new("CN=root");
    let below = house.middle.authority(&other, None);
    assert_eq!(house.judge(&[house.end(), below.clone()]), Validity::Invalid);
    assert_eq!(house.judge(&[house.end(), below, other.authority(&other, None)]), Validity::Invalid);
    let ours = Anchor::new(house.end());
    assert_eq!(ours.unwrap_err().reason, kmip_codec::spec::ResultReason::InvalidField);
}

#[test]
fn a_root_that_nobody_trusts_must_be_its_own() {
    let house = House::new();
    let forged = house.root.authority(&Entity::new("CN=root"), None);
    assert_eq!(judge(&[house.end(), house.middle(), forged], &[]), Validity::Invalid);
}

#[test]
fn signatures_count() {
    let house = House::new();
    let mut broken = house.end();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    assert_eq!(house.judge(&[broken, house.middle()]), Validity::Invalid);
    // The algorithm within and the one without are the same (RFC 5280 §4.1.1.2).
    let other = house.end.certificate(&house.middle, |body| {
        body.signature.oid = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
    });
    assert_eq!(house.judge(&[other, house.middle()]), Validity::Invalid);
}

#[test]
fn signatures_by_rsa() {
    let end = Entity::new("CN=end");
    let judge = |scheme, oid| {
        let root = Entity::rsa("CN=root", 2048, scheme, oid);
        let own = root.authority(&root, None);
        judge(&[end.certificate(&root, |_| {}), own.clone()], &[Anchor::new(own).unwrap()])
    };
    assert_eq!(judge(Signature::RsaPkcs1(Hash::Sha256), SHA256_WITH_RSA), Validity::Valid);
    let pss = Signature::RsaPss { hash: Hash::Sha256, mgf: Hash::Sha256, salt: 32 };
    assert_eq!(judge(pss, PSS), Validity::Valid);
    assert_eq!(judge(Signature::RsaPkcs1(Hash::Sha3_384), "2.16.840.1.101.3.4.3.15"), Validity::Valid);
    // Not what its parameters say.
    let other = Signature::RsaPss { hash: Hash::Sha256, mgf: Hash::Sha256, salt: 20 };
    assert_eq!(judge(other, PSS), Validity::Invalid);
    // A hash that others can find a twin for proves nothing.
    assert_eq!(judge(Signature::RsaPkcs1(Hash::Sha1), "1.2.840.113549.1.1.5"), Validity::Unknown);
}

#[test]
fn dates_count_for_every_certificate() {
    let house = House::new();
    let late = |body: &mut TbsCertificate| {
        body.validity = Dates { not_before: time(NOW + 1), not_after: time(NOW + DAY) };
    };
    let early = |body: &mut TbsCertificate| {
        body.validity = Dates { not_before: time(NOW - DAY), not_after: time(NOW - 1) };
    };
    for certificate in [house.end.certificate(&house.middle, late), house.end.certificate(&house.middle, early)] {
        assert_eq!(house.judge(&[certificate, house.middle()]), Validity::Invalid);
    }
    let middle = house.middle.certificate(&house.root, |body| {
        early(body);
        body.extensions = Some(authority(None));
    });
    assert_eq!(house.judge(&[house.end(), middle]), Validity::Invalid);
    // The very seconds belong to it.
    let edge = |body: &mut TbsCertificate| body.validity = Dates { not_before: time(NOW), not_after: time(NOW) };
    assert_eq!(house.judge(&[house.end.certificate(&house.middle, edge), house.middle()]), Validity::Valid);
    let old = house.root.certificate(&house.root, |body| {
        early(body);
        body.extensions = Some(authority(None));
    });
    assert_eq!(judge(&[house.end(), house.middle()], &[Anchor::new(old).unwrap()]), Validity::Invalid);
}

#[test]
fn only_an_authority_certifies() {
    let house = House::new();
    let with = |extensions| {
        let middle = house.middle.certificate(&house.root, |body| body.extensions = extensions);
        house.judge(&[house.end(), middle])
    };
    let ca = |ca| extension(&BasicConstraints { ca, path_len_constraint: None }, true);
    assert_eq!(with(None), Validity::Invalid);
    assert_eq!(with(Some(vec![ca(false)])), Validity::Invalid);
    assert_eq!(with(Some(vec![ca(true)])), Validity::Valid);
    let signs = extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true);
    assert_eq!(with(Some(vec![ca(true), signs])), Validity::Invalid);
    let garbled = raw_extension(BasicConstraints::OID, true, &[1]);
    assert_eq!(with(Some(vec![garbled])), Validity::Invalid);
}

/// RFC 9881 §5, RFC 9909 §5, RFC 9935 §5.
#[test]
fn a_key_has_no_uses_but_those_of_its_algorithm() {
    let house = House::new();
    let of = |set, usage| {
        let end = Entity::pure("CN=end", KeyKind::PostQuantum { set }, Signature::MlDsa, "2.16.840.1.101.3.4.3.18");
        let said = extension(&KeyUsage(usage), true);
        house.judge(&[end.certificate(&house.middle, |body| body.extensions = Some(vec![said])), house.middle()])
    };
    let both = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
    for set in [ParameterSet::MlDsa65, ParameterSet::SlhDsaSha2_128f] {
        assert_eq!(of(set, KeyUsages::DigitalSignature | KeyUsages::NonRepudiation), Validity::Valid, "{set:?}");
        assert_eq!(of(set, both), Validity::Invalid, "{set:?}");
        assert_eq!(of(set, KeyUsages::KeyAgreement.into()), Validity::Invalid, "{set:?}");
    }
    assert_eq!(of(ParameterSet::MlKem768, KeyUsages::KeyEncipherment.into()), Validity::Valid);
    for wrong in [both, KeyUsages::KeyEncipherment | KeyUsages::DataEncipherment, KeyUsages::KeyAgreement.into()] {
        assert_eq!(of(ParameterSet::MlKem768, wrong), Validity::Invalid);
    }
}

#[test]
fn a_path_is_no_longer_than_it_may_be() {
    let house = House::new();
    let lower = Entity::new("CN=lower");
    let below = lower.authority(&house.middle, None);
    let end = house.end.certificate(&lower, |_| {});
    let through = |between| house.judge(&[end.clone(), below.clone(), house.middle.authority(&house.root, between)]);
    assert_eq!(through(Some(1)), Validity::Valid);
    assert_eq!(through(Some(0)), Validity::Invalid);
    let short = [Anchor::new(house.root.authority(&house.root, Some(1))).unwrap()];
    assert_eq!(judge(&[end.clone(), below.clone(), house.middle()], &short), Validity::Invalid);
    assert_eq!(judge(&[house.end(), house.middle()], &short), Validity::Valid);
    let root = house.root.authority(&house.root, Some(1));
    assert_eq!(judge(&[end, below, house.middle(), root], &short), Validity::Invalid);
}

#[test]
fn what_one_must_know_and_does_not_leaves_the_answer_open() {
    let house = House::new();
    let with = |critical| {
        let constraints = raw_extension(ObjectIdentifier::new_unwrap("2.5.29.30"), critical, &[0x30, 0]);
        let end = house.end.certificate(&house.middle, |body| body.extensions = Some(vec![constraints]));
        house.judge(&[end, house.middle()])
    };
    assert_eq!((with(true), with(false)), (Validity::Unknown, Validity::Valid));
}

/// Keys whose signatures have the name of the key itself, and another one of the same family.
const OWN: [(KeyKind, Signature, &str, KeyKind); 5] = [
    (ED25519, Signature::Eddsa, "1.3.101.112", ED448),
    (ED448, Signature::Eddsa, "1.3.101.113", ED25519),
    (of_set(ParameterSet::MlDsa44), Signature::MlDsa, "2.16.840.1.101.3.4.3.17", of_set(ParameterSet::MlDsa65)),
    (of_set(ParameterSet::MlDsa87), Signature::MlDsa, "2.16.840.1.101.3.4.3.19", of_set(ParameterSet::MlDsa44)),
    (SLH, Signature::SlhDsa, "2.16.840.1.101.3.4.3.21", of_set(ParameterSet::SlhDsaSha2_192f)),
];
const ED25519: KeyKind = KeyKind::Edwards { curve: Edwards::Ed25519 };
const ED448: KeyKind = KeyKind::Edwards { curve: Edwards::Ed448 };
const SLH: KeyKind = of_set(ParameterSet::SlhDsaSha2_128f);

const fn of_set(set: ParameterSet) -> KeyKind {
    KeyKind::PostQuantum { set }
}

#[test]
fn chains_of_keys_that_say_how_they_sign() {
    for (kind, scheme, oid, other) in OWN {
        let entity = |name: &str| Entity::pure(name, kind, scheme, oid);
        let house = House { root: entity("CN=root"), middle: entity("CN=middle"), end: Entity::new("CN=end") };
        let chain = [house.end(), house.middle(), house.root()];
        assert_eq!(house.judge(&chain), Validity::Valid, "{kind:?}");
        // The last bytes of a certificate are those of its signature.
        for which in [0, 1] {
            let mut changed = chain.clone();
            *changed[which].last_mut().unwrap() ^= 1;
            assert_eq!(house.judge(&changed), Validity::Invalid, "{kind:?}");
        }
        // Parameters, where there are none; and a signature that is called what the key of another is.
        let with = |change: &dyn Fn(&mut AlgorithmIdentifierOwned)| {
            let mut end = Certificate::from_der(&house.end()).unwrap();
            change(&mut end.signature_algorithm);
            change(&mut end.tbs_certificate.signature);
            house.judge(&[end.to_der().unwrap(), house.middle(), house.root()])
        };
        assert_eq!(with(&|algorithm| algorithm.parameters = Some(Any::null())), Validity::Invalid);
        let named = ObjectIdentifier::new(&crate::crypto::keyformat::signer_oid(other).unwrap()).unwrap();
        assert_eq!(with(&|algorithm| algorithm.oid = named), Validity::Invalid);
    }
}
