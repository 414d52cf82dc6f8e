//! Which algorithms, lengths and modes this server may make, keep and use: a preset and what the configuration changes of
//! it. Every new object and every use of a key is held against it in one place each (`View::insert`, `View::with_key`).

mod checked;
mod table;
#[cfg(test)]
mod tests;

use kmip_codec::spec::CryptographicAlgorithm as Algorithm;

pub use self::checked::Checked;
use self::table::ROWS;
pub use self::table::Term;
use super::CryptoError;
use super::algorithm::{
    Cipher, Curve, Derivation, Edwards, Family, Hash, KeyKind, Mac, ParameterSet, RsaCipher, Signature, Wrap,
};
use super::public::hmac_hash;

/// What may happen with an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave(u8);

impl Leave {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Come in, by Register or Import, and stay.
    pub const KEEP: Self = Self(1);
    /// Be made here.
    pub const MAKE: Self = Self(2);
    /// Decrypt, unwrap, verify.
    pub const PROCESS: Self = Self(4);
    /// Encrypt, wrap, sign, make MACs, derive.
    pub const PROTECT: Self = Self(8);
    /// All of it.
    pub const ALL: Self = Self(15);

    /// Both.
    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn words(self) -> &'static str {
        match self {
            Self::KEEP => "be brought to this server",
            Self::MAKE => "be made by this server",
            Self::PROCESS => "be used, not even to decrypt, unwrap or verify,",
            _ => "be used to protect anything",
        }
    }
}

/// A set of algorithms that goes by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// All that the server can do.
    Legacy,
    /// Old ciphers are kept and not used.
    #[default]
    Default,
    /// What NIST approves of.
    Fips,
    /// CNSA 2.0.
    Cnsa2,
}

impl Preset {
    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Default => "default",
            Self::Fips => "fips",
            Self::Cnsa2 => "cnsa2",
        }
    }
}

/// Why changes of a preset make no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// There is no term of the name.
    Unknown {
        /// The list that has it.
        list: &'static str,
        /// What it says.
        name: String,
    },
    /// A term stands in two lists, or twice in one.
    Twice {
        /// The term.
        name: &'static str,
        /// The lists that have it.
        lists: [&'static str; 2],
    },
}

/// What this server permits.
#[derive(Debug, Clone)]
pub struct Permits {
    preset: Preset,
    /// By the number of the term.
    leaves: Vec<Leave>,
    /// The terms that the configuration has changed.
    changed: Vec<Term>,
}

impl Default for Permits {
    fn default() -> Self {
        Self::preset(Preset::default())
    }
}

impl Permits {
    /// A preset as it is.
    pub fn preset(preset: Preset) -> Self {
        let leaves = ROWS.iter().map(|row| row.leaves.get(preset as usize).copied().unwrap_or(Leave::NONE)).collect();
        Self { preset, leaves, changed: Vec::new() }
    }

    /// A preset with changes: terms by their names that may do everything, that may be kept and read, and that may do nothing.
    ///
    /// # Errors
    /// A name that is none; one that stands twice.
    pub fn changed(
        preset: Preset,
        allow: &[String],
        process: &[String],
        forbid: &[String],
    ) -> Result<Self, Contradiction> {
        let mut permits = Self::preset(preset);
        let read = Leave::KEEP.and(Leave::PROCESS);
        let mut places: Vec<(Term, &'static str)> = Vec::new();
        for (list, names, leave) in
            [("allow", allow, Leave::ALL), ("process", process, read), ("forbid", forbid, Leave::NONE)]
        {
            for name in names {
                let row = ROWS.iter().find(|row| row.name.eq_ignore_ascii_case(name));
                let row = row.ok_or_else(|| Contradiction::Unknown { list, name: name.clone() })?;
                if let Some((_, before)) = places.iter().find(|(term, _)| *term == row.term) {
                    return Err(Contradiction::Twice { name: row.name, lists: [before, list] });
                }
                places.push((row.term, list));
                if let Some(own) = permits.leaves.get_mut(row.term as usize) {
                    *own = leave;
                }
            }
        }
        permits.changed = places.into_iter().map(|(term, _)| term).collect();
        Ok(permits)
    }

    /// The names of all terms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|row| row.name)
    }

    /// Whether a term may do so.
    pub fn permits(&self, term: Term, leave: Leave) -> bool {
        self.leaves.get(term as usize).is_some_and(|own| own.contains(leave))
    }

