//! Messages read and written: what a Get asks, and what Get Attributes answers.

use std::error::Error;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use kmip_bench::keys::name;
use kmip_bench::request::{Form, Head, kind_attributes, name_attribute, usage_attribute};
use kmip_codec::Value;
use kmip_codec::message::{RequestMessage, RequestedOperation, ResponseBatchItem, ResponseHeader, ResponseMessage};
use kmip_codec::schema::{DateTime, Field, Lifetime};
use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask, Operation, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Limits, Writer, parse, write};
use kmip_codec::types::{Attribute, FoundAttributes};

const VERSION: Version = Version::V2_1;
const ID: &str = "3d1c2e5a-6f0b-4b67-9d34-1f2a3b4c5d6e";

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let get = Bytes::from(Head::of(VERSION, &[Form { version: VERSION, several: false }.get(ID)]));
    let answer = attributes()?;
    let answered = Bytes::from(answer.write());
    let limits = Limits::default();

    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(get.len() as u64));
    let element = parse(&get, &limits)?;
    group.bench_function("parse a Get", |bencher| bencher.iter(|| parse(black_box(&get), &limits)));
    group.bench_function("write a Get", |bencher| bencher.iter(|| write(black_box(&element))));
    RequestMessage::read(&get, &limits).map_err(|unreadable| unreadable.error)?;
    group.bench_function("read a Get", |bencher| {
        bencher.iter(|| RequestMessage::read(black_box(&get), &limits).is_ok());
    });
    group.throughput(Throughput::Bytes(answered.len() as u64));
    parse(&answered, &limits)?;
    group.bench_function("parse Attributes", |bencher| bencher.iter(|| parse(black_box(&answered), &limits)));
    group.bench_function("write Attributes", |bencher| bencher.iter(|| black_box(&answer).write()));
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// An answer to Get Attributes, about as long as one of a key.
fn attributes() -> Result<ResponseMessage, Box<dyn Error>> {
    let date = |tag| Attribute::new(tag, Value::DateTime(1_700_000_000));
    let mut list = kind_attributes(CryptographicAlgorithm::AES, 256);
    list.extend([
        Attribute::new(Tag::UniqueIdentifier, Value::TextString(ID.into())),
        usage_attribute(CryptographicUsageMask::ENCRYPT),
        name_attribute(&name("bench", 1)),
        Attribute::new(Tag::Sensitive, Value::Boolean(false)),
        Attribute::new(Tag::Extractable, Value::Boolean(true)),
    ]);
    list.extend([Tag::InitialDate, Tag::ActivationDate, Tag::OriginalCreationDate, Tag::LastChangeDate].map(date));
    let mut writer = Writer::new(VERSION);
    writer.structure(Tag::ResponsePayload, |w| {
        w.text(Tag::UniqueIdentifier, ID);
        FoundAttributes(list).put(Tag::Attributes, Lifetime::ALWAYS, w);
    });
    let item = ResponseBatchItem {
        operation: Some(RequestedOperation(Operation::GetAttributes)),
        unique_batch_item_id: None,
        result_status: ResultStatus::Success,
        result_reason: None,
        result_message: None,
        asynchronous_correlation_value: None,
        response_payload: Some(parse(&Bytes::from(writer.finish()), &Limits::default())?),
        message_extension: Vec::new(),
    };
    let header = ResponseHeader {
        protocol_version: VERSION.into(),
        time_stamp: DateTime(1_700_000_000),
        nonce: None,
        server_hashed_password: None,
        attestation_type: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: None,
        batch_count: 1,
    };
    Ok(ResponseMessage { version: VERSION, header, items: vec![item] })
}
