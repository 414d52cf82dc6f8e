//! Hashed Password (KMIP 2.1 §9.11, §8.5): the password never travels, and the server proves in its answer that it knows it.
//!
//! The server keeps S1, and of S2 its hash alone: whoever reads the configuration can guess passwords, but cannot make a
//! credential, which needs S2.

use kmip_codec::spec::HashingAlgorithm;
use kmip_codec::types::HashedPassword;

use crate::config::Hidden;
use crate::crypto::algorithm::Hash;
use crate::crypto::public::{hash, hash_named};
use crate::secret::{self, Secret};

/// What a Hashed Password credential is checked against.
#[derive(Debug, Clone)]
pub struct Stored {
    algorithm: HashingAlgorithm,
    hash: Hash,
    /// S1 = Hash(Username || Password).
    s1: Secret,
    /// Hash(S2), with S2 = Hash(Password || Username).
    s2: Secret,
}

impl Stored {
    /// Makes it from a password.
    ///
    /// # Errors
    /// A hash function that is not here.
    pub fn new(username: &str, password: &str, algorithm: HashingAlgorithm) -> Result<Self, String> {
        let named = usable(algorithm).ok_or_else(|| format!("{algorithm} is not supported"))?;
        let joined = |one: &str, two: &str| {
            let both = zeroize::Zeroizing::new([one.as_bytes(), two.as_bytes()].concat());
            Secret::new(hash(named, &both))
        };
        let s2 = Secret::new(hash(named, joined(password, username).expose()));
        Ok(Self { algorithm, hash: named, s1: joined(username, password), s2 })
    }

    /// Reads what [`Stored::text`] wrote.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &Hidden) -> Result<Self, String> {
        let mut parts = text.expose().split(':');
        let (Some(name), Some(s1), Some(s2), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err("is not of the form ALGORITHM:S1:HASH-OF-S2 that `kmipd hash-password --hashed` prints".into());
        };
        let algorithm = algorithm(name).ok_or_else(|| format!("has an unknown hash function {name:?}"))?;
        let named = usable(algorithm).ok_or_else(|| format!("has an unsupported hash function {name:?}"))?;
        let bytes = |text: &str| match hex::decode(text) {
            Ok(bytes) if bytes.len() == named.len() => Ok(Secret::new(bytes)),
            _ => Err(format!("has a part that is not {} bytes in hexadecimal digits", named.len())),
        };
        Ok(Self { algorithm, hash: named, s1: bytes(s1)?, s2: bytes(s2)? })
    }

    /// The form in which it stands in the configuration.
    pub fn text(&self) -> String {
        format!("{}:{}:{}", self.algorithm, hex::encode(self.s1.expose()), hex::encode(self.s2.expose()))
    }

    /// Whether the credential is right, and then the Server Hashed Password of the answer.
    pub fn verify(&self, credential: &HashedPassword) -> Option<Vec<u8>> {
        if credential.hashing_algorithm.unwrap_or(HashingAlgorithm::SHA256) != self.algorithm {
            return None;
        }
        let (first, second) = credential.hashed_password.split_at_checked(self.hash.len())?;
        let time = credential.timestamp.0.to_be_bytes();
        let expected = hash(self.hash, &zeroize::Zeroizing::new([self.s1.expose(), &time].concat()));
        let is_first = secret::equal(&expected, first);
        let is_second = secret::equal(&hash(self.hash, second), self.s2.expose());
        if !(is_first & is_second) {
            return None;
        }
        let whole = zeroize::Zeroizing::new([&time[..], self.s1.expose(), self.s2.expose()].concat());
        Some(hash(self.hash, &whole))
    }
}

/// The hash function of a name, but for those that passwords are not to be trusted to.
fn usable(algorithm: HashingAlgorithm) -> Option<Hash> {
    hash_named(algorithm).filter(|hash| !hash.is_for_digests_alone())
}

/// A Hashing Algorithm by the standard's name.
pub fn algorithm(name: &str) -> Option<HashingAlgorithm> {
    HashingAlgorithm::from_name(name)
}

#[cfg(test)]
mod tests {
    use kmip_codec::schema::DateTimeExtended;
    use kmip_codec::ttlv::Blob;

    use super::*;

    fn sha(parts: &[&[u8]]) -> Vec<u8> {
        hash(Hash::Sha256, &parts.concat())
    }

    /// The credential as a client makes it, from the standard's formulas alone.
    fn credential(user: &str, password: &str, time: i64) -> HashedPassword {
        let (user, password) = (user.as_bytes(), password.as_bytes());
        let s1 = sha(&[user, password]);
        let s2 = sha(&[password, user]);
        HashedPassword {
            username: String::from_utf8(user.to_vec()).unwrap().into(),
            timestamp: DateTimeExtended(time),
            hashing_algorithm: None,
            hashed_password: Blob::new([sha(&[&s1, &time.to_be_bytes()]), s2].concat()),
        }
    }

    #[test]
    fn the_construction_is_the_standards() {
        let stored = Stored::new("alice", "secret", HashingAlgorithm::SHA256).unwrap();
        let stored = Stored::parse(&stored.text().into()).unwrap();
        let time = 1_800_000_000_000_001;
        let right = credential("alice", "secret", time);
        let (s1, s2) = (sha(&[b"alice", b"secret"]), sha(&[b"secret", b"alice"]));
        assert_eq!(stored.verify(&right), Some(sha(&[&time.to_be_bytes(), &s1, &sha(&[&s2])])));
        assert_eq!(stored.verify(&credential("alice", "Secret", time)), None);
        // Another time needs another hash.
        assert_eq!(stored.verify(&HashedPassword { timestamp: DateTimeExtended(time + 1), ..right.clone() }), None);
        let other = HashedPassword { hashing_algorithm: Some(HashingAlgorithm::SHA512), ..right.clone() };
        assert_eq!(stored.verify(&other), None);
        // Each half counts, and nothing more is taken.
        for change in [0, 40] {
            let mut bytes = right.hashed_password.to_vec();
            bytes[change] ^= 1;
            assert_eq!(stored.verify(&HashedPassword { hashed_password: Blob::new(bytes), ..right.clone() }), None);
        }
        let longer = Blob::new([&right.hashed_password[..], &[0]].concat());
        assert_eq!(stored.verify(&HashedPassword { hashed_password: longer, ..right.clone() }), None);
        let shorter = Blob::copy_of(&right.hashed_password[..31]);
        assert_eq!(stored.verify(&HashedPassword { hashed_password: shorter, ..right }), None);
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        for text in ["", "SHA-256", "SHA-256:00:00", "SHA-9:00:00", "SHA-256:00:00:00"] {
            assert!(Stored::parse(&text.to_owned().into()).is_err(), "{text}");
        }
    }
}
