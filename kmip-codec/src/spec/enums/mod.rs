//! The enumerations (KMIP 2.1 §11, 1.4 §9.1.3.2).
//!
//! Each is a number that keeps any value the wire brings, with constants for the values the standard names. What a version
//! knows is asked with `known_in`; a value that only an older version names stays in the table with its last version.

mod cryptography;
mod message;
mod object;
mod pkcs11;
mod profile;

use super::{Tag, Version, xml_name};

pub use cryptography::*;
pub use message::*;
pub use object::*;
pub use pkcs11::*;
pub use profile::*;

/// A row of an enumeration's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnumValue {
    /// The value on the wire.
    pub value: u32,
    /// Its name as the newest version spells it.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it, deprecated or not; none while it stands.
    pub until: Option<Version>,
}

/// An enumeration whose type is known when compiling.
pub trait Enumeration: Copy + From<u32> + Into<u32> + 'static {
    /// The name of the enumeration.
    const NAME: &'static str;
    /// The tag whose values these are; others may share the enumeration, see [`EnumInfo::also`].
    const TAG: Tag;
    /// The values the standard names, in their order.
    const TABLE: &'static [EnumValue];

    /// Whether a message of that version may hold the value: the version names it, or it is an extension.
    fn allowed_in(self, version: Version) -> bool {
        allowed(Self::TABLE, self.into(), version)
    }
}

/// An enumeration known by the tag of its element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnumInfo {
    /// The tag of the enumeration.
    pub tag: Tag,
    /// Other tags with the same values.
    pub also: &'static [Tag],
    /// The name of the enumeration.
    pub name: &'static str,
    /// The values the standard names, in their order.
    pub values: &'static [EnumValue],
}

impl EnumInfo {
    /// The row of a value, if the standard names it in any version.
    pub fn find(&self, value: u32) -> Option<&'static EnumValue> {
        find(self.values, value)
    }

    /// Whether a message of that version may hold the value: the version names it, or it is an extension.
    pub fn allows(&self, value: u32, version: Version) -> bool {
        allowed(self.values, value, version)
    }

    /// The value that the standard spells so, to the letter.
    pub fn from_name(&self, name: &str) -> Option<u32> {
        self.values.iter().find(|row| row.name == name).map(|row| row.value)
    }

    /// The value that XML and JSON write so, see [`xml_name`].
    pub fn from_xml_name(&self, name: &str) -> Option<u32> {
        self.values.iter().find(|row| xml_name(row.name) == name).map(|row| row.value)
    }
}

/// The enumeration whose values an element of that tag holds.
///
/// Some of these elements are an enumeration among other types, as Unique Identifier and Data are from 2.0 on.
pub fn enumeration_of(tag: Tag) -> Option<&'static EnumInfo> {
    all_enumerations().find(|info| info.tag == tag || info.also.contains(&tag))
}

/// Every enumeration of the standard.
pub fn all_enumerations() -> impl Iterator<Item = &'static EnumInfo> {
    [message::INFOS, object::INFOS, cryptography::INFOS, profile::INFOS, pkcs11::INFOS, TAG_INFOS].into_iter().flatten()
}

/// Tags as values: the one enumeration whose rows stand elsewhere.
static TAG_INFOS: &[EnumInfo] =
    &[EnumInfo { tag: Tag::AttributeReference, also: &[], name: Tag::NAME, values: <Tag as Enumeration>::TABLE }];

/// Whether a value of an enumeration is an extension (8XXXXXXX), whose meaning is between the peers.
pub const fn is_extension_value(value: u32) -> bool {
    value >> 28 == 8
}

fn allowed(table: &'static [EnumValue], value: u32, version: Version) -> bool {
    is_extension_value(value) || find(table, value).is_some_and(|row| version.within(row.since, row.until))
}

