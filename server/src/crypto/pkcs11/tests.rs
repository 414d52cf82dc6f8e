//! The suite of all providers, on SoftHSM. What is peculiar to this provider is tested in `tests/pkcs11`.

use std::cell::Cell;
use std::env;
use std::process::Command;

use super::{DevToken, Pkcs11Provider, Token, WrappingKey, find_softhsm};
use crate::crypto::Residency;
use crate::crypto::suite;

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
        let provider = Pkcs11Provider::new(token, wrapping).unwrap();
        return Some(suite::run(&provider, residency));
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

#[test]
fn passes_the_suite_with_wrapped_keys() {
    if let Some(lacking) = run("passes_the_suite_with_wrapped_keys", &|| Residency::Wrapped) {
        assert_eq!(lacking, [""; 0]);
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
        assert_eq!(lacking, [""; 0]);
    }
}
