//! Sign and Signature Verify.

use kmip_codec::spec::{
    BlockCipherMode, CertificateType, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask,
    DigitalSignatureAlgorithm as Named, HashingAlgorithm as Hashing, KeyFormatType, MaskGenerator, PaddingMethod,
    ResultReason as Reason, Tag, UsageLimitsUnit, ValidityIndicator, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Certificate, CryptographicParameters as Parameters, Object, UniqueIdentifier, UsageLimits};
use kmip_codec::{Element, Value};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::{Request, Sign};
use crate::crypto::algorithm::{Curve, Edwards, Hash, KeyKind, ParameterSet};
use crate::crypto::keyformat::vectors;
use crate::crypto::permits::{Permits, Preset};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{Made, Provider, Residency, keyblock, public};
use crate::failure::Outcome;
use crate::ops::data::Data;
use crate::ops::decrypt::{self, Decrypt};
use crate::ops::encrypt::{self, Encrypt};
use crate::ops::signature_verify::{self, SignatureVerify};
use crate::view::Settings;
use crate::view::testing::{Bench, NOW, block, structured, usage};

/// A key, and its PSS signature with SHA-256 as published with parameters that leave the rest open: the mask's hash is
/// SHA-256, and the salt has 222 bytes.
const PUBLISHED_KEY: &str = "3082010a0282010100ab7f161c0042496ccd6c6d4dadb919973435357776003acf54b7af1e440afb80b64a8755f8002cfeba\
    6b184540a2d66086d74648346d75b8d71812b205387c0f6583bc4d7dc7ec114f3b176b7957c422e7d03fc6267fa2a6f89b9b\
    ee9e60a1d7c2d833e5a5f4bb0b1434f4e795a41100f8aa214900df8b65089f98135b1c67b701675abdbc7d5721aac9d14a7f\
    081fcec80b64e8a0ecc8295353c795328abf70e1b42e7bb8b7f4e8ac8c810cdb66e3d21126eba8da7d0ca34142cb76f91f01\
    3da809e9c1b7ae64c54130fbc21d80e9c2cb06c5c8d7cce8946a9ac99b1c2815c3612a29a82d73a1f99374fe30e54951662a\
    6eda29c6fc411335d5dc7426b0f6050203010001";
const PUBLISHED_DATA: &str = "01020304050607080910111213141516";
const PUBLISHED_SIGNATURE: &str = "2925ebf8c6c9d0585c36a44491dd28f8ffd1098d2275a505a0eba7af452e9496472fd5c4a515d1c0db16c7c59ef76863b571\
    cbf498fb8178ffeb75667e6e51b9b9bbf09d55bba54b42acb947aa5a81dc62751727d7cad4616c0c0bf1dd666f8266f24262\
    c5fa9cbbdc424ef5f5e345e633d111e66eb4afc4001bb02e158b2d5d4573c614655f21a688bee0e9dbde6a58324c08f42ae6\
    9697e0c51803f9de6b3df242d2915d9b1a8110ad28143ab7855ef92ede48971b484172de3b0b8957f493a74b3372ee2200f2\
    233607735f90d0b180968ab20d74841fd3dba4fb1f225ea5c6c87f99c2a238db72a536e68be202a092cd032337d451477e56\
    8f9a48b638cb";

struct Pair {
    private: UniqueIdentifier,
    public: UniqueIdentifier,
}

const RSA: KeyKind = KeyKind::Rsa { bits: 2048 };
const EC: KeyKind = KeyKind::Ec { curve: Curve::P256 };

fn pair(bench: &Bench, kind: KeyKind, more: &[(Tag, Value)]) -> Pair {
    let algorithm = match kind {
        KeyKind::Rsa { .. } => Algorithm::RSA,
        KeyKind::Edwards { .. } | KeyKind::PostQuantum { .. } => keyblock::algorithm_of(kind).unwrap(),
        _ => Algorithm::EC,
    };
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
    let Made::Clear(pkcs8) = made.private else { panic!("software makes keys in the clear") };
    let private = Object::PrivateKey(block(KeyFormatType::Pkcs8, algorithm, pkcs8.expose()));
    let public = Object::PublicKey(block(KeyFormatType::X509, algorithm, &made.public));
    let attributes = |mask| [&[usage(mask)], more].concat();
    Pair {
        private: bench.object(private, attributes(Mask::SIGN)),
        public: bench.object(public, attributes(Mask::VERIFY)),
    }
}

