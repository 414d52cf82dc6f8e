//! A container of PKCS#12 is read or refused without a panic, and without hashing its password for ever. What opens has a key.
#![no_main]

use kmipd::crypto::pkcs12;
use kmipd::secret::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let password = Secret::copy_of(b"password");
    if let Ok(contents) = pkcs12::read(data, &password, None) {
        assert!(!contents.pkcs8.expose().is_empty());
        if let Some(name) = &contents.name {
            assert!(pkcs12::read(data, &password, Some(name)).is_ok());
        }
    }
});
