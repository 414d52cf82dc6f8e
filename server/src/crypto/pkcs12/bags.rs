//! What is in a container (RFC 7292 §4): its MAC is verified, its layers decrypted, its bags told apart.
//!
//! The work that a container asks for is bounded before it is done: whoever brings one chooses how often passwords are hashed,
//! and could keep a processor busy, or the memory, with what looks like a key. So scrypt is not read at all.

use aws_lc_rs::hmac;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::{Any, BmpString, ContextSpecific, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Reader as _, SliceReader};
use des::TdesEde3;
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::Kdf;
use pkcs8::spki::AlgorithmIdentifierOwned;
use pkcs12::CertBag;
use pkcs12::MacData;
use pkcs12::cms::content_info::ContentInfo;
use pkcs12::cms::encrypted_data::EncryptedData;
use pkcs12::kdf::{Pkcs12KeyType, derive_key_utf8};
use pkcs12::pfx::Pfx;
use pkcs12::safe_bag::SafeBag;
use rc2::Rc2;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

/// Bytes of a container, at the most.
const LONGEST: usize = 1 << 18;
/// Bags of a container, at the most.
const MOST: usize = 64;
/// How often passwords are hashed for a container, everything counted.
const ITERATIONS: u32 = 4_000_000;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// A private key or a certificate, with what is noted of it.
pub(super) struct Bag {
    pub(super) name: Option<String>,
    /// What a key and its certificate have in common.
    pub(super) local_key_id: Option<Vec<u8>>,
    pub(super) held: Held,
}

/// What a bag holds.
pub(super) enum Held {
    /// A private key as PKCS#8 DER.
    Key(Zeroizing<Vec<u8>>),
    /// An X.509 certificate as DER.
    Certificate(Vec<u8>),
}

/// Why a container is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The password is not that of the container.
    Password,
    /// It is none, or one in a form that is not read.
    Container(&'static str),
}

impl From<der::Error> for Unreadable {
    fn from(_: der::Error) -> Self {
        Self::Container("it is not of the form of RFC 7292")
    }
}

/// The keys and certificates of a container; bags of other kinds are passed over.
pub(super) fn read(container: &[u8], password: &str) -> Result<Vec<Bag>, Unreadable> {
    read_within(container, password, ITERATIONS)
}

fn read_within(container: &[u8], password: &str, iterations: u32) -> Result<Vec<Bag>, Unreadable> {
    if container.len() > LONGEST {
        return Err(Unreadable::Container("it is too long"));
    }
    let pfx = Pfx::from_der(container)?;
    if pfx.auth_safe.content_type != DATA {
        return Err(Unreadable::Container("it is signed in place of having a MAC"));
    }
    let safes = pfx.auth_safe.content.decode_as::<OctetString>()?.into_bytes();
    let mut reader = Reader { password, iterations, bags: 0 };
    let mac = pfx.mac_data.ok_or(Unreadable::Container("it has no MAC"))?;
    reader.verify(&mac, &safes)?;
    let mut found = Vec::new();
    for safe in Vec::<ContentInfo>::from_der(&safes)? {
        let contents = match safe.content_type {
            DATA => Zeroizing::new(safe.content.decode_as::<OctetString>()?.into_bytes().to_vec()),
            ENCRYPTED_DATA => {
                let encrypted = EncryptedData::from_der(&safe.content.to_der()?)?.enc_content_info;
                let content = encrypted.encrypted_content.ok_or(Unreadable::Container("a part of it is elsewhere"))?;
                reader.decrypt(&encrypted.content_enc_alg, content.as_bytes())?
            }
            _ => return Err(Unreadable::Container("a part of it is encrypted for a public key")),
        };
        for bag in Vec::<SafeBag>::from_der(&contents)? {
            found.extend(reader.bag(&bag)?);
        }
    }
    Ok(found)
}

/// The password, and how much work is left for it.
struct Reader<'p> {
    password: &'p str,
    iterations: u32,
    bags: usize,
}