fn request(key: &UniqueIdentifier, parameters: Option<Parameters>, data: Option<&[u8]>) -> Request {
    Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: parameters,
        data: data.map(|data| Data::Bytes(Blob::copy_of(data))),
        digested_data: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    }
}

fn sign(bench: &Bench, request: Request) -> Outcome<Blob> {
    Ok(bench.run::<Sign>(Version::V2_1, request)?.signature_data.unwrap())
}

fn is_valid(bench: &Bench, key: &UniqueIdentifier, signed: &Request, signature: &[u8]) -> Outcome<bool> {
    let request = signature_verify::Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: signed.cryptographic_parameters.clone(),
        data: signed.data.clone(),
        digested_data: signed.digested_data.clone(),
        signature_data: Some(Blob::copy_of(signature)),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let answer = bench.run::<SignatureVerify>(Version::V2_1, request)?;
    Ok(answer.validity_indicator == Some(ValidityIndicator::Valid))
}

fn hashed(algorithm: Algorithm, hash: Hashing) -> Parameters {
    Parameters { cryptographic_algorithm: Some(algorithm), hashing_algorithm: Some(hash), ..Parameters::default() }
}

fn named(named: Named) -> Parameters {
    Parameters { digital_signature_algorithm: Some(named), ..Parameters::default() }
}

fn pss(hash: Hashing) -> Parameters {
    Parameters { padding_method: Some(PaddingMethod::PSS), ..hashed(Algorithm::RSA, hash) }
}

#[test]
fn every_scheme_signs_and_verifies_and_no_other_data() {
    let bench = Bench::new();
    let (rsa, ec) = (pair(&bench, RSA, &[]), pair(&bench, EC, &[]));
    let pkcs1 = Parameters { padding_method: Some(PaddingMethod::PKCS1V15), ..hashed(Algorithm::RSA, Hashing::SHA256) };
    let salted = Parameters { salt_length: Some(32), ..pss(Hashing::SHA256) };
    let masked = Parameters {
        mask_generator: Some(MaskGenerator::MGF1),
        mask_generator_hashing_algorithm: Some(Hashing::SHA256),
        trailer_field: Some(1),
        ..salted.clone()
    };
    let by_hash = Parameters { hashing_algorithm: Some(Hashing::SHA256), ..Parameters::default() };
    for (pair, parameters) in [
        (&rsa, hashed(Algorithm::RSA, Hashing::SHA256)),
        (&rsa, pkcs1),
        (&rsa, by_hash.clone()),
        (&rsa, named(Named::SHA512WithRSAEncryption)),
        (&rsa, pss(Hashing::SHA256)),
        (&rsa, salted),
        (&rsa, masked),
        (&rsa, Parameters { hashing_algorithm: Some(Hashing::SHA256), ..named(Named::RSASSAPSS) }),
        (&ec, hashed(Algorithm::ECDSA, Hashing::SHA256)),
        (&ec, hashed(Algorithm::EC, Hashing::SHA384)),
        (&ec, by_hash),
        (&ec, named(Named::ECDSAWithSHA512)),
    ] {
        let asked = request(&pair.private, Some(parameters.clone()), Some(b"data"));
        let signature = sign(&bench, asked.clone()).unwrap();
        assert!(is_valid(&bench, &pair.public, &asked, &signature).unwrap(), "{parameters:?}");
        let other = request(&pair.private, Some(parameters), Some(b"date"));
        assert!(!is_valid(&bench, &pair.public, &other, &signature).unwrap());
        assert!(!is_valid(&bench, &pair.public, &asked, &[0; 256]).unwrap());
        assert!(!is_valid(&bench, &pair.public, &asked, b"").unwrap());
    }
}

