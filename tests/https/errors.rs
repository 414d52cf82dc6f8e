//! What is no message: paths, methods, types, sizes, slow clients and strangers.

use std::fs;

use kmip_codec::spec::Version;
use kmipd_certs::Authority;

use crate::harness::web::{Web, address, client};
use crate::harness::{Client, Kmipd, message, served};

const BINARY: &str = "application/octet-stream";

#[test]
fn each_mistake_has_its_status_and_keeps_the_connection() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut web = Web::of(&kmipd);
    let request = |line: &str, fields: &str| format!("{line} HTTP/1.1\r\nHost: kmipd\r\n{fields}\r\n");
    let none = "Content-Length: 0\r\n";
    for (line, fields, status) in [
        ("POST /", "Content-Type: text/xml\r\nContent-Length: 0\r\n", 404),
        ("POST /kmip/", "Content-Type: text/xml\r\nContent-Length: 0\r\n", 404),
        ("GET /", none, 404),
        ("GET /kmip", none, 405),
        ("PUT /kmip", none, 405),
        ("OPTIONS /kmip", none, 405),
        ("POST /kmip", none, 415),
        ("POST /kmip", "Content-Type: text/plain\r\nContent-Length: 0\r\n", 415),
        ("POST /kmip", "Content-Type: text/xml; charset=utf-16\r\nContent-Length: 0\r\n", 415),
        ("POST /kmip", "Content-Type: text/xml\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n", 415),
    ] {
        let reply = web.ask(&request(line, fields));
        assert_eq!(reply.status, status, "{line} {fields}");
        assert_eq!(reply.field("allow").is_some(), status == 405, "{line}");
    }
    // It is still good.
    let reply = web.post(BINARY, &message());
    assert_eq!(reply.status, 200);
    // A body in chunks is a body.
    let body = message();
    web.send(
        &request("POST /kmip", "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n").into_bytes(),
    );
    for piece in body.chunks(40) {
        web.send(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    }
    web.send(b"0\r\n\r\n");
    let chunked = web.receive();
    assert_eq!((chunked.status, chunked.body.len()), (200, reply.body.len()));
    // No HTTP at all.
    web.send(&body);
    assert_eq!(web.receive().status, 400);
    web.0.end().unwrap();
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("dev");
    let mut kmipd = Kmipd::dev_in(&dir, &["--conformance"]);
    assert!(kmipd.terminate().success());
    let file = dir.join("kmipd.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[limits]\nrequest_bytes = 2000\n")).unwrap();
    kmipd.restart();
    let head = "POST /kmip HTTP/1.1\r\nHost: kmipd\r\nContent-Type: application/octet-stream\r\n";
    let mut web = Web::of(&kmipd);
    assert_eq!(web.ask(&format!("{head}Content-Length: 2001\r\n\r\n")).status, 413);
    let mut web = Web::of(&kmipd);
    web.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n").as_bytes());
    web.send(&[&[0x42; 2000][..], b"\r\n1\r\n"].concat());
    web.send(b"\x42\r\n");
    assert_eq!(web.receive().status, 413);
    let mut web = Web::of(&kmipd);
    assert_eq!(web.post(BINARY, &[0x42; 2000]).status, 200);
    // A head without an end.
    let mut web = Web::of(&kmipd);
    web.send(format!("GET /kmip HTTP/1.1\r\nX: {}\r\n", "x".repeat(100_000)).as_bytes());
    assert_eq!(web.receive().status, 431);
}

#[test]
fn a_slow_request_ends_the_connection_and_an_idle_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("dev");
    let mut kmipd = Kmipd::dev_in(&dir, &["--conformance"]);
    assert!(kmipd.terminate().success());
    let file = dir.join("kmipd.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[limits]\nrequest_seconds = 1\n")).unwrap();
    kmipd.restart();
    let (mut silent, mut asked) = (Web::of(&kmipd), Web::of(&kmipd));
    assert_eq!(asked.post(BINARY, &message()).status, 200);
    let (mut head, mut body) = (Web::of(&kmipd), Web::of(&kmipd));
    head.send(b"POST /kmip HT");
    body.send(b"POST /kmip HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 10\r\n\r\n\x42");
    // The end comes from the server; how soon is its affair.
    for mut slow in [head, body] {
        assert!(slow.0.end().is_ok() || slow.0.end().is_err());
    }
    kmipd.wait_for("a request was not complete in time");
    assert_eq!(silent.post(BINARY, &message()).status, 200);
    assert_eq!(asked.post(BINARY, &message()).status, 200);
}

#[test]
fn a_stranger_is_not_let_in() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let ca = fs::read_to_string(kmipd.dir.join("ca.pem")).unwrap();
    let stranger = Authority::new().unwrap().issue_client("client").unwrap();
    for own in [None, Some((&*stranger.cert_pem, stranger.key_pem.as_str()))] {
        let client = Client::new(address(&kmipd), &ca, own);
        // In TLS 1.3 a refused client learns it when it reads.
        let refused = client.connect().and_then(|wire| {
            let mut wire = wire;
            wire.send(b"GET / HTTP/1.1\r\n\r\n")?;
            wire.receive()
        });
        assert!(refused.is_err());
    }
    assert_eq!(Web::of(&kmipd).post(BINARY, &message()).status, 200);
}

#[test]
fn a_client_that_is_refused_from_now_on_gets_no_further_answer() {
    let folder = tempfile::tempdir().unwrap();
    let config = served(folder.path(), "[https]\naddress = \"127.0.0.1:0\"\n");
    let kmipd = Kmipd::serve(&config);
    let mut web = Web(client(&kmipd).connect().unwrap());
    assert_eq!(web.post(BINARY, &message()).status, 200);
    let fingerprint = crate::harness::openssl(folder.path(), "x509 -in client.pem -noout -fingerprint -sha256");
    let fingerprint = fingerprint.trim().split('=').nth(1).unwrap().to_owned();
    fs::write(folder.path().join("revoked.txt"), format!("sha256 {fingerprint}\n")).unwrap();
    kmipd.signal(crate::harness::Signal::HUP);
    kmipd.wait_for("certificates and trust");
    web.send(
        &[
            b"POST /kmip HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 96\r\n\r\n",
            &message()[..],
        ]
        .concat(),
    );
    assert!(web.0.end().is_ok() || web.0.end().is_err());
    kmipd.wait_for("not accepted any more");
}

#[test]
fn it_is_served_only_where_the_configuration_says() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = Kmipd::serve(&served(folder.path(), ""));
    kmipd.kmip(Version::V2_1).create(vec![]);
    assert!(!kmipd.log().contains("HTTPS"));
}

#[test]
fn a_stop_ends_idle_connections_at_once() {
    let mut kmipd = Kmipd::dev_with(&["--conformance"]);
    let (mut fresh, mut used) = (Web::of(&kmipd), Web::of(&kmipd));
    assert_eq!(used.post(BINARY, &message()).status, 200);
    assert!(kmipd.terminate().success());
    assert!(!kmipd.log().contains("did not finish in time"), "{}", kmipd.log());
    fresh.0.end().unwrap();
    used.0.end().unwrap();
}
