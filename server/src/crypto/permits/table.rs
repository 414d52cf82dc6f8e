//! The table: what each preset leaves to each algorithm, mode, length and hash function.
//!
//! `legacy` leaves everything that the server can do. `default` takes old ciphers as data only. `fips` follows SP 800-131A
//! revision 2, FIPS 186-5 and SP 800-186, where what is allowed "for legacy use" reads and does not protect. `cnsa2` is the
//! set of CNSA 2.0 without its years of transition: what CNSA 1.0 and FIPS had may still be read.

use super::Leave;

/// Everything.
const ALL: Leave = Leave::ALL;
/// What has such a key or form may come in, and be decrypted, unwrapped and verified. Nothing new is made or protected.
const READ: Leave = Leave::KEEP.and(Leave::PROCESS);
/// Kept and made for clients that use it themselves; the server does nothing with it.
const DATA: Leave = Leave::KEEP.and(Leave::MAKE);
/// Nothing: not even kept.
const NONE: Leave = Leave::NONE;

macro_rules! terms {
    ($( #[doc = $what:literal] $term:ident $name:literal $legacy:ident $default:ident $fips:ident $cnsa2:ident; )*) => {
        /// What a policy speaks of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Term { $( #[doc = $what] $term, )* }

        /// All terms, in the order of the enumeration.
        pub(super) static ROWS: &[Row] = &[
            $( Row { term: Term::$term, name: $name, what: $what, leaves: [$legacy, $default, $fips, $cnsa2] }, )*
        ];
    };
}

/// A term, the name that it has in the configuration, and what the presets leave it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) term: Term,
    pub(super) name: &'static str,
    /// For people.
    #[cfg_attr(not(test), expect(dead_code, reason = "the table of the documentation is compared with it"))]
    pub(super) what: &'static str,
    /// Legacy, default, FIPS, CNSA 2.0.
    pub(super) leaves: [Leave; 4],
}

