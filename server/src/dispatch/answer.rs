//! The response message, put together from what came of the items.

use kmip_codec::message::ResponseHeader;
use kmip_codec::schema::{DateTime, Encode};
use kmip_codec::spec::{Operation, ResultReason, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Blob, Writer};

use zeroize::Zeroizing;

use crate::failure::{Failure, reason_in};

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
    Payload(Zeroizing<Vec<u8>>),
    /// It is answered later, to who polls for this Asynchronous Correlation Value.
    Pending(Blob),
}

/// Why an item has no payload.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// It failed.
    Failure(Failure),
    /// It succeeded, and was undone because a later one failed.
    Undone,
}

impl ItemAnswer {
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
                Err(Failed::Undone) => {
                    ResultStatus::OperationUndone.encode(Tag::ResultStatus, w);
                    // Only a failure must have a reason; this is the nearest that every version has.
                    reason_in(w.version(), ResultReason::GeneralFailure).encode(Tag::ResultReason, w);
                    w.text(Tag::ResultMessage, "a later item failed, and the batch asked for Undo");
                }
            }
        });
    }

    /// Length of the Batch Item, in bytes.
    pub(super) fn length(&self, version: Version) -> usize {
        let mut writer = Writer::new(version);
        self.write(&mut writer);
        writer.len()
    }
}

/// A whole response message.
pub(super) fn message(version: Version, now: i64, items: &[ItemAnswer]) -> Vec<u8> {
    let mut writer = Writer::new(version);
    let header = ResponseHeader {
        protocol_version: version.into(),
        time_stamp: DateTime(now),
        nonce: None,
        server_hashed_password: None,
        attestation_type: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: None,
        batch_count: i32::try_from(items.len()).unwrap_or(i32::MAX),
    };
    writer.structure(Tag::ResponseMessage, |w| {
        header.encode(Tag::ResponseHeader, w);
        items.iter().for_each(|item| item.write(w));
    });
    writer.finish()
}

/// A response to a request that cannot be read, or that fails as a whole.
pub(super) fn refusal(version: Version, now: i64, failure: Failure) -> Vec<u8> {
    let item = ItemAnswer { item: 0, operation: None, mark: None, result: Err(Failed::Failure(failure)) };
    message(version, now, &[item])
}
