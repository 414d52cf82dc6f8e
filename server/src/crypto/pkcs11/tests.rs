//! The suite of all providers, on SoftHSM. What is peculiar to this provider is tested in `tests/pkcs11`.

use std::cell::Cell;
use std::env;
use std::process::Command;

use super::{DevToken, Pkcs11Provider, Token, WrappingKey, find_softhsm};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::{CryptoError, Provider as _, Residency, suite};

const FOLDER: &str = "KMIPD_TEST_TOKEN";

/// Runs the suite in a child process: SoftHSM reads its configuration from the environment, once.
fn run(test: &str, residency: &dyn Fn() -> Residency) -> Option<Vec<String>> {
    if let Err(error) = find_softhsm() {
        panic!("{error}");
    }
    if let Some(folder) = env::var_os(FOLDER) {
        let token = DevToken::prepare(folder.as_ref()).unwrap();
        let token = Token::open(&token.config().unwrap()).unwrap();
        let (wrapping, _) = WrappingKey::create(&token, "wrapping").unwrap();
        let mut provider = Pkcs11Provider::new(token, wrapping).unwrap();
        let lacking = suite::run(&provider, residency);
        claims_nothing_after_a_failed_test(&mut provider, residency());
        return Some(lacking);
    }
    let folder = tempfile::tempdir().unwrap();
    let token = DevToken::prepare(folder.path()).unwrap();
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let output = Command::new(env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", token.configuration())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "in the child:\n{text}");
    None
}

/// A module that let an attempt through offers no guarded key, and makes none.
fn claims_nothing_after_a_failed_test(provider: &mut Pkcs11Provider, residency: Residency) {
    let kind = KeyKind::Aes { bits: 256 };
    assert!(provider.offers(kind, residency));
    provider.claims.non_exportable = false;
    assert!(!provider.offers(kind, residency));
    assert!(matches!(provider.generate(kind, residency), Err(CryptoError::Unsupported(_))));
}

/// What SoftHSM lacks for every residency, apart from HMAC. (P-224 is lacking because nothing here verifies it.)
const LACKING: [&str; 12] = [
    "AES-CCM",
    "AES-XTS",
    "Ec { curve: P224 }",
    "Poly1305",
    "RSA PSS Sha256 with MGF1 Sha1",
    "RSA PSS Sha3_224",
    "RSA PSS Sha3_256",
    "RSA PSS Sha3_384",
    "RSA PSS Sha3_512",
    "RSA PSS Sha512_224",
    "RSA PSS Sha512_256",
    "derivation",
];

/// Compares what is lacking with what SoftHSM lacks. It has HMAC with SHA-1 and plain SHA-2, and wants a key as long as
/// the digest, in the length that the key has in the module.
fn check(lacking: &[String], more: &[&str], length_inside: fn(usize) -> usize) {
    // Its OAEP has SHA-1 for both purposes, and nothing else.
    let (oaep, lacking): (Vec<String>, Vec<String>) =
        lacking.iter().cloned().partition(|what| what.starts_with("decryption with Oaep"));
    assert!(oaep.len() == 12 && oaep.iter().all(|what| !what.contains("hash: Sha1, mgf: Sha1")), "{oaep:?}");
    let (macs, others): (Vec<_>, Vec<_>) =
        lacking.iter().map(String::as_str).partition(|what| what.starts_with("HMAC"));
    let mut expected = [&LACKING, more].concat();
    expected.sort_unstable();
    assert_eq!(others, expected);
    assert!(!macs.is_empty());
    for mac in macs {
        let words: Vec<_> = mac.split(' ').collect();
        let ["HMAC", hash, "with", length, "bytes", "of", "key"] = words[..] else { panic!("{mac}") };
        let digest = match hash {
            "Sha1" => 20,
            "Sha224" => 28,
            "Sha256" => 32,
            "Sha384" => 48,
            "Sha512" => 64,
            _ => continue,
        };
        assert!(length_inside(length.parse().unwrap()) < digest, "{mac}");
    }
}

#[test]
fn passes_the_suite_with_wrapped_keys() {
    if let Some(lacking) = run("passes_the_suite_with_wrapped_keys", &|| Residency::Wrapped) {
        check(&lacking, &["Generic { bytes: 131 }"], |length| length.next_multiple_of(8));
    }
}

#[test]
fn passes_the_suite_with_token_keys() {
    let next = Cell::new(0_u128);
    let residency = || {
        next.set(next.get() + 1);
        Residency::Token(next.get().to_be_bytes())
    };
    if let Some(lacking) = run("passes_the_suite_with_token_keys", &residency) {
        check(&lacking, &[], |length| length);
    }
}
