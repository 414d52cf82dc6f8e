//! What a process has used: its processor time, and its memory, from /proc.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::{Error, Outcome};

/// Nanoseconds of a tick of `/proc/PID/stat`.
const TICK: u64 = 10_000_000;

/// A process.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub u32);

/// Processor time up to a moment.
#[derive(Debug, Clone, Default)]
pub struct Used {
    /// Nanoseconds of each thread that lives.
    threads: HashMap<String, u64>,
    /// Of the whole process with threads that ended, in nanoseconds, to the tick.
    whole: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// Resident at the most.
    pub peak: u64,
}

impl Process {
    /// Processor time so far.
    ///
    /// # Errors
    /// There is no such process.
    pub fn used(self) -> Outcome<Used> {
        let gone = |error| Error::new(format!("process {}: {error}", self.0));
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).map_err(gone)?;
        // Behind the name, which may have blanks: state is the first, user and system time are the 12th and 13th.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).into_iter().flatten();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let mut threads = HashMap::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.0)).map_err(gone)?.flatten() {
            let time = fs::read_to_string(thread.path().join("schedstat")).ok();
            let time = time.and_then(|text| text.split_whitespace().next()?.parse().ok());
            if let Some(time) = time {
                threads.insert(thread.file_name().to_string_lossy().into_owned(), time);
            }
        }
        Ok(Used { threads, whole: ticks * TICK })
    }

    /// Memory now.
    ///
    /// # Errors
    /// There is no such process.
    pub fn memory(self) -> Outcome<Memory> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0))
            .map_err(|error| Error::new(format!("process {}: {error}", self.0)))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or_default() * 1024
        };
        Ok(Memory { resident: field("VmRSS:"), peak: field("VmHWM:") })
    }
}

impl Used {
    /// What was used since an earlier moment. Threads count to the nanosecond; if some ended in between, the process counts
    /// to the tick.
    pub fn since(&self, earlier: &Self) -> Duration {
        let before = |thread: &String| earlier.threads.get(thread).copied().unwrap_or_default();
        let threads: u64 = self.threads.iter().map(|(thread, now)| now.saturating_sub(before(thread))).sum();
        let whole = self.whole.saturating_sub(earlier.whole);
        Duration::from_nanos(if whole > threads + 2 * TICK { whole } else { threads })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_this_process_uses_is_seen() {
        let this = Process(std::process::id());
        let before = this.used().unwrap();
        let begin = Instant::now();
        let mut sum = 0_u64;
        while this.used().unwrap().since(&before) < Duration::from_millis(50) {
            (0..100_000).for_each(|n| sum = std::hint::black_box(sum.wrapping_add(n)));
        }
        let cores = u32::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
        assert!(this.used().unwrap().since(&before) <= (begin.elapsed() + Duration::from_millis(50)) * cores);
        let memory = this.memory().unwrap();
        assert!(memory.resident > 1 << 20 && memory.peak >= memory.resident / 2);
    }
}