terms! {
    /// AES keys of 128 bits.
    Aes128 "AES-128"                      ALL ALL ALL READ;
    /// AES keys of 192 bits.
    Aes192 "AES-192"                      ALL ALL ALL READ;
    /// AES keys of 256 bits.
    Aes256 "AES-256"                      ALL ALL ALL ALL;
    /// Triple DES, keys and cipher.
    TripleDes "3DES"                      ALL DATA READ NONE;
    /// ChaCha20 with and without Poly1305, and Poly1305: keys and ciphers.
    ChaCha20 "CHACHA20"                   ALL ALL NONE NONE;
    /// Keys of algorithms that the server stores and never uses.
    Other "OTHERS"                        ALL DATA NONE NONE;
    /// RSA below 2048 bits.
    RsaShort "RSA-1024"                   ALL ALL READ NONE;
    /// RSA from 2048 bits on, below 3072.
    Rsa2048 "RSA-2048"                    ALL ALL ALL READ;
    /// RSA from 3072 bits on.
    Rsa3072 "RSA-3072"                    ALL ALL ALL READ;
    /// NIST P-224.
    P224 "P-224"                          ALL ALL ALL READ;
    /// NIST P-256.
    P256 "P-256"                          ALL ALL ALL READ;
    /// NIST P-384.
    P384 "P-384"                          ALL ALL ALL READ;
    /// NIST P-521.
    P521 "P-521"                          ALL ALL ALL READ;
    /// secp256k1.
    Secp256k1 "SECP256K1"                 ALL ALL NONE NONE;
    /// ML-KEM-512.
    MlKem512 "ML-KEM-512"                 ALL ALL ALL READ;
    /// ML-KEM-768.
    MlKem768 "ML-KEM-768"                 ALL ALL ALL READ;
    /// ML-KEM-1024.
    MlKem1024 "ML-KEM-1024"               ALL ALL ALL ALL;
    /// ML-DSA-44.
    MlDsa44 "ML-DSA-44"                   ALL ALL ALL READ;
    /// ML-DSA-65.
    MlDsa65 "ML-DSA-65"                   ALL ALL ALL READ;
    /// ML-DSA-87.
    MlDsa87 "ML-DSA-87"                   ALL ALL ALL ALL;
    /// SLH-DSA of any parameter set, keys and signatures.
    SlhDsa "SLH-DSA"                      ALL ALL ALL NONE;
    /// Ed25519 keys.
    Ed25519 "ED25519"                     ALL ALL ALL READ;
    /// Ed448 keys, whose only implementation nobody has reviewed.
    Ed448 "ED448"                         ALL READ READ READ;
    /// X25519 keys.
    X25519 "X25519"                       ALL ALL NONE NONE;
    /// X448 keys, whose only implementation nobody has reviewed.
    X448 "X448"                           ALL READ NONE NONE;
    /// HMAC keys below 112 bits.
    HmacShort "HMAC-SHORT"                ALL ALL READ NONE;

    /// AES in ECB.
    Ecb "ECB"                             ALL ALL ALL ALL;
    /// CBC.
    Cbc "CBC"                             ALL ALL ALL ALL;
    /// CFB.
    Cfb "CFB"                             ALL ALL ALL ALL;
    /// OFB.
    Ofb "OFB"                             ALL ALL ALL ALL;
    /// CTR.
    Ctr "CTR"                             ALL ALL ALL ALL;
    /// GCM.
    Gcm "GCM"                             ALL ALL ALL ALL;
    /// CCM.
    Ccm "CCM"                             ALL ALL ALL ALL;
    /// XTS.
    Xts "XTS"                             ALL ALL ALL ALL;
    /// AES Key Wrap, with padding and without.
    KeyWrap "KEY-WRAP"                    ALL ALL ALL ALL;

    /// RSAES-PKCS1-v1_5.
    RsaPkcs1Encryption "RSA-PKCS1-ENCRYPTION" ALL ALL READ READ;
    /// RSAES-OAEP.
    RsaOaep "RSA-OAEP"                    ALL ALL ALL ALL;
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1 "RSA-PKCS1"                  ALL ALL ALL ALL;
    /// RSASSA-PSS.
    RsaPss "RSA-PSS"                      ALL ALL ALL ALL;
    /// ECDSA.
    Ecdsa "ECDSA"                         ALL ALL ALL ALL;
    /// EdDSA, without a digest or a context.
    Eddsa "EDDSA"                         ALL ALL ALL ALL;
    /// A signature of a digest of which nobody says what made it.
    BareDigest "BARE-DIGEST"              ALL ALL NONE NONE;
    /// HMAC.
    Hmac "HMAC"                           ALL ALL ALL ALL;
    /// CMAC.
    Cmac "CMAC"                           ALL ALL ALL ALL;

    /// MD5, and hash functions as old.
    Md5 "MD5"                             ALL ALL NONE NONE;
    /// SHA-1 in signatures.
    Sha1Signature "SHA-1-SIGNATURE"       ALL ALL READ NONE;
    /// SHA-1 elsewhere.
    Sha1 "SHA-1"                          ALL ALL ALL NONE;
    /// SHA-224 and SHA-512/224.
    Sha224 "SHA-224"                      ALL ALL ALL READ;
    /// SHA-256 and SHA-512/256.
    Sha256 "SHA-256"                      ALL ALL ALL READ;
    /// SHA-384.
    Sha384 "SHA-384"                      ALL ALL ALL ALL;
    /// SHA-512.
    Sha512 "SHA-512"                      ALL ALL ALL ALL;
    /// SHA-3 of any length.
    Sha3 "SHA-3"                          ALL ALL ALL READ;

    /// PBKDF2.
    Pbkdf2 "PBKDF2"                       ALL ALL ALL ALL;
    /// The functions of SP 800-108.
    Nist800108 "SP800-108"                ALL ALL ALL ALL;
    /// HKDF.
    Hkdf "HKDF"                           ALL ALL ALL ALL;
    /// Key agreement on curves.
    Ecdh "ECDH"                           ALL ALL ALL ALL;
    /// Keys that are a digest, a MAC or a ciphertext, and the signing keys of AWS.
    Derived "DERIVE-PLAIN"                ALL ALL NONE NONE;
}
