//! A process that writes until it is stopped, and the comparison of what it was promised with what is there.
//!
//! Each object is a record of 1 KiB and, for some, material of 300 KiB, with every kind of row that goes with one, all in one
//! commit. Objects are made, changed and deleted. A line on standard output says what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use kmipd::secret::Secret;
use kmipd::store::sled::{SledOptions, SledStore};
use kmipd::store::vault::{Belongs, Count, Domain, Hash16, KeyRing, List, Opened, Stamp, Vault};

const THREADS: u64 = 4;
const RECORD: usize = 1024;
const MATERIAL: usize = 300 * 1024;

/// The name of the test that is the writing process when this variable names a folder.
const PROCESS: &str = "the_writing_process";
const FOLDER: &str = "KMIPD_TEST_WRITE_TO";
const WITHOUT_SYNC: &str = "KMIPD_TEST_WITHOUT_SYNC";

/// What the writing process said.
#[derive(Default)]
pub(crate) struct Promised {
    /// Which version of each object was acknowledged last; 0 for deleted.
    versions: BTreeMap<u64, u64>,
    /// Which it began to delete: these may be gone without an acknowledgement.
    deleting: BTreeSet<u64>,
}

impl Promised {
    /// How many objects there must be.
    pub(crate) fn objects(&self) -> usize {
        self.versions.values().filter(|version| **version > 0).count()
    }
}

fn open(folder: &Path, sync: bool) -> Result<Vault, String> {
    let options = SledOptions { cache_bytes: 32 * 1024 * 1024, ..SledOptions::default() };
    let store = match sync {
        true => SledStore::open(folder, &options),
        false => SledStore::open_with_sync(folder, &options, Box::new(|_| Ok(()))),
    };
    let store = store.map_err(|error| error.to_string())?;
    let id = store.id();
    let kek = BTreeMap::from([(1, Secret::copy_of(&[2; 32]))]);
    let ring = KeyRing::new(&Secret::copy_of(&[1; 32]), &kek, 1).unwrap();
    Vault::open(Arc::new(store), id, ring).map_err(|error| error.to_string())
}

/// What an object says: its sequence, version, and bytes that follow from them.
fn content(seq: u64, version: u64, length: usize) -> Secret {
    let mut state = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ version.wrapping_mul(0xd1b5_4a32_d192_ed03) | 1;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&version.to_be_bytes());
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let left = length - bytes.len();
        bytes.extend(state.to_le_bytes().iter().take(left));
    }
    Secret::new(bytes)
}

fn version_of(record: &Opened) -> u64 {
    u64::from_be_bytes(record.plaintext.expose()[8..16].try_into().unwrap())
}

fn has_material(seq: u64) -> bool {
    seq % 16 == 3
}

fn unique(vault: &Vault, seq: u64) -> Hash16 {
    vault.hash(Domain::Unique, &[&seq.to_be_bytes()])
}

fn posting(vault: &Vault) -> Hash16 {
    vault.hash(Domain::Posting, &[b"everything"])
}

/// One commit: the object in this version, 0 to delete it.
fn step(vault: &Vault, seq: u64, version: u64, before: Option<&Stamp>) -> Result<(), String> {
    let mut batch = vault.batch();
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let belongs = Belongs { owner: vault.hash(Domain::Owner, &[b"owner"]), identifier: unique(vault, seq) };
    if version > 0 {
        let record = content(seq, version, RECORD);
        batch.put_record(seq, before, belongs, &record).map_err(|error| fail(&error))?;
        if has_material(seq) {
            let material = content(seq, version, MATERIAL);
            batch.put_material(seq, belongs, &material).map_err(|error| fail(&error))?;
        }
        batch.update_counter(seq, 0, |count| Count::Set(count.unwrap_or(0) + 1));
        if before.is_none() {
            batch.put_unique(&unique(vault, seq), seq).map_err(|error| fail(&error))?;
            batch.put_posting(&posting(vault), seq);
            batch.put_member(&belongs.owner, seq, &belongs.identifier);
            batch.put_due(seq, seq);
        }
    } else if let Some(before) = before {
        batch.delete_record(before);
        batch.delete_material(seq).map_err(|error| fail(&error))?;
        batch.delete_unique(&unique(vault, seq), seq);
        batch.delete_posting(&posting(vault), seq);
        batch.delete_member(&belongs.owner, seq);
        batch.delete_due(seq, seq);
        batch.delete_counter(seq, 0);
    }
    let answer = vault.commit(batch).blocking_recv();
    answer.map_err(|error| fail(&error))?.map_err(|error| fail(&error))
}

