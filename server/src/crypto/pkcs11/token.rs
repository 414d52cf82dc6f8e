//! A token that was opened, and keys on it that are named by a label.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::error::RvError;
use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_MECHANISM_TYPE, CKA_ALLOWED_MECHANISMS, CKA_ALWAYS_SENSITIVE, CKA_CLASS, CKA_ID, CKA_LABEL,
    CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_TOKEN, CKM_AES_KEY_GEN, CKM_CONCATENATE_BASE_AND_DATA,
    CKM_CONCATENATE_BASE_AND_KEY, CKM_CONCATENATE_DATA_AND_BASE, CKM_EXTRACT_KEY_FROM_KEY, CKM_XOR_BASE_AND_DATA,
    CKO_SECRET_KEY,
};

use super::attr::{Attr, Mechanism};
use super::config::{Config, Pkcs11Error};
use super::fault::Fault;
use super::raw::Handle;
use super::session::{Sessions, Work};

/// Mechanisms that put the very bytes of a key into another one. PKCS#11 says that the other one is guarded as it is; not
/// every module sees to it.
pub(super) const DISCLOSING: [CK_MECHANISM_TYPE; 5] = [
    CKM_CONCATENATE_BASE_AND_KEY,
    CKM_CONCATENATE_BASE_AND_DATA,
    CKM_CONCATENATE_DATA_AND_BASE,
    CKM_XOR_BASE_AND_DATA,
    CKM_EXTRACT_KEY_FROM_KEY,
];

/// A token with its sessions, logged in. Cheap to clone: all clones share the sessions.
#[derive(Clone)]
pub struct Token {
    pub(super) sessions: Arc<Sessions>,
    pub(super) mechanisms: Arc<HashSet<CK_MECHANISM_TYPE>>,
    /// Those that are left without the disclosing ones, if the module has any of these.
    harmless: Option<Arc<[CK_MECHANISM_TYPE]>>,
    pub(super) handle_bound: usize,
    files: Option<Arc<Path>>,
}

impl Token {
    /// Loads the module, finds the token and logs in.
    ///
    /// # Errors
    /// What is wrong with module, token or PIN.
    pub fn open(config: &Config) -> Result<Self, Pkcs11Error> {
        let sessions = Sessions::open(config)?;
        let mechanisms: HashSet<_> = sessions.module().raw.mechanisms(sessions.slot().into())?.into_iter().collect();
        let discloses = DISCLOSING.iter().any(|mechanism| mechanisms.contains(mechanism));
        let harmless = discloses.then(|| {
            let mut left: Vec<_> = mechanisms.iter().copied().filter(|it| !DISCLOSING.contains(it)).collect();
            left.sort_unstable();
            Arc::from(left)
        });
        let files = match &config.token_files {
            Some(files) => Some(files.clone()),
            None if sessions.module().is_softhsm() => softhsm_files(),
            None => None,
        };
        Ok(Self {
            sessions,
            mechanisms: Arc::new(mechanisms),
            harmless,
            handle_bound: config.handles,
            files: files.map(Arc::from),
        })
    }

    /// Puts a software token's files on the disk. SoftHSM itself syncs nothing: without this a power cut takes keys that
    /// were acknowledged.
    pub(super) fn sync(&self) -> Result<(), Pkcs11Error> {
        self.files.as_deref().map_or(Ok(()), sync_tree)
    }

    /// What keeps a key from the disclosing mechanisms, where the module has any: an attribute that a key is born with.
    pub(super) fn confined(&self) -> Option<Attr<'_>> {
        self.harmless.as_deref().map(|harmless| Attr::Mechanisms(CKA_ALLOWED_MECHANISMS, harmless))
    }

    pub(super) fn has(&self, mechanism: CK_MECHANISM_TYPE) -> bool {
        self.mechanisms.contains(&mechanism)
    }
}

/// Where SoftHSM keeps its tokens, after its configuration.
fn softhsm_files() -> Option<PathBuf> {
    let path =
        std::env::var_os("SOFTHSM2_CONF").map_or_else(|| PathBuf::from("/etc/softhsm/softhsm2.conf"), PathBuf::from);
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "directories.tokendir").then(|| PathBuf::from(value.trim()))
    })
}

/// Syncs all files of a folder, its folders, and itself.
pub(super) fn sync_tree(folder: &Path) -> Result<(), Pkcs11Error> {
    let failed =
        |path: &Path, error: std::io::Error| Pkcs11Error::File { path: path.to_owned(), reason: error.to_string() };
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| failed(&path, error))?;
        if kind.is_dir() {
            sync_tree(&path)?;
        } else if kind.is_file() {
            File::open(&path).and_then(|file| file.sync_all()).map_err(|error| failed(&path, error))?;
        }
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))
}

