//! The mechanisms of the token, one row each: what it is among the operations of the server, and what its parameter says.

use cryptoki_sys as ck;
use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, HashingAlgorithm as Hash, MaskGenerator,
    PaddingMethod as Padding, Pkcs11ReturnCode as Code,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use super::Call;
use super::codec::{Mechanism, Reader, Writer};
use super::codes::Done;
use super::general::{self, SLOT};
use crate::crypto::permits::{Leave, Permits, Term};
use crate::crypto::public;
use crate::failure::Outcome;
use crate::view::Settings;

/// A mechanism.
pub struct Row {
    /// CK_MECHANISM_TYPE.
    pub id: u64,
    /// What it does.
    pub kind: Kind,
    /// The smallest and the largest key: in bytes for AES, in bits else.
    keys: (u64, u64),
    /// CKF_…: what it may be used for.
    pub flags: u64,
}

/// What a mechanism is among the operations of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A block cipher, which may be padded.
    Cipher(Algorithm, Mode, bool),
    /// A digest.
    Digest(Hash),
    /// HMAC.
    Hmac(Algorithm),
    /// RSA with PKCS #1 v1.5: encryption, and signatures of a DigestInfo.
    RsaPkcs,
    /// RSA with OAEP.
    RsaOaep,
    /// RSA signatures with a hash.
    RsaSign(Hash, Padding),
    /// RSA with PSS of a digest.
    RsaPss,
    /// ECDSA of data, or of a digest.
    Ecdsa(Option<Hash>),
    /// A way to wrap keys.
    Wrap(Mode),
    /// A key is generated.
    Generate(Algorithm),
    /// A key pair is generated.
    Pair(Algorithm),
    /// A key is derived. What the parameter says is read where that is done.
    Derive(Derives),
}

/// How a key is derived from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derives {
    /// Key agreement with a public key that the parameter has.
    Agreement,
    /// HKDF, extracting and expanding.
    Hkdf,
    /// The digest of the key.
    Digest(Hash),
    /// Data of the parameter, encrypted by AES.
    Encryption(Mode),
}

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
}

const AES: (u64, u64) = (16, 32);
const TDES: (u64, u64) = (128, 192);
const RSA: (u64, u64) = (2048, 4096);
const EC: (u64, u64) = (224, 521);
const BYTES: (u64, u64) = (8, 4096);
const NONE: (u64, u64) = (0, 0);
const BOTH: u64 = ck::CKF_ENCRYPT | ck::CKF_DECRYPT;
const SIGNS: u64 = ck::CKF_SIGN | ck::CKF_VERIFY;
const CURVES: u64 = ck::CKF_EC_F_P | ck::CKF_EC_NAMEDCURVE | ck::CKF_EC_UNCOMPRESS;

