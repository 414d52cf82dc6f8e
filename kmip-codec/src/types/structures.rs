//! The small structures: one list of fields each.

use crate::spec::{
    HashingAlgorithm, KeyFormatType, LinkType, NameType, ProtectionStorageMask, RecommendedCurve, RevocationReasonCode,
    UsageLimitsUnit,
};
use crate::ttlv::{Blob, Text};
use crate::types::UniqueIdentifier;

crate::structure! {
    /// Protocol Version (KMIP 2.1 §9.16).
    #[derive(Copy, Eq)]
    pub struct ProtocolVersion {
        /// The number before the point.
        pub major: i32 = ProtocolVersionMajor,
        /// The number behind the point.
        pub minor: i32 = ProtocolVersionMinor,
    }

    /// Name (KMIP 2.1 §4.32).
    #[derive(Eq)]
    pub struct Name {
        /// The name.
        pub value: Text = NameValue,
        /// Its type.
        pub kind: NameType = NameType,
    }

    /// Link (KMIP 2.1 §4.31).
    #[derive(Eq)]
    pub struct Link {
        /// What the other object is to this one.
        pub kind: LinkType = LinkType,
        /// The other object.
        pub linked: UniqueIdentifier = LinkedObjectIdentifier,
    }

    /// Application Specific Information (KMIP 2.1 §4.4).
    #[derive(Eq)]
    pub struct ApplicationSpecificInformation {
        /// Who gives the data a meaning.
        pub namespace: Text = ApplicationNamespace,
        /// The data; the server makes it up for namespaces that it knows.
        pub data: Option<Text> = ApplicationData,
    }

    /// Digest (KMIP 2.1 §4.21).
    #[derive(Eq)]
    pub struct Digest {
        /// The hash function.
        pub hashing_algorithm: HashingAlgorithm = HashingAlgorithm,
        /// The digest of the key material, certificate or opaque data.
        pub value: Option<Blob> = DigestValue,
        /// The format of the key material that was hashed.
        pub key_format_type: Option<KeyFormatType> = KeyFormatType since V1_1,
    }

    /// Usage Limits (KMIP 2.1 §4.59).
    #[derive(Eq)]
    pub struct UsageLimits {
        /// Units allowed in the whole life of the object.
        pub total: i64 = UsageLimitsTotal,
        /// Units that are left.
        pub count: Option<i64> = UsageLimitsCount,
        /// Bytes or objects.
        pub unit: UsageLimitsUnit = UsageLimitsUnit,
    }

    /// Revocation Reason (KMIP 2.1 §4.47).
    #[derive(Eq)]
    pub struct RevocationReason {
        /// Why.
        pub code: RevocationReasonCode = RevocationReasonCode,
        /// Why, in words.
        pub message: Option<Text> = RevocationMessage,
    }

    /// Cryptographic Domain Parameters (KMIP 2.1 §4.14).
    #[derive(Eq)]
    pub struct CryptographicDomainParameters {
        /// Length of the DSA or DH subgroup, in bits.
        pub q_length: Option<i32> = Qlength,
        /// The curve.
        pub recommended_curve: Option<RecommendedCurve> = RecommendedCurve,
    }

    /// Protection Storage Masks (KMIP 2.1 §7.33): alternatives, the preferred one first.
    #[derive(Eq)]
    pub struct ProtectionStorageMasks {
        /// The alternatives.
        pub masks: Vec<ProtectionStorageMask> = ProtectionStorageMask,
    }
}

impl UsageLimits {
    /// The units that protecting so many bytes takes.
    pub fn units(&self, bytes: usize) -> u64 {
        match self.unit {
            UsageLimitsUnit::Byte => u64::try_from(bytes).unwrap_or(u64::MAX),
            _ => 1,
        }
    }
}