impl Reader<'_> {
    /// Takes a piece of the work.
    fn work(&mut self, iterations: u32) -> Result<(), Unreadable> {
        let left = self.iterations.checked_sub(iterations);
        self.iterations = left.ok_or(Unreadable::Container("its password is hashed too often"))?;
        Ok(())
    }

    fn bag(&mut self, bag: &SafeBag) -> Result<Option<Bag>, Unreadable> {
        self.bags += 1;
        if self.bags > MOST {
            return Err(Unreadable::Container("it has too many bags"));
        }
        let value = ContextSpecific::<Any>::from_der(&bag.bag_value)?.value;
        let held = match bag.bag_id {
            pkcs12::PKCS_12_KEY_BAG_OID => Held::Key(Zeroizing::new(value.to_der()?)),
            pkcs12::PKCS_12_PKCS8_KEY_BAG_OID => {
                let mut fields = SliceReader::new(value.value())?;
                let algorithm: AlgorithmIdentifierOwned = fields.decode()?;
                Held::Key(self.decrypt(&algorithm, fields.decode::<OctetString>()?.as_bytes())?)
            }
            pkcs12::PKCS_12_CERT_BAG_OID => {
                let certificate = value.decode_as::<CertBag>()?;
                if certificate.cert_id != pkcs12::PKCS_12_X509_CERT_OID {
                    return Ok(None);
                }
                Held::Certificate(certificate.cert_value.into_bytes().to_vec())
            }
            _ => return Ok(None),
        };
        Ok(Some(Bag { name: name(bag), local_key_id: local_key_id(bag), held }))
    }

    /// The MAC over everything (RFC 7292 §5.1).
    fn verify(&mut self, mac: &MacData, content: &[u8]) -> Result<(), Unreadable> {
        let iterations = u32::try_from(mac.iterations).map_err(|_| Unreadable::Container("its MAC is without form"))?;
        self.work(iterations)?;
        let (password, salt) = (self.password, mac.mac_salt.as_bytes());
        let id = Pkcs12KeyType::Mac;
        let (algorithm, key) = match mac.mac.algorithm.oid {
            SHA1 => {
                (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, derive_key_utf8::<Sha1>(password, salt, id, mac.iterations, 20)?)
            }
            SHA256 => (hmac::HMAC_SHA256, derive_key_utf8::<Sha256>(password, salt, id, mac.iterations, 32)?),
            SHA384 => (hmac::HMAC_SHA384, derive_key_utf8::<Sha384>(password, salt, id, mac.iterations, 48)?),
            SHA512 => (hmac::HMAC_SHA512, derive_key_utf8::<Sha512>(password, salt, id, mac.iterations, 64)?),
            _ => return Err(Unreadable::Container("its MAC is of another kind than HMAC with SHA-1 or SHA-2")),
        };
        let key = hmac::Key::new(algorithm, &Zeroizing::new(key));
        hmac::verify(&key, content, mac.mac.digest.as_bytes()).map_err(|_| Unreadable::Password)
    }

    /// What was encrypted under the password: with PBES2 (RFC 8018 §6.2), or with one of RFC 7292 appendix C.
    fn decrypt(&mut self, algorithm: &AlgorithmIdentifierOwned, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let Some(parameters) = &algorithm.parameters else {
            return Err(Unreadable::Container("an algorithm has no parameters"));
        };
        match algorithm.oid {
            pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => self.decrypt_old::<TdesEde3>(parameters, 24, data),
            pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => self.decrypt_old::<Rc2>(parameters, 16, data),
            pkcs12::PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => self.decrypt_old::<Rc2>(parameters, 5, data),
            pkcs5::pbes2::PBES2_OID => {
                let scheme = EncryptionScheme::from_der(&algorithm.to_der()?)?;
                match scheme.pbes2().map(|scheme| &scheme.kdf) {
                    Some(Kdf::Pbkdf2(parameters)) => self.work(parameters.iteration_count)?,
                    _ => return Err(Unreadable::Container("its password is hashed otherwise than with PBKDF2")),
                }
                let opened = scheme.decrypt(self.password, data).map_err(|_| Unreadable::Password)?;
                Ok(Zeroizing::new(opened))
            }
            _ => Err(Unreadable::Container("it is encrypted with an algorithm that is not read")),
        }
    }

    fn decrypt_old<C: BlockCipherDecrypt + KeyInit>(
        &mut self,
        parameters: &Any,
        length: usize,
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let mut fields = SliceReader::new(parameters.value())?;
        let (salt, iterations): (OctetString, i32) = (fields.decode()?, fields.decode()?);
        let work =
            u32::try_from(iterations).map_err(|_| Unreadable::Container("a number of iterations is negative"))?;
        self.work(work.saturating_mul(2))?;
        let derive = |id, length| derive_key_utf8::<Sha1>(self.password, salt.as_bytes(), id, iterations, length);
        let key = Zeroizing::new(derive(Pkcs12KeyType::EncryptionKey, length)?);
        let iv = derive(Pkcs12KeyType::Iv, 8)?;
        let cipher = Decryptor::<C>::new_from_slices(&key, &iv).map_err(|_| Unreadable::Password)?;
        cipher.decrypt_padded_vec::<Pkcs7>(data).map(Zeroizing::new).map_err(|_| Unreadable::Password)
    }
}

