//! Accepts connections, within limits, until the server stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

use super::connection::Connection;
use super::door::Door;
use super::flood::Flood;
use super::hello::asks_for_session;
use super::http;
use super::refusal::Refusal;
use super::service::Service;
use super::tls::{Accepted, Tls};
use crate::config::Limits;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else does.
    #[error("{0} is already in use: another kmipd or another program listens there; stop it or choose another address")]
    InUse(SocketAddr),
    /// Something else.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
    /// The system gives no threads for handshakes.
    #[error("cannot start the threads of handshakes: {0}")]
    Threads(io::Error),
}

/// How messages travel in TLS.
#[derive(Debug, Clone, Copy)]
enum Transport {
    /// One behind the other.
    Raw,
    /// In the bodies of HTTP.
    Https,
}

/// A server that is bound to its addresses.
pub struct Server<S> {
    listeners: Vec<(TcpListener, Transport)>,
    addresses: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    tls: Arc<Tls>,
    service: Arc<S>,
    limits: Limits,
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    door: Door,
    refusals: Flood,
    crowds: Flood,
}

impl<S: Service> Server<S> {
    /// Binds the addresses. Connections wait until [`Server::serve`].
    ///
    /// # Errors
    /// An address is in use or cannot be had.
    pub async fn bind(
        addresses: &[SocketAddr],
        tls: Arc<Tls>,
        service: Arc<S>,
        limits: Limits,
    ) -> Result<Self, BindError> {
        let mut listeners = Vec::new();
        let addresses = bind(addresses, Transport::Raw, &limits, &mut listeners).await?;
        let inner = Inner {
            tls,
            service,
            limits,
            connections: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
            handshakes: Arc::new(Semaphore::new(limits.handshakes.min(Semaphore::MAX_PERMITS))),
            door: Door::open().map_err(BindError::Threads)?,
            refusals: Flood::new(),
            crowds: Flood::new(),
        };
        Ok(Self { listeners, addresses, https: Vec::new(), inner: Arc::new(inner) })
    }

    /// Binds addresses for HTTPS too (KMIP Additional Message Encodings 1.0 section 2).
    ///
    /// # Errors
    /// An address is in use or cannot be had.
    pub async fn with_https(mut self, addresses: &[SocketAddr]) -> Result<Self, BindError> {
        self.https = bind(addresses, Transport::Https, &self.inner.limits, &mut self.listeners).await?;
        Ok(self)
    }

    /// The addresses for HTTPS, with the ports that the system chose.
    pub fn https_addresses(&self) -> &[SocketAddr] {
        &self.https
    }

    /// The addresses, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// TLS, for reloading it.
    pub fn tls(&self) -> &Arc<Tls> {
        &self.inner.tls
    }

    /// Serves until `stop` holds `true` (or its sender is gone), then lets requests in flight finish, within the
    /// configured time, and closes the service.
    pub async fn serve(self, stop: watch::Receiver<bool>) {
        let mut accepting = JoinSet::new();
        for (listener, transport) in self.listeners {
            accepting.spawn(accept(listener, transport, Arc::clone(&self.inner), stop.clone()));
        }
        while let Some(ended) = accepting.join_next().await {
            report(ended);
        }
        self.inner.service.close().await;
    }
}

/// Binds addresses, and answers them as they are bound.
async fn bind(
    addresses: &[SocketAddr],
    transport: Transport,
    limits: &Limits,
    listeners: &mut Vec<(TcpListener, Transport)>,
) -> Result<Vec<SocketAddr>, BindError> {
    let mut bound = Vec::new();
    for address in addresses {
        let fail = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(*address),
            _ => BindError::Other(*address, error),
        };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        prepare(&listener, limits).map_err(fail)?;
        bound.push(listener.local_addr().map_err(fail)?);
        listeners.push((listener, transport));
    }
    Ok(bound)
}

