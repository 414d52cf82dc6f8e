//! The mechanisms, one row each.

use cryptoki_sys as ck;
use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, HashingAlgorithm as Hash, PaddingMethod as Padding,
};

use super::{Derives, Iterates, Kind, Row};

const AES: (u64, u64) = (16, 32);
const XTS: (u64, u64) = (32, 64);
const TDES: (u64, u64) = (128, 192);
const CHACHA: (u64, u64) = (256, 256);
const RSA: (u64, u64) = (2048, 4096);
const EC: (u64, u64) = (224, 521);
const EDWARDS: (u64, u64) = (256, 456);
const MONTGOMERY: (u64, u64) = (256, 256);
/// The lengths of public keys in bytes.
const ML_DSA: (u64, u64) = (1312, 2592);
const BYTES: (u64, u64) = (8, 4096);
const NONE: (u64, u64) = (0, 0);
const BOTH: u64 = ck::CKF_ENCRYPT | ck::CKF_DECRYPT;
/// Of modes that authenticate: messages, too.
const SEALS: u64 = BOTH | ck::CKF_MESSAGE_ENCRYPT | ck::CKF_MESSAGE_DECRYPT | ck::CKF_MULTI_MESSAGE;
const SIGNS: u64 =
    ck::CKF_SIGN | ck::CKF_VERIFY | ck::CKF_MESSAGE_SIGN | ck::CKF_MESSAGE_VERIFY | ck::CKF_MULTI_MESSAGE;
const RECOVERS: u64 = ck::CKF_SIGN_RECOVER | ck::CKF_VERIFY_RECOVER;
const WRAPS: u64 = ck::CKF_WRAP | ck::CKF_UNWRAP;
const CURVES: u64 = ck::CKF_EC_F_P | ck::CKF_EC_NAMEDCURVE | ck::CKF_EC_UNCOMPRESS;
const NAMED: u64 = ck::CKF_EC_F_P | ck::CKF_EC_NAMEDCURVE | ck::CKF_EC_CURVENAME;

