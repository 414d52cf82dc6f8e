//! The parameter sets of ML-KEM (FIPS 203), ML-DSA (FIPS 204) and SLH-DSA (FIPS 205), and all that is told of them by
//! numbers.

use kmip_codec::spec::CryptographicAlgorithm as Algorithm;

/// A parameter set. Each is a Cryptographic Algorithm of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterSet {
    /// ML-KEM-512.
    MlKem512,
    /// ML-KEM-768.
    MlKem768,
    /// ML-KEM-1024.
    MlKem1024,
    /// ML-DSA-44.
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
    /// SLH-DSA-SHA2-128s.
    SlhDsaSha2_128s,
    /// SLH-DSA-SHA2-128f.
    SlhDsaSha2_128f,
    /// SLH-DSA-SHA2-192s.
    SlhDsaSha2_192s,
    /// SLH-DSA-SHA2-192f.
    SlhDsaSha2_192f,
    /// SLH-DSA-SHA2-256s.
    SlhDsaSha2_256s,
    /// SLH-DSA-SHA2-256f.
    SlhDsaSha2_256f,
    /// SLH-DSA-SHAKE-128s.
    SlhDsaShake128s,
    /// SLH-DSA-SHAKE-128f.
    SlhDsaShake128f,
    /// SLH-DSA-SHAKE-192s.
    SlhDsaShake192s,
    /// SLH-DSA-SHAKE-192f.
    SlhDsaShake192f,
    /// SLH-DSA-SHAKE-256s.
    SlhDsaShake256s,
    /// SLH-DSA-SHAKE-256f.
    SlhDsaShake256f,
}

/// What parameter sets are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// ML-KEM: encapsulates keys.
    MlKem,
    /// ML-DSA: signs.
    MlDsa,
    /// SLH-DSA: signs, slowly.
    SlhDsa,
}

/// What FIPS 203 (table 3), FIPS 204 (table 2) and FIPS 205 (table 2) say of a parameter set. Lengths are in bytes.
#[derive(Debug)]
struct Row {
    set: ParameterSet,
    algorithm: Algorithm,
    /// As it is stored; it may never change its meaning.
    code: u32,
    family: Family,
    public: usize,
    expanded: usize,
    /// Of a ciphertext or of a signature.
    output: usize,
}

const fn row(set: ParameterSet, algorithm: Algorithm, code: u32, family: Family, lengths: [usize; 3]) -> Row {
    let [public, expanded, output] = lengths;
    Row { set, algorithm, code, family, public, expanded, output }
}

/// The public key of SLH-DSA is two of n bytes, the private one four (FIPS 205 §9.1).
const fn slh(set: ParameterSet, algorithm: Algorithm, code: u32, n: usize, signature: usize) -> Row {
    row(set, algorithm, code, Family::SlhDsa, [n * 2, n * 4, signature])
}

const ROWS: &[Row] = &[
    row(ParameterSet::MlKem512, Algorithm::MLKEM512, 1, Family::MlKem, [800, 1632, 768]),
    row(ParameterSet::MlKem768, Algorithm::MLKEM768, 2, Family::MlKem, [1184, 2400, 1088]),
    row(ParameterSet::MlKem1024, Algorithm::MLKEM1024, 3, Family::MlKem, [1568, 3168, 1568]),
    row(ParameterSet::MlDsa44, Algorithm::MLDSA44, 4, Family::MlDsa, [1312, 2560, 2420]),
    row(ParameterSet::MlDsa65, Algorithm::MLDSA65, 5, Family::MlDsa, [1952, 4032, 3309]),
    row(ParameterSet::MlDsa87, Algorithm::MLDSA87, 6, Family::MlDsa, [2592, 4896, 4627]),
    slh(ParameterSet::SlhDsaSha2_128s, Algorithm::SLHDSASHA2128s, 7, 16, 7856),
    slh(ParameterSet::SlhDsaSha2_128f, Algorithm::SLHDSASHA2128f, 8, 16, 17088),
    slh(ParameterSet::SlhDsaSha2_192s, Algorithm::SLHDSASHA2192s, 9, 24, 16224),
    slh(ParameterSet::SlhDsaSha2_192f, Algorithm::SLHDSASHA2192f, 10, 24, 35664),
    slh(ParameterSet::SlhDsaSha2_256s, Algorithm::SLHDSASHA2256s, 11, 32, 29792),
    slh(ParameterSet::SlhDsaSha2_256f, Algorithm::SLHDSASHA2256f, 12, 32, 49856),
    slh(ParameterSet::SlhDsaShake128s, Algorithm::SLHDSASHAKE128s, 13, 16, 7856),
    slh(ParameterSet::SlhDsaShake128f, Algorithm::SLHDSASHAKE128f, 14, 16, 17088),
    slh(ParameterSet::SlhDsaShake192s, Algorithm::SLHDSASHAKE192s, 15, 24, 16224),
    slh(ParameterSet::SlhDsaShake192f, Algorithm::SLHDSASHAKE192f, 16, 24, 35664),
    slh(ParameterSet::SlhDsaShake256s, Algorithm::SLHDSASHAKE256s, 17, 32, 29792),
    slh(ParameterSet::SlhDsaShake256f, Algorithm::SLHDSASHAKE256f, 18, 32, 49856),
];

