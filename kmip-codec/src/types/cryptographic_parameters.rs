//! Cryptographic Parameters (KMIP 2.1 §4.16).

use crate::spec::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm, KeyRoleType, MaskGenerator,
    PaddingMethod,
};
use crate::ttlv::Blob;

crate::structure! {
    /// Parameters of a cryptographic operation. Lengths are in bytes where nothing else is said.
    #[derive(Default, Eq)]
    pub struct CryptographicParameters {
        /// How blocks are chained.
        pub block_cipher_mode: Option<BlockCipherMode> = BlockCipherMode,
        /// How the last block, or the message, is padded.
        pub padding_method: Option<PaddingMethod> = PaddingMethod,
        /// The hash function.
        pub hashing_algorithm: Option<HashingAlgorithm> = HashingAlgorithm,
        /// The role of a banking key.
        pub key_role_type: Option<KeyRoleType> = KeyRoleType,
        /// The signature scheme.
        pub digital_signature_algorithm: Option<DigitalSignatureAlgorithm> = DigitalSignatureAlgorithm since V1_2,
        /// The algorithm.
        pub cryptographic_algorithm: Option<CryptographicAlgorithm> = CryptographicAlgorithm since V1_2,
        /// Whether the server makes the IV.
        pub random_iv: Option<bool> = RandomIV since V1_2,
        /// Length of the IV, in bits.
        pub iv_length: Option<i32> = IVLength since V1_2,
        /// Length of the authentication tag.
        pub tag_length: Option<i32> = TagLength since V1_2,
        /// Length of the fixed field of the IV, in bits.
        pub fixed_field_length: Option<i32> = FixedFieldLength since V1_2,
        /// Length of the invocation field of the IV, in bits.
        pub invocation_field_length: Option<i32> = InvocationFieldLength since V1_2,
        /// Length of the counter, in bits.
        pub counter_length: Option<i32> = CounterLength since V1_2,
        /// The first value of the counter.
        pub initial_counter_value: Option<i32> = InitialCounterValue since V1_2,
        /// Length of the salt of PSS.
        pub salt_length: Option<i32> = SaltLength since V1_4,
        /// The mask generation function.
        pub mask_generator: Option<MaskGenerator> = MaskGenerator since V1_4,
        /// The hash function of the mask generation function.
        pub mask_generator_hashing_algorithm: Option<HashingAlgorithm> = MaskGeneratorHashingAlgorithm since V1_4,
        /// The P source of OAEP.
        pub p_source: Option<Blob> = PSource since V1_4,
        /// The trailer of PSS.
        pub trailer_field: Option<i32> = TrailerField since V1_4,
    }
}