#[test]
fn a_key_of_edwards_says_all_of_its_signature() {
    let bench = Bench::new();
    for (curve, other) in [(Edwards::Ed25519, Algorithm::Ed448)] {
        let kind = KeyKind::Edwards { curve };
        let pair = pair(&bench, kind, &[]);
        let own = Parameters { cryptographic_algorithm: keyblock::algorithm_of(kind), ..Parameters::default() };
        for parameters in [None, Some(own)] {
            let asked = request(&pair.private, parameters, Some(b"data"));
            let signature = sign(&bench, asked.clone()).unwrap();
            assert!(is_valid(&bench, &pair.public, &asked, &signature).unwrap());
            // Whatever is no signature is an answer, and no failure.
            for wrong in [&signature[1..], &[], &[0xff; 300]] {
                assert!(!is_valid(&bench, &pair.public, &asked, wrong).unwrap());
            }
            let others = request(&pair.private, None, Some(b"date"));
            assert!(!is_valid(&bench, &pair.public, &others, &signature).unwrap());
        }
        let reason = |asked: Request| sign(&bench, asked).unwrap_err().reason;
        let digested = Request { digested_data: Some(Blob::copy_of(&[1; 64])), ..request(&pair.private, None, None) };
        assert_eq!(reason(digested), Reason::BadCryptographicParameters);
        for parameters in [
            Parameters { cryptographic_algorithm: Some(other), ..Parameters::default() },
            Parameters { cryptographic_algorithm: Some(Algorithm::ECDSA), ..hashed(Algorithm::ECDSA, Hashing::SHA256) },
            Parameters { hashing_algorithm: Some(Hashing::SHA512), ..Parameters::default() },
            named(Named::ECDSAWithSHA256),
        ] {
            assert_eq!(
                reason(request(&pair.private, Some(parameters), Some(b"data"))),
                Reason::BadCryptographicParameters
            );
        }
    }
    // What nobody has reviewed verifies, and signs where the configuration says so.
    let pair = pair(&bench, KeyKind::Edwards { curve: Edwards::Ed448 }, &[]);
    let asked = request(&pair.private, None, Some(b"data"));
    assert_eq!(sign(&bench, asked.clone()).unwrap_err().reason, Reason::UnsupportedCryptographicParameters);
    assert!(!is_valid(&bench, &pair.public, &asked, &[0; 114]).unwrap());
}

/// Sign and verify so many parts; the signature, and whether it was found valid of the same parts and of others.
fn streamed(bench: &Bench, pair: &Pair, parts: &[&[u8]]) -> Outcome<(Blob, [bool; 2])> {
    let mut correlation_value: Option<Blob> = None;
    let mut signature = None;
    for (at, part) in parts.iter().enumerate() {
        let request = Request {
            init_indicator: Some(at == 0),
            final_indicator: Some(at + 1 == parts.len()),
            correlation_value: correlation_value.take(),
            ..request(&pair.private, None, Some(part))
        };
        let answer = bench.run::<Sign>(Version::V2_1, request)?;
        (correlation_value, signature) = (answer.correlation_value, answer.signature_data);
    }
    let signature = signature.unwrap();
    let verify = |parts: &[&[u8]]| {
        let mut correlation_value: Option<Blob> = None;
        let mut found = None;
        for (at, part) in parts.iter().enumerate() {
            let request = signature_verify::Request {
                unique_identifier: Some(pair.public.clone()),
                cryptographic_parameters: None,
                data: Some(Data::Bytes(Blob::copy_of(part))),
                digested_data: None,
                signature_data: (at == 0).then(|| signature.clone()),
                correlation_value: correlation_value.take(),
                init_indicator: Some(at == 0),
                final_indicator: Some(at + 1 == parts.len()),
            };
            let answer = bench.run::<SignatureVerify>(Version::V2_1, request).unwrap();
            (correlation_value, found) = (answer.correlation_value, answer.validity_indicator);
        }
        found == Some(ValidityIndicator::Valid)
    };
    let others = [&[&b"x"[..]], parts].concat();
    Ok((signature.clone(), [verify(parts), verify(&others)]))
}

