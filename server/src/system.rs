//! What kmipd asks of the operating system for its threads and files.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How far threads step back that others go before: about a tenth of a processor is theirs where both want it.
const BEHIND: i32 = 10;

/// How far threads step back whose work takes seconds: about a thirtieth of a processor is theirs where others want it, and
/// all of one that nobody else wants. With 19, the most there is, it would be a seventieth: on a machine that is never idle
/// such work would take minutes.
const FAR_BEHIND: i32 = 15;

/// Descriptors that are open for other things than connections.
const OTHER_FILES: u64 = 256;

/// Lets the system run the threads that answer requests before this one.
pub fn step_back() {
    // Without it, this thread only gets the same share as the others.
    let _ = nice(BEHIND);
}

/// Lets the system run all other threads before this one: its work takes seconds.
///
/// # Errors
/// The system refuses, or has nothing of the kind.
pub fn step_far_back() -> io::Result<()> {
    nice(FAR_BEHIND)
}

/// Linux keeps a nice value for each thread; elsewhere it is the whole process's, and nothing for this.
fn nice(by: i32) -> io::Result<()> {
    if cfg!(target_os = "linux") {
        rustix::process::nice(by)?;
        Ok(())
    } else {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Lets the process have so many connections, as far as the system allows; many give a process 1024 files unless it asks for
/// more. Answers how many connections there can be.
pub fn allow_connections(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < needed) {
        let current = Some(maximum.map_or(needed, |maximum| maximum.min(needed)));
        // If it fails, the limit is what it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES));
    usize::try_from(allowed).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn a_thread_steps_back_alone() {
        let before = getpriority_process(None).unwrap();
        for (step, by) in [(step_back as fn(), BEHIND), (|| step_far_back().unwrap(), FAR_BEHIND)] {
            let behind = thread::spawn(move || {
                step();
                getpriority_process(None).unwrap()
            });
            assert_eq!(behind.join().unwrap(), (before + by).min(19));
        }
        assert_eq!(getpriority_process(None).unwrap(), before);
    }

    #[test]
    fn files_are_asked_for_as_far_as_there_are() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let low = Rlimit { current: Some(512), maximum };
        setrlimit(Resource::Nofile, low).unwrap();
        assert_eq!(allow_connections(10), 10);
        assert_eq!(getrlimit(Resource::Nofile).current, Some(512));
        assert_eq!(allow_connections(700), 700);
        let most = maximum.map_or(usize::MAX, |maximum| usize::try_from(maximum - OTHER_FILES).unwrap());
        assert_eq!(allow_connections(most), most);
        assert!(allow_connections(usize::MAX) >= most);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    }
}
