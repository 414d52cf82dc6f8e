//! OpenPGP certificates (RFC 9580 §10.1, RFC 4880 §11.1): the packets of a public key, and what they say of it.
//!
//! What is a certificate is checked, and not whether it holds: names, bindings and signatures are the client's to judge.

use std::mem::replace;

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm as Named, Tag};
use x509_cert::der::pem;

use super::algorithm::{Curve, Edwards, Hash, KeyKind, Signature};
use super::{keyblock, signed};
use crate::failure::{Failure, Outcome};

/// How a certificate begins that was written as text (RFC 9580 §6.2).
const ARMOUR: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The types of packets that are heeded (RFC 9580 §5).
mod packet {
    pub(super) const SIGNATURE: u8 = 2;
    pub(super) const SECRET_KEY: u8 = 5;
    pub(super) const PUBLIC_KEY: u8 = 6;
    pub(super) const SECRET_SUBKEY: u8 = 7;
    /// What else a certificate may hold: Marker, Trust, User ID, Public Subkey, User Attribute, Padding.
    pub(super) const OTHERS: [u8; 6] = [10, 12, 13, 14, 17, 21];
}

/// The attributes of an OpenPGP certificate, as bytes or in ASCII armour: its Certificate Length, and what its primary key
/// and the first signature on it are, as far as the protocol has names for it.
///
/// # Errors
/// Invalid Field for what is no such certificate, and for one that holds a private key.
pub(super) fn attributes(bytes: &[u8]) -> Outcome<Vec<(Tag, Value)>> {
    let wrong = |why: &str| Failure::invalid_field(format!("the Certificate Value is no OpenPGP certificate: {why}"));
    let mut found = vec![(Tag::CertificateLength, Value::Integer(i32::try_from(bytes.len()).unwrap_or(i32::MAX)))];
    let dearmoured;
    let mut rest = bytes;
    if bytes.starts_with(ARMOUR) {
        dearmoured = dearmour(bytes).ok_or_else(|| wrong("its ASCII armour cannot be read"))?;
        rest = &dearmoured;
    }
    let (mut is_first, mut is_signed) = (true, false);
    while !rest.is_empty() {
        let (kind, body) = packet(&mut rest).ok_or_else(|| wrong("its packets do not end where they say"))?;
        match kind {
            packet::SECRET_KEY | packet::SECRET_SUBKEY => return Err(wrong("it holds a private key")),
            packet::PUBLIC_KEY if is_first => {
                found.extend(of_key(body).ok_or_else(|| wrong("its primary key cannot be read"))?);
            }
            _ if is_first => return Err(wrong("it does not begin with a public key")),
            packet::PUBLIC_KEY => return Err(wrong("it holds several of them")),
            packet::SIGNATURE => {
                let named = signature_algorithm(body).ok_or_else(|| wrong("a signature cannot be read"))?;
                if let Some(named) = named.filter(|_| !replace(&mut is_signed, true)) {
                    found.push((Tag::DigitalSignatureAlgorithm, Value::Enumeration(named.into())));
                }
            }
            kind if packet::OTHERS.contains(&kind) => {}
            kind => return Err(wrong(&format!("a packet of type {kind} is no part of it"))),
        }
        is_first = false;
    }
    if is_first { Err(wrong("it is empty")) } else { Ok(found) }
}

/// The bytes within ASCII armour: PEM, but for header lines and a checksum of 24 bits, which RFC 9580 §6.1 has ignored.
fn dearmour(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let lines = text.lines().map(str::trim_end);
    let kept = lines.filter(|line| !line.is_empty() && !line.starts_with('=') && !line.contains(": "));
    let plain: String = kept.flat_map(|line| [line, "\n"]).collect();
    pem::decode_vec(plain.as_bytes()).ok().map(|(_, bytes)| bytes)
}

/// Takes a packet from the front: its type and its body (RFC 9580 §4.2). Nothing for one that does not say where it ends.
fn packet<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let head = number(rest, 1)?;
    let (kind, length) = match head {
        0xC0.. => {
            let length = match number(rest, 1)? {
                first @ ..192 => first,
                first @ 192..224 => ((first - 192) << 8) + number(rest, 1)? + 192,
                255 => number(rest, 4)?,
                _ => return None,
            };
            (head & 0x3F, length)
        }
        0x80.. => ((head >> 2) & 0xF, number(rest, [1, 2, 4].get(head as usize & 3).copied()?)?),
        _ => return None,
    };
    let (body, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some((u8::try_from(kind).ok()?, body))
}

