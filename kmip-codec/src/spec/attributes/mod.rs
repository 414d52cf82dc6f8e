//! The attributes and their rules (KMIP 2.1 §4, 1.4 §3), a row each for every version.

mod fields;
mod rows;

use std::sync::LazyLock;

use super::{ObjectType, Operation, Tag, Version};

/// An attribute: what its value is, in which versions it stands, who sets, changes and deletes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttributeRow {
    /// The tag of the attribute; its name in 1.x is the tag's, see [`AttributeRow::name`].
    pub tag: Tag,
    /// The type of its value.
    pub kind: AttributeKind,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it, deprecated or not; none while it stands.
    pub until: Option<Version>,
    /// The object types that always have a value. Digest: only where the server has the material to digest. Fresh:
    /// demanded from 2.0 on. A Template has what its maker put in and none of the key's attributes by demand.
    pub always: ObjectTypes,
    /// Who may set it while it has no value.
    pub set_by: Setters,
    /// The object types that may have several values.
    pub multi: ObjectTypes,
    /// When the server may change a value without a client's request.
    pub modify_server: Condition,
    /// When a client may change a value.
    pub modify_client: Condition,
    /// When a client may delete a value.
    pub delete_client: Condition,
    /// The operations that may set or change it without being told to.
    pub implicit: &'static [Operation],
    /// The object types that may have it in 2.x; empty where it does not exist there.
    pub objects: ObjectTypes,
    /// The object types that may have it in 1.x; empty where it does not exist there.
    pub objects_v1: ObjectTypes,
}

impl AttributeRow {
    /// The name of the attribute as 1.x sends it, which is that of the tag.
    pub fn name(&self) -> &'static str {
        match self.tag {
            // The structure is called Attribute, what it carries a Vendor Attribute.
            Tag::Attribute => "Vendor Attribute",
            tag => tag.name().unwrap_or_default(),
        }
    }

    /// Whether that version of the standard has the attribute.
    pub fn known_in(&self, version: Version) -> bool {
        version.within(self.since, self.until)
    }

    /// Whether objects of that type may have the attribute in that version.
    pub fn applies_to(&self, object: ObjectType, version: Version) -> bool {
        let objects = if version.is_v2() { self.objects } else { self.objects_v1 };
        self.known_in(version) && object.known_in(version) && objects.intersects(ObjectTypes::of(object))
    }

    /// Whether objects of that type always have a value in that version.
    pub fn is_always(&self, object: ObjectType, version: Version) -> bool {
        self.applies_to(object, version) && self.always.intersects(ObjectTypes::of(object))
    }

    /// Whether objects of that type may have several values.
    pub fn is_multi(&self, object: ObjectType) -> bool {
        self.multi.intersects(ObjectTypes::of(object))
    }
}

/// The type of a value on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttributeKind {
    /// Integer, 32 bits.
    Integer,
    /// Long Integer, 64 bits.
    LongInteger,
    /// Big Integer.
    BigInteger,
    /// Enumeration; which one the tag says, see [`enumeration_of`](super::enumeration_of).
    Enumeration,
    /// Integer whose bits have names, see [`mask_of`](super::mask_of).
    Mask(Tag),
    /// Boolean.
    Boolean,
    /// Text String.
    Text,
    /// Byte String.
    Bytes,
    /// Date-Time, in seconds.
    DateTime,
    /// Interval, in seconds.
    Interval,
    /// Structure with these fields, in this order.
    Structure(&'static [FieldRow]),
    /// A reference to an object: Text String; from 2.0 on also Enumeration or Integer.
    Identifier,
    /// Whatever the vendor sends.
    Any,
}

/// A field of an attribute that is a structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldRow {
    /// The tag of the field.
    pub tag: Tag,
    /// The type of its value.
    pub kind: AttributeKind,
    /// Whether every value has the field, whoever sends it.
    pub required: bool,
    /// Whether the field may be repeated.
    pub multi: bool,
    /// The first version that has it, not before that of the attribute.
    pub since: Version,
    /// The last version that has it; none while it stands.
    pub until: Option<Version>,
}

