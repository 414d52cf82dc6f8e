//! Derivations in the module's words: which mechanism, and its parameters in C. What has no mechanism of its own is put
//! together of one that there is, or refused.

use std::ptr::null_mut;

use cryptoki_sys::{
    CK_AES_CBC_ENCRYPT_DATA_PARAMS, CK_DES_CBC_ENCRYPT_DATA_PARAMS, CK_ECDH1_DERIVE_PARAMS, CK_FALSE, CK_HKDF_PARAMS,
    CK_KEY_DERIVATION_STRING_DATA, CK_MECHANISM, CK_MECHANISM_TYPE, CK_PRF_DATA_PARAM, CK_SP800_108_BYTE_ARRAY,
    CK_SP800_108_COUNTER, CK_SP800_108_COUNTER_FORMAT, CK_SP800_108_FEEDBACK_KDF_PARAMS,
    CK_SP800_108_ITERATION_VARIABLE, CK_SP800_108_KDF_PARAMS, CK_TRUE, CK_ULONG, CKD_NULL, CKF_HKDF_SALT_DATA,
    CKF_HKDF_SALT_NULL, CKM_AES_CBC_ENCRYPT_DATA, CKM_AES_ECB_ENCRYPT_DATA, CKM_DES3_CBC_ENCRYPT_DATA,
    CKM_DES3_ECB_ENCRYPT_DATA, CKM_ECDH1_DERIVE, CKM_HKDF_DERIVE, CKM_ML_KEM, CKM_SHA_1, CKM_SHA1_KEY_DERIVATION,
    CKM_SHA3_224, CKM_SHA3_224_KEY_DERIVATION, CKM_SHA3_256, CKM_SHA3_256_KEY_DERIVATION, CKM_SHA3_384,
    CKM_SHA3_384_KEY_DERIVATION, CKM_SHA3_512, CKM_SHA3_512_KEY_DERIVATION, CKM_SHA224, CKM_SHA224_KEY_DERIVATION,
    CKM_SHA256, CKM_SHA256_KEY_DERIVATION, CKM_SHA384, CKM_SHA384_KEY_DERIVATION, CKM_SHA512, CKM_SHA512_224,
    CKM_SHA512_224_KEY_DERIVATION, CKM_SHA512_256, CKM_SHA512_256_KEY_DERIVATION, CKM_SHA512_KEY_DERIVATION,
    CKM_SP800_108_COUNTER_KDF, CKM_SP800_108_DOUBLE_PIPELINE_KDF, CKM_SP800_108_FEEDBACK_KDF,
};
use zeroize::Zeroizing;

use super::ops::hmac;
use super::raw::{input, laid, length, ulong};
use crate::crypto::algorithm::{Cipher, Derivation, Hash, Iteration, KeyKind};
use crate::crypto::keyformat::{EcPublicParts, EdwardsPublic};
use crate::crypto::{CryptoError, padding};

const BLOCK: usize = 16;
/// Length of a block of triple DES in bytes.
const SMALL: usize = 8;

/// A derivation with what was put together for it.
#[derive(Debug)]
pub(super) enum Deriving<'a> {
    /// CKM_SHA…_KEY_DERIVATION.
    Digest(CK_MECHANISM_TYPE),
    /// CKM_ECDH1_DERIVE, without a function behind it.
    Ecdh { point: Vec<u8> },
    /// CKM_ML_KEM: not C_DeriveKey makes a key of the ciphertext, but C_DecapsulateKey.
    Decapsulate(&'a [u8]),
    /// One with some data and nothing else, as CKM_AES_ECB_ENCRYPT_DATA.
    Data { mechanism: CK_MECHANISM_TYPE, data: Zeroizing<Vec<u8>> },
    /// CKM_AES_CBC_ENCRYPT_DATA.
    Cbc { iv: [u8; BLOCK], data: Zeroizing<Vec<u8>> },
    /// CKM_DES3_CBC_ENCRYPT_DATA.
    SmallCbc { iv: [u8; SMALL], data: Zeroizing<Vec<u8>> },
    /// CKM_HKDF_DERIVE, both halves.
    Hkdf { hash: CK_MECHANISM_TYPE, salt: &'a [u8], info: &'a [u8] },
    /// A function of SP 800-108 with an HMAC. The iteration variable comes first; what follows is a counter of 32 bits, if
    /// it is counted, and the data.
    Kdf {
        mechanism: CK_MECHANISM_TYPE,
        prf: CK_MECHANISM_TYPE,
        first: &'a [u8],
        counted: bool,
        data: Zeroizing<Vec<u8>>,
    },
}

