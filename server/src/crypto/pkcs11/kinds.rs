//! Which kinds of key the module is seen to work with.

use std::collections::HashSet;

use aws_lc_rs::hmac;
use cryptoki_sys::{
    CKM_CHACHA20, CKM_DES3_CBC, CKM_DES3_ECB, CKM_ECDH1_DERIVE, CKM_EDDSA, CKM_ML_DSA, CKM_ML_KEM,
    CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_SHA512_HMAC, CKM_SLH_DSA,
};

use super::derive::Known;
use super::{Pkcs11Provider, template};
use crate::crypto::algorithm::{Curve, Edwards, Family, Hash, KeyKind, Mac, ParameterSet};
use crate::crypto::{Key, Made, Provider as _, Residency};
use crate::secret::Secret;

/// The curves.
const CURVES: [KeyKind; 9] = [
    KeyKind::Ec { curve: Curve::P224 },
    KeyKind::Ec { curve: Curve::P256 },
    KeyKind::Ec { curve: Curve::P384 },
    KeyKind::Ec { curve: Curve::P521 },
    KeyKind::Ec { curve: Curve::Secp256k1 },
    KeyKind::Edwards { curve: Edwards::Ed25519 },
    KeyKind::Edwards { curve: Edwards::Ed448 },
    KeyKind::Edwards { curve: Edwards::X25519 },
    KeyKind::Edwards { curve: Edwards::X448 },
];

/// The kinds of pairs that no list of the standard tells: which curves and parameter sets a module has, and whether it wraps
/// their keys.
fn pairs() -> impl Iterator<Item = KeyKind> {
    CURVES.into_iter().chain(ParameterSet::ALL.map(|set| KeyKind::PostQuantum { set }))
}

/// The symmetric kinds beside AES that a module may have: what it has not is bytes there.
const SYMMETRIC: [KeyKind; 3] = [KeyKind::TripleDes { bytes: 16 }, KeyKind::TripleDes { bytes: 24 }, KeyKind::ChaCha20];

/// What of [`KeyKind`] can be had.
pub(super) struct Kinds {
    /// Pairs, and symmetric kinds that are not in every module, that can be wrapped.
    wrapped: HashSet<KeyKind>,
    /// The same that can be token objects.
    on_token: HashSet<KeyKind>,
    /// Lengths of RSA moduli in bits, least and most.
    rsa: Option<(u32, u32)>,
    odd: Odd,
}

/// Which lengths of a generic secret come back from wrapping as they were.
///
/// SoftHSM fills a key up with zeros to a multiple of 8 bytes when it unwraps it. HMAC fills its key up with zeros to a
/// block itself, so that this changes nothing as long as the key is no longer than the block, and gives wrong MACs
/// silently if it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Odd {
    /// All.
    Any,
    /// Multiples of 8 bytes, and all up to the smallest block of a hash.
    UpToBlock,
    /// Multiples of 8 bytes.
    None,
}

/// The smallest block of the hashes that HMAC is used with here, in bytes (SHA-1, SHA-224, SHA-256).
const BLOCK: u32 = 64;

impl Kinds {
    /// Everything, for the provider that probes itself.
    pub(super) fn all() -> Self {
        let all: HashSet<_> = pairs().chain(SYMMETRIC).collect();
        Self { wrapped: all.clone(), on_token: all, rsa: None, odd: Odd::Any }
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self { wrapped: HashSet::new(), on_token: HashSet::new(), rsa: None, odd: Odd::None }
    }

    /// Tries what no list of the standard tells.
    pub(super) fn probe(provider: &Pkcs11Provider) -> Self {
        let known = || pairs().filter(|kind| has_mechanisms(provider, *kind));
        let (mut wrapped, mut on_token, mut unwrapped) = (HashSet::new(), HashSet::new(), HashSet::new());
        for kind in known() {
            // Keys of SLH-DSA take long to make, and a module that does not wrap one of them wraps none.
            let family = family(kind);
            // What can be wrapped was made, and a token object is made in the same way.
            if !family.is_some_and(|family| unwrapped.contains(&family)) && is_wrapped(provider, kind) {
                wrapped.insert(kind);
                on_token.insert(kind);
            } else if provider.makes_passing_pair(kind) {
                unwrapped.extend(family);
                on_token.insert(kind);
            }
        }
        for kind in SYMMETRIC.into_iter().filter(|kind| has_mechanisms(provider, *kind) && works(provider, *kind)) {
            wrapped.insert(kind);
            on_token.insert(kind);
        }
        let odd = match (comes_back(provider, 65), comes_back(provider, 33)) {
            (true, true) => Odd::Any,
            (false, true) => Odd::UpToBlock,
            _ => Odd::None,
        };
        Self { wrapped, on_token, rsa: rsa_lengths(provider), odd }
    }

