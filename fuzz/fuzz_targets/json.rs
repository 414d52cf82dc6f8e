//! JSON that is read is written to JSON that reads the same.
#![no_main]

use kmip_codec::text::json::{read, write};
use kmip_codec::ttlv::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let limits = Limits::default();
    if let Ok(element) = read(data, &limits)
        && let Ok(json) = write(&element)
    {
        assert_eq!(read(&json, &limits), Ok(element));
    }
});