/// Where the data itself is signed it waits for the last part, and no more of it than may wait.
#[test]
fn what_signs_the_data_itself_signs_it_in_parts() {
    let set = |set| KeyKind::PostQuantum { set };
    for kind in
        [KeyKind::Edwards { curve: Edwards::Ed25519 }, set(ParameterSet::MlDsa44), set(ParameterSet::SlhDsaSha2_128f)]
    {
        let bench = Bench::new();
        let pair = pair(&bench, kind, &[]);
        let (signature, found) = streamed(&bench, &pair, &[b"da", b"", b"ta"]).unwrap();
        assert_eq!(found, [true, false], "{kind:?}");
        assert!(is_valid(&bench, &pair.public, &request(&pair.private, None, Some(b"data")), &signature).unwrap());
        // No digest of it, in parts neither.
        let digested = Request {
            init_indicator: Some(true),
            digested_data: Some(Blob::copy_of(&[1; 32])),
            ..request(&pair.private, None, None)
        };
        assert_eq!(bench.run::<Sign>(Version::V2_1, digested).unwrap_err().reason, Reason::InvalidField);
    }
    let bench = Bench::new();
    let pair = pair(&bench, KeyKind::Edwards { curve: Edwards::Ed25519 }, &[]);
    let most = vec![7; crate::session::parts::Limits::default().bytes];
    let refused = streamed(&bench, &pair, &[&most, b"x"]).map(drop).unwrap_err();
    assert_eq!(refused.reason, Reason::ServerLimitExceeded);
    // What has a hash function keeps its state alone.
    let hashed = Parameters { hashing_algorithm: Some(Hashing::SHA256), ..Parameters::default() };
    let hashed = (Tag::CryptographicParameters, structured(Tag::CryptographicParameters, &hashed).1);
    let pair = self::pair(&bench, EC, &[hashed]);
    assert_eq!(streamed(&bench, &pair, &[&most, b"x"]).unwrap().1, [true, false]);
}

#[test]
fn a_digest_is_signed_as_its_data_would_be() {
    let bench = Bench::new();
    let (rsa, ec) = (pair(&bench, RSA, &[]), pair(&bench, EC, &[]));
    let digest = public::hash(Hash::Sha256, b"data");
    let unnamed = Parameters { cryptographic_algorithm: Some(Algorithm::ECDSA), ..Parameters::default() };
    for (pair, to_sign, to_verify) in [
        (&rsa, hashed(Algorithm::RSA, Hashing::SHA256), hashed(Algorithm::RSA, Hashing::SHA256)),
        // ECDSA does not care what made the digest.
        (&ec, unnamed.clone(), hashed(Algorithm::ECDSA, Hashing::SHA256)),
    ] {
        let mut asked = request(&pair.private, Some(to_sign), None);
        asked.digested_data = Some(Blob::copy_of(&digest));
        let signature = sign(&bench, asked.clone()).unwrap();
        let whole = request(&pair.private, Some(to_verify), Some(b"data"));
        assert!(is_valid(&bench, &pair.public, &whole, &signature).unwrap());
        assert!(is_valid(&bench, &pair.public, &asked, &signature).unwrap());
    }
    let reason = |pair: &Pair, parameters, data: Option<&[u8]>, digest: Option<&[u8]>| {
        let mut asked = request(&pair.private, Some(parameters), data);
        asked.digested_data = digest.map(Blob::copy_of);
        sign(&bench, asked).unwrap_err().reason
    };
    let raw = Parameters { cryptographic_algorithm: Some(Algorithm::RSA), ..Parameters::default() };
    // What made a digest need not be said: it is signed as it is, if it fits.
    let mut bare = request(&rsa.private, Some(raw.clone()), None);
    bare.digested_data = Some(Blob::copy_of(&[1; 16]));
    let signature = sign(&bench, bare.clone()).unwrap();
    assert_eq!(is_valid(&bench, &rsa.public, &bare, &signature), Ok(true));
    bare.digested_data = Some(Blob::copy_of(&[2; 16]));
    assert_eq!(is_valid(&bench, &rsa.public, &bare, &signature), Ok(false));
    assert_eq!(reason(&rsa, raw.clone(), None, Some(&[1; 246])), Reason::CryptographicFailure);
    assert_eq!(reason(&rsa, raw, Some(b"data"), None), Reason::BadCryptographicParameters);
    let mut bare = request(&ec.private, Some(unnamed), None);
    bare.digested_data = Some(Blob::copy_of(&[1; 16]));
    let signature = sign(&bench, bare.clone()).unwrap();
    assert_eq!(is_valid(&bench, &ec.public, &bare, &signature), Ok(true));
    bare.digested_data = Some(Blob::copy_of(&[1; 17]));
    assert_eq!(is_valid(&bench, &ec.public, &bare, &signature), Ok(false));
    let sha256 = || hashed(Algorithm::RSA, Hashing::SHA256);
    assert_eq!(reason(&rsa, sha256(), None, Some(&[1; 16])), Reason::CryptographicFailure);
    assert_eq!(reason(&rsa, sha256(), Some(b""), Some(&[1; 32])), Reason::InvalidField);
    assert_eq!(reason(&rsa, sha256(), None, None), Reason::InvalidMessage);
}