/// Every mechanism.
static MECHANISMS: &[Row] = &[
    row(ck::CKM_AES_KEY_GEN, Kind::Generate(Algorithm::AES), AES, ck::CKF_GENERATE),
    row(ck::CKM_AES_ECB, Kind::Cipher(Algorithm::AES, Mode::ECB, false), AES, BOTH),
    row(ck::CKM_AES_CBC, Kind::Cipher(Algorithm::AES, Mode::CBC, false), AES, BOTH),
    row(ck::CKM_AES_CBC_PAD, Kind::Cipher(Algorithm::AES, Mode::CBC, true), AES, BOTH),
    row(ck::CKM_AES_CTR, Kind::Cipher(Algorithm::AES, Mode::CTR, false), AES, BOTH),
    row(ck::CKM_AES_GCM, Kind::Cipher(Algorithm::AES, Mode::GCM, false), AES, BOTH),
    row(ck::CKM_AES_OFB, Kind::Cipher(Algorithm::AES, Mode::OFB, false), AES, BOTH),
    row(ck::CKM_AES_CFB128, Kind::Cipher(Algorithm::AES, Mode::CFB, false), AES, BOTH),
    row(ck::CKM_AES_KEY_WRAP, Kind::Wrap(Mode::NISTKeyWrap), AES, ck::CKF_WRAP | ck::CKF_UNWRAP),
    row(ck::CKM_AES_KEY_WRAP_KWP, Kind::Wrap(Mode::AESKeyWrapPadding), AES, ck::CKF_WRAP | ck::CKF_UNWRAP),
    row(ck::CKM_DES3_ECB, Kind::Cipher(Algorithm::DES3, Mode::ECB, false), TDES, BOTH),
    row(ck::CKM_DES3_CBC, Kind::Cipher(Algorithm::DES3, Mode::CBC, false), TDES, BOTH),
    row(ck::CKM_DES3_CBC_PAD, Kind::Cipher(Algorithm::DES3, Mode::CBC, true), TDES, BOTH),
    row(ck::CKM_GENERIC_SECRET_KEY_GEN, Kind::Generate(Algorithm::HMACSHA256), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA_1_HMAC, Kind::Hmac(Algorithm::HMACSHA1), BYTES, SIGNS),
    row(ck::CKM_SHA224_HMAC, Kind::Hmac(Algorithm::HMACSHA224), BYTES, SIGNS),
    row(ck::CKM_SHA256_HMAC, Kind::Hmac(Algorithm::HMACSHA256), BYTES, SIGNS),
    row(ck::CKM_SHA384_HMAC, Kind::Hmac(Algorithm::HMACSHA384), BYTES, SIGNS),
    row(ck::CKM_SHA512_HMAC, Kind::Hmac(Algorithm::HMACSHA512), BYTES, SIGNS),
    row(ck::CKM_MD5, Kind::Digest(Hash::MD5), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA_1, Kind::Digest(Hash::SHA1), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA224, Kind::Digest(Hash::SHA224), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA256, Kind::Digest(Hash::SHA256), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA384, Kind::Digest(Hash::SHA384), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA512, Kind::Digest(Hash::SHA512), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_224, Kind::Digest(Hash::SHA3224), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_256, Kind::Digest(Hash::SHA3256), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_384, Kind::Digest(Hash::SHA3384), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_512, Kind::Digest(Hash::SHA3512), NONE, ck::CKF_DIGEST),
    row(ck::CKM_RSA_PKCS_KEY_PAIR_GEN, Kind::Pair(Algorithm::RSA), RSA, ck::CKF_GENERATE_KEY_PAIR),
    row(ck::CKM_RSA_PKCS, Kind::RsaPkcs, RSA, BOTH | SIGNS),
    row(ck::CKM_RSA_PKCS_OAEP, Kind::RsaOaep, RSA, BOTH),
    row(ck::CKM_SHA1_RSA_PKCS, Kind::RsaSign(Hash::SHA1, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA224_RSA_PKCS, Kind::RsaSign(Hash::SHA224, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA256_RSA_PKCS, Kind::RsaSign(Hash::SHA256, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA384_RSA_PKCS, Kind::RsaSign(Hash::SHA384, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA512_RSA_PKCS, Kind::RsaSign(Hash::SHA512, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_RSA_PKCS_PSS, Kind::RsaPss, RSA, SIGNS),
    row(ck::CKM_SHA1_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA1, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA224_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA224, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA256_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA256, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA384_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA384, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA512_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA512, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_EC_KEY_PAIR_GEN, Kind::Pair(Algorithm::EC), EC, ck::CKF_GENERATE_KEY_PAIR | CURVES),
    row(ck::CKM_ECDSA, Kind::Ecdsa(None), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA1, Kind::Ecdsa(Some(Hash::SHA1)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA224, Kind::Ecdsa(Some(Hash::SHA224)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA256, Kind::Ecdsa(Some(Hash::SHA256)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA384, Kind::Ecdsa(Some(Hash::SHA384)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA512, Kind::Ecdsa(Some(Hash::SHA512)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDH1_DERIVE, Kind::Derive(Derives::Agreement), EC, ck::CKF_DERIVE | CURVES),
    row(ck::CKM_HKDF_DERIVE, Kind::Derive(Derives::Hkdf), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA1_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA1)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA224_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA224)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA256_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA256)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA384_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA384)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA512_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA512)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_AES_ECB_ENCRYPT_DATA, Kind::Derive(Derives::Encryption(Mode::ECB)), AES, ck::CKF_DERIVE),
    row(ck::CKM_AES_CBC_ENCRYPT_DATA, Kind::Derive(Derives::Encryption(Mode::CBC)), AES, ck::CKF_DERIVE),
];

const fn row(id: u64, kind: Kind, keys: (u64, u64), flags: u64) -> Row {
    Row { id, kind, keys, flags }
}

/// Those that a server that is configured so offers.
fn offered(settings: &Settings) -> impl Iterator<Item = &'static Row> {
    MECHANISMS.iter().filter(|row| row.kind.is_permitted(&settings.permits))
}

impl Kind {
    /// Whether the configured algorithms leave anything of it. What a key's length or a parameter adds is judged when it is
    /// used.
    fn is_permitted(&self, permits: &Permits) -> bool {
        let processes = |term| permits.permits(term, Leave::PROCESS);
        let hash = |hash: Hash| public::hash_named(hash).is_some_and(|hash| permits.hash(hash, Leave::PROCESS).is_ok());
        match *self {
            Self::Cipher(algorithm, mode, _) => {
                let mode = match mode {
                    Mode::ECB => Term::Ecb,
                    Mode::CBC => Term::Cbc,
                    Mode::CTR => Term::Ctr,
                    Mode::OFB => Term::Ofb,
                    Mode::CFB => Term::Cfb,
                    _ => Term::Gcm,
                };
                processes(mode) && (algorithm != Algorithm::DES3 || processes(Term::TripleDes))
            }
            Self::Digest(named) => hash(named),
            Self::Hmac(algorithm) => {
                processes(Term::Hmac)
                    && public::hmac_hash(algorithm).is_some_and(|hash| permits.hash(hash, Leave::PROCESS).is_ok())
            }
            Self::RsaPkcs => processes(Term::RsaPkcs1) || processes(Term::RsaPkcs1Encryption),
            Self::RsaOaep => processes(Term::RsaOaep),
            Self::RsaSign(named, padding) => {
                let scheme = if padding == Padding::PSS { Term::RsaPss } else { Term::RsaPkcs1 };
                let sha1 = named != Hash::SHA1 || processes(Term::Sha1Signature);
                processes(scheme) && sha1 && hash(named)
            }
            Self::RsaPss => processes(Term::RsaPss),
            Self::Ecdsa(named) => {
                let sha1 = named != Some(Hash::SHA1) || processes(Term::Sha1Signature);
                processes(Term::Ecdsa) && sha1 && named.is_none_or(hash)
            }
            Self::Wrap(_) => processes(Term::KeyWrap),
            Self::Generate(Algorithm::AES) => {
                [Term::Aes128, Term::Aes192, Term::Aes256].into_iter().any(|term| permits.permits(term, Leave::MAKE))
            }
            Self::Generate(_) => true,
            Self::Pair(Algorithm::RSA) => {
                [Term::Rsa2048, Term::Rsa3072].into_iter().any(|term| permits.permits(term, Leave::MAKE))
            }
            Self::Pair(_) => {
                let curves = [Term::P224, Term::P256, Term::P384, Term::P521, Term::Secp256k1];
                curves.into_iter().any(|term| permits.permits(term, Leave::MAKE))
            }
            Self::Derive(Derives::Digest(named)) => permits.permits(Term::Derived, Leave::PROTECT) && hash(named),
            Self::Derive(Derives::Encryption(mode)) => {
                permits.permits(Term::Derived, Leave::PROTECT)
                    && Self::Cipher(Algorithm::AES, mode, false).is_permitted(permits)
            }
            Self::Derive(Derives::Hkdf) => permits.permits(Term::Hkdf, Leave::PROTECT),
            Self::Derive(Derives::Agreement) => permits.permits(Term::Ecdh, Leave::PROTECT),
        }
    }
}

/// A mechanism that may be used so.
///
/// # Errors
/// MECHANISM_INVALID.
pub fn usable(id: u64, flag: u64, settings: &Settings) -> Done<&'static Row> {
    let found = offered(settings).find(|row| row.id == id && row.flags & flag != 0);
    found.ok_or_else(|| Code::MechanismInvalid.into())
}

/// C_GetMechanismList.
pub fn get_mechanism_list(call: &mut Call<'_>) -> Done {
    let (slot, room) = call.read(|input| Ok((input.ulong()?, input.room()?)))?;
    if slot != SLOT {
        return Err(Code::SlotIdInvalid.into());
    }
    let all: Vec<u64> = offered(&call.view.shared().settings).map(|row| row.id).collect();
    general::list(room, all.len(), |out| all.into_iter().fold(out, Writer::ulong))
}

/// C_GetMechanismInfo: CK_MECHANISM_INFO.
pub fn get_mechanism_info(call: &mut Call<'_>) -> Done {
    let (slot, id) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    if slot != SLOT {
        return Err(Code::SlotIdInvalid.into());
    }
    let row = usable(id, u64::MAX, &call.view.shared().settings)?;
    let (least, most) = row.keys;
    Ok(Writer::default().ulong(least).ulong(most).ulong(row.flags).finish())
}

impl Row {
    /// What its parameter says.
    ///
    /// # Errors
    /// MECHANISM_PARAM_INVALID.
    pub fn prepare(&self, mechanism: &Mechanism<'_>) -> Done<Prepared> {
        let mut prepared = Prepared::default();
        let parameters = &mut prepared.parameters;
        let bare = || if mechanism.parameter.is_none_or(<[u8]>::is_empty) { Ok(()) } else { Err(wrong()) };
        match self.kind {
            Kind::Cipher(algorithm, mode, padded) => {
                parameters.cryptographic_algorithm = Some(algorithm);
                parameters.block_cipher_mode = Some(mode);
                parameters.padding_method = padded.then_some(Padding::PKCS5);
                match mode {
                    Mode::ECB => bare()?,
                    Mode::CTR => prepared.iv = Some(counter(mechanism)?),
                    Mode::GCM => {
                        let (iv, aad, tag) = gcm(mechanism)?;
                        prepared.tag = tag;
                        parameters.tag_length = i32::try_from(tag).ok();
                        prepared.iv = Some(Blob::copy_of(iv));
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
                }
            }
            Kind::Digest(hash) => {
                bare()?;
                parameters.hashing_algorithm = Some(hash);
            }
            Kind::Hmac(algorithm) => {
                bare()?;
                parameters.cryptographic_algorithm = Some(algorithm);
            }
            Kind::RsaPkcs => {
                bare()?;
                parameters.padding_method = Some(Padding::PKCS1V15);
            }
            Kind::RsaOaep => {
                let (hash, mgf, source, label) =
                    read(mechanism, |input| Ok((input.ulong()?, input.ulong()?, input.ulong()?, input.bytes()?)))?;
                if source > ck::CKZ_DATA_SPECIFIED {
                    return Err(wrong());
                }
                parameters.padding_method = Some(Padding::OAEP);
                parameters.hashing_algorithm = Some(digest(hash)?);
                mask(parameters, mgf)?;
                parameters.p_source = (!label.is_empty()).then(|| Blob::copy_of(label));
            }
            Kind::RsaSign(hash, Padding::PSS) => pss(parameters, mechanism, Some(hash))?,
            Kind::RsaPss => pss(parameters, mechanism, None)?,
            Kind::RsaSign(hash, padding) => {
                bare()?;
                parameters.padding_method = Some(padding);
                parameters.hashing_algorithm = Some(hash);
            }
            Kind::Ecdsa(hash) => {
                bare()?;
                parameters.hashing_algorithm = hash;
            }
            Kind::Wrap(mode) => {
                bare()?;
                parameters.block_cipher_mode = Some(mode);
            }
            Kind::Generate(_) | Kind::Pair(_) => bare()?,
            Kind::Derive(_) => {}
        }
        Ok(prepared)
    }
}

pub(super) fn wrong() -> super::codes::Trouble {
    Code::MechanismParamInvalid.into()
}

/// Reads a parameter that must be there.
pub(super) fn read<'a, T>(mechanism: &Mechanism<'a>, how: impl FnOnce(&mut Reader<'a>) -> Outcome<T>) -> Done<T> {
    let parameter = mechanism.parameter.ok_or_else(wrong)?;
    Reader::new(parameter).whole(how).map_err(|_| wrong())
}

/// A CK_ULONG of a structure. The profile lets one read its words so that those that are lengths have four bytes, and both
/// are taken.
fn number(input: &mut Reader<'_>, width: usize) -> Outcome<u64> {
    match width {
        4 => input.count().map(|count| count as u64),
        _ => input.ulong(),
    }
}

/// Reads a structure whose numbers have eight bytes, or four.
fn either<'a, T>(
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

/// CK_RSA_PKCS_PSS_PARAMS.
fn pss(parameters: &mut Parameters, mechanism: &Mechanism<'_>, hash: Option<Hash>) -> Done<()> {
    let read = |input: &mut Reader<'_>, width| Ok((input.ulong()?, input.ulong()?, number(input, width)?));
    let (named, mgf, salt) = either(mechanism, read, |_| true)?;
    let named = digest(named)?;
    if hash.is_some_and(|hash| hash != named) {
        return Err(wrong());
    }
    parameters.padding_method = Some(Padding::PSS);
    parameters.hashing_algorithm = Some(named);
    parameters.salt_length = Some(i32::try_from(salt).map_err(|_| wrong())?);
    mask(parameters, mgf)
}

/// The hash function of a digest mechanism.
pub(super) fn digest(id: u64) -> Done<Hash> {
    let found = MECHANISMS.iter().find_map(|row| match row.kind {
        Kind::Digest(hash) if row.id == id => Some(hash),
        _ => None,
    });
    found.ok_or_else(wrong)
}

/// CK_RSA_PKCS_MGF_TYPE.
fn mask(parameters: &mut Parameters, mgf: u64) -> Done<()> {
    let hash = match mgf {
        ck::CKG_MGF1_SHA1 => Hash::SHA1,
        ck::CKG_MGF1_SHA224 => Hash::SHA224,
        ck::CKG_MGF1_SHA256 => Hash::SHA256,
        ck::CKG_MGF1_SHA384 => Hash::SHA384,
        ck::CKG_MGF1_SHA512 => Hash::SHA512,
        _ => return Err(wrong()),
    };
    parameters.mask_generator = Some(MaskGenerator::MGF1);
    parameters.mask_generator_hashing_algorithm = Some(hash);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::permits::Preset;

    fn prepare(id: u64, parameter: Option<&[u8]>) -> Result<Prepared, ()> {
        let row = MECHANISMS.iter().find(|row| row.id == id).unwrap();
        row.prepare(&Mechanism { id, parameter }).map_err(|_| ())
    }

    #[test]
    fn a_mechanism_has_one_row() {
        for (place, row) in MECHANISMS.iter().enumerate() {
            assert!(MECHANISMS.iter().skip(place + 1).all(|other| other.id != row.id), "{:#x}", row.id);
        }
        let triple = Settings { permits: Permits::preset(Preset::Legacy), ..Settings::default() };
        assert_eq!(offered(&triple).count(), offered(&Settings::default()).count() + 3);
    }

    /// A mechanism is listed where something is left of what it does.
    #[test]
    fn what_is_not_permitted_is_not_listed() {
        let lists = |preset, forbid: &[&str], id| {
            let forbid: Vec<String> = forbid.iter().map(|&name| name.to_owned()).collect();
            let permits = Permits::changed(preset, &[], &[], &forbid).unwrap();
            offered(&Settings { permits, ..Settings::default() }).any(|row| row.id == id)
        };
        let made = [ck::CKM_RSA_PKCS_KEY_PAIR_GEN, ck::CKM_EC_KEY_PAIR_GEN, ck::CKM_AES_KEY_GEN];
        assert_eq!(made.map(|id| lists(Preset::Fips, &[], id)), [true; 3]);
        assert_eq!(made.map(|id| lists(Preset::Cnsa2, &[], id)), [false, false, true]);
        assert!(!lists(Preset::Cnsa2, &["AES-256"], ck::CKM_AES_KEY_GEN));
        for id in [ck::CKM_AES_ECB_ENCRYPT_DATA, ck::CKM_AES_CBC_ENCRYPT_DATA, ck::CKM_SHA256_KEY_DERIVATION] {
            assert!(lists(Preset::Default, &[], id) && !lists(Preset::Fips, &[], id), "{id:#x}");
        }
        assert!(!lists(Preset::Default, &["ECDH"], ck::CKM_ECDH1_DERIVE));
        assert!(!lists(Preset::Default, &["HKDF"], ck::CKM_HKDF_DERIVE));
    }

    #[test]
    fn parameters_are_read_and_nothing_else() {
        let p = Writer::default;
        let iv = p().bytes(&[7; 16]).finish();
        assert_eq!(prepare(ck::CKM_AES_CBC, Some(&iv)).unwrap().iv.unwrap(), Blob::copy_of(&[7; 16]));
        for wrong in [None, Some(&iv[..19]), Some(&[0, 0, 0, 0][..]), Some(&[7; 16][..])] {
            assert!(prepare(ck::CKM_AES_CBC, wrong).is_err());
        }
        assert!(prepare(ck::CKM_AES_ECB, Some(&iv)).is_err());
        for (bits, tag) in [(96, 128), (0, 128), (96, 96)] {
            let wide = p().bytes(&[7; 12]).ulong(bits).bytes(b"aad").ulong(tag).finish();
            let short = p().bytes(&[7; 12]).count(bits as usize).bytes(b"aad").count(tag as usize).finish();
            for parameter in [wide, short] {
                let prepared = prepare(ck::CKM_AES_GCM, Some(&parameter)).unwrap();
                assert_eq!((prepared.tag as u64 * 8, prepared.aad.unwrap().len()), (tag, 3));
            }
        }
        let other = p().bytes(&[7; 12]).ulong(64).bytes(b"").ulong(128).finish();
        assert!(prepare(ck::CKM_AES_GCM, Some(&other)).is_err());
        let counter = p().ulong(128).raw(&[7; 16]).finish();
        assert_eq!(prepare(ck::CKM_AES_CTR, Some(&counter)).unwrap().iv.unwrap().len(), 16);
        let fewer = p().ulong(32).raw(&[7; 16]).finish();
        assert!(prepare(ck::CKM_AES_CTR, Some(&fewer)).is_err());
    }

    #[test]
    fn pss_and_oaep_name_their_hashes() {
        let p = || Writer::default().ulong(ck::CKM_SHA256).ulong(ck::CKG_MGF1_SHA256);
        let pss = prepare(ck::CKM_SHA256_RSA_PKCS_PSS, Some(&p().ulong(32).finish())).unwrap().parameters;
        assert_eq!((pss.hashing_algorithm, pss.salt_length), (Some(Hash::SHA256), Some(32)));
        assert!(prepare(ck::CKM_SHA384_RSA_PKCS_PSS, Some(&p().ulong(32).finish())).is_err());
        let oaep = prepare(ck::CKM_RSA_PKCS_OAEP, Some(&p().ulong(1).bytes(b"label").finish())).unwrap().parameters;
        assert_eq!(oaep.p_source, Some(Blob::copy_of(b"label")));
        assert!(prepare(ck::CKM_RSA_PKCS_OAEP, Some(&p().ulong(2).bytes(b"").finish())).is_err());
    }
}
