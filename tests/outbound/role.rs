//! Set Endpoint Role: the server asks on a connection that a client has made.

use bytes::Bytes;
use kmip_codec::message::RequestMessage;
use kmip_codec::schema::Encode;
use kmip_codec::spec::{EndpointRole, Operation, ResultReason, Tag, Version};
use kmip_codec::ttlv::{Limits, Writer, parse};
use kmip_codec::{Element, Value};
use kmipd::ops::set_endpoint_role::Role;
use kmipd::ops::{discover_versions, query};

use crate::harness::Kmipd;
use crate::harness::kmip::{Kmip, name};
use crate::listening::answer;

/// The next request of the server.
#[track_caller]
fn heard(kmip: &mut Kmip, operation: Operation) -> (RequestMessage, Element) {
    let message = Bytes::from(kmip.wire.receive().unwrap());
    let message = RequestMessage::read(&message, &Limits::default()).unwrap();
    assert_eq!(message.version, kmip.version);
    assert_eq!(message.items.len(), 1);
    assert_eq!(message.items[0].operation.0, operation);
    let payload = message.items[0].request_payload.clone().unwrap();
    (message, payload)
}

fn payload(version: Version, response: &impl Encode) -> Element {
    let mut writer = Writer::new(version);
    response.encode(Tag::ResponsePayload, &mut writer);
    parse(&Bytes::from(writer.finish()), &Limits::default()).unwrap()
}

/// Gives the role to the server, answers its first questions, and hears it give the role back.
fn interviewed(kmip: &mut Kmip) -> RequestMessage {
    let version = kmip.version;
    let role = Role { endpoint_role: EndpointRole::Client };
    assert_eq!(kmip.ask::<Role>(Operation::SetEndpointRole, &role), role);
    let (message, asked) = heard(kmip, Operation::DiscoverVersions);
    let asked: discover_versions::Versions = kmip_codec::schema::decode(asked, version).unwrap();
    assert_eq!(asked.versions.len(), Version::ALL.len());
    let versions = discover_versions::Versions { versions: vec![version.into()] };
    kmip.wire.send(&answer(&message, None, Some(payload(version, &versions))).write()).unwrap();
    let (message, asked) = heard(kmip, Operation::Query);
    let asked: query::Request = kmip_codec::schema::decode(asked, version).unwrap();
    assert!(!asked.functions.is_empty());
    // A client need not answer that.
    kmip.wire.send(&answer(&message, Some(ResultReason::OperationNotSupported), None).write()).unwrap();
    let (message, asked) = heard(kmip, Operation::SetEndpointRole);
    assert_eq!(asked.value.find(Tag::EndpointRole), Some(&Value::Enumeration(EndpointRole::Client.into())));
    message
}

#[test]
fn the_server_asks_and_gives_the_role_back() {
    let kmipd = Kmipd::dev();
    for version in [Version::V2_0, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        // It is the server already.
        let role = Role { endpoint_role: EndpointRole::Server };
        assert_eq!(kmip.ask::<Role>(Operation::SetEndpointRole, &role), role);
        for round in 0..2 {
            let message = interviewed(&mut kmip);
            let back = payload(version, &Role { endpoint_role: EndpointRole::Client });
            kmip.wire.send(&answer(&message, None, Some(back)).write()).unwrap();
            let mark = name(&format!("{version} {round}"));
            let made = kmip.create(vec![mark.clone()]);
            assert_eq!(kmip.locate(vec![mark]), [made]);
        }
    }
}

#[test]
fn a_client_that_keeps_the_role_loses_the_connection() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    let message = interviewed(&mut kmip);
    kmip.wire.send(&answer(&message, Some(ResultReason::PermissionDenied), None).write()).unwrap();
    kmip.wire.end().unwrap();
    let mut kmip = kmipd.kmip(Version::V2_1);
    let role = Role { endpoint_role: EndpointRole::Client };
    kmip.ask::<Role>(Operation::SetEndpointRole, &role);
    heard(&mut kmip, Operation::DiscoverVersions);
    kmip.wire.send(&[7; 16]).unwrap();
    kmip.wire.end().unwrap();
}