/// Takes a number of so many bytes from the front, four at the most.
fn number(rest: &mut &[u8], bytes: usize) -> Option<u32> {
    let (number, after) = rest.split_at_checked(bytes)?;
    *rest = after;
    Some(number.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// What a public key packet says (RFC 9580 §5.5.2, §9.1). A key of a kind that has no name is no reason to refuse it.
fn of_key(mut body: &[u8]) -> Option<Vec<(Tag, Value)>> {
    let version = number(&mut body, 1)?;
    number(&mut body, 4)?;
    match version {
        // The days for which it is valid.
        2 | 3 => drop(number(&mut body, 2)?),
        4 => {}
        // The length of what follows the algorithm.
        5 | 6 => {}
        _ => return None,
    }
    let algorithm = number(&mut body, 1)?;
    if version > 4 {
        number(&mut body, 4)?;
    }
    let kind = match algorithm {
        1..=3 => Some(KeyKind::Rsa { bits: number(&mut body, 2)? }),
        17 => return Some(said(Algorithm::DSA, number(&mut body, 2)?)),
        18 | 19 => {
            let curve = match curve(body)? {
                [0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7] => Some(Curve::P256),
                [0x2B, 0x81, 4, 0, 0x22] => Some(Curve::P384),
                [0x2B, 0x81, 4, 0, 0x23] => Some(Curve::P521),
                [0x2B, 0x81, 4, 0, 0x0A] => Some(Curve::Secp256k1),
                _ => None,
            };
            curve.map(|curve| KeyKind::Ec { curve })
        }
        // EdDSA of before RFC 9580, on its one curve.
        22 => (curve(body)? == [0x2B, 6, 1, 4, 1, 0xDA, 0x47, 0x0F, 1])
            .then_some(KeyKind::Edwards { curve: Edwards::Ed25519 }),
        27 => Some(KeyKind::Edwards { curve: Edwards::Ed25519 }),
        28 => Some(KeyKind::Edwards { curve: Edwards::Ed448 }),
        _ => None,
    };
    let named = |kind| said(keyblock::algorithm_of(kind).unwrap_or(Algorithm::ECDSA), keyblock::length_of(kind));
    Some(kind.map(named).unwrap_or_default())
}

/// The object identifier of a curve, behind its length.
fn curve(mut body: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(number(&mut body, 1)?).ok()?;
    body.get(..length)
}

fn said(algorithm: Algorithm, bits: u32) -> Vec<(Tag, Value)> {
    vec![
        (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
        (Tag::CryptographicLength, Value::Integer(i32::try_from(bits).unwrap_or(i32::MAX))),
    ]
}

/// How a signature packet was made (RFC 9580 §5.2, §9.1, §9.5), if there is a name for it.
fn signature_algorithm(mut body: &[u8]) -> Option<Option<Named>> {
    match number(&mut body, 1)? {
        // Its hashed part of five bytes, and the issuer of eight.
        2 | 3 => body = body.get(14..)?,
        4..=6 => drop(number(&mut body, 1)?),
        _ => return None,
    }
    let (algorithm, hash) = (number(&mut body, 1)?, number(&mut body, 1)?);
    Some(match (algorithm, hash) {
        (1 | 3, 1) => Some(Named::MD5WithRSAEncryption),
        (17, 2) => Some(Named::DSAWithSHA1),
        (17, 11) => Some(Named::DSAWithSHA224),
        (17, 8) => Some(Named::DSAWithSHA256),
        (1 | 3, hash) => hash_of(hash).and_then(|hash| signed::name_of(Signature::RsaPkcs1(hash))),
        (19, hash) => hash_of(hash).and_then(|hash| signed::name_of(Signature::Ecdsa(hash))),
        _ => None,
    })
}

fn hash_of(number: u32) -> Option<Hash> {
    Some(match number {
        2 => Hash::Sha1,
        8 => Hash::Sha256,
        9 => Hash::Sha384,
        10 => Hash::Sha512,
        11 => Hash::Sha224,
        12 => Hash::Sha3_256,
        14 => Hash::Sha3_512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Certificates with a user and its signature; made with GnuPG.
    const RSA: &str = include_str!("openpgp.hex");
    const ED25519: &str = "9833046b03852416092b06010401da470f01010740ad4ccd0e9e321f80cc28433af71c9605a7b3dbef15d6d250d86d0d18bbe6a487b4126b6d6970642074657374206564323535313988900413160800381621043c82d084ecf637691bc07018c2b5a5535796e9fb05026b038524021b03050b0908070206150a09080b020416020301021e01021780000a0910c2b5a5535796e9fb6b4d00ff57318ed932b3bb01d5f225e94465227661171f6a72baaf704cb44e59328024f70100f9e940c335e0243019fbb9e72f66590446380c810e0c33b407a7ea03df961b0c";
    const P256: &str = "9852046b03852513082a8648ce3d030107020304b427f83992559ecab6dfd0a22b0dde431580ac651ac77fa23d9746c51f985b3275d7caf77d2d97588b94aa6bf77ab53c2f2fa5374bc5c7b431935fc76cc3472db4136b6d6970642074657374206e697374703235368890041313080038162104f9f203f2c926fbc8fb13c27f98c81cb53dfc22e805026b038525021b03050b0908070206150a09080b020416020301021e01021780000a091098c81cb53dfc22e8a49100ff7f14a4ccc2c41ceb6bcf28df1b226d151e8760f901f3450264eef06227ea5a5a00fe305a25ebd0d0390aae3f8193c0a1ae114895a000675584ba79f85ea80c34f0c7";
    const ARMOURED: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: by hand\n\nmDMEawOFJBYJKwYBBAHaRw8BAQdArUzNDp4yH4DMKEM69xyWBaez2+8V1tJQ2G0N\nGLvmpIe0EmttaXBkIHRlc3QgZWQyNTUxOYiQBBMWCAA4FiEEPILQhOz2N2kbwHAY\nwrWlU1eW6fsFAmsDhSQCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQwrWl\nU1eW6ftrTQD/VzGO2TKzuwHV8iXpRGUidmEXH2pyuq9wTLROWTKAJPcBAPnpQMM1\n4CQwGfu55y9mWQRGOAyBDgwztAen6gPflhsM\n=aVbO\n-----END PGP PUBLIC KEY BLOCK-----\n";

    fn unhex(text: &str) -> Vec<u8> {
        hex::decode(text.trim()).unwrap()
    }

    fn expected(bytes: &[u8], algorithm: Algorithm, bits: i32, named: Option<Named>) -> Vec<(Tag, Value)> {
        let mut expected = vec![
            (Tag::CertificateLength, Value::Integer(i32::try_from(bytes.len()).unwrap())),
            (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
            (Tag::CryptographicLength, Value::Integer(bits)),
        ];
        expected.extend(named.map(|named| (Tag::DigitalSignatureAlgorithm, Value::Enumeration(named.into()))));
        expected
    }

    fn refusal(bytes: &[u8]) -> String {
        attributes(bytes).unwrap_err().message
    }

    #[test]
    fn the_primary_key_and_its_signatures_are_told() {
        let found = |bytes: &[u8]| attributes(bytes).unwrap();
        let rsa = unhex(RSA);
        assert_eq!(found(&rsa), expected(&rsa, Algorithm::RSA, 2048, Some(Named::SHA512WithRSAEncryption)));
        let p256 = unhex(P256);
        assert_eq!(found(&p256), expected(&p256, Algorithm::ECDSA, 256, Some(Named::ECDSAWithSHA256)));
        let ed25519 = unhex(ED25519);
        assert_eq!(found(&ed25519), expected(&ed25519, Algorithm::Ed25519, 256, None));
        // The text of it is as long as it is.
        let text = ARMOURED.as_bytes();
        assert_eq!(found(text), expected(text, Algorithm::Ed25519, 256, None));
    }

    #[test]
    fn packets_of_the_newer_form_and_keys_of_version_6_are_read() {
        // RFC 9580 §5.5.2.3: version, time, algorithm, length, key.
        let key = [&[6, 0, 0, 0, 1, 27, 0, 0, 0, 32][..], &[7; 32]].concat();
        let whole = [&[0xC6, 42][..], &key].concat();
        assert_eq!(attributes(&whole).unwrap(), expected(&whole, Algorithm::Ed25519, 256, None));
        let two = [&[0xC6, 255, 0, 0, 0, 42][..], &key, &[0xCD, 192, 8], &[b'n'; 200]].concat();
        assert_eq!(attributes(&two).unwrap(), expected(&two, Algorithm::Ed25519, 256, None));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let whole = unhex(ED25519);
        for cut in 1..whole.len() {
            // Cut between packets it is still one: key, user, signature.
            let is_whole = [53, 73].contains(&cut);
            assert_eq!(attributes(&whole[..cut]).is_ok(), is_whole, "{cut}");
        }
        assert!(refusal(b"").ends_with("it is empty"));
        assert!(refusal(b"pgp").contains("packets"));
        assert!(refusal(&whole[53..]).ends_with("it does not begin with a public key"));
        assert!(refusal(&[&whole[..], &whole].concat()).ends_with("it holds several of them"));
        // A secret key has the same first bytes: it would be kept as if everybody might read it.
        let mut secret = whole.clone();
        secret[0] = 0x94;
        assert!(refusal(&secret).ends_with("it holds a private key"));
        let literal = [&whole[..], &[0xCB, 1, b'b']].concat();
        assert!(refusal(&literal).contains("type 11"));
        assert!(refusal(&ARMOURED.as_bytes()[..200]).contains("armour"));
        // Partial lengths are for data.
        assert!(attributes(&[0xC6, 224, 4]).is_err());
    }
}
