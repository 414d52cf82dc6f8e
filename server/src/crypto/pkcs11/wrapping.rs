//! The wrapping key: every wrapped key is as safe as this one, and no safer.
//!
//! Without the template for unwrapping, whoever has PIN and store unwraps a key as extractable. If it could be modified or
//! copied, whoever has the PIN would let it, or its copy, decrypt, and open every blob by hand. So it can neither, and
//! works with one mechanism only.
//!
//! It has two halves, each a key of its own: one for secret keys and one for private keys. SoftHSM unwraps only when
//! everything in the template for unwrapping is said again by the caller, and refuses CKA_WRAP for a private key, which
//! has no such flag. So one template cannot serve both.

use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_CLASS, CKA_COPYABLE, CKA_DECRYPT, CKA_DERIVE,
    CKA_DESTROYABLE, CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODIFIABLE, CKA_PRIVATE,
    CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_UNWRAP, CKA_UNWRAP_TEMPLATE, CKA_VALUE_LEN, CKA_VERIFY, CKA_WRAP,
    CKA_WRAP_TEMPLATE, CKK_AES, CKM_AES_ECB, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKO_SECRET_KEY,
};

use cryptoki::error::RvError;

use super::attr::{Attr, Mechanism};
use super::config::Pkcs11Error;
use super::fault::Fault;
use super::raw::{Entry, Handle};
use super::session::Work;
use super::template;
use super::token::{DISCLOSING, LabelledKey, ORIGIN, Token, Verify, flags};
use crate::crypto::algorithm::KeyKind;

/// What a wrapped key must be: it cannot leave but as a secret.
const WRAP_TEMPLATE: [(CK_ULONG, bool); 1] = [(CKA_SENSITIVE, true)];

/// What an unwrapped secret key becomes, whatever the caller asks for.
const UNWRAP_SECRETS: [(CK_ULONG, bool); 6] = [
    (CKA_SENSITIVE, true),
    (CKA_EXTRACTABLE, false),
    (CKA_TOKEN, false),
    (CKA_PRIVATE, true),
    (CKA_UNWRAP, false),
    (CKA_WRAP, false),
];

/// The same for a private key, which has no CKA_WRAP.
const UNWRAP_PAIRS: [(CK_ULONG, bool); 5] =
    [(CKA_SENSITIVE, true), (CKA_EXTRACTABLE, false), (CKA_TOKEN, false), (CKA_PRIVATE, true), (CKA_UNWRAP, false)];

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
    pub(super) secrets: Half,
    pub(super) pairs: Half,
}

/// One of the two keys on the token.
pub(super) struct Half {
    pub(super) key: LabelledKey,
    mechanism: CK_MECHANISM_TYPE,
}

/// What a half is for: its suffix to the label, its template for unwrapping, and how it is verified.
struct Role {
    suffix: &'static str,
    on_unwrap: &'static [(CK_ULONG, bool)],
    verify: Verify,
}

const SECRETS: Role =
    Role { suffix: "", on_unwrap: &UNWRAP_SECRETS, verify: |work, key| verify(work, key, &UNWRAP_SECRETS) };
const PAIRS: Role =
    Role { suffix: "-private", on_unwrap: &UNWRAP_PAIRS, verify: |work, key| verify(work, key, &UNWRAP_PAIRS) };

impl WrappingKey {
    /// The wrapping key with a label, its attributes verified. `Ok(None)` if there is none. Its half for private keys has
    /// the label with `-private` behind it.
    ///
    /// # Errors
    /// The key is there and is not as it must be, or only one half is, or the module fails.
    pub fn find(token: &Token, label: &str) -> Result<Option<Self>, Pkcs11Error> {
        match (Half::find(token, label, &SECRETS)?, Half::find(token, label, &PAIRS)?) {
            (Some(secrets), Some(pairs)) => Ok(Some(Self { secrets, pairs })),
            (None, None) => Ok(None),
            _ => Err(Pkcs11Error::BadKey {
                label: label.to_owned(),
                reason: "only one of its two halves is there; if it was being created, create it again".to_owned(),
            }),
        }
    }

    /// Makes the wrapping key, syncs the token's files, and answers a check blob with it. A half that an interrupted call
    /// left is taken.
    ///
    /// The blob is to be opened by [`WrappingKey::verify_check_blob`] in a fresh process before anything else is wrapped,
    /// and kept with the store. A store that holds wrapped keys must never get a new wrapping key: that is the caller's.
    ///
    /// # Errors
    /// The key is there, or the module has no key wrap with padding, refuses the template, or made something else than it
    /// was told.
    pub fn create(token: &Token, label: &str) -> Result<(Self, Vec<u8>), Pkcs11Error> {
        let there = (Half::find(token, label, &SECRETS)?, Half::find(token, label, &PAIRS)?);
        let (secrets, pairs) = match there {
            (Some(_), Some(_)) => {
                return Err(Pkcs11Error::BadKey { label: label.to_owned(), reason: "it exists already".to_owned() });
            }
            (secrets, pairs) => (
                secrets.map_or_else(|| Half::create(token, label, &SECRETS), Ok)?,
                pairs.map_or_else(|| Half::create(token, label, &PAIRS), Ok)?,
            ),
        };
        let key = Self { secrets, pairs };
        let blob = key.check_blob()?;
        key.verify_check_blob(&blob)?;
        Ok((key, blob))
    }

