//! One time passwords (KMIP 2.1 §9.11): those of RFC 6238 with SHA-1, six digits and steps of 30 seconds, each good once.

use aws_lc_rs::hmac;

use crate::config::Hidden;
use crate::secret::{self, Secret};

/// Length of a step, in seconds.
const STEP: i64 = 30;

/// Digits of a password.
const DIGITS: usize = 6;

/// The secret that a client's generator shares.
#[derive(Debug, Clone)]
pub struct Generator(Secret);

impl Generator {
    /// Reads a secret in base 32 (RFC 4648), blanks and padding allowed; at least 10 bytes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &Hidden) -> Result<Self, String> {
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(text.expose().len()));
        let (mut bits, mut held): (u32, u32) = (0, 0);
        for c in text.expose().chars().filter(|c| !c.is_whitespace() && *c != '=') {
            let digit = match c.to_ascii_uppercase() {
                c @ 'A'..='Z' => u32::from(c) - u32::from('A'),
                c @ '2'..='7' => u32::from(c) - u32::from('2') + 26,
                _ => return Err("is not in base 32 (A to Z, 2 to 7)".to_owned()),
            };
            bits = (bits << 5 | digit) & 0xFFF;
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xFF).unwrap_or(0));
            }
        }
        if bytes.len() < 10 {
            return Err(format!("has {} bytes; it must have at least 10", bytes.len()));
        }
        Ok(Self(Secret::copy_of(&bytes)))
    }

    /// The step for which a password is right at this time, one step to either side allowed, if it is later than the last
    /// one that was used.
    pub fn step(&self, password: &str, now: i64, last: Option<i64>) -> Option<i64> {
        let current = now.div_euclid(STEP);
        let mut right = None;
        for step in [current.saturating_sub(1), current, current.saturating_add(1)] {
            let is_right = secret::equal(self.at(step).as_bytes(), password.as_bytes());
            if is_right && last.is_none_or(|last| last < step) && right.is_none() {
                right = Some(step);
            }
        }
        right
    }

    /// The password of a step (RFC 4226 section 5.3).
    fn at(&self, step: i64) -> zeroize::Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let start = usize::from(tag.as_ref().last().copied().unwrap_or(0) & 0xF);
        let bytes = tag.as_ref().iter().skip(start).take(4);
        let number = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7FFF_FFFF;
        let modulus = (0..DIGITS).fold(1, |product, _| product * 10);
        zeroize::Zeroizing::new(format!("{:0DIGITS$}", number % modulus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238 appendix B, "12345678901234567890".
    fn generator() -> Generator {
        Generator::parse(&"GEZDGNBV GY3TQOJQ gezdgnbvgy3tqojq====".to_owned().into()).unwrap()
    }

    #[test]
    fn the_passwords_are_those_of_rfc_6238() {
        // The RFC prints eight digits; these are the last six.
        for (time, six) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(*generator().at(time / STEP), six);
            assert_eq!(generator().step(six, time, None), Some(time / STEP));
        }
    }

    #[test]
    fn a_password_is_good_once_and_near_its_time() {
        let step = 59 / STEP;
        assert_eq!(generator().step("287082", 59 + STEP, None), Some(step));
        assert_eq!(generator().step("287082", 59 - STEP, None), Some(step));
        assert_eq!(generator().step("287082", 59 + 2 * STEP, None), None);
        assert_eq!(generator().step("287082", 59, Some(step)), None);
        assert_eq!(generator().step("287082", 59, Some(step - 1)), Some(step));
        assert_eq!(generator().step("287083", 59, None), None);
        assert_eq!(generator().step("", 59, None), None);
    }

    #[test]
    fn a_secret_is_in_base_32_and_long_enough() {
        for text in ["", "GEZDGNBVGY3TQOI", "1EZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJ8"] {
            assert!(Generator::parse(&text.to_owned().into()).is_err(), "{text}");
        }
        assert!(Generator::parse(&"GEZDGNBVGY3TQOJQ".to_owned().into()).is_ok());
    }
}
