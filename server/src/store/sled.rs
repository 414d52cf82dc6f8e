//! The embedded store: one sled tree, one writer thread, our own sync.
//!
//! What sled alone does not give, and this module does: its `flush` ends in `sync_file_range`, which a power cut does not
//! honour, so the writer syncs the file itself; threads that flush do not share a flush, so one writer serves all that
//! wait; `open` can panic, or open a damaged store as an empty one, so a marker beside it says what must be there.

mod marker;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use self::marker::Marker;
use self::writer::{Work, Writer};
use super::hot::Hot;
use super::{Batch, CommitError, Committed, MAX_KEY, MAX_VALUE, Made, Revision, Row, Store, StoreError, durable};

/// sled's segment, in bytes. A page of more than a quarter of it would leave the log for a file of its own.
const SEGMENT: usize = 2 * 1024 * 1024;

/// The most rows in a page: it splits above 16, and a page of less than 4 is merged with its neighbour first.
const PAGE_ROWS: usize = 16 + 1 + 4;

const _: () = assert!(PAGE_ROWS * (MAX_VALUE + MAX_KEY + 64) < SEGMENT / 4, "a full page must fit into the log");

/// How many commits may wait for the writer before another one blocks its caller.
const QUEUE: usize = 4096;

/// The row with the number of the last group of commits: in the same sled batch as the group. No key of a user starts
/// with 0.
const COMMIT_ROW: &[u8] = b"\0commit";

/// Brings a file's data to disk.
pub type Sync = Box<dyn Fn(&File) -> io::Result<()> + Send>;

/// What can be chosen.
#[derive(Debug, Clone)]
pub struct SledOptions {
    /// Memory for pages, in bytes.
    pub cache_bytes: u64,
    /// Memory for what was made of rows, in bytes.
    pub hot_bytes: usize,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self { cache_bytes: 128 * 1024 * 1024, hot_bytes: 64 * 1024 * 1024 }
    }
}

/// Rows in a folder: `sled/` with the rows, `store.toml` that says what must be there, `lock`.
pub struct SledStore {
    id: [u8; 16],
    tree: RwLock<Option<::sled::Tree>>,
    hot: Arc<Hot>,
    queue: SyncSender<Work>,
    /// Its thread answers how many rows it has written.
    writer: Mutex<Option<JoinHandle<Result<usize, String>>>>,
    rows: PathBuf,
    options: SledOptions,
    lock: Mutex<Option<File>>,
}

impl SledStore {
    /// The schema version of the store in this folder, without opening it; none if there is no store.
    ///
    /// # Errors
    /// It is of another version, or cannot be read.
    pub fn schema(folder: &Path) -> Result<Option<u32>, StoreError> {
        Ok(Marker::read(folder)?.map(|marker| marker.schema))
    }

    /// Opens the store in this folder, and makes it if there is none.
    pub fn open(folder: &Path, options: &SledOptions) -> Result<Self, StoreError> {
        Self::open_with_sync(folder, options, Box::new(File::sync_data))
    }

    /// As [`open`](Self::open) with another way to sync. For tests only, which must see that a store without a sync loses data;
    /// no configuration leads here.
    #[doc(hidden)]
    pub fn open_with_sync(folder: &Path, options: &SledOptions, sync: Sync) -> Result<Self, StoreError> {
        let io = |error: io::Error| StoreError::Io(format!("{}: {error}", folder.display()));
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(io)?;
            durable::sync_parent(folder).map_err(io)?;
        }
        let lock = lock(folder)?;
        let found = Marker::read(folder)?;
        let rows = folder.join("sled");
        if !rows.exists() {
            if let Some(marker) = &found {
                marker.expect(folder, 0)?;
            }
            create(folder, options).map_err(StoreError::Io)?;
        }
        prepare(&rows).map_err(io)?;
        let db = open_sled(&rows, options).map_err(StoreError::Io)?;
        let data = File::open(rows.join("db")).map_err(io)?;
        sync(&data).map_err(io)?;
        durable::sync_folder(&rows).map_err(io)?;

        let commits = committed(&db)?;
        let mut marker = match found {
            Some(marker) => marker,
            None if commits == 0 => Marker::new().map_err(io)?,
            None => return Err(marker::missing(folder)),
        };
        marker.expect(folder, commits)?;
        marker.commits = commits;
        marker.write(folder).map_err(io)?;

