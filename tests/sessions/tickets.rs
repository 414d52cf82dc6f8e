//! Tickets: how often, how long, and for what they are good.

use std::path::Path;
use std::{fs, thread};

use kmip_codec::message::RequestHeader;
use kmip_codec::spec::{
    BatchErrorContinuationOption as OnError, Operation, ResultReason, Tag, UsageLimitsUnit, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Authentication, Credential, ObjectGroups, Objects, Operations, Right, Rights, Ticket, TicketTime, UniqueIdentifier,
    UsageLimits,
};
use kmipd::ops;
use kmipd::trust::password;

use crate::common::{attempt, send, ticket};
use crate::harness::kmip::{create, get, get_attributes, header, locate, text};
use crate::harness::{Kmip, Kmipd, Signal, openssl, served};

const V: Version = Version::V2_1;

fn limits(count: i64) -> UsageLimits {
    UsageLimits { total: count, count: Some(count), unit: UsageLimitsUnit::Object }
}

fn login(kmip: &mut Kmip, with: &[Credential], requests: Option<i32>, usage: Option<UsageLimits>) -> Ticket {
    let request = ops::login::Request { lease_time: None, request_count: requests, usage_limits: usage };
    attempt::<ops::login::Response>(kmip, with.to_vec(), Operation::Login, &request).unwrap().ticket
}

fn right(operations: &[Operation]) -> Right {
    let operations = Some(Operations { operations: operations.to_vec() });
    Right { usage_limits: None, operations, objects: None, object_groups: None }
}

fn on(operations: &[Operation], objects: &[&Text]) -> Right {
    let unique_identifiers = objects.iter().map(|object| UniqueIdentifier::Text((*object).clone())).collect();
    Right { objects: Some(Objects { unique_identifiers }), ..right(operations) }
}

fn delegate(kmip: &mut Kmip, with: &[Credential], rights: Vec<Right>) -> Result<Ticket, ResultReason> {
    let request = ops::delegated_login::Request {
        lease_time: Some(TicketTime::Interval(600)),
        request_count: None,
        usage_limits: None,
        rights: Rights { rights },
    };
    attempt::<ops::login::Response>(kmip, with.to_vec(), Operation::DelegatedLogin, &request).map(|made| made.ticket)
}

/// What a Log with this ticket comes to.
fn log(kmip: &mut Kmip, with: &Ticket) -> Result<(), ResultReason> {
    let request = ops::log::Request { log_message: "hello".into() };
    attempt::<ops::log::Response>(kmip, vec![ticket(V, with)], Operation::Log, &request).map(|_| ())
}

fn read(kmip: &mut Kmip, with: &Ticket, key: &Text) -> Result<(), ResultReason> {
    let request = get_attributes(Some(key), vec![Tag::State.into()]);
    let with = vec![ticket(V, with)];
    attempt::<ops::get_attributes::Response>(kmip, with, Operation::GetAttributes, &request).map(|_| ())
}

fn take(kmip: &mut Kmip, with: &Ticket, key: &Text) -> Result<(), ResultReason> {
    attempt::<ops::get::Response>(kmip, vec![ticket(V, with)], Operation::Get, &get(Some(key))).map(|_| ())
}

/// Eight connections ask five times each: how many pass. The others are told why.
fn race(kmipd: &Kmipd, with: &Ticket) -> usize {
    thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut kmip = kmipd.kmip(V);
                    let passed = |result: Result<(), ResultReason>| match result {
                        Ok(()) => true,
                        Err(reason) => {
                            assert_eq!(reason, ResultReason::UsageLimitExceeded);
                            false
                        }
                    };
                    (0..5).filter(|_| passed(log(&mut kmip, with))).count()
                })
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).sum()
    })
}

#[test]
fn as_many_requests_pass_as_the_ticket_is_for() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let counted = login(&mut kmip, &[], Some(17), None);
    assert_eq!(race(&kmipd, &counted), 17);
    let limited = login(&mut kmip, &[], None, Some(limits(13)));
    assert_eq!(race(&kmipd, &limited), 13);
    let mut one = right(&[Operation::Log]);
    one.usage_limits = Some(limits(11));
    let delegated = delegate(&mut kmip, &[], vec![one]).unwrap();
    assert_eq!(race(&kmipd, &delegated), 11);
    // What was got with a ticket counts against it, too.
    let parent = login(&mut kmip, &[], Some(9), None);
    let child = login(&mut kmip, &[ticket(V, &parent)], Some(100), None);
    assert_eq!(race(&kmipd, &child), 8);
    assert_eq!(log(&mut kmip, &parent), Err(ResultReason::UsageLimitExceeded));
}

