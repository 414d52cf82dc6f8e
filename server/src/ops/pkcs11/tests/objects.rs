//! Objects of a client: made, found, read, changed, destroyed.

use cryptoki_sys as ck;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, State, Tag};
use kmip_codec::types::UniqueIdentifier;

use super::*;
use crate::object::Managed;
use crate::trust::policy::Use;

/// A template of these attributes behind what was written.
pub(super) fn append(out: Writer, attributes: &[(u64, V)]) -> Writer {
    attributes.iter().fold(out.count(attributes.len()), |out, (kind, value)| {
        let out = out.ulong(*kind).flag(true).flag(true);
        match value {
            V::Bool(value) => out.flag(*value),
            V::Ulong(value) => out.ulong(*value),
            V::Bytes(value) => out.bytes(value),
        }
    })
}

/// A value of a template.
#[derive(Clone)]
pub(super) enum V {
    Bool(bool),
    Ulong(u64),
    Bytes(Vec<u8>),
}

pub(super) fn b(bytes: &[u8]) -> V {
    V::Bytes(bytes.to_vec())
}

const TOKEN: (u64, V) = (ck::CKA_TOKEN, V::Bool(true));

/// An AES key of these bytes that stays.
pub(super) fn aes(bytes: &[u8], more: &[(u64, V)]) -> Vec<(u64, V)> {
    let secret = (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY));
    let own = [TOKEN, secret, (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_AES)), (ck::CKA_VALUE, b(bytes))];
    [&own, more].concat()
}

impl Client {
    /// What C_GetAttributeValue says of one attribute, with room for much.
    #[track_caller]
    pub(super) fn value(&self, session: u64, object: u64, kind: u64) -> Vec<u8> {
        let fixed = attributes::shape_of(kind).is_fixed();
        let asked = p().ulong(session).ulong(object).count(1).ulong(kind).flag(false).flag(true);
        let asked = if fixed { asked } else { asked.count(5000) };
        let answer = self.ask(Function::GetAttributeValue, asked);
        assert_eq!(&answer[..4], [0, 0, 0, 1]);
        assert_eq!(&answer[12..14], [1, 1]);
        answer[if fixed { 14 } else { 18 }..].to_vec()
    }

    pub(super) fn create(&self, session: u64, attributes: &[(u64, V)]) -> u64 {
        ulong(&self.ask(Function::CreateObject, append(p().ulong(session), attributes)))
    }

    /// The handles of what has these attributes.
    pub(super) fn find(&self, session: u64, attributes: &[(u64, V)]) -> Vec<u64> {
        self.ask(Function::FindObjectsInit, append(p().ulong(session), attributes));
        let found = self.ask(Function::FindObjects, p().ulong(session).count(100));
        self.ask(Function::FindObjectsFinal, p().ulong(session));
        found[4..].chunks(8).map(ulong).collect()
    }

    /// The object behind a handle.
    pub(super) fn managed(&self, handle: u64) -> Managed {
        let mut view = self.bench.view(V21);
        (*view.open_numbered(handle, Use::ReadAttributes).unwrap()).clone()
    }
}

const V21: Version = Version::V2_1;

