//! What the operator reads when the module, the token or the PIN is not right; and root keys of every kind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kmip_codec::spec::{ResultReason, Tag};
use kmipd::crypto::pkcs11::find_softhsm;

use crate::harness::{Kmipd, command, served};
use crate::house::{House, append, files};
use crate::speaker::{Speaker, identifier, octets, stays};
use crate::xml::{en, id, int, st};

/// How a start fails: the one line that it says, which `check` says too.
fn fails(config: &Path, serve: bool) -> String {
    let config = config.to_str().unwrap();
    let dir = Path::new(config).parent().unwrap().to_str().unwrap();
    let start: &[&str] =
        if serve { &["serve", "--config", config] } else { &["dev", "--dir", dir, "--listen", "127.0.0.1:0"] };
    let mut command = command(start);
    let mut child = command.env("KMIPD_LOG", "info").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("\"listening\"") {
            child.kill().unwrap();
            panic!("it started");
        }
        // What is no line of the log.
        if !line.starts_with('{') {
            said.push_str(&line);
            said.push('\n');
        }
    }
    assert!(!child.wait().unwrap().success());
    let [line] = said.lines().collect::<Vec<_>>()[..] else { panic!("not one line: {said}") };
    line.strip_prefix("kmipd: ").unwrap().to_owned()
}

/// What `check` says is an error.
fn checked(config: &Path) -> String {
    let output = command(&["check", "--config", config.to_str().unwrap()]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let errors: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("error   ")).collect();
    let [error] = errors[..] else { panic!("not one error: {said}") };
    error.to_owned()
}

