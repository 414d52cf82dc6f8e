//! Of what the nonce of a counter mode is made (KMIP 2.1 §4.16): a fixed field, an invocation field and a counter, in this
//! order (SP 800-38A appendix B, SP 800-38D §8.2.1).

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use crate::failure::Outcome;
use crate::ops::parameters::{bad, unsupported};

/// Length of a counter block in bits.
const BLOCK: u32 = 128;

/// Counters of so many bits at most begin at zero in an IV that the server makes.
const FROM_ZERO: u32 = 32;

/// The fields that the parameters name. Lengths are in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fields {
    /// Whether the mode is CTR, whose counter is part of what the client sees.
    is_ctr: bool,
    fixed: Option<u32>,
    invocation: Option<u32>,
    counter: Option<u32>,
    initial: Option<u32>,
}

impl Fields {
    /// Reads them; which of them the mode has was looked at before. `is_ctr` says whether it is CTR.
    ///
    /// # Errors
    /// Bad Cryptographic Parameters for lengths that no block has room for.
    pub(super) fn read(parameters: &Parameters, is_ctr: bool) -> Outcome<Self> {
        let number = |tag: Tag, given: Option<i32>| {
            let number = |value| u32::try_from(value).map_err(|_| bad(format!("{tag} is negative")));
            given.map(number).transpose()
        };
        let fields = Self {
            is_ctr,
            fixed: number(Tag::FixedFieldLength, parameters.fixed_field_length)?,
            invocation: number(Tag::InvocationFieldLength, parameters.invocation_field_length)?,
            counter: number(Tag::CounterLength, parameters.counter_length)?,
            initial: number(Tag::InitialCounterValue, parameters.initial_counter_value)?.filter(|_| is_ctr),
        };
        if fields.counter.is_some_and(|bits| !(1..=BLOCK).contains(&bits)) {
            return Err(bad("the Counter Length is none that a block has room for"));
        }
        if let (Some(bits @ 0..=31), Some(initial)) = (fields.counter, fields.initial)
            && initial >> bits != 0
        {
            return Err(bad("the Initial Counter Value does not fit into the Counter Length"));
        }
        Ok(fields)
    }

    /// Whether an IV of so many bytes is all of a block but its counter, which begins as the parameters say.
    pub(super) fn is_iv(&self, bytes: usize) -> bool {
        self.initial.is_some() && (1..16).contains(&bytes) && self.iv_len().is_none_or(|len| len == bytes)
    }

    /// Length in bytes of what stands before the counter, if the Counter Length says it.
    pub(super) fn iv_len(&self) -> Option<usize> {
        let bits = BLOCK.checked_sub(self.counter?)?;
        bits.is_multiple_of(8).then_some(bits as usize / 8)
    }

    /// The counter with which the server lets the blocks begin.
    pub(super) const fn counted_from(&self) -> Option<u32> {
        self.initial
    }

    /// Length of the counter. Where the parameters do not say it, all of the block is one.
    pub(super) fn counter_bits(&self) -> u8 {
        u8::try_from(self.counter.unwrap_or(BLOCK)).unwrap_or(u8::MAX)
    }

    /// Length of the counter within an IV that is a whole block.
    fn counter_within(&self) -> Option<u32> {
        self.counter.filter(|&bits| self.is_ctr && self.initial.is_none() && bits < BLOCK)
    }

    /// Whether what is random of an IV of a whole block that the server makes is less than all of it. See [`Self::leave_room`].
    pub(super) fn begins_at_zero(&self) -> bool {
        self.counter_within().is_some_and(|bits| bits <= FROM_ZERO)
    }

    /// Lets the counter of a random block begin where it has room, so that no chance decides whether the data is refused: at
    /// zero if it is short. What is random is 96 bits then at least; of a longer one, all but the topmost bit is.
    pub(super) fn leave_room(&self, block: [u8; 16]) -> [u8; 16] {
        let Some(bits) = self.counter_within() else { return block };
        let cleared = if bits <= FROM_ZERO { (1 << bits) - 1 } else { 1 << (bits - 1) };
        (u128::from_be_bytes(block) & !cleared).to_be_bytes()
    }

    /// Refuses a field that would not be random.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters.
    pub(super) fn all_random(&self) -> Outcome<()> {
        match self.fixed {
            None | Some(0) => Ok(()),
            Some(_) => Err(unsupported("a fixed field in a nonce that the server makes: all of it is random")),
        }
    }

    /// Checks an IV by its fields, and puts the counter behind it that the parameters begin with.
    ///
    /// # Errors
    /// Bad Cryptographic Parameters.
    pub(super) fn start(&self, iv: &Blob) -> Outcome<Option<Blob>> {
        let bits = u32::try_from(iv.len()).unwrap_or(u32::MAX).saturating_mul(8);
        let before = match (self.is_ctr, self.counter) {
            (true, Some(counter)) if bits == BLOCK => bits - counter,
            (true, Some(counter)) if bits.saturating_add(counter) != BLOCK => {
                return Err(bad("the IV/Counter/Nonce and the Counter Length do not make a block"));
            }
            _ => bits,
        };
        let named = match (self.fixed, self.invocation) {
            (None, None) => None,
            (Some(fixed), Some(invocation)) => Some(fixed.saturating_add(invocation)),
            (fixed, invocation) => fixed.or(invocation).filter(|&length| length > before),
        };
        if named.is_some_and(|named| named != before) {
            return Err(bad("Fixed Field Length and Invocation Field Length are not those of the IV/Counter/Nonce"));
        }
        let Some(initial) = self.initial else { return Ok(None) };
        if bits >= BLOCK {
            return self.check_initial(iv, initial);
        }
        let counter = u128::from(initial).to_be_bytes();
        let low = counter.get(iv.len()..).unwrap_or_default();
        if (BLOCK - bits) < u32::BITS && initial >> (BLOCK - bits) != 0 {
            return Err(bad("the Initial Counter Value does not fit behind the IV/Counter/Nonce"));
        }
        Ok(Some(Blob::new([&**iv, low].concat())))
    }

