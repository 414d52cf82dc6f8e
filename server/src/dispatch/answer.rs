//! The response message, put together from what came of the items.

use kmip_codec::message::{RequestMessage, ResponseHeader};
use kmip_codec::schema::{DateTime, Encode};
use kmip_codec::spec::{AttestationType, CredentialType, Operation, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Blob, Text, Writer, frame};
use kmip_codec::types::{Credential, Nonce};
use kmip_codec::wipe::Wiped;

use crate::failure::Failure;
use crate::trust::attestation::{self, Attestation};

/// What came of an item.
#[derive(Debug, Clone)]
pub(super) struct ItemAnswer {
    /// The item's place in the request.
    pub(super) item: usize,
    /// The operation, as it was asked.
    pub(super) operation: Option<Operation>,
    /// The client's mark.
    pub(super) mark: Option<Blob>,
    /// How it went.
    pub(super) result: Result<Success, Failed>,
}

/// How an item went well.
#[derive(Debug, Clone)]
pub(super) enum Success {
    /// It is done: the payload as it is written, wiped when it goes, since it may hold a key.
    Payload(Wiped),
    /// It is answered later, to who polls for this Asynchronous Correlation Value.
    Pending(Blob),
}

/// Why an item has no effect.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// It failed.
    Failure(Failure),
    /// It succeeded, and was undone because a later one failed. Its payload is returned as any other (KMIP 2.1 §11.5,
    /// Undo); an item that was to be answered later has none.
    Undone(Option<Wiped>),
}

impl ItemAnswer {
    /// The same item after a later one failed in a batch that asked for Undo.
    pub(super) fn undone(self) -> Self {
        let result = match self.result {
            Ok(Success::Payload(payload)) => Err(Failed::Undone(Some(payload))),
            Ok(Success::Pending(_)) => Err(Failed::Undone(None)),
            failed @ Err(_) => failed,
        };
        Self { result, ..self }
    }

    /// Writes the Batch Item.
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.structure(Tag::BatchItem, |w| {
            if let Some(operation) = self.operation {
                operation.encode(Tag::Operation, w);
            }
            if let Some(mark) = &self.mark {
                mark.encode(Tag::UniqueBatchItemID, w);
            }
            match &self.result {
                Ok(Success::Payload(payload)) => {
                    ResultStatus::Success.encode(Tag::ResultStatus, w);
                    w.append(payload);
                }
                Ok(Success::Pending(correlation)) => {
                    ResultStatus::OperationPending.encode(Tag::ResultStatus, w);
                    correlation.encode(Tag::AsynchronousCorrelationValue, w);
                }
                Err(Failed::Failure(failure)) => {
                    ResultStatus::OperationFailed.encode(Tag::ResultStatus, w);
                    failure.reason_in(self.operation, w.version()).encode(Tag::ResultReason, w);
                    w.text(Tag::ResultMessage, &failure.message);
                }
                // Only a failure has a reason; and the answer stays as long as it was, so that it still fits.
                Err(Failed::Undone(payload)) => {
                    ResultStatus::OperationUndone.encode(Tag::ResultStatus, w);
                    payload.iter().for_each(|payload| w.append(payload));
                }
            }
        });
    }

    /// Length of the Batch Item as it is written, in bytes. Nothing is written to know it.
    pub(super) fn length(&self) -> usize {
        let operation = if self.operation.is_some() { FIXED } else { 0 };
        let mark = self.mark.as_ref().map_or(0, |mark| padded(mark.len()));
        let result = match &self.result {
            Ok(Success::Payload(payload)) | Err(Failed::Undone(Some(payload))) => payload.len(),
            Ok(Success::Pending(correlation)) => padded(correlation.len()),
            Err(Failed::Failure(failure)) => FIXED + padded(failure.message.len()),
            Err(Failed::Undone(None)) => 0,
        };
        frame::HEADER + operation + mark + FIXED + result
    }
}

/// An Enumeration, in bytes.
const FIXED: usize = frame::HEADER + 8;

/// Text or bytes of this length, in bytes.
const fn padded(length: usize) -> usize {
    frame::HEADER + length.next_multiple_of(8)
}

/// As long as each Server Correlation Value.
const LONGEST: &str = "00000000-0000000000000000";

/// Length of a Server Correlation Value: two numbers in hexadecimal and what parts them.
const CORRELATION: usize = LONGEST.len();

/// What each byte is in hexadecimal.
static HEXADECIMAL: [[u8; 2]; 256] = {
    const fn digit(value: u8) -> u8 {
        if value < 10 { b'0' + value } else { b'A' + value - 10 }
    }
    let mut table = [[0; 2]; 256];
    let mut rest: &mut [[u8; 2]] = &mut table;
    let mut byte: u8 = 0;
    while let Some((place, next)) = rest.split_first_mut() {
        *place = [digit(byte >> 4), digit(byte & 15)];
        byte = byte.wrapping_add(1);
        rest = next;
    }
    table
};

/// A Server Correlation Value (KMIP 2.1 §9.10); all have one length, so that it is known how long an answer will be.
pub(super) fn correlation(run: [u8; 4], number: u64) -> Text {
    let mut text = [b'-'; CORRELATION];
    let (first, second) = text.split_at_mut(2 * run.len());
    let digits = |bytes: &[u8], place: &mut [u8]| {
        for (place, &byte) in place.chunks_exact_mut(2).zip(bytes) {
            place.copy_from_slice(HEXADECIMAL.get(usize::from(byte)).unwrap_or(b"??"));
        }
    };
    digits(&run, first);
    if let Some((_, second)) = second.split_first_mut() {
        digits(&number.to_be_bytes(), second);
    }
    std::str::from_utf8(&text).unwrap_or_default().into()
}

