//! A client that was let in, on one connection: who it is, and whether it still may stay.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::refusal::Refusal;
use super::service::Peer;
use super::tls::Tls;

/// A client on one connection.
pub(super) struct Guest {
    peer: Arc<Peer>,
    tls: Arc<Tls>,
    has_asked: bool,
}

impl Guest {
    /// A client as it was admitted.
    pub(super) fn new(peer: Peer, tls: Arc<Tls>) -> Self {
        Self { peer: Arc::new(peer), tls, has_asked: false }
    }

    /// Who it is.
    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Judges the client anew if trust has changed, or its certificates have ended, since it was let in.
    pub(super) fn admit(&mut self) -> Result<Arc<Peer>, Box<Refusal>> {
        // A first request belongs to coming in.
        if std::mem::replace(&mut self.has_asked, true) {
            self.tls.others.note();
        }
        if self.tls.is_outdated(&self.peer.admitted) {
            let certificates = &self.peer.admitted.certificates;
            let chain: Vec<CertificateDer<'_>> = certificates.iter().map(|der| CertificateDer::from(&**der)).collect();
            let admitted = self.tls.judge(&chain)?;
            let Peer { address, is_askable, .. } = *self.peer;
            self.peer = Arc::new(Peer { admitted, address, is_askable });
        }
        Ok(Arc::clone(&self.peer))
    }
}