/// The writing process's whole life, if this is it.
pub(crate) fn be_the_writing_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let vault = open(Path::new(&folder), std::env::var_os(WITHOUT_SYNC).is_none()).expect("the store opens");
    let known = sequences(&vault);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (vault, known) = (&vault, &known);
            scope.spawn(move || {
                let own = known.iter().copied().filter(|seq| seq % THREADS == thread).collect();
                let error = write_for_ever(vault, own);
                // The disk is gone, as it should be; the parent ends us.
                println!("\nstopped: {error}");
            });
        }
    });
}

/// Half of the steps change objects that are there, one in eight deletes one.
fn write_for_ever(vault: &Vault, mut own: Vec<u64>) -> String {
    for round in 0_usize.. {
        let (seq, old) = match round % 8 {
            1 | 3 | 5 | 7 if !own.is_empty() => {
                let place = round.wrapping_mul(7919) % own.len();
                (own[place], Some(place))
            }
            _ => (vault.next_seq(), None),
        };
        let before = match old.map(|_| vault.record(seq)).transpose() {
            Ok(before) => before.flatten(),
            Err(error) => return error.to_string(),
        };
        let version = match before.as_ref().map(version_of) {
            Some(_) if round % 8 == 7 => 0,
            Some(version) => version + 1,
            None => 1,
        };
        if version == 0 {
            say(&format!("delete {seq}\n"));
        }
        if let Err(error) = step(vault, seq, version, before.as_ref().map(|before| &before.stamp)) {
            return error;
        }
        match old {
            Some(place) if version == 0 => drop(own.swap_remove(place)),
            Some(_) => {}
            None => own.push(seq),
        }
        say(&format!("ack {seq} {version}\n"));
    }
    String::new()
}

/// One write, so that lines of threads do not mix.
fn say(line: &str) {
    std::io::stdout().lock().write_all(line.as_bytes()).expect("the parent listens");
}

