//! The dispatcher as the service behind the connections, and what time does beside it.

use std::sync::Arc;

use bytes::Bytes;
use kmip_codec::message::Unreadable as UnreadableMessage;
use kmip_codec::{Error, ErrorKind};
use tokio::task::JoinHandle;

use crate::dispatch::{Asker, Dispatcher, asynchronous};
use crate::failure::Failure;
use crate::net::service::{Answer, Peer, Service, Unreadable};
use crate::sweeper;

/// Answers KMIP.
pub struct KmipService {
    dispatcher: Arc<Dispatcher>,
    tasks: Vec<JoinHandle<()>>,
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
        Self { dispatcher, tasks }
    }
}

impl Service for KmipService {
    async fn answer(&self, peer: Arc<Peer>, frame: Bytes) -> Answer {
        let asker = Asker { identity: peer.identity.as_str().into(), address: peer.address.to_string() };
        let answer = self.dispatcher.answer(&asker, &frame).await;
        Answer { bytes: answer.bytes, close: answer.close }
    }

    fn unreadable(&self, reason: Unreadable, head: Bytes) -> Answer {
        let kind = match reason {
            Unreadable::NotAMessage(_) => ErrorKind::InvalidValue("these bytes do not begin a KMIP message"),
            Unreadable::TooLong { length, limit } => ErrorKind::TooLong { length, limit },
        };
        let unreadable =
            UnreadableMessage { error: Error::from(kind), version: kmip_codec::message::early_version(&head) };
        // The listener has logged from whom and why.
        let asker = Asker { identity: "".into(), address: String::new() };
        Answer { bytes: self.dispatcher.unreadable(&asker, &unreadable).bytes, close: true }
    }

    async fn close(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Err(error) = self.dispatcher.shared().vault.store().close() {
            tracing::error!(%error, "the store did not close well");
        }
    }
}
