//! A server with a token behind the shim.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use kmipd::crypto::pkcs11::find_softhsm;
use tempfile::TempDir;

use crate::harness::Kmipd;
use crate::shim::shim;

/// A module that the shim forwards to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Module {
    SoftHsm,
    /// Built from `tests/kryoptic`.
    Kryoptic,
}

impl Module {
    fn library(self) -> PathBuf {
        match self {
            Self::SoftHsm => find_softhsm().unwrap(),
            Self::Kryoptic => env::var_os("KMIPD_KRYOPTIC").expect("KMIPD_KRYOPTIC: ./test builds it").into(),
        }
    }
}

/// `kmipd dev --hsm` in a folder, and what the shim has beside it.
pub(crate) struct House {
    pub(crate) kmipd: Kmipd,
    pub(crate) dir: PathBuf,
    pub(crate) calls: PathBuf,
    /// A file that makes the shim end its process: see there.
    pub(crate) end: PathBuf,
    /// A file that lets the token be away as long as it is there.
    pub(crate) gone: PathBuf,
    /// A file that lets what the module writes be cut short as long as it is there.
    pub(crate) cut: PathBuf,
    /// A file that lets the module be stuck as long as it is there.
    pub(crate) stuck: PathBuf,
    /// A file with the numbers of mechanisms that the module does not have when it starts.
    pub(crate) lacks: PathBuf,
    _folder: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same with more in its configuration.
    pub(crate) fn with(more: &str) -> Self {
        Self::dev(&["--hsm"], more)
    }

    /// The same with these flags of `kmipd dev`.
    pub(crate) fn dev(flags: &[&str], more: &str) -> Self {
        Self::on(Module::SoftHsm, flags, more)
    }

    /// The same on kryoptic: `KMIPD_KRYOPTIC` names the library.
    pub(crate) fn kryoptic() -> Self {
        Self::of(Module::Kryoptic, "")
    }

    /// The same on another module.
    pub(crate) fn of(module: Module, more: &str) -> Self {
        Self::on(module, &["--hsm"], more)
    }

    fn on(module: Module, flags: &[&str], more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [calls, end, gone, cut, stuck, lacks, dir] =
            ["calls", "end", "gone", "cut", "stuck", "lacks", "dev"].map(|name| folder.path().join(name));
        let kryoptic = folder.path().join("kryoptic.conf");
        let token = folder.path().join("kryoptic.sql").display().to_string();
        fs::write(&kryoptic, format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = {token:?}\n")).unwrap();
        let environment = [
            ("KMIPD_SOFTHSM", shim()),
            ("KMIPD_SHIM_MODULE", module.library()),
            ("KRYOPTIC_CONF", kryoptic),
            ("KMIPD_SHIM_LOG", calls.clone()),
            ("KMIPD_SHIM_END", end.clone()),
            ("KMIPD_SHIM_GONE", gone.clone()),
            ("KMIPD_SHIM_CUT", cut.clone()),
            ("KMIPD_SHIM_STUCK", stuck.clone()),
            ("KMIPD_SHIM_LACKS", lacks.clone()),
            ("KMIPD_LOG", PathBuf::from("trace")),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let mut kmipd = Kmipd::dev_among(&dir, flags, &environment);
        if !more.is_empty() {
            assert!(kmipd.terminate().success());
            append(&dir.join("kmipd.toml"), more);
            kmipd.restart();
        }
        let this = Self { kmipd, dir, calls, end, gone, cut, stuck, lacks, _folder: folder };
        this.forget_calls();
        this
    }

    /// Empties the record of calls.
    pub(crate) fn forget_calls(&self) {
        fs::write(&self.calls, "").unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("kmipd.toml")
    }

    /// Objects on the token: SoftHSM has a file for each.
    pub(crate) fn token_objects(&self) -> usize {
        let files = files(&self.dir.join("hsm/tokens"));
        let is_object = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".object") && name != "token.object"
        };
        files.iter().filter(is_object).count()
    }
}

/// All files under a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

pub(crate) fn append(file: &Path, more: &str) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, format!("{text}\n{more}\n")).unwrap();
}