impl<'a> Deriving<'a> {
    /// The derivation of so many bytes.
    ///
    /// # Errors
    /// Unsupported where PKCS#11 has no such derivation; Bad Parameters where it does not go with the key.
    pub(super) fn of(base: KeyKind, how: &Derivation<'a>, len: usize) -> Result<Self, CryptoError> {
        if base.is_pair() != matches!(how, Derivation::Ecdh { .. } | Derivation::Decapsulate { .. }) {
            return Err(CryptoError::BadParameters(format!("this derivation does not go with a key that is {base:?}")));
        }
        let lacks = || CryptoError::Unsupported(format!("in the HSM module: {}", how.name()));
        Ok(match *how {
            // A module may set the parity bits of such a key, and what is made of its very bytes would be something else.
            Derivation::Hash(_) | Derivation::Hmac { .. } | Derivation::Nist800108 { .. } | Derivation::Hkdf { .. }
                if matches!(base, KeyKind::TripleDes { .. }) =>
            {
                return Err(lacks());
            }
            Derivation::Hash(hash) => Self::Digest(numbers(hash).ok_or_else(lacks)?.1),
            Derivation::Ecdh { peer } if matches!(base, KeyKind::Ec { .. }) => {
                Self::Ecdh { point: EcPublicParts::from_spki(peer)?.point }
            }
            Derivation::Ecdh { peer } if matches!(base, KeyKind::Edwards { curve } if !curve.signs()) => {
                Self::Ecdh { point: EdwardsPublic::from_spki(peer)?.key }
            }
            Derivation::Decapsulate { ciphertext } => match base {
                KeyKind::PostQuantum { set } if set.is_kem() => Self::Decapsulate(ciphertext),
                _ => return Err(CryptoError::BadParameters(format!("ML-KEM does not go with a key that is {base:?}"))),
            },
            Derivation::Encrypt { cipher, data } => {
                cipher.check_encrypt(base, data.len())?;
                let padded = padding::pad(cipher.padding(), data, cipher.unit())?;
                // In these modes a block depends on no later one: what would be cut off is not asked for.
                let needed = padded.get(..len.next_multiple_of(cipher.unit())).unwrap_or(&padded);
                let data = Zeroizing::new(needed.to_vec());
                match cipher {
                    Cipher::AesEcb { .. } => Self::Data { mechanism: CKM_AES_ECB_ENCRYPT_DATA, data },
                    Cipher::AesCbc { iv, .. } => Self::Cbc { iv: iv.try_into().map_err(|_| lacks())?, data },
                    Cipher::TdesEcb { .. } => Self::Data { mechanism: CKM_DES3_ECB_ENCRYPT_DATA, data },
                    Cipher::TdesCbc { iv, .. } => Self::SmallCbc { iv: iv.try_into().map_err(|_| lacks())?, data },
                    _ => return Err(lacks()),
                }
            }
            Derivation::Hkdf { hash, salt, info } => {
                Self::Hkdf { hash: numbers(hash).ok_or_else(lacks)?.0, salt, info }
            }
            // One round of the feedback mode, from nothing, without a counter, is the HMAC of the data.
            Derivation::Hmac { hash, data } if len <= hash.len() => Self::Kdf {
                mechanism: CKM_SP800_108_FEEDBACK_KDF,
                prf: hmac(hash).ok_or_else(lacks)?,
                first: &[],
                counted: false,
                data: Zeroizing::new(data.to_vec()),
            },
            Derivation::Nist800108 { mode, hash, data } => {
                let (mechanism, first): (_, &'a [u8]) = match mode {
                    Iteration::Counter => (CKM_SP800_108_COUNTER_KDF, &[]),
                    Iteration::Feedback(first) => (CKM_SP800_108_FEEDBACK_KDF, first),
                    Iteration::DoublePipeline => (CKM_SP800_108_DOUBLE_PIPELINE_KDF, &[]),
                };
                // The length is written here, as the software does, and not left to the module.
                let bits = u32::try_from(len.saturating_mul(8)).map_err(|_| lacks())?;
                let data = Zeroizing::new([data, &bits.to_be_bytes()].concat());
                Self::Kdf { mechanism, prf: hmac(hash).ok_or_else(lacks)?, first, counted: true, data }
            }
            _ => return Err(lacks()),
        })
    }

