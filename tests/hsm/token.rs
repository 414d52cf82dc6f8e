//! Clients to whom the server is a PKCS #11 token, with keys that live in a module: it does their work, what it lacks is refused,
//! and nothing of them comes out. Numbers are those of PKCS #11 3.0.

use std::collections::BTreeMap;

use kmip_codec::spec::{Pkcs11Function as Function, Pkcs11ReturnCode as Code};
use kmipd::ops::pkcs11::codec::Writer;

use crate::harness::token::{Caller, SECRET, attribute, p, template, ulong};
use crate::house::{House, Module};
use crate::shim::{calls, named};

const GENERIC: u64 = 0x10;
const AES: u64 = 0x1F;
const VALUE: [u8; 32] = [0x5c; 32];
const DATA: [u8; 48] = [0x36; 48];
const NONCES: &str = "[keys]\nclient_nonces = true";

/// CKA_EXTRACTABLE false and CKA_SENSITIVE: such a key lives in the module.
fn stays() -> [(u64, Writer); 2] {
    [attribute(0x162, p().flag(false)), attribute(0x103, p().flag(true))]
}

/// A template that names what CKA_ENCRYPT and its like are of, all of them true.
fn may(uses: &[u64]) -> Vec<(u64, Writer)> {
    uses.iter().map(|kind| attribute(*kind, p().flag(true))).collect()
}

/// What a function comes to, with what follows the length of what it gives.
fn gives(caller: &mut Caller, function: Function, input: Writer) -> Result<Vec<u8>, Code> {
    match caller.token.attempt(&mut caller.kmip, function, input) {
        (Code::Ok, output) => Ok(output.get(4..).unwrap_or_default().to_vec()),
        (code, _) => Err(code),
    }
}

type Pair = (u64, Option<Writer>);

/// One function of a kind at once, as C_EncryptInit and C_Encrypt.
fn whole(
    caller: &mut Caller,
    [init, work]: [Function; 2],
    (mechanism, parameter): &Pair,
    key: u64,
    data: &[u8],
) -> Result<Vec<u8>, Code> {
    let input = caller.init(*mechanism, parameter.clone(), key);
    gives(caller, init, input)?;
    let input = caller.data(data, 999);
    gives(caller, work, input)
}

/// The same in three parts. `gives_parts` says whether each part gives something.
fn parts(
    caller: &mut Caller,
    [init, update, last]: [Function; 3],
    (mechanism, parameter): &Pair,
    key: u64,
    data: &[u8],
    gives_parts: bool,
) -> Result<Vec<u8>, Code> {
    let input = caller.init(*mechanism, parameter.clone(), key);
    gives(caller, init, input)?;
    let mut all = Vec::new();
    for part in data.chunks(20) {
        let input = if gives_parts { caller.data(part, 999) } else { caller.p().bytes(part) };
        all.extend(gives(caller, update, input)?);
    }
    let input = caller.p().flag(true).count(999);
    all.extend(gives(caller, last, input)?);
    Ok(all)
}

const ENCRYPT: [Function; 2] = [Function::EncryptInit, Function::Encrypt];
const DECRYPT: [Function; 2] = [Function::DecryptInit, Function::Decrypt];
const SIGN: [Function; 2] = [Function::SignInit, Function::Sign];
const ENCRYPT_PARTS: [Function; 3] = [Function::EncryptInit, Function::EncryptUpdate, Function::EncryptFinal];
const DECRYPT_PARTS: [Function; 3] = [Function::DecryptInit, Function::DecryptUpdate, Function::DecryptFinal];
const SIGN_PARTS: [Function; 3] = [Function::SignInit, Function::SignUpdate, Function::SignFinal];

