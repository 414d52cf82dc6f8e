//! What is said to the module: attributes of an object, and a mechanism with its parameters. Plain data; [`super::raw`]
//! lays it out for C.

use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE, CK_ULONG, CKA_COEFFICIENT, CKA_EXPONENT_1,
    CKA_EXPONENT_2, CKA_PRIME_1, CKA_PRIME_2, CKA_PRIVATE_EXPONENT, CKA_SEED, CKA_VALUE,
};

use super::chacha::ChaCha20;
use super::deriving::Deriving;

/// One attribute of a template. No `Debug`: it may hold the bytes of a key that is brought in.
pub(super) enum Attr<'a> {
    Bool(CK_ATTRIBUTE_TYPE, bool),
    Number(CK_ATTRIBUTE_TYPE, CK_ULONG),
    Bytes(CK_ATTRIBUTE_TYPE, &'a [u8]),
    /// A list of mechanisms (CKA_ALLOWED_MECHANISMS).
    Mechanisms(CK_ATTRIBUTE_TYPE, &'a [CK_MECHANISM_TYPE]),
    /// A template in a template (CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE). One level deep, as the standard has it.
    Template(CK_ATTRIBUTE_TYPE, &'a [Attr<'a>]),
}

/// A mechanism with its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mechanism<'a> {
    /// Without a parameter.
    Plain(CK_MECHANISM_TYPE),
    /// With bytes as its parameter: an initialisation vector.
    Iv(CK_MECHANISM_TYPE, &'a [u8]),
    /// CKM_AES_CTR, the whole block a counter.
    Ctr([u8; 16]),
    /// CKM_AES_GCM.
    Gcm { iv: &'a [u8], aad: &'a [u8], tag_bits: CK_ULONG },
    /// CKM_AES_CCM. The module is told how long the data is, and answers the tag behind it.
    Ccm { nonce: &'a [u8], aad: &'a [u8], tag_len: usize, len: usize },
    /// CKM_CHACHA20 and CKM_CHACHA20_POLY1305.
    ChaCha20(ChaCha20<'a>),
    /// CKM_EDDSA of the data itself, without a context: Ed448 wants its parameters said.
    Eddsa,
    /// CKM_RSA_PKCS_PSS over a digest.
    Pss { hash: CK_MECHANISM_TYPE, mgf: CK_RSA_PKCS_MGF_TYPE, salt: CK_ULONG },
    /// CKM_RSA_PKCS_OAEP.
    Oaep { hash: CK_MECHANISM_TYPE, mgf: CK_RSA_PKCS_MGF_TYPE, label: &'a [u8] },
    /// One that makes a key of a key.
    Deriving(&'a Deriving<'a>),
}

/// Attributes that hold key material. [`super::raw`] refuses to read them, so that no code above it can.
pub(super) const fn is_secret(attribute: CK_ATTRIBUTE_TYPE) -> bool {
    matches!(
        attribute,
        CKA_VALUE
            | CKA_SEED
            | CKA_PRIVATE_EXPONENT
            | CKA_PRIME_1
            | CKA_PRIME_2
            | CKA_EXPONENT_1
            | CKA_EXPONENT_2
            | CKA_COEFFICIENT
    )
}
