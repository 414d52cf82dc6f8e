//! The parameters of PKCS #11 functions are read or refused without a panic. The first byte says as what: a template, a mechanism
//! (whose parameter is then read as that of the mechanism), a byte string, or the room for an answer.
#![no_main]

use std::sync::LazyLock;

use kmipd::crypto::permits::{Permits, Preset};
use kmipd::ops::pkcs11::codec::Reader;
use kmipd::ops::pkcs11::mechanisms::usable;
use kmipd::ops::pkcs11::template::Template;
use kmipd::view::Settings;
use libfuzzer_sys::fuzz_target;

/// Everything is permitted, so that every mechanism is there.
static SETTINGS: LazyLock<Settings> =
    LazyLock::new(|| Settings { permits: Permits::preset(Preset::Legacy), ..Settings::default() });

fuzz_target!(|data: &[u8]| {
    let Some((&kind, input)) = data.split_first() else { return };
    match kind {
        0 => {
            if let Ok(entries) = Reader::new(input).whole(Reader::template)
                && let Ok(template) = Template::new(entries)
            {
                let _ = template.algorithm().is_ok();
                let _ = template.label().is_ok();
                let _ = template.is_lasting();
            }
        }
        1 => {
            if let Ok(mechanism) = Reader::new(input).whole(Reader::mechanism)
                && let Ok(row) = usable(mechanism.id, u64::MAX, &SETTINGS)
            {
                let _ = row.prepare(&mechanism).is_ok();
            }
        }
        2 => {
            if let Ok(bytes) = Reader::new(input).whole(Reader::bytes) {
                assert_eq!(bytes.len() + 4, input.len());
            }
        }
        _ => {
            let _ = Reader::new(input).whole(Reader::room);
        }
    }
});
