//! What is checked when the clock has stopped: a part of the answers that are different each time.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use kmip_codec::spec::{KeyFormatType, Operation, Tag};

use crate::answer::{bytes_at, has_text, text_at};
use crate::connection::Connection;
use crate::keys::{self, Key};
use crate::options::Algorithm;
use crate::request::{Form, gcm_back};
use crate::task::{Faults, Sample};
use crate::{Error, Outcome};

/// What every answer was about.
pub struct Subject<'a> {
    /// The keys.
    pub keys: &'a [Key],
    /// Their algorithm.
    pub algorithm: Algorithm,
    /// What their names begin with, where nothing else is known of them.
    pub prefix: &'a str,
    /// What was encrypted or signed.
    pub data: &'a [u8],
    /// The version of the messages.
    pub form: Form,
}

impl Subject<'_> {
    /// Verifies samples, counts those that are wrong, and answers how many were verified.
    ///
    /// # Errors
    /// What the network says.
    pub async fn verify(&self, connection: &mut Connection, samples: &[Sample], faults: &Faults) -> Outcome<u64> {
        for sample in samples {
            let right = match sample {
                Sample::Encrypted { key, nonce, data, tag } => {
                    self.decrypts(connection, self.key(*key)?, (nonce, data, tag)).await
                }
                Sample::Signed { key, signature } => self.is_signed(connection, self.key(*key)?, signature).await,
                Sample::Made { id } => self.is_there(connection, id, None).await,
                Sample::Located { number, id } => {
                    let name = keys::name(self.prefix, *number);
                    self.is_there(connection, id, Some(&name)).await
                }
            };
            match right {
                Ok(true) => {}
                Ok(false) => faults.add(format!("{sample}")),
                Err(error) => faults.add(format!("{sample}: {error}")),
            }
        }
        Ok(samples.len() as u64)
    }

    fn key(&self, place: usize) -> Outcome<&Key> {
        self.keys.get(place).ok_or_else(|| Error::new("there is no such key"))
    }

    /// Whether there is an object with this identifier, and with this name.
    async fn is_there(&self, connection: &mut Connection, id: &str, name: Option<&str>) -> Outcome<bool> {
        let payload = connection.one(self.form, Operation::GetAttributes, |form| form.get_attributes(id)).await?;
        let named = name.is_none_or(|name| has_text(&payload, Tag::NameValue, name));
        Ok(named && text_at(&payload, &[Tag::UniqueIdentifier]) == Some(id))
    }

    /// Whether a ciphertext is what was encrypted: found out with the key itself, or by the server if the key does not
    /// leave it.
    async fn decrypts(
        &self,
        connection: &mut Connection,
        key: &Key,
        (nonce, data, tag): (&[u8], &[u8], &[u8]),
    ) -> Outcome<bool> {
        let path = [Tag::SymmetricKey, Tag::KeyBlock, Tag::KeyValue, Tag::KeyMaterial];
        if let Ok(object) = connection.one(self.form, Operation::Get, |form| form.get(&key.id)).await {
            let bytes = bytes_at(&object, &path).unwrap_or_default();
            let algorithm = if bytes.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
            let unusable = |_| Error::new("the key or the nonce cannot be used");
            let opener = LessSafeKey::new(UnboundKey::new(algorithm, bytes).map_err(unusable)?);
            let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(unusable)?;
            let mut sealed = [data, tag].concat();
            return Ok(opener.open_in_place(nonce, Aad::empty(), &mut sealed).is_ok_and(|opened| opened == self.data));
        }
        let item = |form: Form| decrypt(form, &key.id, (nonce, data, tag));
        let opened = connection.one(self.form, Operation::Decrypt, item).await?;
        Ok(data != self.data && bytes_at(&opened, &[Tag::Data]) == Some(self.data))
    }

    async fn is_signed(&self, connection: &mut Connection, key: &Key, signature: &[u8]) -> Outcome<bool> {
        let public = key.public.as_deref().ok_or_else(|| Error::new("there is no public key"))?;
        let object = connection.one(self.form, Operation::Get, |form| {
            form.about(Operation::Get, public, |w| w.enumeration(Tag::KeyFormatType, KeyFormatType::X509.into()))
        });
        let object = object.await?;
        let path = [Tag::PublicKey, Tag::KeyBlock, Tag::KeyValue, Tag::KeyMaterial];
        let spki = bytes_at(&object, &path).unwrap_or_default();
        Ok(match self.algorithm {
            Algorithm::Rsa => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki).verify(self.data, signature).is_ok()
            }
            _ => {
                // The uncompressed point is at the end.
                let point = spki.get(spki.len().saturating_sub(65)..).unwrap_or_default();
                [&ECDSA_P256_SHA256_ASN1, &ECDSA_P256_SHA256_FIXED]
                    .iter()
                    .any(|form| UnparsedPublicKey::new(*form, point).verify(self.data, signature).is_ok())
            }
        })
    }
}

/// The item that decrypts: since 1.4 the tag is apart.
pub fn decrypt(form: Form, id: &str, (nonce, data, tag): (&[u8], &[u8], &[u8])) -> Vec<u8> {
    form.cryptography(Operation::Decrypt, id, &gcm_back(), data, |w| {
        w.bytes(Tag::IVCounterNonce, nonce);
        if !tag.is_empty() {
            w.bytes(Tag::AuthenticatedEncryptionTag, tag);
        }
    })
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encrypted { .. } => f.write_str("Encrypt: a ciphertext does not decrypt to what was encrypted"),
            Self::Signed { .. } => f.write_str("Sign: a signature does not verify"),
            Self::Located { .. } => f.write_str("Locate: the object that was found has another name"),
            Self::Made { .. } => f.write_str("an object that was made is not there"),
        }
    }
}
