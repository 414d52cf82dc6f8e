//! Storage in software, clusters, hypervisors, backup.

use kmip_codec::spec::{Operation, ResultReason, State, Tag, Version};
use kmip_codec::{Element, Value};

use crate::harness::{Kmipd, served};
use crate::session::{Session, aes, attribute, b, e, i, identifier, key_block, named, s, t, text, x};

const ENCRYPT_DECRYPT: i32 = 0x0C;
/// Export, which 2.0 has no more.
const EXPORT: i32 = 0x40;

fn create(attributes: Vec<Element>) -> Vec<Element> {
    vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)]
}

fn version_of(version: Version) -> Element {
    s(
        Tag::ProtocolVersion,
        vec![i(Tag::ProtocolVersionMajor, version.major.into()), i(Tag::ProtocolVersionMinor, version.minor.into())],
    )
}

/// Ceph's object gateway: by name, never activated; it reads the operation of an answer.
#[test]
fn ceph_object_gateway() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_0);
    let mut attributes = aes(256, ENCRYPT_DECRYPT);
    attributes.push(named("bucket-7"));
    let key = session.ask(Operation::Create, create(attributes)).identifier();
    let found = session.ask(Operation::Locate, vec![named("bucket-7")]);
    assert_eq!(found.texts(Tag::UniqueIdentifier), [key.as_str()]);
    let got = session.ask(Operation::Get, vec![identifier(&key)]);
    assert_eq!((got.operation, got.identifier()), (Some(Operation::Get), key));
    assert_eq!(got.material(Tag::SymmetricKey).len(), 32);
    assert!(session.ask(Operation::Locate, vec![named("bucket")]).texts(Tag::UniqueIdentifier).is_empty());
}

/// ceph-csi: exactly one version to its list of one, marks even for a batch of one, the client's own IV.
#[test]
fn ceph_csi() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_4);
    session.marks = true;
    let versions = session.ask(Operation::DiscoverVersions, vec![version_of(Version::V1_4)]);
    assert_eq!(versions.all(Tag::ProtocolVersion), [version_of(Version::V1_4).value]);

    let key = session.ask(Operation::Create, create(aes(256, ENCRYPT_DECRYPT))).identifier();
    session.ask(Operation::Activate, vec![identifier(&key)]);
    let parameters = || {
        s(
            Tag::CryptographicParameters,
            vec![e(Tag::BlockCipherMode, 1_u32), e(Tag::PaddingMethod, 3_u32), e(Tag::CryptographicAlgorithm, 3_u32)],
        )
    };
    let (data, iv) = ([9; 40], [3; 16]);
    let fields = vec![identifier(&key), parameters(), x(Tag::Data, &data), x(Tag::IVCounterNonce, &iv)];
    let sealed = session.ask(Operation::Encrypt, fields);
    let sealed = sealed.bytes(Tag::Data);
    let fields = vec![identifier(&key), parameters(), x(Tag::Data, &sealed), x(Tag::IVCounterNonce, &iv)];
    assert_eq!(session.ask(Operation::Decrypt, fields).bytes(Tag::Data), data);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey).len(), 32);
}

fn rook(bits: i32) -> Vec<Element> {
    vec![
        e(Tag::ObjectType, 7_u32),
        s(Tag::TemplateAttribute, vec![attribute("Cryptographic Usage Mask", Value::Integer(EXPORT))]),
        s(
            Tag::SecretData,
            vec![e(Tag::SecretDataType, 1_u32), key_block(2, b"a passphrase of a disk", Some((3, bits)))],
        ),
    ]
}

/// Rook: a passphrase to export, destroyed without Revoke. Older ones say a length that is not the secret's, which the
/// configuration can allow.
#[test]
fn rook_keeps_passphrases() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_4);
    session.marks = true;
    session.ask(Operation::DiscoverVersions, vec![version_of(Version::V1_4)]);
    let secret = session.ask(Operation::Register, rook(176)).identifier();
    let got = session.ask(Operation::Get, vec![identifier(&secret)]);
    assert_eq!(got.material(Tag::SecretData), b"a passphrase of a disk");
    session.ask(Operation::Destroy, vec![identifier(&secret)]);
    assert_eq!(session.say(Operation::Get, vec![identifier(&secret)]).reason(), ResultReason::ItemNotFound);
    assert_eq!(session.say(Operation::Register, rook(22)).reason(), ResultReason::InvalidField);

    let folder = tempfile::tempdir().unwrap();
    let config = served(folder.path(), "[compatibility]\naccept_wrong_length = true\n");
    let kmipd = Kmipd::serve(&config);
    let mut session = Session::new(&kmipd, Version::V1_4);
    let secret = session.ask(Operation::Register, rook(22)).identifier();
    let got = session.ask(Operation::Get, vec![identifier(&secret)]);
    assert_eq!(got.material(Tag::SecretData), b"a passphrase of a disk");
}

