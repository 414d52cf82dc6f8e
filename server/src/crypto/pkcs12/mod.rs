//! PKCS#12 containers (RFC 7292): a private key with the chain of its certificate, under a password.
//!
//! What is written has AES-256 in CBC under PBKDF2 with HMAC-SHA-256, and an HMAC-SHA-256 over all of it. What is read may
//! be older: triple DES and RC2 with 40 bits are what the containers of many tools still have.

mod bags;

use kmip_codec::spec::{ResultReason, Version};
use p12_keystore::error::Error;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use zeroize::Zeroizing;

use self::bags::{Bag, Held, Unreadable};
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;

/// What a container holds of a private key.
#[derive(Debug)]
pub struct Contents {
    /// The key as PKCS#8 DER (RFC 5208).
    pub pkcs8: Secret,
    /// Its certificate as DER, then those of its issuers, as far as the container has them.
    pub chain: Vec<Vec<u8>>,
    /// The friendly name under which the container has it.
    pub name: Option<String>,
}

/// Bad Password, with what it was before 2.0 (KMIP 1.4 §11.4).
pub fn bad_password(why: impl Into<String>) -> Failure {
    Failure::new(ResultReason::BadPassword, why).before(Version::V2_0, ResultReason::InvalidField)
}

/// Takes the key of this friendly name out of a container, or the first one where no name is asked for. Names are
/// compared without regard to case (KMIP 2.1 §4.39).
///
/// # Errors
/// Invalid Field for what is no container, or has no such key; Bad Password.
pub fn read(container: &[u8], password: &Secret, name: Option<&str>) -> Outcome<Contents> {
    let bags = bags::read(container, text(password)?).map_err(|why| match why {
        Unreadable::Password => bad_password("the container does not open with the password"),
        Unreadable::Container(why) => Failure::invalid_field(format!("the PKCS#12 container cannot be read: {why}")),
    })?;
    let is_wanted = |bag: &Bag| {
        name.is_none_or(|name| bag.name.as_ref().is_some_and(|found| found.to_lowercase() == name.to_lowercase()))
    };
    let mut keys = bags.iter().filter_map(|bag| match &bag.held {
        Held::Key(pkcs8) if is_wanted(bag) => Some((bag, pkcs8)),
        _ => None,
    });
    let (bag, pkcs8) = keys.next().ok_or_else(|| {
        Failure::invalid_field(match name {
            Some(_) => "the container has no private key of that PKCS#12 Friendly Name",
            None => "the container has no private key",
        })
    })?;
    let of = |bag: &Bag| match &bag.held {
        Held::Certificate(der) => Some(
            Certificate::from_der(der)
                .map_err(|_| Failure::invalid_field("the PKCS#12 container has a certificate that is none")),
        ),
        Held::Key(_) => None,
    };
    let own = bags.iter().find(|other| {
        matches!(other.held, Held::Certificate(_))
            && bag.local_key_id.is_some()
            && other.local_key_id == bag.local_key_id
    });
    let all = bags.iter().filter_map(of).collect::<Outcome<Vec<Certificate>>>()?;
    Ok(Contents {
        pkcs8: Secret::copy_of(pkcs8),
        chain: own.and_then(of).transpose()?.map(|own| chain(own, &all)).unwrap_or_default(),
        name: bag.name.clone(),
    })
}

/// The certificate and those of its issuers, by their names.
fn chain(own: Certificate, all: &[Certificate]) -> Vec<Vec<u8>> {
    let mut chain = vec![own];
    while let Some(last) = chain.last().filter(|last| last.issuer() != last.subject()) {
        match all.iter().find(|certificate| certificate.subject() == last.issuer()) {
            Some(issuer) if !chain.contains(issuer) => chain.push(issuer.clone()),
            _ => break,
        }
    }
    chain.into_iter().map(|certificate| certificate.as_der().to_vec()).collect()
}

/// Puts a key as PKCS#8 DER and its chain, its own certificate first, into a container.
///
/// # Errors
/// Bad Password for one that is no text; Invalid Field for a name that a container cannot have.
pub fn write(pkcs8: &Secret, chain: &[Vec<u8>], name: &str, password: &Secret) -> Outcome<Zeroizing<Vec<u8>>> {
    friendly(name)?;
    let certificates =
        chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let key = PrivateKey::from_der(pkcs8.expose()).map_err(broken)?;
    let mut store = KeyStore::new();
    // The key and its certificate are told to belong together by a number, and there is one pair.
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(vec![1], key, certificates)));
    store.writer(text(password)?).write().map(Zeroizing::new).map_err(broken)
}

