//! Keys of rows, the short ones of which need no memory of their own: a commit has a dozen, which pass from the thread that
//! answers to the one that writes, and on to what is remembered of rows.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// Keys of so many bytes stand in place: those of all rows but named values.
const SHORT: usize = 38;

/// The key of a row.
#[derive(Clone)]
pub struct Key(Form);

#[derive(Clone)]
enum Form {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl Key {
    /// Parts one behind the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut bytes = [0; SHORT];
        let mut room = &mut bytes[..];
        for part in parts {
            let Some((place, rest)) = room.split_at_mut_checked(part.len()) else {
                return Self(Form::Long(parts.concat().into()));
            };
            place.copy_from_slice(part);
            room = rest;
        }
        let left = room.len();
        Self(Form::Short { length: u8::try_from(SHORT - left).unwrap_or(u8::MAX), bytes })
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Form::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Form::Long(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Self::of(&[bytes])
    }
}

impl<const N: usize> From<[u8; N]> for Key {
    fn from(bytes: [u8; N]) -> Self {
        Self::of(&[&bytes])
    }
}

impl<const N: usize> From<&[u8; N]> for Key {
    fn from(bytes: &[u8; N]) -> Self {
        Self::of(&[bytes])
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= SHORT { Self::of(&[&bytes]) } else { Self(Form::Long(bytes.into())) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Key {}

/// As of the bytes, by which rows are looked for.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_key_is_its_bytes_whatever_it_is_made_from() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 128] {
            let bytes: Vec<u8> = (1..=length as u8).collect();
            let (first, second) = bytes.split_at(length / 2);
            for key in [Key::from(&*bytes), Key::from(bytes.clone()), Key::of(&[first, second])] {
                assert_eq!(&*key, &*bytes);
                let keys = HashSet::from([key]);
                assert!(keys.contains(&*bytes));
            }
        }
        assert_ne!(Key::from([1]), Key::from([1, 0]));
        assert_eq!(size_of::<Key>(), 40);
    }
}
