//! Every way on which a key is made, comes in or is used asks what is permitted, of all that it consists of; and a refusal
//! names the rule.

use kmip_codec::spec::{
    BlockCipherMode as Mode, CertificateType, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask,
    DerivationMethod, EncodingOption, HashingAlgorithm, KeyFormatType as Format, KeyWrapType, ObjectType,
    PaddingMethod, RecommendedCurve, SplitKeyMethod, Version, WrappingMethod,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    Attribute, AttributeList, Attributes, CryptographicDomainParameters, CryptographicParameters,
    EncryptionKeyInformation, KeyWrappingSpecification, UniqueIdentifier,
};

use super::*;
use crate::crypto::algorithm::{Curve, Message, ParameterSet};
use crate::crypto::permits::{Permits, Preset};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{ClearKey, Key, Made, Provider, Residency};
use crate::ops::data::Data;
use crate::ops::{
    create, create_key_pair, create_split_key, decrypt, derive_key, encrypt, get, hash, import, mac, mac_verify,
    re_key, register, sign, signature_verify,
};
use crate::view::Settings;
use crate::view::testing::{Bench, block, structured, usage};

const V: Version = Version::V2_1;
const DATA: [u8; 32] = [0x5a; 32];
const SMALL: [u8; 16] = [7; 16];

type Parameters = CryptographicParameters;

/// A pair as its objects.
struct Pair {
    private: UniqueIdentifier,
    public: UniqueIdentifier,
    pkcs8: crate::secret::Secret,
    spki: Vec<u8>,
    kind: KeyKind,
}

/// A server, and keys from a time when everything was permitted.
struct House {
    bench: Bench,
    aes: UniqueIdentifier,
    small: UniqueIdentifier,
    hmac: UniqueIdentifier,
    curve: Pair,
    rsa: Pair,
    kem: Pair,
    certificate: Vec<u8>,
}

fn pair(bench: &Bench, kind: KeyKind, algorithm: Algorithm) -> Pair {
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
    let Made::Clear(pkcs8) = made.private else { panic!("software makes keys in the clear") };
    let mask = Mask::from_bits_retain(0xffff);
    let private = Object::PrivateKey(block(Format::Pkcs8, algorithm, pkcs8.expose()));
    let public = Object::PublicKey(block(Format::X509, algorithm, &made.public));
    let [private, public] = [private, public].map(|key| bench.object(key, vec![usage(mask)]));
    Pair { private, public, pkcs8, spki: made.public, kind }
}

impl House {
    fn new() -> Self {
        let permits = Permits::preset(Preset::Legacy);
        let bench = Bench::with(Settings { permits, ..Settings::default() }, None);
        let mask = Mask::from_bits_retain(0xffff);
        let somebody = crate::crypto::testing::Entity::new("CN=Somebody");
        Self {
            aes: bench.key(Algorithm::AES, &DATA, mask, vec![]),
            small: bench.key(Algorithm::AES, &SMALL, mask, vec![bits(128)]),
            hmac: bench.key(Algorithm::HMACSHA256, &DATA, mask, vec![]),
            curve: pair(&bench, KeyKind::Ec { curve: Curve::P256 }, Algorithm::EC),
            rsa: pair(&bench, KeyKind::Rsa { bits: 2048 }, Algorithm::RSA),
            kem: pair(&bench, KeyKind::PostQuantum { set: ParameterSet::MlKem768 }, Algorithm::MLKEM768),
            certificate: somebody.certificate(&somebody, |_| {}),
            bench,
        }
    }

    fn encrypt(&self, key: &UniqueIdentifier, given: Parameters, iv: usize, parts: bool) -> Outcome<encrypt::Response> {
        let request = encrypt::Request {
            unique_identifier: Some(key.clone()),
            cryptographic_parameters: Some(given),
            data: data(),
            iv_counter_nonce: (iv > 0).then(|| Blob::copy_of(&[7; 16][..iv])),
            correlation_value: None,
            init_indicator: parts.then_some(true),
            final_indicator: None,
            additional_data: None,
        };
        self.bench.run::<encrypt::Encrypt>(V, request)
    }