    /// A wrapping key that ends with its session, made with the same attributes: what a module does with it tells what it
    /// would do with the real one.
    pub(super) fn passing(token: &Token) -> Result<Self, Fault> {
        Ok(Self { secrets: Half::passing(token, &SECRETS)?, pairs: Half::passing(token, &PAIRS)? })
    }

    /// A new check blob: for each half a key that was made and wrapped only to be opened again.
    ///
    /// # Errors
    /// The module fails.
    pub fn check_blob(&self) -> Result<Vec<u8>, Pkcs11Error> {
        let mut blob = vec![CHECK_VERSION];
        for half in self.halves() {
            blob.extend(half.check_part()?);
        }
        Ok(blob)
    }

    /// Opens a check blob and compares what its keys do with what they did.
    ///
    /// # Errors
    /// The blob was made by another wrapping key, or does not open.
    pub fn verify_check_blob(&self, blob: &[u8]) -> Result<(), Pkcs11Error> {
        let Some(([CHECK_VERSION], mut rest)) = blob.split_first_chunk() else {
            return Err(self.secrets.bad("the check blob is not one"));
        };
        for half in self.halves() {
            rest = half.verify_check_part(rest)?;
        }
        if rest.is_empty() { Ok(()) } else { Err(self.secrets.bad("the check blob is too long")) }
    }

    /// Both halves.
    pub(super) fn halves(&self) -> [&Half; 2] {
        [&self.secrets, &self.pairs]
    }

    /// The half for a kind of key.
    pub(super) fn half(&self, kind: KeyKind) -> &Half {
        if kind.is_pair() { &self.pairs } else { &self.secrets }
    }
}

impl Half {
    fn find(token: &Token, label: &str, role: &Role) -> Result<Option<Self>, Pkcs11Error> {
        let label = format!("{label}{}", role.suffix);
        let Some(key) = LabelledKey::find(token, &label, role.verify)? else { return Ok(None) };
        let allowed = token.sessions.work(|work| {
            let handle = key.handle(work)?;
            work.raw.attribute(work.session, handle, CKA_ALLOWED_MECHANISMS)
        })?;
        let mechanism =
            PADDED.into_iter().find(|mechanism| allowed == mechanism.to_ne_bytes() && token.has(*mechanism));
        let lacks = || Pkcs11Error::Lacks("it has lost the mechanism of the wrapping key".to_owned());
        Ok(Some(Self { key, mechanism: mechanism.ok_or_else(lacks)? }))
    }

    fn create(token: &Token, label: &str, role: &Role) -> Result<Self, Pkcs11Error> {
        let label = format!("{label}{}", role.suffix);
        let mechanism = mechanism(token)
            .ok_or_else(|| Pkcs11Error::Lacks("it has no AES key wrap with padding (0x210A, 0x210B)".to_owned()))?;
        let id: [u8; 16] = super::random_id().map_err(|error| Pkcs11Error::Module(error.to_string()))?;
        let key = with_template(token, role, &label, &id, mechanism, true, |template| {
            LabelledKey::create(token, &label, template, role.verify)
        })?;
        Ok(Self { key, mechanism })
    }

    /// The same as an object of a session.
    fn passing(token: &Token, role: &Role) -> Result<Self, Fault> {
        let label = format!("kmipd-passing{}", role.suffix);
        let mechanism =
            mechanism(token).ok_or(Fault { call: "C_GetMechanismList", error: RvError::MechanismInvalid })?;
        let id = [0x77; 16];
        let key = with_template(token, role, &label, &id, mechanism, false, |template| {
            LabelledKey::passing(token, &label, template)
        })?;
        Ok(Self { key, mechanism })
    }

    /// A key that was made and wrapped only to be opened again: identity, check value, length and wrapped key.
    fn check_part(&self) -> Result<Vec<u8>, Pkcs11Error> {
        let mut template = template::passing(CHECK_KIND);
        template.extend(template::length(CHECK_KIND));
        let (wrapped, value) = self.key.token.sessions.work(|work| {
            let generator = Mechanism::Plain(template::generator(CHECK_KIND));
            let key = work.raw.generate_key(work.session, &generator, &template)?;
            let wrapped = self.wrap_key(work, key)?;
            work.raw.destroy_object(work.session, key)?;
            let value = self.open_and_check(work, &wrapped)?;
            Ok((wrapped, value))
        })?;
        let length = u8::try_from(wrapped.len()).map_err(|_| self.bad("it wraps to something too long"))?;
        let mut part = self.key.id.clone();
        part.extend(value);
        part.push(length);
        part.extend(wrapped);
        Ok(part)
    }

