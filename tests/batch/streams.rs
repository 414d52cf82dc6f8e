//! Operations in parts of any length: they come to what comes of the whole, and cost no memory.

use std::fs;

use aws_lc_rs::{digest, hmac};
use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm, CryptographicUsageMask, HashingAlgorithm, Operation, PaddingMethod,
    Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters as Parameters, UniqueIdentifier};
use kmipd::ops;
use kmipd::ops::data::Data;

use crate::harness::kmip::{key_of, mask};
use crate::harness::{Kmip, Kmipd};

/// Bytes of a part.
const PART: usize = 64 * 1024;
/// Parts of each stream: with four of them at a time 256 MiB.
const PARTS: usize = 1024;
/// Parts after which the server has taken the memory that it needs for such messages.
const WARM: usize = 64;
/// The most that the rest may cost, in KiB.
const GROWTH: u64 = 1024;

/// The memory of a process that is no file's, in KiB: what the system keeps of the program itself comes and goes.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A stream that is under way, and what its next part says besides the data.
struct Stream {
    correlation: Option<Blob>,
}

impl Stream {
    const fn new() -> Self {
        Self { correlation: None }
    }

    fn first(&self) -> Option<bool> {
        self.correlation.is_none().then_some(true)
    }
}

fn encrypt(
    kmip: &mut Kmip,
    stream: &mut Stream,
    key: &Text,
    how: &Parameters,
    data: &[u8],
    last: bool,
) -> ops::encrypt::Response {
    let is_gcm = how.tag_length.is_some();
    let request = ops::encrypt::Request {
        unique_identifier: Some(UniqueIdentifier::Text(key.clone())),
        cryptographic_parameters: stream.first().map(|_| how.clone()),
        data: Some(Data::Bytes(Blob::copy_of(data))),
        iv_counter_nonce: stream.first().map(|_| Blob::copy_of(&[7; 16][..if is_gcm { 12 } else { 16 }])),
        correlation_value: stream.correlation.clone(),
        init_indicator: stream.first(),
        final_indicator: last.then_some(true),
        additional_data: None,
    };
    let answer: ops::encrypt::Response = kmip.ask(Operation::Encrypt, &request);
    stream.correlation = answer.correlation_value.clone();
    answer
}

#[test]
fn streams_of_any_length_cost_no_memory() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    let register = |kmip: &mut Kmip, algorithm, bytes: &[u8], uses| {
        let key = kmip.register(key_of(algorithm, bytes), vec![mask(uses)]);
        kmip.activate(&key);
        key
    };
    let uses = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
    let aes = register(&mut kmip, CryptographicAlgorithm::AES, &[3; 32], uses);
    let mac = register(&mut kmip, CryptographicAlgorithm::HMACSHA256, &[5; 32], CryptographicUsageMask::MAC_GENERATE);
    let cbc = Parameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        ..Parameters::default()
    };
    let gcm =
        Parameters { block_cipher_mode: Some(BlockCipherMode::GCM), tag_length: Some(16), ..Parameters::default() };
    let sha256 = Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..Parameters::default() };

    let (mut chained, mut sealed, mut coded, mut hashed) = (Stream::new(), Stream::new(), Stream::new(), Stream::new());
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut code = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &[5; 32]));
    let (mut of_chained, mut of_sealed, mut before) = (0, 0, 0);
    for number in 0..PARTS {
        if number == WARM {
            before = memory(kmipd.pid());
        }
        let last = number + 1 == PARTS;
        let data = vec![u8::try_from(number % 251).unwrap(); PART];
        of_chained += encrypt(&mut kmip, &mut chained, &aes, &cbc, &data, last).data.map_or(0, |data| data.len());
        let answer = encrypt(&mut kmip, &mut sealed, &aes, &gcm, &data, last);
        of_sealed += answer.data.map_or(0, |data| data.len());
        assert_eq!(answer.authenticated_encryption_tag.is_some(), last);
        let request = ops::mac::Request {
            unique_identifier: Some(UniqueIdentifier::Text(mac.clone())),
            cryptographic_parameters: None,
            data: Some(Data::Bytes(Blob::copy_of(&data))),
            correlation_value: coded.correlation.clone(),
            init_indicator: coded.first(),
            final_indicator: last.then_some(true),
        };
        let answer: ops::mac::Response = kmip.ask(Operation::MAC, &request);
        coded.correlation = answer.correlation_value;
        code.update(&data);
        if last {
            assert_eq!(answer.mac_data.as_deref(), Some(code.clone().sign().as_ref()));
        }
        let request = ops::hash::Request {
            cryptographic_parameters: sha256.clone(),
            data: Some(Data::Bytes(Blob::copy_of(&data))),
            correlation_value: hashed.correlation.clone(),
            init_indicator: hashed.first(),
            final_indicator: last.then_some(true),
        };
        let answer: ops::hash::Response = kmip.ask(Operation::Hash, &request);
        hashed.correlation = answer.correlation_value;
        digest.update(&data);
        if last {
            assert_eq!(answer.data.as_deref(), Some(digest.clone().finish().as_ref()));
        }
    }
    assert_eq!((of_chained, of_sealed), (PART * PARTS + 16, PART * PARTS));
    let grown = memory(kmipd.pid()).saturating_sub(before);
    assert!(grown < GROWTH, "{grown} KiB more after {} MiB", (4 * PART * PARTS) >> 20);
}
