//! What the operator says about the module, and what is wrong with it in words that the operator understands.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Where distributions put SoftHSM's module.
const SOFTHSM_PLACES: [&str; 8] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// Which token of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenChoice {
    /// The one with this label.
    Label(String),
    /// The one in this slot, by the slot's number.
    Slot(u64),
}

impl fmt::Display for TokenChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "with the label {label:?}"),
            Self::Slot(slot) => write!(f, "in slot {slot}"),
        }
    }
}

/// How a PKCS#11 module is used.
#[derive(Debug, Clone)]
pub struct Config {
    /// The library.
    pub module: PathBuf,
    /// The token.
    pub token: TokenChoice,
    /// The user PIN.
    pub pin: Secret,
    /// Sessions for work, at most; one more owns the session objects. At least 1.
    pub pool: usize,
    /// Handles of unwrapped keys that stay in the module, at most (about 8 KiB each in SoftHSM).
    pub handles: usize,
    /// The folder of a software token's files, to be synced after a token object was made. `None`: SoftHSM's is found
    /// through its configuration, other modules are trusted to keep what they acknowledge.
    pub token_files: Option<PathBuf>,
    /// What the module is given when it is initialised, in its own words; most take nothing.
    pub arguments: Option<String>,
}

impl Config {
    /// The defaults: 8 sessions, 20 000 handles.
    pub fn new(module: PathBuf, token: TokenChoice, pin: Secret) -> Self {
        Self { module, token, pin, pool: 8, handles: 20_000, token_files: None, arguments: None }
    }
}

/// Reads a PIN from a file; one line end after it is not part of it.
///
/// # Errors
/// The file cannot be read, or it is empty.
pub fn read_pin(path: &Path) -> Result<Secret, Pkcs11Error> {
    let failed = |reason: String| Pkcs11Error::Pin { reason: format!("{}: {reason}", path.display()) };
    let bytes = Zeroizing::new(fs::read(path).map_err(|error| failed(error.to_string()))?);
    let pin = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let pin = pin.strip_suffix(b"\r").unwrap_or(pin);
    if pin.is_empty() {
        return Err(failed("the file is empty".to_owned()));
    }
    Ok(Secret::copy_of(pin))
}

/// Looks for SoftHSM's module: where `KMIPD_SOFTHSM` says, or else in the usual places.
///
/// # Errors
/// It is in none of them; the text says what to install.
pub fn find_softhsm() -> Result<PathBuf, Pkcs11Error> {
    let named = std::env::var_os("KMIPD_SOFTHSM").map(PathBuf::from);
    let mut places = named.into_iter().chain(SOFTHSM_PLACES.iter().map(PathBuf::from));
    places.find(|path| path.exists()).ok_or(Pkcs11Error::NoSoftHsm)
}

/// Why a module or its token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Pkcs11Error {
    /// No SoftHSM.
    #[error("libsofthsm2.so was not found in the usual places; on Debian and Ubuntu: apt-get install softhsm2")]
    NoSoftHsm,
    /// The library is not there.
    #[error("there is no PKCS#11 module at {0}")]
    NoModule(PathBuf),
    /// The library is there and is no module.
    #[error("{path} cannot be loaded as a PKCS#11 module: {reason}")]
    NotAModule {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The token is not there.
    #[error("there is no token {wanted}; {}", Tokens(.there))]
    NoToken {
        /// What was asked for.
        wanted: TokenChoice,
        /// Labels and slots of those that are there.
        there: Vec<String>,
    },
    /// More than one token has the label.
    #[error("more than one token has the label {0:?}; name the slot instead")]
    ManyTokens(String),
    /// The token was never initialised, or has no user PIN.
    #[error("the token {0} is not initialised, or its user PIN was never set")]
    NotInitialised(TokenChoice),
    /// The PIN is wrong or locked, or its file cannot be read.
    #[error("the PIN: {reason}")]
    Pin {
        /// What is wrong, without the PIN.
        reason: String,
    },
    /// Our key is not on the token.
    #[error("the token has no key with the label {0:?}")]
    NoKey(String),
    /// A key is on the token and is not as it must be.
    #[error("the key with the label {label:?} on the token cannot be trusted: {reason}")]
    BadKey {
        /// Its label.
        label: String,
        /// What is wrong.
        reason: String,
    },
    /// The module lacks something without which nothing goes.
    #[error("the module cannot be used: {0}")]
    Lacks(String),
    /// A file or folder.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A call failed.
    #[error("the module failed: {0}")]
    Module(String),
}

/// Writes the list of tokens that are there.
struct Tokens<'a>(&'a [String]);

impl fmt::Display for Tokens<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("the module has no token at all"),
            there => write!(f, "there are: {}", there.join(", ")),
        }
    }
}

impl From<super::fault::Fault> for Pkcs11Error {
    fn from(fault: super::fault::Fault) -> Self {
        Self::Module(fault.to_string())
    }
}
