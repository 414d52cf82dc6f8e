//! Databases.

use kmip_codec::Value;
use kmip_codec::spec::{Operation, ResultReason, State, Tag, Version};

use crate::harness::Kmipd;
use crate::session::{Session, aes, attribute, b, d, e, i, identifier, key_block, named, s, t, text, x};

const ENCRYPT_DECRYPT: i32 = 0x0C;

/// Secret Data as drivers register it: a Seed in the format Opaque, without algorithm and length.
fn seed(material: &[u8]) -> Vec<kmip_codec::Element> {
    vec![
        e(Tag::ObjectType, 7_u32),
        s(Tag::TemplateAttribute, vec![attribute("Cryptographic Usage Mask", Value::Integer(0))]),
        s(Tag::SecretData, vec![e(Tag::SecretDataType, 2_u32), key_block(2, material, None)]),
    ]
}

fn create(attributes: Vec<kmip_codec::Element>) -> Vec<kmip_codec::Element> {
    vec![e(Tag::ObjectType, 2_u32), s(Tag::TemplateAttribute, attributes)]
}

fn state(session: &mut Session, key: &str) -> Value {
    let asked = vec![identifier(key), t(Tag::AttributeName, "State")];
    session.ask(Operation::GetAttributes, asked).attribute("State")
}

/// MongoDB's drivers, for encryption in the client: a secret of 96 bytes without a use, or a key that stays here.
#[test]
fn mongodb_drivers() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_0);
    let material: Vec<u8> = (0..96).collect();
    let secret = session.ask(Operation::Register, seed(&material)).identifier();
    let activated = session.ask(Operation::Activate, vec![identifier(&secret)]);
    assert_eq!(activated.identifier(), secret);
    let got = session.ask(Operation::Get, vec![identifier(&secret)]);
    assert_eq!(got.material(Tag::SecretData), material);

    // Delegated, on the same connection: the server makes the IV, and it comes back.
    session.speak(Version::V1_2);
    let key = session.ask(Operation::Create, create(aes(256, ENCRYPT_DECRYPT))).identifier();
    session.ask(Operation::Activate, vec![identifier(&key)]);
    let parameters = s(
        Tag::CryptographicParameters,
        vec![
            e(Tag::BlockCipherMode, 1_u32),
            e(Tag::PaddingMethod, 3_u32),
            e(Tag::CryptographicAlgorithm, 3_u32),
            b(Tag::RandomIV, true),
        ],
    );
    let sealed = session.ask(Operation::Encrypt, vec![identifier(&key), parameters, x(Tag::Data, &material)]);
    let (data, iv) = (sealed.bytes(Tag::Data), sealed.bytes(Tag::IVCounterNonce));
    assert_eq!((data.len(), iv.len()), (112, 16));
    let parameters = s(
        Tag::CryptographicParameters,
        vec![e(Tag::BlockCipherMode, 1_u32), e(Tag::PaddingMethod, 3_u32), e(Tag::CryptographicAlgorithm, 3_u32)],
    );
    let fields = vec![identifier(&key), parameters, x(Tag::Data, &data), x(Tag::IVCounterNonce, &iv)];
    assert_eq!(session.ask(Operation::Decrypt, fields).bytes(Tag::Data), material);
}

/// MongoDB's server: a master key that is got at every start, and whose state is polled.
#[test]
fn mongodb_server() {
    let kmipd = Kmipd::dev();
    for version in [Version::V1_0, Version::V1_1, Version::V1_2] {
        let mut session = Session::hasty(&kmipd, version);
        let key = session.ask(Operation::Create, create(aes(256, ENCRYPT_DECRYPT))).identifier();
        session.ask(Operation::Activate, vec![identifier(&key)]);
        let first = session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey);
        assert_eq!(first.len(), 32);
        for _ in 0..2 {
            assert_eq!(state(&mut session, &key), Value::Enumeration(State::Active.0));
        }
        assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey), first);
    }
}

/// Percona Server for MongoDB: a header with Maximum Response Size and Time Stamp, and Item Not Found for what is absent.
#[test]
fn percona_server_for_mongodb() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_0);
    session.before = vec![i(Tag::MaximumResponseSize, 8192), d(Tag::TimeStamp, crate::harness::kmip::now())];
    let material = [0x5A; 32];
    let mask = attribute("Cryptographic Usage Mask", Value::Integer(ENCRYPT_DECRYPT));
    let fields = vec![
        e(Tag::ObjectType, 2_u32),
        s(Tag::TemplateAttribute, vec![mask]),
        s(Tag::SymmetricKey, vec![key_block(1, &material, Some((3, 256)))]),
    ];
    let key = session.ask(Operation::Register, fields).identifier();
    session.ask(Operation::Activate, vec![identifier(&key)]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey), material);
    assert_eq!(state(&mut session, &key), Value::Enumeration(State::Active.0));
    for operation in [Operation::Get, Operation::GetAttributes] {
        let absent = session.say(operation, vec![identifier("1234567")]);
        assert_eq!(absent.reason(), ResultReason::ItemNotFound);
    }
}