/// Every mechanism.
pub(super) static MECHANISMS: &[Row] = &[
    row(ck::CKM_AES_KEY_GEN, Kind::Generate(Algorithm::AES, None), AES, ck::CKF_GENERATE),
    row(ck::CKM_AES_ECB, Kind::Cipher(Algorithm::AES, Mode::ECB, false), AES, BOTH),
    row(ck::CKM_AES_CBC, Kind::Cipher(Algorithm::AES, Mode::CBC, false), AES, BOTH),
    row(ck::CKM_AES_CBC_PAD, Kind::Cipher(Algorithm::AES, Mode::CBC, true), AES, BOTH),
    row(ck::CKM_AES_CTR, Kind::Cipher(Algorithm::AES, Mode::CTR, false), AES, BOTH),
    row(ck::CKM_AES_GCM, Kind::Cipher(Algorithm::AES, Mode::GCM, false), AES, SEALS),
    row(ck::CKM_AES_CCM, Kind::Cipher(Algorithm::AES, Mode::CCM, false), AES, SEALS),
    row(ck::CKM_AES_OFB, Kind::Cipher(Algorithm::AES, Mode::OFB, false), AES, BOTH),
    row(ck::CKM_AES_CFB128, Kind::Cipher(Algorithm::AES, Mode::CFB, false), AES, BOTH),
    row(ck::CKM_AES_XTS_KEY_GEN, Kind::Generate(Algorithm::AES, None), XTS, ck::CKF_GENERATE),
    row(ck::CKM_AES_XTS, Kind::Cipher(Algorithm::AES, Mode::XTS, false), XTS, BOTH),
    row(ck::CKM_AES_KEY_WRAP, Kind::Wrap(Mode::NISTKeyWrap), AES, WRAPS),
    row(ck::CKM_AES_KEY_WRAP_KWP, Kind::Wrap(Mode::AESKeyWrapPadding), AES, WRAPS),
    row(ck::CKM_AES_CMAC, Kind::Mac(Algorithm::AES, false), AES, SIGNS),
    row(ck::CKM_AES_CMAC_GENERAL, Kind::Mac(Algorithm::AES, true), AES, SIGNS),
    row(ck::CKM_DES3_ECB, Kind::Cipher(Algorithm::DES3, Mode::ECB, false), TDES, BOTH),
    row(ck::CKM_DES3_CBC, Kind::Cipher(Algorithm::DES3, Mode::CBC, false), TDES, BOTH),
    row(ck::CKM_DES3_CBC_PAD, Kind::Cipher(Algorithm::DES3, Mode::CBC, true), TDES, BOTH),
    row(ck::CKM_CHACHA20_KEY_GEN, Kind::Generate(Algorithm::ChaCha20, Some(32)), CHACHA, ck::CKF_GENERATE),
    row(ck::CKM_CHACHA20, Kind::ChaCha20(Algorithm::ChaCha20), CHACHA, BOTH),
    row(ck::CKM_CHACHA20_POLY1305, Kind::ChaCha20(Algorithm::ChaCha20Poly1305), CHACHA, SEALS),
    row(ck::CKM_POLY1305_KEY_GEN, Kind::Generate(Algorithm::Poly1305, Some(32)), CHACHA, ck::CKF_GENERATE),
    row(ck::CKM_POLY1305, Kind::Mac(Algorithm::Poly1305, false), CHACHA, SIGNS),
    row(ck::CKM_GENERIC_SECRET_KEY_GEN, Kind::Generate(Algorithm::HMACSHA256, None), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA_1_KEY_GEN, Kind::Generate(Algorithm::HMACSHA1, Some(20)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA224_KEY_GEN, Kind::Generate(Algorithm::HMACSHA224, Some(28)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA256_KEY_GEN, Kind::Generate(Algorithm::HMACSHA256, Some(32)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA384_KEY_GEN, Kind::Generate(Algorithm::HMACSHA384, Some(48)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA512_KEY_GEN, Kind::Generate(Algorithm::HMACSHA512, Some(64)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA3_224_KEY_GEN, Kind::Generate(Algorithm::HMACSHA3224, Some(28)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA3_256_KEY_GEN, Kind::Generate(Algorithm::HMACSHA3256, Some(32)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA3_384_KEY_GEN, Kind::Generate(Algorithm::HMACSHA3384, Some(48)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA3_512_KEY_GEN, Kind::Generate(Algorithm::HMACSHA3512, Some(64)), BYTES, ck::CKF_GENERATE),
    row(ck::CKM_SHA_1_HMAC, Kind::Mac(Algorithm::HMACSHA1, false), BYTES, SIGNS),
    row(ck::CKM_SHA_1_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA1, true), BYTES, SIGNS),
    row(ck::CKM_SHA224_HMAC, Kind::Mac(Algorithm::HMACSHA224, false), BYTES, SIGNS),
    row(ck::CKM_SHA224_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA224, true), BYTES, SIGNS),
    row(ck::CKM_SHA256_HMAC, Kind::Mac(Algorithm::HMACSHA256, false), BYTES, SIGNS),
    row(ck::CKM_SHA256_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA256, true), BYTES, SIGNS),
    row(ck::CKM_SHA384_HMAC, Kind::Mac(Algorithm::HMACSHA384, false), BYTES, SIGNS),
    row(ck::CKM_SHA384_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA384, true), BYTES, SIGNS),
    row(ck::CKM_SHA512_HMAC, Kind::Mac(Algorithm::HMACSHA512, false), BYTES, SIGNS),
    row(ck::CKM_SHA512_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA512, true), BYTES, SIGNS),
    row(ck::CKM_SHA3_224_HMAC, Kind::Mac(Algorithm::HMACSHA3224, false), BYTES, SIGNS),
    row(ck::CKM_SHA3_224_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA3224, true), BYTES, SIGNS),
    row(ck::CKM_SHA3_256_HMAC, Kind::Mac(Algorithm::HMACSHA3256, false), BYTES, SIGNS),
    row(ck::CKM_SHA3_256_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA3256, true), BYTES, SIGNS),
    row(ck::CKM_SHA3_384_HMAC, Kind::Mac(Algorithm::HMACSHA3384, false), BYTES, SIGNS),
    row(ck::CKM_SHA3_384_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA3384, true), BYTES, SIGNS),
    row(ck::CKM_SHA3_512_HMAC, Kind::Mac(Algorithm::HMACSHA3512, false), BYTES, SIGNS),
    row(ck::CKM_SHA3_512_HMAC_GENERAL, Kind::Mac(Algorithm::HMACSHA3512, true), BYTES, SIGNS),
    row(ck::CKM_MD5, Kind::Digest(Hash::MD5), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA_1, Kind::Digest(Hash::SHA1), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA224, Kind::Digest(Hash::SHA224), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA256, Kind::Digest(Hash::SHA256), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA384, Kind::Digest(Hash::SHA384), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA512, Kind::Digest(Hash::SHA512), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA512_224, Kind::Digest(Hash::SHA512224), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA512_256, Kind::Digest(Hash::SHA512256), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_224, Kind::Digest(Hash::SHA3224), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_256, Kind::Digest(Hash::SHA3256), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_384, Kind::Digest(Hash::SHA3384), NONE, ck::CKF_DIGEST),
    row(ck::CKM_SHA3_512, Kind::Digest(Hash::SHA3512), NONE, ck::CKF_DIGEST),
    row(ck::CKM_RSA_PKCS_KEY_PAIR_GEN, Kind::Pair(Algorithm::RSA), RSA, ck::CKF_GENERATE_KEY_PAIR),
    row(ck::CKM_RSA_PKCS, Kind::RsaPkcs, RSA, BOTH | SIGNS | RECOVERS),
    row(ck::CKM_RSA_PKCS_OAEP, Kind::RsaOaep, RSA, BOTH),
    row(ck::CKM_SHA1_RSA_PKCS, Kind::RsaSign(Hash::SHA1, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA224_RSA_PKCS, Kind::RsaSign(Hash::SHA224, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA256_RSA_PKCS, Kind::RsaSign(Hash::SHA256, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA384_RSA_PKCS, Kind::RsaSign(Hash::SHA384, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA512_RSA_PKCS, Kind::RsaSign(Hash::SHA512, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA3_224_RSA_PKCS, Kind::RsaSign(Hash::SHA3224, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA3_256_RSA_PKCS, Kind::RsaSign(Hash::SHA3256, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA3_384_RSA_PKCS, Kind::RsaSign(Hash::SHA3384, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_SHA3_512_RSA_PKCS, Kind::RsaSign(Hash::SHA3512, Padding::PKCS1V15), RSA, SIGNS),
    row(ck::CKM_RSA_PKCS_PSS, Kind::RsaPss, RSA, SIGNS),
    row(ck::CKM_SHA1_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA1, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA224_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA224, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA256_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA256, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA384_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA384, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA512_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA512, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA3_224_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA3224, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA3_256_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA3256, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA3_384_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA3384, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_SHA3_512_RSA_PKCS_PSS, Kind::RsaSign(Hash::SHA3512, Padding::PSS), RSA, SIGNS),
    row(ck::CKM_EC_KEY_PAIR_GEN, Kind::Pair(Algorithm::EC), EC, ck::CKF_GENERATE_KEY_PAIR | CURVES),
    row(ck::CKM_ECDSA, Kind::Ecdsa(None), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA1, Kind::Ecdsa(Some(Hash::SHA1)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA224, Kind::Ecdsa(Some(Hash::SHA224)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA256, Kind::Ecdsa(Some(Hash::SHA256)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA384, Kind::Ecdsa(Some(Hash::SHA384)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA512, Kind::Ecdsa(Some(Hash::SHA512)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA3_224, Kind::Ecdsa(Some(Hash::SHA3224)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA3_256, Kind::Ecdsa(Some(Hash::SHA3256)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA3_384, Kind::Ecdsa(Some(Hash::SHA3384)), EC, SIGNS | CURVES),
    row(ck::CKM_ECDSA_SHA3_512, Kind::Ecdsa(Some(Hash::SHA3512)), EC, SIGNS | CURVES),
    row(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, Kind::Pair(Algorithm::Ed25519), EDWARDS, ck::CKF_GENERATE_KEY_PAIR | NAMED),
    row(ck::CKM_EDDSA, Kind::Eddsa, EDWARDS, SIGNS | NAMED),
    row(ck::CKM_ML_DSA_KEY_PAIR_GEN, Kind::Pair(Algorithm::MLDSA44), ML_DSA, ck::CKF_GENERATE_KEY_PAIR),
    row(ck::CKM_ML_DSA, Kind::MlDsa, ML_DSA, SIGNS),
    row(ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, Kind::Pair(Algorithm::ECDH), MONTGOMERY, ck::CKF_GENERATE_KEY_PAIR | NAMED),
    row(ck::CKM_ECDH1_DERIVE, Kind::Derive(Derives::Agreement), EC, ck::CKF_DERIVE | CURVES),
    row(ck::CKM_PKCS5_PBKD2, Kind::Password, NONE, ck::CKF_GENERATE),
    row(ck::CKM_HKDF_DERIVE, Kind::Derive(Derives::Hkdf), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SP800_108_COUNTER_KDF, Kind::Derive(Derives::Counter(Iterates::Counter)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SP800_108_FEEDBACK_KDF, Kind::Derive(Derives::Counter(Iterates::Feedback)), BYTES, ck::CKF_DERIVE),
    row(
        ck::CKM_SP800_108_DOUBLE_PIPELINE_KDF,
        Kind::Derive(Derives::Counter(Iterates::Pipeline)),
        BYTES,
        ck::CKF_DERIVE,
    ),
    row(ck::CKM_SHA1_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA1)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA224_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA224)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA256_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA256)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA384_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA384)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA512_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA512)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA512_224_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA512224)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA512_256_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA512256)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA3_224_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA3224)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA3_256_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA3256)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA3_384_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA3384)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_SHA3_512_KEY_DERIVATION, Kind::Derive(Derives::Digest(Hash::SHA3512)), BYTES, ck::CKF_DERIVE),
    row(ck::CKM_AES_ECB_ENCRYPT_DATA, Kind::Derive(Derives::Encryption(Mode::ECB)), AES, ck::CKF_DERIVE),
    row(ck::CKM_AES_CBC_ENCRYPT_DATA, Kind::Derive(Derives::Encryption(Mode::CBC)), AES, ck::CKF_DERIVE),
];

const fn row(id: u64, kind: Kind, keys: (u64, u64), flags: u64) -> Row {
    Row { id, kind, keys, flags }
}