/// What the header of a response says besides version and time.
#[derive(Debug, Default, Clone)]
pub(super) struct Extras {
    /// The proof that the server knows a hashed password.
    pub(super) server_hashed_password: Option<Vec<u8>>,
    /// The server's mark of this exchange.
    pub(super) server_correlation_value: Option<Text>,
    /// What the client needs to attest itself.
    pub(super) invitation: Invitation,
}

/// What a client needs to attest itself.
#[derive(Debug, Default, Clone)]
pub(super) struct Invitation {
    /// What it attests with.
    pub(super) nonce: Option<Nonce>,
    /// What is verified here.
    pub(super) types: Vec<AttestationType>,
}

impl Extras {
    /// As long as those of the answer to this message are going to be.
    pub(super) fn expected(message: &RequestMessage, attestation: Option<&Attestation>) -> Self {
        let credentials = message.header.authentication.iter().flat_map(|authentication| &authentication.credentials);
        let is_hashed = |credential: &Credential| credential.kind == CredentialType::HashedPassword;
        Self {
            // Of the longest hash.
            server_hashed_password: credentials.into_iter().any(is_hashed).then(|| vec![0; 64]),
            server_correlation_value: Some(Text::from_static(LONGEST)),
            invitation: match attestation {
                Some(attestation) if message.header.attestation_capable_indicator == Some(true) => {
                    Invitation { nonce: Some(attestation::longest_nonce()), types: attestation.types() }
                }
                _ => Invitation::default(),
            },
        }
    }
}

/// About what a message has beside its items, in bytes.
const HEADER: usize = 256;

/// Length of a response message without items, in bytes. For most nothing is written to know it.
pub(super) fn length(version: Version, extras: Extras) -> usize {
    let Extras { server_hashed_password, server_correlation_value, invitation } = &extras;
    if server_hashed_password.is_some() || invitation.nonce.is_some() || !invitation.types.is_empty() {
        return message(version, 0, extras, &[]).len();
    }
    let correlation = server_correlation_value.as_ref().filter(|_| version >= Version::V1_4);
    let protocol_version = frame::HEADER + 2 * FIXED;
    let (time_stamp, batch_count) = (FIXED, FIXED);
    let fields = protocol_version + time_stamp + correlation.map_or(0, |text| padded(text.len())) + batch_count;
    2 * frame::HEADER + fields
}

/// A whole response message.
pub(super) fn message(version: Version, now: i64, extras: Extras, items: &[ItemAnswer]) -> Vec<u8> {
    let lengths = items.iter().map(ItemAnswer::length);
    let mut writer = Writer::with_capacity(version, lengths.fold(HEADER, usize::saturating_add));
    let header = ResponseHeader {
        protocol_version: version.into(),
        time_stamp: DateTime(now),
        nonce: extras.invitation.nonce,
        server_hashed_password: extras.server_hashed_password.map(Blob::new),
        attestation_type: extras.invitation.types,
        client_correlation_value: None,
        server_correlation_value: extras.server_correlation_value,
        batch_count: i32::try_from(items.len()).unwrap_or(i32::MAX),
    };
    writer.structure(Tag::ResponseMessage, |w| {
        header.encode(Tag::ResponseHeader, w);
        items.iter().for_each(|item| item.write(w));
    });
    writer.finish()
}

/// A response to a request that cannot be read, or that fails as a whole.
pub(super) fn refusal(version: Version, now: i64, extras: Extras, failure: Failure) -> Vec<u8> {
    let item = ItemAnswer { item: 0, operation: None, mark: None, result: Err(Failed::Failure(failure)) };
    message(version, now, extras, &[item])
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::ResultReason;

    use super::*;

    #[test]
    fn an_item_is_as_long_as_it_says() {
        let payload = || Wiped::from(vec![0; 40]);
        let results = [
            Ok(Success::Payload(payload())),
            Ok(Success::Pending(Blob::copy_of(b"correlation"))),
            Err(Failed::Failure(Failure::new(ResultReason::ItemNotFound, "a text of some length"))),
            Err(Failed::Undone(Some(payload()))),
            Err(Failed::Undone(None)),
        ];
        for result in results {
            for (operation, mark) in [(None, None), (Some(Operation::Get), Some(Blob::copy_of(b"mark 1 of 2")))] {
                let answer = ItemAnswer { item: 0, operation, mark, result: result.clone() };
                for version in [Version::V1_0, Version::V2_1] {
                    let mut writer = Writer::new(version);
                    answer.write(&mut writer);
                    assert_eq!(answer.length(), writer.len(), "{answer:?} {version}");
                }
            }
        }
    }

    #[test]
    fn a_message_is_as_long_as_it_says() {
        for &version in Version::ALL.iter() {
            let plain = Extras { server_correlation_value: Some(correlation([7; 4], 7)), ..Extras::default() };
            let hashed = Extras { server_hashed_password: Some(vec![0; 64]), ..Extras::default() };
            for extras in [Extras::default(), plain, hashed] {
                let written = message(version, 0, extras.clone(), &[]).len();
                assert_eq!(length(version, extras.clone()), written, "{extras:?} {version}");
            }
        }
    }

    #[test]
    fn a_correlation_value_counts_in_hexadecimal() {
        assert_eq!(correlation([0x01, 0xab, 0, 0xff], 0x1f), "01AB00FF-000000000000001F");
        assert_eq!(correlation([0; 4], u64::MAX).len(), LONGEST.len());
    }
}
