//! What the parameters of mechanisms say.

use cryptoki_sys as ck;
use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, HashingAlgorithm as Hash, MaskGenerator,
    PaddingMethod as Padding, Pkcs11ReturnCode as Code,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use super::table::MECHANISMS;
use super::{Kind, Row};
use crate::failure::Outcome;
use crate::ops::pkcs11::codec::{Mechanism, Reader};
use crate::ops::pkcs11::codes::{Done, Trouble};

/// Length of the tag of ChaCha20-Poly1305, in bytes.
const POLY1305: usize = 16;

/// What a use of a mechanism says.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// As the operations of the server take it.
    pub parameters: Parameters,
    /// The IV, counter block or nonce.
    pub iv: Option<Blob>,
    /// Additional authenticated data.
    pub aad: Option<Blob>,
    /// The length of the tag that stands behind the ciphertext, in bytes.
    pub tag: usize,
    /// The length of the data without its tag, in bytes, where it is said beforehand.
    pub length: Option<u64>,
}

impl Prepared {
    /// The length of the tag.
    pub(in crate::ops::pkcs11) fn tagged(&mut self, tag: usize) {
        self.tag = tag;
        self.parameters.tag_length = i32::try_from(tag).ok();
    }
}

impl Row {
    /// What its parameter says.
    ///
    /// # Errors
    /// MECHANISM_PARAM_INVALID.
    pub fn prepare(&self, mechanism: &Mechanism<'_>) -> Done<Prepared> {
        let mut prepared = self.bare();
        let parameters = &mut prepared.parameters;
        let bare = || if mechanism.parameter.is_none_or(<[u8]>::is_empty) { Ok(()) } else { Err(wrong()) };
        match self.kind {
            Kind::Cipher(algorithm, mode, _) => match mode {
                Mode::ECB => bare()?,
                Mode::CTR => prepared.iv = Some(counter(mechanism)?),
                Mode::GCM => {
                    let (iv, aad, tag) = gcm(mechanism)?;
                    prepared.tagged(tag);
                    prepared.iv = Some(Blob::copy_of(iv));
                    prepared.aad = (!aad.is_empty()).then(|| Blob::copy_of(aad));
                }
                Mode::CCM => {
                    let (length, nonce, aad, tag) = ccm(mechanism)?;
                    prepared.tagged(tag);
                    prepared.length = Some(length);
                    prepared.iv = Some(Blob::copy_of(nonce));
                    prepared.aad = (!aad.is_empty()).then(|| Blob::copy_of(aad));
                }
                _ => {
                    let length = if algorithm == Algorithm::DES3 { 8 } else { 16 };
                    let iv = read(mechanism, |input| input.bytes())?;
                    prepared.iv = Some(iv).filter(|iv| iv.len() == length).map(Blob::copy_of);
                    if prepared.iv.is_none() {
                        return Err(wrong());
                    }
                }
            },
            Kind::ChaCha20(Algorithm::ChaCha20) => {
                let (counter, nonce) = chacha20(mechanism)?;
                parameters.initial_counter_value = Some(counter);
                prepared.iv = Some(Blob::copy_of(nonce));
            }
            Kind::ChaCha20(_) => {
                // CK_SALSA20_CHACHA20_POLY1305_PARAMS: the nonce and the additional data.
                let (nonce, aad) = read(mechanism, |input| Ok((input.bytes()?, input.bytes()?)))?;
                prepared.tagged(POLY1305);
                prepared.iv = Some(Blob::copy_of(nonce));
                prepared.aad = (!aad.is_empty()).then(|| Blob::copy_of(aad));
            }
            Kind::Mac(_, true) => {
                // CK_MAC_GENERAL_PARAMS: a length in bytes.
                let length = either(mechanism, number, |_| true)?;
                parameters.tag_length = Some(i32::try_from(length).map_err(|_| wrong())?);
            }
            Kind::RsaOaep => {
                let (hash, mgf, source, label) =
                    read(mechanism, |input| Ok((input.ulong()?, input.ulong()?, input.ulong()?, input.bytes()?)))?;
                if source > ck::CKZ_DATA_SPECIFIED {
                    return Err(wrong());
                }
                parameters.hashing_algorithm = Some(digest(hash)?);
                mask(parameters, mgf)?;
                parameters.p_source = (!label.is_empty()).then(|| Blob::copy_of(label));
            }
            Kind::RsaSign(hash, Padding::PSS) => pss(parameters, mechanism, Some(hash))?,
            Kind::RsaPss => pss(parameters, mechanism, None)?,
            Kind::Eddsa => {
                // CK_EDDSA_PARAMS: neither of a digest nor with a context.
                if mechanism.parameter.is_some_and(|parameter| !parameter.is_empty())
                    && read(mechanism, |input| Ok((input.flag()?, input.bytes()?.len())))? != (false, 0)
                {
                    return Err(wrong());
                }
            }
            Kind::MlDsa => {
                // CK_SIGN_ADDITIONAL_CONTEXT: hedged, as every signature here is, and without a context.
                if mechanism.parameter.is_some_and(|parameter| !parameter.is_empty()) {
                    let (hedge, context) = read(mechanism, |input| Ok((input.ulong()?, input.bytes()?.len())))?;
                    if hedge > ck::CKH_HEDGE_REQUIRED || context != 0 {
                        return Err(wrong());
                    }
                }
            }
            Kind::Digest(_)
            | Kind::Mac(..)
            | Kind::RsaPkcs
            | Kind::RsaSign(..)
            | Kind::Ecdsa(_)
            | Kind::Wrap(_)
            | Kind::Generate(..)
            | Kind::Pair(_) => bare()?,
            Kind::Derive(_) | Kind::Password => {}
        }
        Ok(prepared)
    }

