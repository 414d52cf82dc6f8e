//! Many at the door: those who are in already do not wait for them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, ThreadId, available_parallelism};
use std::time::Instant;

use rustix::process::getpriority_process;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::super::turns::Turns;
use super::*;

/// A server's key that keeps whoever needs it, and the thread, until the test lets go; but for the test's own thread.
#[derive(Debug)]
struct Slow {
    own: Arc<CertifiedKey>,
    /// Told of each handshake, and of how far its thread steps back.
    came: mpsc::UnboundedSender<i32>,
    gate: Mutex<Receiver<()>>,
    /// Whether the test was kept too, and had no chance to let go.
    stuck: AtomicBool,
    test: ThreadId,
}

impl ResolvesServerCert for Slow {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let _ = self.came.send(getpriority_process(None).unwrap());
        if thread::current().id() == self.test {
            return Some(Arc::clone(&self.own));
        }
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if gate.recv_timeout(Duration::from_secs(10)) == Err(RecvTimeoutError::Timeout) {
            self.stuck.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&self.own))
    }
}

/// From here on, handshakes take until the sender goes.
fn slow_down(bench: &Bench) -> (Arc<Slow>, mpsc::UnboundedReceiver<i32>, Sender<()>) {
    let (came, coming) = mpsc::unbounded_channel();
    let (release, gate) = channel();
    let before = bench.tls.present();
    let stuck = AtomicBool::new(false);
    let slow = Arc::new(Slow {
        own: Arc::clone(&before.own),
        came,
        gate: Mutex::new(gate),
        stuck,
        test: thread::current().id(),
    });
    let mut server = ServerConfig::clone(&before.server);
    server.cert_resolver = Arc::clone(&slow) as _;
    let setup = Setup {
        server: Arc::new(server),
        own: Arc::clone(&before.own),
        provider: Arc::clone(&before.provider),
        admission: Arc::clone(&before.admission),
        certificate: before.certificate.clone(),
        trust: before.trust.clone(),
    };
    *bench.tls.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
    (slow, coming, release)
}

#[tokio::test]
async fn a_crowd_of_handshakes_keeps_nobody_from_being_answered() {
    let bench = Bench::new().await;
    let known = bench.client("in already");
    let mut open = known.connect().await.unwrap();
    open.ask(b"before").await.unwrap();
    let (slow, mut coming, release) = slow_down(&bench);
    let at_a_time = available_parallelism().unwrap().get();
    let crowd: Vec<_> = (0..2 * at_a_time + 1)
        .map(|_| bench.client("crowd"))
        .map(|client| tokio::spawn(async move { client.connect().await.unwrap().ask(b"I").await.unwrap() }))
        .collect();
    let before = getpriority_process(None).unwrap();
    for _ in 0..at_a_time {
        // The system runs it after this thread.
        assert!(coming.recv().await.unwrap() > before);
    }
    // All that is computed at a time is being computed.
    // Who was there before comes back past the crowd.
    let mut again = known.connect().await.unwrap();
    assert!(again.resumed());
    assert_eq!(again.ask(b"again").await.unwrap(), b"again");
    assert_eq!(coming.try_recv(), Ok(before));
    // Who is at work is answered, and has others step back.
    assert_eq!(open.ask(b"meanwhile").await.unwrap(), b"meanwhile");
    let later = tokio::spawn(async move { known.connect().await.unwrap().ask(b"I").await.unwrap() });
    for _ in 0..10 {
        assert_eq!(open.ask(b"meanwhile").await.unwrap(), b"meanwhile");
    }
    assert!(!later.is_finished());
    assert!(coming.try_recv().is_err());
    drop(release);
    for client in crowd {
        assert_eq!(client.await.unwrap(), b"crowd");
    }
    assert_eq!(later.await.unwrap(), b"in already");
    assert!(!slow.stuck.load(Ordering::Relaxed));
}

#[tokio::test]
async fn who_comes_and_asks_once_is_not_at_work() {
    let bench = Bench::new().await;
    let turns = Turns::new(1);
    for (requests, is_at_work) in [(1, false), (2, true)] {
        let mut wire = bench.client("backup").connect().await.unwrap();
        for _ in 0..requests {
            wire.ask(b"hello").await.unwrap();
        }
        wire.0.shutdown().await.unwrap();
        // The server has seen the end when it has ended, too.
        assert!(wire.0.read_u8().await.is_err());
        assert_eq!(turns.lend(Instant::now(), &bench.tls.others).is_none(), is_at_work);
    }
}
