//! Messages by value (KMIP 2.1 §8, 1.4 §7): bytes by hand, every field of every header.

use bytes::Bytes;

use super::{boolean, bytes, enumeration, integer, item, seed, structure, text, text_value};
use crate::message::{
    Asynchronous, MessageExtension, RequestBatchItem, RequestHeader, RequestMessage, RequestedOperation,
    ResponseBatchItem, ResponseHeader, ResponseMessage, Unreadable,
};
use crate::schema::DateTime;
use crate::spec::{
    AsynchronousIndicator, AttestationType, BatchErrorContinuationOption, CredentialType, Operation, ResultReason,
    ResultStatus, Tag, Version,
};
use crate::ttlv::{Blob, Element, ErrorKind, Limits, Value};
use crate::types::{Authentication, Credential, Nonce, ProtocolVersion};

const CREATE_1_0: &str = "
    420078 01 000002B0
        420077 01 000000D0
            420069 01 00000020
                42006A 02 00000004 0000000100000000
                42006B 02 00000004 0000000000000000
            420050 02 00000004 0000100000000000
            420007 06 00000008 0000000000000001
            42000C 01 00000040
                420023 01 00000038
                    420024 05 00000004 0000000100000000
                    420025 01 00000020
                        420099 07 00000004 4672656400000000
                        4200A1 07 00000006 7365637265740000
            42000E 05 00000004 0000000100000000
            420010 06 00000008 0000000000000001
            420092 09 00000008 0000000047DA67F8
            42000D 02 00000004 0000000200000000
        42000F 01 000001A0
            42005C 05 00000004 0000000100000000
            420093 08 00000001 0100000000000000
            420079 01 00000178
                420057 05 00000004 0000000200000000
                420091 01 00000160
                    420053 01 00000028
                        420055 07 00000009 54656D706C6174653100000000000000
                        420054 05 00000004 0000000100000000
                    420008 01 00000030
                        42000A 07 00000017 43727970746F6772617068696320416C676F726974686D00
                        42000B 05 00000004 0000000300000000
                    420008 01 00000030
                        42000A 07 00000014 43727970746F67726170686963204C656E67746800000000
                        42000B 02 00000004 0000008000000000
                    420008 01 00000030
                        42000A 07 00000018 43727970746F67726170686963205573616765204D61736B
                        42000B 02 00000004 0000000C00000000
                    420008 01 00000048
                        42000A 07 00000004 4E616D6500000000
                        420009 02 00000004 0000000000000000
                        42000B 01 00000020
                            420055 07 00000004 4B65793100000000
                            420054 05 00000004 0000000100000000
                    420008 01 00000030
                        42000A 07 00000005 782D666F6F000000
                        420009 02 00000004 0000000300000000
                        42000B 07 00000003 6261720000000000
        42000F 01 00000028
            42005C 05 00000004 0000000A00000000
            420093 08 00000001 0200000000000000
            420079 01 00000000
";

const CREATE_2_1: &str = "
    420078 01 00000280
        420077 01 00000150
            420069 01 00000020
                42006A 02 00000004 0000000200000000
                42006B 02 00000004 0000000100000000
            420050 02 00000004 0000100000000000
            420105 07 00000008 636C69656E742D37
            420106 07 00000008 7365727665722D39
            420007 05 00000004 0000000200000000
            4200D3 06 00000008 0000000000000001
            4200C7 05 00000004 0000000100000000
            4200C7 05 00000004 0000000300000000
            42000C 01 00000070
                420023 01 00000038
                    420024 05 00000004 0000000100000000
                    420025 01 00000020
                        420099 07 00000004 4672656400000000
                        4200A1 07 00000006 7365637265740000
                420023 01 00000028
                    420024 05 00000004 0000000200000000
                    420025 01 00000010
                        4200B0 07 00000006 73657269616C0000
            42000E 05 00000004 0000000300000000
            420010 06 00000008 0000000000000000
            420092 09 00000008 0000000047DA67F8
            42000D 02 00000004 0000000100000000
        42000F 01 00000120
            42005C 05 00000004 0000000100000000
            420154 06 00000008 0000000000000001
            420093 08 00000002 ABCD000000000000
            420079 01 000000A8
                420057 05 00000004 0000000200000000
                420125 01 00000090
                    420028 05 00000004 0000000300000000
                    42002A 02 00000004 0000010000000000
                    42002C 02 00000004 0000000C00000000
                    420053 01 00000020
                        420055 07 00000004 4B65793100000000
                        420054 05 00000004 0000000100000000
                    420008 01 00000030
                        42009D 07 00000001 7800000000000000
                        42000A 07 00000003 666F6F0000000000
                        42000B 07 00000003 6261720000000000
            420051 01 00000038
                42009D 07 00000004 41434D4500000000
                420026 06 00000008 0000000000000000
                42009C 01 00000010
                    540001 02 00000004 0000000500000000
