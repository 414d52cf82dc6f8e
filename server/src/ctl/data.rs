//! Data from files and to files, standard input and output. Files that are written are their owner's alone.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::commands::Style;
use super::show::Report;
use super::{Error, Outcome};
use crate::secret::Secret;

/// More than this is no key and no message of KMIP, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Where a command's data come from.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Input {
    /// The file to read; standard input if none is said, or `-`
    #[arg(long = "in", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Where a command's data go to.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Output {
    /// The file to write, which must not be there yet; only its owner can read it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "hex"])]
    pub out: Option<PathBuf>,
    /// Write the bytes as they are to standard output
    #[arg(long, conflicts_with = "hex")]
    pub raw: bool,
    /// Write the bytes as hexadecimal digits to standard output
    #[arg(long)]
    pub hex: bool,
}

impl Input {
    /// Reads all of it.
    ///
    /// # Errors
    /// The file cannot be read, or is too long.
    pub fn read(&self) -> Outcome<Secret> {
        match self.file.as_deref().filter(|path| *path != Path::new("-")) {
            Some(path) => read(path),
            None => {
                if io::stdin().is_terminal() {
                    // Nobody to tell if this fails.
                    let _ = writeln!(io::stderr(), "kmipctl: reading standard input up to its end (Ctrl-D)");
                }
                collect(io::stdin().lock(), "standard input")
            }
        }
    }
}

impl Output {
    /// Whether a place was named.
    pub const fn is_named(&self) -> bool {
        self.out.is_some() || self.raw || self.hex
    }

    /// Gives what an operation made: the bytes, and what must be known besides. With a file, or where only the bytes go
    /// through standard output, the rest is the report; on a pipe it goes to standard error.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn give(
        &self,
        title: &'static str,
        bytes: &[u8],
        mut more: Vec<(&'static str, String)>,
        style: Style,
    ) -> Outcome<Report> {
        if self.out.is_some() {
            self.write(bytes)?;
            return Ok(Report::record(&more));
        }
        if style.json || self.hex || (!self.raw && io::stdout().is_terminal()) {
            more.push((title, hex::encode(bytes)));
            return Ok(Report::record(&more));
        }
        self.write(bytes)?;
        // Nobody to tell if this fails.
        let _ = io::stderr().write_all(Report::record(&more).text.as_bytes());
        Ok(Report::default())
    }

    /// Writes the bytes where they were asked for; without a word on that, as they are, or to a terminal as hexadecimal
    /// digits.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn write(&self, bytes: &[u8]) -> Outcome<()> {
        let failed = |error: io::Error| Error::failed(format!("cannot write standard output: {error}"));
        let mut stdout = io::stdout().lock();
        match &self.out {
            Some(path) => write_new(path, bytes),
            None if self.hex || (!self.raw && stdout.is_terminal()) => {
                let text = Secret::new(hex::encode(bytes).into_bytes());
                stdout.write_all(text.expose()).and_then(|()| stdout.write_all(b"\n")).map_err(failed)
            }
            None => stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(failed),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// The file cannot be read, or is too long.
pub fn read(path: &Path) -> Outcome<Secret> {
    let file = fs::File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::failed(format!("there is no file {}", path.display())),
        _ => Error::failed(format!("cannot read {}: {error}", path.display())),
    })?;
    collect(file, &path.display().to_string())
}

fn collect(source: impl Read, place: &str) -> Outcome<Secret> {
    let mut bytes = Vec::new();
    let read = source.take(LONGEST + 1).read_to_end(&mut bytes);
    let secret = Secret::new(bytes);
    read.map_err(|error| Error::failed(format!("cannot read {place}: {error}")))?;
    if secret.len() as u64 > LONGEST {
        return Err(Error::failed(format!("{place} is longer than {} MiB", LONGEST >> 20)));
    }
    Ok(secret)
}

fn write_new(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::failed(format!("{} is there already; nothing was written", path.display()))
        }
        _ => Error::failed(format!("cannot write {}: {error}", path.display())),
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| {
        // Ours, and not whole; the first failure is the one to report.
        let _ = fs::remove_file(path);
        Error::failed(format!("cannot write {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let output = Output { out: Some(path.clone()), ..Output::default() };
        output.write(b"\0\xff").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().expose(), b"\0\xff");
        let again = output.write(b"other").unwrap_err();
        assert!(again.to_string().ends_with("is there already; nothing was written"), "{again}");
        assert_eq!(read(&path).unwrap().expose(), b"\0\xff");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = read(Path::new("/nowhere/key")).unwrap_err();
        assert_eq!(error.to_string(), "there is no file /nowhere/key");
        let long = collect(io::repeat(7), "it").unwrap_err();
        assert_eq!(long.to_string(), "it is longer than 16 MiB");
    }
}