#[test]
fn a_key_is_created_found_read_and_destroyed() {
    let client = Client::new();
    let session = client.session();
    let more = [(ck::CKA_LABEL, b(b"a key")), (ck::CKA_ID, b(&[1, 2])), (ck::CKA_ENCRYPT, V::Bool(true))];
    let key = client.create(session, &aes(&[7; 32], &more));
    let object = client.managed(key);
    assert_eq!((object.state(), object.usage_mask()), (State::Active, Mask::ENCRYPT));
    for (kind, expected) in [
        (ck::CKA_CLASS, ck::CKO_SECRET_KEY.to_be_bytes().to_vec()),
        (ck::CKA_KEY_TYPE, ck::CKK_AES.to_be_bytes().to_vec()),
        (ck::CKA_VALUE_LEN, 32_u64.to_be_bytes().to_vec()),
        (ck::CKA_VALUE, vec![7; 32]),
        (ck::CKA_LABEL, b"a key".to_vec()),
        (ck::CKA_ID, vec![1, 2]),
        (ck::CKA_UNIQUE_ID, object.identifier().as_bytes().to_vec()),
        (ck::CKA_ENCRYPT, vec![1]),
        (ck::CKA_DECRYPT, vec![0]),
        (ck::CKA_SENSITIVE, vec![0]),
        (ck::CKA_EXTRACTABLE, vec![1]),
        (ck::CKA_TOKEN, vec![1]),
        (ck::CKA_LOCAL, vec![0]),
        (ck::CKA_START_DATE, b"20270115".to_vec()),
    ] {
        assert_eq!(client.value(session, key, kind), expected, "{kind:#x}");
    }
    let found = |attributes: &[(u64, V)]| client.find(session, attributes);
    assert_eq!(found(&[]), [key]);
    assert_eq!(found(&more), [key]);
    assert_eq!(found(&[(ck::CKA_UNIQUE_ID, b(object.identifier().as_bytes()))]), [key]);
    assert_eq!(found(&[(ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)), (ck::CKA_LABEL, b(b"a key"))]), [key]);
    for none in [
        (ck::CKA_CLASS, V::Ulong(ck::CKO_PUBLIC_KEY)),
        (ck::CKA_LABEL, b(b"another")),
        (ck::CKA_ID, b(&[1])),
        (ck::CKA_DECRYPT, V::Bool(true)),
        (ck::CKA_VALUE, b(&[7; 32])),
        (ck::CKA_MODULUS, b(&[7])),
    ] {
        assert!(found(std::slice::from_ref(&none)).is_empty(), "{:#x}", none.0);
    }
    client.ask(Function::DestroyObject, p().ulong(session).ulong(key));
    assert_eq!(client.managed(key).state(), State::Destroyed);
    assert!(found(&[]).is_empty());
    client.comes_to(Code::ObjectHandleInvalid, Function::DestroyObject, p().ulong(session).ulong(key));
}

#[test]
fn lengths_values_and_what_there_is_none_of() {
    let client = Client::new();
    let session = client.session();
    let sensitive = [(ck::CKA_SENSITIVE, V::Bool(true)), (ck::CKA_LABEL, b(b"foo"))];
    let key = client.create(session, &aes(&[7; 16], &sensitive));
    let ask = |code, kind, form: &dyn Fn(Writer) -> Writer| {
        let asked = form(p().ulong(session).ulong(key).count(1).ulong(kind));
        client.comes_to(code, Function::GetAttributeValue, asked)[12..].to_vec()
    };
    // As the example of §5.18.2.3 has it: CKA_LABEL without room is answered by its length.
    assert_eq!(ask(Code::Ok, ck::CKA_LABEL, &|out| out.flag(false).flag(false)), [0, 1, 0, 0, 0, 3]);
    assert_eq!(ask(Code::Ok, ck::CKA_SENSITIVE, &|out| out.flag(false).flag(true)), [1, 1, 1]);
    assert_eq!(ask(Code::BufferTooSmall, ck::CKA_LABEL, &|out| out.flag(false).flag(true).count(2)), [0, 0]);
    assert_eq!(ask(Code::AttributeSensitive, ck::CKA_VALUE, &|out| out.flag(false).flag(true).count(99)), [0, 0]);
    assert_eq!(ask(Code::AttributeSensitive, ck::CKA_VALUE, &|out| out.flag(false).flag(false)), [0, 0]);
    assert_eq!(ask(Code::AttributeTypeInvalid, ck::CKA_MODULUS, &|out| out.flag(false).flag(false)), [0, 0]);
    ask_fails(&client, session, key);
    let size = client.ask(Function::GetObjectSize, p().ulong(session).ulong(key));
    assert_eq!(ulong(&size), 16);
}

