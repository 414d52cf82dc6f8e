//! Every operation, and every kind of wrong answer.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use clap::Parser;
use kmip_bench::connection::Target;
use kmip_bench::keys;
use kmip_bench::limit;
use kmip_bench::options::{Algorithm, Asked, Options};
use kmip_bench::report::Report;
use kmip_bench::request::Form;
use kmip_bench::run::run;
use kmip_bench::task::{Faults, Sample};
use kmip_bench::tls::{self, Files};
use kmip_bench::verify::Subject;
use kmip_codec::spec::Version;

use super::harness::{Kmipd, served};

/// The command line, for certificates in this folder.
fn options(folder: &Path, address: SocketAddr, words: &str) -> Options {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let files = format!("--ca {} --cert {} --key {}", file("ca.pem"), file("client.pem"), file("client.key"));
    let line =
        format!("kmip-bench --address {address} {files} --seconds 0.2 --warmup 0 --connections 2 --keys 4 {words}");
    Options::parse_from(line.split_whitespace())
}

fn bench(kmipd: &Kmipd, words: &str) -> Report {
    run(&options(&kmipd.dir, kmipd.address, words)).unwrap_or_else(|error| panic!("{words}: {error}"))
}

#[test]
fn every_operation_is_measured_and_right() {
    let kmipd = Kmipd::dev();
    for words in [
        "discover-versions",
        "get",
        "get --version 1.0",
        "get --algorithm aes --bits 128 --pipeline 4",
        "get-attributes --version 1.2",
        "get-attributes --batch 3",
        "locate",
        "locate --version 1.4 --pipeline 2 --batch 2",
        "create",
        "create --version 1.1 --batch 5",
        "register",
        "create-key-pair --version 1.3",
        "lifecycle",
        "lifecycle --version 1.2",
        "encrypt",
        "encrypt --version 1.4 --size 16 --pipeline 3 --batch 2",
        "decrypt --version 2.0",
        "sign",
        "sign --algorithm rsa --keys 1 --version 1.4",
        "mac",
        "handshake",
        "handshake-resumed",
        "handshake-resumed --tls 1.2",
        "get --idle 5",
        "get --background create",
    ] {
        let Report { errors, told, measured, verified, operation, .. } = bench(&kmipd, words);
        assert_eq!((errors, told), (0, vec![]), "{words}");
        assert!(measured.operations > 0 && measured.times.count() > 0 && measured.answer_bytes > 0, "{words}");
        let is_verified = ["create", "create-key-pair", "register", "encrypt", "sign"].contains(&operation.as_str());
        assert_eq!(verified > 0, is_verified, "{words}");
    }
}

#[test]
fn a_prefix_is_filled_once_and_asked_later() {
    let kmipd = Kmipd::dev();
    let made = bench(&kmipd, "populate --prefix p --keys 30 --fill-batch 7");
    assert_eq!((made.errors, made.measured.operations), (0, 30));
    for words in ["get --prefix p --keys 30 --keys-asked 6", "locate --prefix p --keys 30"] {
        assert_eq!(bench(&kmipd, words).errors, 0, "{words}");
    }
    let beyond = run(&options(&kmipd.dir, kmipd.address, "get --prefix p --keys 31"));
    assert!(beyond.unwrap_err().to_string().contains("populate"));
}

#[test]
fn the_process_of_the_server_is_measured() {
    let kmipd = Kmipd::dev();
    let report = bench(&kmipd, &format!("encrypt --pid {}", kmipd.pid()));
    assert!(report.cpu().unwrap() > 0.0);
    assert!(report.memory.unwrap().resident > 1 << 20);
    let json = report.json();
    assert!(json["cpu_us"].as_f64().unwrap() > 0.0 && json["rate"].as_f64().unwrap() > 0.0, "{json}");
}

/// A limit with the certificates of this folder; it lives as long as the test.
fn limited(folder: &Path, answer: usize) -> SocketAddr {
    let file = |name: &str| folder.join(name);
    let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let config = tls::server(Files { ca: &ca, certificate: &certificate, key: &key }).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            limit::serve(listener, config, limit::answer(answer)).await
        })
    });
    address
}

#[test]
fn a_server_that_answers_nonsense_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    served(folder.path(), "");
    assert!(fs::exists(folder.path().join("client.key")).unwrap());
    let address = limited(folder.path(), 352);
    let asked = |words: &str| run(&options(folder.path(), address, words));
    for raw in ["raw", "raw-handshake", "raw-handshake-resumed"] {
        let right = asked(&format!("{raw} --answer-bytes 352")).unwrap();
        assert_eq!((right.errors, right.measured.answer_bytes), (0, 352), "{raw}");
        assert!(right.measured.operations > 0, "{raw}");
        let wrong = asked(&format!("{raw} --answer-bytes 360")).unwrap();
        assert!(wrong.errors >= wrong.measured.operations && wrong.errors > 0, "{raw}");
    }
    // Without a first right answer there is nothing to compare with.
    for words in ["discover-versions", "get", "handshake"] {
        assert!(asked(words).is_err(), "{words}");
    }
    // What makes new things compares with nothing before.
    for words in ["create", "lifecycle", "create-key-pair --batch 2"] {
        let wrong = asked(words).unwrap();
        assert!(wrong.errors >= wrong.measured.operations && wrong.errors > 0, "{words}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn wrong_cryptography_is_found_out_after_the_run() {
    let kmipd = Kmipd::dev();
    let data = [7; 64];
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            for (asked, algorithm) in [(Asked::Encrypt, Algorithm::Aes), (Asked::Sign, Algorithm::Ec)] {
                let options = Options { operation: asked, ..options(&kmipd.dir, kmipd.address, "get") };
                let target = Target::new(&options, false).unwrap();
                let prefix = format!("{algorithm:?}");
                let keys = keys::make(&target, &options, &prefix, &[0]).await.unwrap();
                let form = Form { version: Version::V2_1, several: false };
                let subject = Subject { keys: &keys, algorithm, prefix: &prefix, data: &data, form };
                let mut connection = target.connect().await.unwrap();
                let mut wrong = vec![Sample::Made { id: "nothing".to_owned() }];
                match asked {
                    Asked::Encrypt => {
                        let id = keys[0].id.clone();
                        wrong.push(Sample::Located { number: 1, id: id.clone() });
                        let (nonce, tag) = (vec![0; 12], vec![0; 16]);
                        wrong.push(Sample::Encrypted { key: 0, nonce, data: vec![0; 64], tag });
                        let right = [Sample::Made { id: id.clone() }, Sample::Located { number: 0, id }];
                        let faults = Faults::default();
                        subject.verify(&mut connection, &right, &faults).await.unwrap();
                        assert_eq!(faults.count.get(), 0);
                    }
                    _ => wrong.push(Sample::Signed { key: 0, signature: vec![1; 64] }),
                }
                let faults = Faults::default();
                assert_eq!(subject.verify(&mut connection, &wrong, &faults).await.unwrap(), wrong.len() as u64);
                assert_eq!(faults.count.get(), wrong.len() as u64, "{:?}", faults.told);
            }
        })
        .await;
}
