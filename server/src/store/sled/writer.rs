//! The one thread that writes: many commits, one flush, one sync.

use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use foldhash::HashMap;
use tokio::sync::oneshot;

use super::marker::Marker;
use super::{COMMIT_ROW, Sync, decode, encode, split};
use crate::store::hot::Hot;
use crate::store::stage::Stage;
use crate::store::{Batch, CommitError, Key, Revision, Row, StoreError};

/// A group takes no further commit once it has so many rows or bytes: larger batches cost sled much memory. What some
/// hundred clients wait for at a time fits in, so that it shares one sync.
pub(super) const GROUP_ROWS: usize = 1000;
const GROUP_BYTES: usize = 1024 * 1024;

/// How often the marker follows the commits: what is lost beyond its last state goes unnoticed.
const MARK_EVERY: Duration = Duration::from_secs(10);

/// The answer to one commit.
pub(super) type Answer = oneshot::Sender<Result<(), CommitError>>;

/// What the writer is asked.
pub(super) enum Work {
    /// Apply this, and answer when it is durable.
    Commit(Batch, Answer),
    /// Answer what came before, let go of the files, and end.
    Close,
}

/// The writer's own.
pub(super) struct Writer {
    pub(super) db: ::sled::Db,
    /// sled's file, opened by us.
    pub(super) data: File,
    pub(super) sync: Sync,
    /// How many groups were committed.
    pub(super) commits: u64,
    /// How many rows were written.
    pub(super) written: usize,
    /// How many rows the last group had.
    pub(super) usual: usize,
    pub(super) marker: Marker,
    pub(super) marked: Instant,
    pub(super) folder: PathBuf,
    pub(super) hot: Arc<Hot>,
}

impl Writer {
    /// Works until the store is closed. Answers how many rows it has written.
    pub(super) fn run(mut self, work: &Receiver<Work>) -> Result<usize, String> {
        let mut open = true;
        while open {
            let result;
            (result, open) = match work.recv_timeout(MARK_EVERY) {
                Ok(first) => self.group(first, work),
                Err(RecvTimeoutError::Timeout) => (self.mark(), true),
                Err(RecvTimeoutError::Disconnected) => (Ok(()), false),
            };
            if let Err(why) = result {
                self.hot.fail();
                tracing::error!(error = %why, "the store is broken: no commit is accepted any more");
                refuse_all(work, &why);
                return Err(why);
            }
        }
        self.mark()?;
        Ok(self.written)
    }

    /// Takes what waits, applies it, makes it durable, answers. Says whether to go on.
    fn group(&mut self, first: Work, work: &Receiver<Work>) -> (Result<(), String>, bool) {
        let mut stage = Stage::with_capacity(self.usual.min(GROUP_ROWS));
        let mut waiting = Vec::new();
        let mut open = true;
        let mut next = Some(first);
        let mut broken = None;
        while let Some(Work::Commit(batch, answer)) = next {
            let (db, hot) = (&self.db, &self.hot);
            // What is known of a row there is what this thread has told, or what was read after that.
            let revision = |key: &[u8]| hot.revision(key).map_or_else(|| read_revision(db, key), Ok);
            let result = panic::catch_unwind(AssertUnwindSafe(|| stage.add(batch, revision, |key| read(db, key))));
            let result = result.unwrap_or_else(|_| Err(CommitError::Broken("reading panicked".to_owned())));
            if let Err(CommitError::Broken(why)) = &result {
                broken = Some(why.clone());
            }
            waiting.push((answer, result));
            next = match broken.is_some() || stage.rows() >= GROUP_ROWS || stage.bytes() >= GROUP_BYTES {
                true => None,
                false => work.try_recv().ok(),
            };
        }
        if let Some(Work::Close) = next {
            open = false;
        }
        let durable = match broken {
            Some(why) => Err(why),
            None => self.make_durable(stage.into_rows()),
        };
        for (answer, result) in waiting {
            // What the stage refused was compared with rows that are not durable now, so it is not known either.
            let result = durable.clone().map_err(CommitError::Broken).and(result);
            let _ = answer.send(result);
        }
        (durable, open)
    }

    fn make_durable(&mut self, rows: HashMap<Key, Option<Row>>) -> Result<(), String> {
        if rows.is_empty() {
            return Ok(());
        }
        let commits = self.commits + 1;
        self.written = self.written.saturating_add(rows.len());
        self.usual = rows.len();
        let revisions = rows.iter().map(|(key, row)| (key, row.as_ref().map_or(0, |row| row.revision)));
        self.hot.begin(commits, revisions);
        let mut batch = ::sled::Batch::default();
        let mut bytes = Vec::new();
        for (key, row) in rows {
            match row {
                Some(row) => {
                    encode(&row, &mut bytes);
                    batch.insert(&*key, bytes.as_slice());
                }
                None => batch.remove(&*key),
            }
        }
        encode(&Row { revision: commits, value: Vec::new() }, &mut bytes);
        batch.insert(COMMIT_ROW, bytes.as_slice());
        let applied = panic::catch_unwind(AssertUnwindSafe(|| {
            self.db.apply_batch(batch).map_err(|error| error.to_string())?;
            self.db.flush().map_err(|error| error.to_string())?;
            (self.sync)(&self.data).map_err(|error| error.to_string())
        }));
        applied.unwrap_or_else(|_| Err("sled panicked".to_owned()))?;
        self.hot.finish(commits);
        self.commits = commits;
        if commits == 1 || self.marked.elapsed() >= MARK_EVERY {
            self.mark()?;
        }
        Ok(())
    }

    /// Writes down what is durable.
    fn mark(&mut self) -> Result<(), String> {
        self.marked = Instant::now();
        if self.marker.commits != self.commits {
            self.marker.commits = self.commits;
            self.marker.write(&self.folder).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn read(db: &::sled::Db, key: &[u8]) -> Result<Option<Row>, StoreError> {
    let value = db.get(key).map_err(|error| StoreError::Io(error.to_string()))?;
    value.map(|value| decode(&value)).transpose()
}

fn read_revision(db: &::sled::Db, key: &[u8]) -> Result<Revision, StoreError> {
    let value = db.get(key).map_err(|error| StoreError::Io(error.to_string()))?;
    value.map_or(Ok(0), |value| split(&value).map(|(revision, _)| revision))
}

fn refuse_all(work: &Receiver<Work>, why: &str) {
    while let Ok(Work::Commit(_, answer)) = work.recv() {
        let _ = answer.send(Err(CommitError::Broken(why.to_owned())));
    }
}
