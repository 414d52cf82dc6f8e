//! GF(2^8), bytes modulo x^8 + x^4 + x^3 + x^2 + 1. The standard names the field and not the polynomial: this is the one
//! that the shares in its published test cases were made with.

use crate::secret::Secret;

/// x^8 of the polynomial, that is what is left of it modulo the polynomial.
const REDUCTION: u8 = 0x1D;

/// The values at a point of the polynomials whose coefficients are the rows, the constant first.
pub(super) fn evaluate(rows: &[Secret], point: u32) -> Secret {
    let point = point.to_le_bytes()[0];
    let size = rows.first().map_or(0, Secret::len);
    let mut values = vec![0; size];
    for row in rows.iter().rev() {
        for (value, coefficient) in values.iter_mut().zip(row.expose()) {
            *value = multiply::<REDUCTION>(*value, point) ^ coefficient;
        }
    }
    Secret::new(values)
}

/// What the value at a point weighs in the value at zero: the product of x_j / (x_j - x_i) over the other points.
pub(super) fn weight(point: u32, others: impl Iterator<Item = u32>) -> u8 {
    let byte = |number: u32| number.to_le_bytes()[0];
    others.fold(1, |weight, other| {
        let quotient = multiply::<REDUCTION>(byte(other), invert::<REDUCTION>(byte(other) ^ byte(point)));
        multiply::<REDUCTION>(weight, quotient)
    })
}

pub(super) fn add_scaled(sum: &mut [u8], values: &Secret, weight: u8) {
    sum.iter_mut().zip(values.expose()).for_each(|(sum, value)| *sum ^= multiply::<REDUCTION>(*value, weight));
}

/// The product, modulo x^8 plus the reduction. No branch and no table: the time says nothing.
pub(super) const fn multiply<const REDUCTION: u8>(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut product) = (a, b, 0);
    let mut bit = 0;
    while bit < 8 {
        product ^= a & (b & 1).wrapping_neg();
        a = (a << 1) ^ (REDUCTION & (a >> 7).wrapping_neg());
        b >>= 1;
        bit += 1;
    }
    product
}

/// The inverse, a^254; of zero it is zero.
pub(super) const fn invert<const REDUCTION: u8>(a: u8) -> u8 {
    let (mut square, mut inverse) = (a, 1);
    let mut bit = 1;
    while bit < 8 {
        square = multiply::<REDUCTION>(square, square);
        inverse = multiply::<REDUCTION>(inverse, square);
        bit += 1;
    }
    inverse
}