/// A value in a request for values.
fn ask_fails(client: &Client, session: u64, key: u64) {
    let asked = p().ulong(session).ulong(key).count(1).ulong(ck::CKA_LABEL).flag(true).flag(true).bytes(b"x");
    client.comes_to(Code::ArgumentsBad, Function::GetAttributeValue, asked);
}

#[test]
fn nobody_elses_objects_are_there() {
    let client = Client::new();
    let session = client.session();
    let key = client.create(session, &aes(&[7; 16], &[]));
    let mut view = client.bench.view_of("bob", V21);
    view.begin_item();
    let begun = Pkcs11::run(&mut view, request(None, Function::Initialize, p().flag(true))).unwrap();
    let mut call =
        |function, input| Pkcs11::run(&mut view, request(begun.correlation_value.as_ref(), function, input)).unwrap();
    call(Function::OpenSession, p().ulong(1).ulong(6));
    call(Function::FindObjectsInit, p().ulong(1).count(0));
    let found = call(Function::FindObjects, p().ulong(1).count(9)).output_parameters.unwrap();
    assert_eq!(&*found, [0; 4]);
    let asked = p().ulong(1).ulong(key).count(1).ulong(ck::CKA_LABEL).flag(false).flag(false);
    assert_eq!(call(Function::GetAttributeValue, asked).return_code, Code::ObjectHandleInvalid);
    assert_eq!(call(Function::DestroyObject, p().ulong(1).ulong(key)).return_code, Code::ObjectHandleInvalid);
}

#[test]
fn a_template_is_obeyed_or_refused() {
    let client = Client::new();
    let session = client.session();
    let refused = |code, attributes: &[(u64, V)]| {
        client.comes_to(code, Function::CreateObject, append(p().ulong(session), attributes));
    };
    refused(Code::TemplateIncomplete, &[TOKEN]);
    refused(Code::TemplateIncomplete, &aes(&[7; 16], &[])[..3]);
    refused(Code::TemplateInconsistent, &aes(&[7; 16], &[TOKEN]));
    refused(Code::TemplateInconsistent, &aes(&[7; 16], &[(ck::CKA_VALUE_LEN, V::Ulong(32))]));
    refused(Code::TemplateInconsistent, &aes(&[7; 16], &[(ck::CKA_TRUSTED, V::Bool(true))]));
    refused(Code::AttributeTypeInvalid, &aes(&[7; 16], &[(0x8000_0001, b(b"vendor"))]));
    refused(Code::AttributeValueInvalid, &aes(&[7; 16], &[(ck::CKA_LABEL, b(&[0xFF]))]));
    // Nothing of what was refused is left.
    assert!(client.find(session, &[]).is_empty());
    let reading = ulong(&client.ask(Function::OpenSession, p().ulong(1).ulong(4)));
    let asked = append(p().ulong(reading), &aes(&[7; 16], &[]));
    client.comes_to(Code::SessionReadOnly, Function::CreateObject, asked);
}

#[test]
fn labels_may_be_shared_and_changed() {
    let client = Client::new();
    let session = client.session();
    let label = |text: &[u8]| (ck::CKA_LABEL, b(text));
    let first = client.create(session, &aes(&[1; 16], &[label(b"same")]));
    let second = client.create(session, &aes(&[2; 16], &[label(b"same")]));
    assert!(client.managed(first).attributes.has(Tag::Name));
    assert!(client.managed(second).attributes.has(Tag::AlternativeName));
    let mut both = client.find(session, &[label(b"same")]);
    both.sort_unstable();
    assert_eq!(both, [first, second]);
    let set = |attributes: &[(u64, V)]| append(p().ulong(session).ulong(first), attributes);
    client.ask(Function::SetAttributeValue, set(&[label(b"other"), (ck::CKA_ID, b(&[9]))]));
    assert_eq!(client.value(session, first, ck::CKA_LABEL), b"other");
    assert_eq!(client.value(session, first, ck::CKA_ID), [9]);
    assert_eq!(client.find(session, &[label(b"same")]), [second]);
    client.ask(Function::SetAttributeValue, set(&[(ck::CKA_SENSITIVE, V::Bool(true))]));
    assert_eq!(client.value(session, first, ck::CKA_SENSITIVE), [1]);
    for wrong in [(ck::CKA_SENSITIVE, V::Bool(false)), (ck::CKA_CLASS, V::Ulong(2)), (ck::CKA_LOCAL, V::Bool(true))] {
        client.comes_to(Code::AttributeReadOnly, Function::SetAttributeValue, set(&[label(b"new"), wrong]));
    }
    // A change that fails in the end has changed nothing.
    assert_eq!(client.value(session, first, ck::CKA_LABEL), b"other");
}