fn find(table: &'static [EnumValue], value: u32) -> Option<&'static EnumValue> {
    let row = table.binary_search_by_key(&value, |row| row.value).ok()?;
    table.get(row)
}

/// Types, tables and the list of both for some enumerations, from one row a value.
macro_rules! enumerations {
    ($(
        $(#[$doc:meta])+
        $type:ident $title:literal = $tag:ident $(also [$($also:ident),*])? {
            $($ident:ident = $value:literal $name:literal since $since:tt $(until $until:tt)?,)*
        }
    )*) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $type(pub u32);

            #[allow(non_upper_case_globals, reason = "the standard's spelling")]
            impl $type {
                $(#[doc = $name] pub const $ident: Self = Self($value);)*
            }

            impl $type {
                /// The name of the value as the newest version spells it.
                pub fn name(self) -> Option<&'static str> {
                    super::find(<Self as super::Enumeration>::TABLE, self.0).map(|row| row.name)
                }

                /// The value that the standard spells so, to the letter.
                pub fn from_name(name: &str) -> Option<Self> {
                    <Self as super::Enumeration>::TABLE.iter().find(|row| row.name == name).map(|row| Self(row.value))
                }

                /// Whether that version of the standard has the value.
                pub fn known_in(self, version: $crate::spec::Version) -> bool {
                    super::find(<Self as super::Enumeration>::TABLE, self.0)
                        .is_some_and(|row| version.within(row.since, row.until))
                }

                /// Whether the value is an extension (8XXXXXXX), whose meaning is between the peers.
                pub const fn is_extension(self) -> bool {
                    super::is_extension_value(self.0)
                }
            }

            impl super::Enumeration for $type {
                const NAME: &'static str = $title;
                const TAG: $crate::spec::Tag = $crate::spec::Tag::$tag;
                const TABLE: &'static [super::EnumValue] = &[$(super::EnumValue {
                    value: $value,
                    name: $name,
                    since: $crate::spec::version::version!($since),
                    until: $crate::spec::version::last_version!($($until)?),
                }),*];
            }

            impl From<u32> for $type {
                fn from(value: u32) -> Self {
                    Self(value)
                }
            }

            impl From<$type> for u32 {
                fn from(value: $type) -> Self {
                    value.0
                }
            }

            impl std::fmt::Display for $type {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    match self.name() {
                        Some(name) => f.write_str(name),
                        None => write!(f, "{:#010x}", self.0),
                    }
                }
            }

            impl std::fmt::Debug for $type {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    std::fmt::Display::fmt(self, f)
                }
            }
        )*

        pub(super) static INFOS: &[super::EnumInfo] = &[$(super::EnumInfo {
            tag: $crate::spec::Tag::$tag,
            also: &[$($($crate::spec::Tag::$also),*)?],
            name: $title,
            values: <$type as super::Enumeration>::TABLE,
        }),*];
    };
}

