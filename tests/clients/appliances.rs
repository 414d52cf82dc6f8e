//! Storage arrays, firewalls, tape libraries and what else comes in a box.

use std::fs;

use kmip_codec::spec::{Operation, ResultReason, Tag, Version};
use kmip_codec::{Element, Value};

use crate::harness::{Client, Kmipd, openssl, served};
use crate::session::{Session, aes, attribute, e, i, identifier, key_block, named, s, t, text};

const ENCRYPT_DECRYPT: i32 = 0x0C;

/// Synology's DSM: a volume's secret with an Operation Policy Name, renamed before it is activated.
#[test]
fn synology_dsm() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_2);
    session.ask(Operation::Query, vec![e(Tag::QueryFunction, 1_u32), e(Tag::QueryFunction, 3_u32)]);
    assert!(session.ask(Operation::Locate, vec![named("volume-1")]).texts(Tag::UniqueIdentifier).is_empty());
    let attributes = vec![
        named("temporary"),
        attribute("Cryptographic Usage Mask", Value::Integer(0)),
        attribute("Operation Policy Name", text("default")),
    ];
    let fields = vec![
        e(Tag::ObjectType, 7_u32),
        s(Tag::TemplateAttribute, attributes),
        s(Tag::SecretData, vec![e(Tag::SecretDataType, 1_u32), key_block(2, b"machine key", None)]),
    ];
    let secret = session.ask(Operation::Register, fields).identifier();
    let renamed = session.ask(Operation::ModifyAttribute, vec![identifier(&secret), named("volume-1")]);
    assert_eq!(renamed.attribute("Name").find(Tag::NameValue), Some(&text("volume-1")));
    session.ask(Operation::Activate, vec![identifier(&secret)]);
    let names = session.ask(Operation::GetAttributeList, vec![identifier(&secret)]).texts(Tag::AttributeName);
    for name in ["Name", "State", "Object Type", "Operation Policy Name", "Unique Identifier"] {
        assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
    }
    let asked = vec![identifier(&secret), t(Tag::AttributeName, "Operation Policy Name")];
    let policy = session.ask(Operation::GetAttributes, asked);
    assert_eq!(policy.attribute("Operation Policy Name"), text("default"));
    let found = session.ask(Operation::Locate, vec![named("volume-1")]).texts(Tag::UniqueIdentifier);
    assert_eq!(found, [secret.as_str()]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&secret)]).material(Tag::SecretData), b"machine key");
    let reason = s(Tag::RevocationReason, vec![e(Tag::RevocationReasonCode, 1_u32)]);
    session.ask(Operation::Revoke, vec![identifier(&secret), reason]);
    session.ask(Operation::Destroy, vec![identifier(&secret)]);
}

/// FortiGate puts what it looks for into a Template-Attribute, which Locate has not: refused, unless the configuration
/// takes it.
#[test]
fn fortigate() {
    let locate = |name: &str| -> (Operation, Vec<Element>) {
        (Operation::Locate, vec![s(Tag::TemplateAttribute, vec![named(name)])])
    };
    let strict = Kmipd::dev();
    let mut session = Session::new(&strict, Version::V1_0);
    let refused = session.say(Operation::Locate, locate("vpn-1").1);
    assert_eq!(refused.reason(), ResultReason::InvalidField);

    let folder = tempfile::tempdir().unwrap();
    let more = "[compatibility]\nlocate_by_template_attribute = true\nignore_credentials = true\n";
    let kmipd = Kmipd::serve(&served(folder.path(), more));
    let mut session = Session::new(&kmipd, Version::V1_0);
    let user = s(Tag::CredentialValue, vec![t(Tag::Username, "fortigate"), t(Tag::Password, "secret")]);
    let credential = s(Tag::Credential, vec![e(Tag::CredentialType, 1_u32), user]);
    session.before = vec![s(Tag::Authentication, vec![credential])];
    let mut keys = Vec::new();
    for name in ["vpn-1", "vpn-2"] {
        let mut attributes = aes(256, ENCRYPT_DECRYPT);
        attributes.push(named(name));
        let fields = vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)];
        keys.push(session.ask(Operation::Create, fields).identifier());
    }
    // Names match as a whole.
    let items = session.batch(vec![locate("vpn-1"), locate("vpn-2")]);
    for (item, key) in items.into_iter().zip(&keys) {
        assert_eq!(item.ok().texts(Tag::UniqueIdentifier), [key.as_str()]);
    }
    assert!(session.batch(vec![locate("vpn")]).remove(0).ok().texts(Tag::UniqueIdentifier).is_empty());
    let get = keys.iter().map(|key| (Operation::Get, vec![identifier(key)])).collect();
    for item in session.batch(get) {
        assert_eq!(item.ok().material(Tag::SymmetricKey).len(), 32);
    }
}

/// NetApp's ONTAP: a key a volume, with attributes of its own, by name and group.
#[test]
fn ontap() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_1);
    let mut attributes = aes(256, ENCRYPT_DECRYPT);
    attributes.extend([named("vol-1"), attribute("Object Group", text("cluster-1"))]);
    attributes.push(attribute("x-NETAPP-ClusterName", text("cluster-1")));
    let fields = vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)];
    let key = session.ask(Operation::Create, fields).identifier();
    let wanted = vec![attribute("x-NETAPP-ClusterName", text("cluster-1"))];
    assert_eq!(session.ask(Operation::Locate, wanted).texts(Tag::UniqueIdentifier), [key.as_str()]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey).len(), 32);
}

