//! The authentication suites of the KMIP Profiles documents (2.1 §3): which TLS a profile asks for, and forbids.

use kmip_codec::spec::Version;

use crate::view::Spoken;

/// TLS 1.2, by its number on the wire (RFC 5246).
pub const TLS_1_2: u16 = 0x0303;
/// TLS 1.3, by its number on the wire (RFC 8446).
pub const TLS_1_3: u16 = 0x0304;

/// The TCP port that IANA has assigned.
const PORT: u16 = 5696;

/// The suite that a profile asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// None: the profile speaks of messages alone.
    None,
    /// The Basic Authentication Suite.
    Basic,
    /// The TLS 1.2 Authentication Suite of 1.x.
    Tls12,
    /// Any of those that the version has.
    OneOf,
    /// Suite B with at least 128 bits (KMIP Suite B Profile 1.0 §2.1).
    B128,
    /// Suite B with at least 192 bits (KMIP Suite B Profile 1.0 §4.1).
    B192,
}

/// What a suite asks for, in the documents of some versions. Cipher suites by their numbers at IANA.
struct SuiteRow {
    suite: Suite,
    since: Version,
    until: Option<Version>,
    /// Versions of TLS that must be spoken.
    protocols: &'static [u16],
    /// Cipher suites that must be there where that version of TLS is.
    ciphers: &'static [(u16, &'static [u16])],
    /// Further ones that may be there; `None` where the suite forbids none.
    others: Option<&'static [u16]>,
}

/// The suites. All of the first three are spoken on the assigned port.
static SUITES: &[SuiteRow] = &[
    // TLS_RSA_WITH_AES_128_CBC_SHA.
    SuiteRow {
        suite: Suite::Basic,
        since: Version::V1_0,
        until: Some(Version::V1_4),
        protocols: &[],
        ciphers: &[(TLS_1_2, &[0x002F]), (TLS_1_3, &[0x002F])],
        others: None,
    },
    // TLS_RSA_WITH_AES_128_CBC_SHA256 and _256_.
    SuiteRow {
        suite: Suite::Tls12,
        since: Version::V1_0,
        until: Some(Version::V1_4),
        protocols: &[TLS_1_2],
        ciphers: &[(TLS_1_2, &[0x003C, 0x003D])],
        others: None,
    },
    SuiteRow {
        suite: Suite::Basic,
        since: Version::V2_0,
        until: Some(Version::V2_0),
        protocols: &[TLS_1_2],
        ciphers: &[(TLS_1_2, &[0x003C, 0x003D])],
        others: None,
    },
    // In TLS 1.3 ChaCha20-Poly1305 and AES-256-GCM, and no other; of 1.2 with CBC, RSA or elliptic curves, and of GCM
    // the two with ECDHE and ECDSA (2.1 §3.1.2).
    SuiteRow {
        suite: Suite::Basic,
        since: Version::V2_1,
        until: None,
        protocols: &[TLS_1_3],
        ciphers: &[(TLS_1_3, &[0x1302, 0x1303]), (TLS_1_2, &[0x003C, 0x003D])],
        others: Some(&[
            0x002F, 0x0035, 0x008C, 0x008D, 0xC004, 0xC009, 0xC013, 0xC023, 0xC024, 0xC025, 0xC026, 0xC027, 0xC028,
            0xC029, 0xC02A, 0xC02B, 0xC02C,
        ]),
    },
    // ECDHE and ECDSA with AES-128-GCM, or 256, in TLS 1.2. Other suites would not be Suite B (RFC 6460 §3.1).
    SuiteRow {
        suite: Suite::B128,
        since: Version::V1_0,
        until: Some(Version::V1_4),
        protocols: &[TLS_1_2],
        ciphers: &[(TLS_1_2, &[0xC02B])],
        others: Some(&[0xC02C]),
    },
    SuiteRow {
        suite: Suite::B192,
        since: Version::V1_0,
        until: Some(Version::V1_4),
        protocols: &[TLS_1_2],
        ciphers: &[(TLS_1_2, &[0xC02C])],
        others: Some(&[]),
    },
];

impl Suite {
    /// Whether a profile with this suite is about messages, and not one suite in particular.
    pub fn is_of_messages(self) -> bool {
        matches!(self, Self::None | Self::OneOf)
    }

