//! Points of curves over prime fields and their octet forms (SEC 1 §2.3.3, §2.3.4; ANSI X9.62 §4.3.6).
//!
//! Points are public: nothing here works in constant time, and no secret may pass through it.

use rsa::BigUint;

use super::{EcPublicParts, FormatError};
use crate::crypto::algorithm::Curve;

/// How a point is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointForm {
    /// 04, x and y.
    Uncompressed,
    /// 02 or 03, and x.
    Compressed,
    /// 06 or 07, x and y: both of the others at once.
    Hybrid,
}

/// y² = x³ + ax + b over the field of p elements, in hexadecimal (SP 800-186 §3.2.1, SEC 2 §2.4.1).
struct Equation {
    curve: Curve,
    p: &'static str,
    /// What is taken from p to make a: 3 or 0.
    minus_a: u8,
    b: &'static str,
}

const EQUATIONS: [Equation; 5] = [
    Equation {
        curve: Curve::P224,
        p: "ffffffffffffffffffffffffffffffff000000000000000000000001",
        minus_a: 3,
        b: "b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4",
    },
    Equation {
        curve: Curve::P256,
        p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        minus_a: 3,
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    },
    Equation {
        curve: Curve::P384,
        p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        minus_a: 3,
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    },
    Equation {
        curve: Curve::P521,
        p: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
            ffffffffffffffffffffffffffffffff",
        minus_a: 3,
        b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf07\
            3573df883d2c34f1ef451fd46b503f00",
    },
    Equation {
        curve: Curve::Secp256k1,
        p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        minus_a: 0,
        b: "07",
    },
];

/// The equation of a curve as numbers.
struct Field {
    p: BigUint,
    a: BigUint,
    b: BigUint,
}

impl PointForm {
    /// The form of a point, if it is one.
    pub fn of(point: &[u8]) -> Option<Self> {
        match point.first()? {
            4 => Some(Self::Uncompressed),
            2 | 3 => Some(Self::Compressed),
            6 | 7 => Some(Self::Hybrid),
            _ => None,
        }
    }
}

impl EcPublicParts {
    /// The same key with its point in another form.
    ///
    /// # Errors
    /// A point that is not on the curve, where y must be found or is said twice; a curve that is not over a prime field.
    pub fn in_form(&self, form: PointForm) -> Result<Self, FormatError> {
        const INVALID: FormatError = FormatError::Invalid("not a point of the curve in its octet form");
        let found = PointForm::of(&self.point).ok_or(INVALID)?;
        if found == form {
            return Ok(self.clone());
        }
        let (tag, numbers) = self.point.split_first().ok_or(INVALID)?;
        let len = self.curve.coordinate_len();
        let x = numbers.get(..len).ok_or(INVALID)?;
        let y = match found {
            PointForm::Uncompressed => numbers.get(len..).ok_or(INVALID)?.to_vec(),
            PointForm::Compressed | PointForm::Hybrid => {
                let y = Field::of(self.curve)?.solve(x, tag & 1, len)?;
                if found == PointForm::Hybrid && numbers.get(len..) != Some(&*y) {
                    return Err(FormatError::Invalid("the two forms of the point are two points"));
                }
                y
            }
        };
        let parity = y.last().map_or(0, |byte| byte & 1);
        let point = match form {
            PointForm::Uncompressed => [&[4], x, &*y].concat(),
            // Whether y is odd stands before x (SEC 1 §2.3.3).
            PointForm::Compressed => [&[2 | parity], x].concat(),
            PointForm::Hybrid => [&[6 | parity], x, &*y].concat(),
        };
        Ok(Self { curve: self.curve, point })
    }

    /// Whether the point lies on the curve. A curve whose equation is not known here passes.
    pub fn is_on_curve(&self) -> bool {
        let Ok(field) = Field::of(self.curve) else { return true };
        let Ok(whole) = self.in_form(PointForm::Uncompressed) else { return false };
        let len = self.curve.coordinate_len();
        let numbers = whole.point.get(1..).and_then(|numbers| numbers.split_at_checked(len));
        let Some((x, y)) = numbers else { return false };
        let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
        x < field.p && y < field.p && (&y * &y) % &field.p == field.square(&x)
    }
}

