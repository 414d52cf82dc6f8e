//! A request that is read writes back to one that reads the same; whatever is refused is refused without a panic.
#![no_main]

use bytes::Bytes;
use kmip_codec::message::RequestMessage;
use kmip_codec::ttlv::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    match RequestMessage::read(&Bytes::copy_from_slice(data), &limits) {
        Ok(message) => {
            let again = RequestMessage::read(&message.write().into(), &limits);
            assert_eq!(again.as_ref(), Ok(&message));
        }
        Err(unreadable) => assert!(unreadable.error.offset <= data.len(), "{}", unreadable.error),
    }
});
