//! What must be in the store, kept beside it: a damaged sled folder can open as an empty one.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::store::{StoreError, durable};

/// The version of everything in the folder.
pub(super) const SCHEMA: u32 = 2;

/// The oldest version that can be opened; from then on the folder is of ours, which older servers refuse. 1 has other
/// index rows, which are written anew.
const OLDEST: u32 = 1;

const NAME: &str = "store.toml";

/// The content of `store.toml`.
pub(super) struct Marker {
    /// The version that was found, or that a new store has.
    pub(super) schema: u32,
    /// The store's random number.
    pub(super) id: [u8; 16],
    /// So many groups of commits were durable when this was written: with fewer, something is lost.
    pub(super) commits: u64,
}

#[derive(Serialize, Deserialize)]
struct Text {
    schema: u32,
    id: String,
    commits: u64,
}

impl Marker {
    /// A marker for a new store.
    pub(super) fn new() -> io::Result<Self> {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| io::Error::other("no random numbers"))?;
        Ok(Self { schema: SCHEMA, id, commits: 0 })
    }

    /// Reads the marker of the store in this folder.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::Io(format!("{}: {error}", path.display()))),
        };
        let unreadable = |why: &str| StoreError::Io(format!("{} cannot be read: {why}", path.display()));
        let table: toml::Table = text.parse().map_err(|_| unreadable("it is not TOML"))?;
        // The version first: another one may have other fields.
        let schema =
            table.get("schema").and_then(toml::Value::as_integer).and_then(|schema| u32::try_from(schema).ok());
        if schema.is_none_or(|schema| !(OLDEST..=SCHEMA).contains(&schema)) {
            return Err(StoreError::Schema {
                path: folder.display().to_string(),
                found: table.get("schema").map_or_else(|| "none".to_owned(), ToString::to_string),
                known: SCHEMA,
            });
        }
        let text: Text = table.try_into().map_err(|_| unreadable("a field is missing or of another type"))?;
        let mut id = [0; 16];
        hex::decode_to_slice(&text.id, &mut id).map_err(|_| unreadable("the id is not 32 hexadecimal digits"))?;
        Ok(Some(Self { schema: text.schema, id, commits: text.commits }))
    }

    /// Replaces the marker in this folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let text = Text { schema: SCHEMA, id: hex::encode(self.id), commits: self.commits };
        let text = toml::to_string(&text).map_err(io::Error::other)?;
        durable::write(&folder.join(NAME), text.as_bytes())
    }

    /// Refuses a store with fewer commits than there were.
    pub(super) fn expect(&self, folder: &Path, commits: u64) -> Result<(), StoreError> {
        if commits >= self.commits {
            return Ok(());
        }
        Err(StoreError::Lost(format!(
            "{} has lost data: it holds {commits} groups of commits and had {} when {NAME} was written; restore it from a backup",
            folder.display(),
            self.commits
        )))
    }
}

/// The error for a store with rows and without a marker.
pub(super) fn missing(folder: &Path) -> StoreError {
    StoreError::Lost(format!("{} holds rows but no {NAME}; restore both from the same backup", folder.display()))
}
