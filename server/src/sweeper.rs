//! What time does: dates that are reached, and token keys that a crash has left unfinished.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use kmip_codec::spec::Version;
use kmip_codec::types::UniqueIdentifier;

use crate::crypto::Guarded;
use crate::dispatch::{forget, release};
use crate::failure::{Failure, Outcome};
use crate::object::record;
use crate::ops::rotate::rotate;
use crate::store::CommitError;
use crate::trust::policy::Use;
use crate::trust::ticket;
use crate::view::{Commit, Kept, Shared, View};

/// How often dates are looked at. A request that comes before the sweeper sees the new state all the same.
const INTERVAL: Duration = Duration::from_secs(1);

/// After so many rounds the objects are tried again that could not be acted on.
const ANEW: u64 = 600;

/// How often tickets are looked at, in seconds. One that has ended is worth nothing before that, too.
const TICKETS: i64 = 60;

/// How often the files of revocation lists are looked at, in rounds.
const LISTS: u64 = 5;

/// Objects looked at in one go.
const AT_ONCE: usize = 1_000;

/// Sweeps for ever. `left` is what [`Vault::intents`](crate::store::vault::Vault::intents) gave before the first request
/// was answered: later intents are those of requests at work, whose token keys must stay.
pub async fn run(shared: Arc<Shared>, left: Outcome<Vec<[u8; 16]>>) {
    if let Err(failure) = finish_intents(&shared, left).await {
        tracing::warn!(detail = ?failure.log, "token keys that a crash left behind were not looked at: {}", failure.message);
    }
    let mut stuck = HashSet::new();
    let mut tickets_at = shared.clock.now();
    for round in 1_u64.. {
        tokio::time::sleep(INTERVAL).await;
        // What could not be done may have been the module's fault.
        if round.is_multiple_of(ANEW) {
            stuck.clear();
            if let Err(failure) = finish_intents(&shared, Ok(shared.providers.take_remaining())).await {
                tracing::warn!(detail = ?failure.log, "destroyed token keys are still on the token: {}", failure.message);
            }
        }
        if round.is_multiple_of(LISTS) {
            look_at_lists(&shared);
        }
        let now = shared.clock.now();
        // Operations in parts that nobody goes on with: their memory, and what the module keeps for them.
        drop(shared.parts.lost(now));
        if now.saturating_sub(tickets_at) >= TICKETS || now < tickets_at {
            tickets_at = now;
            if let Err(failure) = sweep_tickets(&shared, now).await {
                tracing::error!(detail = ?failure.log, "tickets that have ended stay: {}", failure.message);
            }
        }
        // Where very many are due at once, the next ones follow at once.
        loop {
            match sweep(&shared, &mut stuck).await {
                Ok(AT_ONCE) => {}
                Ok(_) => break,
                Err(failure) => {
                    tracing::error!(detail = ?failure.log, "dates cannot be acted on: {}", failure.message);
                    break;
                }
            }
        }
    }
}

/// Has the revocation lists read anew that have changed.
fn look_at_lists(shared: &Shared) {
    match shared.settings.revocation.renew() {
        Ok(true) => tracing::info!("[validation] crl has changed and was read anew"),
        Ok(false) => {}
        Err(why) => tracing::error!("[validation] crl stays as it was: {why}"),
    }
}

