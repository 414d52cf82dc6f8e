//! The wrapping key: every wrapped key is as safe as this one, and no safer.
//!
//! Without the template for unwrapping, whoever has PIN and store unwraps a key as extractable. If it could be modified or
//! copied, whoever has the PIN would let it, or its copy, decrypt, and open every blob by hand. So it can neither, and
//! works with one mechanism only.

use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_CLASS, CKA_COPYABLE, CKA_DECRYPT, CKA_DERIVE,
    CKA_DESTROYABLE, CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODIFIABLE, CKA_PRIVATE,
    CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_UNWRAP, CKA_UNWRAP_TEMPLATE, CKA_VALUE_LEN, CKA_VERIFY, CKA_WRAP,
    CKA_WRAP_TEMPLATE, CKK_AES, CKM_AES_ECB, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKO_SECRET_KEY,
};

use super::attr::{Attr, Mechanism};
use super::config::Pkcs11Error;
use super::fault::Fault;
use super::raw::{Entry, Handle};
use super::session::Work;
use super::template;
use super::token::{LabelledKey, ORIGIN, Token, flags};
use crate::crypto::algorithm::KeyKind;

/// What a wrapped key must be: it cannot leave but as a secret.
const WRAP_TEMPLATE: [(CK_ULONG, bool); 1] = [(CKA_SENSITIVE, true)];

/// What an unwrapped key becomes, whatever the caller asks for.
const UNWRAP_TEMPLATE: [(CK_ULONG, bool); 6] = [
    (CKA_SENSITIVE, true),
    (CKA_EXTRACTABLE, false),
    (CKA_TOKEN, false),
    (CKA_PRIVATE, true),
    (CKA_WRAP, false),
    (CKA_UNWRAP, false),
];

/// The flags of the wrapping key itself.
const FLAGS: [(CK_ULONG, &str, bool); 14] = [
    (CKA_TOKEN, "CKA_TOKEN", true),
    (CKA_PRIVATE, "CKA_PRIVATE", true),
    (CKA_SENSITIVE, "CKA_SENSITIVE", true),
    (CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false),
    (CKA_MODIFIABLE, "CKA_MODIFIABLE", false),
    (CKA_COPYABLE, "CKA_COPYABLE", false),
    (CKA_DESTROYABLE, "CKA_DESTROYABLE", false),
    (CKA_WRAP, "CKA_WRAP", true),
    (CKA_UNWRAP, "CKA_UNWRAP", true),
    (CKA_ENCRYPT, "CKA_ENCRYPT", false),
    (CKA_DECRYPT, "CKA_DECRYPT", false),
    (CKA_SIGN, "CKA_SIGN", false),
    (CKA_VERIFY, "CKA_VERIFY", false),
    (CKA_DERIVE, "CKA_DERIVE", false),
];

/// Key wrap with padding, by either name. The unpadded form does not fit keys of every length.
pub(super) const PADDED: [CK_MECHANISM_TYPE; 2] = [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD];

const CHECK_VERSION: u8 = 1;
const CHECK_KIND: KeyKind = KeyKind::Aes { bits: 256 };

/// The key that wraps all keys that are stored outside and never leave.
pub struct WrappingKey {
    pub(super) key: LabelledKey,
    mechanism: CK_MECHANISM_TYPE,
}

impl WrappingKey {
    /// The wrapping key with a label, its attributes verified. `Ok(None)` if there is none.
    ///
    /// # Errors
    /// The key is there and is not as it must be, or the module fails.
    pub fn find(token: &Token, label: &str) -> Result<Option<Self>, Pkcs11Error> {
        let Some(key) = LabelledKey::find(token, label, verify)? else {
            return Ok(None);
        };
        let allowed = token.sessions.work(|work| {
            let handle = key.handle(work)?;
            work.raw.attribute(work.session, handle, CKA_ALLOWED_MECHANISMS)
        })?;
        let mechanism = PADDED
            .into_iter()
            .find(|mechanism| allowed == mechanism.to_ne_bytes() && token.has(*mechanism))
            .ok_or_else(|| {
                Pkcs11Error::Lacks("its list of allowed mechanisms is not key wrap with padding alone".to_owned())
            })?;
        Ok(Some(Self { key, mechanism }))
    }

    /// Makes the wrapping key, syncs the token's files, and answers a check blob with it.
    ///
    /// The blob is to be opened by [`WrappingKey::verify_check_blob`] in a fresh process before anything else is wrapped,
    /// and kept with the store. A store that holds wrapped keys must never get a new wrapping key: that is the caller's.
    ///
    /// # Errors
    /// The module has no key wrap with padding, refuses the template, or made something else than it was told.
    pub fn create(token: &Token, label: &str) -> Result<(Self, Vec<u8>), Pkcs11Error> {
        let mechanism = PADDED
            .into_iter()
            .find(|mechanism| token.has(*mechanism))
            .ok_or_else(|| Pkcs11Error::Lacks("it has no AES key wrap with padding (0x210A, 0x210B)".to_owned()))?;
        let id: [u8; 16] = super::random_id().map_err(|error| Pkcs11Error::Module(error.to_string()))?;
        let allowed = [mechanism];
        let on_wrap = WRAP_TEMPLATE.map(|(attribute, value)| Attr::Bool(attribute, value));
        let on_unwrap = UNWRAP_TEMPLATE.map(|(attribute, value)| Attr::Bool(attribute, value));
        let mut template = vec![
            Attr::Number(CKA_CLASS, CKO_SECRET_KEY),
            Attr::Number(CKA_KEY_TYPE, CKK_AES),
            Attr::Number(CKA_VALUE_LEN, 32),
            Attr::Bytes(CKA_LABEL, label.as_bytes()),
            Attr::Bytes(CKA_ID, &id),
            Attr::Mechanisms(CKA_ALLOWED_MECHANISMS, &allowed),
            Attr::Template(CKA_WRAP_TEMPLATE, &on_wrap),
            Attr::Template(CKA_UNWRAP_TEMPLATE, &on_unwrap),
        ];
        template.extend(FLAGS.map(|(attribute, _, value)| Attr::Bool(attribute, value)));
        let key = Self { key: LabelledKey::create(token, label, template, verify)?, mechanism };
        let blob = key.check_blob()?;
        key.verify_check_blob(&blob)?;
        Ok((key, blob))
    }

