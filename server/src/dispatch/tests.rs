//! Who waits for whom.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use kmip_codec::message::ResponseMessage;
use kmip_codec::spec::{CryptographicAlgorithm, ObjectType, Operation, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Limits, Writer, frame};

use super::{Asker, Dispatcher, Lane};
use crate::view::testing::Bench;

/// A message with one item.
fn message(operation: Operation, payload: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer::new(Version::V2_1);
    writer.structure(Tag::RequestMessage, |w| {
        w.structure(Tag::RequestHeader, |w| {
            w.structure(Tag::ProtocolVersion, |w| {
                w.integer(Tag::ProtocolVersionMajor, 2);
                w.integer(Tag::ProtocolVersionMinor, 1);
            });
            w.integer(Tag::BatchCount, 1);
        });
        w.structure(Tag::BatchItem, |w| {
            w.enumeration(Tag::Operation, operation.into());
            w.structure(Tag::RequestPayload, payload);
        });
    });
    frame::protect(writer.finish())
}

fn status(answer: Vec<u8>) -> ResultStatus {
    let answer = ResponseMessage::read(&Bytes::from(answer), &Limits::default()).unwrap();
    answer.items.first().unwrap().result_status
}

#[tokio::test]
async fn who_runs_alone_stops_nobody_who_only_reads() {
    let bench = Bench::new();
    let dispatcher = Dispatcher::new(Arc::clone(bench.shared()), Limits::default(), 10, Lane::new(1, 1));
    let asker = Asker::nobody();
    let read = message(Operation::Locate, |_| {});
    let write = message(Operation::Create, |w| {
        w.enumeration(Tag::ObjectType, ObjectType::SymmetricKey.into());
        w.structure(Tag::Attributes, |w| {
            w.enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES.into());
            w.integer(Tag::CryptographicLength, 128);
            w.integer(Tag::CryptographicUsageMask, 4);
        });
    });
    let mut context = Context::from_waker(Waker::noop());

    let alone = dispatcher.turn.write().await;
    let mut reading = pin!(dispatcher.answer(&asker, &read));
    let Poll::Ready(answer) = reading.as_mut().poll(&mut context) else { panic!("a reader waits") };
    assert_eq!(status(answer.bytes), ResultStatus::Success);
    let mut writing = pin!(dispatcher.answer(&asker, &write));
    assert!(writing.as_mut().poll(&mut context).is_pending(), "a commit met who had the turn alone");
    drop(alone);
    assert_eq!(status(writing.await.bytes), ResultStatus::Success);
}