/// What the module must say about where a key on the token comes from. It cannot be set, only read.
pub(super) const ORIGIN: [(CK_ATTRIBUTE_TYPE, &str, bool); 3] = [
    (CKA_LOCAL, "CKA_LOCAL", true),
    (CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true),
    (CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true),
];

/// What must be true of a key with a label; answers what is not.
pub(super) type Verify = fn(&Work<'_>, Handle) -> Result<Result<(), String>, Fault>;

/// A secret key of ours on the token, named by its label. Its handle is looked up anew, and the key verified anew, in each
/// epoch: another token may have been plugged in.
pub(super) struct LabelledKey {
    pub(super) token: Token,
    pub(super) label: String,
    pub(super) id: Vec<u8>,
    verify: Verify,
    current: Mutex<Option<(u64, Handle)>>,
}

impl LabelledKey {
    /// The key with a label, verified. `Ok(None)` if there is none.
    pub(super) fn find(token: &Token, label: &str, verify: Verify) -> Result<Option<Self>, Pkcs11Error> {
        let found = token.sessions.work(|work| {
            let found = search(work, label)?;
            match found.as_slice() {
                [handle] => {
                    let verdict = verify(work, *handle)?;
                    let id = work.raw.attribute(work.session, *handle, CKA_ID)?;
                    Ok(Some(verdict.map(|()| (*handle, id, work.epoch))))
                }
                [] => Ok(None),
                _ => Ok(Some(Err("there is more than one".to_owned()))),
            }
        })?;
        match found {
            None => Ok(None),
            Some(Err(reason)) => Err(Pkcs11Error::BadKey { label: label.to_owned(), reason }),
            Some(Ok((handle, id, epoch))) => Ok(Some(Self {
                token: token.clone(),
                label: label.to_owned(),
                id,
                verify,
                current: Mutex::new(Some((epoch, handle))),
            })),
        }
    }

    /// Makes an AES-256 key with a label, syncs the token, and reads the key back.
    pub(super) fn create(
        token: &Token,
        label: &str,
        template: &[Attr<'_>],
        verify: Verify,
    ) -> Result<Self, Pkcs11Error> {
        let there = token.sessions.work(|work| search(work, label))?;
        if !there.is_empty() {
            return Err(Pkcs11Error::BadKey { label: label.to_owned(), reason: "it exists already".to_owned() });
        }
        token
            .sessions
            .work(|work| work.raw.generate_key(work.session, &Mechanism::Plain(CKM_AES_KEY_GEN), template))?;
        token.sync()?;
        Self::find(token, label, verify)?.ok_or_else(|| Pkcs11Error::NoKey(label.to_owned()))
    }

    /// A key of the owner's session, which ends with it: to try a module on.
    pub(super) fn passing(token: &Token, label: &str, template: &[Attr<'_>]) -> Result<Self, Fault> {
        let (handle, id, epoch) = token.sessions.own(|work| {
            let handle = work.raw.generate_key(work.session, &Mechanism::Plain(CKM_AES_KEY_GEN), template)?;
            Ok((handle, work.raw.attribute(work.session, handle, CKA_ID)?, work.epoch))
        })?;
        let current = Mutex::new(Some((epoch, handle)));
        Ok(Self { token: token.clone(), label: label.to_owned(), id, verify: |_, _| Ok(Ok(())), current })
    }

    /// The handle, for use in this session's epoch.
    pub(super) fn handle(&self, work: &Work<'_>) -> Result<Handle, Fault> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((epoch, handle)) = *current
            && epoch == work.epoch
        {
            return Ok(handle);
        }
        let gone = Fault { call: "finding our key on the token", error: RvError::TokenNotRecognized };
        let [handle] = search(work, &self.label)?.try_into().map_err(|_| gone)?;
        let same = work.raw.attribute(work.session, handle, CKA_ID)? == self.id;
        if !same || (self.verify)(work, handle)?.is_err() {
            return Err(gone);
        }
        *current = Some((work.epoch, handle));
        Ok(handle)
    }
}

fn search(work: &Work<'_>, label: &str) -> Result<Vec<Handle>, Fault> {
    let template = [
        Attr::Number(CKA_CLASS, CKO_SECRET_KEY),
        Attr::Bool(CKA_TOKEN, true),
        Attr::Bytes(CKA_LABEL, label.as_bytes()),
    ];
    work.raw.find(work.session, &template, 2)
}

/// Compares boolean attributes with what they must be; answers the first that differs.
pub(super) fn flags(
    work: &Work<'_>,
    key: Handle,
    wanted: &[(CK_ATTRIBUTE_TYPE, &str, bool)],
) -> Result<Result<(), String>, Fault> {
    for (attribute, name, value) in wanted {
        let read = work.raw.attribute(work.session, key, *attribute)?;
        if read.as_slice() != [u8::from(*value)] {
            return Ok(Err(format!("{name} is not {value}")));
        }
    }
    Ok(Ok(()))
}
