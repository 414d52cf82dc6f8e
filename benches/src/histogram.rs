//! Times in buckets: exact below 128 ns, and within one part in 128 above.

use std::time::Duration;

/// Buckets for each doubling.
const FINE: u64 = 128;
/// Doublings above the first buckets: up to some hours.
const DOUBLINGS: usize = 38;

/// How often what time was seen.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; FINE as usize * (DOUBLINGS + 1)], count: 0, longest: 0 }
    }
}

impl Histogram {
    /// Counts a time.
    pub fn record(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let last = self.buckets.len() - 1;
        if let Some(bucket) = self.buckets.get_mut(place(nanoseconds).min(last)) {
            *bucket += 1;
        }
        self.count += 1;
        self.longest = self.longest.max(nanoseconds);
    }

    /// Counts everything that the other has.
    pub fn add(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(mine, theirs)| *mine += theirs);
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    /// How many times were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest time.
    pub const fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest)
    }

    /// The time that so many of a thousand do not exceed.
    pub fn per_mille(&self, mille: u64) -> Duration {
        let wanted = (self.count * mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(highest(place).min(self.longest));
            }
        }
        self.longest()
    }
}

fn place(nanoseconds: u64) -> usize {
    let doublings = (nanoseconds / FINE).checked_ilog2().map_or(0, |log| log + 1);
    if doublings == 0 {
        return usize::try_from(nanoseconds).unwrap_or_default();
    }
    let within = (nanoseconds >> (doublings - 1)) - FINE;
    usize::try_from(u64::from(doublings) * FINE + within).unwrap_or(usize::MAX)
}

/// The longest time of a bucket.
fn highest(place: usize) -> u64 {
    let (doublings, within) = (place as u64 / FINE, place as u64 % FINE);
    match doublings {
        0 => within,
        _ => ((FINE + within + 1) << (doublings - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_a_bucket_that_is_close() {
        for nanoseconds in (0..40).map(|bits| 1_u64 << bits).flat_map(|n| [n - 1, n, n + 1, n + n / 3]) {
            let top = highest(place(nanoseconds));
            assert!(top >= nanoseconds && top - nanoseconds <= nanoseconds / FINE, "{nanoseconds} {top}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_counted() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|n| histogram.record(Duration::from_nanos(n)));
        assert_eq!(histogram.count(), 1000);
        assert_eq!(histogram.longest().as_nanos(), 1000);
        for (mille, expected) in [(500, 500), (990, 990), (999, 999), (1000, 1000)] {
            let found = u64::try_from(histogram.per_mille(mille).as_nanos()).unwrap();
            assert!(found >= expected && found <= expected + expected / FINE + 1, "{mille}: {found}");
        }
    }
}
