//! Re-key (KMIP 2.1 §6.1.46, 1.4 §4.4).

use kmip_codec::Value;
use kmip_codec::schema::Interval;
use kmip_codec::spec::{LinkType, ObjectType, ResultReason, Tag, Version};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, Attributes, ProtectionStorageMasks, UniqueIdentifier};

use super::Handler;
use super::activate::Response;
use super::create::{self, material};
use super::new_object::{Given, link};
use crate::failure::{Failure, Outcome};
use crate::object::{Managed, Origin, replacement};
use crate::trust::policy::{Permitted, Use};
use crate::view::{Home, New, View};

structure! {
    /// The request.
    pub struct Request {
        /// The key that is replaced, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// From now to the Activation Date of the replacement, in seconds.
        pub offset: Option<Interval> = Offset,
        /// Attributes that the replacement has instead of, or besides, those of the key.
        pub attributes: Attributes = Attributes,
        /// Where the replacement may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }
}

/// Re-key. The answer is that of Activate, and names the replacement.
pub struct ReKey;

impl Handler for ReKey {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let existing = view.open(request.unique_identifier.as_ref(), Use::Replace)?;
        replaceable(view, &existing, ObjectType::SymmetricKey)?;
        let wanted = Given::admit(view, request.attributes, ObjectType::SymmetricKey)?.attributes;
        let offset = request.offset.map(|Interval(seconds)| seconds);
        let unique_identifier = replace(view, &existing, wanted, offset, request.protection_storage_masks.as_ref())?;
        Ok(Response { unique_identifier })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// Replaces a symmetric key, for a client or because it is time. Answers the replacement.
///
/// # Errors
/// What [`replacement::inherit`] and the making of a key say.
pub fn replace(
    view: &mut View,
    existing: &Permitted,
    wanted: Vec<Attribute>,
    offset: Option<u32>,
    masks: Option<&ProtectionStorageMasks>,
) -> Outcome<Text> {
    let attributes = replacement::inherit(existing, wanted, offset, view.now())?;
    let given = Given::inherited(view, attributes, ObjectType::SymmetricKey);
    let (Some(algorithm), Some(bits)) = (given.algorithm()?, given.length()?) else {
        return Err(Failure::new(
            ResultReason::InvalidField,
            "the key has no algorithm or no length to make another by",
        ));
    };
    let kind = create::kind_of(algorithm, bits)?;
    let home = as_strict(existing, |masks| view.home(Some(kind), given.extractable(), masks), masks)?;
    let made = view.generate(kind, home.residency)?.made;
    let (material, format) = match material(made.clone(), kind, algorithm, bits, given.format()) {
        // A format in which the former key was registered, and in which this server makes none.
        Err(failure) if failure.reason == ResultReason::KeyFormatTypeNotSupported => {
            material(made, kind, algorithm, bits, None)?
        }
        other => other?,
    };
    retire(view, existing)?;
    let replacement = view.insert(New {
        object_type: ObjectType::SymmetricKey,
        attributes: given.attributes,
        found: vec![(Tag::KeyFormatType, Value::Enumeration(format.into()))],
        material: Some(material),
        format: Some(format),
        home,
        origin: Origin::Generated,
    })?;
    link_both(view, existing, &replacement)?;
    Ok(replacement)
}

/// Whether the object can be replaced: the server holds it, and it is of the right kind.
///
/// # Errors
/// Invalid Object Type, Permission Denied, Key Value Not Present.
pub(super) fn replaceable(view: &mut View, existing: &Permitted, object_type: ObjectType) -> Outcome<()> {
    if existing.object_type() != object_type {
        return Err(Failure::new(
            ResultReason::InvalidObjectType,
            format!("a {} is replaced by other means than a {object_type}", existing.object_type()),
        )
        .before(Version::V2_0, ResultReason::PermissionDenied));
    }
    if existing.is_destroyed() {
        return Err(Failure::new(ResultReason::PermissionDenied, "a destroyed key cannot be replaced"));
    }
    view.material(existing)?;
    // A key block without a Key Value: the server holds no more than the metadata (KMIP 2.1 §4.27).
    if existing.attributes.boolean(Tag::KeyValuePresent) == Some(false) {
        return Err(Failure::new(ResultReason::KeyValueNotPresent, "the server does not hold the key value"));
    }
    Ok(())
}

/// Where the replacement lives: where the existing key does unless the request says otherwise, and never in a weaker place.
pub(super) fn as_strict(
    existing: &Managed,
    mut home: impl FnMut(Option<&ProtectionStorageMasks>) -> Outcome<Home>,
    masks: Option<&ProtectionStorageMasks>,
) -> Outcome<Home> {
    let own = existing.protection().map(|mask| ProtectionStorageMasks { masks: vec![mask] });
    let found = match masks {
        Some(masks) => home(Some(masks))?,
        // The configuration may have changed since, or the replacement is to be stricter.
        None => home(own.as_ref()).or_else(|_| home(None))?,
    };
    if found.residency < existing.residency {
        return Err(Failure::new(
            ResultReason::ProtectionStorageUnavailable,
            "a replacement is not made in a place that is less protected than that of its key",
        ));
    }
    Ok(found)
}

/// Takes from the existing key what the replacement gets.
pub(super) fn retire(view: &mut View, existing: &Permitted) -> Outcome<()> {
    let now = view.now();
    view.edit(existing, |object| {
        replacement::retire(object, now);
        Ok(())
    })
}

/// Links the existing key and its replacement with each other.
pub(super) fn link_both(view: &mut View, existing: &Permitted, replacement: &Text) -> Outcome<()> {
    let former = existing.identifier();
    link(view, replacement, LinkType::ReplacedObjectLink, &former)?;
    link(view, &former, LinkType::ReplacementObjectLink, replacement)
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{
        CryptographicAlgorithm, CryptographicUsageMask as Mask, KeyFormatType, NameType, ProtectionStorageMask,
        RevocationReasonCode, State,
    };
    use kmip_codec::types::{Link, Name, Object, RevocationReason};

    use super::*;
    use crate::ops::revoke::{self, Revoke};
    use crate::view::testing::{Bench, NOW, limits, secret, structured};

    const V: Version = Version::V2_1;

    fn name(name: &str) -> (Tag, Value) {
        structured(Tag::Name, &Name { value: name.into(), kind: NameType::UninterpretedTextString })
    }

    fn request(key: &UniqueIdentifier) -> Request {
        Request {
            unique_identifier: Some(key.clone()),
            offset: None,
            attributes: Attributes::default(),
            protection_storage_masks: None,
        }
    }

    fn key(bench: &Bench, more: Vec<(Tag, Value)>) -> UniqueIdentifier {
        let length = (Tag::CryptographicLength, Value::Integer(128));
        bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, [vec![length], more].concat())
    }

    fn replaced(bench: &Bench, request: Request) -> UniqueIdentifier {
        UniqueIdentifier::Text(bench.run::<ReKey>(V, request).unwrap().unique_identifier)
    }

    fn open(bench: &Bench, key: &UniqueIdentifier) -> Permitted {
        bench.view(V).open(Some(key), Use::ReadAttributes).unwrap()
    }

    fn links(object: &Permitted) -> Vec<(LinkType, UniqueIdentifier)> {
        object.attributes.structures::<Link>(Tag::Link).map(|link| (link.kind, link.linked)).collect()
    }

    #[test]
    fn a_replacement_takes_over_what_the_table_says() {
        let bench = Bench::new();
        let former = key(&bench, vec![name("a"), limits(5), (Tag::Comment, Value::TextString("c".into()))]);
        bench
            .run::<crate::ops::get_usage_allocation::GetUsageAllocation>(
                V,
                crate::ops::get_usage_allocation::Request {
                    unique_identifier: Some(former.clone()),
                    usage_limits_count: 2,
                },
            )
            .unwrap();
        bench.pass(10);
        let added = Attribute::new(name("b").0, name("b").1);
        let attributes = Attributes { templates: Vec::new(), list: vec![added] };
        let latest = replaced(&bench, Request { attributes, ..request(&former) });
        let (old, new) = (open(&bench, &former), open(&bench, &latest));
        let names = |object: &Permitted| object.attributes.values(Tag::Name).cloned().collect::<Vec<_>>();
        assert_eq!((names(&old), names(&new)), (vec![], vec![name("a").1, name("b").1]));
        assert_eq!(links(&old), [(LinkType::ReplacementObjectLink, latest.clone())]);
        assert_eq!(links(&new), [(LinkType::ReplacedObjectLink, former.clone())]);
        assert_eq!((old.state(), new.state()), (State::Active, State::Active));
        // There is one replacement at a time.
        let again = replaced(&bench, request(&former));
        assert_eq!(links(&open(&bench, &former)), [(LinkType::ReplacementObjectLink, again)]);
        assert_eq!(new.attributes.date(Tag::InitialDate), Some(NOW + 10));
        assert_eq!(old.attributes.date(Tag::LastChangeDate), Some(NOW + 10));
        assert_eq!(new.attributes.text(Tag::Comment), Some("c"));
        assert_eq!((bench.usage_left(&former), bench.usage_left(&latest)), (Some(3), Some(5)));
        let material = |key: &UniqueIdentifier| {
            let mut view = bench.view(V);
            let permitted = view.open(Some(key), Use::Get).unwrap();
            view.export(&permitted, false).unwrap().into_object()
        };
        let (Object::SymmetricKey(one), Object::SymmetricKey(two)) = (material(&former), material(&latest)) else {
            panic!("both are symmetric keys")
        };
        assert_ne!(one.key_value, two.key_value);
        assert_eq!((two.cryptographic_algorithm, two.cryptographic_length), (one.cryptographic_algorithm, Some(128)));
        assert_ne!(new.attributes.get(Tag::Digest), old.attributes.get(Tag::Digest));
    }

    #[test]
    fn a_compromised_key_is_replaced_by_one_that_is_not() {
        let bench = Bench::new();
        let stolen = key(&bench, Vec::new());
        let revocation = revoke::Request {
            unique_identifier: Some(stolen.clone()),
            revocation_reason: RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None },
            compromise_occurrence_date: None,
        };
        bench.run::<Revoke>(V, revocation).unwrap();
        let latest = open(&bench, &replaced(&bench, request(&stolen)));
        assert_eq!(latest.state(), State::Active);
        for tag in [Tag::CompromiseDate, Tag::CompromiseOccurrenceDate, Tag::RevocationReason] {
            assert!(!latest.attributes.has(tag), "{tag}");
        }
    }

    #[test]
    fn a_second_replacement_counts_on() {
        let bench = Bench::new();
        let first = key(&bench, vec![name("n")]);
        let second = replaced(&bench, request(&first));
        let third = open(&bench, &replaced(&bench, request(&second)));
        assert_eq!(third.attributes.integer(Tag::RotateGeneration), Some(2));
        assert_eq!(third.attributes.boolean(Tag::RotateLatest), Some(true));
        assert_eq!(links(&third), [(LinkType::ReplacedObjectLink, second)]);
    }

    #[test]
    fn what_cannot_be_replaced() {
        let bench = Bench::new();
        let reason = |request| {
            let failure = bench.run::<ReKey>(V, request).unwrap_err();
            (failure.reason, failure.reason_in(None, Version::V1_4))
        };
        let other = bench.object(secret(b"s"), Vec::new());
        assert_eq!(reason(request(&other)), (ResultReason::InvalidObjectType, ResultReason::PermissionDenied));
        let denied = (ResultReason::PermissionDenied, ResultReason::PermissionDenied);
        let gone = key(&bench, vec![(Tag::ActivationDate, Value::DateTime(NOW + 9))]);
        let destroy = crate::ops::activate::Request { unique_identifier: Some(gone.clone()) };
        bench.run::<crate::ops::destroy::Destroy>(V, destroy).unwrap();
        assert_eq!(reason(request(&gone)), denied);
        let mut absent = crate::view::testing::block(KeyFormatType::Raw, CryptographicAlgorithm::AES, &[1; 16]);
        absent.key_value = None;
        let elsewhere = bench.object(Object::SymmetricKey(absent), Vec::new());
        assert_eq!(reason(request(&elsewhere)).0, ResultReason::KeyValueNotPresent);
        let unknown = UniqueIdentifier::Text("nobody".into());
        assert_eq!(reason(request(&unknown)), (ResultReason::ObjectNotFound, ResultReason::ItemNotFound));
        // A kind of storage that nothing here has.
        let masks = ProtectionStorageMasks { masks: vec![ProtectionStorageMask::from_bits_retain(0x2)] };
        let nowhere = Request { protection_storage_masks: Some(masks), ..request(&key(&bench, Vec::new())) };
        assert_eq!(reason(nowhere).0, ResultReason::ProtectionStorageUnavailable);
    }
}