#[test]
fn what_is_wrong_with_the_module_is_said_in_one_line() {
    let mut house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    speaker.create("AES", "256", "Encrypt", &stays());
    drop(speaker);
    assert!(house.kmipd.terminate().success());
    let config = house.config();
    let text = without_shim(&fs::read_to_string(&config).unwrap());
    let module = find_softhsm().unwrap();
    let pin = house.dir.join("hsm/pin");
    let right = fs::read_to_string(&pin).unwrap();

    for (from, to, words) in [
        (module.to_str().unwrap(), "/nowhere/module.so", "[hsm] there is no PKCS#11 module at /nowhere/module.so"),
        (
            "\"kmipd-dev\"",
            "\"elsewhere\"",
            "[hsm] there is no token with the label \"elsewhere\"; there are: \"kmipd-dev\"",
        ),
        ("hsm/pin", "hsm/pin2", "pin2"),
        ("hsm/pin", "hsm/wrong", "PIN"),
    ] {
        fs::write(house.dir.join("hsm/wrong"), "0000-not-the-pin").unwrap();
        fs::set_permissions(house.dir.join("hsm/wrong"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&config, text.replace(from, to)).unwrap();
        let said = fails(&config, false);
        assert!(said.contains(words) && !said.contains("0000-not-the-pin") && !said.contains(&right), "{said}");
        if to != "hsm/pin2" {
            assert_eq!(checked(&config), said);
        }
    }
    // Nothing of it broke anything.
    fs::write(&config, &text).unwrap();
    house.kmipd.restart();
}

#[test]
fn a_store_with_wrapped_keys_refuses_another_token() {
    let mut house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt", &stays());
    let block = speaker.block(&key);
    drop(speaker);
    assert!(house.kmipd.terminate().success());

    let config = house.config();
    let text = fs::read_to_string(&config).unwrap();
    let with_token_of = |hsm: &Path| {
        let at = |name: &str| format!("{:?}", hsm.join(name).to_str().unwrap());
        let text = without_shim(&text).replace("\"hsm/pin\"", &at("pin"));
        fs::write(&config, text.replace("\"hsm/softhsm2.conf\"", &at("softhsm2.conf"))).unwrap();
        fails(&config, false)
    };
    // A token that another store uses, with a wrapping key of the same label.
    let mut other = House::new();
    assert!(other.kmipd.terminate().success());
    let said = with_token_of(&other.dir.join("hsm"));
    assert_eq!(
        said,
        "[hsm] the key with the label \"kmipd-wrapping\" on the token cannot be trusted: the check blob was made by another key"
    );

    // One that nobody has used yet: the store does not get a new wrapping key.
    let fresh = tempfile::tempdir().unwrap();
    let softhsm = fresh.path().join("softhsm2.conf");
    fs::create_dir(fresh.path().join("tokens")).unwrap();
    fs::write(&softhsm, format!("directories.tokendir = {}\n", fresh.path().join("tokens").display())).unwrap();
    fs::write(fresh.path().join("pin"), "5678").unwrap();
    fs::set_permissions(fresh.path().join("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    let made = Command::new("softhsm2-util")
        .args("--init-token --free --label kmipd-dev --so-pin 1234 --pin 5678".split(' '))
        .env("SOFTHSM2_CONF", softhsm)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let objects = files(fresh.path()).len();
    let said = with_token_of(fresh.path());
    let words = "[hsm] the token has no key \"kmipd-wrapping\", with which the keys of the store";
    assert!(said.starts_with(words) && said.ends_with("is it the right token?"), "{said}");
    assert_eq!(files(fresh.path()).len(), objects);

    fs::write(&config, text).unwrap();
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    assert_eq!(speaker.block(&key), block);
}

/// A configuration with SoftHSM itself in place of the shim.
fn without_shim(config: &str) -> String {
    let line = config.lines().find(|line| line.starts_with("module = ")).unwrap();
    config.replace(line, &format!("module = {:?}", find_softhsm().unwrap().to_str().unwrap()))
}

/// The `[hsm]` of a folder with a token that `dev` made.
fn hsm_of(house: &House) -> String {
    let text = fs::read_to_string(house.config()).unwrap();
    let section = text.split_once("[hsm]").unwrap().1;
    let at = |name: &str| format!("{:?}", house.dir.join(name).to_str().unwrap());
    format!("[hsm]{}", without_shim(section))
        .replace("\"hsm/pin\"", &at("hsm/pin"))
        .replace("\"hsm/softhsm2.conf\"", &at("hsm/softhsm2.conf"))
}

/// Serves, creates, stops, serves again: what was created is there.
fn keeps_keys(config: &Path, environment: &[(String, PathBuf)], guarded: bool) {
    let mut kmipd = Kmipd::serve_among(config, environment);
    let mut speaker = Speaker::of(&kmipd);
    let attributes = [en("CryptographicAlgorithm", "AES"), int("CryptographicUsageMask", "Encrypt")];
    let made = speaker.ask("Create", &[en("ObjectType", "SymmetricKey"), st("Attributes", &attributes)]);
    let open = identifier(&made);
    let value = |speaker: &mut Speaker| {
        let got = speaker.ask("Get", &[id(&open)]);
        let block = got.find(Tag::SymmetricKey).unwrap().find(Tag::KeyBlock).unwrap();
        octets(block.find(Tag::KeyValue).unwrap(), Tag::KeyMaterial)
    };
    let bytes = value(&mut speaker);
    let inside = guarded.then(|| speaker.create("AES", "256", "Encrypt", &stays()));
    let block = inside.as_ref().map(|key| speaker.block(key));
    for crash in [false, true] {
        drop(speaker);
        if crash {
            kmipd.kill()
        } else {
            assert!(kmipd.terminate().success())
        }
        kmipd.restart();
        speaker = Speaker::of(&kmipd);
        assert_eq!(value(&mut speaker), bytes);
        assert_eq!(inside.as_ref().map(|key| speaker.block(key)), block);
        if let Some(key) = &inside {
            assert_eq!(speaker.refusal("Get", &[id(key)]), ResultReason::NotExtractable);
        }
    }
}

/// A folder for `serve` with another root key.
fn with_root(folder: &Path, root: &str) -> PathBuf {
    let config = served(folder, "");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("kind = \"file\"\npath = \"root.key\"", root)).unwrap();
    config
}

#[test]
fn serve_opens_its_store_with_a_key_in_the_hsm() {
    let mut house = House::new();
    assert!(house.kmipd.terminate().success());
    let folder = tempfile::tempdir().unwrap();
    let config = with_root(folder.path(), "kind = \"hsm\"");
    append(&config, &hsm_of(&house));
    keeps_keys(&config, &[], true);
    // Another token does not open it.
    let mut other = House::new();
    assert!(other.kmipd.terminate().success());
    let text = fs::read_to_string(&config).unwrap();
    let (own, its) = (house.dir.to_str().unwrap(), other.dir.to_str().unwrap());
    fs::write(&config, text.replace(own, its)).unwrap();
    let said = fails(&config, true);
    assert!(said.contains("[root_key] the token has no key \"kmipd-root\""), "{said}");
}

#[test]
fn serve_opens_its_store_with_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let config = with_root(folder.path(), "kind = \"passphrase\"\npassphrase_file = \"phrase\"");
    let write = |text: &str| {
        fs::write(folder.path().join("phrase"), text).unwrap();
        fs::set_permissions(folder.path().join("phrase"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("correct horse battery staple\n");
    keeps_keys(&config, &[], false);
    write("correct horse battery stable\n");
    let said = fails(&config, true);
    assert!(!said.contains("stable") && (said.contains("[root_key]") || said.contains("[store]")), "{said}");
}

#[test]
fn serve_opens_its_store_with_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let config = with_root(folder.path(), "kind = \"credential\"\ncredential = \"root\"");
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("root"), "a5".repeat(32)).unwrap();
    fs::set_permissions(credentials.join("root"), fs::Permissions::from_mode(0o400)).unwrap();
    keeps_keys(&config, &[("CREDENTIALS_DIRECTORY".to_owned(), credentials)], false);
    let said = fails(&config, true);
    assert!(said.contains("CREDENTIALS_DIRECTORY"), "{said}");
}
