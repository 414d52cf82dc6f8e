//! Which part of an operation a request is (KMIP 2.1 §7.8, §7.14, §7.17).

use kmip_codec::schema::Encode;
use kmip_codec::spec::{Operation, ResultReason, Tag, UsageLimitsUnit, Version};
use kmip_codec::ttlv::{Blob, Writer};
use kmip_codec::types::CryptographicParameters as Parameters;

use super::data::Data;
use super::parameters::bad;
use crate::crypto::algorithm::Hash;
use crate::crypto::public::{self, Hasher};
use crate::crypto::stream::{Ciphering, Macing, Place, Signing};
use crate::failure::{Failure, Outcome};
use crate::session::parts::Weighs;
use crate::trust::policy::Permitted;
use crate::view::View;

/// The part that a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The first of several.
    First,
    /// One between.
    Further,
    /// The last of several.
    Last,
}

impl Part {
    /// Reads it from the fields of a request. One that is the first part and the last is a whole.
    ///
    /// # Errors
    /// Invalid Field for one that goes on and begins at once; Invalid Correlation Value for an end of nothing.
    pub fn read(init: Option<bool>, last: Option<bool>, correlation: Option<&Blob>) -> Outcome<Self> {
        match (init == Some(true), last == Some(true), correlation) {
            (true, _, Some(_)) => {
                Err(Failure::invalid_field("a request with a Correlation Value goes on, and does not begin"))
            }
            (false, true, None) => Err(Failure::new(
                ResultReason::InvalidCorrelationValue,
                "a last part has the Correlation Value of the parts before it",
            )),
            (false, false, None) | (true, true, None) => Ok(Self::Whole),
            (true, false, None) => Ok(Self::First),
            (false, false, Some(_)) => Ok(Self::Further),
            (false, true, Some(_)) => Ok(Self::Last),
        }
    }

    /// Whether nothing comes after it.
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Whole | Self::Last)
    }
}

/// What lives between two parts.
#[derive(Debug, Clone)]
pub struct Running<T> {
    /// The operation.
    pub operation: Operation,
    /// The number of its key, if it has one.
    pub key: Option<u64>,
    /// The parameters that apply.
    pub parameters: Parameters,
    /// The work so far.
    pub work: T,
}

impl<T> Running<T> {
    /// Whether a request for this operation with this key can go on with it.
    pub fn fits(&self, operation: Operation, key: Option<&Permitted>) -> bool {
        self.operation == operation && self.key == key.map(|key| key.sequence)
    }

    /// Refuses parameters that are not those of the parts before.
    ///
    /// # Errors
    /// Bad Cryptographic Parameters.
    pub fn agree(&self, given: Option<&Parameters>) -> Outcome<()> {
        match given {
            Some(given) if *given != self.parameters => {
                Err(bad("the Cryptographic Parameters are not those of the parts before"))
            }
            _ => Ok(()),
        }
    }
}

/// What the parameters and the rest of a state take, in bytes; nobody counts them.
const STATE: usize = 1024;

impl Weighs for Running<Ciphering> {
    fn weight(&self) -> usize {
        STATE.saturating_add(self.work.weight())
    }
}

impl Weighs for Running<Macing> {
    fn weight(&self) -> usize {
        STATE.saturating_add(self.work.weight())
    }
}

impl Weighs for Running<Signing> {
    fn weight(&self) -> usize {
        STATE.saturating_add(self.work.waiting())
    }
}

impl Weighs for Running<Hasher> {
    fn weight(&self) -> usize {
        STATE
    }
}

/// What tells a request from every other one of the message.
pub fn print(operation: Operation, version: Version, request: &impl Encode) -> Vec<u8> {
    let mut writer = Writer::new(version);
    request.encode(Tag::RequestPayload, &mut writer);
    let mut bytes = zeroize::Zeroizing::new(writer.finish());
    bytes.extend_from_slice(&u32::from(operation).to_be_bytes());
    public::hash(Hash::Sha256, &bytes)
}

/// Refuses what only the first part brings.
///
/// # Errors
/// Invalid Field.
pub fn only_first(given: Option<&Blob>, tag: Tag) -> Outcome<()> {
    match given {
        Some(_) => Err(Failure::invalid_field(format!("{tag} comes with the first part alone"))),
        None => Ok(()),
    }
}

/// What comes with any one part, and with several only if it is the same.
///
/// # Errors
/// Invalid Field.
pub fn once(before: Option<Blob>, now: Option<Blob>, tag: Tag) -> Outcome<Option<Blob>> {
    match (before, now) {
        (Some(before), Some(now)) if before != now => {
            Err(Failure::invalid_field(format!("{tag} is not that of the parts before")))
        }
        // By itself: it would keep the whole message that it came with.
        (before, now) => Ok(before.or(now.map(|now| Blob::copy_of(&now)))),
    }
}

