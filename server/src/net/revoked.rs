//! The list of clients that are refused, whatever their certificate says.

use std::collections::BTreeSet;

use crate::trust::identity::Fingerprint;

/// Refused certificates, by fingerprint or serial number.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    fingerprints: BTreeSet<Fingerprint>,
    serials: BTreeSet<Vec<u8>>,
}

impl Revoked {
    /// Reads lines of `sha256 <fingerprint>` or `serial <hexadecimal>`; what follows on a line, and lines that are
    /// empty or begin with `#`, are remarks.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut revoked = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            let wrong = |what: &str| format!("line {number}: {what}");
            match (words.next(), words.next()) {
                (None, _) => {}
                (Some(word), _) if word.starts_with('#') => {}
                (Some("sha256"), Some(text)) => {
                    let fingerprint = Fingerprint::parse(text)
                        .ok_or_else(|| wrong("a SHA-256 fingerprint has 64 hexadecimal digits"))?;
                    revoked.fingerprints.insert(fingerprint);
                }
                (Some("serial"), Some(text)) => {
                    let serial = serial(text).ok_or_else(|| wrong("a serial number has hexadecimal digits"))?;
                    revoked.serials.insert(serial);
                }
                _ => return Err(wrong("expected `sha256 <fingerprint>` or `serial <hexadecimal>`")),
            }
        }
        Ok(revoked)
    }

    /// Whether the list names this certificate, and how.
    pub(crate) fn names(&self, fingerprint: Fingerprint, serial: &[u8]) -> Option<&'static str> {
        if self.fingerprints.contains(&fingerprint) {
            Some("fingerprint")
        } else if self.serials.contains(significant(serial)) {
            Some("serial number")
        } else {
            None
        }
    }
}

fn serial(text: &str) -> Option<Vec<u8>> {
    let digits = text.replace(':', "");
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    let bytes = hex::decode(even).ok()?;
    (!bytes.is_empty()).then(|| significant(&bytes).to_vec())
}

/// Without leading zeros: DER puts one before a number whose first bit is set.
fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_what_it_lists_and_nothing_else() {
        let one = Fingerprint::of(b"one");
        let list = format!("# refused\n\nsha256 {one} left in May\nserial 0x0A:ff\nserial abc\n");
        let revoked = Revoked::parse(&list).unwrap();
        assert_eq!(revoked.names(one, &[1]), Some("fingerprint"));
        let other = Fingerprint::of(b"other");
        assert_eq!(revoked.names(other, &[0, 0x0a, 0xff]), Some("serial number"));
        assert_eq!(revoked.names(other, &[0x0a, 0xbc]), Some("serial number"));
        assert_eq!(revoked.names(other, &[0xff]), None);
        assert_eq!(Revoked::default().names(other, &[]), None);
    }

    #[test]
    fn a_line_that_says_nothing_is_refused() {
        assert!(Revoked::parse("sha256 12").unwrap_err().starts_with("line 1: a SHA-256"));
        assert!(Revoked::parse("\nserial xy").unwrap_err().starts_with("line 2: a serial"));
        assert!(Revoked::parse("backup").unwrap_err().starts_with("line 1: expected"));
    }
}
