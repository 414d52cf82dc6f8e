//! What a module is seen to do at start: kmipd claims nothing else.
//!
//! Each attempt is what somebody with the PIN and a wrapped key would try. A module that lets one through may serve, but
//! its keys are not called non-exportable.

use std::fmt;

use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_MECHANISM_TYPE, CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_COPYABLE, CKA_DECRYPT, CKA_ENCRYPT,
    CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_SENSITIVE, CKA_TOKEN, CKA_UNWRAP_TEMPLATE, CKA_VALUE_LEN, CKM_AES_CBC_PAD,
    CKM_AES_ECB, CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP, CKM_CONCATENATE_BASE_AND_KEY, CKM_EXTRACT_KEY_FROM_KEY,
};

use super::attr::{Attr, Mechanism};
use super::deriving::Deriving;
use super::fault::Fault;
use super::raw::Handle;
use super::session::Work;
use super::template;
use super::token::{DISCLOSING, Token, flags};
use super::wrapping::{Half, WrappingKey};
use crate::crypto::algorithm::KeyKind;

/// One attempt, and whether the module withstood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried.
    pub attempt: &'static str,
    /// The label of the wrapping key that it was tried with.
    pub with: String,
    /// Whether it was refused.
    pub withstood: bool,
    /// What the module answered.
    pub answer: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.withstood { "withstood" } else { "LET THROUGH" };
        write!(f, "{verdict}: {} with {:?} ({})", self.attempt, self.with, self.answer)
    }
}

/// What may be said of the keys in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whether a key that is guarded by the module cannot be taken out with PIN and wrapped key in hand.
    pub non_exportable: bool,
    /// Each attempt.
    pub findings: Vec<Finding>,
}

const KIND: KeyKind = KeyKind::Aes { bits: 256 };
const WRAP_KW: Mechanism<'static> = Mechanism::Plain(CKM_AES_KEY_WRAP);
const CBC_PAD: Mechanism<'static> = Mechanism::Iv(CKM_AES_CBC_PAD, &[0; 16]);
const ECB: Mechanism<'static> = Mechanism::Plain(CKM_AES_ECB);

/// An attempt that answers the handle of what it got hold of, if that is an object to be destroyed again.
type Attempt<'a> = dyn Fn(&Work<'_>) -> Result<Option<Handle>, Fault> + 'a;

/// Tries everything.
///
/// # Errors
/// What must work does not: a key cannot be made, wrapped and unwrapped.
pub(super) fn run(token: &Token, wrapping: &WrappingKey) -> Result<Claims, Fault> {
    let mut findings = Vec::new();
    for half in wrapping.halves() {
        let bench = Bench::new(token, half)?;
        findings.extend(bench.attempts());
        findings.extend(bench.disclosures());
        token.sessions.work(|work| work.raw.destroy_object(work.session, bench.key))?;
    }
    Ok(Claims { non_exportable: findings.iter().all(|finding| finding.withstood), findings })
}

/// A key to try on, in the owner's session so that it survives the sessions that fail.
struct Bench<'a> {
    token: &'a Token,
    wrapping: &'a Half,
    blob: Vec<u8>,
    key: Handle,
}

impl<'a> Bench<'a> {
    fn new(token: &'a Token, wrapping: &'a Half) -> Result<Self, Fault> {
        let mut template = template::passing(KIND);
        template.extend(template::length(KIND));
        let blob = token.sessions.work(|work| {
            let passing = work.raw.generate_key(work.session, &Mechanism::Plain(CKM_AES_KEY_GEN), &template)?;
            let blob = wrapping.wrap_key(work, passing)?;
            work.raw.destroy_object(work.session, passing)?;
            Ok(blob)
        })?;
        let key = token.sessions.own(|work| wrapping.unwrap_key(work, &blob, KIND))?;
        Ok(Self { token, wrapping, blob, key })
    }

