//! Secret sharing (KMIP 2.1 §13.1): a secret in parts, of which a threshold joins it and fewer say nothing of it.
//!
//! Parts are numbered from 1; the number is the point at which the polynomials are evaluated. Work on secrets takes a time
//! that depends on lengths and numbers of parts alone.

mod gf16;
mod gf8;
mod prime;

use crate::secret::Secret;

pub use prime::Prime;

/// How a secret is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// The parts joined by exclusive or are the secret: all of them are needed.
    Xor,
    /// Polynomials over GF(2^8), a byte at a time.
    Gf8,
    /// Polynomials over GF(2^16), two bytes at a time.
    Gf16,
    /// One polynomial over the integers modulo a prime.
    Prime(Prime),
}

/// Why a secret is not shared or not joined. `Display` holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    /// The method cannot do it with this secret, or with so many parts.
    #[error("{0}")]
    BadParameters(&'static str),
    /// The parts do not make a secret.
    #[error("{0}")]
    Failed(&'static str),
}

/// A part of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// Its bytes.
    pub bytes: Secret,
}

/// Splits a secret into parts, the first numbered 1. `random` fills with random bytes.
///
/// # Errors
/// Bad parameters; what `random` says.
pub fn split<E: From<SharingError>>(
    secret: &Secret,
    parts: u32,
    threshold: u32,
    method: &Method,
    random: &mut dyn FnMut(usize) -> Result<Secret, E>,
) -> Result<Vec<Part>, E> {
    check(secret.len(), parts, threshold, method)?;
    match method {
        Method::Xor => {
            let mut made = Vec::new();
            let mut last = secret.expose().to_vec();
            for number in 1..parts {
                let bytes = random(secret.len())?;
                last.iter_mut().zip(bytes.expose()).for_each(|(last, byte)| *last ^= byte);
                made.push(Part { number, bytes });
            }
            made.push(Part { number: parts, bytes: Secret::new(last) });
            Ok(made)
        }
        // The coefficients: the secret, and a row of random bytes of its length for every further part that is needed.
        Method::Gf8 | Method::Gf16 => {
            let mut rows = vec![secret.clone()];
            for _ in 1..threshold {
                rows.push(random(secret.len())?);
            }
            let evaluate = if *method == Method::Gf8 { gf8::evaluate } else { gf16::evaluate };
            Ok((1..=parts).map(|number| Part { number, bytes: evaluate(&rows, number) }).collect())
        }
        Method::Prime(prime) => {
            let mut rows = vec![prime.element(secret)?];
            for _ in 1..threshold {
                rows.push(prime.random(random)?);
            }
            Ok((1..=parts).map(|number| Part { number, bytes: prime.evaluate(&rows, number) }).collect())
        }
    }
}

/// Joins parts: as many as the threshold says, of different numbers. `length` is that of the secret in bytes, where it is
/// known; only the integers modulo a prime ask for it.
///
/// # Errors
/// Parts that do not belong together; a length that the secret does not have.
pub fn join(parts: &[Part], method: &Method, length: Option<usize>) -> Result<Secret, SharingError> {
    let numbers: Vec<u32> = parts.iter().map(|part| part.number).collect();
    let distinct = numbers.iter().enumerate().all(|(place, number)| !numbers.iter().take(place).any(|n| n == number));
    let Some(first) = parts.first().filter(|_| distinct && !numbers.contains(&0)) else {
        return Err(SharingError::Failed("the parts are not different parts"));
    };
    if let Method::Prime(prime) = method {
        return prime.join(parts, length);
    }
    let size = first.bytes.len();
    if parts.iter().any(|part| part.bytes.len() != size) {
        return Err(SharingError::Failed("the parts have different lengths"));
    }
    match method {
        Method::Gf8 if numbers.iter().any(|&number| number > 0xFF) => {
            return Err(SharingError::BadParameters("GF(2^8) has 255 parts at the most"));
        }
        Method::Gf16 if size % 2 != 0 => {
            return Err(SharingError::BadParameters("GF(2^16) shares two bytes at a time"));
        }
        _ => {}
    }
    let mut joined = zeroize::Zeroizing::new(vec![0; size]);
    for part in parts {
        let others = numbers.iter().copied().filter(|&number| number != part.number);
        match method {
            Method::Gf8 => gf8::add_scaled(&mut joined, &part.bytes, gf8::weight(part.number, others)),
            Method::Gf16 => gf16::add_scaled(&mut joined, &part.bytes, gf16::weight(part.number, others)),
            Method::Xor | Method::Prime(_) => {
                joined.iter_mut().zip(part.bytes.expose()).for_each(|(joined, byte)| *joined ^= byte);
            }
        }
    }
    Ok(Secret::copy_of(&joined))
}

fn check(length: usize, parts: u32, threshold: u32, method: &Method) -> Result<(), SharingError> {
    let bad = |why| Err(SharingError::BadParameters(why));
    if length == 0 {
        return bad("there is nothing to share");
    }
    if parts == 0 || !(1..=parts).contains(&threshold) {
        return bad("the threshold is at least 1 and at most the number of parts");
    }
    match method {
        Method::Xor if threshold != parts => bad("exclusive or needs all parts"),
        Method::Gf8 if parts > 0xFF => bad("GF(2^8) has 255 parts at the most"),
        Method::Gf16 if parts > 0xFFFF => bad("GF(2^16) has 65535 parts at the most"),
        Method::Gf16 if !length.is_multiple_of(2) => bad("GF(2^16) shares two bytes at a time"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
