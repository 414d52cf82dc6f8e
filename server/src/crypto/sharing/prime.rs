//! The integers modulo a prime. Numbers are little-endian words; what is secret is added, doubled and compared without a
//! branch, and only what everybody knows, the prime and the numbers of the parts, is divided.

use rsa::BigUint;
use zeroize::Zeroizing;

use super::{Part, SharingError};
use crate::crypto::algorithm::Hash;
use crate::crypto::public::hash;
use crate::secret::Secret;

/// Room for an RSA key of 2048 bits in PKCS#8. What a client gives is tested, which takes seconds already for numbers of this
/// size, and hours for some that fit into a message; the other methods share longer keys.
const LARGEST_BITS: usize = 10_240;

/// Up to here the server finds a prime where the client gives none.
const LARGEST_FOUND: usize = 521;

/// The first primes.
const SMALL: [u32; 24] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89];

/// Bases of the test of Miller and Rabin. A number that is not prime passes with one of them in four at the most.
const BASES: u32 = 16;

type Number = Zeroizing<Vec<u64>>;

/// A prime field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prime {
    words: Vec<u64>,
    bytes: Vec<u8>,
}

impl Prime {
    /// The field of a prime, big-endian; leading zeros do not count.
    ///
    /// # Errors
    /// A number that is not prime, or too large.
    pub fn new(prime: &[u8]) -> Result<Self, SharingError> {
        let number = BigUint::from_bytes_be(prime);
        if number.bits() > LARGEST_BITS {
            return Err(SharingError::BadParameters("the Prime Field Size is too large"));
        }
        if !is_prime(&number) {
            return Err(SharingError::BadParameters("the Prime Field Size is no prime"));
        }
        Ok(Self::of(&number))
    }

    /// The smallest prime field for a secret of so many bytes.
    ///
    /// # Errors
    /// A secret that is too long for the server to search.
    pub fn for_secret(bytes: usize) -> Result<Self, SharingError> {
        let bits = bytes.saturating_mul(8);
        if bits > LARGEST_FOUND {
            return Err(SharingError::BadParameters("for a secret of this length the Prime Field Size must be given"));
        }
        let mut candidate = (BigUint::from(1_u8) << bits) + 1_u8;
        while !is_prime(&candidate) {
            candidate += 2_u8;
        }
        Ok(Self::of(&candidate))
    }

    fn of(number: &BigUint) -> Self {
        let bytes = number.to_bytes_be();
        Self { words: words(&bytes, bytes.len().div_ceil(8)).to_vec(), bytes }
    }

    /// The prime, big-endian.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A secret as an element: the prime is bigger than every secret of its length (KMIP 2.1 §13.1).
    pub(super) fn element(&self, secret: &Secret) -> Result<Number, SharingError> {
        let first = self.bytes.first().copied().unwrap_or(0);
        let longer = self.bytes.len() > secret.len();
        // Of as many bytes the prime is less than the power of two.
        if !longer || first == 0 {
            return Err(SharingError::BadParameters("the Prime Field Size is not bigger than the secret"));
        }
        Ok(words(secret.expose(), self.words.len()))
    }

    /// A random element: eight bytes more than the prime has, reduced, so that no element is likelier than another.
    pub(super) fn random<E>(&self, random: &mut dyn FnMut(usize) -> Result<Secret, E>) -> Result<Number, E> {
        let bytes = random(self.bytes.len() + 8)?;
        let mut sum = self.zero();
        for byte in bytes.expose() {
            for bit in (0..8).rev() {
                self.double(&mut sum);
                let mut one = self.zero();
                if let Some(word) = one.first_mut() {
                    *word = u64::from((byte >> bit) & 1);
                }
                self.add(&mut sum, &one);
            }
        }
        Ok(sum)
    }

    /// The value at a point of the polynomial with these coefficients, the constant first; as long as the prime.
    pub(super) fn evaluate(&self, coefficients: &[Number], point: u32) -> Secret {
        let mut value = self.zero();
        for coefficient in coefficients.iter().rev() {
            value = self.scale(&value, &[u64::from(point)]);
            self.add(&mut value, coefficient);
        }
        self.encode(&value)
    }

    /// The value at zero.
    pub(super) fn join(&self, parts: &[Part], length: Option<usize>) -> Result<Secret, SharingError> {
        let mut sum = self.zero();
        for part in parts {
            let zeros = part.bytes.expose().iter().take_while(|byte| **byte == 0).count();
            if part.bytes.len().saturating_sub(zeros) > self.bytes.len() {
                return Err(SharingError::Failed("a part is not of the prime field"));
            }
            let value = words(part.bytes.expose(), self.words.len());
            if !self.is_less(&value) {
                return Err(SharingError::Failed("a part is not of the prime field"));
            }
            let others = parts.iter().map(|other| other.number).filter(|&number| number != part.number);
            let weighed = self.scale(&value, &self.weight(part.number, others)?);
            self.add(&mut sum, &weighed);
        }
        let whole = self.encode(&sum);
        let whole = whole.expose();
        let length = match length {
            Some(length) => length,
            // The shortest secret that the field was made for, or its length without zeros in a larger one.
            None => {
                let zeros = whole.iter().take_while(|byte| **byte == 0).count();
                whole.len().saturating_sub(zeros).max(1)
            }
        };
        let (above, secret) = match whole.len().checked_sub(length) {
            Some(start) => whole.split_at(start),
            None => return Err(SharingError::Failed("the parts do not make a secret of that length")),
        };
        if above.iter().fold(0, |all, byte| all | byte) != 0 {
            return Err(SharingError::Failed("the parts do not make a secret of that length"));
        }
        Ok(Secret::copy_of(secret))
    }

