//! XML that is read is written to XML that reads the same, unless it holds a character that XML does not have.
#![no_main]

use kmip_codec::text::xml::{read, write};
use kmip_codec::ttlv::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let limits = Limits::default();
    if let Ok(element) = read(data, &limits)
        && let Ok(xml) = write(&element)
    {
        assert_eq!(read(&xml, &limits), Ok(element));
    }
});