/// The data of a part; it may have none.
///
/// # Errors
/// Feature Not Supported for a reference to an earlier item.
pub fn data(data: Option<Data>) -> Outcome<Blob> {
    data.map_or_else(|| Ok(Blob::copy_of(&[])), Data::bytes)
}

/// A place for work for which the module keeps a session: if the key lives there, and the client may have one more of
/// them. Without, the data waits in the server.
pub fn place(view: &View, key: &Permitted, part: Part) -> Option<Place> {
    if part.is_last() || !view.is_guarded(key) {
        return None;
    }
    let seat = view.shared().parts.reserve_held(&view.requester().owner)?;
    Some(Box::new(seat))
}

/// Takes units of Usage Limits for a part: bytes as they come, the operation itself with its first.
///
/// # Errors
/// Usage Limit Exceeded.
pub fn take_usage(view: &mut View, key: &Permitted, part: Part, bytes: usize) -> Outcome<()> {
    let by_bytes = key.usage_limits().is_some_and(|limits| limits.unit == UsageLimitsUnit::Byte);
    if by_bytes || matches!(part, Part::Whole | Part::First) { view.take_usage(key, bytes) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits in all streams of a client together is bounded, and what ends makes room.
    #[test]
    fn what_waits_in_all_streams_is_bounded() {
        use kmip_codec::spec::{BlockCipherMode, CryptographicAlgorithm, CryptographicUsageMask};

        use crate::ops::decrypt::{Decrypt, Request, Response};
        use crate::view::testing::Bench;

        let limits = crate::session::parts::Limits { bytes_per_client: 100_000, ..Default::default() };
        let bench = Bench::limited(limits);
        let key = bench.key(CryptographicAlgorithm::AES, &[7; 16], CryptographicUsageMask::DECRYPT, vec![]);
        let parameters = || Parameters {
            block_cipher_mode: Some(BlockCipherMode::GCM),
            tag_length: Some(16),
            ..Parameters::default()
        };
        let part = |correlation: Option<&Blob>, bytes: usize, last: bool| {
            let begins = correlation.is_none();
            let request = Request {
                unique_identifier: Some(key.clone()),
                cryptographic_parameters: begins.then(parameters),
                data: Some(Data::Bytes(Blob::new(vec![1; bytes]))),
                iv_counter_nonce: begins.then(|| Blob::copy_of(&[0; 12])),
                correlation_value: correlation.cloned(),
                init_indicator: begins.then_some(true),
                final_indicator: last.then_some(true),
                additional_data: None,
                authenticated_encryption_tag: last.then(|| Blob::copy_of(&[0; 16])),
            };
            bench.run::<Decrypt>(Version::V2_1, request).map_err(|failure| failure.reason)
        };
        let stream = |answer: Result<Response, ResultReason>| answer.unwrap().correlation_value.unwrap();
        let full = Some(ResultReason::ServerLimitExceeded);
        let first = stream(part(None, 50_000, false));
        assert_eq!(part(None, 50_000, false).err(), full);
        // The first one is still there, and its end makes room, whatever it comes to.
        let second = stream(part(None, 40_000, false));
        assert_eq!(part(None, 20_000, false).err(), full);
        assert!(part(Some(&first), 1, true).is_err());
        stream(part(None, 20_000, false));
        // A part for which there is no room ends its stream.
        assert_eq!(part(Some(&second), 60_000, false).err(), full);
        assert_eq!(part(Some(&second), 1, false).err(), Some(ResultReason::InvalidCorrelationValue));
        stream(part(None, 40_000, false));
    }

    #[test]
    fn a_request_is_one_part() {
        let value = Blob::copy_of(b"value");
        let read = |init, last, value| Part::read(init, last, value).map_err(|failure| failure.reason);
        assert_eq!(read(None, None, None), Ok(Part::Whole));
        assert_eq!(read(Some(true), Some(true), None), Ok(Part::Whole));
        assert_eq!(read(Some(false), Some(false), None), Ok(Part::Whole));
        assert_eq!(read(Some(true), None, None), Ok(Part::First));
        assert_eq!(read(None, None, Some(&value)), Ok(Part::Further));
        assert_eq!(read(None, Some(true), Some(&value)), Ok(Part::Last));
        assert_eq!(read(Some(true), None, Some(&value)), Err(ResultReason::InvalidField));
        assert_eq!(read(None, Some(true), None), Err(ResultReason::InvalidCorrelationValue));
    }
}