#[test]
fn a_ticket_stands_for_whoever_got_it_and_ends_with_logout() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let key = kmip.create(vec![]);
    let own = login(&mut kmip, &[], None, None);
    // Another client's certificate with the ticket: the owner's objects, and not its own.
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), V);
    assert_eq!(other.refusal(Operation::Get, &get(Some(&key))), ResultReason::ObjectNotFound);
    assert_eq!(take(&mut other, &own, &key), Ok(()));
    // Whoever it does not stand for cannot end it, and a ticket hangs on the one that it was got with.
    let request = ops::logout::Request { ticket: own.clone() };
    assert_eq!(other.refusal(Operation::Logout, &request), ResultReason::PermissionDenied);
    let child = login(&mut kmip, &[ticket(V, &own)], None, None);
    let grandchild = delegate(&mut kmip, &[ticket(V, &child)], vec![right(&[Operation::Get])]).unwrap();
    assert_eq!(take(&mut other, &grandchild, &key), Ok(()));
    let ended = attempt::<ops::logout::Response>(&mut kmip, vec![ticket(V, &own)], Operation::Logout, &request);
    assert!(ended.is_ok());
    for gone in [&own, &child, &grandchild] {
        assert_eq!(take(&mut kmip, gone, &key), Err(ResultReason::InvalidTicket));
    }
    assert_eq!(kmip.refusal(Operation::Logout, &request), ResultReason::InvalidTicket);
    let forged = Ticket { ticket_value: Blob::copy_of(&[0; 32]), ..own };
    assert_eq!(take(&mut kmip, &forged, &key), Err(ResultReason::InvalidTicket));
    // Its value is nowhere in the log.
    assert!(!kmipd.log().contains(&hex::encode(&child.ticket_value[..])));
}

/// Refuses the client with the certificate in this file from now on.
fn revoke(kmipd: &Kmipd, folder: &Path, file: &str) {
    let said = openssl(folder, &format!("x509 -in {file} -noout -fingerprint -sha256"));
    let fingerprint = said.trim().split('=').nth(1).unwrap();
    fs::write(folder.join("revoked.txt"), format!("sha256 {fingerprint}\n")).unwrap();
    kmipd.signal(Signal::HUP);
    kmipd.wait_for("certificates and trust");
}

#[test]
fn a_ticket_ends_with_the_certificate_of_whoever_got_it() {
    // Whose certificate is revoked: its owner's, or that of a bearer who got another one with it.
    for file in ["client.pem", "bearer.pem"] {
        let folder = tempfile::tempdir().unwrap();
        let kmipd = Kmipd::serve(&served(folder.path(), ""));
        let mut owner = kmipd.kmip(V);
        let key = owner.create(vec![]);
        let bearer = kmipd.authority().issue_client("bearer").unwrap();
        fs::write(folder.path().join("bearer.pem"), &bearer.cert_pem).unwrap();
        let mut bearer = Kmip::new(kmipd.client_with(&bearer).connect().unwrap(), V);
        let mut third = Kmip::new(kmipd.client_named("third").connect().unwrap(), V);
        let (get, login) = (Operation::Get, Operation::DelegatedLogin);
        let own = delegate(&mut owner, &[], vec![right(&[get, login])]).unwrap();
        let further = delegate(&mut bearer, &[ticket(V, &own)], vec![right(&[get])]).unwrap();
        assert_eq!([take(&mut third, &own, &key), take(&mut third, &further, &key)], [Ok(()), Ok(())]);

        revoke(&kmipd, folder.path(), file);
        let ended = Err(ResultReason::InvalidTicket);
        let of_owner = if file == "client.pem" { ended } else { Ok(()) };
        assert_eq!([take(&mut third, &own, &key), take(&mut third, &further, &key)], [of_owner, ended], "{file}");
        // The connection is not at fault.
        third.create(vec![]);
    }
}