/// When something may be done to a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Never.
    Never,
    /// At any time.
    Always,
    /// While the object is Pre-Active.
    PreActive,
    /// While the object is Pre-Active or Active.
    PreActiveOrActive,
    /// While the object is Pre-Active or Active and the date that the attribute holds has not been reached.
    BeforeItsTime,
    /// As long as Get Usage Allocation has not been performed; a client sets total and unit only.
    BeforeUse,
    /// Only if there is no value yet.
    IfAbsent,
    /// Only if the client's request left the Application Data out.
    IfDataOmitted,
    /// Only what the same side created: clients x- and vendor x, the server y- and vendor y.
    OwnOnly,
}

bitflags::bitflags! {
    /// Who may set an attribute.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct Setters: u8 {
        /// The client, in a request that makes the object or adds the attribute.
        const CLIENT = 1;
        /// The server.
        const SERVER = 2;
        /// The client says in a request that makes the object what the server is to set; never afterwards.
        const REQUEST = 4;
    }
}

bitflags::bitflags! {
    /// A set of object types: the bit of a type is its value in the enumeration.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct ObjectTypes: u32 {
        /// Certificate.
        const CERTIFICATE = 1 << ObjectType::Certificate.0;
        /// Symmetric Key.
        const SYMMETRIC_KEY = 1 << ObjectType::SymmetricKey.0;
        /// Public Key.
        const PUBLIC_KEY = 1 << ObjectType::PublicKey.0;
        /// Private Key.
        const PRIVATE_KEY = 1 << ObjectType::PrivateKey.0;
        /// Split Key.
        const SPLIT_KEY = 1 << ObjectType::SplitKey.0;
        /// Template (1.x).
        const TEMPLATE = 1 << ObjectType::Template.0;
        /// Secret Data.
        const SECRET_DATA = 1 << ObjectType::SecretData.0;
        /// Opaque Object.
        const OPAQUE_OBJECT = 1 << ObjectType::OpaqueObject.0;
        /// PGP Key.
        const PGP_KEY = 1 << ObjectType::PGPKey.0;
        /// Certificate Request.
        const CERTIFICATE_REQUEST = 1 << ObjectType::CertificateRequest.0;
    }
}

impl ObjectTypes {
    /// Public and private keys.
    pub const ASYMMETRIC_KEYS: Self = Self::PUBLIC_KEY.union(Self::PRIVATE_KEY);
    /// Keys of every kind.
    pub const KEYS: Self = Self::ASYMMETRIC_KEYS.union(Self::SYMMETRIC_KEY).union(Self::SPLIT_KEY).union(Self::PGP_KEY);
    /// The Managed Cryptographic Objects of 1.x: what contains cryptographic material.
    pub const CRYPTOGRAPHIC: Self = Self::KEYS.union(Self::CERTIFICATE).union(Self::SECRET_DATA);
    /// Every managed object.
    pub const ALL: Self = Self::all();

    /// The set of that one type; empty for a type that the standard does not name.
    pub fn of(object: ObjectType) -> Self {
        1_u32.checked_shl(object.0).map_or(Self::empty(), Self::from_bits_truncate)
    }
}

/// Every attribute, by name.
pub fn attributes() -> &'static [AttributeRow] {
    rows::ROWS
}

/// The attribute of that tag. Tag::Attribute is the Vendor Attribute of 2.x, Tag::CustomAttribute stands for any x- or y-
/// attribute of 1.x.
pub fn attribute_by_tag(tag: Tag) -> Option<&'static AttributeRow> {
    /// By the low byte and a half of the tag, which no two attributes share: every attribute of every object is looked up.
    static TAGS: LazyLock<Vec<Option<&'static AttributeRow>>> = LazyLock::new(|| {
        let mut places = vec![None; PLACES];
        for row in rows::ROWS {
            if let Some(place) = places.get_mut(place(row.tag)) {
                *place = Some(row);
            }
        }
        places
    });
    TAGS.get(place(tag)).copied().flatten().filter(|row| row.tag == tag)
}

