//! Messages in each encoding.

use bytes::Bytes;
use kmip_codec::message::ResponseMessage;
use kmip_codec::spec::{EndpointRole, Operation, ResultReason, ResultStatus, Tag, Version};
use kmip_codec::text::{json, xml};
use kmip_codec::ttlv::{Element, Limits, Value, parse, write};
use kmipd::ops;

use crate::harness::kmip::{self, bytes_of, create, get, header, item};
use crate::harness::web::{Reply, Web};
use crate::harness::{Kmip, Kmipd};

type Write = fn(&Element) -> Vec<u8>;
type Read = fn(&[u8]) -> Element;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The encodings: what is sent, what comes, how it is written and read.
const ENCODINGS: [(&str, &str, Write, Read); 4] = [
    ("application/octet-stream", "application/octet-stream", write, |body| {
        parse(&Bytes::copy_from_slice(body), &Limits::default()).unwrap()
    }),
    (
        "text/xml",
        "text/xml",
        |element| xml::write(element).unwrap().into_bytes(),
        |body| xml::read(text(body), &Limits::default()).unwrap(),
    ),
    (
        "application/xml; charset=utf-8",
        "text/xml",
        |element| xml::write(element).unwrap().into_bytes(),
        |body| xml::read(text(body), &Limits::default()).unwrap(),
    ),
    (
        "application/json",
        "application/json",
        |element| json::write(element).unwrap().into_bytes(),
        |body| json::read(text(body), &Limits::default()).unwrap(),
    ),
];

/// A request with one item.
fn request(version: Version, operation: Operation, payload: &impl kmip_codec::schema::Encode) -> Element {
    let message = kmip::message(version, header(version), vec![item(version, operation, payload)]);
    parse(&Bytes::from(message.write()), &Limits::default()).unwrap()
}

fn response(element: &Element) -> ResponseMessage {
    ResponseMessage::read(&Bytes::from(write(element)), &Limits::default()).unwrap()
}

fn checked(reply: &Reply, media_type: &str) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.field("content-type"), Some(media_type));
    assert_eq!(reply.field("cache-control"), Some("no-cache"));
}

#[test]
fn a_key_made_in_one_encoding_is_got_in_every_other() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut web = Web::of(&kmipd);
    for version in [Version::V1_0, Version::V1_4, Version::V2_1] {
        for (sent, came, write, read) in ENCODINGS {
            let reply = web.post(sent, &write(&request(version, Operation::Create, &create(vec![]))));
            checked(&reply, came);
            let created = kmip::came(response(&read(&reply.body))).remove(0);
            let key = kmip::identifier(&created);
            // The raw port knows it.
            let expected = bytes_of(&Kmip::new(kmipd.connect(), version).get(&key));
            for (sent, came, write, read) in ENCODINGS {
                let reply = web.post(sent, &write(&request(version, Operation::Get, &get(Some(&key)))));
                checked(&reply, came);
                let got = kmip::came(response(&read(&reply.body))).remove(0).unwrap();
                let got: ops::get::Response = kmip_codec::schema::decode(got, version).unwrap();
                assert_eq!(bytes_of(&got.object), expected);
            }
        }
    }
}

/// A request of the standard's own form, not written by our codec, in HTTP/1.0.
#[test]
fn a_query_by_hand() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let body = r#"<?xml version="1.0" encoding="UTF-8"?>
<RequestMessage xmlns="urn:oasis:tc:kmip:xmlns">
  <RequestHeader>
    <ProtocolVersion>
      <ProtocolVersionMajor type="Integer" value="1"/>
      <ProtocolVersionMinor type="Integer" value="2"/>
    </ProtocolVersion>
    <MaximumResponseSize type="Integer" value="256"/>
    <BatchCount type="Integer" value="1"/>
  </RequestHeader>
  <BatchItem>
    <Operation type="Enumeration" value="Query"/>
    <RequestPayload>
      <QueryFunction type="Enumeration" value="QueryOperations"/>
      <QueryFunction type="Enumeration" value="QueryObjects"/>
    </RequestPayload>
  </BatchItem>
