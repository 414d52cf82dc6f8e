//! Keeps a crowd at the door from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines that may be written in each [`WINDOW`].
const LINES: u32 = 20;

/// The length of a window.
const WINDOW: Duration = Duration::from_secs(1);

/// Counts lines of one kind.
#[derive(Debug)]
pub(super) struct Flood(Mutex<Window>);

#[derive(Debug)]
struct Window {
    began: Instant,
    written: u32,
    left_out: u64,
}

impl Flood {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Window { began: Instant::now(), written: 0, left_out: 0 }))
    }

    /// Whether a line may be written at this moment; if so, how many were left out before it.
    pub(super) fn allow(&self, now: Instant) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(window.began) >= WINDOW {
            window.began = now;
            window.written = 0;
        }
        if window.written < LINES {
            window.written += 1;
            Some(std::mem::take(&mut window.left_out))
        } else {
            window.left_out += 1;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_counted_and_told_of_later() {
        let flood = Flood::new();
        let now = Instant::now();
        for _ in 0..LINES {
            assert_eq!(flood.allow(now), Some(0));
        }
        assert_eq!(flood.allow(now), None);
        assert_eq!(flood.allow(now), None);
        assert_eq!(flood.allow(now + WINDOW), Some(2));
        assert_eq!(flood.allow(now + WINDOW), Some(0));
    }
}