    /// Refuses what a term may not.
    ///
    /// # Errors
    /// Forbidden, with the rule.
    pub fn check(&self, term: Term, leave: Leave) -> Result<(), CryptoError> {
        if self.permits(term, leave) { Ok(()) } else { Err(CryptoError::Forbidden(self.rule(term, leave))) }
    }

    fn rule(&self, term: Term, leave: Leave) -> String {
        let name = ROWS.get(term as usize).map_or("", |row| row.name);
        let by = if self.changed.contains(&term) { "[algorithms] names it" } else { "[algorithms]" };
        format!("{name} may not {}: {by}, preset = \"{}\"", leave.words(), self.preset.name())
    }

    /// A key, by what it is. Bytes that are no AES key are judged by the algorithm that uses them.
    ///
    /// # Errors
    /// Forbidden.
    pub fn key(&self, kind: KeyKind, leave: Leave) -> Result<(), CryptoError> {
        match kind {
            KeyKind::Aes { bits } => self.check(aes(bits), leave),
            KeyKind::Rsa { bits } => self.check(rsa(bits), leave),
            KeyKind::Ec { curve } => self.check(on(curve), leave),
            KeyKind::PostQuantum { set } => self.check(of_set(set), leave),
            KeyKind::Edwards { curve } => self.check(edwards(curve), leave),
            KeyKind::Generic { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20 => Ok(()),
        }
    }

    /// A key, by its Cryptographic Algorithm and its Cryptographic Length in bits. What only the curve tells is left to
    /// [`Permits::key`].
    ///
    /// # Errors
    /// Forbidden.
    pub fn algorithm(&self, algorithm: Algorithm, bits: Option<u32>, leave: Leave) -> Result<(), CryptoError> {
        match algorithm {
            Algorithm::AES => bits.map_or(Ok(()), |bits| self.check(aes(bits), leave)),
            Algorithm::RSA => bits.map_or(Ok(()), |bits| self.check(rsa(bits), leave)),
            Algorithm::EC | Algorithm::ECDSA | Algorithm::ECDH | Algorithm::ECMQV => Ok(()),
            Algorithm::Ed25519 => self.check(Term::Ed25519, leave),
            Algorithm::Ed448 => self.check(Term::Ed448, leave),
            Algorithm::DES3 => self.check(Term::TripleDes, leave),
            Algorithm::ChaCha20 | Algorithm::ChaCha20Poly1305 | Algorithm::Poly1305 => {
                self.check(Term::ChaCha20, leave)
            }
            other if let Some(set) = ParameterSet::of(other) => self.check(of_set(set), leave),
            other => match hmac_hash(other) {
                Some(hash) => {
                    self.check(digest(hash), leave)?;
                    self.hmac_length(bits, leave)
                }
                None => self.check(Term::Other, leave),
            },
        }
    }

    /// SP 800-131A: a key of HMAC has 112 bits at least.
    fn hmac_length(&self, bits: Option<u32>, leave: Leave) -> Result<(), CryptoError> {
        if bits.is_some_and(|bits| bits < 112) { self.check(Term::HmacShort, leave) } else { Ok(()) }
    }

    /// Encryption or decryption.
    ///
    /// # Errors
    /// Forbidden.
    pub fn cipher(&self, key: KeyKind, cipher: &Cipher<'_>, leave: Leave) -> Result<(), CryptoError> {
        match (cipher, key) {
            // The key is two keys of half its length.
            (Cipher::AesXts { .. }, KeyKind::Aes { bits }) => self.check(aes(bits / 2), leave)?,
            (Cipher::AesXts { .. }, KeyKind::Generic { .. }) => self.check(Term::Aes256, leave)?,
            _ => self.key(key, leave)?,
        }
        match cipher {
            Cipher::AesGcm { .. } => self.check(Term::Gcm, leave),
            Cipher::AesCcm { .. } => self.check(Term::Ccm, leave),
            Cipher::AesXts { .. } => self.check(Term::Xts, leave),
            Cipher::AesWrap(_) => self.check(Term::KeyWrap, leave),
            Cipher::AesCbc { .. } => self.check(Term::Cbc, leave),
            Cipher::AesCtr { .. } => self.check(Term::Ctr, leave),
            Cipher::AesEcb { .. } => self.check(Term::Ecb, leave),
            Cipher::AesCfb { .. } => self.check(Term::Cfb, leave),
            Cipher::AesOfb { .. } => self.check(Term::Ofb, leave),
            Cipher::TdesCbc { .. } => {
                self.check(Term::TripleDes, leave)?;
                self.check(Term::Cbc, leave)
            }
            Cipher::TdesEcb { .. } => {
                self.check(Term::TripleDes, leave)?;
                self.check(Term::Ecb, leave)
            }
            Cipher::ChaCha20 { .. } | Cipher::ChaCha20Poly1305 { .. } => self.check(Term::ChaCha20, leave),
        }
    }

    /// Encryption or decryption with RSA.
    ///
    /// # Errors
    /// Forbidden.
    pub fn rsa_cipher(&self, key: KeyKind, cipher: &RsaCipher<'_>, leave: Leave) -> Result<(), CryptoError> {
        self.key(key, leave)?;
        match cipher {
            RsaCipher::Pkcs1 => self.check(Term::RsaPkcs1Encryption, leave),
            RsaCipher::Oaep { hash, mgf, .. } => {
                self.check(Term::RsaOaep, leave)?;
                self.hash(*hash, leave)?;
                self.hash(*mgf, leave)
            }
        }
    }

    /// Encryption or decryption with ML-KEM: what HPKE consists of.
    ///
    /// # Errors
    /// Forbidden.
    pub fn hpke(&self, key: KeyKind, leave: Leave) -> Result<(), CryptoError> {
        self.key(key, leave)?;
        self.check(Term::Hkdf, leave)?;
        self.hmac_of(Hash::Sha512, leave)?;
        self.check(Term::Aes256, leave)?;
        self.check(Term::Gcm, leave)
    }

    /// A signature, made or verified.
    ///
    /// # Errors
    /// Forbidden.
    pub fn signature(&self, key: KeyKind, scheme: Signature, leave: Leave) -> Result<(), CryptoError> {
        self.key(key, leave)?;
        let (term, hash) = match scheme {
            Signature::RsaPkcs1(hash) => (Term::RsaPkcs1, Some(hash)),
            Signature::RsaPkcs1Bare => (Term::RsaPkcs1, None),
            Signature::RsaPss { hash, .. } => (Term::RsaPss, Some(hash)),
            Signature::Ecdsa(hash) => (Term::Ecdsa, Some(hash)),
            Signature::EcdsaBare => (Term::Ecdsa, None),
            // The set of the key says it all.
            Signature::MlDsa | Signature::SlhDsa => return Ok(()),
            // The hash function is the algorithm's own.
            Signature::Eddsa => return self.check(Term::Eddsa, leave),
        };
        self.check(term, leave)?;
        if let Signature::RsaPss { mgf, .. } = scheme {
            // What ended SHA-1 in signatures are collisions, which a mask does not mind: for it SHA-1 is SHA-1 elsewhere.
            self.hash(mgf, leave)?;
        }
        match hash {
            Some(Hash::Sha1) => self.check(Term::Sha1Signature, leave),
            Some(hash) => self.hash(hash, leave),
            None => self.check(Term::BareDigest, leave),
        }
    }

    /// A MAC, made or verified.
    ///
    /// # Errors
    /// Forbidden.
    pub fn mac(&self, key: KeyKind, mac: Mac, leave: Leave) -> Result<(), CryptoError> {
        self.key(key, leave)?;
        match mac {
            Mac::Hmac(hash) => {
                self.hmac_of(hash, leave)?;
                let bits = match key {
                    KeyKind::Generic { bytes } => Some(bytes.saturating_mul(8)),
                    _ => None,
                };
                self.hmac_length(bits, leave)
            }
            Mac::Cmac => self.check(Term::Cmac, leave),
            Mac::Poly1305 => self.check(Term::ChaCha20, leave),
        }
    }

    /// A key wrapped or unwrapped.
    ///
    /// # Errors
    /// Forbidden.
    pub fn wrap(&self, key: KeyKind, wrap: Wrap, leave: Leave) -> Result<(), CryptoError> {
        self.key(key, leave)?;
        match wrap {
            Wrap::AesKw | Wrap::AesKwp => self.check(Term::KeyWrap, leave),
        }
    }

    /// A key derived.
    ///
    /// # Errors
    /// Forbidden.
    pub fn derivation(&self, key: KeyKind, how: &Derivation<'_>, leave: Leave) -> Result<(), CryptoError> {
        self.key(key, leave)?;
        match how {
            Derivation::Hash(hash) => {
                self.check(Term::Derived, leave)?;
                self.hash(*hash, leave)
            }
            Derivation::Hmac { hash, .. } => {
                self.check(Term::Derived, leave)?;
                self.hmac_of(*hash, leave)
            }
            Derivation::Encrypt { cipher, .. } => {
                self.cipher(key, cipher, leave)?;
                self.check(Term::Derived, leave)
            }
            Derivation::AwsSignature4 { .. } => {
                self.check(Term::Derived, leave)?;
                self.hmac_of(Hash::Sha256, leave)
            }
            Derivation::Pbkdf2 { hash, .. } => {
                self.check(Term::Pbkdf2, leave)?;
                self.hmac_of(*hash, leave)
            }
            Derivation::Nist800108 { hash, .. } => {
                self.check(Term::Nist800108, leave)?;
                self.hmac_of(*hash, leave)
            }
            Derivation::Hkdf { hash, .. } => {
                self.check(Term::Hkdf, leave)?;
                self.hmac_of(*hash, leave)
            }
            Derivation::Ecdh { .. } => self.check(Term::Ecdh, leave),
            // The set of the key says it all.
            Derivation::Decapsulate { .. } => Ok(()),
        }
    }

    /// HMAC with a hash function, by itself or within something else.
    fn hmac_of(&self, hash: Hash, leave: Leave) -> Result<(), CryptoError> {
        self.check(Term::Hmac, leave)?;
        self.hash(hash, leave)
    }

    /// Whether keys are made here that withstand quantum computers, and used: to agree on others and to sign.
    pub fn is_quantum_safe(&self) -> bool {
        let whole = |set: &ParameterSet| self.permits(of_set(*set), Leave::MAKE.and(Leave::PROTECT));
        let (agreeing, signing): (Vec<_>, Vec<_>) = ParameterSet::ALL.iter().partition(|set| set.is_kem());
        agreeing.into_iter().any(whole) && signing.into_iter().any(whole)
    }

    /// A hash function, anywhere but in signatures.
    ///
    /// # Errors
    /// Forbidden.
    pub fn hash(&self, hash: Hash, leave: Leave) -> Result<(), CryptoError> {
        self.check(digest(hash), leave)
    }
}

const fn aes(bits: u32) -> Term {
    match bits {
        0..=128 => Term::Aes128,
        129..=192 => Term::Aes192,
        _ => Term::Aes256,
    }
}

const fn rsa(bits: u32) -> Term {
    match bits {
        0..2048 => Term::RsaShort,
        2048..3072 => Term::Rsa2048,
        _ => Term::Rsa3072,
    }
}

const fn on(curve: Curve) -> Term {
    match curve {
        Curve::P224 => Term::P224,
        Curve::P256 => Term::P256,
        Curve::P384 => Term::P384,
        Curve::P521 => Term::P521,
        Curve::Secp256k1 => Term::Secp256k1,
    }
}

const fn of_set(set: ParameterSet) -> Term {
    match set {
        _ if matches!(set.family(), Family::SlhDsa) => Term::SlhDsa,
        ParameterSet::MlKem512 => Term::MlKem512,
        ParameterSet::MlKem768 => Term::MlKem768,
        ParameterSet::MlKem1024 => Term::MlKem1024,
        ParameterSet::MlDsa44 => Term::MlDsa44,
        ParameterSet::MlDsa65 => Term::MlDsa65,
        _ => Term::MlDsa87,
    }
}

const fn edwards(curve: Edwards) -> Term {
    match curve {
        Edwards::Ed25519 => Term::Ed25519,
        Edwards::Ed448 => Term::Ed448,
        Edwards::X25519 => Term::X25519,
        Edwards::X448 => Term::X448,
    }
}

const fn digest(hash: Hash) -> Term {
    match hash {
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => Term::Md5,
        Hash::Sha1 => Term::Sha1,
        Hash::Sha224 | Hash::Sha512_224 => Term::Sha224,
        Hash::Sha256 | Hash::Sha512_256 => Term::Sha256,
        Hash::Sha384 => Term::Sha384,
        Hash::Sha512 => Term::Sha512,
        Hash::Sha3_224 | Hash::Sha3_256 | Hash::Sha3_384 | Hash::Sha3_512 => Term::Sha3,
    }
}