        let id = marker.id;
        let tree = ::sled::Tree::clone(&db);
        let hot = Arc::new(Hot::new(options.hot_bytes, commits));
        let writer = Writer {
            db,
            data,
            sync,
            commits,
            written: 0,
            usual: 0,
            marker,
            folder: folder.to_owned(),
            hot: Arc::clone(&hot),
            marked: std::time::Instant::now(),
        };
        let (queue, work) = std::sync::mpsc::sync_channel(QUEUE);
        let writer =
            std::thread::Builder::new().name("store".to_owned()).spawn(move || writer.run(&work)).map_err(io)?;
        Ok(Self {
            id,
            tree: RwLock::new(Some(tree)),
            hot,
            queue,
            writer: Mutex::new(Some(writer)),
            rows,
            options: options.clone(),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// The random number that was given to this store when it was made.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    fn tree<T>(&self, read: impl FnOnce(&::sled::Tree) -> Result<T, ::sled::Error>) -> Result<T, StoreError> {
        let tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        let tree = tree.as_ref().ok_or_else(|| StoreError::Io("the store is closed".to_owned()))?;
        read(tree).map_err(|error| StoreError::Io(error.to_string()))
    }

    fn read(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        match self.tree(|tree| tree.get(key))? {
            Some(value) => decode(&value).map(Some),
            None => Ok(None),
        }
    }

    fn read_revision(&self, key: &[u8]) -> Result<Revision, StoreError> {
        match self.tree(|tree| tree.get(key))? {
            Some(value) => split(&value).map(|(revision, _)| revision),
            None => Ok(0),
        }
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        let (row, _) = self.hot.note(key, || self.read(key), |row| row.as_ref().map_or(0, |row| row.revision))?;
        Ok(row)
    }

    fn revision(&self, key: &[u8]) -> Result<Revision, StoreError> {
        match self.hot.revision(key) {
            Some(revision) => Ok(revision),
            None => Ok(self.hot.note(key, || self.read_revision(key), |revision| *revision)?.0),
        }
    }

    fn made(&self, key: &[u8]) -> Option<Made> {
        self.hot.made(key)
    }

    fn keep(&self, key: &[u8], revision: Revision, made: Made, bytes: usize) {
        self.hot.keep(key, revision, made, bytes);
    }

    fn compare(&self, batch: &Batch) -> Option<Result<(), CommitError>> {
        if batch.changes.is_empty() { self.hot.compare(batch, |key| self.read_revision(key)) } else { None }
    }

    fn last(&self, prefix: &[u8]) -> Result<Option<(Vec<u8>, Row)>, StoreError> {
        match self.tree(|tree| tree.scan_prefix(prefix).next_back().transpose())? {
            Some((key, value)) if key.as_ref() != COMMIT_ROW => Ok(Some((key.to_vec(), decode(&value)?))),
            _ => Ok(None),
        }
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], Row) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let from = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        // The iterator keeps the tree alive by itself; the lock is not held while the visitor runs.
        let rows = self.tree(|tree| Ok(tree.range::<&[u8], _>((from, Bound::Unbounded))))?;
        for entry in rows {
            let (key, value) = entry.map_err(|error| StoreError::Io(error.to_string()))?;
            if key.as_ref() == COMMIT_ROW {
                continue;
            }
            if !key.starts_with(prefix) || visit(&key, decode(&value)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, batch: Batch) -> Committed {
        let (answer, committed) = oneshot::channel();
        if let Some(result) = self.compare(&batch) {
            let _ = answer.send(result);
        } else if let Err(refused) = self.queue.send(Work::Commit(batch, answer))
            && let Work::Commit(_, answer) = refused.0
        {
            let _ = answer.send(Err(CommitError::Broken("the store is closed".to_owned())));
        }
        committed
    }

    fn close(&self) -> Result<(), StoreError> {
        let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        // A writer that is gone already says so when it is joined.
        let _ = self.queue.send(Work::Close);
        let result = writer.join().unwrap_or_else(|_| Err("the writer panicked".to_owned()));
        *self.tree.write().unwrap_or_else(PoisonError::into_inner) = None;
        if let Ok(written) = result
            && written >= REMEMBER
        {
            remember(&self.rows, &self.options);
        }
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        result.map(drop).map_err(StoreError::Io)
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store did not close well");
        }
    }
}

