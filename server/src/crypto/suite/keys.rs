//! Keys are made and brought in, for every kind that the provider offers, and refused for the rest.

use super::{Refusal, Suite, check_made, derived, names, refused, with};
use crate::crypto::algorithm::{
    Cipher, Curve, Derivation, Edwards, Family, Hash, KeyKind, Mac, Message, Padding, ParameterSet, Signature,
};
use crate::crypto::software::{self, SoftwareProvider};
use crate::crypto::{CryptoError, Key, Made, Provider, Residency, UNDECRYPTABLE, hpke, keyformat, public};
use crate::secret::Secret;

pub(super) const PAIRS: [KeyKind; 20] = [
    KeyKind::Rsa { bits: 2048 },
    KeyKind::Rsa { bits: 3072 },
    KeyKind::Rsa { bits: 4096 },
    KeyKind::Ec { curve: Curve::P224 },
    KeyKind::Ec { curve: Curve::P256 },
    KeyKind::Ec { curve: Curve::P384 },
    KeyKind::Ec { curve: Curve::P521 },
    KeyKind::Ec { curve: Curve::Secp256k1 },
    KeyKind::PostQuantum { set: ParameterSet::MlKem512 },
    KeyKind::PostQuantum { set: ParameterSet::MlKem768 },
    KeyKind::PostQuantum { set: ParameterSet::MlKem1024 },
    KeyKind::PostQuantum { set: ParameterSet::MlDsa44 },
    KeyKind::PostQuantum { set: ParameterSet::MlDsa65 },
    KeyKind::PostQuantum { set: ParameterSet::MlDsa87 },
    KeyKind::PostQuantum { set: ParameterSet::SlhDsaSha2_128f },
    KeyKind::PostQuantum { set: ParameterSet::SlhDsaShake128f },
    KeyKind::Edwards { curve: Edwards::Ed25519 },
    KeyKind::Edwards { curve: Edwards::Ed448 },
    KeyKind::Edwards { curve: Edwards::X25519 },
    KeyKind::Edwards { curve: Edwards::X448 },
];

pub(super) fn run(suite: &mut Suite<'_>) {
    for bits in [128, 192, 256] {
        symmetric(suite, KeyKind::Aes { bits });
    }
    for bytes in [1, 14, 16, 20, 32, 64, 200] {
        symmetric(suite, KeyKind::Generic { bytes });
    }
    for bytes in [16, 24] {
        symmetric(suite, KeyKind::TripleDes { bytes });
    }
    symmetric(suite, KeyKind::ChaCha20);
    for kind in PAIRS {
        pair(suite, kind);
        adopted_pair(suite, kind);
    }
    nonsense(suite);
}

fn symmetric(suite: &mut Suite<'_>, kind: KeyKind) {
    let provider = suite.provider;
    let residency = (suite.residency)();
    if !offered(suite, kind, residency) {
        return;
    }
    let mut outputs = Vec::new();
    for _ in 0..2 {
        let residency = (suite.residency)();
        let made = provider.generate(kind, residency);
        let Some(made) = suite.need(&names::keys(kind, " made"), made) else {
            return;
        };
        if let Made::Clear(bytes) = &made {
            assert_eq!(Some(bytes.len()), kind.raw_len());
        }
        suite.with_made(kind, residency, made, |suite, key| outputs.extend(use_symmetric(suite, key)));
    }
    // One byte of key has one chance in 256 to repeat.
    if kind.raw_len() > Some(8) && outputs.len() == 2 {
        assert_ne!(outputs[0], outputs[1], "{kind:?}: two new keys are the same");
    }
    refused("one byte too many", provider.adopt(kind, &too_long(kind), residency), Refusal::BadParameters);
    refused("a pair of it", provider.generate_pair(kind, residency), Refusal::BadParameters);
}