    /// Whether a server that speaks so has the suite of that version's documents.
    pub fn is_spoken(self, version: Version, spoken: &Spoken) -> bool {
        let wanted = |row: &&SuiteRow| match self {
            Self::None => false,
            Self::OneOf => matches!(row.suite, Self::Basic | Self::Tls12),
            one => row.suite == one,
        };
        self == Self::None
            || SUITES
                .iter()
                .filter(|row| version.within(row.since, row.until))
                .filter(wanted)
                .any(|row| row.is_spoken(spoken))
    }
}

impl SuiteRow {
    fn is_spoken(&self, spoken: &Spoken) -> bool {
        let has = |cipher: &u16| spoken.cipher_suites.contains(cipher);
        let speaks = |protocol: &u16| spoken.protocols.contains(protocol);
        let is_named = |cipher: &u16| {
            let mut asked = self.ciphers.iter().flat_map(|(_, ciphers)| ciphers.iter());
            self.others.is_none_or(|others| others.contains(cipher)) || asked.any(|asked| asked == cipher)
        };
        self.protocols.iter().all(speaks)
            && self.ciphers.iter().filter(|(protocol, _)| speaks(protocol)).all(|(_, ciphers)| ciphers.iter().all(has))
            && spoken.cipher_suites.iter().all(is_named)
            && spoken.ports.contains(&PORT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(protocols: &[u16], cipher_suites: &[u16], port: u16) -> Spoken {
        Spoken {
            protocols: protocols.to_vec(),
            cipher_suites: cipher_suites.to_vec(),
            ports: vec![port],
            ..Spoken::default()
        }
    }

    #[test]
    fn the_basic_suite_of_2_1_is_its_list_and_no_other() {
        let is = |spoken: &Spoken| Suite::Basic.is_spoken(Version::V2_1, spoken);
        assert!(is(&spoken(&[TLS_1_3], &[0x1302, 0x1303], PORT)));
        // One of two, one too many, another port, nothing.
        assert!(!is(&spoken(&[TLS_1_3], &[0x1303], PORT)));
        assert!(!is(&spoken(&[TLS_1_3], &[0x1301, 0x1302, 0x1303], PORT)));
        assert!(!is(&spoken(&[TLS_1_3], &[0x1302, 0x1303], 5697)));
        assert!(!is(&Spoken::default()));
        // Who speaks TLS 1.2, too, must have RSA and CBC there.
        let both = [TLS_1_2, TLS_1_3];
        assert!(!is(&spoken(&both, &[0x1302, 0x1303, 0xC02B, 0xC02C], PORT)));
        assert!(is(&spoken(&both, &[0x1302, 0x1303, 0xC02B, 0xC02C, 0x003C, 0x003D], PORT)));
        assert!(!is(&spoken(&[TLS_1_2], &[0x003C, 0x003D], PORT)));
    }

    #[test]
    fn older_suites_ask_for_rsa_and_cbc() {
        let modern = spoken(&[TLS_1_2, TLS_1_3], &[0x1302, 0x1303, 0xC02B, 0xC030], PORT);
        let old = spoken(&[TLS_1_2], &[0x002F, 0x003C, 0x003D], PORT);
        for &version in Version::ALL.iter().filter(|version| **version < Version::V2_1) {
            assert!(!Suite::OneOf.is_spoken(version, &modern), "{version}");
            assert!(Suite::OneOf.is_spoken(version, &old), "{version}");
            assert!(Suite::None.is_spoken(version, &Spoken::default()), "{version}");
        }
        assert!(!Suite::Tls12.is_spoken(Version::V2_1, &old));
    }

    #[test]
    fn suite_b_is_spoken_alone() {
        let both = spoken(&[TLS_1_2], &[0xC02B, 0xC02C], PORT);
        assert!(Suite::B128.is_spoken(Version::V1_3, &both));
        assert!(!Suite::B192.is_spoken(Version::V1_3, &both));
        assert!(Suite::B192.is_spoken(Version::V1_3, &spoken(&[TLS_1_2], &[0xC02C], PORT)));
        assert!(!Suite::B128.is_spoken(Version::V1_3, &spoken(&[TLS_1_2, TLS_1_3], &[0xC02B, 0x1302], PORT)));
    }
}