    fn attempts(&self) -> Vec<Finding> {
        let by = |work: &Work<'_>| self.wrapping.key.handle(work);
        let extractable = [Attr::Bool(CKA_EXTRACTABLE, true)];
        let not_sensitive = [Attr::Bool(CKA_SENSITIVE, false)];
        let decrypts = [Attr::Bool(CKA_DECRYPT, true), Attr::Bool(CKA_ENCRYPT, true)];
        let loose = [Attr::Bool(CKA_TOKEN, false), Attr::Bool(CKA_MODIFIABLE, true), Attr::Bool(CKA_COPYABLE, true)];
        let open_template = [Attr::Template(CKA_UNWRAP_TEMPLATE, &extractable)];
        vec![
            self.try_one("wrapping a key that is not extractable", &|work| {
                self.wrapping.wrap_key(work, self.key).map(|_| None)
            }),
            self.try_one("wrapping the wrapping key", &|work| self.wrapping.wrap_key(work, by(work)?).map(|_| None)),
            self.try_one("reading the value of a guarded key", &|work| self.value(work, self.key)),
            self.try_one("reading the value of the wrapping key", &|work| self.value(work, by(work)?)),
            self.try_one("unwrapping a key as extractable", &|work| self.unwrap_with(work, CKA_EXTRACTABLE, true)),
            self.try_one("unwrapping a key as not sensitive", &|work| self.unwrap_with(work, CKA_SENSITIVE, false)),
            self.try_one("unwrapping a key without saying what it may", &|work| self.unwrap_bare(work)),
            self.try_one("making a guarded key extractable", &|work| {
                work.raw.set_attributes(work.session, self.key, &extractable).map(|()| None)
            }),
            self.try_one("making a guarded key not sensitive", &|work| {
                work.raw.set_attributes(work.session, self.key, &not_sensitive).map(|()| None)
            }),
            self.try_one("copying a guarded key as extractable", &|work| {
                work.raw.copy_object(work.session, self.key, &extractable).map(Some)
            }),
            self.try_one("letting the wrapping key decrypt", &|work| {
                let key = by(work)?;
                work.raw.set_attributes(work.session, key, &decrypts)?;
                // It went through: undo it as far as the module lets us.
                let undo = [Attr::Bool(CKA_DECRYPT, false), Attr::Bool(CKA_ENCRYPT, false)];
                let _undone = work.raw.set_attributes(work.session, key, &undo);
                Ok(None)
            }),
            self.try_one("replacing the template of the wrapping key", &|work| {
                work.raw.set_attributes(work.session, by(work)?, &open_template).map(|()| None)
            }),
            self.try_one("copying the wrapping key with decryption", &|work| {
                work.raw.copy_object(work.session, by(work)?, &decrypts).map(Some)
            }),
            self.try_one("copying the wrapping key as one that can be modified", &|work| {
                work.raw.copy_object(work.session, by(work)?, &loose).map(Some)
            }),
            self.try_one("decrypting with the wrapping key", &|work| {
                work.raw.decrypt(work.session, &ECB, by(work)?, &[0; 16]).map(|_| None)
            }),
            self.try_one("unwrapping with another mechanism (AES_KEY_WRAP)", &|work| {
                let template = template::unwrapped(KIND);
                work.raw.unwrap_key(work.session, &WRAP_KW, by(work)?, &self.blob, &template).map(Some)
            }),
            self.try_one("wrapping with another mechanism (AES_KEY_WRAP)", &|work| self.wrap_passing(work, &WRAP_KW)),
            self.try_one("wrapping with another mechanism (AES_CBC_PAD)", &|work| self.wrap_passing(work, &CBC_PAD)),
        ]
    }

    /// One for each mechanism that puts the bytes of a key into another.
    fn disclosures(&self) -> Vec<Finding> {
        let has = |mechanism: &CK_MECHANISM_TYPE| self.token.has(*mechanism);
        let attempt = |mechanism| {
            self.try_one("deriving a key that can leave of a guarded one's bytes", &|work| {
                self.disclose(work, mechanism)
            })
        };
        DISCLOSING.into_iter().filter(has).map(attempt).collect()
    }