impl Field {
    fn of(curve: Curve) -> Result<Self, FormatError> {
        const UNKNOWN: FormatError = FormatError::Invalid("the points of the curve have one form only");
        let row = EQUATIONS.iter().find(|row| row.curve == curve).ok_or(UNKNOWN)?;
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).ok_or(UNKNOWN);
        let p = number(row.p)?;
        let a = (&p - BigUint::from(row.minus_a)) % &p;
        Ok(Self { a, b: number(row.b)?, p })
    }

    /// x³ + ax + b
    fn square(&self, x: &BigUint) -> BigUint {
        (((x * x) % &self.p + &self.a) * x + &self.b) % &self.p
    }

    /// The y of an x that is odd, or even; in so many bytes.
    fn solve(&self, x: &[u8], odd: u8, len: usize) -> Result<Vec<u8>, FormatError> {
        const NONE: FormatError = FormatError::Invalid("there is no such point on the curve");
        let x = BigUint::from_bytes_be(x);
        if x >= self.p {
            return Err(NONE);
        }
        let square = self.square(&x);
        let root = self.root(&square).filter(|root| (root * root) % &self.p == square).ok_or(NONE)?;
        let is_odd = root.to_bytes_be().last().map_or(0, |byte| byte & 1);
        // Zero is its own opposite, and even.
        let y = if is_odd == odd { root } else { (&self.p - root) % &self.p };
        let bytes = y.to_bytes_be();
        if bytes.last().map_or(0, |byte| byte & 1) != odd || bytes.len() > len {
            return Err(NONE);
        }
        let mut full = vec![0; len - bytes.len()];
        full.extend_from_slice(&bytes);
        Ok(full)
    }

    /// A square root after Tonelli and Shanks, of what has one; of anything else some number or none.
    fn root(&self, square: &BigUint) -> Option<BigUint> {
        let one = BigUint::from(1_u8);
        let last = &self.p - &one;
        let twos = last.to_bytes_le().iter().position(|byte| *byte != 0).and_then(|zeros| {
            let byte = last.to_bytes_le().get(zeros)?.trailing_zeros();
            zeros.checked_mul(8)?.checked_add(usize::try_from(byte).ok()?)
        })?;
        let odd = &last >> twos;
        let half = (&odd + &one) >> 1_usize;
        let mut root = square.modpow(&half, &self.p);
        let mut rest = square.modpow(&odd, &self.p);
        // A number without a root, for which half of the numbers do.
        let other = (2_u8..).map(BigUint::from).find(|z| z.modpow(&(&last >> 1_usize), &self.p) == last)?;
        let (mut step, mut order) = (other.modpow(&odd, &self.p), twos);
        while rest != one {
            let mut least = 0;
            let mut power = rest.clone();
            while power != one {
                power = (&power * &power) % &self.p;
                least += 1;
                if least >= order {
                    return None;
                }
            }
            for _ in 0..(order - least - 1) {
                step = (&step * &step) % &self.p;
            }
            root = (&root * &step) % &self.p;
            step = (&step * &step) % &self.p;
            rest = (&rest * &step) % &self.p;
            order = least;
        }
        Some(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base points of the curves: compressed, and y (SP 800-186 §3.2.1, SEC 2 §2.4.1).
    const BASE: [(Curve, &str, &str); 5] = [
        (
            Curve::P224,
            "02b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21",
            "bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
        ),
        (
            Curve::P256,
            "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        (
            Curve::P384,
            "03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        (
            Curve::P521,
            "0200c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de\
             3348b3c1856a429bf97e7e31c2e5bd66",
            "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c\
             7086a272c24088be94769fd16650",
        ),
        (
            Curve::Secp256k1,
            "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
        ),
    ];

    #[test]
    fn the_base_points_have_every_form() {
        for (curve, compressed, y) in BASE {
            let point = |hex: &str| EcPublicParts { curve, point: hex::decode(hex).unwrap() };
            let compressed = compressed.replace(' ', "");
            let (parity, x) = compressed.split_at(2);
            let hybrid = if parity == "02" { "06" } else { "07" };
            let forms = [
                (PointForm::Compressed, compressed.clone()),
                (PointForm::Uncompressed, format!("04{x}{y}")),
                (PointForm::Hybrid, format!("{hybrid}{x}{y}")),
            ];
            for (_, from) in &forms {
                assert!(point(from).is_on_curve());
                for (form, to) in &forms {
                    assert_eq!(hex::encode(point(from).in_form(*form).unwrap().point), *to, "{curve:?} {form:?}");
                }
            }
            // The other half of the curve.
            let other = if parity == "02" { "03" } else { "02" };
            let opposite = point(&format!("{other}{x}")).in_form(PointForm::Uncompressed).unwrap();
            assert!(opposite.is_on_curve());
            assert_ne!(opposite, point(&forms[1].1));
            // A y that is another's, and a hybrid that contradicts itself.
            let mut wrong = point(&forms[1].1);
            *wrong.point.last_mut().unwrap() ^= 1;
            assert!(!wrong.is_on_curve());
            let wrong = if hybrid == "06" { "07" } else { "06" };
            assert!(point(&format!("{wrong}{x}{y}")).in_form(PointForm::Compressed).is_err());
        }
    }

    #[test]
    fn an_x_without_a_point_is_refused() {
        for (curve, ..) in BASE {
            let len = curve.coordinate_len();
            let mut refused = 0;
            for x in 0..32 {
                let mut point = vec![2; len + 1];
                point[1..].fill(0);
                point[len] = x;
                let parts = EcPublicParts { curve, point };
                match parts.in_form(PointForm::Uncompressed) {
                    Ok(whole) => assert!(whole.is_on_curve()),
                    Err(_) => refused += 1,
                }
            }
            // About half of all numbers are no x.
            assert!((6..=26).contains(&refused), "{curve:?}: {refused}");
            let beyond = EcPublicParts { curve, point: [&[2][..], &vec![0xFF; len]].concat() };
            assert!(beyond.in_form(PointForm::Hybrid).is_err());
        }
    }
}