/// Lets every date take effect that has been reached. Answers how many objects changed. An object that cannot be read is
/// noted as stuck and passed over from then on: it must not stand in the way of the others.
///
/// # Errors
/// A store that cannot be read or written.
pub async fn sweep(shared: &Arc<Shared>, stuck: &mut HashSet<(u64, u64)>) -> Outcome<usize> {
    let now = u64::try_from(shared.clock.now()).unwrap_or(0);
    let mut due = Vec::new();
    shared.vault.due(now, &mut |time, sequence| {
        if !stuck.contains(&(time, sequence)) {
            due.push((time, sequence));
        }
        if due.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    // They share the syncs of the disk.
    let mut waiting = Vec::with_capacity(due.len());
    for (time, sequence) in due {
        match bring_up(shared, time, sequence).await {
            Ok((Commit { batch, destroyed, turned }, has_changed)) => {
                waiting.push((shared.vault.commit(batch), destroyed, turned, has_changed));
            }
            Err(failure) => {
                tracing::error!(sequence, detail = ?failure.log, "an object's dates cannot be acted on: {}", failure.message);
                stuck.insert((time, sequence));
            }
        }
    }
    let mut changed = 0;
    for (committed, destroyed, turned, has_changed) in waiting {
        match committed.await {
            Ok(Ok(())) => {
                changed += usize::from(has_changed);
                let released = release(shared, &turned);
                if !released.is_empty() {
                    tokio::task::spawn_blocking(move || drop(released));
                }
                // Keys that were made and not needed in the end; what stays goes at the next start.
                for guarded in &destroyed {
                    forget(shared, guarded);
                }
            }
            // A request was faster; it has seen the date, too.
            Ok(Err(CommitError::Conflict)) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(Failure::internal("the store's writer has ended")),
        }
    }
    Ok(changed)
}

/// Removes the tickets that have ended.
async fn sweep_tickets(shared: &Shared, now: i64) -> Outcome<()> {
    let mut batch = shared.vault.batch();
    if ticket::drop_ended(&shared.vault, &mut batch, now)? == 0 {
        return Ok(());
    }
    let stopped = |_| Failure::internal("the store's writer has ended");
    Ok(shared.vault.commit(batch).await.map_err(stopped)??)
}

/// What looking at an object has come to.
enum Step {
    /// This is to be committed; and whether the object has changed.
    Commit(Commit, bool),
    /// These intents are to be committed first, then it begins again with what was made.
    Intents(Vec<[u8; 16]>, Kept),
}

/// What time does to an object, and whether it changes it. A rotation makes keys: that is slow work.
async fn bring_up(shared: &Arc<Shared>, time: u64, sequence: u64) -> Outcome<(Commit, bool)> {
    let mut kept = Kept::default();
    loop {
        let worker = Arc::clone(shared);
        let step = tokio::task::spawn_blocking(move || advance(&worker, time, sequence, kept)).await;
        match step.map_err(|error| Failure::internal(error.to_string()))?? {
            Step::Commit(commit, has_changed) => return Ok((commit, has_changed)),
            Step::Intents(identities, made) => {
                let mut batch = shared.vault.batch();
                for identity in &identities {
                    batch.put_intent(identity)?;
                }
                match shared.vault.commit(batch).await {
                    Ok(done) => done?,
                    Err(_) => return Err(Failure::internal("the store's writer has ended")),
                }
                kept = made;
            }
        }
    }
}

fn advance(shared: &Arc<Shared>, time: u64, sequence: u64, kept: Kept) -> Outcome<Step> {
    let Some(opened) = shared.vault.record(sequence)? else {
        let mut batch = shared.vault.batch();
        batch.expect_record(sequence, 0);
        batch.delete_due(time, sequence);
        return Ok(Step::Commit(Commit::of(batch), false));
    };
    let object = record::read(sequence, &opened.plaintext).map_err(|error| Failure::internal(error.to_string()))?;
    let identifier = UniqueIdentifier::Text(object.identifier());
    let mut view = View::new(Arc::clone(shared), Arc::clone(&object.owner), Version::V2_1, kept);
    let permitted = view.open(Some(&identifier), Use::ChangeAttributes)?;
    let mut has_changed = permitted.state() != object.state();
    // Brings time to bear, and writes what it did.
    view.edit(&permitted, |_| Ok(()))?;
    if permitted.rotation().is_some_and(|date| date <= view.now()) {
        has_changed = true;
        if let Err(failure) = rotate(&mut view, &permitted) {
            let wanted = view.wanted_intents(1)?;
            return if wanted.is_empty() { Err(failure) } else { Ok(Step::Intents(wanted, view.into_kept())) };
        }
    }
    let mut commit = view.commit()?;
    let due = permitted.due().map(|date| u64::try_from(date).unwrap_or(0));
    // A row that no date accounts for. One that does may be here too: the clock was set back since it was found.
    if due != Some(time) {
        commit.batch.delete_due(time, sequence);
    }
    Ok(Step::Commit(commit, has_changed))
}

/// Destroys token keys whose making or destruction a crash has cut off. Objects that exist have no intent any more.
async fn finish_intents(shared: &Arc<Shared>, left: Outcome<Vec<[u8; 16]>>) -> Outcome<()> {
    let identities = left?;
    if identities.is_empty() || shared.providers.module().is_none() {
        return Ok(());
    }
    let worker = Arc::clone(shared);
    let gone = tokio::task::spawn_blocking(move || {
        let (gone, left): (Vec<_>, Vec<_>) =
            identities.into_iter().partition(|&id| forget(&worker, &Guarded::unknown_on_token(id)));
        left.into_iter().for_each(|id| worker.providers.note_remaining(id));
        gone
    });
    let gone = gone.await.map_err(|error| Failure::internal(error.to_string()))?;
    let mut batch = shared.vault.batch();
    gone.iter().for_each(|identity| batch.delete_intent(identity));
    match shared.vault.commit(batch).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Failure::internal("the store's writer has ended")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use kmip_codec::Value;
    use kmip_codec::spec::{
        CertificateRequestType, CryptographicAlgorithm, CryptographicUsageMask, LinkType, NameType, State, Tag,
    };
    use kmip_codec::ttlv::Blob;
    use kmip_codec::types::{Attribute, Attributes, Link, Name};

    use super::*;
    use crate::crypto::algorithm::*;
    use crate::crypto::testing::{Entity, terms};
    use crate::crypto::*;
    use crate::ops::{certify, create_key_pair};
    use crate::secret::Secret;
    use crate::store::{Batch, Change, Row};
    use crate::view::Settings;
    use crate::view::testing::{Bench, NOW, secret, structured};

    /// A module that is away, or that can do nothing but forget.
    struct Token(AtomicBool);

    impl Provider for Token {
        fn name(&self) -> &str {
            "token"
        }

        fn offers(&self, _: KeyKind, _: Residency) -> bool {
            false
        }

        fn generate(&self, _: KeyKind, _: Residency) -> Result<Made, CryptoError> {
            Err(away())
        }

        fn generate_pair(&self, _: KeyKind, _: Residency) -> Result<MadePair, CryptoError> {
            Err(away())
        }

        fn adopt(&self, _: KeyKind, _: &Secret, _: Residency) -> Result<Made, CryptoError> {
            Err(away())
        }

        fn destroy(&self, _: &Guarded) -> Result<(), CryptoError> {
            if self.0.load(Ordering::Relaxed) { Ok(()) } else { Err(away()) }
        }

        fn encrypt(&self, _: Key<'_>, _: &Cipher<'_>, _: &[u8]) -> Result<Encrypted, CryptoError> {
            Err(away())
        }

        fn decrypt(&self, _: Key<'_>, _: &Cipher<'_>, _: &[u8]) -> Result<Secret, CryptoError> {
            Err(away())
        }

        fn decrypt_rsa(&self, _: Key<'_>, _: &RsaCipher<'_>, _: &[u8]) -> Result<Secret, CryptoError> {
            Err(away())
        }

        fn sign(&self, _: Key<'_>, _: Signature, _: Message<'_>) -> Result<Vec<u8>, CryptoError> {
            Err(away())
        }

        fn mac(&self, _: Key<'_>, _: Mac, _: &[u8]) -> Result<Vec<u8>, CryptoError> {
            Err(away())
        }

        fn wrap(&self, _: Key<'_>, _: Wrap, _: &Secret) -> Result<Vec<u8>, CryptoError> {
            Err(away())
        }

        fn unwrap(&self, _: Key<'_>, _: Wrap, _: &[u8]) -> Result<Secret, CryptoError> {
            Err(away())
        }

        fn random(&self, out: &mut [u8]) -> Result<(), CryptoError> {
            out.fill(7);
            Ok(())
        }

        fn seed(&self, _: &[u8]) -> Result<usize, CryptoError> {
            Ok(0)
        }
    }

    fn away() -> CryptoError {
        CryptoError::Unavailable("the token is away".into())
    }

    #[tokio::test]
    async fn a_key_whose_token_is_away_is_destroyed_when_it_is_back() {
        let token = Arc::new(Token(AtomicBool::new(false)));
        let bench = Bench::with(Settings::default(), Some(Arc::clone(&token) as Arc<dyn Provider>));
        let shared = Arc::clone(bench.view(Version::V2_1).shared());
        let mut batch = shared.vault.batch();
        batch.put_intent(&[1; 16]).unwrap();
        shared.vault.commit(batch).await.unwrap().unwrap();
        for (is_back, left) in [(false, 1), (false, 1), (true, 0)] {
            token.0.store(is_back, Ordering::Relaxed);
            let identities = shared.providers.take_remaining();
            let identities = if identities.is_empty() { vec![[1; 16]] } else { identities };
            finish_intents(&shared, Ok(identities)).await.unwrap();
            assert_eq!(shared.vault.intents().unwrap().len(), left);
        }
        assert!(shared.providers.take_remaining().is_empty());
    }

    #[tokio::test]
    async fn an_object_that_cannot_be_read_does_not_stop_the_others() {
        let bench = Bench::new();
        let at = |date| vec![(Tag::ActivationDate, Value::DateTime(date))];
        bench.object(secret(b"broken"), at(NOW + 1));
        let whole = bench.object(secret(b"whole"), at(NOW + 2));
        bench.pass(10);
        let shared = Arc::clone(bench.view(Version::V2_1).shared());
        let mut broken = Batch::default();
        let key = [&b"O"[..], &1_u64.to_be_bytes(), &0_u16.to_be_bytes()].concat();
        broken.changes.push(Change::Put { key: key.into(), row: Row { revision: 9, value: vec![0; 80] } });
        // And a row that leads nowhere.
        let mut batch = shared.vault.batch();
        batch.put_due(0, 77);
        shared.vault.commit(batch).await.unwrap().unwrap();
        shared.vault.store().commit(broken).await.unwrap().unwrap();

        let mut stuck = HashSet::new();
        assert_eq!(sweep(&shared, &mut stuck).await, Ok(1));
        assert_eq!(stuck.len(), 1);
        let mut left = Vec::new();
        let mut note = |_, sequence| {
            left.push(sequence);
            ControlFlow::Continue(())
        };
        shared.vault.due(u64::MAX, &mut note).unwrap();
        assert_eq!(left, [1]);
        // And nobody else's Locate meets it.
        let object = bench.view(Version::V2_1).open(Some(&whole), Use::Locate).unwrap();
        assert_eq!(object.state(), State::Active);
        let filter = crate::view::Filter::new(Vec::new()).unwrap();
        let found = bench.view_of("bob", Version::V2_1).locate(&filter, 0, 9, false);
        assert!(found.unwrap().identifiers.is_empty());
    }

    fn attribute(tag: Tag, value: Value) -> Attribute {
        Attribute::new(tag, value)
    }

    /// Who has which generation, the newest first.
    fn generations(bench: &Bench) -> Vec<(Option<i32>, Option<bool>)> {
        let mut view = bench.view(Version::V2_1);
        let filter = crate::view::Filter::new(Vec::new()).unwrap();
        let found = view.locate(&filter, 0, 99, false).unwrap().identifiers;
        let all = found.into_iter().map(|identifier| {
            let object = view.open(Some(&UniqueIdentifier::Text(identifier)), Use::ReadAttributes).unwrap();
            (object.attributes.integer(Tag::RotateGeneration), object.attributes.boolean(Tag::RotateLatest))
        });
        all.collect()
    }

    #[tokio::test]
    async fn keys_are_rotated_when_their_interval_is_over() {
        let bench = Bench::new();
        let name = Name { value: "disk".into(), kind: NameType::UninterpretedTextString };
        let rotated = vec![
            structured(Tag::Name, &name),
            (Tag::RotateAutomatic, Value::Boolean(true)),
            (Tag::RotateInterval, Value::Interval(100)),
            (Tag::RotateOffset, Value::Interval(30)),
            (Tag::CryptographicLength, Value::Integer(128)),
        ];
        let first = bench.key(CryptographicAlgorithm::AES, &[1; 16], CryptographicUsageMask::ENCRYPT, rotated);
        let shared = Arc::clone(bench.view(Version::V2_1).shared());
        bench.pass(99);
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(0));
        bench.pass(1);
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(1));
        assert_eq!(generations(&bench), [(Some(1), Some(true)), (Some(0), Some(false))]);
        // Once: the next time when the replacement is as old. Its Activation Date is the Rotate Offset away.
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(0));
        let mut view = bench.view(Version::V2_1);
        let latest = view.open_named(&name, Use::ReadAttributes).unwrap();
        assert_eq!(latest.state(), State::PreActive);
        assert_eq!(latest.attributes.date(Tag::ActivationDate), Some(NOW + 130));
        let former = view.open(Some(&first), Use::ReadAttributes).unwrap();
        assert_eq!(former.state(), State::Active);
        assert_eq!(former.attributes.date(Tag::RotateDate), Some(NOW + 100));
        bench.pass(100);
        while sweep(&shared, &mut HashSet::new()).await.unwrap() > 0 {}
        let generations = generations(&bench);
        assert_eq!(generations, [(Some(2), Some(true)), (Some(1), Some(false)), (Some(0), Some(false))]);
    }

    #[tokio::test]
    async fn a_private_key_is_rotated_with_its_public_key() {
        let bench = Bench::new();
        let list = |list| Attributes { templates: Vec::new(), list };
        let code = |tag, code: u32| attribute(tag, Value::Enumeration(code));
        let both = vec![
            code(Tag::CryptographicAlgorithm, CryptographicAlgorithm::ECDSA.into()),
            attribute(Tag::CryptographicLength, Value::Integer(256)),
            attribute(Tag::RotateAutomatic, Value::Boolean(true)),
            attribute(Tag::RotateInterval, Value::Interval(5)),
        ];
        let request = create_key_pair::Request {
            common: list(both),
            private: list(Vec::new()),
            public: list(Vec::new()),
            common_protection: None,
            private_protection: None,
            public_protection: None,
        };
        bench.run::<create_key_pair::CreateKeyPair>(Version::V2_1, request).unwrap();
        let shared = Arc::clone(bench.view(Version::V2_1).shared());
        bench.pass(5);
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(1));
        let generations = generations(&bench);
        assert_eq!(
            generations,
            [(Some(1), Some(true)), (Some(1), Some(true)), (Some(0), Some(false)), (Some(0), Some(false))]
        );
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(0));
    }

    #[tokio::test]
    async fn certificates_are_renewed_when_their_interval_is_over() {
        let authority = Arc::new(Entity::new("CN=Authority").certifying(terms()));
        let bench = Bench::with(Settings { authority: Some(authority), ..Settings::default() }, None);
        let entity = Entity::new("CN=entity");
        let key = bench.object(entity.public_key(), Vec::new());
        let attributes = vec![
            attribute(Tag::RotateAutomatic, Value::Boolean(true)),
            attribute(Tag::RotateInterval, Value::Interval(100)),
            attribute(Tag::RotateOffset, Value::Interval(30)),
        ];
        let request = certify::Request {
            unique_identifier: Some(key.clone()),
            certificate_request_type: Some(CertificateRequestType::Pkcs10),
            certificate_request: Some(Blob::new(entity.request(Vec::new()))),
            certificate_request_value: None,
            attributes: Attributes { templates: Vec::new(), list: attributes },
            protection_storage_masks: None,
        };
        let first = bench.run::<certify::Certify>(Version::V2_1, request).unwrap().unique_identifier;
        let shared = Arc::clone(bench.view(Version::V2_1).shared());
        bench.pass(99);
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(0));
        bench.pass(1);
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(1));
        assert_eq!(sweep(&shared, &mut HashSet::new()).await, Ok(0));
        assert_eq!(generations(&bench), [(Some(1), Some(true)), (Some(0), Some(false)), (None, None)]);
        let mut view = bench.view(Version::V2_1);
        let mut link = |object: &UniqueIdentifier, kind| {
            let object = view.open(Some(object), Use::ReadAttributes).unwrap();
            let links: Vec<Link> =
                object.attributes.structures(Tag::Link).filter(|link: &Link| link.kind == kind).collect();
            assert_eq!(links.len(), 1);
            (links[0].linked.clone(), object.attributes.date(Tag::ActivationDate))
        };
        // The key leads to the new certificate, which begins with the Rotate Offset.
        let (latest, _) = link(&key, LinkType::CertificateLink);
        let (former, activation) = link(&latest, LinkType::ReplacedObjectLink);
        assert_eq!((former, activation), (UniqueIdentifier::Text(first), Some(NOW + 130)));
    }
}