";

const RESPONSE_1_4: &str = "
    42007B 01 000001D0
        42007A 01 000000A0
            420069 01 00000020
                42006A 02 00000004 0000000100000000
                42006B 02 00000004 0000000400000000
            420092 09 00000008 0000000047DA67F8
            4200C8 01 00000020
                4200C9 08 00000002 0102000000000000
                4200CA 08 00000002 0304000000000000
            4200C7 05 00000004 0000000100000000
            420105 07 00000008 636C69656E742D37
            420106 07 00000008 7365727665722D39
            42000D 02 00000004 0000000200000000
        42000F 01 000000C8
            42005C 05 00000004 0000000100000000
            420093 08 00000001 0100000000000000
            42007F 05 00000004 0000000000000000
            42007C 01 00000090
                420057 05 00000004 0000000200000000
                420094 07 00000005 7569642D31000000
                420091 01 00000068
                    420008 01 00000028
                        42000A 07 0000000C 496E697469616C204461746500000000
                        42000B 09 00000008 0000000047DA67F8
                    420008 01 00000030
                        42000A 07 00000005 782D666F6F000000
                        420009 02 00000004 0000000300000000
                        42000B 07 00000003 6261720000000000
        42000F 01 00000050
            42005C 05 00000004 0000000A00000000
            420093 08 00000001 0200000000000000
            42007F 05 00000004 0000000100000000
            42007E 05 00000004 0000000100000000
            42007D 07 00000008 6E6F742068657265
";

const RESPONSE_2_1: &str = "
    42007B 01 000000A8
        42007A 01 00000068
            420069 01 00000020
                42006A 02 00000004 0000000200000000
                42006B 02 00000004 0000000100000000
            420092 09 00000008 0000000047DA67F8
            420155 08 00000008 0505050505050505
            420106 07 00000008 7365727665722D39
            42000D 02 00000004 0000000100000000
        42000F 01 00000030
            42005C 05 00000004 0000000100000000
            42007F 05 00000004 0000000200000000
            420006 08 00000002 0707000000000000
";

const ERROR_1_0: &str = "
    42007B 01 00000090
        42007A 01 00000048
            420069 01 00000020
                42006A 02 00000004 0000000100000000
                42006B 02 00000004 0000000000000000
            420092 09 00000008 0000000047DA67F8
            42000D 02 00000004 0000000100000000
        42000F 01 00000038
            42007F 05 00000004 0000000100000000
            42007E 05 00000004 0000000400000000
            42007D 07 0000000A 6E6F206D657373616765000000000000
";

fn request(hex: &str) -> Result<RequestMessage, Unreadable> {
    RequestMessage::read(&Bytes::from(bytes(hex)), &Limits::default())
}

fn response(hex: &str) -> Result<ResponseMessage, Unreadable> {
    ResponseMessage::read(&Bytes::from(bytes(hex)), &Limits::default())
}

fn response_header(version: Version, batch_count: i32) -> ResponseHeader {
    ResponseHeader {
        protocol_version: version.into(),
        time_stamp: DateTime(1_205_495_800),
        nonce: None,
        server_hashed_password: None,
        attestation_type: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: None,
        batch_count,
    }
}

