//! What the operator reads when something is wrong, and the development token.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::types::AuthPin;
use kmipd::crypto::pkcs11::{DevToken, Pkcs11Error, Token, TokenChoice, WrappingKey, find_softhsm, read_pin};
use kmipd::secret::Secret;

token_test! {
    fn what_is_wrong_is_said_in_words(bench) {
        let good = bench.token.config().unwrap();

        let mut config = good.clone();
        config.module = PathBuf::from("/nowhere/module.so");
        let error = Token::open(&config).err().unwrap();
        assert!(matches!(error, Pkcs11Error::NoModule(_)));
        assert_eq!(error.to_string(), "there is no PKCS#11 module at /nowhere/module.so");

        let text = bench.folder.join("text.so");
        fs::write(&text, "not a library").unwrap();
        config.module = text;
        assert!(matches!(Token::open(&config), Err(Pkcs11Error::NotAModule { .. })));

        let mut config = good.clone();
        config.token = TokenChoice::Label("elsewhere".to_owned());
        let error = Token::open(&config).err().unwrap().to_string();
        assert!(error.contains("\"elsewhere\"") && error.contains("\"kmipd-dev\" (slot"), "{error}");

        config.token = TokenChoice::Slot(77);
        assert!(matches!(Token::open(&config), Err(Pkcs11Error::NoToken { .. })));

        let mut config = good.clone();
        config.pin = Secret::copy_of(b"1234-not-the-pin");
        let error = Token::open(&config).err().unwrap();
        assert!(matches!(error, Pkcs11Error::Pin { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("PIN") && !error.contains("1234-not-the-pin"), "{error}");
        // A wrong PIN leaves the module as it was.
        Token::open(&good).unwrap();
    }
}

token_test! {
    fn a_slot_without_an_initialised_token_is_named(bench) {
        let good = bench.token.config().unwrap();
        let listed = (0..16).map(|slot| {
            let mut config = good.clone();
            config.token = TokenChoice::Slot(slot);
            Token::open(&config).err()
        });
        // SoftHSM always has one more slot, with a token that nobody initialised.
        assert!(listed.flatten().any(|error| matches!(error, Pkcs11Error::NotInitialised(_))));
    }
}

token_test! {
    fn the_development_token_is_made_once_and_its_pin_is_its_owners(bench) {
        let config = bench.token.config().unwrap();
        let again = bench.token.config().unwrap();
        assert_eq!(config.pin, again.pin);
        assert_eq!(config.pin.len(), 32);
        let mode = |name: &str| bench.folder.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("pin"), 0o600);
        assert_eq!(mode("tokens"), 0o700);
        assert!(!bench.folder.join("so-pin").exists());
        assert_eq!(read_pin(&bench.folder.join("pin")).unwrap(), config.pin);
        let token = Token::open(&config).unwrap();
        let (_, blob) = WrappingKey::create(&token, "one").unwrap();
        // Another wrapping key does not open what this one wrapped.
        let (other, _) = WrappingKey::create(&token, "two").unwrap();
        assert!(matches!(other.verify_check_blob(&blob), Err(Pkcs11Error::BadKey { .. })));
    }
}

token_test! {
    fn a_development_token_that_was_begun_is_finished(bench) {
        let so_pin = bench.folder.join("so-pin");
        if std::env::var_os("KMIPD_TEST_SECOND").is_none() {
            // As after a crash: the token has the officer's PIN and not yet the user's.
            fs::write(&so_pin, "the officer's PIN").unwrap();
            let module = Pkcs11::new(find_softhsm().unwrap()).unwrap();
            module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
            let slot = module.get_all_slots().unwrap()[0];
            module.init_token(slot, &AuthPin::from("the officer's PIN".to_owned()), "kmipd-dev").unwrap();
            return bench.again("KMIPD_TEST_SECOND");
        }
        let config = bench.token.config().unwrap();
        assert!(!so_pin.exists());
        Token::open(&config).unwrap();
    }
}

token_test! {
    fn a_development_token_without_its_pin_is_left_alone(bench) {
        let config = bench.token.config().unwrap();
        fs::remove_file(bench.folder.join("pin")).unwrap();
        let error = bench.token.config().err().unwrap();
        assert!(error.to_string().contains("the PIN is gone"), "{error}");
        assert!(!bench.folder.join("so-pin").exists() && !bench.folder.join("pin").exists());
        Token::open(&config).unwrap();
    }
}

/// The process replaces itself by itself, with the same arguments and SoftHSM's configuration in the environment.
#[test]
fn the_process_enters_the_development_token() {
    const ENTER: &str = "KMIPD_TEST_ENTER";
    if let Some(folder) = std::env::var_os(ENTER) {
        let token = DevToken::prepare(Path::new(&folder)).unwrap();
        token.enter().unwrap();
        Token::open(&token.config().unwrap()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let token = DevToken::prepare(folder.path()).unwrap();
    assert!(matches!(token.config(), Err(Pkcs11Error::Lacks(_))));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["setup::the_process_enters_the_development_token", "--exact", "--nocapture"])
        .env(ENTER, folder.path())
        .env_remove("SOFTHSM2_CONF")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_pin_file_is_read_without_its_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin");
    for (text, pin) in [("1234\n", "1234"), ("1234\r\n", "1234"), (" 1 2 ", " 1 2 "), ("1234\n\n", "1234\n")] {
        fs::write(&path, text).unwrap();
        assert_eq!(read_pin(&path).unwrap().expose(), pin.as_bytes());
    }
    fs::write(&path, "\n").unwrap();
    assert!(matches!(read_pin(&path), Err(Pkcs11Error::Pin { .. })));
    let error = read_pin(Path::new("/nowhere/pin")).err().unwrap().to_string();
    assert!(error.contains("/nowhere/pin"), "{error}");
}
