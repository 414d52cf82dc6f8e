//! The parameter sets of ML-KEM (FIPS 203) and ML-DSA (FIPS 204), and all that is told of them by numbers.

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
}

/// What FIPS 203 (table 3) and FIPS 204 (table 2) say of a parameter set. Lengths are in bytes.
#[derive(Debug)]
struct Row {
    set: ParameterSet,
    algorithm: Algorithm,
    /// As it is stored; it may never change its meaning.
    code: u32,
    is_kem: bool,
    public: usize,
    expanded: usize,
    /// Of a ciphertext or of a signature.
    output: usize,
}

const fn row(set: ParameterSet, algorithm: Algorithm, code: u32, is_kem: bool, lengths: [usize; 3]) -> Row {
    let [public, expanded, output] = lengths;
    Row { set, algorithm, code, is_kem, public, expanded, output }
}

const ROWS: &[Row] = &[
    row(ParameterSet::MlKem512, Algorithm::MLKEM512, 1, true, [800, 1632, 768]),
    row(ParameterSet::MlKem768, Algorithm::MLKEM768, 2, true, [1184, 2400, 1088]),
    row(ParameterSet::MlKem1024, Algorithm::MLKEM1024, 3, true, [1568, 3168, 1568]),
    row(ParameterSet::MlDsa44, Algorithm::MLDSA44, 4, false, [1312, 2560, 2420]),
    row(ParameterSet::MlDsa65, Algorithm::MLDSA65, 5, false, [1952, 4032, 3309]),
    row(ParameterSet::MlDsa87, Algorithm::MLDSA87, 6, false, [2592, 4896, 4627]),
];

const NOTHING: Row = row(ParameterSet::MlKem512, Algorithm(0), 0, false, [0; 3]);

impl ParameterSet {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::MlKem512, Self::MlKem768, Self::MlKem1024, Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

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

    /// Whether it encapsulates keys; else it signs.
    pub const fn is_kem(self) -> bool {
        self.row().is_kem
    }

    /// Length of the public key in bytes.
    pub const fn public_len(self) -> usize {
        self.row().public
    }

    /// Length in bytes of the private key as FIPS 203 and FIPS 204 write it: the expanded key.
    pub const fn expanded_len(self) -> usize {
        self.row().expanded
    }

    /// Length in bytes of what the private key is made of: d and z of ML-KEM, ξ of ML-DSA.
    pub const fn seed_len(self) -> usize {
        if self.is_kem() { 64 } else { 32 }
    }

    /// Length of a ciphertext of ML-KEM, or of a signature of ML-DSA, in bytes.
    pub const fn output_len(self) -> usize {
        self.row().output
    }

    /// The Cryptographic Length: that of the public key in bits. The standards name none; so count OpenSSL and AWS-LC.
    pub const fn bits(self) -> u32 {
        (self.public_len() as u32).saturating_mul(8)
    }
}

/// The algorithms of SLH-DSA (FIPS 205). The server keeps their keys and does not use them.
pub const fn is_slh_dsa(algorithm: Algorithm) -> bool {
    matches!(algorithm.0, 0x3F..=0x4A)
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
            assert_eq!(format!("{set:?}").to_lowercase(), name.replace('-', "").to_lowercase());
            assert_eq!(name.starts_with("ML-KEM"), set.is_kem());
        }
    }

    #[test]
    fn slh_dsa_is_what_its_names_say() {
        use kmip_codec::spec::Enumeration;
        for row in Algorithm::TABLE {
            assert_eq!(is_slh_dsa(Algorithm(row.value)), row.name.starts_with("SLH-DSA"), "{}", row.name);
        }
    }
}