fn operation(operation: Operation) -> RequestedOperation {
    RequestedOperation(operation)
}

fn blob(bytes: &[u8]) -> Option<Blob> {
    Some(Blob::copy_of(bytes))
}

#[test]
fn a_request_of_1_0() {
    let message = request(CREATE_1_0).unwrap();
    let header = RequestHeader {
        maximum_response_size: Some(4096),
        asynchronous_indicator: Some(Asynchronous(AsynchronousIndicator::Optional)),
        authentication: Some(Authentication { credentials: vec![Credential::password("Fred", "secret")] }),
        batch_error_continuation_option: Some(BatchErrorContinuationOption::Continue),
        batch_order_option: Some(true),
        time_stamp: Some(DateTime(1_205_495_800)),
        batch_count: 2,
        ..RequestHeader::new(Version::V1_0, 1)
    };
    assert_eq!((message.version, &message.header), (Version::V1_0, &header));
    let [create, get] = &message.items[..] else { panic!("{:?}", message.items) };
    assert_eq!((create.operation, &create.unique_batch_item_id), (operation(Operation::Create), &blob(&[1])));
    assert_eq!((get.operation, &get.unique_batch_item_id), (operation(Operation::Get), &blob(&[2])));
    let payload = create.request_payload.as_ref().unwrap();
    assert_eq!(payload.value.find(Tag::ObjectType), Some(&Value::Enumeration(2)));
    assert_eq!(get.request_payload, Some(Element::new(Tag::RequestPayload, Value::Structure(Vec::new()))));
    assert_eq!(hex::encode_upper(message.write()), CREATE_1_0.split_whitespace().collect::<String>());
}

#[test]
fn a_request_of_2_1() {
    let message = request(CREATE_2_1).unwrap();
    let serial = Element::new(Tag::DeviceSerialNumber, text_value("serial"));
    let device = Credential { kind: CredentialType::Device, value: vec![serial] };
    let header = RequestHeader {
        maximum_response_size: Some(4096),
        client_correlation_value: Some("client-7".into()),
        server_correlation_value: Some("server-9".into()),
        asynchronous_indicator: Some(Asynchronous(AsynchronousIndicator::Optional)),
        attestation_capable_indicator: Some(true),
        attestation_type: vec![AttestationType::TPMQuote, AttestationType::SAMLAssertion],
        authentication: Some(Authentication { credentials: vec![Credential::password("Fred", "secret"), device] }),
        batch_error_continuation_option: Some(BatchErrorContinuationOption::Undo),
        batch_order_option: Some(false),
        time_stamp: Some(DateTime(1_205_495_800)),
        ..RequestHeader::new(Version::V2_1, 1)
    };
    assert_eq!((message.version, &message.header), (Version::V2_1, &header));
    let [RequestBatchItem { ephemeral, unique_batch_item_id, request_payload, message_extension, .. }] =
        &message.items[..]
    else {
        panic!("{:?}", message.items)
    };
    assert_eq!((*ephemeral, unique_batch_item_id), (Some(true), &blob(&[0xAB, 0xCD])));
    assert!(request_payload.is_some());
    let inner = Element::new(Tag::new(0x54_0001), Value::Integer(5));
    let extension = MessageExtension {
        vendor_identification: "ACME".into(),
        criticality_indicator: false,
        vendor_extension: Element::new(Tag::VendorExtension, Value::Structure(vec![inner])),
    };
    assert_eq!(message_extension, &[extension]);
    assert_eq!(hex::encode_upper(message.write()), CREATE_2_1.split_whitespace().collect::<String>());
}

