//! Quotes of a TPM 2.0, read strictly: the answer of `TPM2_Quote` as the TPM gives it, `TPM2B_ATTEST` and then
//! `TPMT_SIGNATURE` (TCG TPM 2.0 Library, Part 2, Structures, §10.12 and §11.3; Part 3, Commands, §18.4). All numbers are
//! big-endian.

use std::collections::BTreeMap;

use crate::crypto::algorithm::{Curve, Hash, KeyKind, Message, Signature};
use crate::crypto::{keyformat, public};
use crate::secret;

/// TPM_GENERATED_VALUE: what only a TPM puts at the beginning of what a restricted key signs.
const GENERATED: u32 = 0xFF54_4347;
/// TPM_ST_ATTEST_QUOTE.
const QUOTE: u16 = 0x8018;
/// The longest TPM2B_NAME: a hash and its algorithm.
const LONGEST_NAME: usize = 66;
/// The most banks of registers.
const MOST_BANKS: u32 = 16;
/// The longest bit map of registers, in bytes.
const LONGEST_MAP: usize = 32;

/// The values of registers: by bank, then by number.
pub(super) type Registers = Vec<(Hash, BTreeMap<u8, Vec<u8>>)>;

/// A quote and its signature.
#[derive(Debug)]
pub(super) struct Quote<'a> {
    /// What is signed: TPMS_ATTEST.
    signed: &'a [u8],
    /// What the quote was asked with.
    qualifying: &'a [u8],
    /// The registers, in the order in which their values were hashed.
    selected: Vec<(Hash, Vec<u8>)>,
    /// The hash over their values.
    digest: &'a [u8],
    signature: Signed,
}

#[derive(Debug)]
enum Signed {
    Pkcs1(Hash, Vec<u8>),
    Pss(Hash, Vec<u8>),
    /// In DER.
    Ecdsa(Hash, Vec<u8>),
}

impl<'a> Quote<'a> {
    /// Reads a quote.
    ///
    /// # Errors
    /// What it is not, in words.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut all = Reader(bytes);
        let signed = all.sized(usize::from(u16::MAX))?;
        let signature = signature(&mut all)?;
        all.end()?;
        let mut body = Reader(signed);
        if body.u32()? != GENERATED {
            return Err("was not made by a TPM");
        }
        if body.u16()? != QUOTE {
            return Err("is another attestation than a quote");
        }
        body.sized(LONGEST_NAME)?;
        let qualifying = body.sized(LONGEST_NAME)?;
        // TPMS_CLOCK_INFO: clock, resets, restarts, and whether the clock can be relied on; then the firmware's version.
        body.take(8 + 4 + 4)?;
        if body.u8()? > 1 {
            return Err("has a truth value that is none");
        }
        body.take(8)?;
        let selected = selection(&mut body)?;
        let digest = body.sized(LONGEST_NAME)?;
        body.end()?;
        Ok(Self { signed, qualifying, selected, digest, signature })
    }

    /// What it was asked with.
    pub(super) fn qualifying(&self) -> &[u8] {
        self.qualifying
    }

    /// Whether this key (SubjectPublicKeyInfo in DER) has signed it.
    pub(super) fn is_signed_by(&self, spki: &[u8]) -> bool {
        let verifies = |scheme, signature: &[u8]| {
            public::verify(spki, scheme, Message::Data(self.signed), signature).unwrap_or(false)
        };
        match (&self.signature, keyformat::identify_public(spki)) {
            (Signed::Pkcs1(hash, signature), Ok(KeyKind::Rsa { .. })) => {
                verifies(Signature::RsaPkcs1(*hash), signature)
            }
            (Signed::Pss(hash, signature), Ok(KeyKind::Rsa { .. })) => {
                // As long as the hash (FIPS 186-5), or as long as there is room: TPMs do either.
                let longest = signature.len().checked_sub(hash.len() + 2);
                let salts = [Some(hash.len()), longest];
                salts
                    .into_iter()
                    .flatten()
                    .any(|salt| verifies(Signature::RsaPss { hash: *hash, mgf: *hash, salt }, signature))
            }
            (Signed::Ecdsa(hash, signature), Ok(KeyKind::Ec { .. })) => verifies(Signature::Ecdsa(*hash), signature),
            _ => false,
        }
    }

    /// Whether it is over just these registers, and they had these values.
    pub(super) fn shows(&self, registers: &Registers) -> bool {
        let hash = match self.signature {
            Signed::Pkcs1(hash, _) | Signed::Pss(hash, _) | Signed::Ecdsa(hash, _) => hash,
        };
        // A bank without any register in it says nothing.
        let selected = || self.selected.iter().filter(|(_, numbers)| !numbers.is_empty());
        if selected().count() != registers.len() {
            return false;
        }
        let mut values = Vec::new();
        for (bank, numbers) in selected() {
            let Some((_, known)) = registers.iter().find(|(name, _)| name == bank) else { return false };
            if !known.keys().eq(numbers) {
                return false;
            }
            values.extend(known.values().flatten());
        }
        secret::equal(&public::hash(hash, &values), self.digest)
    }
}