#[test]
fn session_objects_end_with_their_session() {
    let client = Client::new();
    let session = client.session();
    let session_key = |session| client.create(session, &aes(&[7; 16], &[])[1..]);
    let (first, second) = (session_key(session), session_key(session));
    assert_eq!(client.value(session, first, ck::CKA_TOKEN), [0]);
    client.ask(Function::DestroyObject, p().ulong(session).ulong(second));
    client.ask(Function::CloseSession, p().ulong(session));
    assert!(client.managed(first).is_destroyed());
    let third = session_key(client.session());
    client.ask(Function::Finalize, p());
    assert!(client.managed(third).is_destroyed());
    // And those of an instance that is gone are cleared away with the next one.
    let client = Client::on(client.bench);
    let left = client.create(client.session(), &aes(&[7; 16], &[])[1..]);
    let other = Client::on(client.bench);
    assert!(!other.managed(left).is_destroyed());
    other.bench.pass(3600);
    let next = Client::on(other.bench);
    assert!(next.managed(left).is_destroyed());
}

#[test]
fn keys_and_pairs_are_generated() {
    let client = Client::new();
    let session = client.session();
    let generate =
        |mechanism: u64, attributes: &[(u64, V)]| append(p().ulong(session).ulong(mechanism).flag(false), attributes);
    let length = |bytes| (ck::CKA_VALUE_LEN, V::Ulong(bytes));
    let made = client.ask(Function::GenerateKey, generate(ck::CKM_AES_KEY_GEN, &[TOKEN, length(32)]));
    let key = client.managed(ulong(&made));
    assert_eq!((key.algorithm(), key.state()), (Some(Algorithm::AES), State::Active));
    assert_eq!(client.value(session, key.sequence, ck::CKA_LOCAL), [1]);
    client.comes_to(Code::TemplateIncomplete, Function::GenerateKey, generate(ck::CKM_AES_KEY_GEN, &[TOKEN]));
    let wrong = generate(ck::CKM_AES_KEY_GEN, &[TOKEN, length(17)]);
    client.comes_to(Code::AttributeValueInvalid, Function::GenerateKey, wrong);
    client.comes_to(Code::MechanismInvalid, Function::GenerateKey, generate(ck::CKM_AES_CBC, &[TOKEN, length(16)]));
    let secret = generate(ck::CKM_GENERIC_SECRET_KEY_GEN, &[TOKEN, length(20)]);
    let secret = ulong(&client.ask(Function::GenerateKey, secret));
    assert_eq!(client.value(session, secret, ck::CKA_KEY_TYPE), ck::CKK_GENERIC_SECRET.to_be_bytes());

    let p256 = hex::decode("06082a8648ce3d030107").unwrap();
    let (id, label) = ((ck::CKA_ID, b(&[5])), (ck::CKA_LABEL, b(b"pair")));
    let public = [TOKEN, (ck::CKA_EC_PARAMS, b(&p256)), id.clone(), label.clone()];
    let asked = append(generate(ck::CKM_EC_KEY_PAIR_GEN, &public), &[TOKEN, id, label.clone()]);
    let made = client.ask(Function::GenerateKeyPair, asked);
    let (public, private) = (ulong(&made[..8]), ulong(&made[8..]));
    assert_eq!(client.managed(public).usage_mask(), Mask::VERIFY);
    assert_eq!(client.managed(private).usage_mask(), Mask::SIGN);
    for half in [public, private] {
        assert_eq!(client.value(session, half, ck::CKA_EC_PARAMS), p256);
        assert_eq!(client.value(session, half, ck::CKA_LABEL), b"pair");
    }
    let point = client.value(session, public, ck::CKA_EC_POINT);
    assert_eq!((point.len(), &point[..3]), (67, &[4, 65, 4][..]));
    assert_eq!(client.find(session, &[label]).len(), 2);
    let unknown = append(generate(ck::CKM_EC_KEY_PAIR_GEN, &[TOKEN, (ck::CKA_EC_PARAMS, b(&[6, 1, 42]))]), &[TOKEN]);
    client.comes_to(Code::CurveNotSupported, Function::GenerateKeyPair, unknown);
    // Without a CKA_ID both halves have the same one.
    let rsa =
        append(generate(ck::CKM_RSA_PKCS_KEY_PAIR_GEN, &[TOKEN, (ck::CKA_MODULUS_BITS, V::Ulong(2048))]), &[TOKEN]);
    let made = client.ask(Function::GenerateKeyPair, rsa);
    let (public, private) = (ulong(&made[..8]), ulong(&made[8..]));
    let id = client.value(session, private, ck::CKA_ID);
    assert_eq!(client.value(session, public, ck::CKA_ID), id);
    let mut found = client.find(session, &[(ck::CKA_ID, b(&id))]);
    found.sort_unstable();
    let mut both = [public, private];
    both.sort_unstable();
    assert_eq!(found, both);
    assert_eq!(client.value(session, private, ck::CKA_MODULUS), client.value(session, public, ck::CKA_MODULUS));
    assert_eq!(client.value(session, private, ck::CKA_PRIME_1).len(), 128);
}