/// OpenStack's Swift and Barbican send a user and a password that not every server knows.
#[test]
fn openstack() {
    let folder = tempfile::tempdir().unwrap();
    let config = served(folder.path(), "[compatibility]\nignore_credentials = true\n");
    let kmipd = Kmipd::serve(&config);
    let mut session = Session::new(&kmipd, Version::V1_1);
    let user = s(Tag::CredentialValue, vec![t(Tag::Username, "barbican"), t(Tag::Password, "secret")]);
    let credential = s(Tag::Credential, vec![e(Tag::CredentialType, 1_u32), user]);
    session.before = vec![s(Tag::Authentication, vec![credential])];
    let key = session.ask(Operation::Create, create(aes(256, ENCRYPT_DECRYPT))).identifier();
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey).len(), 32);
    session.ask(Operation::Destroy, vec![identifier(&key)]);
}

/// VMware vCenter: marks for single items, and attributes of its own added in a batch of three.
#[test]
fn vcenter() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_1);
    session.marks = true;
    let versions = session.ask(Operation::DiscoverVersions, Vec::new());
    assert!(versions.all(Tag::ProtocolVersion).contains(&version_of(Version::V1_1).value));
    session.ask(Operation::Query, vec![e(Tag::QueryFunction, 1_u32), e(Tag::QueryFunction, 2_u32)]);
    let key = session.ask(Operation::Create, create(aes(256, ENCRYPT_DECRYPT))).identifier();
    let own = [("x-Product_Version", "8.0"), ("x-Vendor", "VMware, Inc."), ("x-Product", "VMware vSphere")];
    let add = own.map(|(name, value)| (Operation::AddAttribute, vec![identifier(&key), attribute(name, text(value))]));
    let items = session.batch(add.to_vec());
    assert_eq!(items.len(), 3);
    for (item, (name, value)) in items.into_iter().zip(own) {
        assert_eq!(item.ok().attribute(name), text(value));
    }
    let asked = |names: &[&str]| {
        let names = names.iter().map(|name| t(Tag::AttributeName, name));
        [identifier(&key)].into_iter().chain(names).collect::<Vec<_>>()
    };
    let attributes = session.ask(Operation::GetAttributes, asked(&["x-Vendor", "x-Product", "State"]));
    assert_eq!(attributes.attribute("x-Vendor"), text("VMware, Inc."));
    assert_eq!(attributes.attribute("State"), Value::Enumeration(State::PreActive.0));
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey).len(), 32);
}

/// Veeam: both halves of a pair of keys, over sessions that resume.
#[test]
fn veeam() {
    let kmipd = Kmipd::dev();
    let client = kmipd.client();
    let mut session = Session::new(&kmipd, Version::V1_4);
    assert!(session.ask(Operation::Locate, vec![named("veeam-1")]).texts(Tag::UniqueIdentifier).is_empty());
    let common = s(
        Tag::CommonTemplateAttribute,
        vec![
            attribute("Cryptographic Algorithm", Value::Enumeration(4)),
            attribute("Cryptographic Length", Value::Integer(2048)),
        ],
    );
    let half =
        |tag, name: &str, mask| s(tag, vec![named(name), attribute("Cryptographic Usage Mask", Value::Integer(mask))]);
    let fields = vec![
        common,
        half(Tag::PrivateKeyTemplateAttribute, "veeam-1", 0x08),
        half(Tag::PublicKeyTemplateAttribute, "veeam-1-public", 0x04),
    ];
    let pair = session.ask(Operation::CreateKeyPair, fields);
    let halves = [
        (pair.text(Tag::PrivateKeyUniqueIdentifier), Tag::PrivateKey),
        (pair.text(Tag::PublicKeyUniqueIdentifier), Tag::PublicKey),
    ];
    for (key, tag) in &halves {
        session.ask(Operation::Activate, vec![identifier(key)]);
        assert!(!session.ask(Operation::Get, vec![identifier(key)]).material(*tag).is_empty());
    }
    let reason = s(Tag::RevocationReason, vec![e(Tag::RevocationReasonCode, 5_u32)]);
    for (key, _) in &halves {
        session.ask(Operation::Revoke, vec![identifier(key), reason.clone()]);
        session.ask(Operation::Destroy, vec![identifier(key)]);
    }
    let mut first = client.connect().unwrap();
    first.ask(&crate::harness::message()).unwrap();
    drop(first);
    let mut second = client.connect().unwrap();
    second.ask(&crate::harness::message()).unwrap();
    assert!(second.resumed());
}

/// Versions change from message to message on one connection; nothing of one is remembered for the next.
#[test]
fn versions_change_on_a_connection() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_0);
    let key = session.ask(Operation::Create, create(aes(128, ENCRYPT_DECRYPT))).identifier();
    for &version in Version::ALL.iter().rev().chain(Version::ALL) {
        session.speak(version);
        let got = session.ask(Operation::Get, vec![identifier(&key)]);
        assert_eq!(got.material(Tag::SymmetricKey).len(), 16);
    }
    session.before = vec![b(Tag::BatchOrderOption, true)];
    session.ask(Operation::Get, vec![identifier(&key)]);
}