/// The value of an attribute of a bag.
fn attribute(bag: &SafeBag, kind: ObjectIdentifier) -> Option<&Any> {
    let attribute = bag.bag_attributes.as_ref()?.iter().find(|attribute| attribute.oid == kind)?;
    attribute.values.iter().next()
}

fn name(bag: &SafeBag) -> Option<String> {
    let name = attribute(bag, FRIENDLY_NAME)?.decode_as::<BmpString>().ok()?;
    Some(name.chars().collect())
}

fn local_key_id(bag: &SafeBag) -> Option<Vec<u8>> {
    Some(attribute(bag, LOCAL_KEY_ID)?.decode_as::<OctetString>().ok()?.into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::pkcs12::tests::{key, secret};
    use crate::crypto::pkcs12::write;

    fn why(container: &[u8], iterations: u32) -> &'static str {
        match read_within(container, "password", iterations) {
            Err(Unreadable::Container(why)) => why,
            Err(Unreadable::Password) => "the password",
            Ok(_) => "nothing",
        }
    }

    #[test]
    fn the_work_is_bounded_before_it_is_done() {
        let container = write(&key(), &[], "key", &secret("password")).unwrap();
        // One layer for certificates, one for the key, and the MAC.
        let each = 10_000;
        assert_eq!(why(&container, 3 * each), "nothing");
        for iterations in [each - 1, 2 * each, 3 * each - 1] {
            assert_eq!(why(&container, iterations), "its password is hashed too often");
        }
        assert_eq!(why(&vec![0x30; LONGEST + 1], ITERATIONS), "it is too long");
    }

    #[test]
    fn memory_is_not_spent_on_passwords() {
        let scheme = EncryptionScheme::from(
            pkcs5::pbes2::Parameters::scrypt_aes256gcm(
                pkcs5::scrypt::Params::new(20, 8, 1).unwrap(),
                &[7; 16],
                [7; 12],
            )
            .unwrap(),
        );
        let algorithm = AlgorithmIdentifierOwned::from_der(&scheme.to_der().unwrap()).unwrap();
        let mut reader = Reader { password: "password", iterations: ITERATIONS, bags: 0 };
        let refused = reader.decrypt(&algorithm, &[0; 32]).unwrap_err();
        assert_eq!(refused, Unreadable::Container("its password is hashed otherwise than with PBKDF2"));
    }

    #[test]
    fn a_container_without_a_mac_is_none() {
        let container = write(&key(), &[], "key", &secret("password")).unwrap();
        let mut pfx = Pfx::from_der(&container).unwrap();
        pfx.mac_data = None;
        assert_eq!(why(&pfx.to_der().unwrap(), ITERATIONS), "it has no MAC");
    }
}
