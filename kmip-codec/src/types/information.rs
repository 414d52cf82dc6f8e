//! What a server says of itself in its answer to Query: one list of fields each.

use crate::spec::{
    CryptographicAlgorithm, DRBGAlgorithm, DestroyAction, FIPS186Variation, HashingAlgorithm, ProfileName,
    RNGAlgorithm, RNGMode, RecommendedCurve, ShreddingAlgorithm, UnwrapMode, ValidationAuthorityType, ValidationType,
};
use crate::ttlv::{Element, Text};

crate::structure! {
    /// RNG Parameters (KMIP 2.1 §7.36). The algorithm says Unspecified where the generator is not known.
    #[derive(Eq)]
    pub struct RngParameters {
        /// The kind of generator.
        pub algorithm: RNGAlgorithm = RNGAlgorithm,
        /// The cipher or MAC in it.
        pub cryptographic_algorithm: Option<CryptographicAlgorithm> = CryptographicAlgorithm,
        /// The length of its key, in bits.
        pub cryptographic_length: Option<i32> = CryptographicLength,
        /// The hash function in it.
        pub hashing_algorithm: Option<HashingAlgorithm> = HashingAlgorithm,
        /// The construction of a deterministic generator.
        pub drbg_algorithm: Option<DRBGAlgorithm> = DRBGAlgorithm,
        /// The curve in it.
        pub recommended_curve: Option<RecommendedCurve> = RecommendedCurve,
        /// Which generator of FIPS 186-2.
        pub fips186_variation: Option<FIPS186Variation> = FIPS186Variation,
        /// Whether outputs are independent of a state that leaked before.
        pub prediction_resistance: Option<bool> = PredictionResistance,
    }

    /// Profile Version (KMIP 2.1 §7.32).
    #[derive(Copy, Eq)]
    pub struct ProfileVersion {
        /// The number before the point.
        pub major: i32 = ProfileVersionMajor,
        /// The number behind the point.
        pub minor: i32 = ProfileVersionMinor,
    }

    /// Profile Information (KMIP 2.1 §7.31): a profile that the server fulfils.
    #[derive(Eq)]
    pub struct ProfileInformation {
        /// The profile.
        pub name: ProfileName = ProfileName,
        /// Its version, which the name says before 2.0.
        pub version: Option<ProfileVersion> = ProfileVersion since V2_0,
        /// Where it is fulfilled.
        pub server_uri: Option<Text> = ServerURI,
        /// The TCP port where it is fulfilled.
        pub server_port: Option<i32> = ServerPort,
    }

    /// Validation Information (KMIP 2.1 §7.41): a formal validation that the server asserts.
    #[derive(Eq)]
    pub struct ValidationInformation {
        /// Who validated.
        pub authority_type: ValidationAuthorityType = ValidationAuthorityType,
        /// The authority's country, two letters (ISO 3166).
        pub authority_country: Option<Text> = ValidationAuthorityCountry,
        /// The authority's page.
        pub authority_uri: Option<Text> = ValidationAuthorityURI,
        /// The version of what it was validated against, before the point.
        pub version_major: i32 = ValidationVersionMajor,
        /// The version of what it was validated against, behind the point.
        pub version_minor: Option<i32> = ValidationVersionMinor,
        /// What was validated.
        pub validation_type: ValidationType = ValidationType,
        /// The level.
        pub level: i32 = ValidationLevel,
        /// The number of the certificate.
        pub certificate_identifier: Option<Text> = ValidationCertificateIdentifier,
        /// The page of the certificate.
        pub certificate_uri: Option<Text> = ValidationCertificateURI,
        /// The vendor's page about it.
        pub vendor_uri: Option<Text> = ValidationVendorURI,
        /// Protection profiles.
        pub profiles: Vec<Text> = ValidationProfile,
    }

    /// Capability Information (KMIP 2.1 §7.5).
    #[derive(Eq, Default)]
    pub struct CapabilityInformation {
        /// Cryptographic operations in several parts.
        pub streaming: Option<bool> = StreamingCapability,
        /// Answers that come later.
        pub asynchronous: Option<bool> = AsynchronousCapability,
        /// Attestation.
        pub attestation: Option<bool> = AttestationCapability,
        /// Batches that are undone.
        pub batch_undo: Option<bool> = BatchUndoCapability since V1_4,
        /// Batches that go on behind a failure.
        pub batch_continue: Option<bool> = BatchContinueCapability since V1_4,
        /// Whether wrapped keys are unwrapped when they come.
        pub unwrap_mode: Option<UnwrapMode> = UnwrapMode,
        /// What Destroy does.
        pub destroy_action: Option<DestroyAction> = DestroyAction,
        /// How what is destroyed is shredded.
        pub shredding_algorithm: Option<ShreddingAlgorithm> = ShreddingAlgorithm,
        /// How clients share the random number generator.
        pub rng_mode: Option<RNGMode> = RNGMode,
        /// Algorithms that withstand quantum computers.
        pub quantum_safe: Option<bool> = QuantumSafeCapability since V2_0,
    }

    /// Server Information (KMIP 2.1 §7.37). Versions before 2.0 have what a vendor puts in, and no more.
    #[derive(Eq, Default)]
    pub struct ServerInformation {
        /// The server's name.
        pub server_name: Option<Text> = ServerName since V2_0,
        /// Its serial number.
        pub serial_number: Option<Text> = ServerSerialNumber since V2_0,
        /// Its version.
        pub server_version: Option<Text> = ServerVersion since V2_0,
        /// How much it has to do.
        pub load: Option<Text> = ServerLoad since V2_0,
        /// The product.
        pub product_name: Option<Text> = ProductName since V2_0,
        /// Which build of the version.
        pub build_level: Option<Text> = BuildLevel since V2_0,
        /// When it was built.
        pub build_date: Option<Text> = BuildDate since V2_0,
        /// The cluster that it belongs to.
        pub cluster_info: Option<Text> = ClusterInfo since V2_0,
        /// Other servers of the cluster.
        pub alternate_endpoints: Vec<Text> = AlternateFailoverEndpoints since V2_0,
    }

    /// Object Groups (KMIP 2.1 §7.23).
    #[derive(Eq, Default)]
    pub struct ObjectGroups {
        /// The groups.
        pub groups: Vec<Text> = ObjectGroup,
    }

    /// Extension Information (KMIP 2.1 §7.13): an item with a tag of the extension range. The type of an item is a number
    /// before 2.0, and an enumeration since.
    pub struct ExtensionInformation {
        /// What the item is called.
        pub name: Text = ExtensionName,
        /// Its tag.
        pub tag: Option<i32> = ExtensionTag,
        /// Its type.
        pub item_type: Option<Element> = ExtensionType,
        /// The number of its enumeration.
        pub enumeration: Option<i32> = ExtensionEnumeration since V2_0,
        /// Whether it is an attribute.
        pub attribute: Option<bool> = ExtensionAttribute since V2_0,
        /// The structure that it stands in.
        pub parent: Option<i32> = ExtensionParentStructureTag since V2_0,
        /// What it is for.
        pub description: Option<Text> = ExtensionDescription since V2_0,
    }
}