/// Puts a chain of certificates into a container, the first one under the name, with no key beside them. They are marked as
/// trusted, in the way of Java, which finds no certificate without a key otherwise.
///
/// # Errors
/// As [`write()`].
pub fn write_certificates(chain: &[Vec<u8>], name: &str, password: &Secret) -> Outcome<Zeroizing<Vec<u8>>> {
    friendly(name)?;
    let mut store = KeyStore::new();
    for (above, der) in chain.iter().enumerate() {
        // Each has a name of its own.
        let name = if above == 0 { name.to_owned() } else { format!("{name} issuer {above}") };
        store.add_entry(&name, KeyStoreEntry::Certificate(Certificate::from_der(der).map_err(broken)?));
    }
    store.writer(text(password)?).write().map(Zeroizing::new).map_err(broken)
}

fn broken(error: Error) -> Failure {
    Failure::internal(format!("a PKCS#12 container cannot be made: {error}"))
}

/// Whether a container can have a name.
fn friendly(name: &str) -> Outcome<()> {
    if name.chars().any(|character| u32::from(character) > 0xFFFF) {
        return Err(Failure::invalid_field("the PKCS#12 Friendly Name has characters that a container cannot have"));
    }
    Ok(())
}

/// A password as the text that the container's format has: that of a BMPString (RFC 7292 appendix B.1).
fn text(password: &Secret) -> Outcome<&str> {
    let text = std::str::from_utf8(password.expose()).ok();
    let fits = |text: &&str| text.chars().all(|character| u32::from(character) <= 0xFFFF);
    text.filter(fits).ok_or_else(|| bad_password("the password is no text that a container can have"))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

    use super::*;
    use crate::crypto::testing::Entity;

    pub(super) fn secret(text: &str) -> Secret {
        Secret::copy_of(text.as_bytes())
    }

    pub(super) fn key() -> Secret {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Secret::copy_of(pkcs8.as_ref())
    }

    #[test]
    fn what_is_written_is_read_by_its_name_and_its_password() {
        let pkcs8 = key();
        let container = write(&pkcs8, &[], "Schlüssel", &secret("geheim ü")).unwrap();
        for name in [None, Some("Schlüssel"), Some("SCHLÜSSEL")] {
            let read = read(&container, &secret("geheim ü"), name).unwrap();
            assert_eq!(read.pkcs8.expose(), pkcs8.expose());
            assert_eq!((read.chain.len(), read.name.as_deref()), (0, Some("Schlüssel")));
        }
        let reason = |container: &[u8], password: &[u8], name| {
            read(container, &Secret::copy_of(password), name).unwrap_err().reason
        };
        let right = "geheim ü".as_bytes();
        assert_eq!(reason(&container, b"geheim", None), ResultReason::BadPassword);
        assert_eq!(reason(&container, &[0xFF], None), ResultReason::BadPassword);
        assert_eq!(reason(&container, right, Some("other")), ResultReason::InvalidField);
        assert_eq!(reason(&container[1..], right, None), ResultReason::InvalidField);
        let mut forged = container.to_vec();
        let last = forged.len() - 60;
        forged[last] ^= 1;
        assert!(read(&forged, &secret("geheim ü"), None).is_err());
    }

    #[test]
    fn what_a_container_cannot_hold_is_refused() {
        let pkcs8 = key();
        let reason = |name, password: &[u8]| write(&pkcs8, &[], name, &Secret::copy_of(password)).unwrap_err().reason;
        assert_eq!(reason("\u{1F511}", b"password"), ResultReason::InvalidField);
        assert_eq!(reason("key", &[0xFF]), ResultReason::BadPassword);
        assert_eq!(reason("key", "\u{1F511}".as_bytes()), ResultReason::BadPassword);
    }

    #[test]
    fn certificates_without_a_key_have_names_of_their_own() {
        let one = |name: &str| Entity::new(name).certificate(&Entity::new("CN=issuer"), |_| {});
        let chain = [one("CN=one"), one("CN=two"), one("CN=three")];
        let container = write_certificates(&chain, "mine", &secret("password")).unwrap();
        let mut found: Vec<(String, Vec<u8>)> = bags::read(&container, "password")
            .unwrap()
            .into_iter()
            .map(|bag| match bag.held {
                Held::Certificate(der) => (bag.name.unwrap(), der),
                Held::Key(_) => panic!("a key"),
            })
            .collect();
        found.sort();
        let names = ["mine", "mine issuer 1", "mine issuer 2"].map(str::to_owned);
        assert_eq!(found, names.into_iter().zip(chain).collect::<Vec<_>>());
        let reason =
            |name, password: &[u8]| write_certificates(&[], name, &Secret::copy_of(password)).unwrap_err().reason;
        assert_eq!(reason("\u{1F511}", b"password"), ResultReason::InvalidField);
        assert_eq!(reason("mine", &[0xFF]), ResultReason::BadPassword);
    }
}
