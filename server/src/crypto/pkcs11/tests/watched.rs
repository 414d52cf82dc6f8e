//! No key comes out: the suite once more, through a module that forwards each call and writes down what was called. After
//! each attempt of the suite, whether the module has what was asked for or not, the calls are looked at.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::super::{Pkcs11Provider, WrappingKey};
use super::modules::Module;
use super::{in_child_with, on_the_token};
use crate::crypto::suite::table::Keys;
use crate::crypto::{Residency, suite};

const LOG: &str = "KMIPD_SHIM_LOG";

/// The shim, which cargo builds beside the tests.
fn shim() -> PathBuf {
    let deps = env::current_exe().unwrap().parent().unwrap().to_owned();
    let is_shim = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("libkmipd_pkcs11_shim") && name.ends_with(".so")
    };
    let found = fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path()).filter(|path| is_shim(path));
    found.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).expect("the shim")
}

fn lets_nothing_out(test: &str, module: Module, keys: Keys, residency: &dyn Fn() -> Residency) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let environment =
        [("KMIPD_SHIM_MODULE", module.library()), (module.variable(), shim()), (LOG, log.path().to_owned())];
    in_child_with(&format!("watched::{test}"), module, &environment, |token| {
        let (wrapping, _) = WrappingKey::create(token, "wrapping").unwrap();
        let provider = Pkcs11Provider::new(token.clone(), wrapping).unwrap();
        let mut log = Log::new(env::var_os(LOG).unwrap().into());
        // What the self-test tried is refused, and must be tried.
        assert!(log.news().iter().any(|call| call["function"] == "C_GetAttributeValue" && reads_material(call)));
        let mut watched = BTreeSet::new();
        let seen = suite::try_watched(&provider, residency, &mut |what| {
            watched.insert(what.to_owned());
            look_at(what, &log.news());
        });
        look_at("the end", &log.news());
        // All of the table, and with what stands there as lacking.
        let missed = suite::table::missed(module.name(), keys, &seen);
        assert!(missed.is_empty(), "{missed:?}");
        let lacking = seen.iter().filter(|(what, has)| !**has && watched.contains(*what)).count();
        assert!(watched.len() > 200 && lacking > 20, "{} attempts, {lacking} of them lacking", watched.len());
    });
}

/// What has been written since it was last asked.
struct Log {
    path: PathBuf,
    read: u64,
}

impl Log {
    fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    fn news(&mut self) -> Vec<Json> {
        let mut file = File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(self.read)).unwrap();
        let mut text = String::new();
        self.read += file.read_to_string(&mut text).unwrap() as u64;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn reads_material(call: &Json) -> bool {
    call["template"]["material"] == true
}

/// Panics where a call could have brought a key out, or did.
fn look_at(what: &str, calls: &[Json]) {
    for (place, call) in calls.iter().enumerate() {
        let (template, done) = (&call["template"], call["rv"] == 0);
        assert_ne!(call["shows"], true, "{what}: key material came out: {call}");
        match call["function"].as_str().unwrap() {
            "C_GetAttributeValue" => assert!(!reads_material(call), "{what}: {call}"),
            "C_SetAttributeValue" | "C_GetOperationState" => panic!("{what}: {call}"),
            "C_WrapKey" => {
                let by = &call["by_flags"];
                let flags = ["wrap", "sensitive", "token"].iter().all(|flag| by[flag] == true);
                let none = ["extractable", "modifiable", "encrypt", "decrypt"].iter().all(|flag| by[flag] == false);
                assert!(flags && none, "{what}: not by the wrapping key: {call}");
                // What is wrapped was made for that, and goes.
                let is_of_it = |other: &&Json| other["rv"] == 0 && other["object"] == call["key"];
                let made = calls[..place].iter().rfind(is_of_it).is_some_and(|made| made["function"] != "C_UnwrapKey");
                let gone =
                    calls[place..].iter().find(is_of_it).is_some_and(|gone| gone["function"] == "C_DestroyObject");
                assert!(made && gone && call["key_flags"]["token"] == false, "{what}: {call}");
            }
            "C_CreateObject" | "C_GenerateKey" | "C_GenerateKeyPair" | "C_DeriveKey" | "C_UnwrapKey"
            | "C_DecapsulateKey"
                if done =>
            {
                assert_eq!(template["sensitive"], true, "{what}: {call}");
                // One that can be wrapped is on its way to be.
                let passes = call["function"] != "C_UnwrapKey"
                    && calls[place..]
                        .iter()
                        .any(|wrap| wrap["function"] == "C_WrapKey" && wrap["key"] == call["object"]);
                assert!(template["extractable"] == false || passes, "{what}: {call}");
            }
            // To the token, as it is.
            "C_CopyObject" if done => {
                assert!(template["token"] == true && template["modifiable"] == false, "{what}: {call}");
                assert!(template["extractable"].is_null() && template["sensitive"].is_null(), "{what}: {call}");
            }
            _ => {}
        }
    }
}

#[test]
fn softhsm_lets_no_wrapped_key_out() {
    lets_nothing_out("softhsm_lets_no_wrapped_key_out", Module::SoftHsm, Keys::Wrapped, &|| Residency::Wrapped);
}

#[test]
fn softhsm_lets_no_key_of_its_token_out() {
    lets_nothing_out("softhsm_lets_no_key_of_its_token_out", Module::SoftHsm, Keys::OnToken, &on_the_token());
}

#[test]
fn kryoptic_lets_no_wrapped_key_out() {
    lets_nothing_out("kryoptic_lets_no_wrapped_key_out", Module::Kryoptic, Keys::Wrapped, &|| Residency::Wrapped);
}

#[test]
fn kryoptic_lets_no_key_of_its_token_out() {
    lets_nothing_out("kryoptic_lets_no_key_of_its_token_out", Module::Kryoptic, Keys::OnToken, &on_the_token());
}
