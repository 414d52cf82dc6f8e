//! A token for a test, in a process of its own.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

use kmipd::crypto::algorithm::KeyKind;
use kmipd::crypto::pkcs11::{Config, DevToken, Pkcs11Provider, Token, WrappingKey, find_softhsm};
use kmipd::crypto::{Guarded, Made, MadePair, Provider, Residency};
use kmipd::secret::Secret;

use crate::shim::shim;

pub(crate) use crate::attacker::WRAPPING;
const FOLDER: &str = "KMIPD_TEST_TOKEN";

/// Declares a test that runs in a process of its own with an empty folder for a token.
macro_rules! token_test {
    ($(#[$meta:meta])* fn $name:ident($bench:ident) $body:block) => {
        $(#[$meta])*
        #[test]
        fn $name() {
            fn body($bench: &$crate::bench::Bench) $body
            $crate::bench::run(concat!(module_path!(), "::", stringify!($name)), body);
        }
    };
}

/// What a test has.
pub(crate) struct Bench {
    pub(crate) token: DevToken,
    pub(crate) folder: PathBuf,
    name: String,
}

/// Runs a body in a child of this very program, which libtest runs with the one test.
pub(crate) fn run(path: &str, body: fn(&Bench)) {
    let name = path.split_once("::").unwrap().1.to_owned();
    if let Some(folder) = env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        let token = DevToken::prepare(&folder).unwrap();
        assert!(token.is_entered());
        return body(&Bench { token, folder, name });
    }
    if let Err(error) = find_softhsm() {
        panic!("{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let bench =
        Bench { token: DevToken::prepare(folder.path()).unwrap(), folder: folder.path().canonicalize().unwrap(), name };
    let output = bench.child().output().unwrap();
    assert_ran(&output);
}

fn assert_ran(output: &Output) {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "in the child:\n{text}");
}

impl Bench {
    /// The same test once more in a fresh process with the same folder.
    pub(crate) fn child(&self) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args([&self.name, "--exact", "--nocapture"])
            .env("SOFTHSM2_CONF", self.token.configuration())
            .env(FOLDER, &self.folder);
        command
    }

    /// Runs the body once more in a fresh process, in which `variable` is set.
    pub(crate) fn again(&self, variable: &str) {
        assert_ran(&self.child().env(variable, "1").output().unwrap());
    }

    /// The same with the shim between us and SoftHSM.
    pub(crate) fn through_shim(&self, variable: &str) {
        let output = self
            .child()
            .env(variable, "1")
            .env("KMIPD_SHIM_MODULE", find_softhsm().unwrap())
            .env("KMIPD_SHIM_LOG", self.shim_log())
            .env("KMIPD_SHIM_GONE", self.shim_gone())
            .output()
            .unwrap();
        assert_ran(&output);
    }

    pub(crate) fn shim_log(&self) -> PathBuf {
        self.folder.join("shim.log")
    }

    /// While this file exists, the token is gone.
    pub(crate) fn shim_gone(&self) -> PathBuf {
        self.folder.join("gone")
    }

    pub(crate) fn shim_config(&self) -> Config {
        self.token.config_with(&shim()).unwrap()
    }

    pub(crate) fn provider(&self) -> Pkcs11Provider {
        provider(&self.token.config().unwrap())
    }
}

/// A provider on a token, with the wrapping key that is there or a new one.
pub(crate) fn provider(config: &Config) -> Pkcs11Provider {
    let token = Token::open(config).unwrap();
    let wrapping = match WrappingKey::find(&token, WRAPPING).unwrap() {
        Some(key) => key,
        None => WrappingKey::create(&token, WRAPPING).unwrap().0,
    };
    Pkcs11Provider::new(token, wrapping).unwrap()
}

pub(crate) fn adopt(provider: &dyn Provider, kind: KeyKind, bytes: &[u8]) -> Guarded {
    guarded(provider.adopt(kind, &Secret::copy_of(bytes), Residency::Wrapped).unwrap())
}

pub(crate) fn generate(provider: &dyn Provider, kind: KeyKind) -> Guarded {
    guarded(provider.generate(kind, Residency::Wrapped).unwrap())
}

pub(crate) fn generate_pair(provider: &dyn Provider, kind: KeyKind, residency: Residency) -> (Guarded, Vec<u8>) {
    let MadePair { private, public } = provider.generate_pair(kind, residency).unwrap();
    (guarded(private), public)
}

pub(crate) fn guarded(made: Made) -> Guarded {
    match made {
        Made::Guarded(key) => key,
        Made::Clear(_) => panic!("the bytes came out"),
    }
}