    /// Opens a check blob and compares what its key does with what it did.
    ///
    /// # Errors
    /// The blob was made by another wrapping key, or does not open.
    pub fn verify_check_blob(&self, blob: &[u8]) -> Result<(), Pkcs11Error> {
        let bad = |reason: &str| Pkcs11Error::BadKey { label: self.key.label.clone(), reason: reason.to_owned() };
        let Some(([CHECK_VERSION], blob)) = blob.split_first_chunk() else {
            return Err(bad("the check blob is not one"));
        };
        let Some((id, blob)) = blob.split_first_chunk::<16>() else {
            return Err(bad("the check blob is too short"));
        };
        let Some((value, wrapped)) = blob.split_first_chunk::<16>() else {
            return Err(bad("the check blob is too short"));
        };
        if id.as_slice() != self.key.id {
            return Err(bad("the check blob was made by another key"));
        }
        let found = self.key.token.sessions.work(|work| {
            let key = self.unwrap_key(work, wrapped, CHECK_KIND)?;
            let value = check_value(work, key);
            work.raw.destroy_object(work.session, key)?;
            value
        })?;
        if found.as_slice() == value { Ok(()) } else { Err(bad("the check blob opens to another key")) }
    }

    /// A key that was made and wrapped only to be opened again.
    pub fn check_blob(&self) -> Result<Vec<u8>, Pkcs11Error> {
        let mut template = template::passing(CHECK_KIND);
        template.extend(template::length(CHECK_KIND));
        let (wrapped, value) = self.key.token.sessions.work(|work| {
            let generator = Mechanism::Plain(template::generator(CHECK_KIND));
            let key = work.raw.generate_key(work.session, &generator, &template)?;
            let wrapped = self.wrap_key(work, key)?;
            work.raw.destroy_object(work.session, key)?;
            let key = self.unwrap_key(work, &wrapped, CHECK_KIND)?;
            let value = check_value(work, key)?;
            work.raw.destroy_object(work.session, key)?;
            Ok((wrapped, value))
        })?;
        let mut blob = vec![CHECK_VERSION];
        blob.extend(&self.key.id);
        blob.extend(value);
        blob.extend(wrapped);
        Ok(blob)
    }

    /// Wraps an object of this session.
    pub(super) fn wrap_key(&self, work: &Work<'_>, key: Handle) -> Result<Vec<u8>, Fault> {
        let by = self.key.handle(work)?;
        work.raw.wrap_key(work.session, &Mechanism::Plain(self.mechanism), by, key)
    }

    /// Unwraps to an object of this session that stays in the module.
    pub(super) fn unwrap_key(&self, work: &Work<'_>, wrapped: &[u8], kind: KeyKind) -> Result<Handle, Fault> {
        self.unwrap_as(work, wrapped, &template::unwrapped(kind))
    }

    /// Unwraps with a template of the caller's; the self-test asks for what must be refused.
    pub(super) fn unwrap_as(&self, work: &Work<'_>, wrapped: &[u8], template: &[Attr<'_>]) -> Result<Handle, Fault> {
        let by = self.key.handle(work)?;
        work.raw.unwrap_key(work.session, &Mechanism::Plain(self.mechanism), by, wrapped, template)
    }
}

/// One block of zeros, encrypted: tells keys apart and tells nothing else.
fn check_value(work: &Work<'_>, key: Handle) -> Result<Vec<u8>, Fault> {
    let mut value = work.raw.encrypt(work.session, &Mechanism::Plain(CKM_AES_ECB), key, &[0; 16], 16)?;
    value.resize(16, 0);
    Ok(value)
}

fn verify(work: &Work<'_>, key: Handle) -> Result<Result<(), String>, Fault> {
    for wanted in [FLAGS.as_slice(), ORIGIN.as_slice()] {
        if let Err(reason) = flags(work, key, wanted)? {
            return Ok(Err(reason));
        }
    }
    let read = work.raw.template(work.session, key, CKA_WRAP_TEMPLATE)?;
    if !matches(&read, &WRAP_TEMPLATE) {
        return Ok(Err("CKA_WRAP_TEMPLATE is not what it must be".to_owned()));
    }
    let read = work.raw.template(work.session, key, CKA_UNWRAP_TEMPLATE)?;
    if !matches(&read, &UNWRAP_TEMPLATE) {
        return Ok(Err("CKA_UNWRAP_TEMPLATE is not what it must be".to_owned()));
    }
    let allowed = work.raw.attribute(work.session, key, CKA_ALLOWED_MECHANISMS)?;
    if !PADDED.iter().any(|mechanism| allowed == mechanism.to_ne_bytes()) {
        return Ok(Err("CKA_ALLOWED_MECHANISMS is not key wrap with padding alone".to_owned()));
    }
    Ok(Ok(()))
}

/// Whether a template that was read back holds these flags and nothing else, in any order.
fn matches(read: &[Entry], wanted: &[(CK_ULONG, bool)]) -> bool {
    read.len() == wanted.len()
        && wanted.iter().all(|(attribute, value)| {
            read.iter().any(|(found, bytes)| found == attribute && bytes.as_slice() == [u8::from(*value)])
        })
}