/// One listener's loop: its connections are its own, and end before it does.
async fn accept<S: Service>(
    listener: TcpListener,
    transport: Transport,
    inner: Arc<Inner<S>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = connections.join_next() => { report(ended); continue }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, address)) => {
                if let Ok(permit) = Arc::clone(&inner.connections).try_acquire_owned() {
                    let (inner, stop) = (Arc::clone(&inner), stop.clone());
                    connections.spawn(Box::pin(async move {
                        inner.connection(tcp, address, transport, stop).await;
                        drop(permit);
                    }));
                } else if let Some(left_out) = inner.crowds.allow(Instant::now()) {
                    warn!(%address, left_out, "connection refused: too many ([limits] connections)");
                }
            }
            Err(error) => {
                // Most often no descriptor is free. Trying at once again would only burn the processor.
                error!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let drained = timeout(inner.limits.drain_time(), async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    });
    if drained.await.is_err() {
        warn!(connections = connections.len(), "closing connections whose requests did not finish in time");
        connections.shutdown().await;
    }
}

impl<S: Service> Inner<S> {
    async fn connection(
        &self,
        tcp: TcpStream,
        address: SocketAddr,
        transport: Transport,
        mut stop: watch::Receiver<bool>,
    ) {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = timeout(self.limits.handshake_time(), self.handshake(tcp, address)) => accepted,
        };
        match accepted.unwrap_or_else(|_| Err(Box::new(Refusal::timeout(self.limits.handshake_seconds)))) {
            Ok(accepted) => {
                let (tls, service) = (Arc::clone(&self.tls), Arc::clone(&self.service));
                match transport {
                    Transport::Raw => Connection::new(accepted, tls, service, self.limits, stop).serve().await,
                    Transport::Https => Box::pin(http::serve(accepted, tls, service, self.limits, stop)).await,
                }
            }
            Err(refusal) => self.refused(address, &refusal),
        }
    }

    async fn handshake(&self, tcp: TcpStream, address: SocketAddr) -> Result<Accepted, Box<Refusal>> {
        // The semaphore is never closed; without a permit the handshake would only not be counted.
        let _permit = self.handshakes.acquire().await.ok();
        // Until the client has said something there is nothing to compute. What is wrong with it says the handshake.
        let resumes = asks_for_session(&tcp).await;
        let tls = Arc::clone(&self.tls);
        // It is passed on some times, and has some KiB.
        let handshake = Box::pin(async move { tls.accept(tcp, address).await });
        let was_resumed = |accepted: &Result<Accepted, _>| accepted.as_ref().is_ok_and(|accepted| accepted.resumed);
        self.door
            .pass(handshake, resumes, &self.tls.others, was_resumed)
            .await
            .unwrap_or_else(|panic| Err(Box::new(Refusal::handshake(&panic.into()))))
    }

    fn refused(&self, address: SocketAddr, refusal: &Refusal) {
        if refusal.quiet {
            debug!(%address, "{refusal}");
            return;
        }
        let Some(left_out) = self.refusals.allow(Instant::now()) else { return };
        match &refusal.certificate {
            Some(certificate) => info!(
                %address, subject = certificate.subject, issuer = certificate.issuer, serial = certificate.serial,
                fingerprint = %certificate.fingerprint, left_out, "client refused: its certificate: {refusal}"
            ),
            None => info!(%address, left_out, "client refused: {refusal}"),
        }
    }
}

/// No waiting for a fuller packet, and a client that has gone without a word is noticed. On Linux what is accepted has this
/// from what listens.
fn prepare(listener: &TcpListener, limits: &Limits) -> io::Result<()> {
    sockopt::set_tcp_nodelay(listener, true)?;
    sockopt::set_socket_keepalive(listener, true)?;
    sockopt::set_tcp_keepidle(listener, limits.keepalive_time())?;
    sockopt::set_tcp_keepintvl(listener, Duration::from_secs(15))?;
    sockopt::set_tcp_keepcnt(listener, 4)?;
    Ok(())
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && !error.is_cancelled()
    {
        // A bug: the panic's own message went to standard error.
        error!("a connection ended by a panic");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_accepted_has_what_was_asked_of_the_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let limits = Limits { keepalive_seconds: 77, ..Limits::default() };
        prepare(&listener, &limits).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        assert!(tcp.nodelay().unwrap());
        assert!(sockopt::socket_keepalive(&tcp).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&tcp).unwrap(), Duration::from_secs(77));
        assert_eq!(sockopt::tcp_keepintvl(&tcp).unwrap(), Duration::from_secs(15));
        assert_eq!(sockopt::tcp_keepcnt(&tcp).unwrap(), 4);
    }
}
