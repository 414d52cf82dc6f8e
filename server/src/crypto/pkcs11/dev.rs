//! A token of SoftHSM for development, in a folder of its own.
//!
//! SoftHSM reads the path of its configuration from the environment when it is initialised, and setting the environment of
//! a running process is unsound once there are threads. So the process replaces itself, once, by itself with the variable
//! set: [`DevToken::enter`].

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::config::{Config, Pkcs11Error, TokenChoice, find_softhsm, read_pin};
use super::fault::Fault;
use super::module::Module;
use super::token::sync_tree;
use crate::secret::Secret;

/// The variable that SoftHSM reads.
const VARIABLE: &str = "SOFTHSM2_CONF";
const LABEL: &str = "kmipd-dev";

/// A folder with SoftHSM's configuration (`softhsm2.conf`), its tokens (`tokens/`), and the user PIN (`pin`, mode 0600).
///
/// Whoever reads the folder has the keys: a software token's files and PIN lie side by side here. It is for development.
#[derive(Debug, Clone)]
pub struct DevToken {
    folder: PathBuf,
}

impl DevToken {
    /// Makes the folder and the configuration, if they are not there. The path must be absolute after this: it is made so.
    ///
    /// # Errors
    /// The folder or the file cannot be made.
    pub fn prepare(folder: &Path) -> Result<Self, Pkcs11Error> {
        let tokens = folder.join("tokens");
        DirBuilder::new().recursive(true).mode(0o700).create(&tokens).map_err(|error| failed(&tokens, &error))?;
        let folder = folder.canonicalize().map_err(|error| failed(folder, &error))?;
        let this = Self { folder };
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            this.folder.join("tokens").display()
        );
        let path = this.configuration();
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            write_private(&path, text.as_bytes())?;
        }
        Ok(this)
    }

    /// The path of the configuration, for the environment of other processes.
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    /// Whether this process has the configuration in its environment.
    pub fn is_entered(&self) -> bool {
        std::env::var_os(VARIABLE).as_deref() == Some(self.configuration().as_os_str())
    }

    /// Sees to it that the environment names the configuration: replaces the process by itself, with the same arguments
    /// and the variable set, if it does not. Call it early: nothing of the process survives but its number, its standard
    /// streams and its arguments.
    ///
    /// # Errors
    /// The process cannot be replaced.
    pub fn enter(&self) -> Result<(), Pkcs11Error> {
        if self.is_entered() {
            return Ok(());
        }
        let program = std::env::current_exe().map_err(|error| failed(Path::new("/proc/self/exe"), &error))?;
        let error = Command::new(&program).args(std::env::args_os().skip(1)).env(VARIABLE, self.configuration()).exec();
        Err(failed(&program, &error))
    }

    /// Opens the token, and makes it first if it is not there: a PIN of 32 random characters, which is in no command line.
    ///
    /// # Errors
    /// SoftHSM is not installed (the text says what to install), the environment does not name the configuration, or the
    /// token cannot be made.
    pub fn config(&self) -> Result<Config, Pkcs11Error> {
        self.config_with(&find_softhsm()?)
    }

    /// The same with SoftHSM's module, or one that forwards to it, at this path.
    ///
    /// # Errors
    /// As [`DevToken::config`].
    pub fn config_with(&self, module: &Path) -> Result<Config, Pkcs11Error> {
        if !self.is_entered() {
            return Err(Pkcs11Error::Lacks(format!("{VARIABLE} does not name {}", self.configuration().display())));
        }
        let (pin_file, so_pin_file) = (self.folder.join("pin"), self.folder.join("so-pin"));
        let started = so_pin_file.exists();
        if !started && !pin_file.exists() && self.has_tokens()? {
            let reason = "the PIN is gone, and without it nobody opens the token that is there".to_owned();
            return Err(Pkcs11Error::File { path: pin_file, reason });
        }
        if started || !pin_file.exists() {
            // The PINs are on the disk before the token has them, and the officer's goes when all is done. So a crash in
            // between leaves a token that the next start finishes, and never one that nobody can open.
            let so_pin = if started { read_pin(&so_pin_file)? } else { new_pin()? };
            if !started {
                write_private(&so_pin_file, so_pin.expose())?;
            }
            let pin = new_pin()?;
            write_private(&pin_file, pin.expose())?;
            initialise(&*Module::load(module, None)?, &so_pin, &pin)?;
            sync_tree(&self.folder)?;
            fs::remove_file(&so_pin_file).map_err(|error| failed(&so_pin_file, &error))?;
            sync_tree(&self.folder)?;
        }
        let mut config = Config::new(module.to_owned(), TokenChoice::Label(LABEL.to_owned()), read_pin(&pin_file)?);
        config.token_files = Some(self.folder.join("tokens"));
        Ok(config)
    }

    fn has_tokens(&self) -> Result<bool, Pkcs11Error> {
        let tokens = self.folder.join("tokens");
        let mut entries = fs::read_dir(&tokens).map_err(|error| failed(&tokens, &error))?;
        Ok(entries.next().is_some())
    }
}

