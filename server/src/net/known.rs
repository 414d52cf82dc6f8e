//! Judgements that still hold. What is judged are the very bytes of a chain, by one [`super::admission::Admission`], which
//! never changes: until a date comes by that decides something, the answer is the same. So no check is left out where a
//! judgement is found here; its signatures are only not computed again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;

use super::tls::digest;
use crate::trust::identity::Admitted;

/// Chains that are kept: each with its certificates, of 1 to 2 KiB in most cases.
const CHAINS: usize = 4096;

/// The longest chain that is kept, in bytes.
const LONGEST: usize = 16 * 1024;

/// The judgements of one [`super::admission::Admission`] that let a client in. Refusals are not kept.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// When the revocation lists end, in seconds since 1970. `None`: this is not known, and nothing is kept.
    lists: Option<Vec<u64>>,
    chains: Mutex<HashMap<Key, Judgement>>,
}

/// The digest of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

#[derive(Debug)]
struct Judgement {
    admitted: Arc<Admitted>,
    /// In seconds since 1970: from when it was made to before the first date that could change it.
    from: u64,
    until: u64,
}

impl Known {
    /// Nothing yet, by these revocation lists.
    pub(super) fn new(lists: &[CertificateRevocationListDer<'_>]) -> Self {
        let end = |list: &CertificateRevocationListDer<'_>| {
            let list = CertificateList::from_der(list).ok()?;
            Some(list.tbs_cert_list.next_update?.to_unix_duration().as_secs())
        };
        Self { lists: lists.iter().map(end).collect(), chains: Mutex::default() }
    }

    /// What a chain is found by. A chain that is too long is not kept.
    pub(super) fn key(chain: &[CertificateDer<'_>]) -> Option<Key> {
        let length: usize = chain.iter().map(|der| der.len()).sum();
        let digest = (length <= LONGEST).then(|| digest(chain.iter().map(AsRef::as_ref)))?;
        digest.as_ref().try_into().ok().map(Key)
    }

    /// Who comes with this chain, if its judgement holds at this time.
    pub(super) fn find(&self, key: Key, now: UnixTime) -> Option<Arc<Admitted>> {
        let chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        let judgement = chains.get(&key)?;
        (judgement.from..judgement.until).contains(&now.as_secs()).then(|| Arc::clone(&judgement.admitted))
    }

    /// Keeps a judgement of this time. `ends` are the seconds since 1970 in which the chain's certificates are no longer
    /// valid.
    pub(super) fn keep(&self, key: Key, admitted: &Arc<Admitted>, now: UnixTime, ends: &[u64]) {
        let Some(lists) = &self.lists else { return };
        let from = now.as_secs();
        let Some(until) = ends.iter().chain(lists).copied().filter(|end| *end > from).min() else { return };
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        if chains.len() >= CHAINS {
            // Who is connected stays known.
            chains.retain(|_, judgement| Arc::strong_count(&judgement.admitted) > 1);
        }
        if chains.len() < CHAINS {
            chains.insert(key, Judgement { admitted: Arc::clone(admitted), from, until });
        }
    }
}