    /// The product of x_j / (x_j - x_i) over the other points. All of it is public.
    fn weight(&self, point: u32, others: impl Iterator<Item = u32>) -> Result<Vec<u64>, SharingError> {
        let prime = BigUint::from_bytes_be(&self.bytes);
        let mut weight = BigUint::from(1_u8);
        for other in others {
            weight = weight * other % &prime;
            let divisor = other.abs_diff(point);
            // Dividing by a small number: add the prime as often as it takes for the sum to be a multiple.
            let inverse = small_inverse(remainder(&prime, divisor), divisor)
                .ok_or(SharingError::BadParameters("the Prime Field Size is too small for so many parts"))?;
            let times = u64::from(divisor - remainder(&weight, divisor)) * u64::from(inverse) % u64::from(divisor);
            weight = (weight + &prime * times) / divisor;
            if other < point {
                weight = (&prime - weight % &prime) % &prime;
            }
        }
        Ok(words(&weight.to_bytes_be(), self.words.len()).to_vec())
    }

    fn zero(&self) -> Number {
        Zeroizing::new(vec![0; self.words.len()])
    }

    /// The product with a number that everybody knows.
    fn scale(&self, value: &Number, public: &[u64]) -> Number {
        let mut product = self.zero();
        let bits = public.iter().rev().flat_map(|word| (0..64).rev().map(move |bit| (word >> bit) & 1 == 1));
        for bit in bits.skip_while(|bit| !bit) {
            self.double(&mut product);
            if bit {
                self.add(&mut product, value);
            }
        }
        product
    }

    fn double(&self, value: &mut Number) {
        let same = value.clone();
        self.add(value, &same);
    }

    /// Adds, and takes the prime away where the sum reaches it: in words and mask, whatever the values are.
    fn add(&self, sum: &mut Number, value: &Number) {
        let mut carry = false;
        for (sum, value) in sum.iter_mut().zip(value.iter()) {
            let (low, first) = sum.overflowing_add(*value);
            let (low, second) = low.overflowing_add(u64::from(carry));
            *sum = low;
            carry = first | second;
        }
        let mut reduced = self.zero();
        let borrow = subtract(&mut reduced, sum, &self.words);
        let keep = u64::from(borrow & !carry).wrapping_neg();
        for (sum, reduced) in sum.iter_mut().zip(reduced.iter()) {
            *sum = (*sum & keep) | (reduced & !keep);
        }
    }

    fn is_less(&self, value: &Number) -> bool {
        subtract(&mut self.zero(), value, &self.words)
    }

    fn encode(&self, value: &Number) -> Secret {
        let all: Zeroizing<Vec<u8>> = Zeroizing::new(value.iter().rev().flat_map(|word| word.to_be_bytes()).collect());
        let start = all.len().saturating_sub(self.bytes.len());
        Secret::copy_of(all.get(start..).unwrap_or_default())
    }
}

/// The difference, and whether it is below zero.
fn subtract(difference: &mut Number, from: &Number, number: &[u64]) -> bool {
    let mut borrow = false;
    for ((difference, from), number) in difference.iter_mut().zip(from.iter()).zip(number) {
        let (low, first) = from.overflowing_sub(*number);
        let (low, second) = low.overflowing_sub(u64::from(borrow));
        *difference = low;
        borrow = first | second;
    }
    borrow
}

/// Big-endian bytes as so many words, the lowest first; bytes above them are left out.
fn words(bytes: &[u8], count: usize) -> Number {
    let mut words = Zeroizing::new(vec![0; count]);
    for (place, byte) in bytes.iter().rev().enumerate() {
        if let Some(word) = words.get_mut(place / 8) {
            *word |= u64::from(*byte) << (place % 8 * 8);
        }
    }
    words
}

fn remainder(number: &BigUint, divisor: u32) -> u32 {
    let rest = number % divisor;
    rest.to_bytes_be().iter().fold(0, |rest, byte| rest << 8 | u32::from(*byte))
}

/// The inverse of a number modulo another, where they have no divisor in common (Euclid).
fn small_inverse(number: u32, modulus: u32) -> Option<u32> {
    let modulus = i64::from(modulus);
    let (mut old, mut new) = ((i64::from(number) % modulus, 1), (modulus, 0));
    while new.0 != 0 {
        let quotient = old.0 / new.0;
        (old, new) = (new, (old.0 - quotient * new.0, old.1 - quotient * new.1));
    }
    (old.0 == 1 || modulus == 1).then(|| u32::try_from(old.1.rem_euclid(modulus)).ok()).flatten()
}

/// Miller and Rabin, with bases that nobody chooses who chooses the number: there are numbers made to pass with all bases that
/// are known before.
fn is_prime(number: &BigUint) -> bool {
    let (zero, one) = (BigUint::from(0_u8), BigUint::from(1_u8));
    for small in SMALL {
        if *number == BigUint::from(small) {
            return true;
        }
        if number % small == zero {
            return false;
        }
    }
    // Without one of those as a factor it has none, or two that are larger.
    if *number < BigUint::from(89_u32 * 89) {
        return *number > one;
    }
    let below = number - &one;
    let (mut odd, mut twos) = (below.clone(), 0);
    while &odd % 2_u8 == zero {
        odd >>= 1;
        twos += 1;
    }
    let bytes = number.to_bytes_be();
    (0..BASES).all(|place| {
        let base = BigUint::from_bytes_be(&hash(Hash::Sha256, &[&place.to_be_bytes(), &*bytes].concat()));
        // From 2 to the number less 2.
        let base = base % (&below - &BigUint::from(2_u8)) + 2_u8;
        let mut power = base.modpow(&odd, number);
        if power == one || power == below {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % number;
            power == below
        })
    })
}