#[test]
fn what_is_read_of_a_pair_makes_it_again() {
    let client = Client::new();
    let session = client.session();
    let rsa = p().ulong(session).ulong(ck::CKM_RSA_PKCS_KEY_PAIR_GEN).flag(false);
    let rsa = append(append(rsa, &[(ck::CKA_MODULUS_BITS, V::Ulong(2048))]), &[]);
    let made = client.ask(Function::GenerateKeyPair, rsa);
    let (public, private) = (ulong(&made[..8]), ulong(&made[8..]));
    let copy = |object, class: u64, kinds: &[u64]| {
        let own = [(ck::CKA_CLASS, V::Ulong(class)), (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_RSA))];
        let parts = kinds.iter().map(|kind| (*kind, V::Bytes(client.value(session, object, *kind))));
        client.create(session, &own.into_iter().chain(parts).collect::<Vec<_>>())
    };
    copy(public, ck::CKO_PUBLIC_KEY, &[ck::CKA_MODULUS, ck::CKA_PUBLIC_EXPONENT]);
    let again = copy(
        private,
        ck::CKO_PRIVATE_KEY,
        &[
            ck::CKA_MODULUS,
            ck::CKA_PUBLIC_EXPONENT,
            ck::CKA_PRIVATE_EXPONENT,
            ck::CKA_PRIME_1,
            ck::CKA_PRIME_2,
            ck::CKA_EXPONENT_1,
            ck::CKA_EXPONENT_2,
            ck::CKA_COEFFICIENT,
        ],
    );
    // A private key without a public one says its public numbers all the same.
    assert_eq!(client.value(session, again, ck::CKA_MODULUS), client.value(session, public, ck::CKA_MODULUS));
}

#[test]
fn data_objects_and_what_is_on_no_token() {
    let client = Client::new();
    let session = client.session();
    let data = [TOKEN, (ck::CKA_CLASS, V::Ulong(ck::CKO_DATA)), (ck::CKA_VALUE, b(b"anything"))];
    let data = client.create(session, &data);
    assert_eq!(client.value(session, data, ck::CKA_VALUE), b"anything");
    let secret = client.bench.object(crate::view::testing::secret(b"password"), vec![]);
    let UniqueIdentifier::Text(secret) = secret else { panic!("no identifier") };
    assert!(client.find(session, &[(ck::CKA_UNIQUE_ID, b(secret.as_bytes()))]).is_empty());
    assert_eq!(client.find(session, &[]), [data]);
}

