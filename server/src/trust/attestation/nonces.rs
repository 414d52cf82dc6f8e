//! Nonces for attestations (KMIP 2.1 §9.14): each is good once, for the client that it was given to, for a short while.
//!
//! Nothing here is stored: after a restart a client is given another one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kmip_codec::ttlv::Blob;
use kmip_codec::types::Nonce;

use crate::failure::{Failure, Outcome};
use crate::secret::equal;
use crate::store::seal;

/// The most that wait at a time; the oldest make room.
const MOST: usize = 16_384;

/// Length of a Nonce ID in bytes.
const ID: usize = 16;
/// Length of a Nonce Value in bytes: what a TPM takes as qualifying data has up to 50.
const VALUE: usize = 32;

/// As long as every one is.
pub(super) fn longest() -> Nonce {
    Nonce { nonce_id: Blob::copy_of(&[0; ID]), nonce_value: Blob::copy_of(&[0; VALUE]) }
}

/// Those that were given out and have not come back.
#[derive(Debug)]
pub(super) struct Nonces {
    /// Oldest first.
    given: Mutex<VecDeque<Given>>,
    seconds: u32,
    per_client: usize,
}

#[derive(Debug)]
struct Given {
    id: [u8; ID],
    value: [u8; VALUE],
    client: Arc<str>,
    until: i64,
}

impl Nonces {
    /// Nonces that are good for so many seconds, so many for each client.
    pub(super) fn new(seconds: u32, per_client: usize) -> Self {
        Self { given: Mutex::default(), seconds, per_client }
    }

    /// A new one. A client that has as many as it may have loses its oldest.
    ///
    /// # Errors
    /// The random source failed.
    pub(super) fn give(&self, client: &Arc<str>, now: i64) -> Outcome<Nonce> {
        let failed = |error: seal::SealError| Failure::internal(format!("no nonce can be made: {error}"));
        let id = *seal::random::<ID>().map_err(failed)?;
        let value = *seal::random::<VALUE>().map_err(failed)?;
        let nonce = Nonce { nonce_id: Blob::copy_of(&id), nonce_value: Blob::copy_of(&value) };
        let until = now.saturating_add(self.seconds.into());
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|given| given.until > now);
        if given.iter().filter(|given| given.client == *client).count() >= self.per_client
            && let Some(oldest) = given.iter().position(|given| given.client == *client)
        {
            given.remove(oldest);
        }
        if given.len() >= MOST {
            given.pop_front();
        }
        given.push_back(Given { id, value, client: Arc::clone(client), until });
        Ok(nonce)
    }

    /// Takes one back: whether it is this client's, and still good. It is gone then, right or wrong; what was given to
    /// another client stays that one's.
    pub(super) fn take(&self, nonce: &Nonce, client: &str, now: i64) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |given: &Given| *given.client == *client && given.id[..] == *nonce.nonce_id;
        let found = given.iter().position(is_it).and_then(|place| given.remove(place));
        found.is_some_and(|given| given.until > now && equal(&given.value, &nonce.nonce_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_once_for_its_client_and_for_a_while() {
        let nonces = Nonces::new(60, 4);
        let alice: Arc<str> = "alice".into();
        let nonce = nonces.give(&alice, 0).unwrap();
        assert_eq!((nonce.nonce_id.len(), nonce.nonce_value.len()), (ID, VALUE));
        // Somebody else can neither use it nor use it up.
        assert!(!nonces.take(&nonce, "bob", 1));
        assert!(nonces.take(&nonce, "alice", 59));
        assert!(!nonces.take(&nonce, "alice", 59));
        let late = nonces.give(&alice, 0).unwrap();
        assert!(!nonces.take(&late, "alice", 60));
        // A wrong value uses it up.
        let guessed = nonces.give(&alice, 0).unwrap();
        let wrong = Nonce { nonce_value: Blob::copy_of(&[0; VALUE]), ..guessed.clone() };
        assert!(!nonces.take(&wrong, "alice", 1) && !nonces.take(&guessed, "alice", 1));
    }

    #[test]
    fn a_client_has_so_many_and_takes_nobody_elses_place() {
        let nonces = Nonces::new(60, 2);
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let bobs = nonces.give(&bob, 0).unwrap();
        let mut given: Vec<Nonce> = (0..3).map(|_| nonces.give(&alice, 0).unwrap()).collect();
        let newest = given.split_off(1);
        assert!(!nonces.take(&given[0], "alice", 1));
        assert!(newest.iter().all(|nonce| nonces.take(nonce, "alice", 1)));
        assert!(nonces.take(&bobs, "bob", 1));
    }
}
