//! What one writer thread reaches: the commits of real Creates, prepared before the clock runs, given to the store with so
//! many of them waiting at a time. No TLS, no messages, no sealing within the time: the ceiling of a durable Create.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::io::{Write, stdout};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use kmip_bench::keys::{self, Making};
use kmip_bench::options::Options;
use kmip_bench::request::{Form, Head};
use kmip_codec::message::ResponseMessage;
use kmip_codec::spec::ResultStatus;
use kmip_codec::ttlv::Limits;
use kmipd::crypto::providers::Providers;
use kmipd::dispatch::{Asker, Dispatcher, Lane};
use kmipd::session::parts::{self, Parts};
use kmipd::store::seal::KeyRing;
use kmipd::store::sled::{SledOptions, SledStore};
use kmipd::store::vault::Vault;
use kmipd::store::{Batch, Change, Committed, Row, Store, StoreError};
use kmipd::view::{Settings, Shared, SystemClock};
use serde_json::json;
use tokio::sync::oneshot;

/// Creates that are prepared at a time.
const SLICE: usize = 10_000;

/// Measure what one writer thread of a store reaches with the rows of Create.
#[derive(Parser)]
struct Arguments {
    /// Where the store is made; a temporary folder if it is not said
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Objects that are committed under the clock [default: 50, to try it; 20000 under cargo bench]
    #[arg(long)]
    objects: Option<usize>,
    /// Objects that are in the store before
    #[arg(long, default_value_t = 0)]
    already: usize,
    /// Commits that wait at a time
    #[arg(long, default_value_t = 64)]
    waiting: usize,
    /// Memory for the store's cache, in MiB: what `[store] cache_mib` is by default
    #[arg(long, default_value_t = 64)]
    cache: u64,
    /// cargo bench says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// A store that keeps back what is committed, and shows it to those that come after: a row that is there already is not
/// written again.
struct Held {
    store: Arc<SledStore>,
    held: Mutex<Commits>,
}

#[derive(Default)]
struct Commits {
    batches: Vec<Batch>,
    rows: HashMap<Vec<u8>, Row>,
}

impl Held {
    fn held(&self) -> MutexGuard<'_, Commits> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Held {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        match self.held().rows.get(key) {
            Some(row) => Ok(Some(row.clone())),
            None => self.store.get(key),
        }
    }

    fn last(&self, prefix: &[u8]) -> Result<Option<(Vec<u8>, Row)>, StoreError> {
        self.store.last(prefix)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], Row) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.scan(prefix, after, visit)
    }

    fn commit(&self, batch: Batch) -> Committed {
        let mut held = self.held();
        for change in &batch.changes {
            if let Change::Put { key, row } = change {
                held.rows.insert(key.to_vec(), row.clone());
            }
        }
        held.batches.push(batch);
        let (done, committed) = oneshot::channel();
        // The other end is held by the caller.
        let _ = done.send(Ok(()));
        committed
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let objects = arguments.objects.unwrap_or(if arguments.bench { 20_000 } else { 50 });
    let temporary = tempfile::tempdir()?;
    let folder = arguments.folder.unwrap_or_else(|| temporary.path().join("store"));
    let options = SledOptions { cache_bytes: arguments.cache << 20, ..SledOptions::default() };
    let store = Arc::new(SledStore::open(&folder, &options)?);
    let held = Arc::new(Held { store: Arc::clone(&store), held: Mutex::default() });
    let vault = Vault::open(Arc::clone(&held) as _, store.id(), KeyRing::random()?)?;
    let creates = Creates::new(vault);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut made, mut time) = (0, Duration::ZERO);
    while made < arguments.already + objects {
        let fills = made < arguments.already;
        let count = if fills { arguments.already - made } else { arguments.already + objects - made }.min(SLICE);
        runtime.block_on(creates.ask(made..made + count))?;
        let Commits { batches, .. } = std::mem::take(&mut *held.held());
        if batches.len() != count {
            return Err(format!("{count} Creates made {} commits", batches.len()).into());
        }
        let taken = replay(&store, batches, arguments.waiting)?;
        if !fills {
            time += taken;
        }
        made += count;
    }
    let rate = objects as f64 / time.as_secs_f64();
    writeln!(stdout(), "{}", json!({ "rate": rate.round(), "objects": objects, "already": arguments.already }))?;
    store.close()?;
    Ok(())
}

/// Commits with so many waiting at a time, and answers how long it took.
fn replay(store: &SledStore, batches: Vec<Batch>, waiting: usize) -> Result<Duration, Box<dyn Error>> {
    let begin = Instant::now();
    let mut under_way: VecDeque<Committed> = VecDeque::new();
    for batch in batches {
        if under_way.len() >= waiting
            && let Some(first) = under_way.pop_front()
        {
            first.blocking_recv()??;
        }
        under_way.push_back(store.commit(batch));
    }
    for committed in under_way {
        committed.blocking_recv()??;
    }
    Ok(begin.elapsed())
}

/// Asks for keys as the load generator does, without a connection.
struct Creates {
    dispatcher: Dispatcher,
    asker: Asker,
    form: Form,
    making: Making,
}

impl Creates {
    fn new(vault: Vault) -> Self {
        let options = Options::parse_from(["kmip-bench", "create", "--ca", "none", "--cert", "none", "--key", "none"]);
        let shared = Shared {
            vault,
            providers: Providers::new(None),
            clock: Box::new(SystemClock),
            settings: Settings::default(),
            parts: Parts::new(parts::Limits { per_client: 1, all: 1, ..parts::Limits::default() }),
            instances: Arc::default(),
        };
        Self {
            dispatcher: Dispatcher::new(Arc::new(shared), Limits::default(), 1, Lane::new(1, 1)),
            asker: Asker { identity: "bench".into(), ..Asker::nobody() },
            form: Form { version: options.version, several: false },
            making: Making::new(&options),
        }
    }

    async fn ask(&self, numbers: std::ops::Range<usize>) -> Result<(), Box<dyn Error>> {
        for number in numbers {
            let item = self.making.item(self.form, &keys::name("writer", number));
            let frame = Bytes::from(Head::of(self.form.version, &[item]));
            let answer = self.dispatcher.answer(&self.asker, &frame).await;
            let answer = ResponseMessage::read(&Bytes::from(answer.bytes), &Limits::default())
                .map_err(|unreadable| unreadable.error)?;
            if answer.items.iter().any(|item| item.result_status != ResultStatus::Success) {
                return Err("a Create failed".into());
            }
        }
        Ok(())
    }
}