#[test]
fn a_response_of_1_4() {
    let message = response(RESPONSE_1_4).unwrap();
    let nonce = message.header.nonce.clone();
    assert_eq!(nonce.as_ref().map(|nonce| &*nonce.nonce_id), Some(&[1, 2][..]));
    let header = ResponseHeader {
        nonce,
        attestation_type: vec![AttestationType::TPMQuote],
        client_correlation_value: Some("client-7".into()),
        server_correlation_value: Some("server-9".into()),
        ..response_header(Version::V1_4, 2)
    };
    assert_eq!(message.header, header);
    let failed = ResponseBatchItem {
        operation: Some(operation(Operation::Get)),
        unique_batch_item_id: blob(&[2]),
        result_status: ResultStatus::OperationFailed,
        result_reason: Some(ResultReason::ItemNotFound),
        result_message: Some("not here".into()),
        asynchronous_correlation_value: None,
        response_payload: None,
        message_extension: Vec::new(),
    };
    assert_eq!(message.items.get(1), Some(&failed));
    assert_eq!(message.items[0].result_status, ResultStatus::Success);
    assert!(message.items[0].response_payload.is_some());
    assert_eq!(hex::encode_upper(message.write()), RESPONSE_1_4.split_whitespace().collect::<String>());
}

#[test]
fn responses_of_2_1_and_1_0() {
    let message = response(RESPONSE_2_1).unwrap();
    let header = ResponseHeader {
        server_hashed_password: blob(&[5; 8]),
        server_correlation_value: Some("server-9".into()),
        ..response_header(Version::V2_1, 1)
    };
    assert_eq!(message.header, header);
    assert_eq!(message.items[0].result_status, ResultStatus::OperationPending);
    assert_eq!(message.items[0].asynchronous_correlation_value, blob(&[7, 7]));
    assert_eq!(hex::encode_upper(message.write()), RESPONSE_2_1.split_whitespace().collect::<String>());

    let message = response(ERROR_1_0).unwrap();
    assert_eq!(message.header, response_header(Version::V1_0, 1));
    assert_eq!(message.items[0].operation, None);
    assert_eq!(message.items[0].result_reason, Some(ResultReason::InvalidMessage));
    assert_eq!(hex::encode_upper(message.write()), ERROR_1_0.split_whitespace().collect::<String>());
}

/// A Discover Versions of that version, with more in its header and its item.
fn discover(major: i32, minor: i32, header: &[String], batch_count: i32, items: &[String]) -> String {
    let version = structure("420069", &[integer("42006A", major), integer("42006B", minor)]);
    let header = [&[version][..], header, &[integer("42000D", batch_count)]].concat();
    structure("420078", &[&[structure("420077", &header)][..], items].concat())
}

fn plain_item() -> String {
    structure("42000F", &[enumeration("42005C", 0x1E), structure("420079", &[])])
}

const NUMBERS: [(i32, i32, Version); 7] = [
    (1, 0, Version::V1_0),
    (1, 1, Version::V1_1),
    (1, 2, Version::V1_2),
    (1, 3, Version::V1_3),
    (1, 4, Version::V1_4),
    (2, 0, Version::V2_0),
    (2, 1, Version::V2_1),
];

#[test]
fn header_fields_stand_in_their_versions() {
    let fields = [
        (text("420105", "c"), Tag::ClientCorrelationValue, Version::V1_4),
        (text("420106", "s"), Tag::ServerCorrelationValue, Version::V1_4),
        (boolean("4200D3", true), Tag::AttestationCapableIndicator, Version::V1_2),
        (enumeration("4200C7", 1), Tag::AttestationType, Version::V1_2),
    ];
    for (major, minor, version) in NUMBERS {
        assert!(request(&discover(major, minor, &[], 1, &[plain_item()])).is_ok(), "{version}");
        for (field, tag, since) in &fields {
            let read = request(&discover(major, minor, std::slice::from_ref(field), 1, &[plain_item()]));
            if version >= *since {
                let message = read.unwrap();
                assert!(message.write().windows(3).any(|w| w == &tag.code().to_be_bytes()[1..]), "{version} {tag}");
            } else {
                let Unreadable { error, version: said } = read.unwrap_err();
                assert_eq!(error.kind, ErrorKind::NotInVersion { tag: *tag, version });
                assert_eq!((error.offset, error.path), (56, vec![Tag::RequestMessage, Tag::RequestHeader]));
                assert_eq!(said, Some(version.into()));
            }
        }
        let ephemeral = structure("42000F", &[enumeration("42005C", 0x1E), boolean("420154", true)]);
        let read = request(&discover(major, minor, &[], 1, &[ephemeral])).map_err(|unreadable| unreadable.error.kind);
        match version.is_v2() {
            true => assert_eq!(read.unwrap().items[0].ephemeral, Some(true)),
            false => assert_eq!(read, Err(ErrorKind::NotInVersion { tag: Tag::Ephemeral, version })),
        }
    }
}

