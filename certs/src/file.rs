//! Files that hold private keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a private key to a new file that only its owner can read (mode 0600), and returns when it is on disk.
///
/// # Errors
/// `AlreadyExists` if there is anything at the path, a dangling symbolic link included: keys are never
/// overwritten. Otherwise what the system reports; a half-written file is removed again.
pub fn write_private(path: &Path, pem: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(pem.as_bytes()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // The first failure is the one to report; the file is ours, since it was new.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_the_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write_private(&path, "secret\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "first").unwrap();
        assert_eq!(write_private(&path, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");

        let link = folder.path().join("link.pem");
        let target = folder.path().join("elsewhere.pem");
        symlink(&target, &link).unwrap();
        assert_eq!(write_private(&link, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(!target.exists());
    }
}