/// Percona's pg_tde: found by type and name, never activated, and a connection for every message.
#[test]
fn pg_tde() {
    let kmipd = Kmipd::dev();
    let mut session = Session::hasty(&kmipd, Version::V1_4);
    let find = |session: &mut Session| {
        let kind = attribute("Object Type", Value::Enumeration(2));
        let found = session.ask(Operation::Locate, vec![i(Tag::MaximumItems, 16), kind, named("principal-key-1")]);
        found.texts(Tag::UniqueIdentifier)
    };
    assert_eq!(find(&mut session), Vec::<String>::new());
    let material = [0x11; 16];
    let mask = attribute("Cryptographic Usage Mask", Value::Integer(ENCRYPT_DECRYPT));
    let fields = vec![
        e(Tag::ObjectType, 2_u32),
        s(Tag::TemplateAttribute, vec![named("principal-key-1"), mask]),
        s(Tag::SymmetricKey, vec![key_block(1, &material, Some((3, 128)))]),
    ];
    let key = session.ask(Operation::Register, fields).identifier();
    assert_eq!(find(&mut session), [key.as_str()]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey), material);
    assert_eq!(state(&mut session, &key), Value::Enumeration(State::PreActive.0));
}

/// The keyring of MySQL and Percona Server: at its start it reads every key of its group, one after the other.
#[test]
fn mysql_keyring() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_1);
    let group = || attribute("Object Group", text("mysql-1"));
    for number in 0..20_u8 {
        let fields = vec![
            e(Tag::ObjectType, 2_u32),
            s(
                Tag::TemplateAttribute,
                vec![
                    named(&format!("INNODBKey-{number}")),
                    group(),
                    attribute("Cryptographic Usage Mask", Value::Integer(ENCRYPT_DECRYPT)),
                ],
            ),
            s(Tag::SymmetricKey, vec![key_block(1, &[number; 32], Some((3, 256)))]),
        ];
        let key = session.ask(Operation::Register, fields).identifier();
        session.ask(Operation::Activate, vec![identifier(&key)]);
    }
    let all = session.ask(Operation::Locate, Vec::new()).texts(Tag::UniqueIdentifier);
    let mine = session.ask(Operation::Locate, vec![group()]).texts(Tag::UniqueIdentifier);
    assert_eq!((mine.len(), &mine), (20, &all));
    // The newest first.
    for (number, key) in (0..20_u8).rev().zip(&mine) {
        let got = session.ask(Operation::Get, vec![identifier(key)]);
        assert_eq!(got.material(Tag::SymmetricKey), [number; 32]);
        let name = session.ask(Operation::GetAttributes, vec![identifier(key), t(Tag::AttributeName, "Name")]);
        assert_eq!(name.attribute("Name").find(Tag::NameValue), Some(&text(&format!("INNODBKey-{number}"))));
    }
    let first = mine.last().unwrap();
    let refused = session.say(Operation::Destroy, vec![identifier(first)]);
    assert_eq!(refused.reason(), ResultReason::PermissionDenied);
    let reason = s(Tag::RevocationReason, vec![e(Tag::RevocationReasonCode, 5_u32)]);
    session.ask(Operation::Revoke, vec![identifier(first), reason]);
    session.ask(Operation::Destroy, vec![identifier(first)]);
    let left = session.ask(Operation::Locate, vec![group()]).texts(Tag::UniqueIdentifier);
    assert_eq!(left.len(), 19);
}

/// EDB's TDE: the data key is encrypted here, with an IV of the client; one variant keeps the IV before the ciphertext.
#[test]
fn edb_tde() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V2_1);
    let attributes = s(
        Tag::Attributes,
        vec![
            e(Tag::CryptographicAlgorithm, 3_u32),
            i(Tag::CryptographicLength, 256),
            i(Tag::CryptographicUsageMask, ENCRYPT_DECRYPT),
        ],
    );
    let key = session.ask(Operation::Create, vec![e(Tag::ObjectType, 2_u32), attributes]).identifier();
    session.ask(Operation::Activate, vec![identifier(&key)]);
    let parameters = || {
        s(
            Tag::CryptographicParameters,
            vec![e(Tag::BlockCipherMode, 1_u32), e(Tag::PaddingMethod, 3_u32), e(Tag::CryptographicAlgorithm, 3_u32)],
        )
    };
    let (data, iv) = (b"the data key of a cluster", [7; 16]);
    let fields = vec![identifier(&key), parameters(), x(Tag::Data, data), x(Tag::IVCounterNonce, &iv)];
    let sealed = session.ask(Operation::Encrypt, fields).bytes(Tag::Data);
    let kept = [&iv[..], &sealed].concat();
    let (iv, sealed) = kept.split_at(16);
    let fields = vec![identifier(&key), parameters(), x(Tag::Data, sealed), x(Tag::IVCounterNonce, iv)];
    assert_eq!(session.ask(Operation::Decrypt, fields).bytes(Tag::Data), data);
}

