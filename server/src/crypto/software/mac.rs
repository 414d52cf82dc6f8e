//! HMAC (RFC 2104, FIPS 198-1): aws-lc-rs for SHA-1 and the four SHA-2 that it has, RustCrypto for SHA-512/224,
//! SHA-512/256 and SHA-3.

use aws_lc_rs::hmac as native;
use hmac::digest::common::BlockSizeUser;
use hmac::{KeyInit, Mac, SimpleHmac};
use sha2::{Digest, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::crypto::CryptoError;
use crate::crypto::algorithm::Hash;

pub(super) fn hmac(key: &[u8], hash: Hash, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let algorithm = match hash {
        Hash::Sha1 => native::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => native::HMAC_SHA224,
        Hash::Sha256 => native::HMAC_SHA256,
        Hash::Sha384 => native::HMAC_SHA384,
        Hash::Sha512 => native::HMAC_SHA512,
        Hash::Sha512_224 => return compute::<Sha512_224>(key, data),
        Hash::Sha512_256 => return compute::<Sha512_256>(key, data),
        Hash::Sha3_224 => return compute::<Sha3_224>(key, data),
        Hash::Sha3_256 => return compute::<Sha3_256>(key, data),
        Hash::Sha3_384 => return compute::<Sha3_384>(key, data),
        Hash::Sha3_512 => return compute::<Sha3_512>(key, data),
        Hash::Md5 => return Err(CryptoError::Unsupported("HMAC with MD5".into())),
    };
    Ok(native::sign(&native::Key::new(algorithm, key), data).as_ref().to_vec())
}

fn compute<D: Digest + BlockSizeUser + Clone>(key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mac = SimpleHmac::<D>::new_from_slice(key).map_err(|_| CryptoError::Failed("the MAC failed"))?;
    Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
}
