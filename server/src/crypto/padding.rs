//! Padding of block ciphers, put on and taken off here for every provider: one way for all of them, which does not tell by
//! its time which byte was wrong.

use aws_lc_rs::rand;
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

use super::algorithm::Padding;
use super::{CryptoError, UNDECRYPTABLE};

/// The data with its padding, for blocks of so many bytes.
///
/// # Errors
/// Unavailable where there are no random bytes to pad with.
pub(super) fn pad(padding: Padding, data: &[u8], block: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let fill = match padding {
        Padding::None => 0,
        _ => block - data.len() % block,
    };
    let count = u8::try_from(fill).unwrap_or(0);
    let mut padded = Zeroizing::new(Vec::with_capacity(data.len() + fill));
    padded.extend_from_slice(data);
    padded.resize(data.len() + fill, if padding == Padding::Pkcs5 { count } else { 0 });
    if padding == Padding::Iso10126
        && let Some(added) = padded.get_mut(data.len()..)
    {
        rand::fill(added).map_err(|_| CryptoError::Unavailable("the random generator failed".into()))?;
    }
    if let (true, Some(last)) = (fill > 0, padded.last_mut()) {
        *last = count;
    }
    Ok(padded)
}

/// The data without its padding.
///
/// # Errors
/// What does not decrypt.
#[expect(clippy::disallowed_methods, reason = "bytes of padding, whose answers are joined without a branch")]
pub(super) fn unpad(padding: Padding, data: &[u8], block: usize) -> Result<&[u8], CryptoError> {
    if padding == Padding::None {
        return Ok(data);
    }
    let from = data.len().checked_sub(block).ok_or(UNDECRYPTABLE)?;
    let last = data.get(from..).ok_or(UNDECRYPTABLE)?;
    let (&fill, before) = last.split_last().ok_or(UNDECRYPTABLE)?;
    let most = u8::try_from(block).map_err(|_| UNDECRYPTABLE)?;
    let mut good = !fill.ct_eq(&0) & !fill.ct_gt(&most);
    let expected = match padding {
        Padding::Pkcs5 => Some(fill),
        Padding::AnsiX923 => Some(0),
        _ => None,
    };
    if let Some(expected) = expected {
        for (byte, from_end) in before.iter().rev().zip(2_u8..) {
            let beyond: Choice = from_end.ct_gt(&fill);
            good &= beyond | byte.ct_eq(&expected);
        }
    }
    let kept = data.len().saturating_sub(usize::from(fill));
    if bool::from(good) { data.get(..kept).ok_or(UNDECRYPTABLE) } else { Err(UNDECRYPTABLE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Padding; 3] = [Padding::Pkcs5, Padding::AnsiX923, Padding::Iso10126];

    #[test]
    fn what_is_put_on_comes_off() {
        for (padding, block) in ALL.into_iter().flat_map(|padding| [(padding, 8), (padding, 16)]) {
            for len in 0..=2 * block {
                let data: Vec<u8> = (0..len).map(|at| at as u8).collect();
                let padded = pad(padding, &data, block).unwrap();
                assert_eq!(padded.len(), (len / block + 1) * block);
                assert_eq!(unpad(padding, &padded, block).unwrap(), data, "{padding:?} {block} {len}");
            }
        }
        assert_eq!(*pad(Padding::None, b"12345", 16).unwrap(), b"12345");
        assert_eq!(*pad(Padding::Pkcs5, b"12345", 8).unwrap(), b"12345\x03\x03\x03");
        assert_eq!(*pad(Padding::AnsiX923, b"12345", 8).unwrap(), b"12345\x00\x00\x03");
        let padded = [0, 1].map(|_| pad(Padding::Iso10126, b"", 16).unwrap());
        assert!(padded[0] != padded[1] && padded.iter().all(|padded| padded[15] == 16));
    }

    #[test]
    fn what_is_no_padding_is_refused() {
        let bad = |padding, data: &[u8]| {
            let answer = unpad(padding, data, 8);
            assert!(matches!(answer, Err(CryptoError::Failed(_))), "{padding:?} {data:?}: {answer:?}");
        };
        for padding in ALL {
            bad(padding, b"");
            bad(padding, b"1234567");
            bad(padding, b"1234567\x00");
            bad(padding, b"1234567\x09");
            bad(padding, b"1234567\xff");
        }
        bad(Padding::Pkcs5, b"123456\x01\x02");
        bad(Padding::Pkcs5, b"12345\x02\x03\x03");
        bad(Padding::Pkcs5, b"\x07\x08\x08\x08\x08\x08\x08\x08");
        bad(Padding::AnsiX923, b"123456\x01\x02");
        bad(Padding::AnsiX923, b"12345\x03\x03\x03");
        bad(Padding::AnsiX923, b"\x01\x00\x00\x00\x00\x00\x00\x08");
        assert_eq!(unpad(Padding::Iso10126, b"123456\x01\x02", 8).unwrap(), b"123456");
        assert_eq!(unpad(Padding::AnsiX923, b"123456\x00\x02", 8).unwrap(), b"123456");
    }
}