#[test]
fn a_ticket_ends_with_the_right_to_the_account_that_it_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    let fred = format!("[[users]]\nname = \"fred\"\npassword = '{}'\n", password::hash(b"fred's").unwrap());
    let config = served(folder.path(), &fred);
    let mut kmipd = Kmipd::serve(&config);
    let before = fs::read_to_string(&config).unwrap();
    let mut kmip = kmipd.kmip(V);
    let own = login(&mut kmip, &[Credential::password("fred", "fred's")], None, None);
    assert_eq!(log(&mut kmip, &own), Ok(()));
    for (now, expected) in [
        (format!("{before}certificates = [\"client\", \"other\"]\n"), Ok(())),
        (format!("{before}certificates = [\"other\"]\n"), Err(ResultReason::InvalidTicket)),
        (before.replace("fred", "frederick"), Err(ResultReason::InvalidTicket)),
    ] {
        fs::write(&config, now).unwrap();
        assert!(kmipd.terminate().success());
        kmipd.restart();
        assert_eq!(log(&mut kmipd.kmip(V), &own), expected);
    }
}

#[test]
fn tickets_and_their_counts_survive() {
    let mut kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let three = login(&mut kmip, &[], Some(3), None);
    let gone = login(&mut kmip, &[], None, None);
    assert_eq!(log(&mut kmip, &three), Ok(()));
    let request = ops::logout::Request { ticket: gone.clone() };
    kmip.ask::<ops::logout::Response>(Operation::Logout, &request);
    kmipd.kill();
    kmipd.restart();
    let mut kmip = kmipd.kmip(V);
    assert_eq!(log(&mut kmip, &gone), Err(ResultReason::InvalidTicket));
    assert_eq!([log(&mut kmip, &three), log(&mut kmip, &three)], [Ok(()), Ok(())]);
    assert_eq!(log(&mut kmip, &three), Err(ResultReason::UsageLimitExceeded));
}

#[test]
fn rights_are_operations_on_objects_and_groups() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let (one, two) = (kmip.create(vec![text(Tag::ObjectGroup, "red")]), kmip.create(vec![]));
    let mut red = right(&[Operation::GetAttributes, Operation::Locate, Operation::Create]);
    red.object_groups = Some(ObjectGroups { groups: vec!["red".into()] });
    let given = delegate(&mut kmip, &[], vec![red, on(&[Operation::Get], &[&two]), right(&[Operation::Log])]).unwrap();
    let denied = Err(ResultReason::NotAuthorised);
    assert_eq!([read(&mut kmip, &given, &one), read(&mut kmip, &given, &two)], [Ok(()), denied]);
    assert_eq!([take(&mut kmip, &given, &one), take(&mut kmip, &given, &two)], [denied, Ok(())]);
    assert_eq!(log(&mut kmip, &given), Ok(()));
    // Locate shows what the rights have; Create makes it.
    let with = || vec![ticket(V, &given)];
    let found: ops::locate::Response = attempt(&mut kmip, with(), Operation::Locate, &locate(vec![])).unwrap();
    assert_eq!(found.unique_identifiers, [one.clone()]);
    let make = |kmip: &mut Kmip, attributes| {
        attempt::<ops::create::Response>(kmip, with(), Operation::Create, &create(attributes)).map(|_| ())
    };
    assert_eq!(make(&mut kmip, vec![text(Tag::ObjectGroup, "red")]), Ok(()));
    assert_eq!(make(&mut kmip, vec![text(Tag::ObjectGroup, "blue")]), denied);
    assert_eq!(make(&mut kmip, vec![]), denied);
    // An operation that no right has, known or not.
    let destroy = ops::activate::Request { unique_identifier: Some(UniqueIdentifier::Text(one)) };
    assert_eq!(attempt::<kmip_codec::Element>(&mut kmip, with(), Operation::Destroy, &destroy).map(|_| ()), denied);
}

#[test]
fn nobody_delegates_more_than_he_has() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let (one, two) = (kmip.create(vec![]), kmip.create(vec![]));
    let rights = vec![right(&[Operation::DelegatedLogin, Operation::Log]), on(&[Operation::Get], &[&one])];
    let first = delegate(&mut kmip, &[], rights).unwrap();
    let with = [ticket(V, &first)];
    for more in [
        right(&[Operation::Query]),
        right(&[Operation::Get]),
        on(&[Operation::Get], &[&two]),
        on(&[Operation::Get], &[&one, &two]),
        Right { operations: None, ..right(&[]) },
    ] {
        assert_eq!(delegate(&mut kmip, &with, vec![more]).unwrap_err(), ResultReason::NotAuthorised);
    }
    let less = delegate(&mut kmip, &with, vec![right(&[Operation::Log]), on(&[Operation::Get], &[&one])]).unwrap();
    assert_eq!(take(&mut kmip, &less, &one), Ok(()));
    assert_eq!(log(&mut kmip, &less), Ok(()));
    assert_eq!(delegate(&mut kmip, &[ticket(V, &less)], vec![]).unwrap_err(), ResultReason::NotAuthorised);
    // A Login with a ticket is no way out of its rights.
    let wide = delegate(&mut kmip, &[], vec![right(&[Operation::Login, Operation::Log])]).unwrap();
    let out = login(&mut kmip, &[ticket(V, &wide)], None, None);
    assert_eq!(log(&mut kmip, &out), Ok(()));
    assert_eq!(take(&mut kmip, &out, &one), Err(ResultReason::NotAuthorised));
}

