//! The dispatcher as the service behind the connections, and what time does beside it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use kmip_codec::message::Unreadable as UnreadableMessage;
use kmip_codec::spec::ResultReason;
use kmip_codec::types::ProtocolVersion;
use kmip_codec::{Error, ErrorKind};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::crypto::HandleCount;
use crate::dispatch::{self, Asker, Dispatcher, Place, asynchronous};
use crate::failure::Failure;
use crate::net::service::{Answer, Interview, Peer, Service, Unreadable};
use crate::sweeper;
use crate::trust::requester::Shown;

impl Interview for dispatch::Interview {
    fn next(&mut self, heard: Option<&Bytes>) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        Self::next(self, heard).map_err(|failure| failure.message)
    }
}

/// Answers KMIP.
pub struct KmipService {
    dispatcher: Arc<Dispatcher>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl KmipService {
    /// Starts what time does, and is ready to answer. Needs a runtime.
    pub fn start(dispatcher: Dispatcher) -> Self {
        let shared = Arc::clone(dispatcher.shared());
        let left = shared.vault.intents().map_err(Failure::from);
        let dispatcher = Arc::new(dispatcher);
        let tasks = vec![
            tokio::spawn(sweeper::run(shared, left)),
            tokio::spawn(asynchronous::run_due(Arc::clone(&dispatcher))),
        ];
        Self { dispatcher, tasks: Mutex::new(tasks) }
    }

    /// Who answers.
    pub fn dispatcher(&self) -> Arc<Dispatcher> {
        Arc::clone(&self.dispatcher)
    }

    /// Starts further work beside the answering. It ends with the service.
    pub fn start_task(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(tokio::spawn(work));
    }
}

impl Service for KmipService {
    async fn answer(&self, peer: Arc<Peer>, frame: Bytes) -> Answer {
        let Peer { admitted, address, .. } = &*peer;
        let asker = Asker {
            identity: admitted.identity.shared(),
            place: Place::Address(*address),
            shown: Shown::Now(Arc::clone(admitted)),
            is_askable: peer.is_askable,
            requester: None,
        };
        let answer = self.dispatcher.answer(&asker, &frame).await;
        let interview = answer.interview.map(|interview| Box::new(interview) as Box<dyn Interview>);
        Answer { bytes: answer.bytes, close: answer.close, interview }
    }

    fn unreadable(&self, reason: Unreadable, head: Bytes) -> Answer {
        // The listener has logged from whom and why.
        let asker = Asker::nobody();
        let kind = match reason {
            Unreadable::Text(error) => {
                let failure = Failure::new(ResultReason::CodecError, error.to_string());
                return Answer {
                    bytes: self.dispatcher.refuse(&asker, error.version, failure),
                    close: false,
                    interview: None,
                };
            }
            Unreadable::NotAMessage(_) => ErrorKind::InvalidValue("these bytes do not begin a KMIP message"),
            Unreadable::TooLong { length, limit } => ErrorKind::TooLong { length, limit },
        };
        let unreadable =
            UnreadableMessage { error: Error::of(kind), version: kmip_codec::message::early_version(&head) };
        Answer { bytes: self.dispatcher.unreadable(&asker, &unreadable).bytes, close: true, interview: None }
    }

    fn undeliverable(&self, version: Option<ProtocolVersion>, why: &str) -> Answer {
        let asker = Asker::nobody();
        let failure = Failure::new(ResultReason::GeneralFailure, why);
        Answer { bytes: self.dispatcher.refuse(&asker, version, failure), close: false, interview: None }
    }

    async fn close(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(JoinHandle::abort);
        let shared = self.dispatcher.shared();
        if let Some(HandleCount { held, hits, misses }) = shared.providers.module().and_then(|module| module.handles())
        {
            tracing::info!(held, hits, misses, "handles of keys in the module");
        }
        if let Err(error) = shared.vault.store().close() {
            tracing::error!(%error, "the store did not close well");
        }
    }
}