    /// The number of the mechanism.
    pub(super) const fn mechanism(&self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Digest(mechanism) | Self::Data { mechanism, .. } | Self::Kdf { mechanism, .. } => *mechanism,
            Self::Ecdh { .. } => CKM_ECDH1_DERIVE,
            Self::Decapsulate(_) => CKM_ML_KEM,
            Self::Cbc { .. } => CKM_AES_CBC_ENCRYPT_DATA,
            Self::SmallCbc { .. } => CKM_DES3_CBC_ENCRYPT_DATA,
            Self::Hkdf { .. } => CKM_HKDF_DERIVE,
        }
    }

    /// Lays it out in C for the length of a call.
    pub(super) fn lay<T>(&self, run: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
        let number = self.mechanism();
        match self {
            Self::Digest(_) | Self::Decapsulate(_) => {
                run(&mut CK_MECHANISM { mechanism: number, pParameter: null_mut(), ulParameterLen: 0 })
            }
            Self::Ecdh { point } => {
                let mut parameter = CK_ECDH1_DERIVE_PARAMS {
                    kdf: CKD_NULL,
                    ulSharedDataLen: 0,
                    pSharedData: null_mut(),
                    ulPublicDataLen: length(point),
                    pPublicData: input(point),
                };
                run(&mut laid(number, &mut parameter))
            }
            Self::Data { data, .. } => {
                let mut parameter = CK_KEY_DERIVATION_STRING_DATA { pData: input(data), ulLen: length(data) };
                run(&mut laid(number, &mut parameter))
            }
            Self::Cbc { iv, data } => {
                let mut parameter =
                    CK_AES_CBC_ENCRYPT_DATA_PARAMS { iv: *iv, pData: input(data), length: length(data) };
                run(&mut laid(number, &mut parameter))
            }
            Self::SmallCbc { iv, data } => {
                let mut parameter =
                    CK_DES_CBC_ENCRYPT_DATA_PARAMS { iv: *iv, pData: input(data), length: length(data) };
                run(&mut laid(number, &mut parameter))
            }
            Self::Hkdf { hash, salt, info } => {
                let is_salted = !salt.is_empty();
                let mut parameter = CK_HKDF_PARAMS {
                    bExtract: CK_TRUE,
                    bExpand: CK_TRUE,
                    prfHashMechanism: *hash,
                    ulSaltType: if is_salted { CKF_HKDF_SALT_DATA } else { CKF_HKDF_SALT_NULL },
                    pSalt: if is_salted { input(salt) } else { null_mut() },
                    ulSaltLen: length(salt),
                    hSaltKey: 0,
                    pInfo: if info.is_empty() { null_mut() } else { input(info) },
                    ulInfoLen: length(info),
                };
                run(&mut laid(number, &mut parameter))
            }
            Self::Kdf { prf, first, counted, data, .. } => lay_kdf(number, *prf, first, *counted, data, run),
        }
    }
}