    /// Answers what comes after this half's part.
    fn verify_check_part<'a>(&self, blob: &'a [u8]) -> Result<&'a [u8], Pkcs11Error> {
        let short = || self.bad("the check blob is too short");
        let (id, blob) = blob.split_first_chunk::<16>().ok_or_else(short)?;
        let (value, blob) = blob.split_first_chunk::<16>().ok_or_else(short)?;
        let (length, blob) = blob.split_first().ok_or_else(short)?;
        let (wrapped, rest) = blob.split_at_checked(usize::from(*length)).ok_or_else(short)?;
        if id.as_slice() != self.key.id {
            return Err(self.bad("the check blob was made by another key"));
        }
        let found = self.key.token.sessions.work(|work| self.open_and_check(work, wrapped))?;
        if found.as_slice() == value { Ok(rest) } else { Err(self.bad("the check blob opens to another key")) }
    }

    fn open_and_check(&self, work: &Work<'_>, wrapped: &[u8]) -> Result<Vec<u8>, Fault> {
        let key = self.unwrap_key(work, wrapped, CHECK_KIND)?;
        let value = check_value(work, key);
        work.raw.destroy_object(work.session, key)?;
        value
    }

    fn bad(&self, reason: &str) -> Pkcs11Error {
        Pkcs11Error::BadKey { label: self.key.label.clone(), reason: reason.to_owned() }
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

/// Key wrap with padding, by the name that the module has for it.
fn mechanism(token: &Token) -> Option<CK_MECHANISM_TYPE> {
    PADDED.into_iter().find(|mechanism| token.has(*mechanism))
}

/// What a half is made with.
fn with_template<T>(
    token: &Token,
    role: &Role,
    label: &str,
    id: &[u8; 16],
    mechanism: CK_MECHANISM_TYPE,
    on_token: bool,
    make: impl FnOnce(&[Attr<'_>]) -> T,
) -> T {
    let allowed = [mechanism];
    let flag = |(attribute, value): &(CK_ULONG, bool)| Attr::Bool(*attribute, *value);
    let on_wrap: Vec<_> = WRAP_TEMPLATE.iter().map(flag).collect();
    // What is unwrapped may derive, and must not give its own bytes to what it derives.
    let on_unwrap: Vec<_> = role.on_unwrap.iter().map(flag).chain(token.confined()).collect();
    let mut template = vec![
        Attr::Number(CKA_CLASS, CKO_SECRET_KEY),
        Attr::Number(CKA_KEY_TYPE, CKK_AES),
        Attr::Number(CKA_VALUE_LEN, 32),
        Attr::Bytes(CKA_LABEL, label.as_bytes()),
        Attr::Bytes(CKA_ID, id),
        Attr::Mechanisms(CKA_ALLOWED_MECHANISMS, &allowed),
        Attr::Template(CKA_WRAP_TEMPLATE, &on_wrap),
        Attr::Template(CKA_UNWRAP_TEMPLATE, &on_unwrap),
    ];
    template.extend(
        FLAGS.map(|(attribute, _, value)| Attr::Bool(attribute, if attribute == CKA_TOKEN { on_token } else { value })),
    );
    make(&template)
}

/// One block of zeros, encrypted: tells keys apart and tells nothing else.
fn check_value(work: &Work<'_>, key: Handle) -> Result<Vec<u8>, Fault> {
    let mut value = work.raw.encrypt(work.session, &Mechanism::Plain(CKM_AES_ECB), key, &[0; 16], 16)?;
    value.resize(16, 0);
    Ok(value)
}

fn verify(work: &Work<'_>, key: Handle, on_unwrap: &[(CK_ULONG, bool)]) -> Result<Result<(), String>, Fault> {
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
    let (confines, read): (Vec<_>, Vec<_>) = read.into_iter().partition(|(found, _)| *found == CKA_ALLOWED_MECHANISMS);
    let discloses = |list: &Entry| DISCLOSING.iter().any(|mechanism| lists(&list.1, *mechanism));
    if !matches(&read, on_unwrap) || confines.iter().any(discloses) {
        return Ok(Err("CKA_UNWRAP_TEMPLATE is not what it must be".to_owned()));
    }
    let allowed = work.raw.attribute(work.session, key, CKA_ALLOWED_MECHANISMS)?;
    if !PADDED.iter().any(|mechanism| allowed == mechanism.to_ne_bytes()) {
        return Ok(Err("CKA_ALLOWED_MECHANISMS is not key wrap with padding alone".to_owned()));
    }
    Ok(Ok(()))
}

/// Whether a list of mechanisms, as the module lays it out, has this one.
fn lists(list: &[u8], mechanism: CK_MECHANISM_TYPE) -> bool {
    list.chunks(size_of::<CK_MECHANISM_TYPE>()).any(|entry| entry == mechanism.to_ne_bytes())
}

/// Whether a template that was read back holds these flags and nothing else, in any order.
fn matches(read: &[Entry], wanted: &[(CK_ULONG, bool)]) -> bool {
    read.len() == wanted.len()
        && wanted.iter().all(|(attribute, value)| {
            read.iter().any(|(found, bytes)| found == attribute && bytes.as_slice() == [u8::from(*value)])
        })
}
