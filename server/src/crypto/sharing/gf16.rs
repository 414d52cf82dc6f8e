//! GF(2^16) as the standard builds it: pairs (u, v) of elements of the field of AES, for u·y + v modulo y^2 + y + m with
//! m = {3A} (KMIP 2.1 §13.1).

use super::gf8;
use crate::secret::Secret;

/// The field of AES (FIPS 197 §4.2).
const AES: u8 = 0x1B;
const M: u8 = 0x3A;

type Pair = (u8, u8);

const fn multiply8(a: u8, b: u8) -> u8 {
    gf8::multiply::<AES>(a, b)
}

/// (r·y + s)(u·y + v) = ((r + s)(u + v) + s·v)·y + (r·u·m + s·v)
const fn multiply((r, s): Pair, (u, v): Pair) -> Pair {
    let low = multiply8(s, v);
    (multiply8(r ^ s, u ^ v) ^ low, multiply8(multiply8(r, u), M) ^ low)
}

/// (u·y + v)^-1 = u·d^-1·y + (u + v)·d^-1 with d = (u + v)·v + m·u^2
const fn invert((u, v): Pair) -> Pair {
    let d = multiply8(u ^ v, v) ^ multiply8(M, multiply8(u, u));
    let inverse = gf8::invert::<AES>(d);
    (multiply8(u, inverse), multiply8(u ^ v, inverse))
}

const fn add((r, s): Pair, (u, v): Pair) -> Pair {
    (r ^ u, s ^ v)
}

/// The number of a part as an element: its two low bytes, the higher one first.
fn element(number: u32) -> Pair {
    let [low, high, ..] = number.to_le_bytes();
    (high, low)
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = Pair> {
    bytes.chunks_exact(2).map(|pair| match pair {
        [u, v] => (*u, *v),
        _ => (0, 0),
    })
}

pub(super) fn evaluate(rows: &[Secret], point: u32) -> Secret {
    let point = element(point);
    let size = rows.first().map_or(0, Secret::len);
    let mut values = vec![0; size];
    for row in rows.iter().rev() {
        for (value, coefficient) in values.chunks_exact_mut(2).zip(pairs(row.expose())) {
            if let [u, v] = value {
                (*u, *v) = add(multiply((*u, *v), point), coefficient);
            }
        }
    }
    Secret::new(values)
}

pub(super) fn weight(point: u32, others: impl Iterator<Item = u32>) -> Pair {
    let point = element(point);
    others.map(element).fold((0, 1), |weight, other| multiply(weight, multiply(other, invert(add(other, point)))))
}

pub(super) fn add_scaled(sum: &mut [u8], values: &Secret, weight: Pair) {
    for (sum, value) in sum.chunks_exact_mut(2).zip(pairs(values.expose())) {
        if let [u, v] = sum {
            (*u, *v) = add((*u, *v), multiply(value, weight));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_its_inverse() {
        for number in 1..=0xFFFF {
            assert_eq!(multiply(element(number), invert(element(number))), (0, 1), "{number:#x}");
        }
    }

    /// Worked by hand from the formula: y·y = y + m.
    #[test]
    fn the_square_of_y() {
        assert_eq!(multiply((1, 0), (1, 0)), (1, M));
        assert_eq!(multiply((0, 0x57), (0, 0x83)), (0, 0xC1), "FIPS 197 §4.2");
    }
}