/// Initialises the token, or once more one that was begun.
pub(super) fn initialise(module: &Module, so_pin: &Secret, pin: &Secret) -> Result<(), Pkcs11Error> {
    let slots = module.context.get_slots_with_token().map_err(|error| Fault::from_cryptoki("C_GetSlotList", &error))?;
    let begun = |label: &str, initialised: bool| initialised && label == LABEL;
    let mut free = None;
    let mut ours = None;
    for slot in slots {
        let info =
            module.context.get_token_info(slot).map_err(|error| Fault::from_cryptoki("C_GetTokenInfo", &error))?;
        if begun(info.label(), info.token_initialized()) {
            ours = Some(slot);
        } else if !info.token_initialized() {
            free = Some(slot);
        }
    }
    let slot = ours.or(free).ok_or_else(|| Pkcs11Error::Lacks("it has no free slot".to_owned()))?;
    let (so_pin, pin) = (auth(so_pin)?, auth(pin)?);
    module.context.init_token(slot, &so_pin, LABEL).map_err(|error| Fault::from_cryptoki("C_InitToken", &error))?;
    let session =
        module.context.open_rw_session(slot).map_err(|error| Fault::from_cryptoki("C_OpenSession", &error))?;
    session.login(UserType::So, Some(&so_pin)).map_err(|error| Fault::from_cryptoki("C_Login", &error))?;
    session.init_pin(&pin).map_err(|error| Fault::from_cryptoki("C_InitPIN", &error))?;
    session.logout().map_err(|error| Fault::from_cryptoki("C_Logout", &error))?;
    Ok(())
}

fn auth(pin: &Secret) -> Result<AuthPin, Pkcs11Error> {
    let text =
        std::str::from_utf8(pin.expose()).map_err(|_| Pkcs11Error::Pin { reason: "it is not text".to_owned() })?;
    Ok(AuthPin::from(text.to_owned()))
}

/// 32 characters of 64: 192 bits. SoftHSM neither counts nor slows guesses.
fn new_pin() -> Result<Secret, Pkcs11Error> {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = Zeroizing::new([0_u8; 32]);
    SystemRandom::new()
        .fill(random.as_mut_slice())
        .map_err(|_| Pkcs11Error::Pin { reason: "no random bytes".to_owned() })?;
    let pin = random.iter().filter_map(|byte| CHARACTERS.get(usize::from(byte % 64)).copied());
    let mut text = Zeroizing::new(Vec::with_capacity(32));
    text.extend(pin);
    Ok(Secret::copy_of(&text))
}

/// Writes a file that only its owner reads, all of it or none, and puts it on the disk.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Pkcs11Error> {
    let mut name = path.file_name().unwrap_or(OsStr::new("file")).to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&new, &error)),
        _ => {}
    }
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Pkcs11Error {
    Pkcs11Error::File { path: path.to_owned(), reason: error.to_string() }
}
