//! The attributes of PKCS #11 objects.

use cryptoki_sys as ck;

/// How the value of an attribute is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// CK_BBOOL.
    Bool,
    /// CK_ULONG.
    Ulong,
    /// CK_DATE.
    Date,
    /// A byte string, text, or big integer.
    Bytes,
    /// Mechanisms.
    Mechanisms,
    /// A template.
    Template,
}

impl Shape {
    /// Whether every value has the same length.
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Bool | Self::Ulong | Self::Date)
    }
}

/// The attributes that are no byte strings (PKCS #11 3.0 §4). What is not known is read as one.
const SHAPES: &[(Shape, &[u64])] = &[
    (
        Shape::Bool,
        &[
            ck::CKA_TOKEN,
            ck::CKA_PRIVATE,
            ck::CKA_TRUSTED,
            ck::CKA_SENSITIVE,
            ck::CKA_ENCRYPT,
            ck::CKA_DECRYPT,
            ck::CKA_WRAP,
            ck::CKA_UNWRAP,
            ck::CKA_SIGN,
            ck::CKA_SIGN_RECOVER,
            ck::CKA_VERIFY,
            ck::CKA_VERIFY_RECOVER,
            ck::CKA_DERIVE,
            ck::CKA_EXTRACTABLE,
            ck::CKA_LOCAL,
            ck::CKA_NEVER_EXTRACTABLE,
            ck::CKA_ALWAYS_SENSITIVE,
            ck::CKA_MODIFIABLE,
            ck::CKA_COPYABLE,
            ck::CKA_DESTROYABLE,
            ck::CKA_ALWAYS_AUTHENTICATE,
            ck::CKA_WRAP_WITH_TRUSTED,
            ck::CKA_HAS_RESET,
            ck::CKA_RESET_ON_INIT,
            ck::CKA_COLOR,
            ck::CKA_OTP_USER_FRIENDLY_MODE,
        ],
    ),
    (
        Shape::Ulong,
        &[
            ck::CKA_CLASS,
            ck::CKA_CERTIFICATE_TYPE,
            ck::CKA_CERTIFICATE_CATEGORY,
            ck::CKA_JAVA_MIDP_SECURITY_DOMAIN,
            ck::CKA_NAME_HASH_ALGORITHM,
            ck::CKA_KEY_TYPE,
            ck::CKA_MODULUS_BITS,
            ck::CKA_PRIME_BITS,
            ck::CKA_SUBPRIME_BITS,
            ck::CKA_VALUE_BITS,
            ck::CKA_VALUE_LEN,
            ck::CKA_KEY_GEN_MECHANISM,
            ck::CKA_HW_FEATURE_TYPE,
            ck::CKA_MECHANISM_TYPE,
            ck::CKA_PROFILE_ID,
            ck::CKA_OTP_FORMAT,
            ck::CKA_OTP_LENGTH,
            ck::CKA_OTP_TIME_INTERVAL,
        ],
    ),
    (Shape::Date, &[ck::CKA_START_DATE, ck::CKA_END_DATE]),
    (Shape::Mechanisms, &[ck::CKA_ALLOWED_MECHANISMS]),
    (Shape::Template, &[ck::CKA_WRAP_TEMPLATE, ck::CKA_UNWRAP_TEMPLATE, ck::CKA_DERIVE_TEMPLATE]),
];

/// How the value of an attribute is written.
pub fn shape_of(kind: u64) -> Shape {
    SHAPES.iter().find(|(_, kinds)| kinds.contains(&kind)).map_or(Shape::Bytes, |(shape, _)| *shape)
}
