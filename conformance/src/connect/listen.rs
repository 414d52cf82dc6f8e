//! The address to which a server sends Put and Notify (KMIP 2.1 §6.2.2, §6.2.3).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::ConnectError;
use super::tls::{receive, send};

/// A request that came, and where its answer goes.
struct Heard {
    request: Vec<u8>,
    answer: Sender<Vec<u8>>,
}

/// An address at which servers may connect and ask. Whoever connects has a certificate of the server's authority.
pub(super) struct Listener {
    heard: Receiver<Heard>,
    /// Where the answer to the last request goes.
    answer: Option<Sender<Vec<u8>>>,
    address: SocketAddr,
    patience: Duration,
}

impl Listener {
    /// Listens at `HOST:PORT` with a client's certificate.
    pub(super) fn open(
        address: &str,
        roots: &RootCertStore,
        identity: super::Identity,
        patience: Duration,
    ) -> Result<Self, ConnectError> {
        let taken = |error| ConnectError::Listen(address.to_owned(), error);
        let socket = TcpListener::bind(address).map_err(taken)?;
        let address = socket.local_addr().map_err(taken)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(&provider));
        let verifier =
            verifier.build().map_err(|error| ConnectError::Tls(rustls::Error::General(error.to_string())))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(identity.0, identity.1)?;
        let config = Arc::new(config);
        let (sender, heard) = channel();
        // It ends with the process; nothing of a case outlives the answer to its last request.
        thread::spawn(move || {
            for socket in socket.incoming().map_while(Result::ok) {
                let (config, sender) = (Arc::clone(&config), sender.clone());
                thread::spawn(move || serve(socket, config, &sender));
            }
        });
        Ok(Self { heard, answer: None, address, patience })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a request.
    pub(super) fn hear(&mut self) -> io::Result<Vec<u8>> {
        let heard = self.heard.recv_timeout(self.patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => io::Error::from(io::ErrorKind::TimedOut),
            RecvTimeoutError::Disconnected => io::Error::from(io::ErrorKind::BrokenPipe),
        })?;
        self.answer = Some(heard.answer);
        Ok(heard.request)
    }

    /// Answers the last request.
    pub(super) fn reply(&mut self, answer: Vec<u8>) -> io::Result<()> {
        let to = self.answer.take().ok_or_else(|| io::Error::other("nothing was asked"))?;
        to.send(answer).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    /// Forgets what nobody has heard: it belongs to an earlier case.
    pub(super) fn forget(&mut self) {
        self.answer = None;
        while self.heard.try_recv().is_ok() {}
    }
}

/// One connection. An error ends it: the player says that nothing came.
fn serve(socket: TcpStream, config: Arc<ServerConfig>, heard: &Sender<Heard>) {
    let Ok(connection) = ServerConnection::new(config) else { return };
    let mut stream = StreamOwned::new(connection, socket);
    while let Ok(request) = receive(&mut stream) {
        let (sender, answer) = channel();
        if heard.send(Heard { request, answer: sender }).is_err() {
            return;
        }
        // A request that no case expects is not answered.
        let Ok(answer) = answer.recv() else { return };
        if send(&mut stream, &answer).is_err() {
            return;
        }
    }
}
