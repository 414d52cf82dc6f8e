//! Digests: aws-lc-rs for what it has, RustCrypto for the rest of the standard's table: MD2, MD4, MD5, RIPEMD-160, Tiger,
//! Whirlpool, SHA-512/224 and SHA3-224.

use aws_lc_rs::digest::{self, Algorithm};
use kmip_codec::spec::{CryptographicAlgorithm, HashingAlgorithm};
use sha2::Digest;

use crate::crypto::algorithm::Hash;

/// The digest of the data, `hash.len()` bytes.
pub fn hash(hash: Hash, data: &[u8]) -> Vec<u8> {
    match aws_digest(hash) {
        Some(algorithm) => digest::digest(algorithm, data).as_ref().to_vec(),
        None => {
            let mut hasher = Hasher::new(hash);
            hasher.update(data);
            hasher.finish()
        }
    }
}

/// The hash function of this name, if there is one here (KMIP 2.1 §11.21).
pub fn hash_named(algorithm: HashingAlgorithm) -> Option<Hash> {
    use HashingAlgorithm as A;
    Some(match algorithm {
        A::MD2 => Hash::Md2,
        A::MD4 => Hash::Md4,
        A::MD5 => Hash::Md5,
        A::SHA1 => Hash::Sha1,
        A::SHA224 => Hash::Sha224,
        A::SHA256 => Hash::Sha256,
        A::SHA384 => Hash::Sha384,
        A::SHA512 => Hash::Sha512,
        A::RIPEMD160 => Hash::Ripemd160,
        A::Tiger => Hash::Tiger,
        A::Whirlpool => Hash::Whirlpool,
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

/// What RustCrypto does, in one list. Whatever neither library has does not compile.
macro_rules! others {
    ($($name:ident = $context:ty),+ $(,)?) => {
        #[derive(Clone)]
        enum Inner {
            Native(digest::Context),
            $($name($context),)+
        }

        impl Hasher {
            /// Begins one.
            pub fn new(hash: Hash) -> Self {
                Self(match home(hash) {
                    Home::Native(algorithm) => Inner::Native(digest::Context::new(algorithm)),
                    $(Home::$name => Inner::$name(<$context>::new()),)+
                })
            }

            /// The next data.
            pub fn update(&mut self, data: &[u8]) {
                match &mut self.0 {
                    Inner::Native(context) => context.update(data),
                    $(Inner::$name(context) => Digest::update(context, data),)+
                }
            }

            /// The digest.
            pub fn finish(self) -> Vec<u8> {
                match self.0 {
                    Inner::Native(context) => context.finish().as_ref().to_vec(),
                    $(Inner::$name(context) => context.finalize().to_vec(),)+
                }
            }
        }

        /// Which library has the hash.
        enum Home {
            Native(&'static Algorithm),
            $($name,)+
        }

        fn home(hash: Hash) -> Home {
            Home::Native(match hash {
                Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
                Hash::Sha224 => &digest::SHA224,
                Hash::Sha256 => &digest::SHA256,
                Hash::Sha384 => &digest::SHA384,
                Hash::Sha512 => &digest::SHA512,
                Hash::Sha512_256 => &digest::SHA512_256,
                Hash::Sha3_256 => &digest::SHA3_256,
                Hash::Sha3_384 => &digest::SHA3_384,
                Hash::Sha3_512 => &digest::SHA3_512,
                $(Hash::$name => return Home::$name,)+
            })
        }
    };
}

others! {
    Md2 = md2::Md2,
    Md4 = md4::Md4,
    Md5 = md5::Md5,
    Ripemd160 = ripemd::Ripemd160,
    Tiger = tiger::Tiger,
    Whirlpool = whirlpool::Whirlpool,
    Sha512_224 = sha2::Sha512_224,
    Sha3_224 = sha3::Sha3_224,
}

/// The hash in aws-lc-rs, if it has it.
pub(in crate::crypto) fn aws_digest(hash: Hash) -> Option<&'static Algorithm> {
    match home(hash) {
        Home::Native(algorithm) => Some(algorithm),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc" that the standards and the authors of the older hash functions give.
    #[test]
    fn every_hash_gives_its_published_digest() {
        for (algorithm, expected) in [
            (Hash::Md2, "da853b0d3f88d99b30283a69e6ded6bb"),
            (Hash::Md4, "a448017aaf21d8525fc10ae87aa6729d"),
            (Hash::Ripemd160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            (Hash::Tiger, "2aab1484e8c158f2bfb8c5ff41b57a525129131c957b5f93"),
            (
                Hash::Whirlpool,
                "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c\
                 7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5",
            ),
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