    /// What the mechanism says without a parameter.
    pub fn bare(&self) -> Prepared {
        let mut parameters = Parameters::default();
        match self.kind {
            Kind::Cipher(algorithm, mode, padded) => {
                parameters.cryptographic_algorithm = Some(algorithm);
                parameters.block_cipher_mode = Some(mode);
                parameters.padding_method = padded.then_some(Padding::PKCS5);
            }
            Kind::ChaCha20(algorithm) => parameters.cryptographic_algorithm = Some(algorithm),
            Kind::Digest(hash) => parameters.hashing_algorithm = Some(hash),
            Kind::Mac(algorithm, _) => {
                parameters.cryptographic_algorithm = Some(algorithm);
                parameters.block_cipher_mode = (algorithm == Algorithm::AES).then_some(Mode::CMAC);
            }
            Kind::RsaPkcs => parameters.padding_method = Some(Padding::PKCS1V15),
            Kind::RsaOaep => parameters.padding_method = Some(Padding::OAEP),
            Kind::RsaSign(hash, padding) => {
                parameters.padding_method = Some(padding);
                parameters.hashing_algorithm = Some(hash);
            }
            Kind::RsaPss => parameters.padding_method = Some(Padding::PSS),
            Kind::Ecdsa(hash) => parameters.hashing_algorithm = hash,
            Kind::Wrap(mode) => parameters.block_cipher_mode = Some(mode),
            Kind::Eddsa | Kind::MlDsa | Kind::Generate(..) | Kind::Pair(_) | Kind::Password | Kind::Derive(_) => {}
        }
        Prepared { parameters, ..Prepared::default() }
    }
}

/// MECHANISM_PARAM_INVALID.
pub(in crate::ops::pkcs11) fn wrong() -> Trouble {
    Code::MechanismParamInvalid.into()
}

/// Reads a parameter that must be there.
pub(in crate::ops::pkcs11) fn read<'a, T>(
    mechanism: &Mechanism<'a>,
    how: impl FnOnce(&mut Reader<'a>) -> Outcome<T>,
) -> Done<T> {
    let parameter = mechanism.parameter.ok_or_else(wrong)?;
    Reader::new(parameter).whole(how).map_err(|_| wrong())
}

/// A CK_ULONG of a structure. The profile lets one read its words so that those that are lengths have four bytes, and both
/// are taken.
pub(in crate::ops::pkcs11) fn number(input: &mut Reader<'_>, width: usize) -> Outcome<u64> {
    match width {
        4 => input.count().map(|count| count as u64),
        _ => input.ulong(),
    }
}

/// Reads a structure whose numbers have eight bytes, or four.
pub(in crate::ops::pkcs11) fn either<'a, T>(
    mechanism: &Mechanism<'a>,
    how: impl Fn(&mut Reader<'a>, usize) -> Outcome<T>,
    is_right: impl Fn(&T) -> bool,
) -> Done<T> {
    let wide = read(mechanism, |input| how(input, 8));
    match wide {
        Ok(value) if is_right(&value) => Ok(value),
        _ => read(mechanism, |input| how(input, 4)).ok().filter(is_right).ok_or_else(wrong),
    }
}

/// CK_AES_CTR_PARAMS. The whole block counts, so that fewer bits make no difference before they wrap, which is refused.
fn counter(mechanism: &Mechanism<'_>) -> Done<Blob> {
    let read = |input: &mut Reader<'_>, width| Ok((number(input, width)?, input.take(16)?.to_vec()));
    let (_, block) = either(mechanism, read, |(bits, _)| *bits == 128)?;
    Ok(Blob::new(block))
}

/// CK_GCM_PARAMS: IV, AAD, and the length of the tag in bytes.
fn gcm<'a>(mechanism: &Mechanism<'a>) -> Done<(&'a [u8], &'a [u8], usize)> {
    let read = |input: &mut Reader<'a>, width| {
        let (iv, bits) = (input.bytes()?, number(input, width)?);
        Ok((iv, bits, input.bytes()?, number(input, width)?))
    };
    // Applications of version 2.40 leave ulIvBits alone.
    let is_right = |(iv, bits, _, tag): &(&[u8], u64, &[u8], u64)| {
        (*bits == 0 || *bits == iv.len() as u64 * 8) && *tag <= 128 && tag.is_multiple_of(8)
    };
    let (iv, _, aad, tag) = either(mechanism, read, is_right)?;
    Ok((iv, aad, usize::try_from(tag / 8).unwrap_or(0)))
}