/// A mechanism's name, number, parameter, and whether the module has it.
fn ciphers(module: Module) -> Vec<(&'static str, Pair, bool)> {
    let kryoptic = matches!(module, Module::Kryoptic);
    let gcm = p().bytes(&[1; 12]).ulong(96).bytes(b"aside").ulong(128);
    vec![
        ("ECB", (0x1081, None), true),
        ("CBC", (0x1082, Some(p().bytes(&[2; 16]))), true),
        ("CBC_PAD", (0x1085, Some(p().bytes(&[2; 16]))), true),
        ("CTR", (0x1086, Some(p().ulong(128).raw(&[2; 16]))), true),
        ("GCM", (0x1087, Some(gcm)), true),
        ("OFB", (0x2104, Some(p().bytes(&[2; 16]))), kryoptic),
        ("CFB128", (0x2107, Some(p().bytes(&[2; 16]))), kryoptic),
    ]
}

/// Nobody read a key, and none was wrapped but on its way to where it rests.
fn nothing_came_out(house: &House) {
    let log = calls(&house.calls);
    assert!(!log.is_empty());
    for call in &log {
        assert_ne!(call["shows"], true, "{call}");
        assert!(call["function"] != "C_GetAttributeValue" || call["template"]["material"] != true, "{call}");
    }
    // What is wrapped was brought in or generated for that, and goes: nothing that works is.
    let working: Vec<_> = named(&log, "C_UnwrapKey").map(|call| &call["object"]).collect();
    assert!(named(&log, "C_WrapKey").all(|call| !working.contains(&&call["key"])));
}

fn works_with_secret_keys(module: Module) {
    let house = House::of(module, NONCES);
    let mut caller = Caller::new(&house.kmipd);
    let outside = caller.secret(AES, &VALUE, &[]);
    let inside = caller.secret(AES, &VALUE, &stays());
    house.forget_calls();

    // The module does what the server does with the same key; what it lacks is refused, at once and in parts.
    let mut lacking = BTreeMap::new();
    for (name, how, has) in ciphers(module) {
        let data: &[u8] = &DATA;
        let expected = whole(&mut caller, ENCRYPT, &how, outside, data).unwrap();
        let came = whole(&mut caller, ENCRYPT, &how, inside, data);
        let in_parts = parts(&mut caller, ENCRYPT_PARTS, &how, inside, data, true);
        if has {
            assert_eq!((came.as_ref(), in_parts.as_ref()), (Ok(&expected), Ok(&expected)), "{name}");
            let opened = whole(&mut caller, DECRYPT, &how, inside, &expected);
            assert_eq!(opened.as_deref(), Ok(data), "{name}");
            let opened = parts(&mut caller, DECRYPT_PARTS, &how, inside, &expected, true);
            assert_eq!(opened.as_deref(), Ok(data), "{name}");
            let mut wrong = expected.clone();
            *wrong.last_mut().unwrap() ^= 1;
            if name == "GCM" {
                let refused = whole(&mut caller, DECRYPT, &how, inside, &wrong);
                assert_eq!(refused, whole(&mut caller, DECRYPT, &how, outside, &wrong), "{name}");
                assert!(refused.is_err());
            }
        } else {
            lacking.insert(name, (came, in_parts));
        }
        caller.ask(Function::SessionCancel, caller.p().ulong(0x300));
    }
    for (name, (came, in_parts)) in lacking {
        assert_eq!((came, in_parts), (Err(Code::MechanismInvalid), Err(Code::MechanismInvalid)), "{name}");
    }

    // Codes.
    let mac = caller.secret(GENERIC, &VALUE, &stays());
    let open_mac = caller.secret(GENERIC, &VALUE, &[]);
    let signs = may(&[0x108, 0x10A]);
    let cmac = caller.secret(AES, &VALUE, &[&stays()[..], &signs].concat());
    let open_cmac = caller.secret(AES, &VALUE, &signs);
    for (how, inside, outside) in [((0x251, None), mac, open_mac), ((0x108A, None), cmac, open_cmac)] {
        let expected = whole(&mut caller, SIGN, &how, outside, &DATA).unwrap();
        assert_eq!(whole(&mut caller, SIGN, &how, inside, &DATA).as_ref(), Ok(&expected));
        assert_eq!(parts(&mut caller, SIGN_PARTS, &how, inside, &DATA, false).as_ref(), Ok(&expected));
        for (signature, code) in [(expected.clone(), Code::Ok), (vec![0; expected.len()], Code::SignatureInvalid)] {
            let input = caller.init(how.0, None, inside);
            caller.ask(Function::VerifyInit, input);
            let input = caller.p().bytes(&DATA).bytes(&signature);
            caller.comes_to(code, Function::Verify, input);
        }
    }

    // Messages, with a nonce of the server's.
    let message = |caller: &Caller, parameter: &[u8], data: &[u8]| {
        caller.p().bytes(parameter).bytes(b"aside").bytes(data).flag(true).count(99)
    };
    let input = caller.init(0x1087, None, inside);
    caller.ask(Function::MessageEncryptInit, input);
    let parameter = p().bytes(&[0; 12]).ulong(0).ulong(3).bytes(&[0; 16]).ulong(128);
    let input = message(&caller, parameter.written(), b"data");
    let sealed = caller.ask(Function::EncryptMessage, input);
    let (parameter, cipher) = (sealed[4..64].to_vec(), sealed[68..].to_vec());
    caller.ask(Function::MessageEncryptFinal, caller.p());
    for key in [inside, outside] {
        let input = caller.init(0x1087, None, key);
        caller.ask(Function::MessageDecryptInit, input);
        let input = message(&caller, &parameter, &cipher);
        assert_eq!(caller.ask(Function::DecryptMessage, input)[4..], *b"data");
        let input = message(&caller, &parameter, b"DATA");
        caller.comes_to(Code::AeadDecryptFailed, Function::DecryptMessage, input);
        caller.ask(Function::MessageDecryptFinal, caller.p());
    }

    // What would show the key.
    let input = caller.p().ulong(0x250).flag(false);
    caller.ask(Function::DigestInit, input);
    let input = caller.p().ulong(inside);
    caller.comes_to(Code::KeyIndigestible, Function::DigestKey, input);
    let input = caller.p().ulong(inside).count(1).ulong(0x11).flag(false).flag(true).count(99);
    caller.comes_to(Code::AttributeSensitive, Function::GetAttributeValue, input);
    nothing_came_out(&house);
}

