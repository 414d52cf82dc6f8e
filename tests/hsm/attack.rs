//! Somebody who has the folder of the server, the PIN, and what the store holds of a key.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use kmipd::config::Config;
use kmipd::object::guarded::{KeyKind, Place};
use kmipd::object::material::{self, Material};
use kmipd::wiring::Storage;

#[path = "../pkcs11/attacker.rs"]
mod attacker;

use crate::house::House;
use crate::speaker::{Speaker, new, stays};
use crate::xml::{bo, id};
use attacker::{attacker as log_in, wrapped_key_resists, wrapping_key_resists};

const FOLDER: &str = "KMIPD_TEST_FOLDER";
const NAME: &str = "attack::pin_and_store_in_hand_open_no_key";

#[test]
fn pin_and_store_in_hand_open_no_key() {
    // SoftHSM finds its configuration in the environment: what is done by hand is done in a process of its own.
    if let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) {
        return by_hand(&folder);
    }
    let mut house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    speaker.create("AES", "256", "Encrypt", &stays());
    speaker.register(&[9; 32], &stays());
    let tightened = speaker.register(&[8; 32], &[]);
    speaker.ask("ModifyAttribute", &[id(&tightened), new(bo("Extractable", false))]);
    drop(speaker);
    assert!(house.kmipd.terminate().success());
    let output = Command::new(env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env(FOLDER, &house.dir)
        .env("SOFTHSM2_CONF", house.dir.join("hsm/softhsm2.conf"))
        .env("KMIPD_SHIM_MODULE", kmipd::crypto::pkcs11::find_softhsm().unwrap())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed") && said.contains("3 keys in hand"), "{said}");
}

fn by_hand(folder: &Path) {
    let config = Config::load(&folder.join("kmipd.toml")).unwrap();
    let storage = Storage::open(&config).unwrap();
    let mut blobs = Vec::new();
    for sequence in 0..storage.vault.next_seq() {
        let Some(row) = storage.vault.material(sequence).unwrap() else { continue };
        let Material::Guarded(key) = material::read(&row.plaintext).unwrap() else { panic!("in the clear") };
        assert_eq!(key.kind, KeyKind::Aes { bits: 256 });
        let Place::Wrapped(blob) = key.place else { panic!("not wrapped") };
        blobs.push(blob);
    }
    println!("{} keys in hand", blobs.len());
    let session = log_in(&folder.join("hsm/pin"));
    for blob in &blobs {
        wrapped_key_resists(&session, blob);
        wrapping_key_resists(&session, blob);
    }
}
