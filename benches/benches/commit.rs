//! Commits that wait for the disk together: the store alone, rows about as long as those of a key.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use kmipd::store::sled::{SledOptions, SledStore};
use kmipd::store::{Batch, Change, Key, Row, Store};

/// Rows of a commit, and bytes of each.
const ROWS: u8 = 7;
const BYTES: usize = 250;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let folder = tempfile::tempdir()?;
    let store = SledStore::open(&folder.path().join("store"), &SledOptions::default())?;
    let next = AtomicU64::new(0);
    let mut group = criterion.benchmark_group("commit");
    group.sample_size(10);
    for waiting in [1, 8, 64, 256] {
        group.throughput(Throughput::Elements(waiting));
        group.bench_function(BenchmarkId::new("waiting", waiting), |bencher| {
            bencher.iter_custom(|times| {
                let mut batches: Vec<Batch> = (0..times * waiting).map(|_| batch(&next)).collect();
                let begin = Instant::now();
                while !batches.is_empty() {
                    let rest = batches.len().saturating_sub(usize::try_from(waiting).unwrap_or(1));
                    let commits: Vec<_> = batches.drain(rest..).map(|batch| store.commit(batch)).collect();
                    let done = commits.into_iter().all(|commit| matches!(commit.blocking_recv(), Ok(Ok(()))));
                    assert!(done, "a commit failed");
                }
                begin.elapsed()
            });
        });
    }
    group.finish();
    criterion.final_summary();
    store.close()?;
    Ok(())
}

/// One that writes rows at places of their own, which must be absent.
fn batch(next: &AtomicU64) -> Batch {
    let number = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let key = |row: u8| Key::of(&[&[b'r', row], &number.to_be_bytes(), &number.to_le_bytes()]);
    Batch {
        expect: (0..ROWS).map(|row| (key(row), 0)).collect(),
        changes: (0..ROWS)
            .map(|row| Change::Put { key: key(row), row: Row { revision: 1, value: vec![row; BYTES] } })
            .collect(),
    }
}