use enumerations;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rows_are_sorted_and_named_once() {
        let mut tags = HashSet::new();
        for info in all_enumerations() {
            assert!(tags.insert(info.tag), "{}", info.name);
            assert!(info.also.iter().all(|&tag| tags.insert(tag)), "{}", info.name);
            assert!(info.values.is_sorted_by(|a, b| a.value < b.value), "{}", info.name);
            for row in info.values {
                assert_eq!(info.from_name(row.name), Some(row.value), "{} {}", info.name, row.name);
                assert_eq!(info.from_xml_name(&xml_name(row.name)), Some(row.value), "{} {}", info.name, row.name);
                assert!(row.until.is_none_or(|until| row.since <= until), "{} {}", info.name, row.name);
                assert!(!is_extension_value(row.value));
            }
        }
    }

    #[test]
    fn values_and_versions_from_the_text() {
        fn check<E: Enumeration>(value: u32, name: &str, since: Version, until: Option<Version>) {
            let row = find(E::TABLE, value).unwrap();
            assert_eq!((row.name, row.since, row.until), (name, since, until), "{} {value:#x}", E::NAME);
        }
        check::<ResultReason>(0x01, "Item Not Found", Version::V1_0, None);
        check::<ResultReason>(0x0E, "Index Out of Bounds", Version::V1_0, Some(Version::V1_4));
        check::<ResultReason>(0x16, "Sensitive", Version::V1_4, None);
        check::<ResultReason>(0x43, "Wrong Key Lifecycle State", Version::V2_0, None);
        check::<ResultReason>(0x100, "General Failure", Version::V1_0, None);
        check::<ObjectType>(0x06, "Template", Version::V1_0, Some(Version::V1_4));
        check::<ObjectType>(0x09, "PGP Key", Version::V1_2, None);
        check::<ObjectType>(0x0A, "Certificate Request", Version::V2_0, None);
        check::<CertificateType>(0x02, "PGP", Version::V1_0, None);
        check::<CertificateRequestType>(0x04, "PGP", Version::V1_0, Some(Version::V1_4));
        check::<Operation>(0x01, "Create", Version::V1_0, None);
        check::<Operation>(0x1D, "Re-key Key Pair", Version::V1_1, None);
        check::<Operation>(0x1F, "Encrypt", Version::V1_2, None);
        check::<Operation>(0x2B, "Export", Version::V1_4, None);
        check::<MaskGenerator>(0x01, "MGF1", Version::V1_4, None);
        check::<HashingAlgorithm>(0x06, "SHA-256", Version::V1_0, None);
        check::<HashingAlgorithm>(0x0F, "SHA3-256", Version::V1_4, None);
        check::<CryptographicAlgorithm>(0x03, "AES", Version::V1_0, None);
        check::<CryptographicAlgorithm>(0x02, "3DES", Version::V1_0, None);
        check::<RecommendedCurve>(0x07, "P-256", Version::V1_0, None);
        check::<RecommendedCurve>(0x45, "CURVE25519", Version::V2_0, None);
        check::<SplitKeyMethod>(0x04, "Polynomial Sharing GF (2^8)", Version::V1_2, None);
        check::<KeyFormatType>(0x0E, "Transparent ECDSA Private Key", Version::V1_0, Some(Version::V1_4));
        check::<State>(0x06, "Destroyed Compromised", Version::V1_0, None);
        check::<ResultStatus>(0x00, "Success", Version::V1_0, None);
        check::<CredentialType>(0x02, "Device", Version::V1_1, None);
        check::<Pkcs11Function>(0x01, "C_Initialize", Version::V2_0, None);
        check::<Pkcs11Function>(0x45, "C_GetInterfaceList", Version::V2_0, None);
        check::<Pkcs11ReturnCode>(0x150, "BUFFER_TOO_SMALL", Version::V2_0, None);
    }

    #[test]
    fn tags_find_their_enumeration() {
        for (tag, name) in [
            (Tag::ResultReason, "Result Reason"),
            (Tag::MaskGeneratorHashingAlgorithm, "Hashing Algorithm"),
            (Tag::LinkedObjectIdentifier, "Unique Identifier"),
            (Tag::ExtensionType, "Item Type"),
            (Tag::AttributeReference, "Tag"),
            (Tag::OpaqueDataType, "Opaque Data Type"),
        ] {
            assert_eq!(enumeration_of(tag).unwrap().name, name);
        }
        assert_eq!(enumeration_of(Tag::ActivationDate), None);
        let tags = enumeration_of(Tag::AttributeReference).unwrap();
        assert_eq!(tags.from_xml_name("ActivationDate"), Some(Tag::ActivationDate.code()));
    }

    #[test]
    fn unknown_values_are_kept_and_shown_as_numbers() {
        let vendor = CryptographicAlgorithm::from(0x8000_00AB);
        assert!(vendor.is_extension());
        assert_eq!(vendor.to_string(), "0x800000ab");
        assert!(!vendor.known_in(Version::V2_1));
        assert!(!CryptographicAlgorithm::AES.is_extension());
        assert_eq!(format!("{:?}", ResultReason::ItemNotFound), "Item Not Found");
        assert!(!ObjectType::Template.known_in(Version::V2_0));
        assert!(ObjectType::Template.known_in(Version::V1_3));
    }
}