/// CK_CCM_PARAMS: the length of the data, the nonce, AAD, and the length of the tag, in bytes.
fn ccm<'a>(mechanism: &Mechanism<'a>) -> Done<(u64, &'a [u8], &'a [u8], usize)> {
    let read = |input: &mut Reader<'a>, width| {
        Ok((number(input, width)?, input.bytes()?, input.bytes()?, number(input, width)?))
    };
    let is_right = |(_, nonce, _, tag): &(u64, &[u8], &[u8], u64)| {
        (7..=13).contains(&nonce.len()) && (4..=16).contains(tag) && tag.is_multiple_of(2)
    };
    let (length, nonce, aad, tag) = either(mechanism, read, is_right)?;
    Ok((length, nonce, aad, usize::try_from(tag).unwrap_or(0)))
}

/// CK_CHACHA20_PARAMS: the number of the first block, its least byte first, and the nonce. A nonce of 64 bits goes with a
/// counter of 64, one of 96 with one of 32.
fn chacha20<'a>(mechanism: &Mechanism<'a>) -> Done<(i32, &'a [u8])> {
    let read = |input: &mut Reader<'a>, width| {
        let (counter, counted) = (input.bytes()?, number(input, width)?);
        Ok((counter, counted, input.bytes()?, number(input, width)?))
    };
    let is_right = |(counter, counted, nonce, bits): &(&[u8], u64, &[u8], u64)| {
        (*counted, *bits) == (counter.len() as u64 * 8, nonce.len() as u64 * 8) && matches!(*bits, 64 | 96)
    };
    let (counter, counted, nonce, bits) = either(mechanism, read, is_right)?;
    if !matches!((counted, bits), (64, 64) | (32, 96)) {
        return Err(wrong());
    }
    let number = counter.iter().rev().try_fold(0_u64, |all, byte| Some(all.checked_mul(256)? | u64::from(*byte)));
    let number = number.and_then(|number| i32::try_from(number).ok()).ok_or_else(wrong)?;
    Ok((number, nonce))
}

/// CK_RSA_PKCS_PSS_PARAMS.
fn pss(parameters: &mut Parameters, mechanism: &Mechanism<'_>, hash: Option<Hash>) -> Done<()> {
    let read = |input: &mut Reader<'_>, width| Ok((input.ulong()?, input.ulong()?, number(input, width)?));
    let (named, mgf, salt) = either(mechanism, read, |_| true)?;
    let named = digest(named)?;
    if hash.is_some_and(|hash| hash != named) {
        return Err(wrong());
    }
    parameters.hashing_algorithm = Some(named);
    parameters.salt_length = Some(i32::try_from(salt).map_err(|_| wrong())?);
    mask(parameters, mgf)
}

/// The hash function of a digest mechanism.
pub(in crate::ops::pkcs11) fn digest(id: u64) -> Done<Hash> {
    let found = MECHANISMS.iter().find_map(|row| match row.kind {
        Kind::Digest(hash) if row.id == id => Some(hash),
        _ => None,
    });
    found.ok_or_else(wrong)
}

/// The algorithm of an HMAC mechanism: a pseudorandom function.
pub(in crate::ops::pkcs11) fn pseudorandom(id: u64) -> Done<Algorithm> {
    let found = MECHANISMS.iter().find_map(|row| match row.kind {
        Kind::Mac(algorithm, false) if row.id == id => Some(algorithm),
        _ => None,
    });
    let is_hmac = |algorithm: &Algorithm| crate::crypto::public::hmac_hash(*algorithm).is_some();
    found.filter(is_hmac).ok_or_else(wrong)
}

/// CK_RSA_PKCS_MGF_TYPE.
fn mask(parameters: &mut Parameters, mgf: u64) -> Done<()> {
    let hash = match mgf {
        ck::CKG_MGF1_SHA1 => Hash::SHA1,
        ck::CKG_MGF1_SHA224 => Hash::SHA224,
        ck::CKG_MGF1_SHA256 => Hash::SHA256,
        ck::CKG_MGF1_SHA384 => Hash::SHA384,
        ck::CKG_MGF1_SHA512 => Hash::SHA512,
        ck::CKG_MGF1_SHA3_224 => Hash::SHA3224,
        ck::CKG_MGF1_SHA3_256 => Hash::SHA3256,
        ck::CKG_MGF1_SHA3_384 => Hash::SHA3384,
        ck::CKG_MGF1_SHA3_512 => Hash::SHA3512,
        _ => return Err(wrong()),
    };
    parameters.mask_generator = Some(MaskGenerator::MGF1);
    parameters.mask_generator_hashing_algorithm = Some(hash);
    Ok(())
}