#[test]
fn secret_keys_of_softhsm_work_for_the_token() {
    works_with_secret_keys(Module::SoftHsm);
}

#[test]
fn secret_keys_of_kryoptic_work_for_the_token() {
    works_with_secret_keys(Module::Kryoptic);
}

/// CKA_… of a key, that is true or false.
fn flag(caller: &mut Caller, key: u64, kind: u64) -> bool {
    let asked = caller.p().ulong(key).count(1).ulong(kind).flag(false).flag(true);
    *caller.ask(Function::GetAttributeValue, asked).last().unwrap() == 1
}

fn makes_keys_of_keys(module: Module) {
    let house = House::of(module, "");
    let mut caller = Caller::new(&house.kmipd);
    let wraps = may(&[0x106, 0x107]);
    let wrapping = caller.secret(AES, &VALUE, &[&stays()[..], &wraps].concat());
    let open_wrapping = caller.secret(AES, &VALUE, &wraps);
    let key = caller.secret(AES, &[9; 16], &[]);
    let staying = caller.secret(AES, &[9; 16], &stays());
    let base = caller.secret(AES, &VALUE, &[&stays()[..], &may(&[0x10C])].concat());
    house.forget_calls();

    // CKM_AES_KEY_WRAP: the module's key wraps as the server's does, and none that must not leave.
    let wrap = |caller: &Caller, by: u64, key: u64| caller.init(0x2109, None, by).ulong(key).flag(true).count(99);
    let [one, other] = [wrapping, open_wrapping].map(|by| {
        let input = wrap(&caller, by, key);
        gives(&mut caller, Function::WrapKey, input).unwrap()
    });
    assert_eq!(one, other);
    for by in [wrapping, open_wrapping] {
        let input = wrap(&caller, by, staying);
        caller.comes_to(Code::KeyUnextractable, Function::WrapKey, input);
    }

    // What it opens is guarded as it is, and was known elsewhere.
    let wanted = |more: &[(u64, Writer)]| {
        let own = [attribute(0x000, p().ulong(SECRET)), attribute(0x100, p().ulong(AES))];
        [&own, more].concat()
    };
    let unwrap = |caller: &Caller, more: &[(u64, Writer)]| {
        template(caller.init(0x2109, None, wrapping).bytes(&one), &wanted(more))
    };
    for loose in [attribute(0x162, p().flag(true)), attribute(0x103, p().flag(false))] {
        let input = unwrap(&caller, &[loose]);
        caller.comes_to(Code::TemplateInconsistent, Function::UnwrapKey, input);
    }
    let input = unwrap(&caller, &[]);
    let unwrapped = ulong(&caller.ask(Function::UnwrapKey, input));
    // CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE.
    let all = [0x103, 0x162, 0x165, 0x164];
    assert_eq!(all.map(|kind| flag(&mut caller, unwrapped, kind)), [true, false, false, false]);
    let ecb: Pair = (0x1081, None);
    let expected = whole(&mut caller, ENCRYPT, &ecb, key, &DATA).unwrap();
    assert_eq!(whole(&mut caller, ENCRYPT, &ecb, unwrapped, &DATA), Ok(expected));
    let mut wrong = one.clone();
    wrong[0] ^= 1;
    let input = template(caller.init(0x2109, None, wrapping).bytes(&wrong), &wanted(&[]));
    caller.comes_to(Code::WrappedKeyInvalid, Function::UnwrapKey, input);

    // CKM_AES_ECB_ENCRYPT_DATA: born in the module, and as strict as its base.
    let length = attribute(0x161, p().ulong(16));
    let derive = |caller: &Caller, mechanism: u64, parameter: Option<Writer>, more: &[(u64, Writer)]| {
        template(caller.init(mechanism, parameter, base), &wanted(&[&[length.clone()], more].concat()))
    };
    let data = || Some(p().bytes(&DATA[..16]));
    let input = derive(&caller, 0x1104, data(), &[]);
    let derived = ulong(&caller.ask(Function::DeriveKey, input));
    assert_eq!(all.map(|kind| flag(&mut caller, derived, kind)), [true, false, true, true]);
    assert!(whole(&mut caller, ENCRYPT, &ecb, derived, &DATA).is_ok());
    let input = derive(&caller, 0x1104, data(), &[attribute(0x162, p().flag(true))]);
    caller.comes_to(Code::TemplateInconsistent, Function::DeriveKey, input);
    // CKM_SHA256_KEY_DERIVATION, which SoftHSM does not have.
    let input = derive(&caller, 0x393, None, &[]);
    match module {
        Module::SoftHsm => caller.comes_to(Code::MechanismInvalid, Function::DeriveKey, input),
        Module::Kryoptic => drop(caller.token.attempt(&mut caller.kmip, Function::DeriveKey, input)),
    }
    nothing_came_out(&house);
}