const NOTHING: Row = row(ParameterSet::MlKem512, Algorithm(0), 0, Family::MlKem, [0; 3]);

impl ParameterSet {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::MlKem512,
        Self::MlKem768,
        Self::MlKem1024,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::SlhDsaSha2_128s,
        Self::SlhDsaSha2_128f,
        Self::SlhDsaSha2_192s,
        Self::SlhDsaSha2_192f,
        Self::SlhDsaSha2_256s,
        Self::SlhDsaSha2_256f,
        Self::SlhDsaShake128s,
        Self::SlhDsaShake128f,
        Self::SlhDsaShake192s,
        Self::SlhDsaShake192f,
        Self::SlhDsaShake256s,
        Self::SlhDsaShake256f,
    ];

    /// Length of a shared secret of ML-KEM in bytes (FIPS 203 §3.3).
    pub const SHARED_SECRET: usize = 32;

    const fn row(self) -> &'static Row {
        let mut rows = ROWS;
        while let [row, rest @ ..] = rows {
            if row.set as u32 == self as u32 {
                return row;
            }
            rows = rest;
        }
        &NOTHING
    }

    /// The parameter set that an algorithm is.
    pub const fn of(algorithm: Algorithm) -> Option<Self> {
        let mut rows = ROWS;
        while let [row, rest @ ..] = rows {
            if row.algorithm.0 == algorithm.0 {
                return Some(row.set);
            }
            rows = rest;
        }
        None
    }

    /// The Cryptographic Algorithm.
    pub const fn algorithm(self) -> Algorithm {
        self.row().algorithm
    }

    /// The number under which it is stored.
    pub const fn code(self) -> u32 {
        self.row().code
    }

    /// The set that is stored under a number.
    pub fn of_code(code: u32) -> Option<Self> {
        ROWS.iter().find(|row| row.code == code).map(|row| row.set)
    }

    /// What it is of.
    pub const fn family(self) -> Family {
        self.row().family
    }

    /// Whether it encapsulates keys; else it signs.
    pub const fn is_kem(self) -> bool {
        matches!(self.family(), Family::MlKem)
    }

    /// Length of the public key in bytes.
    pub const fn public_len(self) -> usize {
        self.row().public
    }

    /// Length in bytes of the private key as the standards write it: of ML-KEM and ML-DSA the expanded key.
    pub const fn expanded_len(self) -> usize {
        self.row().expanded
    }

    /// Length in bytes of what the private key is made of: d and z of ML-KEM, ξ of ML-DSA. The private key of SLH-DSA is not
    /// made of anything shorter.
    pub const fn seed_len(self) -> Option<usize> {
        match self.family() {
            Family::MlKem => Some(64),
            Family::MlDsa => Some(32),
            Family::SlhDsa => None,
        }
    }

    /// Length of a ciphertext of ML-KEM, or of a signature, in bytes.
    pub const fn output_len(self) -> usize {
        self.row().output
    }

    /// The Cryptographic Length: that of the public key in bits. The standards name none; so count OpenSSL and AWS-LC.
    pub const fn bits(self) -> u32 {
        (self.public_len() as u32).saturating_mul(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_a_row_and_is_found_by_it() {
        assert_eq!(ParameterSet::ALL.len(), ROWS.len());
        for set in ParameterSet::ALL {
            assert_eq!(set.row().set, set);
            assert_eq!(ParameterSet::of(set.algorithm()), Some(set));
            assert_eq!(ParameterSet::of_code(set.code()), Some(set));
            let name = set.algorithm().name().unwrap();
            assert_eq!(format!("{set:?}").replace('_', "").to_lowercase(), name.replace('-', "").to_lowercase());
            let family = format!("{:?}", set.family()).to_lowercase();
            assert!(name.replace('-', "").to_lowercase().starts_with(&family), "{name}");
            assert_eq!(name.starts_with("ML-KEM"), set.is_kem());
        }
    }
}