/// How many places the tags of attributes have: those of the standard end at 4201xx.
const PLACES: usize = 0x200;

const fn place(tag: Tag) -> usize {
    tag.code() as usize % PLACES
}

/// The attribute that 1.x calls so, to the letter; a name that begins with x- or y- is a Custom Attribute's.
pub fn attribute_by_name(name: &str) -> Option<&'static AttributeRow> {
    if name.starts_with("x-") || name.starts_with("y-") {
        return attribute_by_tag(Tag::CustomAttribute);
    }
    let row = attribute_by_tag(Tag::from_name(name)?)?;
    // These two never go by the name of their tag.
    (!matches!(row.tag, Tag::CustomAttribute | Tag::Attribute)).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> &'static AttributeRow {
        attribute_by_name(name).unwrap()
    }

    #[test]
    fn rows_are_sorted_by_name_and_whole() {
        assert!(attributes().is_sorted_by(|a, b| a.name() < b.name()));
        for row in attributes() {
            let name = row.name();
            assert!(!name.is_empty());
            assert_eq!(attribute_by_tag(row.tag), Some(row), "{name}");
            assert!(row.until.is_none_or(|until| row.since <= until), "{name}");
            assert_eq!(row.objects_v1.is_empty(), row.since.is_v2(), "{name}");
            assert_eq!(row.objects.is_empty(), row.until.is_some_and(|v| !v.is_v2()), "{name}");
            assert!(!row.set_by.is_empty(), "{name}");
            let info = row.tag.info().unwrap();
            assert!(info.since <= row.since, "{name}");
        }
    }

    #[test]
    fn kinds_agree_with_the_other_tables() {
        fn check(tag: Tag, kind: AttributeKind, since: Version) {
            assert!(tag.info().unwrap().since <= since || since == Version::V1_0, "{tag}");
            match kind {
                AttributeKind::Enumeration => {
                    assert!(crate::spec::enumeration_of(tag).is_some(), "{tag}")
                }
                AttributeKind::Mask(mask) => assert!(crate::spec::mask_of(mask).is_some(), "{tag}"),
                AttributeKind::Structure(fields) => {
                    assert!(!fields.is_empty(), "{tag}");
                    fields.iter().for_each(|field| check(field.tag, field.kind, field.since));
                }
                _ => {}
            }
        }
        attributes().iter().for_each(|row| check(row.tag, row.kind, row.since));
    }

    #[test]
    fn found_by_the_names_of_1_x() {
        assert_eq!(row("X.509 Certificate Identifier").tag, Tag::X509CertificateIdentifier);
        assert_eq!(row("PKCS#12 Friendly Name").tag, Tag::Pkcs12FriendlyName);
        assert_eq!(row("x-Purpose").tag, Tag::CustomAttribute);
        assert_eq!(row("y-Purpose").tag, Tag::CustomAttribute);
        for name in ["Custom Attribute", "Attribute", "activation date", "Batch Item", "", "x"] {
            assert_eq!(attribute_by_name(name), None, "{name}");
        }
    }

    #[test]
    fn versions_from_the_text() {
        for (name, since, until) in [
            ("Activation Date", Version::V1_0, None),
            ("Fresh", Version::V1_1, None),
            ("Certificate Length", Version::V1_1, None),
            ("Alternative Name", Version::V1_2, None),
            ("Random Number Generator", Version::V1_3, None),
            ("Extractable", Version::V1_4, None),
            ("Short Unique Identifier", Version::V2_0, None),
            ("Key Format Type", Version::V2_0, None),
            ("Rotate Latest", Version::V2_1, None),
            ("Operation Policy Name", Version::V1_0, Some(Version::V1_4)),
            ("Certificate Issuer", Version::V1_0, Some(Version::V1_4)),
            ("x-", Version::V1_0, Some(Version::V1_4)),
        ] {
            assert_eq!((row(name).since, row(name).until), (since, until), "{name}");
        }
        assert!(!row("Extractable").known_in(Version::V1_3));
        assert!(!row("Operation Policy Name").known_in(Version::V2_0));
    }

    #[test]
    fn conditions_from_the_text() {
        use Condition::*;
        for (name, modify_server, modify_client, delete_client) in [
            ("Activation Date", PreActive, PreActive, Never),
            ("Deactivation Date", PreActiveOrActive, PreActiveOrActive, Never),
            ("Process Start Date", BeforeItsTime, BeforeItsTime, Never),
            ("Protect Stop Date", BeforeItsTime, BeforeItsTime, Never),
            ("Usage Limits", Always, BeforeUse, BeforeUse),
            ("Alternative Name", IfAbsent, Always, Always),
            ("Application Specific Information", IfDataOmitted, Always, Always),
            ("x-Any", OwnOnly, OwnOnly, OwnOnly),
            ("State", Always, Never, Never),
            ("Unique Identifier", Never, Never, Never),
            ("Name", Always, Always, Always),
            ("Sensitive", Always, Always, Never),
            ("Cryptographic Usage Mask", Always, Never, Never),
            ("Original Creation Date", Never, Never, Never),
            ("Rotate Interval", Always, Never, Never),
            ("Rotate Name", Never, Always, Always),
        ] {
            let row = row(name);
            let found = (row.modify_server, row.modify_client, row.delete_client);
            assert_eq!(found, (modify_server, modify_client, delete_client), "{name}");
        }
    }

    #[test]
    fn setters_from_the_text() {
        assert_eq!(row("Name").set_by, Setters::CLIENT);
        assert_eq!(row("State").set_by, Setters::SERVER);
        assert_eq!(row("Link").set_by, Setters::all());
        assert_eq!(row("Archive Date").implicit, [Operation::Archive]);
        assert!(row("Activation Date").implicit.contains(&Operation::Activate));
        assert!(row("Deactivation Date").implicit.contains(&Operation::Revoke));
        assert_eq!(row("Comment").implicit, []);
    }

    #[test]
    fn object_types_from_the_text() {
        let usage = row("Cryptographic Usage Mask");
        assert!(usage.is_always(ObjectType::SecretData, Version::V1_0));
        assert!(!usage.is_always(ObjectType::OpaqueObject, Version::V2_1));
        assert!(!usage.is_always(ObjectType::Template, Version::V1_0));
        assert!(!row("State").is_always(ObjectType::Template, Version::V1_0));
        assert!(row("State").is_always(ObjectType::PGPKey, Version::V1_2));
        assert!(!usage.applies_to(ObjectType::OpaqueObject, Version::V1_4));
        assert!(usage.applies_to(ObjectType::OpaqueObject, Version::V2_0));
        let algorithm = row("Digital Signature Algorithm");
        assert!(algorithm.is_multi(ObjectType::PGPKey) && !algorithm.is_multi(ObjectType::Certificate));
        assert!(row("Name").is_multi(ObjectType::SymmetricKey));
        assert!(!row("Contact Information").is_multi(ObjectType::SymmetricKey));
        assert!(!row("Fresh").applies_to(ObjectType::SymmetricKey, Version::V1_0));
        assert!(row("Certificate Subject CN").applies_to(ObjectType::Certificate, Version::V2_1));
        assert!(!row("Cryptographic Domain Parameters").applies_to(ObjectType::SymmetricKey, Version::V2_1));
        assert!(!row("Name").applies_to(ObjectType::from(0x8000_0001), Version::V2_1));
        assert_eq!(ObjectTypes::of(ObjectType::CertificateRequest), ObjectTypes::CERTIFICATE_REQUEST);
    }
}