fn use_symmetric(suite: &mut Suite<'_>, key: Key<'_>) -> Option<Vec<u8>> {
    let provider = suite.provider;
    match key.kind() {
        KeyKind::Aes { .. } => {
            let cipher = Cipher::AesGcm { iv: &[7; 12], aad: &[], tag_len: 16, tag: &[] };
            suite.need("AES-GCM", provider.encrypt(key, &cipher, &[0; 16])).map(|out| out.data)
        }
        KeyKind::TripleDes { .. } => {
            let cipher = Cipher::TdesEcb { padding: Padding::None };
            suite.need(cipher.name(), provider.encrypt(key, &cipher, &[0; 16])).map(|out| out.data)
        }
        KeyKind::ChaCha20 => {
            let cipher = Cipher::ChaCha20 { nonce: &[7; 12], counter: 1 };
            suite.need(cipher.name(), provider.encrypt(key, &cipher, &[0; 16])).map(|out| out.data)
        }
        kind => {
            let mac = provider.mac(key, Mac::Hmac(Hash::Sha256), b"data");
            suite.need(&names::hmac(Hash::Sha256, kind.raw_len().unwrap()), mac)
        }
    }
}

fn pair(suite: &mut Suite<'_>, kind: KeyKind) {
    let provider = suite.provider;
    let residency = (suite.residency)();
    if !offered(suite, kind, residency) {
        return;
    }
    let Some(made) = suite.need(&names::keys(kind, " made"), provider.generate_pair(kind, residency)) else {
        return;
    };
    assert_eq!(keyformat::identify_public(&made.public), Ok(kind));
    suite.with_made(kind, residency, made.private, |suite, key| works(suite, key, &made.public));
    refused("a symmetric key of it", provider.generate(kind, residency), Refusal::BadParameters);
}

/// A pair made elsewhere: what the provider makes of the private half must go with the public half.
fn adopted_pair(suite: &mut Suite<'_>, kind: KeyKind) {
    let Ok(made) = SoftwareProvider.generate_pair(kind, Residency::Sealed) else {
        return;
    };
    let Made::Clear(private) = &made.private else { panic!("not in the clear") };
    suite.with_key(kind, private.expose(), |suite, key| works(suite, key, &made.public));

    let residency = (suite.residency)();
    if suite.provider.offers(kind, residency) {
        let cut = Secret::copy_of(&private.expose()[..private.len() - 1]);
        refused("a truncated private key", suite.provider.adopt(kind, &cut, residency), Refusal::BadParameters);
        let other = if kind == PAIRS[0] { PAIRS[1] } else { PAIRS[0] };
        if suite.provider.offers(other, residency) {
            refused("another kind", suite.provider.adopt(other, private, residency), Refusal::BadParameters);
        }
    }
}

fn works(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let scheme = match key.kind() {
        KeyKind::Rsa { .. } => Signature::RsaPkcs1(Hash::Sha256),
        KeyKind::PostQuantum { set } if set.is_kem() => return decapsulates(suite, key, public),
        KeyKind::PostQuantum { set } if set.family() == Family::SlhDsa => Signature::SlhDsa,
        KeyKind::PostQuantum { .. } => Signature::MlDsa,
        KeyKind::Edwards { curve } if !curve.signs() => return derived::agrees(suite, key, public),
        KeyKind::Edwards { .. } => Signature::Eddsa,
        _ => Signature::Ecdsa(Hash::Sha256),
    };
    let answer = suite.provider.sign(key, scheme, Message::Data(b"data"));
    if let Some(signature) = suite.need(&names::keys(key.kind(), " that sign"), answer) {
        let verify = |data| public::verify(public, scheme, Message::Data(data), &signature).unwrap();
        assert!(verify(b"data"));
        assert!(!verify(b"date"));
    }
}

/// What was encapsulated to the public half comes out; a ciphertext that was changed gives another secret; one of another
/// length is refused (FIPS 203 §7.3).
fn decapsulates(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let (mut ciphertext, secret) = software::encapsulate(public).unwrap();
    let provider = suite.provider;
    opens(suite, key, public);
    derived::decapsulated(suite, key, public);
    let derived = |ciphertext: &[u8], len| provider.derive(key, &Derivation::Decapsulate { ciphertext }, len);
    let Some(found) = suite.need(&names::keys(key.kind(), " that give shared secrets"), derived(&ciphertext, 32))
    else {
        return;
    };
    assert_eq!(found.expose(), secret.expose());
    assert_eq!(derived(&ciphertext, 16).unwrap().expose(), &secret.expose()[..16]);
    refused("more than there is", derived(&ciphertext, 33), Refusal::Failed);
    refused("a short ciphertext", derived(&ciphertext[1..], 32), Refusal::Failed);
    refused("no ciphertext", derived(&[], 32), Refusal::Failed);
    ciphertext[0] ^= 1;
    let other = derived(&ciphertext, 32).expect("no error");
    assert_ne!(other.expose(), secret.expose());
    assert_eq!(other.expose(), derived(&ciphertext, 32).unwrap().expose(), "rejection is the same every time");
}