/// InterSystems IRIS: finds its keys, gets them, destroys them.
#[test]
fn iris() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V2_0);
    let name = s(Tag::Name, vec![t(Tag::NameValue, "iris-1"), e(Tag::NameType, 1_u32)]);
    let attributes = s(
        Tag::Attributes,
        vec![
            name.clone(),
            e(Tag::CryptographicAlgorithm, 3_u32),
            i(Tag::CryptographicLength, 256),
            i(Tag::CryptographicUsageMask, ENCRYPT_DECRYPT),
        ],
    );
    let key = session.ask(Operation::Create, vec![e(Tag::ObjectType, 2_u32), attributes]).identifier();
    let find = vec![s(Tag::Attributes, vec![e(Tag::ObjectType, 2_u32), name])];
    assert_eq!(session.ask(Operation::Locate, find.clone()).texts(Tag::UniqueIdentifier), [key.as_str()]);
    assert_eq!(session.ask(Operation::Get, vec![identifier(&key)]).material(Tag::SymmetricKey).len(), 32);
    session.ask(Operation::Destroy, vec![identifier(&key)]);
    assert!(session.ask(Operation::Locate, find).texts(Tag::UniqueIdentifier).is_empty());
    assert_eq!(session.say(Operation::Get, vec![identifier(&key)]).reason(), ResultReason::ObjectDestroyed);
}

/// Fujitsu Enterprise Postgres reads an answer into 8192 bytes.
#[test]
fn fujitsu_enterprise_postgres() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_4);
    let mut attributes = aes(256, ENCRYPT_DECRYPT);
    attributes.push(attribute("Comment", text(&"x".repeat(4000))));
    let key = session.ask(Operation::Create, create(attributes)).identifier();
    let got = session.ask(Operation::Get, vec![identifier(&key)]);
    assert_eq!(got.material(Tag::SymmetricKey).len(), 32);
    assert!(session.length <= 8192, "{}", session.length);
    // What it says in its header is kept, too.
    session.before = vec![i(Tag::MaximumResponseSize, 256)];
    let all = session.say(Operation::GetAttributes, vec![identifier(&key)]);
    assert_eq!(all.reason(), ResultReason::ResponseTooLarge);
}

/// ScyllaDB: Query on every connection, one key by all that it knows of it, and a batch in order.
#[test]
fn scylladb() {
    let kmipd = Kmipd::dev();
    let mut session = Session::new(&kmipd, Version::V1_4);
    let asked = vec![e(Tag::QueryFunction, 1_u32), e(Tag::QueryFunction, 2_u32), e(Tag::QueryFunction, 3_u32)];
    let about = session.ask(Operation::Query, asked);
    let operations = about.all(Tag::Operation);
    for operation in [Operation::Create, Operation::Locate, Operation::Get, Operation::Activate] {
        assert!(operations.contains(&Value::Enumeration(operation.0)));
    }
    assert!(!about.text(Tag::VendorIdentification).is_empty());

    let find = || {
        let mut fields = vec![i(Tag::MaximumItems, 1), attribute("Object Type", Value::Enumeration(2))];
        fields.extend(aes(128, ENCRYPT_DECRYPT));
        fields.push(attribute("State", Value::Enumeration(State::Active.0)));
        fields.push(attribute("x-Scylla-Namespace", text("ks1")));
        fields
    };
    assert!(session.ask(Operation::Locate, find()).texts(Tag::UniqueIdentifier).is_empty());
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut attributes = aes(128, ENCRYPT_DECRYPT);
        attributes.push(attribute("x-Scylla-Namespace", text("ks1")));
        let key = session.ask(Operation::Create, create(attributes)).identifier();
        session.ask(Operation::Activate, vec![identifier(&key)]);
        keys.push(key);
    }
    assert_eq!(session.ask(Operation::Locate, find()).texts(Tag::UniqueIdentifier), [keys[1].as_str()]);

    session.before = vec![b(Tag::BatchOrderOption, true)];
    let items = session.batch(vec![
        (Operation::Get, vec![identifier(&keys[0])]),
        (Operation::GetAttributes, vec![identifier(&keys[0])]),
    ]);
    let [got, attributes] = <[_; 2]>::try_from(items).unwrap();
    assert_eq!(got.ok().material(Tag::SymmetricKey).len(), 16);
    assert_eq!(attributes.ok().attribute("x-Scylla-Namespace"), text("ks1"));
}
