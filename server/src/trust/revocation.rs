//! The revocation lists of `[validation]`: their files, and what was last read of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;

use crate::crypto::chain::RevocationList;

/// When a file was last changed, and how long it is; nothing for one that is not there.
type Mark = Option<(SystemTime, u64)>;

/// Revocation lists that are read anew when their files change.
#[derive(Debug, Default)]
pub struct RevocationLists {
    files: Vec<PathBuf>,
    seen: Mutex<Vec<Mark>>,
    present: RwLock<Arc<Vec<RevocationList>>>,
}

impl RevocationLists {
    /// Reads the lists of files, PEM or DER.
    ///
    /// # Errors
    /// Which of them cannot be read or is none.
    pub fn load(files: Vec<PathBuf>) -> Result<Self, String> {
        let seen = Mutex::new(marks(&files));
        let present = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, seen, present })
    }

    /// Those that were last read.
    pub fn present(&self) -> Arc<Vec<RevocationList>> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them anew if a file looks different from the last time. Answers whether that was so.
    ///
    /// # Errors
    /// As for [`RevocationLists::load`], once for each change; those that were read before stay.
    pub fn renew(&self) -> Result<bool, String> {
        if self.files.is_empty() {
            return Ok(false);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks(&self.files);
        if *seen == marks {
            return Ok(false);
        }
        *seen = marks;
        let lists = Arc::new(read(&self.files)?);
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = lists;
        Ok(true)
    }
}

fn marks(files: &[PathBuf]) -> Vec<Mark> {
    let mark = |path: &PathBuf| fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len()))).ok();
    files.iter().map(mark).collect()
}

fn read(files: &[PathBuf]) -> Result<Vec<RevocationList>, String> {
    let lists: Vec<Vec<RevocationList>> = files.iter().map(|path| read_one(path)).collect::<Result<_, _>>()?;
    Ok(lists.into_iter().flatten().collect())
}

/// The lists of a file: several in PEM, or one in DER, as authorities publish them.
fn read_one(path: &Path) -> Result<Vec<RevocationList>, String> {
    let wrong = |why: String| format!("{}: {why}", path.display());
    let bytes = fs::read(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let found: Vec<Vec<u8>> = if bytes.first() == Some(&SEQUENCE) {
        vec![bytes]
    } else {
        CertificateRevocationListDer::pem_slice_iter(&bytes)
            .map(|list| list.map(|der| der.as_ref().to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(format!("not revocation lists in PEM: {error}")))?
    };
    if found.is_empty() {
        return Err(wrong("it holds no revocation list, neither in PEM nor in DER".to_owned()));
    }
    found.into_iter().map(|der| RevocationList::new(der).map_err(|failure| wrong(failure.message))).collect()
}

/// What a list in DER begins with; PEM is text.
const SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::{DAY, Entity};
    use crate::view::testing::NOW;

    fn pem(der: &[u8]) -> String {
        x509_cert::der::pem::encode_string("X509 CRL", x509_cert::der::pem::LineEnding::LF, der).unwrap()
    }

    #[test]
    fn lists_are_read_anew_when_a_file_changes_and_stay_when_it_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crl.pem");
        let of = |serials: &[(u8, i64)]| Entity::new("CN=root").revocation_list(serials, NOW, NOW + DAY, |_| {});
        assert!(RevocationLists::load(vec![path.clone()]).is_err());
        fs::write(&path, pem(&of(&[]))).unwrap();
        let lists = RevocationLists::load(vec![path.clone()]).unwrap();
        assert_eq!(lists.present().len(), 1);
        assert_eq!(lists.renew(), Ok(false));
        fs::write(&path, [pem(&of(&[(1, NOW)])), pem(&of(&[]))].concat()).unwrap();
        assert_eq!(lists.renew(), Ok(true));
        assert_eq!(lists.present().len(), 2);
        fs::write(&path, of(&[])).unwrap();
        assert_eq!(lists.renew(), Ok(true));
        assert_eq!(lists.present().len(), 1);
        for wrong in ["", "nothing at all", &pem(&[0x30, 0]), "0"] {
            fs::write(&path, wrong).unwrap();
            assert!(lists.renew().is_err(), "{wrong}");
            // Said once, and forgotten nothing.
            assert_eq!(lists.renew(), Ok(false));
            assert_eq!(lists.present().len(), 1);
        }
    }
}
