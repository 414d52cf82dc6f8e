//! A client that was let in, on one connection: who it is, and whether it still may stay.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::refusal::Refusal;
use super::service::Peer;
use super::tls::Tls;

/// A client on one connection.
pub(super) struct Guest {
    chain: Vec<CertificateDer<'static>>,
    peer: Arc<Peer>,
    tls: Arc<Tls>,
}

impl Guest {
    /// A client with its certificates, its own first, as it was admitted.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, peer: Peer, tls: Arc<Tls>) -> Self {
        Self { chain, peer: Arc::new(peer), tls }
    }

    /// Who it is.
    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Judges the client anew if trust has changed, or its certificates have ended, since it was let in.
    pub(super) fn admit(&mut self) -> Result<Arc<Peer>, Box<Refusal>> {
        if self.tls.is_outdated(&self.peer) {
            let admitted = self.tls.judge(&self.chain)?;
            let Peer { address, ref certificates, is_askable, .. } = *self.peer;
            self.peer = Arc::new(Peer { is_askable, ..admitted.at(address, Arc::clone(certificates)) });
        }
        Ok(Arc::clone(&self.peer))
    }
}