/// A row on disk: the revision, 8 bytes big-endian, and the value.
fn encode(row: &Row, bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.extend_from_slice(&row.revision.to_be_bytes());
    bytes.extend_from_slice(&row.value);
}

fn decode(bytes: &[u8]) -> Result<Row, StoreError> {
    split(bytes).map(|(revision, value)| Row { revision, value: value.to_vec() })
}

fn split(bytes: &[u8]) -> Result<(Revision, &[u8]), StoreError> {
    match bytes.split_first_chunk() {
        Some((revision, value)) => Ok((u64::from_be_bytes(*revision), value)),
        None => Err(StoreError::Io("a row is too short".to_owned())),
    }
}

fn committed(db: &::sled::Db) -> Result<u64, StoreError> {
    match db.get(COMMIT_ROW).map_err(|error| StoreError::Io(error.to_string()))? {
        Some(value) => Ok(decode(&value)?.revision),
        None => Ok(0),
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join("lock");
    let io = |error: io::Error| StoreError::Io(format!("{}: {error}", path.display()));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(folder.display().to_string())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Makes an empty store under another name and moves it in place when all of it is on disk, so that a cut never leaves half
/// of one.
fn create(folder: &Path, options: &SledOptions) -> Result<(), String> {
    let fresh = folder.join("sled.new");
    let io = |error: io::Error| format!("{}: {error}", fresh.display());
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(io)?;
    }
    drop(open_sled(&fresh, options)?);
    for entry in fs::read_dir(&fresh).map_err(io)? {
        File::open(entry.map_err(io)?.path()).and_then(|file| file.sync_all()).map_err(io)?;
    }
    durable::sync_folder(&fresh).map_err(io)?;
    fs::rename(&fresh, folder.join("sled")).map_err(io)?;
    durable::sync_folder(folder).map_err(io)
}

/// What must be done before sled looks at its files.
fn prepare(rows: &Path) -> io::Result<()> {
    // After a kill, the end of the log may be in memory only. sled would sync a snapshot that refers to it, and a power cut
    // would then leave the snapshot without the log.
    File::open(rows.join("db"))?.sync_data()?;
    // A snapshot that was being written at a cut would be taken for one that is damaged, at every start.
    for entry in fs::read_dir(rows)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// After so many rows a close writes down where they are.
const REMEMBER: usize = if cfg!(test) { 100 } else { 100_000 };

/// Lets sled write its snapshot, which it does only when it opens: without one, the next start reads the whole log since
/// the last start, which takes seconds for each gigabyte. What goes wrong here concerns that time alone.
fn remember(rows: &Path, options: &SledOptions) {
    tracing::info!("the store writes down where its rows are, so that the next start is fast");
    let opened = prepare(rows).map_err(|error| error.to_string()).and_then(|()| open_sled(rows, options).map(drop));
    if let Err(error) = opened.and_then(|()| durable::sync_folder(rows).map_err(|error| error.to_string())) {
        tracing::warn!(error, "the next start of the store will take longer");
    }
}

/// How often a lock is tried that an instance of this process is about to give back: for ten seconds.
const CLOSING: u32 = 1_000;

/// Opens sled's folder. A panic becomes an error.
fn open_sled(rows: &Path, options: &SledOptions) -> Result<::sled::Db, String> {
    let config = ::sled::Config::new().path(rows).segment_size(SEGMENT).cache_capacity(options.cache_bytes);
    let mut tries = 0;
    loop {
        match panic::catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => return Ok(db),
            // The folder's own lock is ours, so that the one who still has sled's is a thread of an instance that was dropped
            // a moment ago: when a new store was made, it closes its files in its own time.
            Ok(Err(::sled::Error::Io(error))) if tries < CLOSING && error.to_string().contains("acquire lock") => {
                tries += 1;
                thread::sleep(Duration::from_millis(10));
            }
            Ok(Err(error)) => return Err(format!("{} cannot be opened: {error}", rows.display())),
            Err(_) => return Err(format!("{} cannot be opened: it is damaged", rows.display())),
        }
    }
}
