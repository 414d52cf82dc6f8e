//! Who asks: the certificate, and what the credentials of the header add (KMIP 2.1 §9.4).
//!
//! With a user or a device the requester is that one, whatever certificate carries the request; with a ticket it is whom
//! the ticket stands for; otherwise it is whom the certificate names (docs/adr/0004).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kmip_codec::message::RequestMessage;
use kmip_codec::spec::{ResultReason, Version};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{AttestationCredential, Authentication};

use super::answer::{Failed, Invitation, ItemAnswer, correlation};
use super::{Asker, Dispatcher, is_excepted};
use crate::failure::{Failure, Outcome};
use crate::store::CommitError;
use crate::store::vault::VaultBatch;
use crate::trust::attestation;
use crate::trust::credentials::{Check, Proven, Unproven, unsuccessful};
use crate::trust::link;
use crate::trust::requester::{Requester, Shown, Standing};
use crate::trust::ticket::{self, Grant};
use crate::view::{Shared, Slow};

/// How often a commit that met another one is tried again.
const ATTEMPTS: usize = 100;

/// Marks exchanges: random for this run of the server, then counted (KMIP 2.1 §9.10).
pub(super) struct Correlation {
    run: [u8; 4],
    next: AtomicU64,
}

impl Default for Correlation {
    fn default() -> Self {
        let run = crate::store::seal::random::<4>().map(|run| *run).unwrap_or_default();
        Self { run, next: AtomicU64::new(0) }
    }
}

impl Correlation {
    pub(super) fn next(&self) -> Text {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        correlation(self.run, number)
    }
}

impl Dispatcher {
    /// Refuses a client whose certificate was replaced, before anything else of its request is looked at.
    pub(super) fn check_link(&self, asker: &Asker, message: &RequestMessage) -> Outcome<()> {
        let Some(link) = asker.shown.link().filter(|_| !is_excepted(&self.shared, message)) else { return Ok(()) };
        let is_replaced = self.shared.vault.has_meta(link.row(&self.shared.vault))?;
        if is_replaced { Err(link::replaced()) } else { Ok(()) }
    }

    /// Looks at the credentials of a message, if it has any. Answers who asks, and what the answer's header proves in turn.
    ///
    /// # Errors
    /// Authentication Not Successful, Invalid Ticket, Usage Limit Exceeded for a ticket whose requests are used up.
    pub(super) async fn authenticate(
        &self,
        asker: &Asker,
        message: &RequestMessage,
        now: i64,
    ) -> Outcome<(Asker, Option<Vec<u8>>)> {
        let proven = match &message.header.authentication {
            Some(_) => Box::pin(self.prove(asker, message, now)).await?,
            None => Proven::default(),
        };
        let attested = match &proven.attestation {
            Some(given) => Some(self.attest(given, &asker.identity, now)?),
            None => None,
        };
        let grant = match &proven.ticket {
            Some(value) => Some(Box::pin(self.admit_ticket(value, now)).await?),
            None => None,
        };
        let owner: Arc<str> = match (&proven.owner, &grant) {
            (Some(owner), Some(grant)) if **owner != *grant.owner() => {
                return Err(unsuccessful("the ticket stands for somebody else than the other credential"));
            }
            (Some(owner), _) => Arc::clone(owner),
            (None, Some(grant)) => Arc::from(&*grant.owner()),
            (None, None) => Arc::clone(&asker.identity),
        };
        let accounts = self.shared.settings.accounts.as_ref();
        if !accounts.is_none_or(|accounts| accounts.is_known(&owner)) {
            // The ticket of somebody who is not in the configuration any more.
            return Err(ticket::invalid());
        }
        let administrator = accounts.is_some_and(|accounts| accounts.is_administrator(&owner));
        let attested = attested.unwrap_or_else(|| self.standing(&asker.identity, &owner, message));
        let shown = asker.shown.clone();
        let requester = Requester { owner: Arc::clone(&owner), administrator, grant, attested, shown };
        let asker = Asker { identity: owner, requester: Some(requester), ..asker.clone() };
        Ok((asker, proven.server_hashed_password))
    }

    /// The requester for one run of a message: its ticket as it is now.
    ///
    /// # Errors
    /// Invalid Ticket for one that was given back since, or that who got it could get no more.
    pub(super) fn again(&self, requester: &Requester) -> Outcome<Requester> {
        let again = |grant: &Grant| {
            let grant = grant.again(&self.shared.vault, self.shared.clock.now())?;
            self.stands(&grant)?;
            Ok::<_, Failure>(grant)
        };
        Ok(Requester { grant: requester.grant.as_ref().map(again).transpose()?, ..requester.clone() })
    }

    /// Who asked what is done later: what was proven then is proven; whether the ticket still is one is seen when it is done.
    pub(super) fn later(&self, owner: &Arc<str>, ticket: Option<&str>, certificates: &[Blob]) -> Requester {
        let accounts = self.shared.settings.accounts.as_ref();
        let administrator = accounts.is_some_and(|accounts| accounts.is_administrator(owner));
        let grant = ticket.map(Grant::unseen);
        let (owner, shown) = (Arc::clone(owner), Shown::Earlier(certificates.into()));
        Requester { owner, administrator, grant, attested: Standing::Free, shown }
    }

