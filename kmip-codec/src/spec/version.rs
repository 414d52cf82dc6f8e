//! The protocol versions.

use std::fmt;

/// A version of the protocol, as in Protocol Version (KMIP 2.1 §8.17, 1.4 §6.1).
///
/// Any pair of numbers can be held, so that a table row may name a version that is not spoken yet; what a peer may ask for
/// is what [`Version::supported`] answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Protocol Version Major.
    pub major: u8,
    /// Protocol Version Minor.
    pub minor: u8,
}

impl Version {
    /// KMIP 1.0.
    pub const V1_0: Self = Self::new(1, 0);
    /// KMIP 1.1.
    pub const V1_1: Self = Self::new(1, 1);
    /// KMIP 1.2.
    pub const V1_2: Self = Self::new(1, 2);
    /// KMIP 1.3.
    pub const V1_3: Self = Self::new(1, 3);
    /// KMIP 1.4.
    pub const V1_4: Self = Self::new(1, 4);
    /// KMIP 2.0.
    pub const V2_0: Self = Self::new(2, 0);
    /// KMIP 2.1.
    pub const V2_1: Self = Self::new(2, 1);

    /// Every version spoken, newest first: the order in which Discover Versions answers.
    pub const ALL: &'static [Self] =
        &[Self::V2_1, Self::V2_0, Self::V1_4, Self::V1_3, Self::V1_2, Self::V1_1, Self::V1_0];

    /// The version of that number, spoken or not.
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }

    /// The version of that number if it is spoken; the numbers are those of the wire.
    pub fn supported(major: i32, minor: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|v| i32::from(v.major) == major && i32::from(v.minor) == minor)
    }

    /// Whether messages are of the second kind: attributes by tag, no Template-Attribute.
    pub const fn is_v2(self) -> bool {
        self.major >= 2
    }

    /// Whether this version lies in a row's range, both ends included.
    #[inline]
    pub fn within(self, since: Self, until: Option<Self>) -> bool {
        self >= since && until.is_none_or(|last| self <= last)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A version as the tables write it: `1.4`.
macro_rules! version {
    (1.0) => {
        $crate::spec::Version::V1_0
    };
    (1.1) => {
        $crate::spec::Version::V1_1
    };
    (1.2) => {
        $crate::spec::Version::V1_2
    };
    (1.3) => {
        $crate::spec::Version::V1_3
    };
    (1.4) => {
        $crate::spec::Version::V1_4
    };
    (2.0) => {
        $crate::spec::Version::V2_0
    };
    (2.1) => {
        $crate::spec::Version::V2_1
    };
}

/// The last version of a row: `until 1.4`, or nothing while the row still stands.
macro_rules! last_version {
    () => {
        None
    };
    ($version:tt) => {
        Some($crate::spec::version::version!($version))
    };
}

pub(crate) use {last_version, version};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_newest_first() {
        assert!(Version::ALL.is_sorted_by(|a, b| a > b));
        assert_eq!(Version::ALL.len(), 7);
    }

    #[test]
    fn supported_versions_are_those_of_the_list() {
        assert_eq!(Version::supported(1, 4), Some(Version::V1_4));
        assert_eq!(Version::supported(1, 5), None);
        assert_eq!(Version::supported(3, 0), None);
        assert_eq!(Version::supported(257, 0), None);
        assert_eq!(Version::supported(-1, 0), None);
    }

    #[test]
    fn a_row_covers_both_its_ends() {
        assert!(Version::V1_1.within(Version::V1_1, Some(Version::V1_4)));
        assert!(Version::V1_4.within(Version::V1_1, Some(Version::V1_4)));
        assert!(!Version::V2_0.within(Version::V1_1, Some(Version::V1_4)));
        assert!(!Version::V1_0.within(Version::V1_1, None));
        assert!(Version::new(3, 0).within(Version::V1_1, None));
    }

    #[test]
    fn shown_with_a_dot() {
        assert_eq!(Version::V2_1.to_string(), "2.1");
        assert!(Version::V2_0.is_v2() && !Version::V1_4.is_v2());
    }
}