#[test]
fn keys_of_softhsm_wrap_and_derive_for_the_token() {
    makes_keys_of_keys(Module::SoftHsm);
}

#[test]
fn keys_of_kryoptic_wrap_and_derive_for_the_token() {
    makes_keys_of_keys(Module::Kryoptic);
}

fn signs(module: Module) {
    let house = House::of(module, "");
    let mut caller = Caller::new(&house.kmipd);
    let mut pair = |mechanism: u64, public: &[(u64, Writer)], private: &[(u64, Writer)]| {
        let asked = template(caller.p().ulong(mechanism).flag(false), public);
        let asked = template(asked, &[&stays()[..], private].concat());
        let made = caller.ask(Function::GenerateKeyPair, asked);
        (ulong(&made[..8]), ulong(&made[8..]))
    };
    let p256 = hex::decode("06082a8648ce3d030107").unwrap();
    let rsa_public = [&[attribute(0x121, p().ulong(2048))][..], &may(&[0x10A, 0x10B, 0x104])].concat();
    let rsa = pair(0x0, &rsa_public, &may(&[0x108, 0x109, 0x105]));
    let ec = pair(0x1040, &[attribute(0x180, p().bytes(&p256))], &[]);
    let pss = p().ulong(0x250).ulong(2).ulong(32);
    for ((public, private), mechanism, parameter) in [(rsa, 0x40, None), (rsa, 0x43, Some(pss)), (ec, 0x1044, None)] {
        let how: Pair = (mechanism, parameter);
        for signature in [
            whole(&mut caller, SIGN, &how, private, &DATA).unwrap(),
            parts(&mut caller, SIGN_PARTS, &how, private, &DATA, false).unwrap(),
        ] {
            for (data, code) in [(&DATA[..], Code::Ok), (b"another", Code::SignatureInvalid)] {
                let input = caller.init(how.0, how.1.clone(), public);
                caller.ask(Function::VerifyInit, input);
                let input = caller.p().bytes(data).bytes(&signature);
                caller.comes_to(code, Function::Verify, input);
            }
        }
        // As a message.
        let input = caller.init(how.0, how.1.clone(), private);
        caller.ask(Function::MessageSignInit, input);
        let input = caller.p().bytes(b"").bytes(&DATA).flag(true).count(999);
        let signature = gives(&mut caller, Function::SignMessage, input).unwrap();
        caller.ask(Function::MessageSignFinal, caller.p());
        let input = caller.init(how.0, how.1.clone(), public);
        caller.ask(Function::VerifyInit, input);
        let input = caller.p().bytes(&DATA).bytes(&signature);
        caller.ask(Function::Verify, input);
    }
    // What was signed is recovered, and what was encrypted is decrypted.
    let how: Pair = (0x1, None);
    let signature =
        whole(&mut caller, [Function::SignRecoverInit, Function::SignRecover], &how, rsa.1, b"what is signed").unwrap();
    let recovered =
        whole(&mut caller, [Function::VerifyRecoverInit, Function::VerifyRecover], &how, rsa.0, &signature).unwrap();
    assert_eq!(recovered, b"what is signed");
    let sealed = whole(&mut caller, ENCRYPT, &how, rsa.0, b"what is encrypted").unwrap();
    assert_eq!(whole(&mut caller, DECRYPT, &how, rsa.1, &sealed).unwrap(), b"what is encrypted");
    // CKA_PRIVATE_EXPONENT, CKA_VALUE.
    for (key, kind) in [(rsa.1, 0x123), (ec.1, 0x11)] {
        let input = caller.p().ulong(key).count(1).ulong(kind).flag(false).flag(true).count(999);
        caller.comes_to(Code::AttributeSensitive, Function::GetAttributeValue, input);
    }
    nothing_came_out(&house);
}

#[test]
fn pairs_of_softhsm_work_for_the_token() {
    signs(Module::SoftHsm);
}

#[test]
fn pairs_of_kryoptic_work_for_the_token() {
    signs(Module::Kryoptic);
}

/// Nonces that clients choose are for keys that could be used elsewhere.
#[test]
fn a_nonce_is_the_servers_under_a_key_that_stays() {
    let house = House::new();
    let mut caller = Caller::new(&house.kmipd);
    let inside = caller.secret(AES, &VALUE, &stays());
    let gcm = p().bytes(&[1; 12]).ulong(96).bytes(b"").ulong(128);
    let came = whole(&mut caller, ENCRYPT, &(0x1087, Some(gcm)), inside, &DATA);
    assert_eq!(came, Err(Code::FunctionRejected));
}
