//! Over the wire.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::kmip::{create, get, name, object};
use crate::harness::{Client, Kmip, Kmipd, run, served};
use kmip_codec::spec::{InteropFunction, Operation, QueryFunction, ResultReason, Version};
use kmip_codec::ttlv::Text;
use kmipd::ops;

fn interop(kmip: &mut Kmip, function: InteropFunction) {
    let request = ops::interop::Request { function, identifier: "a test".into() };
    let _: ops::interop::Response = kmip.ask(Operation::Interop, &request);
}

/// The client of these files.
fn client(kmipd: &Kmipd, file: &str) -> Kmip {
    let read = |name: &str| fs::read_to_string(kmipd.dir.join(name)).unwrap();
    let own = (&*read(&format!("{file}.pem")), &*read(&format!("{file}.key")));
    let client = Client::new(kmipd.address, &read("ca.pem"), Some(own));
    Kmip::new(client.connect().unwrap(), Version::V1_2)
}

#[test]
fn reset_empties_the_store() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    for version in [Version::V2_0, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let query = ops::query::Request { functions: vec![QueryFunction::QueryOperations], object_groups: None };
        let offered: ops::query::Response = kmip.ask(Operation::Query, &query);
        assert!(offered.operations.contains(&Operation::Interop));

        interop(&mut kmip, InteropFunction::Begin);
        let key = kmip.create(vec![name("a name")]);
        interop(&mut kmip, InteropFunction::End);
        assert_eq!(kmip.locate(vec![]), [key.clone()]);
        interop(&mut kmip, InteropFunction::Reset);
        assert_eq!(kmip.locate(vec![]), [] as [Text; 0]);
        let gone = kmip.refusal(Operation::Get, &get(Some(&key)));
        assert_eq!(gone, ResultReason::ObjectNotFound);
        // The name is free again.
        kmip.create(vec![name("a name")]);
        interop(&mut kmip, InteropFunction::Reset);
    }
    // Nothing stands beside Reset.
    let mut kmip = kmipd.kmip(Version::V2_1);
    let reset = ops::interop::Request { function: InteropFunction::Reset, identifier: "a test".into() };
    let items = vec![kmip.item(Operation::Create, &create(vec![])), kmip.item(Operation::Interop, &reset)];
    let came = kmip.items(items);
    assert_eq!(came.len(), 1);
    assert_eq!(came[0].as_ref().unwrap_err().reason(), ResultReason::InvalidMessage);
    assert_eq!(kmip.locate(vec![]), [] as [Text; 0]);
}

#[test]
fn what_was_emptied_stays_empty_after_a_crash() {
    let mut kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut kmip = kmipd.kmip(Version::V2_1);
    let before = kmip.create(vec![]);
    interop(&mut kmip, InteropFunction::Reset);
    let after = kmip.create(vec![]);
    kmipd.kill();
    kmipd.restart();
    let mut kmip = kmipd.kmip(Version::V2_1);
    assert_eq!(kmip.locate(vec![]), [after]);
    let gone = kmip.refusal(Operation::Get, &get(Some(&before)));
    assert_eq!(gone, ResultReason::ObjectNotFound);
}

#[test]
fn requests_in_flight_do_not_write_into_the_emptied_store() {
    let kmipd = Arc::new(Kmipd::dev_with(&["--conformance"]));
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4)
        .map(|number| {
            let (kmipd, stop) = (Arc::clone(&kmipd), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut kmip = kmipd.kmip(Version::V2_1);
                let mut made = 0_usize;
                while !stop.load(Ordering::Relaxed) {
                    let key = kmip.create(vec![name(&format!("busy {number} {made}"))]);
                    let came = kmip.attempt::<ops::activate::Response>(Operation::Activate, &object(Some(&key)));
                    if let Err(refused) = came {
                        assert_eq!(refused.reason(), ResultReason::ObjectNotFound);
                    }
                    made += 1;
                }
                made
            })
        })
        .collect();
    let mut kmip = kmipd.kmip(Version::V2_1);
    for _ in 0..50 {
        interop(&mut kmip, InteropFunction::Reset);
    }
    stop.store(true, Ordering::Relaxed);
    for busy in busy {
        assert!(busy.join().unwrap() > 0);
    }
    interop(&mut kmip, InteropFunction::Reset);
    assert_eq!(kmip.locate(vec![]), [] as [Text; 0]);
}

#[test]
fn three_clients_work_together() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut first = client(&kmipd, "client");
    let key = first.create(vec![name("shared")]);
    for file in ["client2", "client3"] {
        let mut other = client(&kmipd, file);
        assert_eq!(other.locate(vec![name("shared")]), [key.clone()]);
        other.get(&key);
    }
    client(&kmipd, "client3").destroy(&key);
    assert_eq!(first.refusal(Operation::Get, &get(Some(&key))), ResultReason::ItemNotFound);
    // Each has a key of its own.
    let read = |file: &str| fs::read_to_string(kmipd.dir.join(file)).unwrap();
    assert_ne!(read("client.key"), read("client2.key"));
    assert_ne!(read("client2.key"), read("client3.key"));
}

#[test]
fn a_store_is_made_to_be_emptied_or_never_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |dir: &Path, more: &[&str]| {
        let dir = dir.to_str().unwrap();
        let arguments = [&["dev", "--listen", "127.0.0.1:0", "--dir", dir], more].concat();
        let (started, _, said) = run(&arguments);
        assert!(!started);
        said
    };
    let plain = folder.path().join("plain");
    let mut kmipd = Kmipd::dev_in(&plain, &[]);
    let key = kmipd.kmip(Version::V2_1).create(vec![]);
    assert!(kmipd.terminate().success());
    let said = refused(&plain, &["--conformance"]);
    assert!(said.contains("was not made with interop = true"), "{said}");
    // And is as it was.
    let kmipd = Kmipd::dev_in(&plain, &[]);
    assert_eq!(kmipd.kmip(Version::V2_1).locate(vec![]), [key]);
    drop(kmipd);

    let emptied = folder.path().join("emptied");
    assert!(Kmipd::dev_in(&emptied, &["--conformance"]).terminate().success());
    let said = refused(&emptied, &[]);
    assert!(said.contains("was made with interop = true"), "{said}");
    assert!(Kmipd::dev_in(&emptied, &["--conformance"]).terminate().success());
}

#[test]
fn serve_refuses_what_can_be_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let config = served(folder.path(), "");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[store]\n", "[store]\ninterop = true\n")).unwrap();
    let (started, _, said) = run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!started && said.contains("interop = true lets every client empty the store"), "{said}");
}