    fn decrypt(&self, key: &UniqueIdentifier, given: Parameters, iv: usize, text: Vec<u8>, parts: bool) -> Outcome<()> {
        let request = decrypt::Request {
            unique_identifier: Some(key.clone()),
            cryptographic_parameters: Some(given),
            data: Some(Data::Bytes(Blob::new(text))),
            iv_counter_nonce: (iv > 0).then(|| Blob::copy_of(&[7; 16][..iv])),
            correlation_value: None,
            init_indicator: parts.then_some(true),
            final_indicator: None,
            additional_data: None,
            authenticated_encryption_tag: None,
        };
        self.bench.run::<decrypt::Decrypt>(V, request).map(drop)
    }

    fn mac(&self, key: &UniqueIdentifier, given: Parameters, parts: bool) -> Outcome<()> {
        let request = mac::Request {
            unique_identifier: Some(key.clone()),
            cryptographic_parameters: Some(given),
            data: data(),
            correlation_value: None,
            init_indicator: parts.then_some(true),
            final_indicator: None,
        };
        self.bench.run::<mac::Mac>(V, request).map(drop)
    }

    fn derive(&self, key: &UniqueIdentifier, method: DerivationMethod, given: Parameters) -> Outcome<()> {
        let derivation_data =
            if method == DerivationMethod::AsymmetricKey { vec![] } else { vec![Blob::copy_of(&DATA)] };
        let parameters = Some(given).filter(|given| *given != Parameters::default());
        let request = derive_key::Request {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: vec![key.clone()],
            derivation_method: method,
            derivation_parameters: derive_key::DerivationParameters {
                cryptographic_parameters: parameters,
                derivation_data,
                ..Default::default()
            },
            attributes: attributes(&[code(Algorithm::AES), bits(128)]),
            protection_storage_masks: None,
        };
        self.bench.run::<derive_key::DeriveKey>(V, request).map(drop)
    }

    fn register(&self, object: Object) -> Outcome<()> {
        let request = register::Request {
            object_type: object.object_type(),
            attributes: attributes(&[usage(Mask::SIGN)]),
            object,
            protection_storage_masks: None,
        };
        self.bench.run::<register::Register>(V, request).map(drop)
    }

    fn import(&self, object: Object, unwrap: bool) -> Outcome<()> {
        let request = import::Request {
            unique_identifier: "imported".into(),
            object_type: Some(object.object_type()),
            replace_existing: Some(true),
            key_wrap_type: unwrap.then_some(KeyWrapType::NotWrapped),
            attributes: AttributeList::default(),
            object,
        };
        self.bench.run::<import::Import>(V, request).map(drop)
    }

    fn wrapped(&self, by: &UniqueIdentifier, given: Parameters) -> Outcome<Object> {
        let specification = KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: by.clone(),
                cryptographic_parameters: Some(given),
            }),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: Some(EncodingOption::NoEncoding),
        };
        let request =
            get::Request { key_wrapping_specification: Some(specification), ..get::Request::of(self.aes.clone()) };
        self.bench.run::<get::Get>(V, request).map(|answer| answer.object)
    }

    fn sign(&self, given: Parameters, parts: bool) -> Outcome<()> {
        let asked = |data, correlation_value, init_indicator, final_indicator| sign::Request {
            unique_identifier: Some(self.curve.private.clone()),
            cryptographic_parameters: Some(given.clone()),
            data,
            digested_data: None,
            correlation_value,
            init_indicator,
            final_indicator,
        };
        if !parts {
            return self.bench.run::<sign::Sign>(V, asked(data(), None, None, None)).map(drop);
        }
        let begun = self.bench.run::<sign::Sign>(V, asked(data(), None, Some(true), None))?.correlation_value;
        self.bench.run::<sign::Sign>(V, asked(None, begun, None, Some(true))).map(drop)
    }

    fn pair(&self, list: &[(Tag, Value)]) -> Outcome<()> {
        let request = create_key_pair::Request {
            common: attributes(list),
            private: attributes(&[usage(Mask::SIGN)]),
            public: attributes(&[usage(Mask::VERIFY)]),
            common_protection: None,
            private_protection: None,
            public_protection: None,
        };
        self.bench.run::<create_key_pair::CreateKeyPair>(V, request).map(drop)
    }
}