#[test]
fn a_login_that_is_undone_gives_nothing() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let mut items = vec![
        kmip.item(Operation::Login, &ops::login::Request { lease_time: None, request_count: None, usage_limits: None }),
        kmip.item(Operation::Log, &ops::log::Request { log_message: "never to be seen".into() }),
        kmip.item(Operation::Get, &get(Some(&"nothing".into()))),
    ];
    for (place, item) in items.iter_mut().enumerate() {
        item.unique_batch_item_id = Some(Blob::copy_of(&[u8::try_from(place).unwrap()]));
    }
    let undo = RequestHeader { batch_error_continuation_option: Some(OnError::Undo), ..header(V) };
    let came = kmip.batch(undo, items);
    assert!(came.iter().all(Result::is_err), "{came:?}");
    log(&mut kmip, &login(&mut kmipd.kmip(V), &[], None, None)).unwrap();
    kmipd.wait_for("logged by a client: hello");
    assert!(!kmipd.log().contains("never to be seen"));
}

#[test]
fn a_ticket_and_another_credential_name_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let user = |name: &str| {
        let hash = password::hash(name.as_bytes()).unwrap();
        format!("[[users]]\nname = \"{name}\"\npassword = '{hash}'\n")
    };
    let path = served(folder.path(), &[user("fred"), user("jane")].concat());
    let mut kmipd = Kmipd::serve(&path);
    let mut kmip = kmipd.kmip(V);
    let fred = Credential::password("fred", "fred");
    let freds = login(&mut kmip, &[fred.clone()], None, None);
    let request = ops::log::Request { log_message: "hello".into() };
    let ask = |kmip: &mut Kmip, credentials| send(kmip, credentials, Operation::Log, &request).items[0].result_reason;
    assert_eq!(ask(&mut kmip, vec![fred, ticket(V, &freds)]), None);
    let jane = Credential::password("jane", "jane");
    assert_eq!(ask(&mut kmip, vec![ticket(V, &freds), jane]), Some(ResultReason::AuthenticationNotSuccessful));
    let twice = vec![ticket(V, &freds), ticket(V, &freds)];
    assert_eq!(ask(&mut kmip, twice), Some(ResultReason::AuthenticationNotSuccessful));
    // A user who is not in the configuration any more takes his tickets along.
    assert!(kmipd.terminate().success());
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("name = \"fred\"", "name = \"freddy\"")).unwrap();
    kmipd.restart();
    let mut kmip = kmipd.kmip(V);
    assert_eq!(log(&mut kmip, &freds), Err(ResultReason::InvalidTicket));
}

#[test]
fn what_counts_is_the_request_whatever_comes_of_it() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let twice = login(&mut kmip, &[], Some(2), Some(limits(2)));
    // Two items in one request: two operations, one request. The failed one is no operation that was performed.
    let mut items = vec![
        kmip.item(Operation::Log, &ops::log::Request { log_message: "one".into() }),
        kmip.item(Operation::Get, &get(Some(&"nothing".into()))),
    ];
    for (place, item) in items.iter_mut().enumerate() {
        item.unique_batch_item_id = Some(Blob::copy_of(&[u8::try_from(place).unwrap()]));
    }
    let authentication = Some(Authentication { credentials: vec![ticket(V, &twice)] });
    let came = kmip.batch(RequestHeader { authentication, ..header(V) }, items);
    assert!(came[0].is_ok() && came[1].is_err());
    assert_eq!(log(&mut kmip, &twice), Ok(()));
    assert_eq!(log(&mut kmip, &twice), Err(ResultReason::UsageLimitExceeded));
}
