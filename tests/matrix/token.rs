//! The server as a PKCS #11 token.

use kmip_codec::spec::{CryptographicUsageMask, Pkcs11Function as Function, Pkcs11ReturnCode as Code, ResultReason};
use kmipd::ops::pkcs11::codec::Writer;

use crate::cell::{Cell, Provider};
use crate::harness::token::{Token, p, ulong};

/// A template of these attributes behind what was written.
fn template(out: Writer, attributes: &[(u64, Writer)]) -> Writer {
    let with = |out: Writer, (kind, value): &(u64, Writer)| out.ulong(*kind).flag(true).flag(true).raw(value.written());
    attributes.iter().fold(out.count(attributes.len()), with)
}

/// Encrypts and decrypts in parts.
#[track_caller]
fn round_trip(cell: &mut Cell, token: &Token, session: u64, key: u64) {
    // CKM_AES_CBC_PAD with an IV.
    let init = || p().ulong(session).ulong(0x1085).flag(true).count(20).bytes(&[7; 16]).ulong(key);
    let part = |data: &[u8]| p().ulong(session).bytes(data).flag(true).count(999);
    let last = || p().ulong(session).flag(true).count(999);
    token.ask(&mut cell.kmip, Function::EncryptInit, init());
    let mut cipher = token.ask(&mut cell.kmip, Function::EncryptUpdate, part(&[1; 20]))[4..].to_vec();
    cipher.extend_from_slice(&token.ask(&mut cell.kmip, Function::EncryptUpdate, part(&[2; 20]))[4..]);
    cipher.extend_from_slice(&token.ask(&mut cell.kmip, Function::EncryptFinal, last())[4..]);
    token.ask(&mut cell.kmip, Function::DecryptInit, init());
    let plain = token.ask(&mut cell.kmip, Function::Decrypt, part(&cipher))[4..].to_vec();
    assert_eq!(plain, [[1; 20], [2; 20]].concat());
}

/// A key that KMIP made, and keys that the token made, wherever they live.
fn keys(cell: &mut Cell, token: &Token, session: u64) {
    let key = cell.key(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT, vec![]);
    cell.kmip.activate(&key);
    // CKA_UNIQUE_ID.
    let search = template(p().ulong(session), &[(4, p().bytes(key.as_bytes()))]);
    token.ask(&mut cell.kmip, Function::FindObjectsInit, search);
    let found = token.ask(&mut cell.kmip, Function::FindObjects, p().ulong(session).count(9));
    token.ask(&mut cell.kmip, Function::FindObjectsFinal, p().ulong(session));
    let handle = ulong(&found[4..]);
    round_trip(cell, token, session, handle);
    // CKA_VALUE leaves the server, and not the module.
    let value = p().ulong(session).ulong(handle).count(1).ulong(0x11).flag(false).flag(true).count(99);
    let code = if cell.provider == Provider::Software { Code::Ok } else { Code::AttributeSensitive };
    token.comes_to(&mut cell.kmip, code, Function::GetAttributeValue, value);
    // CKM_AES_KEY_GEN: CKA_TOKEN, CKA_VALUE_LEN, CKA_EXTRACTABLE.
    let is_extractable = cell.provider == Provider::Software;
    let lasting = (1, p().flag(true));
    let made = [lasting.clone(), (0x161, p().ulong(32)), (0x162, p().flag(is_extractable))];
    let made = template(p().ulong(session).ulong(0x1080).flag(false), &made);
    let made = ulong(&token.ask(&mut cell.kmip, Function::GenerateKey, made));
    round_trip(cell, token, session, made);
    token.ask(&mut cell.kmip, Function::DestroyObject, p().ulong(session).ulong(made));
    // CKM_EC_KEY_PAIR_GEN on P-256, CKM_ECDSA_SHA256.
    let curve = hex::decode("06082a8648ce3d030107").unwrap();
    let pair = template(p().ulong(session).ulong(0x1040).flag(false), &[lasting.clone(), (0x180, p().bytes(&curve))]);
    let pair = template(pair, &[lasting, (0x162, p().flag(is_extractable))]);
    let pair = token.ask(&mut cell.kmip, Function::GenerateKeyPair, pair);
    let (public, private) = (ulong(&pair[..8]), ulong(&pair[8..]));
    let init = |key| p().ulong(session).ulong(0x1044).flag(false).ulong(key);
    token.ask(&mut cell.kmip, Function::SignInit, init(private));
    let data = p().ulong(session).bytes(b"abc");
    let signature = token.ask(&mut cell.kmip, Function::Sign, data.clone().flag(true).count(64))[4..].to_vec();
    token.ask(&mut cell.kmip, Function::VerifyInit, init(public));
    token.ask(&mut cell.kmip, Function::Verify, data.clone().bytes(&signature));
    token.ask(&mut cell.kmip, Function::VerifyInit, init(public));
    token.comes_to(&mut cell.kmip, Code::SignatureInvalid, Function::Verify, data.bytes(&[7; 64]));
}

pub(crate) fn pkcs11(cell: &mut Cell) {
    let token = Token::initialise(&mut cell.kmip);
    let session = token.session(&mut cell.kmip);
    let info = token.ask(&mut cell.kmip, Function::GetSessionInfo, p().ulong(session));
    assert_eq!(info.len(), 32);
    keys(cell, &token, session);
    token.comes_to(&mut cell.kmip, Code::FunctionNotSupported, Function::InitToken, p());
    assert_eq!(token.refusal(&mut cell.kmip, Function::GetInfo, p().flag(true)), ResultReason::Pkcs11CodecError);
    token.ask(&mut cell.kmip, Function::Finalize, p());
    let gone = token.refusal(&mut cell.kmip, Function::GetInfo, p());
    assert_eq!(gone, ResultReason::InvalidAsynchronousCorrelationValue);
}