    /// A whole block has its counter in it already: it must be the one that is named.
    fn check_initial(&self, iv: &Blob, initial: u32) -> Outcome<Option<Blob>> {
        let block = <[u8; 16]>::try_from(&**iv).map(u128::from_be_bytes);
        let Some(bits) = self.counter else {
            return Err(bad("the IV/Counter/Nonce is a whole block: the Initial Counter Value needs a Counter Length"));
        };
        let largest = u128::MAX >> (BLOCK - bits);
        match block {
            Ok(block) if block & largest == u128::from(initial) => Ok(None),
            Ok(_) => Err(bad("the counter in the IV/Counter/Nonce is not the Initial Counter Value")),
            // The mode says which length it takes.
            Err(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lengths: [Option<i32>; 4], is_ctr: bool) -> Outcome<Fields> {
        let [fixed_field_length, invocation_field_length, counter_length, initial_counter_value] = lengths;
        let parameters = Parameters {
            fixed_field_length,
            invocation_field_length,
            counter_length,
            initial_counter_value,
            ..Parameters::default()
        };
        Fields::read(&parameters, is_ctr)
    }

    fn start(lengths: [Option<i32>; 4], iv: &[u8]) -> Outcome<Option<Vec<u8>>> {
        fields(lengths, true)?.start(&Blob::copy_of(iv)).map(|block| block.map(|block| block.to_vec()))
    }

    #[test]
    fn the_counter_stands_behind_the_iv() {
        let block = [&[7; 12][..], &[0, 0, 0, 1]].concat();
        assert_eq!(start([None, None, None, Some(1)], &[7; 12]).unwrap(), Some(block.clone()));
        assert_eq!(start([None, None, Some(32), Some(1)], &[7; 12]).unwrap(), Some(block.clone()));
        assert_eq!(start([Some(32), Some(64), Some(32), Some(1)], &[7; 12]).unwrap(), Some(block.clone()));
        // A whole block has it in it.
        assert_eq!(start([None, None, Some(32), Some(1)], &block).unwrap(), None);
        assert_eq!(start([Some(32), Some(64), Some(32), None], &block).unwrap(), None);
        assert_eq!(start([None, None, None, None], &block).unwrap(), None);
        let last = start([None, None, Some(8), Some(255)], &[7; 15]).unwrap().unwrap();
        assert_eq!(last[14..], [7, 255]);
    }

    #[test]
    fn a_random_block_leaves_room_for_its_counter() {
        let left = |counter, initial| fields([None, None, counter, initial], true).unwrap().leave_room([0xff; 16]);
        let of = |bytes: [&[u8]; 2]| <[u8; 16]>::try_from(bytes.concat()).unwrap();
        assert_eq!(left(Some(32), None), of([&[0xff; 12], &[0; 4]]));
        assert_eq!(left(Some(7), None), of([&[0xff; 15], &[0x80]]));
        assert_eq!(left(Some(64), None), of([&[0xff; 8], &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]));
        // All of the block is one, or it stands behind the IV.
        for whole in [left(None, None), left(Some(128), None), left(Some(32), Some(1))] {
            assert_eq!(whole, [0xff; 16]);
        }
        assert!(fields([None, None, Some(32), None], true).unwrap().begins_at_zero());
        for counter in [None, Some(33), Some(128)] {
            assert!(!fields([None, None, counter, None], true).unwrap().begins_at_zero());
        }
    }

    #[test]
    fn what_does_not_make_a_block_is_refused() {
        let block = [&[7; 12][..], &[0, 0, 0, 1]].concat();
        for (lengths, iv) in [
            ([None, None, Some(32), Some(2)], &block[..]),
            ([None, None, None, Some(1)], &block[..]),
            ([None, None, Some(64), Some(1)], &[7; 12][..]),
            ([None, None, Some(8), Some(256)], &[7; 15][..]),
            ([None, None, None, Some(256)], &[7; 15][..]),
            ([Some(32), Some(32), Some(32), Some(1)], &[7; 12][..]),
            ([Some(100), None, Some(32), Some(1)], &[7; 12][..]),
            ([None, None, Some(129), None], &block[..]),
            ([None, None, Some(0), None], &block[..]),
            ([None, None, None, Some(-1)], &[7; 12][..]),
        ] {
            assert!(start(lengths, iv).is_err(), "{lengths:?}");
        }
        let gcm = |fixed, invocation| fields([Some(fixed), Some(invocation), None, None], false);
        assert!(gcm(32, 64).unwrap().start(&Blob::copy_of(&[7; 12])).is_ok());
        assert!(gcm(32, 32).unwrap().start(&Blob::copy_of(&[7; 12])).is_err());
        assert!(gcm(32, 64).unwrap().all_random().is_err());
        assert!(gcm(0, 96).unwrap().all_random().is_ok());
    }
}