#[test]
fn response_header_fields_are_left_out_of_versions_without_them() {
    for (_, _, version) in NUMBERS {
        let header = ResponseHeader {
            nonce: Some(Nonce { nonce_id: Blob::copy_of(&[1]), nonce_value: Blob::copy_of(&[2]) }),
            server_hashed_password: blob(&[5]),
            attestation_type: vec![AttestationType::TPMQuote],
            client_correlation_value: Some("c".into()),
            server_correlation_value: Some("s".into()),
            ..response_header(version, 1)
        };
        let items = response(ERROR_1_0).unwrap().items;
        let read = response(&hex::encode(ResponseMessage { version, header, items }.write())).unwrap().header;
        assert_eq!(read.nonce.is_some(), version >= Version::V1_2, "{version}");
        assert_eq!(read.attestation_type.len(), usize::from(version >= Version::V1_2), "{version}");
        assert_eq!(read.client_correlation_value.is_some(), version >= Version::V1_4, "{version}");
        assert_eq!(read.server_correlation_value.is_some(), version >= Version::V1_4, "{version}");
        assert_eq!(read.server_hashed_password.is_some(), version >= Version::V2_0, "{version}");
    }
}

#[test]
fn the_asynchronous_indicator_changes_its_type() {
    for (major, minor, version) in NUMBERS {
        let read = |field: String| {
            let message = request(&discover(major, minor, &[field], 1, &[plain_item()]));
            message.map(|message| (message.header.asynchronous_indicator.unwrap().0, message.write()))
        };
        let (yes, no) = (read(boolean("420007", true)), read(boolean("420007", false)));
        let enumerations = [1, 2, 3].map(|value| read(enumeration("420007", value)));
        if version.is_v2() {
            for wrong in [yes, no] {
                let Unreadable { error, .. } = wrong.unwrap_err();
                let expected = ErrorKind::WrongType { expected: "Enumeration", found: crate::ttlv::ItemType::Boolean };
                assert_eq!((error.kind, error.path.last()), (expected, Some(&Tag::AsynchronousIndicator)));
            }
            let values = enumerations.map(|read| read.unwrap().0);
            use AsynchronousIndicator as Indicator;
            assert_eq!(values, [Indicator::Mandatory, Indicator::Optional, Indicator::Prohibited]);
            let error = read(enumeration("420007", 4)).unwrap_err().error;
            assert_eq!(error.kind, ErrorKind::UnknownEnumeration { value: 4, version });
        } else {
            for (read, indicator, byte) in
                [(yes, AsynchronousIndicator::Optional, 1), (no, AsynchronousIndicator::Prohibited, 0)]
            {
                let (value, written) = read.unwrap();
                assert_eq!(value, indicator);
                let field = [0x42, 0, 7, 6, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, byte];
                assert!(written.windows(16).any(|window| window == field));
            }
            assert!(enumerations.iter().all(Result::is_err));
        }
    }
}

#[test]
fn an_unknown_operation_fails_nobody_but_itself() {
    for code in [0x99, 0x2C, 0x8000_0001] {
        let item = structure("42000F", &[enumeration("42005C", code), structure("420079", &[])]);
        let message = request(&discover(1, 0, &[], 2, &[item, plain_item()])).unwrap();
        assert_eq!(message.items[0].operation, operation(Operation::from(code)));
        assert_eq!(message.items[1].operation, operation(Operation::DiscoverVersions));
    }
}