    fn disclose(&self, work: &Work<'_>, mechanism: CK_MECHANISM_TYPE) -> Result<Option<Handle>, Fault> {
        // One that may do it, if the module unwraps such a one.
        let allowed = [mechanism];
        let mut template = template::unwrapped(KIND);
        template.push(Attr::Mechanisms(CKA_ALLOWED_MECHANISMS, &allowed));
        let key = self.wrapping.unwrap_as(work, &self.blob, &template).unwrap_or(self.key);
        let data = Deriving::Data { mechanism, data: vec![0; 16].into() };
        let mut other = template::passing(KIND);
        other.extend(template::length(KIND));
        let other = work.raw.generate_key(work.session, &Mechanism::Plain(CKM_AES_KEY_GEN), &other)?;
        let (other, first_bit) = (other.to_ne_bytes(), CK_ULONG::to_ne_bytes(0));
        let how = match mechanism {
            CKM_CONCATENATE_BASE_AND_KEY => Mechanism::Iv(mechanism, &other),
            CKM_EXTRACT_KEY_FROM_KEY => Mechanism::Iv(mechanism, &first_bit),
            _ => Mechanism::Deriving(&data),
        };
        let mut template = template::what(KeyKind::Generic { bytes: 16 });
        template.extend([
            Attr::Number(CKA_VALUE_LEN, 16),
            Attr::Bool(CKA_TOKEN, false),
            Attr::Bool(CKA_SENSITIVE, false),
            Attr::Bool(CKA_EXTRACTABLE, true),
        ]);
        let derived = work.raw.derive_key(work.session, &how, key, &template)?;
        let stays = [(CKA_SENSITIVE, "", true), (CKA_EXTRACTABLE, "", false)];
        if flags(work, derived, &stays)?.is_ok() {
            work.raw.destroy_object(work.session, derived)?;
            return Err(refused("C_DeriveKey, by the flags of the base key,"));
        }
        Ok(Some(derived))
    }

    fn try_one(&self, attempt: &'static str, run: &Attempt<'_>) -> Finding {
        // Each in a session of its own: one that was refused is closed.
        let answer = self.token.sessions.work(|work| {
            if let Some(object) = run(work)? {
                work.raw.destroy_object(work.session, object)?;
            }
            Ok(())
        });
        let with = self.wrapping.key.label.clone();
        match answer {
            Ok(()) => Finding { attempt, with, withstood: false, answer: "the module did it".to_owned() },
            // A module that went away did not refuse.
            Err(fault) => Finding { attempt, with, withstood: !fault.is_loss(), answer: fault.to_string() },
        }
    }

    /// Refused is what the caller expects; a value that is read is wiped and counts as a success of the attempt.
    fn value(&self, work: &Work<'_>, key: Handle) -> Result<Option<Handle>, Fault> {
        if work.raw.reveals_value(work.session, key) { Ok(None) } else { Err(refused("C_GetAttributeValue")) }
    }

    /// Unwraps with one flag turned round, and everything else as it must be, so that it is this flag that is refused.
    fn unwrap_with(&self, work: &Work<'_>, flag: CK_ATTRIBUTE_TYPE, value: bool) -> Result<Option<Handle>, Fault> {
        let mut template = template::unwrapped(KIND);
        for attribute in &mut template {
            if matches!(attribute, Attr::Bool(found, _) if *found == flag) {
                *attribute = Attr::Bool(flag, value);
            }
        }
        self.unwrap(work, &template, flag, !value)
    }

    /// Unwraps without flags: the template of the wrapping key must fill them in, or the module refuse.
    fn unwrap_bare(&self, work: &Work<'_>) -> Result<Option<Handle>, Fault> {
        let template = template::what(KIND);
        match self.unwrap(work, &template, CKA_EXTRACTABLE, false) {
            // The first flag was kept as it must be; then so must the second be.
            Err(fault) if fault.call == KEPT => self.unwrap(work, &template, CKA_SENSITIVE, true),
            answer => answer,
        }
    }

    /// Unwraps, and looks at a flag. A module that unwraps and keeps the flag as its template says withstood.
    fn unwrap(
        &self,
        work: &Work<'_>,
        template: &[Attr<'_>],
        flag: CK_ATTRIBUTE_TYPE,
        must_be: bool,
    ) -> Result<Option<Handle>, Fault> {
        let key = self.wrapping.unwrap_as(work, &self.blob, template)?;
        let kept = flags(work, key, &[(flag, "", must_be)])?.is_ok();
        work.raw.destroy_object(work.session, key)?;
        if kept { Err(refused(KEPT)) } else { Ok(None) }
    }

    fn wrap_passing(&self, work: &Work<'_>, mechanism: &Mechanism<'_>) -> Result<Option<Handle>, Fault> {
        let mut template = template::passing(KIND);
        template.extend(template::length(KIND));
        let key = work.raw.generate_key(work.session, &Mechanism::Plain(CKM_AES_KEY_GEN), &template)?;
        work.raw.wrap_key(work.session, mechanism, self.wrapping.key.handle(work)?, key)?;
        Ok(Some(key))
    }
}

/// The call of a module that did not refuse, but kept to its template.
const KEPT: &str = "C_UnwrapKey, by its template,";

fn refused(call: &'static str) -> Fault {
    Fault { call, error: cryptoki::error::RvError::ActionProhibited }
}