fn data() -> Option<Data> {
    Some(Data::Bytes(Blob::copy_of(&DATA)))
}

fn attributes(list: &[(Tag, Value)]) -> Attributes {
    let list = list.iter().map(|(tag, value)| Attribute::new(*tag, value.clone())).collect();
    Attributes { templates: Vec::new(), list }
}

fn code(algorithm: Algorithm) -> (Tag, Value) {
    (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into()))
}

fn bits(bits: i32) -> (Tag, Value) {
    (Tag::CryptographicLength, Value::Integer(bits))
}

fn mode(mode: Mode) -> Parameters {
    let tag_length = (mode == Mode::GCM).then_some(16);
    Parameters { block_cipher_mode: Some(mode), tag_length, ..Parameters::default() }
}

fn sha256() -> Parameters {
    Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..Parameters::default() }
}

fn oaep() -> Parameters {
    Parameters {
        padding_method: Some(PaddingMethod::OAEP),
        mask_generator_hashing_algorithm: Some(HashingAlgorithm::SHA384),
        ..sha256()
    }
}

fn symmetric(algorithm: Algorithm, bytes: &[u8]) -> Object {
    Object::SymmetricKey(block(Format::Raw, algorithm, bytes))
}

/// What is done, the names of what it consists of, and how.
type Way = (&'static str, &'static [&'static str], fn(&House, &Before) -> Outcome<()>);

/// What was made while everything was permitted.
struct Before {
    signature: Vec<u8>,
    sealed: Vec<u8>,
    hidden: Vec<u8>,
    wrapped: Object,
    code: Vec<u8>,
}

const WAYS: &[Way] = &[
    ("Create", &["AES-128"], |house, _| {
        let request = create::Request {
            object_type: ObjectType::SymmetricKey,
            attributes: attributes(&[code(Algorithm::AES), bits(128), usage(Mask::ENCRYPT)]),
            protection_storage_masks: None,
        };
        house.bench.run::<create::Create>(V, request).map(drop)
    }),
    ("Create, of a key that is stored", &["3DES"], |house, _| {
        let request = create::Request {
            object_type: ObjectType::SymmetricKey,
            attributes: attributes(&[code(Algorithm::DES3), bits(168), usage(Mask::ENCRYPT)]),
            protection_storage_masks: None,
        };
        house.bench.run::<create::Create>(V, request).map(drop)
    }),
    ("Create Key Pair", &["P-384"], |house, _| {
        let domain = CryptographicDomainParameters { q_length: None, recommended_curve: Some(RecommendedCurve::P384) };
        house.pair(&[code(Algorithm::EC), structured(Tag::CryptographicDomainParameters, &domain)])
    }),
    ("Create Key Pair, post-quantum", &["ML-DSA-44"], |house, _| house.pair(&[code(Algorithm::MLDSA44)])),
    ("Create Key Pair, Edwards", &["ED25519"], |house, _| house.pair(&[code(Algorithm::Ed25519)])),
    ("Create Split Key", &["AES-128"], |house, _| {
        let request = create_split_key::Request {
            object_type: ObjectType::SplitKey,
            unique_identifier: None,
            split_key_parts: 2,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::XOR,
            prime_field_size: None,
            attributes: attributes(&[code(Algorithm::AES), bits(128)]),
            protection_storage_masks: None,
        };
        house.bench.run::<create_split_key::CreateSplitKey>(V, request).map(drop)
    }),
    ("Re-key", &["AES-128"], |house, _| {
        // Each key is replaced once.
        let request = re_key::Request {
            unique_identifier: Some(house.small.clone()),
            offset: None,
            attributes: Attributes::default(),
            protection_storage_masks: None,
        };
        house.bench.run::<re_key::ReKey>(V, request).map(drop)
    }),
    ("Register", &["AES-128"], |house, _| house.register(symmetric(Algorithm::AES, &SMALL))),
    ("Register, of what is stored", &["3DES"], |house, _| house.register(symmetric(Algorithm::DES3, &[7; 24]))),
    ("Register, of what is never used", &["OTHERS"], |house, _| house.register(symmetric(Algorithm::Blowfish, &SMALL))),
    ("Register, of a public key", &["P-256"], |house, _| {
        house.register(Object::PublicKey(block(Format::X509, Algorithm::EC, &house.curve.spki)))
    }),
    ("Register, of a private key", &["ML-KEM-768"], |house, _| {
        house.register(Object::PrivateKey(block(Format::Pkcs8, Algorithm::MLKEM768, house.kem.pkcs8.expose())))
    }),
    ("Register, of a certificate", &["P-256"], |house, _| {
        house.register(Object::Certificate(Certificate {
            certificate_type: CertificateType::X509,
            certificate_value: Blob::copy_of(&house.certificate),
        }))
    }),
    ("Import", &["AES-128"], |house, _| house.import(symmetric(Algorithm::AES, &SMALL), false)),
    ("Encrypt", &["AES-256", "GCM"], |house, _| house.encrypt(&house.aes, mode(Mode::GCM), 12, false).map(drop)),
    ("Encrypt in parts, which the state does", &["AES-256", "GCM"], |house, _| {
        house.encrypt(&house.aes, mode(Mode::GCM), 12, true).map(drop)
    }),
    ("Encrypt in parts, block by block", &["AES-256", "CBC"], |house, _| {
        house.encrypt(&house.aes, mode(Mode::CBC), 16, true).map(drop)
    }),
    ("Decrypt", &["AES-256", "CBC"], |house, _| house.decrypt(&house.aes, mode(Mode::CBC), 16, DATA.to_vec(), false)),
    ("Decrypt in parts", &["AES-256", "CTR"], |house, _| {
        house.decrypt(&house.aes, mode(Mode::CTR), 16, DATA.to_vec(), true)
    }),
    ("Encrypt with RSA", &["RSA-2048", "RSA-OAEP", "SHA-256", "SHA-384"], |house, _| {
        house.encrypt(&house.rsa.public, oaep(), 0, false).map(drop)
    }),
    ("Decrypt with RSA", &["RSA-2048", "RSA-OAEP", "SHA-256", "SHA-384"], |house, made| {
        house.decrypt(&house.rsa.private, oaep(), 0, made.hidden.clone(), false)
    }),
    ("Encrypt with ML-KEM", &["ML-KEM-768", "HKDF", "SHA-512", "AES-256", "GCM"], |house, _| {
        house.encrypt(&house.kem.public, Parameters::default(), 0, false).map(drop)
    }),
    ("Decrypt with ML-KEM", &["ML-KEM-768", "HKDF", "SHA-512", "AES-256", "GCM"], |house, made| {
        house.decrypt(&house.kem.private, Parameters::default(), 0, made.sealed.clone(), false)
    }),
    ("MAC", &["HMAC", "SHA-256"], |house, _| house.mac(&house.hmac, Parameters::default(), false)),
    ("MAC in parts", &["HMAC", "SHA-256"], |house, _| house.mac(&house.hmac, Parameters::default(), true)),
    ("CMAC", &["AES-256", "CMAC"], |house, _| house.mac(&house.aes, mode(Mode::CMAC), false)),
    ("CMAC in parts", &["AES-256", "CMAC"], |house, _| house.mac(&house.aes, mode(Mode::CMAC), true)),
    ("MAC Verify", &["HMAC", "SHA-256"], |house, made| {
        let request = mac_verify::Request {
            unique_identifier: Some(house.hmac.clone()),
            cryptographic_parameters: None,
            data: data(),
            mac_data: Some(Blob::copy_of(&made.code)),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        house.bench.run::<mac_verify::MacVerify>(V, request).map(drop)
    }),
    ("Sign", &["P-256", "ECDSA", "SHA-256"], |house, _| house.sign(sha256(), false)),
    ("Sign in parts", &["P-256", "ECDSA", "SHA-256"], |house, _| house.sign(sha256(), true)),
    ("Signature Verify", &["P-256", "ECDSA", "SHA-256"], |house, made| {
        let request = signature_verify::Request {
            unique_identifier: Some(house.curve.public.clone()),
            cryptographic_parameters: Some(sha256()),
            data: data(),
            digested_data: None,
            signature_data: Some(Blob::copy_of(&made.signature)),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        house.bench.run::<signature_verify::SignatureVerify>(V, request).map(drop)
    }),
    ("Hash", &["SHA-256"], |house, _| {
        let request = hash::Request {
            cryptographic_parameters: sha256(),
            data: data(),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        house.bench.run::<hash::Hash>(V, request).map(drop)
    }),
    ("Derive Key", &["AES-128", "HKDF", "HMAC", "SHA-256"], |house, _| {
        house.derive(&house.hmac, DerivationMethod::HKDF, Parameters::default())
    }),
    ("Derive Key by encryption", &["AES-128", "AES-256", "ECB", "DERIVE-PLAIN"], |house, _| {
        house.derive(&house.aes, DerivationMethod::ENCRYPT, mode(Mode::ECB))
    }),
    ("Derive Key by encapsulation", &["AES-128", "ML-KEM-768"], |house, _| {
        house.derive(&house.kem.public, DerivationMethod::AsymmetricKey, Parameters::default())
    }),
    ("Get, wrapped", &["AES-256", "KEY-WRAP"], |house, _| house.wrapped(&house.aes, mode(Mode::NISTKeyWrap)).map(drop)),
    ("Get, wrapped with RSA", &["RSA-2048", "RSA-OAEP", "SHA-256", "SHA-384"], |house, _| {
        house.wrapped(&house.rsa.public, oaep()).map(drop)
    }),
    ("Import, unwrapped", &["AES-256", "KEY-WRAP"], |house, made| house.import(made.wrapped.clone(), true)),
];

fn made(house: &House) -> Before {
    let signing = ClearKey::new(house.curve.kind, house.curve.pkcs8.clone());
    let scheme = Signature::Ecdsa(Hash::Sha256);
    let text = |key, given| house.encrypt(key, given, 0, false).unwrap().data.unwrap().to_vec();
    Before {
        signature: SoftwareProvider.sign(Key::Clear(&signing), scheme, Message::Data(&DATA)).unwrap(),
        sealed: text(&house.kem.public, Parameters::default()),
        hidden: text(&house.rsa.public, oaep()),
        wrapped: house.wrapped(&house.aes, mode(Mode::NISTKeyWrap)).unwrap(),
        code: vec![7; 32],
    }
}

#[test]
fn every_way_asks_for_all_that_it_consists_of() {
    let mut house = House::new();
    let made = made(&house);
    let mut wrong = Vec::new();
    for (way, names, go) in WAYS {
        for name in *names {
            let forbid = [(*name).to_owned()];
            house.bench.permit(Permits::changed(Preset::Legacy, &[], &[], &forbid).unwrap());
            match go(&house, &made) {
                Err(refused) if refused.message.contains(&format!("{name} may not ")) => {}
                came => wrong.push(format!("{way} without {name}: {came:?}")),
            }
        }
        house.bench.permit(Permits::preset(Preset::Legacy));
        wrong.extend(go(&house, &made).err().map(|failure| format!("{way}: {failure:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What may be kept and read, and no more.
#[test]
fn what_processes_neither_protects_nor_is_made() {
    let mut house = House::new();
    let made = made(&house);
    let reads = ["Register", "Import", "Decrypt", "MAC Verify", "Signature Verify"];
    let mut wrong = Vec::new();
    for (way, names, go) in WAYS {
        for name in *names {
            let process = [(*name).to_owned()];
            house.bench.permit(Permits::changed(Preset::Legacy, &[], &process, &[]).unwrap());
            match (go(&house, &made), reads.iter().any(|reads| way.starts_with(reads))) {
                (Ok(()), true) => {}
                (Err(refused), false) if refused.message.contains(&format!("{name} may not be ")) => {}
                (came, _) => wrong.push(format!("{way} where {name} processes: {came:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