#[test]
fn a_payload_that_nobody_understands_is_kept_for_its_item() {
    let odd = structure("420079", &[integer("54AAAA", 1), structure("420099", &[text("42000F", "x")])]);
    let item = structure("42000F", &[enumeration("42005C", 0x1E), odd.clone()]);
    let message = request(&discover(1, 2, &[], 1, &[item])).unwrap();
    assert_eq!(message.items[0].request_payload, Some(super::element(&odd)));
}

#[test]
fn counts_that_contradict_the_items() {
    for count in [-1, 0, 1, 3, i32::MAX, i32::MIN] {
        let items = [plain_item(), plain_item()];
        let Unreadable { error, version } = request(&discover(1, 3, &[], count, &items)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidValue("Batch Count is not the number of Batch Items"));
        assert_eq!((error.path, version), (vec![Tag::RequestMessage], Some(Version::V1_3.into())));
    }
    let Unreadable { error, version } = request(&discover(2, 0, &[], 0, &[])).unwrap_err();
    assert_eq!((error.kind, version), (ErrorKind::Missing(Tag::BatchItem), Some(Version::V2_0.into())));
}

#[test]
fn a_version_that_is_not_spoken_is_told() {
    for (major, minor) in [(0, 9), (1, 5), (2, 2), (3, 0), (257, 0), (-1, -1)] {
        let Unreadable { error, version } = request(&discover(major, minor, &[], 1, &[plain_item()])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidValue("the protocol version is not supported"));
        assert_eq!(version, Some(ProtocolVersion { major, minor }));
    }
}

#[test]
fn a_message_whose_rest_is_broken_tells_its_version() {
    // A payload with a Boolean of 2: the message does not parse, but its header begins as every header does.
    let broken = structure("420079", &[item("420026", 6, &[0, 0, 0, 0, 0, 0, 0, 2])]);
    let item = structure("42000F", &[enumeration("42005C", 0x1E), broken]);
    let Unreadable { error, version } = request(&discover(1, 2, &[], 1, &[item])).unwrap_err();
    assert_eq!((error.kind, version), (ErrorKind::InvalidBoolean, Some(Version::V1_2.into())));
    let path = [Tag::RequestMessage, Tag::BatchItem, Tag::RequestPayload, Tag::CriticalityIndicator];
    assert_eq!(error.path, path);

    // Cut anywhere behind the version: 16 bytes of headers, 40 of Protocol Version.
    let whole = bytes(CREATE_2_1);
    for length in 0..whole.len() {
        let frame = Bytes::copy_from_slice(&whole[..length]);
        let Unreadable { error, version } = RequestMessage::read(&frame, &Limits::default()).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Truncated { .. }), "{error}");
        assert_eq!(version, (length >= 56).then(|| Version::V2_1.into()), "{length}");
    }
}

#[test]
fn headers_that_lack_or_repeat_what_they_need() {
    let version = structure("420069", &[integer("42006A", 1), integer("42006B", 2)]);
    let count = integer("42000D", 1);
    let message = |header: &[&String]| {
        let header: Vec<String> = header.iter().map(|field| (*field).clone()).collect();
        request(&structure("420078", &[structure("420077", &header), plain_item()])).unwrap_err()
    };
    let Unreadable { error, version: said } = message(&[&count]);
    assert_eq!((error.kind, said), (ErrorKind::Missing(Tag::ProtocolVersion), None));
    assert_eq!((error.offset, error.path), (8, vec![Tag::RequestMessage, Tag::RequestHeader]));
    let Unreadable { error, version: said } = message(&[&version]);
    assert_eq!((error.kind, said), (ErrorKind::Missing(Tag::BatchCount), Some(Version::V1_2.into())));
    let Unreadable { error, .. } = message(&[&version, &count, &count]);
    assert_eq!((error.kind, error.offset), (ErrorKind::Repeated(Tag::BatchCount), 72));
    let Unreadable { error, .. } = message(&[&version, &count, &text("420094", "x")]);
    assert_eq!((error.kind, error.offset), (ErrorKind::Unexpected(Tag::UniqueIdentifier), 72));
    let Unreadable { error, .. } = request(&structure("420078", &[plain_item()])).unwrap_err();
    assert_eq!((error.kind, error.path), (ErrorKind::Missing(Tag::RequestHeader), vec![Tag::RequestMessage]));
    let Unreadable { error, version } = request(RESPONSE_1_4).unwrap_err();
    assert_eq!((error.kind, version), (ErrorKind::Unexpected(Tag::ResponseMessage), Some(Version::V1_4.into())));
    assert_eq!(response(CREATE_2_1).unwrap_err().error.kind, ErrorKind::Unexpected(Tag::RequestMessage));
}

