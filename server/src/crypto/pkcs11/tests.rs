//! The suite of all providers, on each module. What is peculiar to this provider is tested in `tests/pkcs11`.

mod modules;
mod watched;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use self::modules::Module;
use super::{Pkcs11Provider, Token, WrappingKey};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::suite::table::Keys;
use crate::crypto::{CryptoError, Provider as _, Residency, suite};

const FOLDER: &str = "KMIPD_TEST_TOKEN";
const MODULE: &str = "KMIPD_TEST_MODULE";

/// Runs a test again in a child process, with a token of the module: modules read their configuration from the
/// environment, once. Answers what the child wrote; in the child, `work` runs and the answer is `None`.
fn in_child(test: &str, module: Module, work: impl FnOnce(&Token)) -> Option<String> {
    in_child_with(test, module, &[], work)
}

/// The same with more in the environment of the child, by what it is to be in the folder of the token.
fn in_child_with(test: &str, module: Module, more: &[(&str, PathBuf)], work: impl FnOnce(&Token)) -> Option<String> {
    if let (Some(folder), Some(name)) = (env::var_os(FOLDER), env::var_os(MODULE)) {
        let module = Module::named(name.to_str().unwrap());
        work(&Token::open(&module.token(folder.as_ref())).unwrap());
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let output = Command::new(env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .envs(module.environment(folder.path()))
        .envs(more.iter().cloned())
        .env(FOLDER, folder.path())
        .env(MODULE, module.name())
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "in the child:\n{text}");
    Some(text)
}

/// Runs the suite in a child process. Answers, in the child, what was tried, and whether the module has it.
fn run(test: &str, module: Module, residency: &dyn Fn() -> Residency) -> Option<BTreeMap<String, bool>> {
    let mut seen = None;
    in_child(test, module, |token| {
        let (wrapping, _) = WrappingKey::create(token, "wrapping").unwrap();
        let mut provider = Pkcs11Provider::new(token.clone(), wrapping).unwrap();
        assert!(provider.claims().non_exportable, "{:#?}", provider.claims().findings);
        seen = Some(suite::try_all(&provider, residency));
        claims_nothing_after_a_failed_test(&mut provider, residency());
    });
    seen
}

/// A module that let an attempt through offers no guarded key, and makes none.
fn claims_nothing_after_a_failed_test(provider: &mut Pkcs11Provider, residency: Residency) {
    let kind = KeyKind::Aes { bits: 256 };
    assert!(provider.offers(kind, residency));
    provider.claims.non_exportable = false;
    assert!(!provider.offers(kind, residency));
    assert!(matches!(provider.generate(kind, residency), Err(CryptoError::Unsupported(_))));
}

/// Compares with docs/modules.md, and looks at what no list shows: SoftHSM has HMAC with SHA-1 and plain SHA-2, and wants a
/// key as long as the digest, in the length that the key has in the module.
fn check_macs(seen: &BTreeMap<String, bool>, length_inside: fn(usize) -> usize) {
    let macs: Vec<_> = seen.iter().filter(|(what, has)| what.starts_with("HMAC") && !**has).collect();
    assert!(!macs.is_empty());
    for (mac, _) in macs {
        let named = mac.strip_prefix("HMAC with ").and_then(|rest| rest.split_once(suite::names::HMAC_KEY));
        let (hash, length) = named.unwrap_or_else(|| panic!("{mac}"));
        let digest = match hash {
            "SHA-1" => 20,
            "SHA-224" => 28,
            "SHA-256" => 32,
            "SHA-384" => 48,
            "SHA-512" => 64,
            _ => continue,
        };
        assert!(length_inside(length.parse().unwrap()) < digest, "{mac}");
    }
}

/// A new identity each time.
fn on_the_token() -> impl Fn() -> Residency {
    let next = Cell::new(0_u128);
    move || {
        next.set(next.get() + 1);
        Residency::Token(next.get().to_be_bytes())
    }
}

#[test]
fn passes_the_suite_with_wrapped_keys() {
    if let Some(seen) = run("passes_the_suite_with_wrapped_keys", Module::SoftHsm, &|| Residency::Wrapped) {
        check_macs(&seen, |length| length.next_multiple_of(8));
        suite::table::compare("SoftHSM2", Keys::Wrapped, &seen);
    }
}

#[test]
fn passes_the_suite_with_token_keys() {
    if let Some(seen) = run("passes_the_suite_with_token_keys", Module::SoftHsm, &on_the_token()) {
        check_macs(&seen, |length| length);
        suite::table::compare("SoftHSM2", Keys::OnToken, &seen);
    }
}

#[test]
fn kryoptic_passes_the_suite_with_wrapped_keys() {
    if let Some(seen) = run("kryoptic_passes_the_suite_with_wrapped_keys", Module::Kryoptic, &|| Residency::Wrapped) {
        suite::table::compare("kryoptic", Keys::Wrapped, &seen);
    }
}

#[test]
fn kryoptic_passes_the_suite_with_token_keys() {
    if let Some(seen) = run("kryoptic_passes_the_suite_with_token_keys", Module::Kryoptic, &on_the_token()) {
        suite::table::compare("kryoptic", Keys::OnToken, &seen);
    }
}

/// NSS wraps keys that are not extractable, and unwraps without regard to a template. It takes no wrapping key that stays as
/// it is, so that nothing of ours is put on its token.
#[test]
fn a_module_that_lets_keys_out_is_caught() {
    in_child("a_module_that_lets_keys_out_is_caught", Module::Nss, |token| {
        let refused = WrappingKey::create(token, "wrapping").err().unwrap();
        assert!(WrappingKey::find(token, "wrapping").unwrap().is_none());
        let provider = Pkcs11Provider::without_keys(token.clone(), refused).unwrap();
        let let_through = |attempt: &str| {
            let mut of_it = provider.claims().findings.iter().filter(|finding| finding.attempt == attempt).peekable();
            assert!(of_it.peek().is_some(), "{attempt}");
            of_it.any(|finding| !finding.withstood)
        };
        assert!(!provider.claims().non_exportable);
        for attempt in ["wrapping a key that is not extractable", "unwrapping a key as extractable"] {
            assert!(let_through(attempt), "{attempt}");
        }
        for residency in [Residency::Wrapped, Residency::Token([1; 16])] {
            let kind = KeyKind::Aes { bits: 256 };
            assert!(!provider.offers(kind, residency));
            assert!(matches!(provider.generate(kind, residency), Err(CryptoError::Unsupported(_))));
        }
        let mut random = [0; 32];
        provider.random(&mut random).unwrap();
        assert_ne!(random, [0; 32]);
    });
}

/// What refuses the wrapping key for another reason is not taken for a module that lets keys out.
#[test]
fn a_module_that_withstands_is_not_used_without_its_wrapping_key() {
    in_child("a_module_that_withstands_is_not_used_without_its_wrapping_key", Module::SoftHsm, |token| {
        let refused = super::Pkcs11Error::Module("the token is full".to_owned());
        let error = Pkcs11Provider::without_keys(token.clone(), refused).err().unwrap();
        assert_eq!(error.to_string(), "the module failed: the token is full");
    });
}