fn lay_kdf<T>(
    mechanism: CK_MECHANISM_TYPE,
    prf: CK_MECHANISM_TYPE,
    first: &[u8],
    counted: bool,
    data: &[u8],
    run: impl FnOnce(*mut CK_MECHANISM) -> T,
) -> T {
    let mut counter = CK_SP800_108_COUNTER_FORMAT { bLittleEndian: CK_FALSE, ulWidthInBits: 32 };
    let counter_len = ulong(size_of_val(&counter));
    let counter = std::ptr::from_mut(&mut counter).cast();
    let none = |kind: CK_ULONG| CK_PRF_DATA_PARAM { type_: kind, pValue: null_mut(), ulValueLen: 0 };
    let by_counter = |kind| CK_PRF_DATA_PARAM { type_: kind, pValue: counter, ulValueLen: counter_len };
    let is_counter_mode = mechanism == CKM_SP800_108_COUNTER_KDF;
    // In counter mode the counter is the iteration variable itself.
    let mut list = vec![if is_counter_mode {
        by_counter(CK_SP800_108_ITERATION_VARIABLE)
    } else {
        none(CK_SP800_108_ITERATION_VARIABLE)
    }];
    if counted && !is_counter_mode {
        list.push(by_counter(CK_SP800_108_COUNTER));
    }
    if !data.is_empty() {
        let (value, len) = (input(data).cast(), length(data));
        list.push(CK_PRF_DATA_PARAM { type_: CK_SP800_108_BYTE_ARRAY, pValue: value, ulValueLen: len });
    }
    if mechanism == CKM_SP800_108_FEEDBACK_KDF {
        let mut parameter = CK_SP800_108_FEEDBACK_KDF_PARAMS {
            prfType: prf,
            ulNumberOfDataParams: length(&list),
            pDataParams: list.as_mut_ptr(),
            ulIVLen: length(first),
            pIV: if first.is_empty() { null_mut() } else { input(first) },
            ulAdditionalDerivedKeys: 0,
            pAdditionalDerivedKeys: null_mut(),
        };
        return run(&mut laid(mechanism, &mut parameter));
    }
    let mut parameter = CK_SP800_108_KDF_PARAMS {
        prfType: prf,
        ulNumberOfDataParams: length(&list),
        pDataParams: list.as_mut_ptr(),
        ulAdditionalDerivedKeys: 0,
        pAdditionalDerivedKeys: null_mut(),
    };
    run(&mut laid(mechanism, &mut parameter))
}

/// The mechanism of a hash function, and that of a key made by it.
const fn numbers(hash: Hash) -> Option<(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE)> {
    Some(match hash {
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => return None,
        Hash::Sha1 => (CKM_SHA_1, CKM_SHA1_KEY_DERIVATION),
        Hash::Sha224 => (CKM_SHA224, CKM_SHA224_KEY_DERIVATION),
        Hash::Sha256 => (CKM_SHA256, CKM_SHA256_KEY_DERIVATION),
        Hash::Sha384 => (CKM_SHA384, CKM_SHA384_KEY_DERIVATION),
        Hash::Sha512 => (CKM_SHA512, CKM_SHA512_KEY_DERIVATION),
        Hash::Sha512_224 => (CKM_SHA512_224, CKM_SHA512_224_KEY_DERIVATION),
        Hash::Sha512_256 => (CKM_SHA512_256, CKM_SHA512_256_KEY_DERIVATION),
        Hash::Sha3_224 => (CKM_SHA3_224, CKM_SHA3_224_KEY_DERIVATION),
        Hash::Sha3_256 => (CKM_SHA3_256, CKM_SHA3_256_KEY_DERIVATION),
        Hash::Sha3_384 => (CKM_SHA3_384, CKM_SHA3_384_KEY_DERIVATION),
        Hash::Sha3_512 => (CKM_SHA3_512, CKM_SHA3_512_KEY_DERIVATION),
    })
}