#[test]
fn fields_in_another_order_are_read() {
    let version = structure("420069", &[integer("42006B", 4), integer("42006A", 1)]);
    let header = structure("420077", &[integer("42000D", 1), version, integer("420050", 9)]);
    let message = request(&structure("420078", &[plain_item(), header])).unwrap();
    assert_eq!((message.version, message.header.maximum_response_size), (Version::V1_4, Some(9)));
}

#[test]
fn enumerations_of_headers_are_those_of_the_version() {
    for (field, value) in [(enumeration("42000E", 4), 4), (enumeration("42000E", 0), 0)] {
        let error = request(&discover(1, 4, &[field], 1, &[plain_item()])).unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::UnknownEnumeration { value, version: Version::V1_4 });
        assert_eq!(error.path.last(), Some(&Tag::BatchErrorContinuationOption));
    }
    // An extension is between the peers.
    let message = request(&discover(1, 4, &[enumeration("42000E", 0x8000_0001)], 1, &[plain_item()])).unwrap();
    let option = message.header.batch_error_continuation_option;
    assert_eq!(option, Some(BatchErrorContinuationOption::from(0x8000_0001)));
}

#[test]
fn one_credential_in_1_0_and_1_1_several_later() {
    let credential = |user: &str| {
        let value = structure("420025", &[text("420099", user)]);
        structure("420023", &[enumeration("420024", 1), value])
    };
    for (major, minor, version) in NUMBERS {
        let read = |credentials: &[String]| {
            let message = request(&discover(major, minor, &[structure("42000C", credentials)], 1, &[plain_item()]));
            message.map(|message| message.header.authentication.unwrap().credentials)
        };
        assert_eq!(
            read(&[credential("a")]).unwrap()[0].text(Tag::Username).map(|name| name.to_string()),
            Some("a".into())
        );
        let two = read(&[credential("a"), credential("b")]);
        match version < Version::V1_2 {
            true => assert_eq!(two.unwrap_err().error.kind, ErrorKind::Repeated(Tag::Credential)),
            false => assert_eq!(two.unwrap().len(), 2),
        }
        let error = read(&[]).unwrap_err().error;
        assert_eq!(error.kind, ErrorKind::Missing(Tag::Credential));
        assert_eq!(error.path, [Tag::RequestMessage, Tag::RequestHeader, Tag::Authentication]);
    }
}

#[test]
fn credentials_know_their_types_and_hide_their_values() {
    let device = structure("420023", &[enumeration("420024", 2), structure("420025", &[text("4200B0", "x")])]);
    let authentication = structure("42000C", &[device]);
    let read = |minor| request(&discover(1, minor, std::slice::from_ref(&authentication), 1, &[plain_item()]));
    let error = read(0).unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::UnknownEnumeration { value: 2, version: Version::V1_0 });
    assert!(read(1).is_ok());
    let shown = format!("{:?}", request(CREATE_1_0).unwrap());
    assert!(shown.contains("Credential(Username and Password)") && !shown.contains("secret"), "{shown}");
}

#[test]
fn seeds_are_these_messages() {
    seed("request", "create-1.0", &bytes(CREATE_1_0));
    seed("request", "create-2.1", &bytes(CREATE_2_1));
    seed("response", "create-1.4", &bytes(RESPONSE_1_4));
    seed("response", "pending-2.1", &bytes(RESPONSE_2_1));
    seed("response", "error-1.0", &bytes(ERROR_1_0));
}
