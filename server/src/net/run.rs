//! A server's life between its first connection and its last, as signals tell.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};

use super::listener::Server;
use super::service::Service;
use super::tls::Tls;

/// How often the files of `[tls]` are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT; SIGHUP loads certificates and trust anew.
///
/// # Errors
/// The signals cannot be had.
pub async fn run<S: Service>(server: Server<S>) -> io::Result<()> {
    let mut signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        hang_up: signal(SignalKind::hangup())?,
    };
    for address in server.addresses() {
        info!(%address, "listening");
    }
    for address in server.https_addresses() {
        info!(%address, "listening for HTTPS");
    }
    let tls = Arc::clone(server.tls());
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(server.serve(stopped));
    signals.until_stop(&tls).await;
    info!("stopping");
    // Nobody receives it if serving has ended already.
    let _ = stop.send(true);
    serving.await.map_err(io::Error::other)?;
    info!("stopped");
    Ok(())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    async fn until_stop(&mut self, tls: &Tls) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => match tls.reload() {
                    Ok(true) => info!("certificates and trust loaded anew"),
                    Ok(false) => info!("certificates and trust are as they were"),
                    Err(error) => error!("certificates and trust stay as they were: {error}"),
                },
                _ = look.tick() => match tls.reload_if_touched() {
                    Ok(true) => info!("certificates and trust have changed and were loaded anew"),
                    Ok(false) => {}
                    Err(error) => error!("certificates and trust stay as they were: {error}"),
                },
            }
        }
    }
}
