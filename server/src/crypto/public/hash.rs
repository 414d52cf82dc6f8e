//! Digests: aws-lc-rs for what it has, RustCrypto for MD5, SHA-512/224 and SHA3-224.

use aws_lc_rs::digest::{self, Algorithm};
use kmip_codec::spec::{CryptographicAlgorithm, HashingAlgorithm};
use md5::Md5;
use sha2::{Digest, Sha512_224};
use sha3::Sha3_224;

use crate::crypto::algorithm::Hash;

/// The digest of the data (FIPS 180-4, FIPS 202, RFC 1321), `hash.len()` bytes.
pub fn hash(hash: Hash, data: &[u8]) -> Vec<u8> {
    match aws_digest(hash) {
        Some(algorithm) => digest::digest(algorithm, data).as_ref().to_vec(),
        None => match hash {
            Hash::Md5 => Md5::digest(data).to_vec(),
            Hash::Sha512_224 => Sha512_224::digest(data).to_vec(),
            _ => Sha3_224::digest(data).to_vec(),
        },
    }
}

/// The hash function of this name, if there is one here.
pub fn hash_named(algorithm: HashingAlgorithm) -> Option<Hash> {
    use HashingAlgorithm as A;
    Some(match algorithm {
        A::MD5 => Hash::Md5,
        A::SHA1 => Hash::Sha1,
        A::SHA224 => Hash::Sha224,
        A::SHA256 => Hash::Sha256,
        A::SHA384 => Hash::Sha384,
        A::SHA512 => Hash::Sha512,
        A::SHA512224 => Hash::Sha512_224,
        A::SHA512256 => Hash::Sha512_256,
        A::SHA3224 => Hash::Sha3_224,
        A::SHA3256 => Hash::Sha3_256,
        A::SHA3384 => Hash::Sha3_384,
        A::SHA3512 => Hash::Sha3_512,
        _ => return None,
    })
}

/// The hash function of the HMAC that an algorithm is, if it is one.
pub const fn hmac_hash(algorithm: CryptographicAlgorithm) -> Option<Hash> {
    Some(match algorithm {
        CryptographicAlgorithm::HMACMD5 => Hash::Md5,
        CryptographicAlgorithm::HMACSHA1 => Hash::Sha1,
        CryptographicAlgorithm::HMACSHA224 => Hash::Sha224,
        CryptographicAlgorithm::HMACSHA256 => Hash::Sha256,
        CryptographicAlgorithm::HMACSHA384 => Hash::Sha384,
        CryptographicAlgorithm::HMACSHA512 => Hash::Sha512,
        CryptographicAlgorithm::HMACSHA3224 => Hash::Sha3_224,
        CryptographicAlgorithm::HMACSHA3256 => Hash::Sha3_256,
        CryptographicAlgorithm::HMACSHA3384 => Hash::Sha3_384,
        CryptographicAlgorithm::HMACSHA3512 => Hash::Sha3_512,
        _ => return None,
    })
}

/// A digest under way.
#[derive(Clone)]
pub struct Hasher(Inner);

#[derive(Clone)]
enum Inner {
    Native(digest::Context),
    Md5(Md5),
    Sha512_224(Sha512_224),
    Sha3_224(Sha3_224),
}

impl Hasher {
    /// Begins one.
    pub fn new(hash: Hash) -> Self {
        Self(match aws_digest(hash) {
            Some(algorithm) => Inner::Native(digest::Context::new(algorithm)),
            None => match hash {
                Hash::Md5 => Inner::Md5(Md5::new()),
                Hash::Sha512_224 => Inner::Sha512_224(Sha512_224::new()),
                _ => Inner::Sha3_224(Sha3_224::new()),
            },
        })
    }

    /// The next data.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            Inner::Native(context) => context.update(data),
            Inner::Md5(context) => Digest::update(context, data),
            Inner::Sha512_224(context) => Digest::update(context, data),
            Inner::Sha3_224(context) => Digest::update(context, data),
        }
    }

    /// The digest.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Inner::Native(context) => context.finish().as_ref().to_vec(),
            Inner::Md5(context) => context.finalize().to_vec(),
            Inner::Sha512_224(context) => context.finalize().to_vec(),
            Inner::Sha3_224(context) => context.finalize().to_vec(),
        }
    }
}

/// The hash in aws-lc-rs, if it has it.
pub(in crate::crypto) fn aws_digest(hash: Hash) -> Option<&'static Algorithm> {
    Some(match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &digest::SHA224,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        Hash::Sha512_256 => &digest::SHA512_256,
        Hash::Sha3_256 => &digest::SHA3_256,
        Hash::Sha3_384 => &digest::SHA3_384,
        Hash::Sha3_512 => &digest::SHA3_512,
        Hash::Md5 | Hash::Sha512_224 | Hash::Sha3_224 => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc" that the standards' example pages give.
    #[test]
    fn every_hash_gives_its_published_digest() {
        for (algorithm, expected) in [
            (Hash::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Hash::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            (Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Hash::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                Hash::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            (Hash::Sha512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
            (Hash::Sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
            (Hash::Sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
            (Hash::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
            (
                Hash::Sha3_384,
                "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
            ),
            (
                Hash::Sha3_512,
                "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
                 10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
            ),
        ] {
            assert_eq!(hex::encode(hash(algorithm, b"abc")), expected, "{algorithm:?}");
            assert_eq!(hash(algorithm, b"").len(), algorithm.len());
            let mut parts = Hasher::new(algorithm);
            [&b"a"[..], b"", b"bc"].into_iter().for_each(|part| parts.update(part));
            assert_eq!(hex::encode(parts.finish()), expected, "{algorithm:?} in parts");
        }
    }
}