/// The writing process, seen by its parent.
pub(crate) struct Writing {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Writing {
    /// Starts it on a folder.
    pub(crate) fn start(folder: &Path, sync: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([PROCESS, "--exact", "--nocapture"]).env(FOLDER, folder);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        if !sync {
            command.env(WITHOUT_SYNC, "1");
        }
        let mut child = command.spawn().expect("the test can start itself");
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads until so many commits are acknowledged, then stops it in the given way, and reads the rest.
    /// Returns how many were acknowledged.
    pub(crate) fn stop_after(mut self, count: usize, promised: &mut Promised, stop: impl FnOnce()) -> usize {
        let mut acknowledged = 0;
        let mut stop = Some(stop);
        let mut line = String::new();
        loop {
            if acknowledged >= count
                && let Some(stop) = stop.take()
            {
                stop();
                self.child.kill().expect("it can be killed");
            }
            line.clear();
            if self.lines.read_line(&mut line).expect("its output is text") == 0 {
                break;
            }
            // Without its end a line says nothing: the process was killed while it wrote.
            let Some(whole) = line.strip_suffix('\n') else {
                continue;
            };
            let words: Vec<_> = whole.split(' ').collect();
            match words.as_slice() {
                ["ack", seq, version] => promised.versions.insert(number(seq), number(version)),
                ["delete", seq] => {
                    promised.deleting.insert(number(seq));
                    continue;
                }
                _ => continue,
            };
            acknowledged += 1;
        }
        self.child.wait().unwrap();
        assert!(stop.is_none(), "the writing process ended by itself after {acknowledged} commits");
        acknowledged
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn sequences(vault: &Vault) -> BTreeSet<u64> {
    let mut all = BTreeSet::new();
    let visit = &mut |seq| {
        all.insert(seq);
        ControlFlow::Continue(())
    };
    vault.sequences(None, visit).expect("sequences can be read");
    all
}

/// Opens the store and says everything that is wrong; afterwards `promised` is what is there.
pub(crate) fn compare(folder: &Path, promised: &mut Promised) -> Vec<String> {
    let vault = match open(folder, true) {
        Ok(vault) => vault,
        Err(error) => return vec![format!("the store does not open: {error}")],
    };
    let there = sequences(&vault);
    let mut wrong = Vec::new();
    let mut found = BTreeMap::new();
    for seq in there.iter().chain(promised.versions.keys()).copied().collect::<BTreeSet<_>>() {
        let promise = promised.versions.get(&seq).copied();
        match object(&vault, seq) {
            // One more step than the acknowledged ones may have come to disk.
            Ok(version) => {
                let kept = match promise {
                    Some(0) => version == 0,
                    Some(_) if version == 0 => promised.deleting.contains(&seq),
                    Some(promise) => version == promise || version == promise + 1,
                    None => version == 1,
                };
                if !kept {
                    wrong.push(format!("object {seq}: promised version {promise:?}, found {version}"));
                }
                if version > 0 {
                    found.insert(seq, version);
                }
            }
            Err(error) => wrong.push(format!("object {seq}, promised version {promise:?}: {error}")),
        }
    }
    let mut posted = BTreeSet::new();
    let visit = &mut |seq| {
        posted.insert(seq);
        ControlFlow::Continue(())
    };
    vault.postings(&posting(&vault), None, visit).expect("postings can be read");
    let mut ordered = BTreeSet::new();
    let owner = vault.hash(Domain::Owner, &[b"owner"]);
    let visit = &mut |seq, _: &[u8]| {
        ordered.insert(seq);
        ControlFlow::Continue(())
    };
    vault.list(&List::Class(owner), None, visit).expect("lists can be read");
    let mut due = BTreeSet::new();
    let visit = &mut |_, seq| {
        due.insert(seq);
        ControlFlow::Continue(())
    };
    vault.due(u64::MAX, visit).expect("due rows can be read");
    if posted != there || ordered != there || due != there {
        wrong.push("index rows and records differ".to_owned());
    }
    let blobs = std::fs::read_dir(folder.join("sled/blobs")).map_or(0, Iterator::count);
    if blobs > 0 {
        wrong.push(format!("{blobs} pages left the log"));
    }
    *promised = Promised { versions: found, deleting: BTreeSet::new() };
    wrong
}

/// The version of an object of which everything is there, or 0 if nothing is.
fn object(vault: &Vault, seq: u64) -> Result<u64, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let record = vault.record(seq).map_err(|error| text(&error))?;
    let material = vault.material(seq).map_err(|error| text(&error))?;
    let claimed = vault.lookup_unique(&unique(vault, seq)).map_err(|error| text(&error))?;
    let counter = vault.counter(seq, 0).map_err(|error| text(&error))?;
    let Some(record) = record else {
        let nothing = material.is_none() && claimed.is_none() && counter.is_none();
        return if nothing { Ok(0) } else { Err("rows without a record".to_owned()) };
    };
    let version = version_of(&record);
    let whole = record.plaintext == content(seq, version, RECORD)
        && material.is_some() == has_material(seq)
        && material.is_none_or(|material| material.plaintext == content(seq, version, MATERIAL))
        && claimed == Some((seq, seq))
        && counter.is_some_and(|(count, _)| count == version);
    if whole { Ok(version) } else { Err(format!("half of version {version}")) }
}