    /// Whether those who got a ticket have the right to it still: a ticket is an old login, not a present right.
    fn stands(&self, grant: &Grant) -> Outcome<()> {
        let Some(issuers) = &self.issuers else { return Ok(()) };
        let accounts = self.shared.settings.accounts.as_ref();
        let may_be = |certificate: &str, owner: &str| match accounts {
            Some(accounts) => accounts.may_be(certificate, owner),
            None => certificate == owner,
        };
        grant.stands(&self.shared.vault, &**issuers, may_be)
    }

    /// Verifies an attestation.
    fn attest(&self, given: &AttestationCredential, certificate: &str, now: i64) -> Outcome<Standing> {
        let Some(attestation) = &self.shared.settings.attestation else {
            return Err(attestation::unsupported(given.attestation_type));
        };
        attestation.verify(given, certificate, now)?;
        Ok(Standing::Attested)
    }

    /// How a request without an attestation stands.
    fn standing(&self, certificate: &str, owner: &str, message: &RequestMessage) -> Standing {
        match &self.shared.settings.attestation {
            Some(attestation) if attestation.concerns(certificate, owner) => {
                match message.header.attestation_capable_indicator {
                    Some(true) => Standing::Capable,
                    Some(false) | None => Standing::Incapable,
                }
            }
            _ => Standing::Free,
        }
    }

    /// What the header of an answer says to a client that must attest itself, and can, and has not or not well: a nonce for
    /// its next request, and what is verified here (KMIP 2.1 §8.5).
    pub(super) fn invite(&self, asker: &Asker, message: &RequestMessage, now: i64, items: &[ItemAnswer]) -> Invitation {
        let is_wanting = |item: &ItemAnswer| {
            let Err(Failed::Failure(failure)) = &item.result else { return false };
            [ResultReason::AttestationRequired, ResultReason::AttestationFailed].contains(&failure.reason)
        };
        let is_capable = message.header.attestation_capable_indicator == Some(true);
        match &self.shared.settings.attestation {
            Some(attestation) if is_capable && items.iter().any(is_wanting) => Invitation {
                // Without one the client asks again.
                nonce: attestation.nonce(&asker.identity, now).ok(),
                types: attestation.types(),
            },
            _ => Invitation::default(),
        }
    }

    /// Holds the credentials against accounts, and uses up those that are good once.
    async fn prove(&self, asker: &Asker, message: &RequestMessage, now: i64) -> Outcome<Proven> {
        for _ in 0..ATTEMPTS {
            let authentication = message.header.authentication.as_ref();
            let proven = match check(&self.shared, &asker.identity, authentication, message.version, now, false) {
                Ok(proven) => proven,
                Err(Unproven::Failure(failure)) => return Err(failure),
                Err(Unproven::Slow) => self.prove_slowly(asker, message, now).await?,
            };
            if !proven.is_single_use() {
                return Ok(proven);
            }
            let mut batch = self.shared.vault.batch();
            proven.use_up(&mut batch)?;
            match self.commit_batch(batch).await {
                Ok(()) => return Ok(proven),
                // Another request has used one just now; whether this one is still good must be seen.
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(unsuccessful("the credential is used by too many requests at a time"))
    }

    async fn prove_slowly(&self, asker: &Asker, message: &RequestMessage, now: i64) -> Outcome<Proven> {
        let Some(accounts) = &self.shared.settings.accounts else {
            return Err(unsuccessful("this server has no users"));
        };
        if !accounts.attempt(&asker.identity, now) {
            return Err(unsuccessful("too many passwords of this client were looked at; wait a little"));
        }
        let (shared, identity) = (Arc::clone(&self.shared), Arc::clone(&asker.identity));
        let (authentication, version) = (message.header.authentication.clone(), message.version);
        let slow = move || check(&shared, &identity, authentication.as_ref(), version, now, true);
        match self.lane.run(Slow::Processor, slow).await? {
            Ok(proven) => Ok(proven),
            Err(Unproven::Failure(failure)) => Err(failure),
            Err(Unproven::Slow) => Err(Failure::internal("slow work was not done where it may be")),
        }
    }

    /// Finds a ticket and counts the request.
    async fn admit_ticket(&self, value: &Blob, now: i64) -> Outcome<Grant> {
        for _ in 0..ATTEMPTS {
            let grant = Grant::load(&self.shared.vault, value, now)?;
            self.stands(&grant)?;
            if grant.is_exhausted() {
                return Err(ticket::exceeded());
            }
            let mut batch = self.shared.vault.batch();
            grant.count_request(&mut batch);
            match self.commit_batch(batch).await {
                Ok(()) => return Ok(grant),
                // Used up or given back since it was read.
                Err(CommitError::Conflict | CommitError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ticket::exceeded())
    }

    async fn commit_batch(&self, batch: VaultBatch) -> Result<(), CommitError> {
        let stopped = |_| CommitError::Broken("its writer has ended".into());
        self.shared.vault.commit(batch).await.map_err(stopped)?
    }
}

/// Looks at the credentials; `may_be_slow` where time does not matter.
fn check(
    shared: &Shared,
    certificate: &str,
    authentication: Option<&Authentication>,
    version: Version,
    now: i64,
    may_be_slow: bool,
) -> Result<Proven, Unproven> {
    let (Some(authentication), settings) = (authentication, &shared.settings) else { return Ok(Proven::default()) };
    let check = Check {
        accounts: settings.accounts.as_deref(),
        vault: &shared.vault,
        certificate,
        version,
        now,
        skew: settings.clock_skew,
        may_be_slow,
        tickets_alone: settings.ignore_credentials,
    };
    check.credentials(authentication)
}
