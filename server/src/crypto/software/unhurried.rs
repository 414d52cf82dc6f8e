//! Work that takes seconds of a processor, done so that it is in nobody's way.

use std::panic::resume_unwind;
use std::sync::Once;
use std::thread;

use crate::crypto::CryptoError;
use crate::system;

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

fn lower() {
    static SAID: Once = Once::new();
    if let Err(error) = system::step_far_back() {
        SAID.call_once(|| {
            tracing::warn!(%error, "long keys are made at the server's own priority: it answers more slowly meanwhile");
        });
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn the_work_steps_back_and_whoever_waits_for_it_does_not() {
        let priority = || getpriority_process(None).unwrap();
        let before = priority();
        assert!(unhurried(priority).unwrap() > before || before == 19);
        assert_eq!(priority(), before);
    }
}
