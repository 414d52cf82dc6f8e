//! What a client's first words say before TLS reads them: whether it wants to go on with a session that it had (RFC 8446
//! sections 4.1.2 and 4.2.11, RFC 5246 section 7.4.1.2, RFC 5077 section 3.2).

use std::io;

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Bytes that are looked at. What tells stands in front of the ticket itself, behind the shares of keys.
const LOOK: usize = 4096;

/// The type of a record, and of the message in it.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// The types of extensions.
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;

/// TLS 1.3, as it stands in messages.
const TLS13: [u8; 2] = [3, 4];

/// Waits until the client has said enough, and says whether it asks for an earlier session. Nothing is taken off the
/// stream; what is wrong with it, says the handshake.
pub(super) async fn asks_for_session(tcp: &TcpStream) -> bool {
    loop {
        let Ok(ready) = tcp.ready(Interest::READABLE).await else { return false };
        let looked = tcp.try_io(Interest::READABLE, || {
            let mut space = [0; LOOK];
            let (length, _) = recv(tcp, &mut space, RecvFlags::PEEK)?;
            let hello = space.get(..length).unwrap_or_default();
            match names_session(hello) {
                Some(names) => Ok(names),
                // A hello with a share of a quantum-safe key comes in more than one packet.
                None if length < LOOK && !ready.is_read_closed() => Err(io::ErrorKind::WouldBlock.into()),
                None => Ok(false),
            }
        });
        match looked {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            looked => return looked.unwrap_or(false),
        }
    }
}

/// Whether what came asks for an earlier session. `None`: too little of it has come.
fn names_session(hello: &[u8]) -> Option<bool> {
    let mut record = Fields(hello);
    let [HANDSHAKE] = record.array()? else { return Some(false) };
    let _version = record.array::<2>()?;
    let length = u16::from_be_bytes(record.array()?);
    let is_whole = record.0.len() >= length.into();
    // What goes on in another record is rare, and what is not in order is found out elsewhere.
    client_hello_names_session(record).or(is_whole.then_some(false))
}

fn client_hello_names_session(mut hello: Fields<'_>) -> Option<bool> {
    let [CLIENT_HELLO] = hello.array()? else { return Some(false) };
    let _length_version_and_random = hello.array::<37>()?;
    let mut has_session = !hello.counted_by_one()?.is_empty();
    let _suites = hello.counted_by_two()?;
    let _compressions = hello.counted_by_one()?;
    let mut left = usize::from(u16::from_be_bytes(hello.array()?));
    let mut is_tls13 = false;
    while left > 0 {
        let kind = u16::from_be_bytes(hello.array()?);
        if kind == PRE_SHARED_KEY {
            // The last one, and most of it may still be on its way.
            return Some(true);
        }
        let content = hello.counted_by_two()?;
        left = left.saturating_sub(4 + content.len());
        match kind {
            SUPPORTED_VERSIONS => {
                is_tls13 = content.get(1..).unwrap_or_default().chunks(2).any(|version| version == TLS13)
            }
            SESSION_TICKET => has_session |= !content.is_empty(),
            _ => {}
        }
    }
    // In TLS 1.3 the fields of older versions say nothing: clients fill them so that the hello looks as it always did.
    Some(has_session && !is_tls13)
}

