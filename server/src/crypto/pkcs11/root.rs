//! The root key: seals the store's key-encryption keys for the server.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use cryptoki_sys::{
    CK_ULONG, CKA_ALLOWED_MECHANISMS, CKA_CLASS, CKA_COPYABLE, CKA_DECRYPT, CKA_DERIVE, CKA_DESTROYABLE, CKA_ENCRYPT,
    CKA_EXTRACTABLE, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODIFIABLE, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN,
    CKA_UNWRAP, CKA_VALUE_LEN, CKA_VERIFY, CKA_WRAP, CKK_AES, CKM_AES_GCM, CKO_SECRET_KEY,
};

use super::attr::{Attr, Mechanism};
use super::config::Pkcs11Error;
use super::fault::Fault;
use super::raw::Handle;
use super::session::Work;
use super::token::{LabelledKey, ORIGIN, Token, flags};
use crate::crypto::CryptoError;
use crate::secret::Secret;

const NONCE: usize = 12;
const TAG: usize = 16;

const FLAGS: [(CK_ULONG, &str, bool); 14] = [
    (CKA_TOKEN, "CKA_TOKEN", true),
    (CKA_PRIVATE, "CKA_PRIVATE", true),
    (CKA_SENSITIVE, "CKA_SENSITIVE", true),
    (CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false),
    (CKA_MODIFIABLE, "CKA_MODIFIABLE", false),
    (CKA_COPYABLE, "CKA_COPYABLE", false),
    (CKA_DESTROYABLE, "CKA_DESTROYABLE", false),
    (CKA_ENCRYPT, "CKA_ENCRYPT", true),
    (CKA_DECRYPT, "CKA_DECRYPT", true),
    (CKA_WRAP, "CKA_WRAP", false),
    (CKA_UNWRAP, "CKA_UNWRAP", false),
    (CKA_SIGN, "CKA_SIGN", false),
    (CKA_VERIFY, "CKA_VERIFY", false),
    (CKA_DERIVE, "CKA_DERIVE", false),
];

/// An AES-256 key on the token that encrypts with AES-GCM and does nothing else.
///
/// A sealed value is a random nonce of 12 bytes, the ciphertext and a tag of 16 bytes. It seals few values (one per
/// key-encryption key), so that random nonces do not meet.
pub struct HsmRoot {
    key: LabelledKey,
    name: String,
}

impl HsmRoot {
    /// The root key with a label, its attributes verified. `Ok(None)` if there is none.
    ///
    /// # Errors
    /// The key is there and is not as it must be, or the module fails.
    pub fn find(token: &Token, label: &str) -> Result<Option<Self>, Pkcs11Error> {
        Ok(LabelledKey::find(token, label, verify)?.map(Self::of))
    }

    /// Makes the root key and syncs the token's files. Seal something, and open it in a fresh process before relying on it.
    ///
    /// # Errors
    /// The module refuses the template, or made something else than it was told, or the label is taken.
    pub fn create(token: &Token, label: &str) -> Result<Self, Pkcs11Error> {
        let id: [u8; 16] = super::random_id().map_err(|error| Pkcs11Error::Module(error.to_string()))?;
        let allowed = [CKM_AES_GCM];
        let mut template = vec![
            Attr::Number(CKA_CLASS, CKO_SECRET_KEY),
            Attr::Number(CKA_KEY_TYPE, CKK_AES),
            Attr::Number(CKA_VALUE_LEN, 32),
            Attr::Bytes(CKA_LABEL, label.as_bytes()),
            Attr::Bytes(CKA_ID, &id),
            Attr::Mechanisms(CKA_ALLOWED_MECHANISMS, &allowed),
        ];
        template.extend(FLAGS.map(|(attribute, _, value)| Attr::Bool(attribute, value)));
        LabelledKey::create(token, label, &template, verify).map(Self::of)
    }

    fn of(key: LabelledKey) -> Self {
        let name = format!("pkcs11:{}:{}", key.label, hex::encode(&key.id));
        Self { key, name }
    }

    /// Which key this is: its label and identity on the token. Not secret; a store keeps it to notice another key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seals a value under a context, which must be given again to open it.
    ///
    /// # Errors
    /// [`CryptoError::Unavailable`] if the module does not answer.
    pub fn seal(&self, context: &[u8], value: &Secret) -> Result<Vec<u8>, CryptoError> {
        let mut nonce = [0_u8; NONCE];
        SystemRandom::new().fill(&mut nonce).map_err(|_| CryptoError::Unavailable("no random bytes".to_owned()))?;
        let sealed = self.key.token.sessions.work(|work| {
            let key = self.key.handle(work)?;
            work.raw.encrypt(work.session, &gcm(&nonce, context), key, value.expose(), value.len() + TAG)
        })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] if value, context or key is not the one it was sealed with, [`CryptoError::Unavailable`] if
    /// the module does not answer.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
        const FAILED: CryptoError = CryptoError::Failed("the sealed value does not verify");
        let Some((nonce, sealed)) = sealed.split_first_chunk::<NONCE>() else {
            return Err(FAILED);
        };
        if sealed.len() < TAG {
            return Err(FAILED);
        }
        let opened = self.key.token.sessions.work(|work| {
            let key = self.key.handle(work)?;
            work.raw.decrypt(work.session, &gcm(nonce, context), key, sealed)
        });
        match opened {
            Ok(value) => Ok(Secret::copy_of(&value)),
            Err(fault) if fault.blames_data() => Err(FAILED),
            // The module may be broken, or mean the tag: it is the tag if it still seals.
            Err(fault) if fault.is_vague() => {
                Err(if self.seal(b"", &Secret::copy_of(b"probe")).is_ok() { FAILED } else { fault.into() })
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

fn gcm<'a>(iv: &'a [u8; NONCE], aad: &'a [u8]) -> Mechanism<'a> {
    Mechanism::Gcm { iv, aad, tag_bits: 128 }
}

fn verify(work: &Work<'_>, key: Handle) -> Result<Result<(), String>, Fault> {
    for wanted in [FLAGS.as_slice(), ORIGIN.as_slice()] {
        if let Err(reason) = flags(work, key, wanted)? {
            return Ok(Err(reason));
        }
    }
    let allowed = work.raw.attribute(work.session, key, CKA_ALLOWED_MECHANISMS)?;
    Ok(if allowed == CKM_AES_GCM.to_ne_bytes() {
        Ok(())
    } else {
        Err("CKA_ALLOWED_MECHANISMS is not AES-GCM alone".to_owned())
    })
}
