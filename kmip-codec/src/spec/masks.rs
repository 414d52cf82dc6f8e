//! The bit masks (KMIP 2.1 §12, 1.4 §9.1.3.3).

use super::version::{last_version, version};
use super::{Tag, Version, xml_name};

/// A bit of a mask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaskBit {
    /// The one bit that is set.
    pub bit: u32,
    /// Its name as the standard spells it.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it; none while it stands.
    pub until: Option<Version>,
}

/// A mask known by the tag of its element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaskInfo {
    /// The tag whose integer is this mask.
    pub tag: Tag,
    /// The bits the standard names, lowest first.
    pub bits: &'static [MaskBit],
}

impl MaskInfo {
    /// The bit that XML and JSON write so, see [`xml_name`].
    pub fn from_xml_name(&self, name: &str) -> Option<u32> {
        self.bits.iter().find(|bit| xml_name(bit.name) == name).map(|bit| bit.bit)
    }

    /// The bits that some version of the standard names, all together.
    pub fn named(&self) -> u32 {
        self.bits.iter().fold(0, |mask, bit| mask | bit.bit)
    }

    /// The bits that this version of the standard names, all together.
    pub fn named_in(&self, version: Version) -> u32 {
        let known = self.bits.iter().filter(|bit| version.within(bit.since, bit.until));
        known.fold(0, |mask, bit| mask | bit.bit)
    }
}

/// The mask that the integer of that tag is.
pub fn mask_of(tag: Tag) -> Option<&'static MaskInfo> {
    MASKS.iter().find(|info| info.tag == tag)
}