    pub(super) fn has(&self, kind: KeyKind, residency: Residency) -> bool {
        match kind {
            KeyKind::Aes { .. } => kind.check().is_ok(),
            KeyKind::Generic { bytes } => {
                let same = match self.odd {
                    Odd::Any => true,
                    Odd::UpToBlock => bytes <= BLOCK || bytes.is_multiple_of(8),
                    Odd::None => bytes.is_multiple_of(8),
                };
                kind.check().is_ok() && (same || matches!(residency, Residency::Token(_)))
            }
            KeyKind::Rsa { bits } => {
                bits.is_multiple_of(256) && self.rsa.is_some_and(|(least, most)| (least..=most).contains(&bits))
            }
            KeyKind::Ec { .. }
            | KeyKind::Edwards { .. }
            | KeyKind::PostQuantum { .. }
            | KeyKind::TripleDes { .. }
            | KeyKind::ChaCha20 => match residency {
                Residency::Sealed => false,
                Residency::Wrapped => self.wrapped.contains(&kind),
                Residency::Token(_) => self.on_token.contains(&kind),
            },
        }
    }
}

fn family(kind: KeyKind) -> Option<Family> {
    if let KeyKind::PostQuantum { set } = kind { Some(set.family()) } else { None }
}

/// Whether the module has what such a key is made and used with.
fn has_mechanisms(provider: &Pkcs11Provider, kind: KeyKind) -> bool {
    let token = &provider.token;
    let uses: &[_] = match kind {
        KeyKind::Edwards { curve } if curve.signs() => &[CKM_EDDSA],
        KeyKind::Edwards { .. } => &[CKM_ECDH1_DERIVE],
        KeyKind::PostQuantum { set } if set.family() == Family::MlDsa => &[CKM_ML_DSA],
        KeyKind::PostQuantum { set } if set.family() == Family::SlhDsa => &[CKM_SLH_DSA],
        KeyKind::PostQuantum { .. } if !token.sessions.module().raw.decapsulates() => return false,
        KeyKind::PostQuantum { .. } => &[CKM_ML_KEM, CKM_SHA512_HMAC],
        KeyKind::TripleDes { .. } => &[CKM_DES3_ECB, CKM_DES3_CBC],
        KeyKind::ChaCha20 => &[CKM_CHACHA20],
        _ => &[],
    };
    token.has(template::generator(kind)) && uses.iter().all(|mechanism| token.has(*mechanism))
}

/// Whether a known symmetric key does what it does in software after it was wrapped and unwrapped.
fn works(provider: &Pkcs11Provider, kind: KeyKind) -> bool {
    let Ok(Known { key: outside, .. }) = Known::new(kind) else { return false };
    let Ok(Made::Guarded(key)) = provider.adopt(kind, outside.bytes(), Residency::Wrapped) else { return false };
    let is_same = provider.is_same(&key, &outside).unwrap_or(false);
    provider.destroy(&key).is_ok() && is_same
}

/// Whether a pair is made, wrapped and unwrapped.
fn is_wrapped(provider: &Pkcs11Provider, kind: KeyKind) -> bool {
    let pair = provider.generate_pair(kind, Residency::Wrapped);
    pair.is_ok_and(|pair| matches!(&pair.private, Made::Guarded(key) if provider.destroy(key).is_ok()))
}

fn rsa_lengths(provider: &Pkcs11Provider) -> Option<(u32, u32)> {
    let token = &provider.token;
    if !token.has(CKM_RSA_PKCS_KEY_PAIR_GEN) {
        return None;
    }
    let slot = token.sessions.slot().into();
    let (least, most) = token.sessions.module().raw.key_sizes(slot, CKM_RSA_PKCS_KEY_PAIR_GEN).ok()?;
    // A module may say "no limit" with the largest number.
    let bits = |length| u32::try_from(length).unwrap_or(u32::MAX);
    Some((bits(least).max(2048), bits(most).min(4096)))
}

/// Whether a known generic secret of this length makes the same MAC after it was wrapped and unwrapped.
fn comes_back(provider: &Pkcs11Provider, bytes: u8) -> bool {
    let known: Vec<u8> = (1..=bytes).collect();
    let kind = KeyKind::Generic { bytes: bytes.into() };
    let Ok(Made::Guarded(key)) = provider.adopt(kind, &Secret::copy_of(&known), Residency::Wrapped) else {
        return false;
    };
    let mac = provider.mac(Key::Guarded(&key), Mac::Hmac(Hash::Sha256), b"probe");
    let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &known), b"probe");
    let gone = provider.destroy(&key);
    gone.is_ok() && mac.is_ok_and(|mac| mac == expected.as_ref())
}