#[test]
fn open_pss_parameters_take_what_most_software_signs() {
    let bench = Bench::new();
    let key = Object::PublicKey(block(KeyFormatType::Pkcs1, Algorithm::RSA, &hex::decode(PUBLISHED_KEY).unwrap()));
    let own = structured(Tag::CryptographicParameters, &pss(Hashing::SHA256));
    let key = bench.object(key, vec![usage(Mask::VERIFY), own]);
    let signature = hex::decode(PUBLISHED_SIGNATURE).unwrap();
    let data = hex::decode(PUBLISHED_DATA).unwrap();
    let valid = |parameters| is_valid(&bench, &key, &request(&key, parameters, Some(&data)), &signature).unwrap();
    assert!(valid(None));
    let said = Parameters {
        salt_length: Some(222),
        mask_generator_hashing_algorithm: Some(Hashing::SHA256),
        ..pss(Hashing::SHA256)
    };
    assert!(valid(Some(said.clone())));
    // What is said is not open.
    assert!(!valid(Some(Parameters { salt_length: Some(32), ..said.clone() })));
    assert!(!valid(Some(Parameters { mask_generator_hashing_algorithm: Some(Hashing::SHA1), ..said })));
    assert!(!valid(Some(pss(Hashing::SHA1))));
}

/// The standard's mask has SHA-1. Where that is not permitted, what the parameters leave open is what is.
#[test]
fn open_pss_parameters_mean_what_is_permitted() {
    let forbidding = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let permits = Permits::changed(Preset::Legacy, &[], &[], &names).unwrap();
        Bench::with(Settings { permits, ..Settings::default() }, None)
    };
    let bench = forbidding(&["SHA-1"]);
    let rsa = pair(&bench, RSA, &[]);
    let open = request(&rsa.private, Some(pss(Hashing::SHA256)), Some(b"data"));
    let masked = |hash| Parameters { mask_generator_hashing_algorithm: Some(hash), ..pss(Hashing::SHA256) };
    let signature = sign(&bench, open.clone()).unwrap();
    assert!(is_valid(&bench, &rsa.public, &open, &signature).unwrap());
    let said = request(&rsa.private, Some(masked(Hashing::SHA256)), Some(b"data"));
    assert!(is_valid(&bench, &rsa.public, &said, &signature).unwrap());
    // What is said is not open, and the refusal says the rule.
    let old = request(&rsa.private, Some(masked(Hashing::SHA1)), Some(b"data"));
    for refused in [sign(&bench, old.clone()).map(|_| true), is_valid(&bench, &rsa.public, &old, &signature)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.reason, Reason::UnsupportedCryptographicParameters);
        assert!(refused.message.contains("SHA-1 may not be used"), "{}", refused.message);
    }
    // Where nothing is left, it is refused by the first rule.
    let bench = forbidding(&["SHA-256"]);
    let rsa = pair(&bench, RSA, &[]);
    let refused =
        is_valid(&bench, &rsa.public, &request(&rsa.private, open.cryptographic_parameters.clone(), Some(b"")), b"");
    assert!(refused.unwrap_err().message.contains("SHA-256 may not be used"));
    let refused = sign(&bench, request(&rsa.private, open.cryptographic_parameters, Some(b"")));
    assert!(refused.unwrap_err().message.contains("SHA-256 may not be used"));
}

