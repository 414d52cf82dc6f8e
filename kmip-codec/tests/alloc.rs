//! Parsing takes memory for what arrived, never for what a length promises. One test: the counters are the process's.

use std::alloc::System;

use bytes::Bytes;
use kmip_codec::ttlv::{Limits, frame, parse, write};
use kmip_codec::{Element, Value, spec::Tag};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that a parse asked the allocator for, those of grown vectors counted anew each time.
fn allocated(frame: &Bytes) -> usize {
    let region = Region::new(ALLOCATOR);
    let result = parse(frame, &Limits::default());
    let bytes = region.change().bytes_allocated;
    drop(result);
    bytes
}

#[test]
fn memory_is_in_proportion_to_what_arrived() {
    // A length of 4 GiB, at the outside and within.
    for kind in 1..=11 {
        let promise = [0x42, 0, 0x20, kind, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
        let outside = Bytes::copy_from_slice(&promise);
        let inside = Bytes::from([&[0x42, 0, 0x20, 1, 0, 0, 0, 16][..], &promise].concat());
        for frame in [outside, inside] {
            let bytes = allocated(&frame);
            assert!(bytes < 256, "{bytes} bytes for type {kind}");
        }
    }

    // A leaf is a slice of the frame, however long it is.
    let leaf = |value| Bytes::from(write(&Element::new(Tag::Data, value)));
    for frame in [
        leaf(Value::ByteString(kmip_codec::ttlv::Blob::new(vec![7; 1 << 20]))),
        leaf(Value::BigInteger(kmip_codec::ttlv::Blob::new(vec![7; 1 << 20]))),
        leaf(Value::TextString("x".repeat(1 << 20).into())),
    ] {
        let bytes = allocated(&frame);
        assert!(bytes < 256, "{bytes} bytes for a leaf of a mebibyte");
    }

    // The worst shapes: nothing but empty structures, side by side and each in one of its own.
    let empty = || Element::new(Tag::Data, Value::Structure(Vec::new()));
    let single = || Element::new(Tag::Data, Value::Structure(vec![empty()]));
    let items = Limits::default().items;
    for elements in [vec![empty(); items / 2], vec![single(); items / 3]] {
        let frame = frame::protect(write(&Element::new(Tag::Data, Value::Structure(elements))));
        let bytes = allocated(&frame);
        assert!(bytes <= 32 * frame.len(), "{bytes} bytes for a frame of {}", frame.len());
    }

    // Too many items: what is beyond the limit takes nothing.
    let frame = Bytes::from(write(&Element::new(Tag::Data, Value::Structure(vec![empty(); items * 2]))));
    let bytes = allocated(&frame);
    assert!(bytes <= 16 * frame.len(), "{bytes} bytes for a frame of {}", frame.len());
}
