//! Sealing and opening, as every row of a store is.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use kmipd::secret::Secret;
use kmipd::store::seal::{KEY, SealKey, random};

/// What a row's value is bound to, in bytes: about as long as the vault's.
const CONTEXT: [u8; 96] = [7; 96];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let key = SealKey::new(&Secret::copy_of(random::<KEY>()?.as_slice()))?;
    let mut group = criterion.benchmark_group("sealing");
    for size in [200, 1024, 16 * 1024] {
        let plaintext = vec![1; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("seal", size), |bencher| {
            bencher.iter(|| {
                let mut out = Vec::new();
                key.seal(black_box(&CONTEXT), black_box(&plaintext), &mut out).map(|()| out)
            });
        });
        let mut sealed = Vec::new();
        key.seal(&CONTEXT, &plaintext, &mut sealed)?;
        key.open(&CONTEXT, &sealed)?;
        group.bench_function(BenchmarkId::new("open", size), |bencher| {
            bencher.iter(|| key.open(black_box(&CONTEXT), black_box(&sealed)));
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