/// Whether quotes can be verified with a key: RSA of at least 2048 bits, or one of NIST's larger curves.
pub(super) fn is_attestation_key(spki: &[u8]) -> bool {
    match keyformat::identify_public(spki) {
        Ok(KeyKind::Rsa { bits }) => (2048..=8192).contains(&bits),
        Ok(KeyKind::Ec { curve }) => matches!(curve, Curve::P256 | Curve::P384 | Curve::P521),
        _ => false,
    }
}

/// The bank of registers of this name.
pub(super) fn bank(name: &str) -> Option<Hash> {
    match name {
        "sha1" => Some(Hash::Sha1),
        "sha256" => Some(Hash::Sha256),
        "sha384" => Some(Hash::Sha384),
        "sha512" => Some(Hash::Sha512),
        _ => None,
    }
}

/// TPMI_ALG_HASH (TCG Algorithm Registry table 3).
fn hash(code: u16) -> Result<Hash, &'static str> {
    match code {
        0x0004 => Ok(Hash::Sha1),
        0x000B => Ok(Hash::Sha256),
        0x000C => Ok(Hash::Sha384),
        0x000D => Ok(Hash::Sha512),
        _ => Err("has a hash that is not known here"),
    }
}

/// TPMT_SIGNATURE.
fn signature(reader: &mut Reader<'_>) -> Result<Signed, &'static str> {
    let scheme = reader.u16()?;
    if ![0x0014, 0x0016, 0x0018].contains(&scheme) {
        return Err("has a signature of another kind than RSASSA, RSAPSS and ECDSA");
    }
    let hash = hash(reader.u16()?)?;
    if hash == Hash::Sha1 {
        return Err("is signed over SHA-1");
    }
    match scheme {
        0x0014 => Ok(Signed::Pkcs1(hash, reader.sized(1024)?.to_vec())),
        0x0016 => Ok(Signed::Pss(hash, reader.sized(1024)?.to_vec())),
        _ => {
            let (r, s) = (integer(reader.sized(LONGEST_NAME)?)?, integer(reader.sized(LONGEST_NAME)?)?);
            Ok(Signed::Ecdsa(hash, der(0x30, &[r, s].concat())?))
        }
    }
}

/// TPML_PCR_SELECTION: each bank once, its registers in ascending order.
fn selection(reader: &mut Reader<'_>) -> Result<Vec<(Hash, Vec<u8>)>, &'static str> {
    let banks = reader.u32()?;
    if banks > MOST_BANKS {
        return Err("has too many banks of registers");
    }
    let mut selected: Vec<(Hash, Vec<u8>)> = Vec::new();
    for _ in 0..banks {
        let bank = hash(reader.u16()?)?;
        let length = usize::from(reader.u8()?);
        if length > LONGEST_MAP {
            return Err("has too many registers");
        }
        let map = reader.take(length)?;
        if selected.iter().any(|(other, _)| *other == bank) {
            return Err("has a bank of registers twice");
        }
        let is_set = |number: &u8| map.get(usize::from(number / 8)).is_some_and(|byte| byte & (1 << (number % 8)) != 0);
        selected.push((bank, (0..=u8::MAX).filter(is_set).collect()));
    }
    Ok(selected)
}

/// An INTEGER in DER of a number without sign.
fn integer(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = bytes.get(zeros..).unwrap_or_default();
    let lead: &[u8] = match significant.first() {
        Some(first) if first & 0x80 == 0 => &[],
        _ => &[0],
    };
    der(0x02, &[lead, significant].concat())
}

fn der(tag: u8, content: &[u8]) -> Result<Vec<u8>, &'static str> {
    let length = u8::try_from(content.len()).map_err(|_| "has a signature that is too long")?;
    let head: &[u8] = if length < 0x80 { &[tag, length] } else { &[tag, 0x81, length] };
    Ok([head, content].concat())
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| "ends too early")
    }

    fn u8(&mut self) -> Result<u8, &'static str> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_be_bytes)
    }

    /// What a TPM2B structure holds: its length in two bytes, then its bytes.
    fn sized(&mut self, most: usize) -> Result<&'a [u8], &'static str> {
        let length = usize::from(self.u16()?);
        if length > most { Err("has a field that is too long") } else { self.take(length) }
    }

    fn end(&self) -> Result<(), &'static str> {
        if self.0.is_empty() { Ok(()) } else { Err("goes on after its end") }
    }
}

#[cfg(test)]
#[path = "tpm_tests.rs"]
mod tests;
