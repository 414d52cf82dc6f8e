//! Work that takes seconds of a processor, done so that it is in nobody's way.

use std::panic::resume_unwind;
use std::sync::Once;
use std::thread;

use crate::crypto::CryptoError;

/// A low priority on Linux, as a "nice" value: beside a thread that never rests it gets a thirtieth of a processor, and all of
/// one that nobody else wants. With the lowest of all, 19, it would be a seventieth: on a machine that is never idle a key
/// would take minutes.
#[cfg(target_os = "linux")]
const LOW: i32 = 15;

/// Runs work that takes seconds of a processor, in a thread of its own at a low priority; the caller waits. A
/// thread's priority cannot be raised again without privileges, and so the thread ends with the work; and it takes none of
/// the server's locks, so that nobody waits for a thread that the system does not let run.
///
/// Where the system has no priority for one thread, or refuses to lower it, the work runs at the usual one: what is served
/// beside it then shares the processors with it, as many as may make keys at a time.
///
/// # Errors
/// Unavailable where no thread can be had.
pub(in crate::crypto) fn unhurried<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, CryptoError> {
    thread::scope(|scope| {
        let lowered = || {
            lower();
            work()
        };
        match thread::Builder::new().name("keys".into()).spawn_scoped(scope, lowered) {
            Ok(thread) => Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic))),
            Err(error) => Err(CryptoError::Unavailable(format!("no thread can be had: {error}"))),
        }
    })
}

#[cfg(target_os = "linux")]
fn lower() {
    // Of a thread, not of the process: Linux counts each thread for one.
    if let Err(error) = rustix::process::setpriority_process(None, LOW) {
        say_once(&error.to_string());
    }
}

#[cfg(not(target_os = "linux"))]
fn lower() {
    say_once("this system has no priority of a thread");
}

fn say_once(why: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(why, "long keys are made at the server's own priority: it answers more slowly meanwhile");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_work_has_a_low_priority_and_whoever_waits_for_it_keeps_theirs() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        assert_eq!(unhurried(priority).unwrap(), LOW);
        assert_eq!(priority(), before);
    }
}
