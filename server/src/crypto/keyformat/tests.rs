use super::vectors::*;
use super::*;
use crate::crypto::algorithm::{Curve, Edwards, ParameterSet};

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

const RSA: KeyKind = KeyKind::Rsa { bits: 1024 };
const P521: KeyKind = KeyKind::Ec { curve: Curve::P521 };

#[test]
fn keys_are_identified() {
    assert_eq!(identify_private(&unhex(RSA_PKCS8)), Ok(RSA));
    assert_eq!(identify_public(&unhex(RSA_SPKI)), Ok(RSA));
    assert_eq!(identify_private(&unhex(EC_PKCS8)), Ok(P521));
    assert_eq!(identify_public(&unhex(EC_SPKI)), Ok(P521));
    assert_eq!(identify_public(&unhex(ED25519_SPKI)), Ok(KeyKind::Edwards { curve: Edwards::Ed25519 }));
    let unknown = identify_public(&unhex(&ED25519_SPKI.replace("2b6570", "2b6574")));
    assert_eq!(unknown, Err(FormatError::UnknownAlgorithm("1.3.101.116".into())));
}

/// RFC 8410 §10.3: a private key, and the same with the public key behind it.
#[test]
fn keys_of_rfc_8410_come_apart_and_together() {
    let plain =
        unhex("302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
    let EdwardsPrivate { curve, key } = EdwardsPrivate::from_pkcs8(&plain).unwrap();
    assert_eq!((curve, key.len()), (Edwards::Ed25519, 32));
    assert_eq!(EdwardsPrivate { curve, key: key.clone() }.to_pkcs8().unwrap().expose(), plain);
    let public = EdwardsPublic::from_spki(&unhex(ED25519_SPKI)).unwrap();
    assert_eq!(hex::encode(public.to_spki().unwrap()), ED25519_SPKI);
    // A byte more or less, and parameters, are refused.
    for wrong in [&key.expose()[1..], &[key.expose(), &[0]].concat()] {
        assert!(EdwardsPrivate { curve, key: Secret::copy_of(wrong) }.to_pkcs8().is_err());
    }
    let parameters = ED25519_SPKI.replacen("302a300506032b6570", "302c300706032b65700500", 1);
    assert!(matches!(identify_public(&unhex(&parameters)), Err(FormatError::Invalid(_))));
    let with_public = plain.iter().copied().chain(unhex("812100").into_iter().chain(public.key.clone()));
    let mut with_public: Vec<u8> = with_public.collect();
    (with_public[1], with_public[4]) = (0x2e + 0x23, 1);
    assert_eq!(carried(&with_public), Ok(Some(public.key)));
}

#[test]
fn the_length_of_a_modulus_is_exact() {
    for (first, bits) in [(0x80_u8, 1024), (0x7f, 1023), (0x01, 1017)] {
        let mut modulus = vec![first; 128];
        modulus[127] = 1;
        let spki = RsaPublicParts { modulus, exponent: vec![1, 0, 1] }.to_spki().unwrap();
        assert_eq!(identify_public(&spki), Ok(KeyKind::Rsa { bits }));
    }
}

#[test]
fn rsa_keys_change_their_format_and_back() {
    let pkcs8 = pkcs1_private_to_pkcs8(&unhex(RSA_PKCS1)).unwrap();
    assert_eq!(hex::encode(pkcs8.expose()), RSA_PKCS8);
    let pkcs1 = pkcs8_to_pkcs1_private(&unhex(RSA_PKCS8)).unwrap();
    assert_eq!(hex::encode(pkcs1.expose()), RSA_PKCS1);
    assert_eq!(hex::encode(pkcs1_public_to_spki(&unhex(RSA_PUBLIC)).unwrap()), RSA_SPKI);
    assert_eq!(hex::encode(spki_to_pkcs1_public(&unhex(RSA_SPKI)).unwrap()), RSA_PUBLIC);
}

#[test]
fn rsa_keys_come_apart_and_together() {
    let mut parts = RsaPrivateParts::from_pkcs8(&unhex(RSA_PKCS8)).unwrap();
    assert_eq!((parts.modulus.len(), &parts.public_exponent[..]), (128, &[1, 0, 1][..]));
    assert_eq!(hex::encode(parts.public().to_spki().unwrap()), RSA_SPKI);
    assert_eq!(RsaPublicParts::from_spki(&unhex(RSA_SPKI)).unwrap(), parts.public());
    assert_eq!(hex::encode(parts.to_pkcs8().unwrap().expose()), RSA_PKCS8);
    // Leading zeros, as some clients send them, make no difference.
    parts.p = Secret::new([&[0, 0], parts.p.expose()].concat());
    parts.modulus.insert(0, 0);
    assert_eq!(hex::encode(parts.to_pkcs8().unwrap().expose()), RSA_PKCS8);
    parts.public_exponent = vec![];
    assert!(parts.to_pkcs8().is_err());
    parts.public_exponent = vec![2];
    assert!(parts.to_pkcs8().is_err());
}

#[test]
fn ec_keys_change_their_format_and_back() {
    let pkcs8 = ec_private_to_pkcs8(&unhex(EC_SEC1)).unwrap();
    assert_eq!(hex::encode(pkcs8.expose()), EC_PKCS8);
    let on = ec_private_to_pkcs8_on(Curve::P521, &unhex(EC_SEC1)).unwrap();
    assert_eq!(on, pkcs8);
    let wrong = ec_private_to_pkcs8_on(Curve::P384, &unhex(EC_SEC1));
    assert_eq!(wrong, Err(FormatError::Invalid("the key names two different curves")));
    assert_eq!(hex::encode(pkcs8_to_ec_private(&unhex(EC_PKCS8)).unwrap().expose()), EC_SEC1);
}

#[test]
fn ec_keys_come_apart_and_together() {
    let public = EcPublicParts::from_spki(&unhex(EC_SPKI)).unwrap();
    assert_eq!((public.curve, hex::encode(&public.point)), (Curve::P521, EC_POINT.to_owned()));
    assert_eq!(hex::encode(public.to_spki().unwrap()), EC_SPKI);
    let compressed = EcPublicParts { curve: Curve::P521, point: unhex(EC_POINT_COMPRESSED) };
    assert_eq!(identify_public(&compressed.to_spki().unwrap()), Ok(P521));

    let private = EcPrivateParts::from_pkcs8(&unhex(EC_PKCS8)).unwrap();
    assert_eq!((private.d.len(), private.d.expose()[0]), (66, 0));
    let short = EcPrivateParts { curve: Curve::P521, d: Secret::copy_of(&private.d.expose()[2..]) };
    let pkcs8 = short.to_pkcs8().unwrap();
    assert_eq!(pkcs8, private.to_pkcs8().unwrap());
    assert_eq!(EcPrivateParts::from_pkcs8(pkcs8.expose()).unwrap(), private);
    for d in [vec![], vec![0; 66], vec![1; 67]] {
        assert!(EcPrivateParts { curve: Curve::P521, d: Secret::new(d) }.to_pkcs8().is_err());
    }
    for point in [vec![], vec![0], vec![4; 132], vec![5; 133], vec![2; 133]] {
        assert!(EcPublicParts { curve: Curve::P521, point }.to_spki().is_err());
    }
}

/// Every prefix, a byte more, and each format taken for another.
#[test]
fn what_is_not_the_format_is_refused() {
    type Reader = fn(&[u8]) -> bool;
    let readers: [(&str, Reader); 7] = [
        (RSA_PKCS8, |der| pkcs8_to_pkcs1_private(der).is_ok()),
        (EC_PKCS8, |der| pkcs8_to_ec_private(der).is_ok()),
        (RSA_PKCS1, |der| pkcs1_private_to_pkcs8(der).is_ok()),
        (EC_SEC1, |der| ec_private_to_pkcs8(der).is_ok()),
        (RSA_SPKI, |der| spki_to_pkcs1_public(der).is_ok()),
        (EC_SPKI, |der| EcPublicParts::from_spki(der).is_ok()),
        (RSA_PUBLIC, |der| pkcs1_public_to_spki(der).is_ok()),
    ];
    for (der, read) in readers {
        let good = unhex(der);
        assert!(read(&good));
        for len in 0..good.len() {
            assert!(!read(&good[..len]), "{len} bytes of {der}");
        }
        assert!(!read(&[&good[..], &[0]].concat()), "a byte more than {der}");
        for (other, _) in readers.iter().filter(|(other, _)| *other != der) {
            assert!(!read(&unhex(other)), "{other} taken for {der}");
        }
    }
}

#[test]
fn parameters_of_an_rsa_key_must_be_null() {
    let spki = unhex(RSA_SPKI);
    // The outer header of this key is 4 bytes; then comes the AlgorithmIdentifier, which ends in 05 00.
    assert_eq!(spki[3 + 13..3 + 15], [5, 0]);
    let mut without = vec![0x30, 0x81, spki[2] - 2, 0x30, spki[4] - 2];
    without.extend_from_slice(&spki[5..16]);
    without.extend_from_slice(&spki[18..]);
    assert!(matches!(identify_public(&without), Err(FormatError::Invalid(_))));
}

/// The three forms of RFC 9881 §6 and RFC 9935 §6 come back as they were, and only they are taken.
#[test]
fn private_keys_of_ml_kem_and_ml_dsa_have_three_forms() {
    for set in ParameterSet::ALL {
        let kind = KeyKind::PostQuantum { set };
        let Some(seed_len) = set.seed_len() else { continue };
        let (seed, expanded) = (vec![7; seed_len], vec![9; set.expanded_len()]);
        let whole = || Some(Secret::new(expanded.clone()));
        let forms = [(Some(&seed), None), (None, whole()), (Some(&seed), whole())];
        for (place, (seed, expanded)) in forms.into_iter().enumerate() {
            let seed = seed.map(|seed| Secret::copy_of(seed));
            let parts = PostQuantumPrivateParts { set, seed, expanded };
            let pkcs8 = parts.to_pkcs8().unwrap();
            assert_eq!(identify_private(pkcs8.expose()), Ok(kind));
            let back = PostQuantumPrivateParts::from_pkcs8(pkcs8.expose()).unwrap();
            assert_eq!((&back.seed, &back.expanded), (&parts.seed, &parts.expanded), "{set:?}");
            // [0], OCTET STRING, SEQUENCE: the first byte in the OCTET STRING of the structure.
            let info = open_pkcs8(pkcs8.expose()).unwrap();
            assert_eq!(info.private_key.as_bytes()[0], [0x80, 0x04, 0x30][place]);
            let cut = &pkcs8.expose()[..pkcs8.len() - 1];
            assert!(matches!(identify_private(cut), Err(FormatError::Malformed(_))));
        }
        let other = if set.is_kem() { ParameterSet::MlDsa44 } else { ParameterSet::MlKem512 };
        let seed = Some(Secret::new(vec![7; other.seed_len().unwrap()]));
        let wrong = PostQuantumPrivateParts { set, seed, expanded: None };
        assert!(matches!(identify_private(wrong.to_pkcs8().unwrap().expose()), Err(FormatError::Invalid(_))));
        let spki = post_quantum_spki(set, &vec![5; set.public_len()]).unwrap();
        assert_eq!(identify_public(&spki), Ok(kind));
        assert_eq!(post_quantum_public(&spki), Ok((set, vec![5; set.public_len()])));
        assert!(post_quantum_spki(set, &vec![5; set.public_len() - 1]).is_err());
    }
}

/// RFC 9881 appendix C.1.1.1 has the seed 00 to 1f of ML-DSA-44 so, RFC 9935 appendix C.1.1 the seed 00 to 3f of ML-KEM-512.
#[test]
fn seeds_are_written_as_the_standards_print_them() {
    let seed: Vec<u8> = (0..64).collect();
    for (set, head) in [
        (ParameterSet::MlDsa44, "3034020100300b060960864801650304031104228020"),
        (ParameterSet::MlKem512, "3054020100300b060960864801650304040104428040"),
    ] {
        let seed = &seed[..set.seed_len().unwrap()];
        let pkcs8 = PostQuantumPrivateParts::from_raw(set, seed).unwrap().to_pkcs8().unwrap();
        assert_eq!(hex::encode(pkcs8.expose()), [head, &hex::encode(seed)].concat());
    }
}

/// A private key of SLH-DSA is its bytes in the OCTET STRING, and nothing around them (RFC 9909 §6).
#[test]
fn private_keys_of_slh_dsa_are_their_bytes() {
    let sets = ParameterSet::ALL.into_iter().filter(|set| set.seed_len().is_none());
    let mut names = Vec::new();
    for set in sets {
        let key: Vec<u8> = (0..).take(set.expanded_len()).collect();
        let pkcs8 = PostQuantumPrivateParts::from_raw(set, &key).unwrap().to_pkcs8().unwrap();
        assert_eq!(identify_private(pkcs8.expose()), Ok(KeyKind::PostQuantum { set }));
        let info = open_pkcs8(pkcs8.expose()).unwrap();
        assert_eq!((info.private_key.as_bytes(), info.algorithm.parameters), (&*key, None));
        names.push(info.algorithm.oid.to_string());
        let spki = post_quantum_spki(set, &key[set.public_len()..]).unwrap();
        assert_eq!(post_quantum_public(&spki), Ok((set, key[set.public_len()..].to_vec())));
        for wrong in [&key[1..], &[&key[..], &[0]].concat(), &[]] {
            assert!(matches!(PostQuantumPrivateParts::from_raw(set, wrong), Err(FormatError::Invalid(_))));
            let wrong = PostQuantumPrivateParts { set, seed: None, expanded: Some(Secret::copy_of(wrong)) };
            assert!(matches!(identify_private(wrong.to_pkcs8().unwrap().expose()), Err(FormatError::Invalid(_))));
        }
    }
    // id-slh-dsa-sha2-128s to id-slh-dsa-shake-256f (RFC 9909 §3).
    assert_eq!(names, (20..=31).map(|last| format!("2.16.840.1.101.3.4.3.{last}")).collect::<Vec<_>>());
}
