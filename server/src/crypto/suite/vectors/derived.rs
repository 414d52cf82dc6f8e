//! Keys derived from keys.

use std::num::NonZeroU32;

use crate::crypto::algorithm::{Derivation, Hash, Iteration};

const ONE: NonZeroU32 = NonZeroU32::MIN;
const SOME: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
const MANY: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);
const RFC_7914: NonZeroU32 = NonZeroU32::MIN.saturating_add(79_999);

/// Key, derivation, result. PBKDF2 from RFC 6070 and RFC 7914 section 11, and of the hash functions that no document has it for
/// from OpenSSL; HKDF from RFC 5869 appendix A.1, the signing key from the example of its
/// documentation; those of SP 800-108 were computed by another library (counter mode) and by hand.
pub(in crate::crypto::suite) const DERIVED: [(&str, Derivation<'static>, &str); 17] = [
    (
        "50617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha256, salt: b"NaCl", iterations: RFC_7914 },
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha224, salt: b"salt", iterations: SOME },
        "94caada0587cd9bec0aa1d6eb1a4da672122d1152458e36e38647fb64e51cfaffe1a74af200c1f202750d51ff63e6f9f9e52d07b59f1dd07bf29d6156ace14d4d94d65fdd8d2",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha512_224, salt: b"salt", iterations: SOME },
        "954b4da75a1bfd685efe6fd8629bc1fee8500c55bac38bf66a0ea05af18022b197d87913b90feeca054ed3a4156294338fdb0e24e5e7cfc15605a207261bae8106be06e9a84a",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha512_256, salt: b"salt", iterations: SOME },
        "f94252b31eddbdfa213498897558956c8a6abfc52bcfa810fa33fd84561daeb4e6055f52346ef2439786e2459aa43c253b4f6e378f59dada680e58d69521e4d368455b5761a9",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha3_224, salt: b"salt", iterations: SOME },
        "8a4fcf62262cf27fd344904ac1983505ac07c5a1e55ce25d602b9b84e3f2f525df05bc4305fe421bcb39a5275165994e176815e311b5a615a8fa77c4a70c6a409d9df46f6e7c",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha3_256, salt: b"salt", iterations: SOME },
        "3662b9455cde6979b1d5d866df806e1fe15954073e07c7c2acf2c80205074e46d2226ae0253297f80a7dc846471882a3d88e0d7349805f3e866b35fd8e4109570baab455f56f",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha3_384, salt: b"salt", iterations: SOME },
        "cacb5ac586f4b182005bcd91711789d3e6f606f369f7f4ee08314e26f5393ce401c0eeeca826175a2ed43d29341775f54994339f2bfcc14a8d0311ba636d0662838b3703cb3e",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha3_512, salt: b"salt", iterations: SOME },
        "2d05fe8b703b8cea448d1560821d640bda9d4a950f233f2ed51b50b9a7b38592eb6cf85b7a0bfeca8fd0069b4af1b9cb9744a05eeef049ccbeef6b18d3fb4c0d4d2faed9d7a5",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha1, salt: b"salt", iterations: ONE },
        "0c60c80f961f0e71f3a9b524af6012062fe037a6",
    ),
    (
        "70617373776f726450415353574f524470617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha1, salt: b"saltSALTsaltSALTsaltSALTsaltSALTsalt", iterations: MANY },
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    ),
    (
        "70617373776f7264",
        Derivation::Pbkdf2 { hash: Hash::Sha256, salt: b"salt", iterations: MANY },
        "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134af7ad98c1b458ce3f",
    ),
    (
        "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
        Derivation::Hkdf {
            hash: Hash::Sha256,
            salt: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            info: &[0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9],
        },
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
        Derivation::Hkdf { hash: Hash::Sha512, salt: &[], info: &[] },
        "f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac",
    ),
    (
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        Derivation::Nist800108 { mode: Iteration::Counter, hash: Hash::Sha256, data: b"label\0context" },
        "4074371b251d6edef8141e9e3e04183d0d2cf48211479bdc77334f613978aed6ddf046629ae7207e8495cc8857c0f20367cae7cdf78b43b5\
         354c4d00948541029fa882e55480",
    ),
    (
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        Derivation::Nist800108 { mode: Iteration::Feedback(b"iv"), hash: Hash::Sha256, data: b"label\0context" },
        "130706f9704ff4a288afc2b2c4e933732fc5341c8d6a70b34b488996b07964daf5493ee54045b1173758b2f5ca4410072dde5c307b8e7d4c\
         ef01e5be62cb41adb643d25445ab",
    ),
    (
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        Derivation::Nist800108 { mode: Iteration::DoublePipeline, hash: Hash::Sha256, data: b"label\0context" },
        "2db7e33802f82827a5ce09dec6301d29648d1a64c59ceca2122b2162661f4d049040aae8b68b35f4513b85a3680543bd5ebc3bcfe9949e75\
         a059bbfe302b5cb059040dbe4609",
    ),
    (
        // wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
        "774a616c725855746e46454d492f4b374d44454e472b62507852666943594558414d504c454b4559",
        Derivation::AwsSignature4 { scope: [b"20150830".as_slice(), b"us-east-1", b"iam"] },
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
    ),
];
