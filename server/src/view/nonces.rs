//! Nonces that the server makes: random, and counted for each key, because random nonces of 96 bits come twice if there are
//! too many (SP 800-38D §8.3).
//!
//! What is counted is what may leave. Most of it was reserved before ([`crate::store::vault::Drawn`]) and costs nothing; the
//! rest is counted by the message's own commit, which stands before the answer leaves.

use std::sync::atomic::Ordering;

use foldhash::HashMap;
use kmip_codec::spec::ResultReason;

use super::View;
use super::overlay::NONCES;
use crate::failure::{Failure, Outcome};
use crate::store::vault::{Count, Drawn, Reservation, VaultBatch};
use crate::trust::policy::Permitted;

/// How many random nonces one key may have (SP 800-38D §8.3). The bound is that of GCM; random nonces of other modes have 96
/// bits at least, too, and no better one.
pub(super) const MOST: u64 = 1 << 32;

/// Nonces of a message that are counted by its commit.
#[derive(Default)]
pub(super) struct Nonces {
    keys: HashMap<u64, Counted>,
}

#[derive(Default)]
struct Counted {
    /// For what a second run makes again.
    again: u64,
    /// For the steps of operations in parts, which a second run does not do again.
    once: u64,
    reservation: Option<Reservation>,
}

impl Counted {
    const fn all(&self) -> u64 {
        self.again.saturating_add(self.once)
    }
}

impl Nonces {
    /// What a second run of the message must count.
    pub(super) fn into_kept(mut self) -> Self {
        self.keys.retain(|_, counted| {
            (counted.again, counted.reservation) = (0, None);
            counted.once > 0
        });
        self
    }

    /// Whether there is nothing to count.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Counts what was taken, but for keys that go with this commit.
    pub(super) fn commit(&self, batch: &mut VaultBatch, goes: impl Fn(u64) -> bool) {
        for (&sequence, counted) in self.keys.iter().filter(|(sequence, _)| !goes(**sequence)) {
            let taken = counted.all();
            let wanted = counted.reservation.as_ref().map(|reservation| (reservation.size(), reservation.granted()));
            batch.update_counter(sequence, NONCES, move |before| {
                let before = before.unwrap_or(0);
                let Some(used) = before.checked_add(taken).filter(|&used| used <= MOST) else {
                    return Count::Refuse("the key has had all its nonces");
                };
                let Some((size, granted)) = &wanted else { return Count::Set(used) };
                let after = used.saturating_add(*size).min(MOST);
                granted.store(after - used, Ordering::Release);
                Count::Set(after)
            });
        }
    }

    /// The commit stands.
    pub(super) fn settle(&mut self) {
        for (_, counted) in self.keys.drain() {
            if let Some(reservation) = counted.reservation {
                reservation.settle();
            }
        }
    }
}

impl View {
    /// Counts a nonce that the server makes for a key. `once` says that the encryption is a step of an operation in parts.
    ///
    /// # Errors
    /// Usage Limit Exceeded for a key that has had all of them.
    pub fn count_nonce(&mut self, permitted: &Permitted, once: bool) -> Outcome<()> {
        let sequence = permitted.sequence;
        let Drawn::Uncounted(reservation) = self.shared.vault.draw(sequence) else { return Ok(()) };
        let before = self.shared.vault.counter(sequence, NONCES)?.map_or(0, |(before, _)| before);
        let own = self.kept.nonces.keys.get(&sequence).map_or(0, Counted::all);
        if before.saturating_add(own) >= MOST {
            return Err(Failure::new(
                ResultReason::UsageLimitExceeded,
                "the key has had 2^32 nonces of the server, and may have no more (SP 800-38D section 8.3): Re-key replaces it",
            ));
        }
        let counted = self.kept.nonces.keys.entry(sequence).or_default();
        *(if once { &mut counted.once } else { &mut counted.again }) += 1;
        if reservation.is_some() {
            counted.reservation = reservation;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