/// Types and the list of their bits, from one row a bit.
macro_rules! masks {
    ($(
        $(#[$doc:meta])+
        $type:ident {
            $($ident:ident = $bit:literal $name:literal since $since:tt $(until $until:tt)?,)*
        }
    )*) => {
        $(
            bitflags::bitflags! {
                $(#[$doc])+
                ///
                /// Bits that the standard does not name are kept.
                #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
                pub struct $type: u32 {
                    $(#[doc = $name] const $ident = $bit;)*
                    // Unnamed bits belong to the type, so that set operations keep them.
                    const _ = !0;
                }
            }

            impl From<i32> for $type {
                /// The mask of an Integer on the wire; every bit is kept.
                fn from(value: i32) -> Self {
                    Self::from_bits_retain(value.cast_unsigned())
                }
            }

            impl From<$type> for i32 {
                /// The mask as an Integer of the wire.
                fn from(mask: $type) -> Self {
                    mask.bits().cast_signed()
                }
            }
        )*

        static MASKS: &[MaskInfo] = &[$(MaskInfo {
            tag: Tag::$type,
            bits: &[$(MaskBit {
                bit: $bit,
                name: $name,
                since: version!($since),
                until: last_version!($($until)?),
            }),*],
        }),*];
    };
}

masks! {
    /// What a key may be used for (KMIP 2.1 §12.1).
    CryptographicUsageMask {
        SIGN = 0x00000001 "Sign" since 1.0,
        VERIFY = 0x00000002 "Verify" since 1.0,
        ENCRYPT = 0x00000004 "Encrypt" since 1.0,
        DECRYPT = 0x00000008 "Decrypt" since 1.0,
        WRAP_KEY = 0x00000010 "Wrap Key" since 1.0,
        UNWRAP_KEY = 0x00000020 "Unwrap Key" since 1.0,
        EXPORT = 0x00000040 "Export" since 1.0 until 1.4,
        MAC_GENERATE = 0x00000080 "MAC Generate" since 1.0,
        MAC_VERIFY = 0x00000100 "MAC Verify" since 1.0,
        DERIVE_KEY = 0x00000200 "Derive Key" since 1.0,
        // Some messages of 2.x still use the bit, which 2.0 reserves.
        CONTENT_COMMITMENT_NON_REPUDIATION = 0x00000400 "Content Commitment (Non Repudiation)" since 1.0 until 1.4,
        KEY_AGREEMENT = 0x00000800 "Key Agreement" since 1.0,
        CERTIFICATE_SIGN = 0x00001000 "Certificate Sign" since 1.0,
        CRL_SIGN = 0x00002000 "CRL Sign" since 1.0,
        GENERATE_CRYPTOGRAM = 0x00004000 "Generate Cryptogram" since 1.0 until 1.4,
        VALIDATE_CRYPTOGRAM = 0x00008000 "Validate Cryptogram" since 1.0 until 1.4,
        TRANSLATE_ENCRYPT = 0x00010000 "Translate Encrypt" since 1.0 until 1.4,
        TRANSLATE_DECRYPT = 0x00020000 "Translate Decrypt" since 1.0 until 1.4,
        TRANSLATE_WRAP = 0x00040000 "Translate Wrap" since 1.0 until 1.4,
        TRANSLATE_UNWRAP = 0x00080000 "Translate Unwrap" since 1.0 until 1.4,
        AUTHENTICATE = 0x00100000 "Authenticate" since 2.0,
        UNRESTRICTED = 0x00200000 "Unrestricted" since 2.0,
        FPE_ENCRYPT = 0x00400000 "FPE Encrypt" since 2.0,
        FPE_DECRYPT = 0x00800000 "FPE Decrypt" since 2.0,
    }

    /// Where an object is or may be kept (KMIP 2.1 §12.2).
    ProtectionStorageMask {
        SOFTWARE = 0x00000001 "Software" since 2.0,
        HARDWARE = 0x00000002 "Hardware" since 2.0,
        ON_PROCESSOR = 0x00000004 "On Processor" since 2.0,
        ON_SYSTEM = 0x00000008 "On System" since 2.0,
        OFF_SYSTEM = 0x00000010 "Off System" since 2.0,
        HYPERVISOR = 0x00000020 "Hypervisor" since 2.0,
        OPERATING_SYSTEM = 0x00000040 "Operating System" since 2.0,
        CONTAINER = 0x00000080 "Container" since 2.0,
        ON_PREMISES = 0x00000100 "On Premises" since 2.0,
        OFF_PREMISES = 0x00000200 "Off Premises" since 2.0,
        SELF_MANAGED = 0x00000400 "Self Managed" since 2.0,
        OUTSOURCED = 0x00000800 "Outsourced" since 2.0,
        VALIDATED = 0x00001000 "Validated" since 2.0,
        SAME_JURISDICTION = 0x00002000 "Same Jurisdiction" since 2.0,
    }

    /// Which objects Locate looks at (KMIP 2.1 §12.3).
    StorageStatusMask {
        ON_LINE_STORAGE = 0x00000001 "On-line storage" since 1.0,
        ARCHIVAL_STORAGE = 0x00000002 "Archival storage" since 1.0,
        DESTROYED_STORAGE = 0x00000004 "Destroyed storage" since 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_single_sorted_and_named_once() {
        for info in MASKS {
            assert!(info.bits.is_sorted_by(|a, b| a.bit < b.bit));
            for bit in info.bits {
                assert_eq!(bit.bit.count_ones(), 1, "{}", bit.name);
                assert_eq!(info.from_xml_name(&xml_name(bit.name)), Some(bit.bit), "{}", bit.name);
                assert!(bit.until.is_none_or(|until| bit.since <= until));
            }
        }
    }

    #[test]
    fn bits_from_the_text() {
        assert_eq!(CryptographicUsageMask::SIGN.bits(), 0x1);
        assert_eq!(CryptographicUsageMask::ENCRYPT.bits(), 0x4);
        assert_eq!(CryptographicUsageMask::UNWRAP_KEY.bits(), 0x20);
        assert_eq!(CryptographicUsageMask::DERIVE_KEY.bits(), 0x200);
        assert_eq!(CryptographicUsageMask::FPE_DECRYPT.bits(), 0x80_0000);
        assert_eq!(ProtectionStorageMask::SAME_JURISDICTION.bits(), 0x2000);
        assert_eq!(StorageStatusMask::DESTROYED_STORAGE.bits(), 0x4);
    }

    #[test]
    fn a_version_names_some_of_the_bits() {
        let usage = mask_of(Tag::CryptographicUsageMask).unwrap();
        assert_eq!(usage.named_in(Version::V1_4), 0x000F_FFFF);
        assert_eq!(usage.named_in(Version::V2_1), 0x00F0_3BBF);
        assert_eq!(usage.named(), 0x00FF_FFFF);
        assert_eq!(mask_of(Tag::StorageStatusMask).unwrap().named_in(Version::V1_0), 0x3);
        assert_eq!(mask_of(Tag::ActivationDate), None);
    }

    #[test]
    fn unknown_bits_survive() {
        let mask = CryptographicUsageMask::from(i32::MIN | 0xC);
        assert!(mask.contains(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT));
        assert_eq!(i32::from(mask), i32::MIN | 0xC);
        assert_eq!(i32::from(!mask), !(i32::MIN | 0xC));
    }
}
