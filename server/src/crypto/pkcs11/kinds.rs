//! Which kinds of key the module is seen to work with.

use std::collections::HashSet;

use aws_lc_rs::hmac;
use cryptoki_sys::CKM_RSA_PKCS_KEY_PAIR_GEN;

use super::Pkcs11Provider;
use crate::crypto::algorithm::{Curve, Hash, KeyKind, Mac};
use crate::crypto::{Key, Made, Provider as _, Residency};
use crate::secret::Secret;

/// All but P-224: nothing in this server verifies its signatures, so that none are made.
const CURVES: [Curve; 4] = [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1];

/// What of [`KeyKind`] can be had.
pub(super) struct Kinds {
    curves: HashSet<Curve>,
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
        Self { curves: CURVES.into(), rsa: None, odd: Odd::Any }
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self { curves: HashSet::new(), rsa: None, odd: Odd::None }
    }

    /// Tries what no list of the standard tells.
    pub(super) fn probe(provider: &Pkcs11Provider) -> Self {
        let curves = CURVES.into_iter().filter(|curve| {
            let pair = provider.generate_pair(KeyKind::Ec { curve: *curve }, Residency::Wrapped);
            pair.is_ok_and(|pair| matches!(&pair.private, Made::Guarded(key) if provider.destroy(key).is_ok()))
        });
        let odd = match (comes_back(provider, 65), comes_back(provider, 33)) {
            (true, true) => Odd::Any,
            (false, true) => Odd::UpToBlock,
            _ => Odd::None,
        };
        Self { curves: curves.collect(), rsa: rsa_lengths(provider), odd }
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
            KeyKind::Ec { curve } => self.curves.contains(&curve),
            // Modules of PKCS #11 3.2 have the mechanisms; what makes, brings in and uses such keys there is not built yet.
            KeyKind::PostQuantum { .. } => false,
            // SoftHSM2 has CKM_EDDSA, and cannot wrap its keys.
            KeyKind::Edwards { .. } => false,
        }
    }
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