</RequestMessage>"#;
    let mut web = Web::of(&kmipd);
    let post = |body: &str| {
        format!(
            "POST /kmip HTTP/1.0\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n\
             Content-Type: text/xml\r\nContent-Length: {}   \r\n\r\n{body}",
            body.len()
        )
    };
    // The size is that of the binary form (§6): 256 bytes are too few for it, and not for an error in XML.
    let reply = web.ask(&post(body));
    checked(&reply, "text/xml");
    for line in [
        r#"<ResultStatus type="Enumeration" value="OperationFailed"/>"#,
        r#"<ResultReason type="Enumeration" value="ResponseTooLarge"/>"#,
    ] {
        assert!(reply.text().contains(line), "{}", reply.text());
    }
    // On the same connection; the XML of this answer is longer than 2048 bytes, its binary form is not.
    let reply = web.ask(&post(&body.replace("\"256\"", "\"2048\"")));
    checked(&reply, "text/xml");
    assert!(reply.text().contains(r#"<Operation type="Enumeration" value="Locate"/>"#), "{}", reply.text());
    assert!(reply.body.len() > 2048);
}

#[test]
fn json_by_hand() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let body = r#"{"tag":"RequestMessage", "value":[
        {"tag":"RequestHeader", "value":[
            {"tag":"ProtocolVersion", "value":[
                {"tag":"ProtocolVersionMajor", "type":"Integer", "value":"0x00000002"},
                {"tag":"ProtocolVersionMinor", "type":"Integer", "value":1}]},
            {"tag":"BatchCount", "type":"Integer", "value":1}]},
        {"tag":"BatchItem", "value":[
            {"tag":"Operation", "type":"Enumeration", "value":"Create"},
            {"tag":"RequestPayload", "value":[
                {"tag":"ObjectType", "type":"Enumeration", "value":"SymmetricKey"},
                {"tag":"Attributes", "value":[
                    {"tag":"CryptographicAlgorithm", "type":"Enumeration", "value":"AES"},
                    {"tag":"CryptographicLength", "type":"Integer", "value":256},
                    {"tag":"CryptographicUsageMask", "type":"Integer", "value":"Encrypt|Decrypt"}]}]}]}]}"#;
    let reply = Web::of(&kmipd).post("application/json", body.as_bytes());
    checked(&reply, "application/json");
    let answer: serde_json::Value = serde_json::from_str(reply.text()).unwrap();
    let item = |place: usize| answer.pointer(&format!("/value/1/value/{place}")).unwrap().clone();
    assert_eq!(answer["tag"], "ResponseMessage");
    assert_eq!(item(1), serde_json::json!({"tag": "ResultStatus", "type": "Enumeration", "value": "Success"}));
    assert_eq!(item(2)["value"][1]["tag"], "UniqueIdentifier");
}

