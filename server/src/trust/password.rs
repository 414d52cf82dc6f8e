//! Passwords against their Argon2 hashes: the slow work, what is remembered of it, and how much of it a client may ask for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use aws_lc_rs::hmac;

use crate::config::Hidden;
use crate::store::seal::random;

/// How long a password that was right once is known to be right, in seconds.
const REMEMBERED: i64 = 600;

/// The most passwords that are remembered.
const MOST: usize = 4096;

/// How many passwords of a client are looked at in one go, and the seconds after which it has one more.
const ATTEMPTS: u32 = 8;
const PAUSE: i64 = 2;

/// The most memory that one hash may take, in KiB.
const MEMORY: u32 = 1024 * 1024;

/// An Argon2 hash in the form of a PHC string, readable.
#[derive(Debug, Clone)]
pub struct Stored(Hidden);

impl Stored {
    /// Takes a PHC string.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &Hidden) -> Result<Self, String> {
        let wrong = |_| "is no Argon2 hash as `kmipd hash-password` makes it ($argon2id$...)".to_owned();
        let hash = PasswordHash::new(text.expose()).map_err(wrong)?;
        if hash.algorithm.as_str() != "argon2id" || hash.salt.is_none() || hash.hash.is_none() {
            return Err("is no Argon2id hash with salt and output".to_owned());
        }
        let params = argon2::Params::try_from(&hash).map_err(|_| "has parameters that Argon2 has not".to_owned())?;
        if params.m_cost() > MEMORY {
            return Err(format!("takes more than {MEMORY} KiB of memory"));
        }
        Ok(Self(text.clone()))
    }

    fn verify(&self, password: &[u8]) -> bool {
        PasswordHash::new(self.0.expose()).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
    }
}

/// Makes the Argon2id hash of a password, with a random salt, as a PHC string.
///
/// # Errors
/// What Argon2 says.
pub fn hash(password: &[u8]) -> Result<String, String> {
    Argon2::default().hash_password(password).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// Whether a password was looked at without slow work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is right.
    Right,
    /// Only the slow work can tell.
    Unknown,
}

/// Passwords that were right a short time ago, as keyed hashes, and how many more each client may have looked at.
pub struct Passwords {
    key: hmac::Key,
    right: Mutex<HashMap<[u8; 32], i64>>,
    attempts: Mutex<HashMap<Arc<str>, (u32, i64)>>,
    /// What a password is held against where there is no hash: the work is the same.
    nobody: Option<Stored>,
}

impl Passwords {
    /// Nothing is known. `likeness` is a hash whose cost that of unknown users is to equal.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn new(likeness: Option<&Stored>) -> Result<Self, String> {
        let key = random::<32>().map_err(|error| error.to_string())?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()),
            right: Mutex::default(),
            attempts: Mutex::default(),
            nobody: likeness.cloned(),
        })
    }

    /// Whether this password was right for this hash a short time ago.
    pub fn known(&self, stored: Option<&Stored>, password: &str, now: i64) -> Known {
        let Some(stored) = stored else { return Known::Unknown };
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        match right.get(&self.mark(stored, password)) {
            Some(&until) if now < until => Known::Right,
            _ => Known::Unknown,
        }
    }

    /// Does the slow work: whether the password is right. Without a hash it never is, and the work is done all the same.
    pub fn check(&self, stored: Option<&Stored>, password: &str, now: i64) -> bool {
        let Some(stored) = stored else {
            if let Some(nobody) = &self.nobody {
                nobody.verify(password.as_bytes());
            }
            return false;
        };
        if !stored.verify(password.as_bytes()) {
            return false;
        }
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= MOST {
            right.retain(|_, until| now < *until);
        }
        if right.len() >= MOST {
            right.clear();
        }
        right.insert(self.mark(stored, password), now.saturating_add(REMEMBERED));
        true
    }

    /// Takes one of a client's attempts, if it has one left.
    pub fn attempt(&self, client: &Arc<str>, now: i64) -> bool {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if attempts.len() >= MOST {
            // Whoever has waited long enough has all its attempts again, and need not be known.
            attempts.retain(|_, (_, last)| now.saturating_sub(*last) < PAUSE.saturating_mul(ATTEMPTS.into()));
        }
        let (left, last) = attempts.entry(Arc::clone(client)).or_insert((ATTEMPTS, now));
        let gained = now.saturating_sub(*last).max(0) / PAUSE;
        if gained > 0 {
            *left = left.saturating_add(u32::try_from(gained).unwrap_or(u32::MAX)).min(ATTEMPTS);
            *last = now;
        }
        match left.checked_sub(1) {
            Some(less) => {
                *left = less;
                true
            }
            None => false,
        }
    }

    /// What is remembered of a password: bound to the hash that it was right for.
    fn mark(&self, stored: &Stored, password: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        let hash = stored.0.expose();
        context.update(&(hash.len() as u64).to_be_bytes());
        context.update(hash.as_bytes());
        context.update(password.as_bytes());
        let mut mark = [0; 32];
        for (to, from) in mark.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(password: &str) -> Stored {
        Stored::parse(&hash(password.as_bytes()).unwrap().into()).unwrap()
    }

    #[test]
    fn a_right_password_is_remembered_for_its_own_hash_and_a_time() {
        let passwords = Passwords::new(None).unwrap();
        let (one, other) = (stored("secret"), stored("secret"));
        assert_eq!(passwords.known(Some(&one), "secret", 0), Known::Unknown);
        assert!(passwords.check(Some(&one), "secret", 0));
        assert_eq!(passwords.known(Some(&one), "secret", REMEMBERED - 1), Known::Right);
        assert_eq!(passwords.known(Some(&one), "secret", REMEMBERED), Known::Unknown);
        assert_eq!(passwords.known(Some(&one), "Secret", 1), Known::Unknown);
        assert_eq!(passwords.known(Some(&other), "secret", 1), Known::Unknown);
        assert!(!passwords.check(Some(&one), "Secret", 0));
        assert_eq!(passwords.known(Some(&one), "Secret", 1), Known::Unknown);
        assert!(!passwords.check(None, "secret", 0));
    }

    #[test]
    fn attempts_are_bounded_for_each_client_and_come_back() {
        let passwords = Passwords::new(None).unwrap();
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        for _ in 0..ATTEMPTS {
            assert!(passwords.attempt(&one, 100));
        }
        assert!(!passwords.attempt(&one, 100));
        assert!(passwords.attempt(&other, 100));
        assert!(passwords.attempt(&one, 100 + PAUSE));
        assert!(!passwords.attempt(&one, 100 + PAUSE));
        // A clock that is set back gives nothing, and takes nothing.
        assert!(!passwords.attempt(&one, 50));
    }

    #[test]
    fn only_an_argon2id_hash_is_taken() {
        for text in [
            "password",
            "$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQAAAAAAAAAAA$+r0d29hqEB0yasKr55ZgICsQGSkl0v0kgwhd+U3wyRo",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert!(Stored::parse(&text.to_owned().into()).is_err(), "{text}");
        }
    }
}