/// What was encrypted to the public half opens; of what was changed nothing is told.
fn opens(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let KeyKind::PostQuantum { set } = key.kind() else { panic!("no parameter set") };
    let sealed = hpke::seal(set, public, b"more", b"data").unwrap();
    let open = |aad: &[u8], sealed: &[u8]| suite.provider.open_hpke(key, aad, sealed);
    let answer = open(b"more", &sealed);
    let mut told = vec![open(b"", &sealed), open(b"more", &[]), open(b"more", &sealed[1..])];
    for place in [0, set.output_len() - 1, set.output_len(), sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        told.push(open(b"more", &changed));
    }
    if let Some(data) = suite.need(&names::keys(key.kind(), " that decrypt HPKE"), answer) {
        assert_eq!(data.expose(), b"data");
        for answer in told {
            assert_eq!(answer.expect_err("what was changed").to_string(), UNDECRYPTABLE.to_string());
        }
    }
}

/// What is not offered is refused as such.
fn offered(suite: &mut Suite<'_>, kind: KeyKind, residency: Residency) -> bool {
    let offered = suite.provider.offers(kind, residency);
    suite.tried.insert(names::keys(kind, ""));
    if !offered {
        suite.lacking.insert(names::keys(kind, ""));
        let made = if kind.is_pair() {
            suite.provider.generate_pair(kind, residency).map(|_| ())
        } else {
            suite.provider.generate(kind, residency).map(|_| ())
        };
        assert!(matches!(made, Err(CryptoError::Unsupported(_))), "{kind:?} is not offered: {made:?}");
    }
    offered
}

/// Kinds that do not exist are neither offered nor made.
fn nonsense(suite: &mut Suite<'_>) {
    let symmetric = [KeyKind::Aes { bits: 0 }, KeyKind::Aes { bits: 255 }, KeyKind::Generic { bytes: 0 }];
    for kind in symmetric.into_iter().chain([8, 32].map(|bytes| KeyKind::TripleDes { bytes })) {
        let residency = (suite.residency)();
        assert!(!suite.provider.offers(kind, residency), "{kind:?}");
        refused("nonsense", suite.provider.generate(kind, residency), Refusal::BadParameters);
    }
    for bits in [0, 511, u32::MAX] {
        let residency = (suite.residency)();
        assert!(!suite.provider.offers(KeyKind::Rsa { bits }, residency));
        refused("nonsense", suite.provider.generate_pair(KeyKind::Rsa { bits }, residency), Refusal::BadParameters);
    }
    // And a key that is what it says keeps working next to all this.
    let kind = KeyKind::Aes { bits: 256 };
    let residency = (suite.residency)();
    let made = suite.provider.generate(kind, residency).expect("AES-256");
    check_made(kind, residency, &made);
    with(kind, &made, |key| drop(use_symmetric(suite, key)));
    if let Made::Guarded(guarded) = &made {
        suite.provider.destroy(guarded).expect("destroy");
        if matches!(residency, Residency::Token(_)) {
            let cipher = Cipher::AesGcm { iv: &[7; 12], aad: &[], tag_len: 16, tag: &[] };
            let answer = suite.provider.encrypt(Key::Guarded(guarded), &cipher, b"data");
            assert!(matches!(answer, Err(CryptoError::Unavailable(_))), "a destroyed key answers {answer:?}");
        }
    }
}

fn too_long(kind: KeyKind) -> Secret {
    Secret::new(vec![1; kind.raw_len().unwrap() + 1])
}