#[test]
fn wrapped_keys_go_and_come() {
    let client = Client::new();
    let session = client.session();
    let may = |kind| (kind, V::Bool(true));
    let wrapping = client.create(session, &aes(&[9; 32], &[may(ck::CKA_WRAP), may(ck::CKA_UNWRAP)]));
    let key = client.create(session, &aes(&[7; 16], &[may(ck::CKA_SENSITIVE)]));
    let asked = |key: u64| p().ulong(session).ulong(ck::CKM_AES_KEY_WRAP).flag(false).ulong(wrapping).ulong(key);
    assert_eq!(client.ask(Function::WrapKey, asked(key).flag(false)), [0, 0, 0, 24]);
    client.comes_to(Code::BufferTooSmall, Function::WrapKey, asked(key).flag(true).count(23));
    let wrapped = client.ask(Function::WrapKey, asked(key).flag(true).count(24))[4..].to_vec();
    let unwrap = |wrapped: &[u8], attributes: &[(u64, V)]| {
        let out = p().ulong(session).ulong(ck::CKM_AES_KEY_WRAP).flag(false).ulong(wrapping).bytes(wrapped);
        append(out, attributes)
    };
    let of_aes = [&aes(&[], &[])[..3], &[(ck::CKA_VALUE_LEN, V::Ulong(16))]].concat();
    let again = ulong(&client.ask(Function::UnwrapKey, unwrap(&wrapped, &of_aes)));
    assert_eq!(client.value(session, again, ck::CKA_VALUE), [7; 16]);
    let mut broken = wrapped.clone();
    broken[3] ^= 1;
    client.comes_to(Code::WrappedKeyInvalid, Function::UnwrapKey, unwrap(&broken, &of_aes));
    client.comes_to(Code::KeyHandleInvalid, Function::WrapKey, asked(999).flag(false));
    let locked = client.create(session, &aes(&[8; 16], &[(ck::CKA_ENCRYPT, V::Bool(true))]));
    client.ask(
        Function::SetAttributeValue,
        append(p().ulong(session).ulong(locked), &[(ck::CKA_EXTRACTABLE, V::Bool(false))]),
    );
    client.comes_to(Code::KeyUnextractable, Function::WrapKey, asked(locked).flag(false));
    let other = p().ulong(session).ulong(ck::CKM_AES_KEY_WRAP).flag(false).ulong(locked).ulong(again);
    client.comes_to(Code::KeyFunctionNotPermitted, Function::WrapKey, other.flag(false));
}

#[test]
fn attributes_of_templates_have_values() {
    let client = Client::new();
    let session = client.session();
    let without = p().ulong(session).count(1).ulong(ck::CKA_LABEL).flag(false).flag(false);
    client.comes_to(Code::TemplateIncomplete, Function::CreateObject, without);
    let without = p().ulong(session).count(1).ulong(ck::CKA_LABEL).flag(false).flag(false);
    client.comes_to(Code::ArgumentsBad, Function::FindObjectsInit, without);
    client.comes_to(Code::OperationNotInitialized, Function::FindObjects, p().ulong(session).count(1));
    let key = client.create(session, &aes(&[7; 16], &[]));
    client.ask(Function::FindObjectsInit, p().ulong(session).count(0));
    client.comes_to(Code::OperationActive, Function::FindObjectsInit, p().ulong(session).count(0));
    assert_eq!(client.ask(Function::FindObjects, p().ulong(session).count(0)), [0; 4]);
    let first = client.ask(Function::FindObjects, p().ulong(session).count(1));
    assert_eq!(ulong(&first[4..]), key);
    assert_eq!(client.ask(Function::FindObjects, p().ulong(session).count(1)), [0; 4]);
}
