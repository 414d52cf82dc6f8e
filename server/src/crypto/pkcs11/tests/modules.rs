//! The modules that this provider is tested with, each on a token of its own in a folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::dev::initialise;
use super::super::module::Module as Loaded;
use super::super::{Config, DevToken, TokenChoice, find_softhsm};
use crate::secret::Secret;

/// A module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Module {
    /// SoftHSM2.
    SoftHsm,
    /// kryoptic, built from `tests/kryoptic`: `KMIPD_KRYOPTIC` names the library.
    Kryoptic,
    /// The software token of NSS.
    Nss,
}

const PIN: &[u8] = b"0123456789abcdef";
const SO_PIN: &[u8] = b"fedcba9876543210";

impl Module {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SoftHsm => "SoftHSM2",
            Self::Kryoptic => "kryoptic",
            Self::Nss => "NSS",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        *[Self::SoftHsm, Self::Kryoptic, Self::Nss].iter().find(|module| module.name() == name).expect("a module")
    }

    /// The library. A module that is not there is a test that fails.
    pub(super) fn library(self) -> PathBuf {
        match self {
            Self::SoftHsm => find_softhsm().unwrap(),
            Self::Kryoptic => {
                env::var_os("KMIPD_KRYOPTIC").map(PathBuf::from).expect("KMIPD_KRYOPTIC: ./test builds it")
            }
            Self::Nss => NSS
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists())
                .expect("libsoftokn3.so is not there; on Debian and Ubuntu: apt-get install libnss3"),
        }
    }

    /// The variable that names another library in its place.
    pub(super) const fn variable(self) -> &'static str {
        match self {
            Self::SoftHsm => "KMIPD_SOFTHSM",
            Self::Kryoptic => "KMIPD_KRYOPTIC",
            Self::Nss => "KMIPD_NSS",
        }
    }

    /// What the environment of a process must say that uses a token in this folder.
    pub(super) fn environment(self, folder: &Path) -> Option<(&'static str, OsString)> {
        match self {
            Self::SoftHsm => {
                Some(("SOFTHSM2_CONF", DevToken::prepare(folder).unwrap().configuration().into_os_string()))
            }
            Self::Kryoptic => {
                let file = folder.join("kryoptic.conf");
                let token = folder.join("token.sql");
                let text =
                    format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = {:?}\n", token.display().to_string());
                fs::write(&file, text).unwrap();
                Some(("KRYOPTIC_CONF", file.into_os_string()))
            }
            Self::Nss => None,
        }
    }

    /// Makes a token in the folder, in a process with this environment, and says how to open it.
    pub(super) fn token(self, folder: &Path) -> Config {
        let (pin, so_pin) = (Secret::copy_of(PIN), Secret::copy_of(SO_PIN));
        let library = self.library();
        match self {
            Self::SoftHsm => DevToken::prepare(folder).unwrap().config().unwrap(),
            Self::Kryoptic => {
                initialise(&Loaded::load(&library, None).unwrap(), &so_pin, &pin).unwrap();
                Config::new(library, TokenChoice::Label("kmipd-dev".to_owned()), pin)
            }
            Self::Nss => {
                let arguments = format!("configdir='sql:{}'", folder.display());
                let module = Loaded::load(&library, Some(&arguments)).unwrap();
                let slot = module.context.get_slots_with_token().unwrap().into_iter().next_back().unwrap();
                let session = module.context.open_rw_session(slot).unwrap();
                let auth = |pin: &[u8]| cryptoki::types::AuthPin::from(String::from_utf8(pin.to_vec()).unwrap());
                // A new database has no PIN, and its officer has an empty one.
                session.login(cryptoki::session::UserType::So, Some(&auth(b""))).unwrap();
                session.init_pin(&auth(PIN)).unwrap();
                session.logout().unwrap();
                let mut config = Config::new(library, TokenChoice::Slot(slot.id()), pin);
                config.arguments = Some(arguments);
                config
            }
        }
    }
}

/// Where distributions put it.
const NSS: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so",
    "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
    "/usr/lib/aarch64-linux-gnu/nss/libsoftokn3.so",
    "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
    "/usr/lib64/libsoftokn3.so",
];