/// Tape libraries and self-encrypting drives of every age: the same key, found by the data of its cartridge or its
/// drive.
#[test]
fn tape_libraries_and_drives() {
    let kmipd = Kmipd::dev();
    for version in [Version::V1_0, Version::V1_1, Version::V1_2, Version::V1_3, Version::V1_4] {
        let mut session = Session::new(&kmipd, version);
        let cartridge = format!("40000000AB{version}");
        let application = |data: Option<&str>| {
            let mut fields = vec![t(Tag::ApplicationNamespace, "LIBRARY-LTO")];
            fields.extend(data.map(|data| t(Tag::ApplicationData, data)));
            attribute("Application Specific Information", Value::Structure(fields))
        };
        let mut attributes = aes(256, ENCRYPT_DECRYPT);
        attributes.push(application(Some(&cartridge)));
        attributes.push(attribute("x-Barcode", text("CUP012L5")));
        attributes.push(attribute(
            "Name",
            Value::Structure(vec![t(Tag::NameValue, &format!("library {version}")), e(Tag::NameType, 1_u32)]),
        ));
        let fields = vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)];
        let key = session.ask(Operation::Create, fields).identifier();
        let found = session.ask(Operation::Locate, vec![application(Some(&cartridge))]);
        assert_eq!(found.texts(Tag::UniqueIdentifier), [key.as_str()]);
        let newest = session.ask(Operation::Locate, vec![i(Tag::MaximumItems, 1), application(None)]);
        assert_eq!(newest.texts(Tag::UniqueIdentifier), [key.as_str()]);
        assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey).len(), 32);
        // Thirty attributes of its own, of three types, with long names and values.
        for number in 0..30_i32 {
            let name = format!("x-{}-{number:02}", "n".repeat(60));
            let value = match number % 3 {
                0 => text(&"v".repeat(256)),
                1 => Value::Integer(number),
                _ => Value::DateTime(1_700_000_000),
            };
            let added = session.ask(Operation::AddAttribute, vec![identifier(&key), attribute(&name, value.clone())]);
            assert_eq!(added.attribute(&name), value);
        }
    }
}

/// VAST Data: everything in POSTs to /kmip. A key is found by the attribute that it got after it was made, watched every
/// minute, and replaced; the old key stays in use.
#[test]
fn vast_data() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut session = Session::posts(&kmipd, Version::V1_4);
    let ours = Value::Structure(vec![i(Tag::ProtocolVersionMajor, 1), i(Tag::ProtocolVersionMinor, 4)]);
    assert!(session.ask(Operation::DiscoverVersions, Vec::new()).all(Tag::ProtocolVersion).contains(&ours));
    let mut attributes = aes(256, ENCRYPT_DECRYPT);
    attributes.push(named("tenant-1"));
    let fields = vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)];
    let key = session.ask(Operation::Create, fields).identifier();
    let mark = || attribute("x-vast-guid", text("tenant-1-guid"));
    session.ask(Operation::AddAttribute, vec![identifier(&key), mark()]);
    session.ask(Operation::Activate, vec![identifier(&key)]);
    let found = session.ask(Operation::Locate, vec![mark()]).texts(Tag::UniqueIdentifier);
    assert_eq!(found, [key.as_str()]);
    let material = session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey);
    let state = |session: &mut Session, key: &str| {
        session.ask(Operation::GetAttributes, vec![identifier(key), t(Tag::AttributeName, "State")]).attribute("State")
    };
    let active = Value::Enumeration(2);
    assert_eq!(state(&mut session, &key), active);
    let new = session.ask(Operation::ReKey, vec![identifier(&key)]).identifier();
    assert_eq!([state(&mut session, &key), state(&mut session, &new)], [active.clone(), active]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey), material);
    assert_ne!(session.ask(Operation::Get, vec![identifier(&new)]).material(Tag::SymmetricKey), material);
    let reason = || s(Tag::RevocationReason, vec![e(Tag::RevocationReasonCode, 6_u32)]);
    session.ask(Operation::Revoke, vec![identifier(&key), reason()]);
    session.ask(Operation::Destroy, vec![identifier(&key)]);
    assert_eq!(session.say(Operation::Get, vec![identifier(&key)]).reason(), ResultReason::ItemNotFound);
}

/// Dell's iDRAC: the key of its certificate never leaves the device, and the server's side signs its certificate request.
/// Then it has a key for each set of drives.
#[test]
fn idrac() {
    let kmipd = Kmipd::dev();
    let device = tempfile::tempdir().unwrap();
    let device = device.path();
    openssl(device, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out device.key");
    openssl(device, "req -new -key device.key -subj /CN=idrac-7C2F -out device.csr");
    for file in ["ca.pem", "ca.key"] {
        fs::copy(kmipd.dir.join(file), device.join(file)).unwrap();
    }
    fs::write(device.join("version-3"), "basicConstraints = CA:FALSE\n").unwrap();
    openssl(
        device,
        "x509 -req -in device.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile version-3 -out device.pem",
    );
    let read = |file: &str| fs::read_to_string(device.join(file)).unwrap();
    let client = || Client::new(kmipd.address, &read("ca.pem"), Some((&read("device.pem"), &read("device.key"))));
    let mut session = Session::of(client(), Version::V1_2);
    let mut attributes = aes(256, ENCRYPT_DECRYPT);
    attributes.push(named("7C2F-drives"));
    let fields = vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)];
    let key = session.ask(Operation::Create, fields).identifier();
    session.ask(Operation::Activate, vec![identifier(&key)]);
    let material = session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey);
    // After a start it looks for it again, on a new connection.
    let mut session = Session::of(client(), Version::V1_2);
    let found = session.ask(Operation::Locate, vec![named("7C2F-drives")]).texts(Tag::UniqueIdentifier);
    assert_eq!(found, [key.as_str()]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey), material);
    // It is the identity of the request: nobody else's.
    assert!(Session::new(&kmipd, Version::V1_2).ask(Operation::Locate, vec![]).texts(Tag::UniqueIdentifier).is_empty());
}