#[test]
fn a_certificate_verifies_with_the_key_in_it() {
    let bench = Bench::new();
    let authority = kmipd_certs::Authority::new().unwrap();
    let der = CertificateDer::from_pem_slice(authority.cert_pem().as_bytes()).unwrap();
    let pkcs8 = PrivatePkcs8KeyDer::from_pem_slice(authority.key_pem().as_bytes()).unwrap();
    let private = block(KeyFormatType::Pkcs8, Algorithm::EC, pkcs8.secret_pkcs8_der());
    let private = bench.object(Object::PrivateKey(private), vec![usage(Mask::SIGN)]);
    let asked = request(&private, Some(hashed(Algorithm::ECDSA, Hashing::SHA256)), Some(b"data"));
    let signature = sign(&bench, asked.clone()).unwrap();
    let held = |der: &[u8]| {
        let certificate =
            Certificate { certificate_type: CertificateType::X509, certificate_value: Blob::copy_of(der) };
        bench.object(Object::Certificate(certificate), vec![usage(Mask::VERIFY)])
    };
    assert_eq!(is_valid(&bench, &held(&der), &asked, &signature), Ok(true));
    let other = CertificateDer::from_pem_slice(kmipd_certs::Authority::new().unwrap().cert_pem().as_bytes()).unwrap();
    assert_eq!(is_valid(&bench, &held(&other), &asked, &signature), Ok(false));
    assert_eq!(is_valid(&bench, &held(b"none"), &asked, &signature).unwrap_err().reason, Reason::InvalidField);
}

#[test]
fn what_is_refused() {
    let bench = Bench::new();
    let (rsa, ec) = (pair(&bench, RSA, &[]), pair(&bench, EC, &[]));
    let reason = |key: &UniqueIdentifier, parameters: Option<Parameters>| {
        sign(&bench, request(key, parameters, Some(b""))).unwrap_err().reason
    };
    let (bad, unsupported) = (Reason::BadCryptographicParameters, Reason::UnsupportedCryptographicParameters);
    let sha256 = || hashed(Algorithm::RSA, Hashing::SHA256);
    for (parameters, expected) in [
        (Parameters::default(), bad),
        (Parameters { hashing_algorithm: Some(Hashing::SHA1), ..named(Named::SHA256WithRSAEncryption) }, bad),
        (Parameters { padding_method: Some(PaddingMethod::PSS), ..named(Named::SHA256WithRSAEncryption) }, bad),
        (Parameters { cryptographic_algorithm: Some(Algorithm::EC), ..named(Named::SHA256WithRSAEncryption) }, bad),
        (named(Named::MD5WithRSAEncryption), unsupported),
        (named(Named::DSAWithSHA256), unsupported),
        (hashed(Algorithm::RSA, Hashing::MD5), unsupported),
        (hashed(Algorithm::RSA, Hashing::RIPEMD160), unsupported),
        (hashed(Algorithm::DSA, Hashing::SHA256), unsupported),
        (hashed(Algorithm::ECDSA, Hashing::SHA256), bad),
        (Parameters { padding_method: Some(PaddingMethod::OAEP), ..sha256() }, bad),
        (Parameters { padding_method: Some(PaddingMethod::None), ..sha256() }, unsupported),
        (Parameters { salt_length: Some(20), ..sha256() }, bad),
        (Parameters { block_cipher_mode: Some(BlockCipherMode::CBC), ..sha256() }, bad),
        (Parameters { random_iv: Some(true), ..sha256() }, bad),
        (Parameters { salt_length: Some(-1), ..pss(Hashing::SHA256) }, bad),
        (Parameters { salt_length: Some(223), ..pss(Hashing::SHA256) }, bad),
        (Parameters { trailer_field: Some(2), ..pss(Hashing::SHA256) }, unsupported),
        (Parameters { mask_generator: Some(MaskGenerator(2)), ..pss(Hashing::SHA256) }, unsupported),
    ] {
        assert_eq!(reason(&rsa.private, Some(parameters.clone())), expected, "{parameters:?}");
    }
    assert_eq!(reason(&rsa.private, None), bad);
    assert_eq!(reason(&ec.private, Some(sha256())), bad);
    assert_eq!(reason(&rsa.public, Some(sha256())), Reason::IncompatibleCryptographicUsageMask);
    let aes = bench.key(Algorithm::AES, &[1; 16], Mask::SIGN.union(Mask::VERIFY), vec![]);
    assert_eq!(reason(&aes, Some(sha256())), Reason::InvalidObjectType);
    let signed = request(&rsa.private, Some(sha256()), Some(b""));
    assert_eq!(is_valid(&bench, &aes, &signed, b"").unwrap_err().reason, Reason::InvalidObjectType);
    // Another family's signature is not this key's: an answer.
    assert_eq!(is_valid(&bench, &ec.public, &signed, b""), Ok(false));
}