#[test]
fn what_cannot_be_read_is_answered_in_its_encoding_and_version() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut web = Web::of(&kmipd);
    let whole = |version| request(version, Operation::Create, &create(vec![]));
    for (version, reason) in [(Version::V1_2, ResultReason::InvalidMessage), (Version::V2_1, ResultReason::CodecError)]
    {
        let said = xml::write(&whole(version)).unwrap().replace("\"SymmetricKey\"", "\"SymmetricLock\"");
        let reply = web.post("text/xml", said.as_bytes());
        checked(&reply, "text/xml");
        let answer = response(&xml::read(reply.text(), &Limits::default()).unwrap());
        assert_eq!(answer.version, version);
        assert_eq!(answer.items[0].result_status, ResultStatus::OperationFailed);
        assert_eq!(answer.items[0].result_reason, Some(reason));
        let message = answer.items[0].result_message.clone().unwrap();
        assert!(message.contains("no value of this name at line") && message.contains("Request Payload"), "{message}");

        let said = json::write(&whole(version)).unwrap().replace("\"SymmetricKey\"", "\"SymmetricLock\"");
        let reply = web.post("application/json", said.as_bytes());
        checked(&reply, "application/json");
        let answer = response(&json::read(reply.text(), &Limits::default()).unwrap());
        assert_eq!(answer.version, version);
        assert_eq!(answer.items[0].result_reason, Some(reason));
    }
    // Nothing at all, and a message that was cut off.
    for (media_type, body) in [
        ("text/xml", "".as_bytes()),
        ("text/xml", b"<RequestMessage><RequestHeader>"),
        ("text/xml", b"\xff\xfe"),
        ("application/json", b""),
        ("application/json", b"{\"tag\":\"RequestMessage\",\"value\":["),
        ("application/octet-stream", b""),
        ("application/octet-stream", b"GET / HTTP/1.1\r\n\r\n"),
        ("application/octet-stream", &[0x42, 0x00, 0x78, 0x01, 0x00, 0x00, 0x01, 0x00, 0x42]),
    ] {
        let reply = web.post(media_type, body);
        checked(&reply, media_type);
        let (.., read) = ENCODINGS.iter().find(|(sent, ..)| *sent == media_type).unwrap();
        let answer = response(&read(&reply.body));
        assert_eq!(answer.items[0].result_status, ResultStatus::OperationFailed, "{media_type} {body:?}");
    }
    // A version that nobody speaks.
    let mut said = json::write(&whole(Version::V2_1)).unwrap();
    said = said.replace("Major\",\"type\":\"Integer\",\"value\":2", "Major\",\"type\":\"Integer\",\"value\":9");
    let reply = web.post("application/json", said.as_bytes());
    let answer = response(&json::read(reply.text(), &Limits::default()).unwrap());
    assert_eq!(answer.items[0].result_reason, Some(ResultReason::UnsupportedProtocolVersion));
}

/// What one client may store in binary, and another asks for in XML, which has no such character.
#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let odd = kmip::text(Tag::ContactInformation, "a\u{1}b");
    let key = kmipd.kmip(Version::V2_1).create(vec![odd.clone()]);
    let ask = kmip::get_attributes(Some(&key), vec![Tag::ContactInformation.into()]);
    let ask = request(Version::V2_1, Operation::GetAttributes, &ask);
    let mut web = Web::of(&kmipd);
    let reply = web.post("text/xml", xml::write(&ask).unwrap().as_bytes());
    checked(&reply, "text/xml");
    let answer = response(&xml::read(reply.text(), &Limits::default()).unwrap());
    assert_eq!(answer.version, Version::V2_1);
    assert_eq!(answer.items[0].result_reason, Some(ResultReason::GeneralFailure));
    // JSON has it.
    let reply = web.post("application/json", json::write(&ask).unwrap().as_bytes());
    let answer = json::read(reply.text(), &Limits::default()).unwrap();
    let Value::Structure(items) = &answer.value else { panic!() };
    let found = format!("{:?}", items.last());
    assert!(response(&answer).items[0].result_status == ResultStatus::Success, "{found}");
}

#[test]
fn the_roles_stay_as_they_are() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut web = Web::of(&kmipd);
    let role = |endpoint_role| ops::set_endpoint_role::Role { endpoint_role };
    let refused = Some(ResultReason::FeatureNotSupported);
    for version in [Version::V2_0, Version::V2_1] {
        for (sent, came, write, read) in ENCODINGS {
            // What the server is it may be told to be.
            for (wanted, reason) in [(EndpointRole::Client, refused), (EndpointRole::Server, None)] {
                let request = request(version, Operation::SetEndpointRole, &role(wanted));
                let reply = web.post(sent, &write(&request));
                checked(&reply, came);
                let [item] = &response(&read(&reply.body)).items[..] else { panic!("{reply:?}") };
                assert_eq!(item.operation.map(|operation| operation.0), Some(Operation::SetEndpointRole));
                assert_eq!(item.result_reason, reason);
            }
            // It is the client that asks, still.
            let reply = web.post(sent, &write(&request(version, Operation::Create, &create(vec![]))));
            kmip::came(response(&read(&reply.body)));
        }
    }
}
