//! Attributes that one version reads are written by every version to something that it reads itself, and by their own
//! version without loss. The first byte chooses the version.
#![no_main]

use bytes::Bytes;
use kmip_codec::dialect::{attributes_tag, read_attributes, write_attributes};
use kmip_codec::spec::{Tag, Version};
use kmip_codec::ttlv::{Limits, Writer, parse};
use kmip_codec::types::Attributes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&place, data)) = data.split_first() else { return };
    let Some(&version) = Version::ALL.get(usize::from(place)) else { return };
    let Ok(element) = parse(&Bytes::copy_from_slice(data), &Limits::default()) else { return };
    let Ok(attributes) = read_attributes(element, version) else { return };
    for &other in Version::ALL {
        let binary = write(&attributes, other);
        let again = read(&binary, other);
        assert_eq!(write(&again, other), binary, "{version} to {other}");
        if other == version {
            assert_eq!(again.list.len(), attributes.list.len(), "{version}");
            assert!(again.list.iter().zip(&attributes.list).all(|(a, b)| (a.tag, &a.value) == (b.tag, &b.value)));
            assert_eq!(again.templates, attributes.templates);
        }
    }
});

fn write(attributes: &Attributes, version: Version) -> Vec<u8> {
    let mut writer = Writer::new(version);
    write_attributes(attributes, attributes_tag(Tag::Attributes, version), &mut writer);
    writer.finish()
}

/// An empty Template-Attribute is not written at all.
fn read(binary: &[u8], version: Version) -> Attributes {
    if binary.is_empty() {
        return Attributes::default();
    }
    let element = parse(&Bytes::copy_from_slice(binary), &Limits::default());
    element.and_then(|element| read_attributes(element, version)).expect("what was written is read")
}
