//! Connections of the server to clients that listen: Put and Notify leave here (KMIP 2.1 §6.2.2, §6.2.3).
//!
//! Each listener has its own queue in the store and its own task here: messages leave in their order, one after the other,
//! each until it is answered. A listener that cannot be reached is tried again, less and less often; requests of clients
//! wait for none of this.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kmip_codec::spec::Version;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::frame::{self, Incoming};
use super::tls::{PROTOCOLS, Tls, TlsError, certificates};
use crate::config;
use crate::dispatch::Dispatcher;
use crate::failure::Failure;

/// How often the queue is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The wait after a first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Time for a connection, and for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why nothing could be delivered.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("{}", .0.message)]
    Failed(Failure),
    #[error("no answer in time")]
    Late,
    #[error("the answer is no message")]
    Unreadable,
}

impl From<Failure> for Undelivered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Delivers to one listener for ever.
pub async fn deliver(dispatcher: Arc<Dispatcher>, tls: Arc<Tls>, listener: config::Listener) {
    let mut wait = FIRST_WAIT;
    loop {
        match empty(&dispatcher, &tls, &listener).await {
            Ok(()) => {
                wait = FIRST_WAIT;
                sleep(LOOK).await;
            }
            Err(error) => {
                tracing::warn!(listener = listener.name, address = listener.address, wait = ?wait, "not delivered: {error}");
                sleep(wait).await;
                wait = wait.saturating_mul(2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Sends what waits, on one connection.
async fn empty(dispatcher: &Dispatcher, tls: &Tls, listener: &config::Listener) -> Result<(), Undelivered> {
    if !dispatcher.has_outgoing(&listener.name)? {
        return Ok(());
    }
    let mut stream = timeout(PATIENCE, connect(tls, listener)).await.map_err(|_| Undelivered::Late)??;
    let version = listener.version().unwrap_or(Version::V2_1);
    loop {
        let oldest = dispatcher.shared().clock.now().saturating_sub(listener.keep_seconds.into());
        let Some(ready) = dispatcher.next_outgoing(&listener.name, version, oldest).await? else { break };
        let exchange = async {
            stream.write_all(&ready.bytes).await?;
            stream.flush().await?;
            match frame::read(&mut stream, LONGEST_ANSWER).await? {
                Incoming::Message(bytes) => Ok::<Bytes, Undelivered>(bytes),
                Incoming::Unreadable(..) => Err(Undelivered::Unreadable),
                Incoming::End => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            }
        };
        let answer = timeout(PATIENCE, exchange).await.map_err(|_| Undelivered::Late)??;
        dispatcher.delivered(&ready, &answer).await?;
    }
    // It has answered everything; whether it hears the end does not matter.
    let _ = timeout(PATIENCE, stream.shutdown()).await;
    Ok(())
}

/// Connects as the server that we are, to a listener whose certificate is trusted and has the right name.
async fn connect(tls: &Tls, listener: &config::Listener) -> Result<TlsStream<TcpStream>, Undelivered> {
    let path = listener.ca.as_ref().unwrap_or(tls.client_ca());
    let wrong = |reason: String| TlsError { key: "ca", path: path.clone(), reason };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for der in certificates("ca", path, &pem)? {
        roots.add(der).map_err(|error| wrong(format!("a certificate cannot be trusted: {error}")))?;
    }
    let host = listener.address.rsplit_once(':').map_or(&*listener.address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = listener.certificate_name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(|error| wrong(format!("certificate_name: {error}")))?;
    let (provider, own) = tls.own();
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(PROTOCOLS)
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    let tcp = TcpStream::connect(&listener.address).await?;
    tcp.set_nodelay(true)?;
    Ok(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
}
