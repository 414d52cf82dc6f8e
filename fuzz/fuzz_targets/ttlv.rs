//! What parses as one element writes back to the same bytes, and nothing makes the parser panic.
#![no_main]

use bytes::Bytes;
use kmip_codec::ttlv::{Limits, parse, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let frame = Bytes::copy_from_slice(data);
    if let Ok(element) = parse(&frame, &Limits::default()) {
        assert_eq!(write(&element), data);
    }
});