#[test]
fn mask_state_dates_and_usage() {
    let bench = Bench::new();
    let date = |tag, after: i64| (tag, Value::DateTime(NOW + after));
    let by_hash = || Some(hashed(Algorithm::EC, Hashing::SHA256));
    let can = |more: &[(Tag, Value)]| {
        let pair = pair(&bench, EC, more);
        let asked = request(&pair.private, by_hash(), Some(b""));
        let verified = is_valid(&bench, &pair.public, &asked, b"").map(drop).map_err(|failure| failure.reason);
        (sign(&bench, asked).map(drop).map_err(|failure| failure.reason), verified)
    };
    let state = Err(Reason::WrongKeyLifecycleState);
    assert_eq!(can(&[date(Tag::ActivationDate, 1)]), (state, state));
    assert_eq!(can(&[date(Tag::ProcessStartDate, 1)]), (Ok(()), state));
    assert_eq!(can(&[date(Tag::ProtectStopDate, 0)]), (state, Ok(())));

    let limits = structured(Tag::UsageLimits, &UsageLimits { total: 1, count: Some(1), unit: UsageLimitsUnit::Object });
    let limited = pair(&bench, EC, &[limits]);
    let asked = request(&limited.private, by_hash(), Some(b"data"));
    let signature = sign(&bench, asked.clone()).unwrap();
    assert_eq!(is_valid(&bench, &limited.public, &asked, &signature), Ok(true));
    assert_eq!(bench.usage_left(&limited.public), Some(1));
    assert_eq!(sign(&bench, asked).unwrap_err().reason, Reason::UsageLimitExceeded);
}

#[test]
fn digested_data_is_named_where_the_version_has_none() {
    let bench = Bench::new();
    let fields = || vec![Element::new(Tag::DigestedData, Value::ByteString(Blob::copy_of(&[1; 32])))];
    let old = bench.send::<Sign>(Version::V1_3, fields()).unwrap_err();
    assert!(old.reason == Reason::InvalidMessage && old.message.contains("Digested Data"), "{old}");
    let old = bench.send::<SignatureVerify>(Version::V1_3, fields()).unwrap_err();
    assert!(old.reason == Reason::InvalidMessage && old.message.contains("Digested Data"), "{old}");
    // The ID Placeholder is empty, but the field is read.
    assert_eq!(bench.send::<Sign>(Version::V1_4, fields()).unwrap_err().reason, Reason::ObjectNotFound);
}

/// A short RSA key is kept, and its public half verifies and encrypts; what its private half would do is refused.
#[test]
fn a_private_key_below_2048_bits_does_nothing() {
    let bench = Bench::new();
    let bytes = |hex: &str| hex::decode(hex.replace(char::is_whitespace, "")).unwrap();
    let (private, public) = (bytes(vectors::RSA_PKCS8), bytes(vectors::RSA_SPKI));
    let mask = usage(Mask::SIGN | Mask::VERIFY | Mask::ENCRYPT | Mask::DECRYPT);
    let private = Object::PrivateKey(block(KeyFormatType::Pkcs8, Algorithm::RSA, &private));
    let public = Object::PublicKey(block(KeyFormatType::X509, Algorithm::RSA, &public));
    let [private, public] = [private, public].map(|key| bench.object(key, vec![mask.clone()]));
    let asked = |key| request(key, Some(hashed(Algorithm::RSA, Hashing::SHA256)), Some(b"data"));
    let refused = sign(&bench, asked(&private)).unwrap_err();
    assert_eq!(refused.reason, Reason::UnsupportedCryptographicParameters);
    assert!(!is_valid(&bench, &public, &asked(&public), &[7; 128]).unwrap());

    let padded = Parameters { padding_method: Some(PaddingMethod::PKCS1V15), ..Parameters::default() };
    let asked = encrypt::Request {
        unique_identifier: Some(public),
        cryptographic_parameters: Some(padded.clone()),
        data: Some(Data::Bytes(Blob::copy_of(b"data"))),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: None,
    };
    let sealed = bench.run::<Encrypt>(Version::V2_1, asked).unwrap().data;
    let asked = decrypt::Request {
        unique_identifier: Some(private),
        cryptographic_parameters: Some(padded),
        data: sealed.map(Data::Bytes),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: None,
        authenticated_encryption_tag: None,
    };
    let refused = bench.run::<Decrypt>(Version::V2_1, asked).unwrap_err();
    assert_eq!(refused.reason, Reason::UnsupportedCryptographicParameters);
}