/// What is left of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn counted_by_one(&mut self) -> Option<&'a [u8]> {
        let [length] = self.array()?;
        self.bytes(length.into())
    }

    fn counted_by_two(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(length.into())
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::time::Duration;

    use kmipd_certs::Authority;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::version::{TLS12, TLS13};
    use rustls::{
        ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
        SupportedProtocolVersion,
    };
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::super::patience::at_once;
    use super::*;

    /// Both ends of TLS in memory.
    struct Ends {
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
    }

    impl Ends {
        /// A server with tickets, or one that keeps sessions itself (which only TLS 1.2 calls by their numbers).
        fn new(spoken: &[&'static SupportedProtocolVersion], has_tickets: bool) -> Self {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let authority = Authority::new().unwrap();
            let issued = authority.issue_server(&["localhost"]).unwrap();
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.cert_pem().as_bytes()).unwrap()).unwrap();
            let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(spoken)
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let chain = vec![CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
            let mut server = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&TLS12, &TLS13])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
            if has_tickets {
                server.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
            }
            Self { client: Arc::new(client), server: Arc::new(server) }
        }

        /// A whole handshake: the client's first words, and how it came out.
        fn handshake(&self) -> (Vec<u8>, HandshakeKind) {
            let name = ServerName::try_from("localhost").unwrap();
            let mut client = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
            let mut server = ServerConnection::new(Arc::clone(&self.server)).unwrap();
            let mut hello = Vec::new();
            while client.wants_write() || server.wants_write() {
                let mut said = Vec::new();
                while client.wants_write() {
                    client.write_tls(&mut said).unwrap();
                }
                if hello.is_empty() {
                    hello.clone_from(&said);
                }
                let mut rest = &*said;
                while !rest.is_empty() {
                    server.read_tls(&mut rest).unwrap();
                    server.process_new_packets().unwrap();
                }
                let mut said = Vec::new();
                while server.wants_write() {
                    server.write_tls(&mut said).unwrap();
                }
                let mut rest = &*said;
                while !rest.is_empty() {
                    client.read_tls(&mut rest).unwrap();
                    client.process_new_packets().unwrap();
                }
            }
            (hello, server.handshake_kind().unwrap())
        }
    }

    #[test]
    fn a_client_with_a_session_is_known_by_its_first_words() {
        let cases: [(&[&'static SupportedProtocolVersion], bool); 5] =
            [(&[&TLS12], true), (&[&TLS12], false), (&[&TLS13], true), (&[&TLS13], false), (&[&TLS12, &TLS13], true)];
        for (spoken, has_tickets) in cases {
            let ends = Ends::new(spoken, has_tickets);
            let (hello, kind) = ends.handshake();
            assert_ne!(kind, HandshakeKind::Resumed);
            assert_eq!(names_session(&hello), Some(false), "{spoken:?} {has_tickets}");
            let (hello, kind) = ends.handshake();
            assert_eq!(kind, HandshakeKind::Resumed);
            assert_eq!(names_session(&hello), Some(true), "{spoken:?} {has_tickets}");
        }
    }

    #[test]
    fn the_old_field_of_a_session_says_nothing_in_tls_1_3() {
        let (mut hello, _) = Ends::new(&[&TLS13], true).handshake();
        // As long as it is, as browsers and OpenSSL fill it.
        assert_eq!(hello[43], 32);
        hello[44..76].fill(7);
        assert_eq!(names_session(&hello), Some(false));
    }

    #[test]
    fn what_has_not_come_is_waited_for_and_what_is_no_hello_is_not() {
        let ends = Ends::new(&[&TLS12], true);
        let (fresh, _) = ends.handshake();
        let (again, _) = ends.handshake();
        for length in 0..fresh.len() {
            assert_eq!(names_session(&fresh[..length]), None);
        }
        for length in 0..=again.len() {
            assert_ne!(names_session(&again[..length]), Some(false));
        }
        for byte in [0, 5] {
            let mut other = again.clone();
            other[byte] = 23;
            assert_eq!(names_session(&other), Some(false));
        }
        assert_eq!(names_session(b"GET / HTTP/1.1"), Some(false));
        // The first of two records, and one whose fields go beyond its end.
        let mut short = fresh[..100].to_vec();
        short[3..5].copy_from_slice(&95_u16.to_be_bytes());
        assert_eq!(names_session(&short), Some(false));
    }

    #[tokio::test]
    async fn a_hello_in_pieces_is_waited_for_and_one_that_ends_is_not() {
        let ends = Ends::new(&[&TLS13], true);
        ends.handshake();
        let (hello, _) = ends.handshake();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        {
            let mut asks = pin!(asks_for_session(&tcp));
            let enough = (0..hello.len()).find(|&length| names_session(&hello[..length]).is_some()).unwrap();
            for piece in [&hello[..enough / 2], &hello[enough / 2..enough - 1]] {
                client.write_all(piece).await.unwrap();
                // Time for it to arrive.
                for _ in 0..100 {
                    assert!(at_once(asks.as_mut()).await.is_pending());
                    yield_now().await;
                }
            }
            client.write_all(&hello[enough - 1..]).await.unwrap();
            assert!(asks.await);
        }
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        client.write_all(&hello[..100]).await.unwrap();
        client.shutdown().await.unwrap();
        let asks = timeout(Duration::from_secs(10), asks_for_session(&tcp)).await;
        assert!(!asks.expect("nobody waits for what does not come"));
    }
}
