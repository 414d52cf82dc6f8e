//! What a replacement takes over from the key that it replaces (KMIP 2.1 §6.1.46, §6.1.47; 1.4 §4.4, §4.5).

use kmip_codec::Value;
use kmip_codec::spec::{LinkType, ResultReason, Tag, Version};
use kmip_codec::types::Attribute;

use super::{Managed, rules};
use crate::failure::{Failure, Outcome};

/// The dates that an Offset moves together with the Activation Date.
const MOVED: [Tag; 3] = [Tag::ProcessStartDate, Tag::ProtectStopDate, Tag::DeactivationDate];

/// What every object gets anew when it is made, or what belongs to the life of the former one.
const NOT_TAKEN: [Tag; 24] = [
    Tag::UniqueIdentifier,
    Tag::ShortUniqueIdentifier,
    Tag::ObjectType,
    Tag::State,
    Tag::InitialDate,
    Tag::OriginalCreationDate,
    Tag::LastChangeDate,
    Tag::DestroyDate,
    Tag::CompromiseDate,
    Tag::CompromiseOccurrenceDate,
    Tag::RevocationReason,
    Tag::ArchiveDate,
    Tag::Digest,
    Tag::Link,
    Tag::RandomNumberGenerator,
    Tag::Fresh,
    Tag::LeaseTime,
    Tag::AlwaysSensitive,
    Tag::NeverExtractable,
    Tag::ProtectionStorageMask,
    Tag::KeyValuePresent,
    Tag::KeyValueLocation,
    Tag::RotateDate,
    Tag::RotateLatest,
];

/// The attributes of a replacement: those of the existing key, and what the request wants instead or besides. `offset` is
/// the time from now to the new Activation Date, in seconds.
///
/// # Errors
/// Invalid Message for an Offset beside dates; Invalid Field for an Offset that has no Activation Date to reckon from, and
/// for protection that would be weaker; Invalid Attribute Value for dates out of order.
pub fn inherit(existing: &Managed, wanted: Vec<Attribute>, offset: Option<u32>, now: i64) -> Outcome<Vec<Attribute>> {
    let gives = |tag| wanted.iter().any(|attribute| attribute.tag == tag);
    if offset.is_some() && (gives(Tag::ActivationDate) || MOVED.into_iter().any(gives)) {
        return Err(Failure::new(
            ResultReason::InvalidMessage,
            "an Offset and dates of the replacement exclude each other",
        ));
    }
    let kind = existing.object_type();
    let mut list = Vec::with_capacity(existing.attributes.len() + wanted.len());
    for attribute in existing.attributes.iter().filter(|attribute| !NOT_TAKEN.contains(&attribute.tag)) {
        let reference = attribute.reference();
        let replaced = wanted.iter().any(|other| {
            let may_join = rules::is_multi(&reference, kind);
            other.reference() == reference && (!may_join || other.value == attribute.value)
        });
        if !replaced {
            list.push(Attribute { index: None, value: anew(attribute), ..attribute.clone() });
        }
    }
    for attribute in wanted {
        weaken(existing, &attribute)?;
        list.push(attribute);
    }
    if let Some(offset) = offset {
        shift(existing, &mut list, now.saturating_add(offset.into()))?;
    }
    let generation = existing.attributes.integer(Tag::RotateGeneration).unwrap_or(0).saturating_add(1);
    list.retain(|attribute| attribute.tag != Tag::RotateGeneration);
    list.push(Attribute::new(Tag::RotateGeneration, Value::Integer(generation)));
    list.push(Attribute::new(Tag::RotateLatest, Value::Boolean(true)));
    rules::dated(&list)?;
    Ok(list)
}

/// What the existing key is after it was replaced at `now`: its names are the replacement's, and it is the latest no more.
/// One that was replaced before is not linked with that replacement any more: there is one at a time (KMIP 2.1 §11.28).
pub fn retire(existing: &mut Managed, now: i64) {
    let goes = |attribute: &&Attribute| match attribute.tag {
        Tag::Name => true,
        Tag::Link => {
            let kind = attribute.value.find(Tag::LinkType);
            kind == Some(&Value::Enumeration(LinkType::ReplacementObjectLink.into()))
        }
        _ => false,
    };
    let gone: Vec<Attribute> = existing.attributes.iter().filter(goes).cloned().collect();
    for attribute in gone {
        existing.attributes.remove(&attribute.tag.into(), attribute.index.unwrap_or_default());
    }
    if !existing.attributes.has(Tag::RotateGeneration) {
        existing.attributes.set(Tag::RotateGeneration, Value::Integer(0));
    }
    existing.attributes.set(Tag::RotateLatest, Value::Boolean(false));
    existing.attributes.set(Tag::RotateDate, Value::DateTime(now));
    existing.touch(now);
}

/// Usage Limits begin full; every other value is the same.
fn anew(attribute: &Attribute) -> Value {
    rules::begun(attribute.tag, attribute.value.clone())
}

/// A replacement is never less protected than what it replaces.
fn weaken(existing: &Managed, wanted: &Attribute) -> Outcome<()> {
    let weaker = match (wanted.tag, &wanted.value) {
        (Tag::Sensitive, Value::Boolean(false)) => existing.is_sensitive(),
        (Tag::Extractable, Value::Boolean(true)) => !existing.is_extractable(),
        _ => false,
    };
    if weaker {
        return Err(Failure::invalid_field(format!(
            "{}: a replacement is as strictly protected as the key that it replaces",
            wanted.tag
        )));
    }
    Ok(())
}

/// Sets the new Activation Date, and moves the other dates by as much as it moves.
fn shift(existing: &Managed, list: &mut Vec<Attribute>, activation: i64) -> Outcome<()> {
    let before = existing.attributes.date(Tag::ActivationDate);
    for attribute in list.iter_mut().filter(|attribute| MOVED.contains(&attribute.tag)) {
        let Value::DateTime(date) = attribute.value else { continue };
        let Some(before) = before else {
            return Err(Failure::invalid_field(
                "an Offset moves the dates of a key with its Activation Date, and the key has none",
            )
            .before(Version::V2_0, ResultReason::IllegalOperation));
        };
        attribute.value = Value::DateTime(date.saturating_add(activation.saturating_sub(before)));
    }
    list.retain(|attribute| attribute.tag != Tag::ActivationDate);
    list.push(Attribute::new(Tag::ActivationDate, Value::DateTime(activation)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use kmip_codec::Element;
    use kmip_codec::spec::{ObjectType, State};

    use super::*;
    use crate::object::sample;

    const NOW: i64 = 10_000;

    fn text(tag: Tag, text: &str) -> Attribute {
        Attribute::new(tag, Value::TextString(text.into()))
    }

    fn date(tag: Tag, date: i64) -> Attribute {
        Attribute::new(tag, Value::DateTime(date))
    }

    fn name(name: &str) -> Attribute {
        let fields = vec![
            Element::new(Tag::NameValue, Value::TextString(name.into())),
            Element::new(Tag::NameType, Value::Enumeration(1)),
        ];
        Attribute::new(Tag::Name, Value::Structure(fields))
    }

    fn key(more: Vec<Attribute>) -> Managed {
        let mut key = sample(ObjectType::SymmetricKey, State::Compromised);
        for attribute in more {
            key.attributes.add(attribute);
        }
        key
    }

    fn values(list: &[Attribute], tag: Tag) -> Vec<Value> {
        list.iter().filter(|attribute| attribute.tag == tag).map(|attribute| attribute.value.clone()).collect()
    }

    #[test]
    fn what_the_life_of_a_key_has_brought_stays_with_it() {
        let all = kmip_codec::spec::attributes().iter().map(|row| row.tag);
        let stays = |tag: &Tag| NOT_TAKEN.contains(tag);
        let existing = key(all.clone().map(|tag| text(tag, "x")).collect());
        let list = inherit(&existing, Vec::new(), None, NOW).unwrap();
        for tag in all.filter(|tag| !matches!(*tag, Tag::RotateGeneration | Tag::RotateLatest)) {
            assert_eq!(values(&list, tag).is_empty(), stays(&tag), "{tag}");
        }
    }

    #[test]
    fn names_join_and_single_values_give_way() {
        let existing = key(vec![name("old"), text(Tag::ContactInformation, "me"), text(Tag::Comment, "kept")]);
        let wanted = vec![name("new"), text(Tag::ContactInformation, "you")];
        let list = inherit(&existing, wanted, None, NOW).unwrap();
        assert_eq!(values(&list, Tag::Name), [name("old").value, name("new").value]);
        assert_eq!(values(&list, Tag::ContactInformation), [Value::TextString("you".into())]);
        assert_eq!(values(&list, Tag::Comment), [Value::TextString("kept".into())]);
        let same = inherit(&existing, vec![name("old")], None, NOW).unwrap();
        assert_eq!(values(&same, Tag::Name), [name("old").value]);
    }

    #[test]
    fn an_offset_moves_every_date_by_as_much() {
        let dates = vec![
            date(Tag::ActivationDate, 1_000),
            date(Tag::ProcessStartDate, 1_100),
            date(Tag::ProtectStopDate, 1_800),
            date(Tag::DeactivationDate, 2_000),
        ];
        let existing = key(dates.clone());
        let list = inherit(&existing, Vec::new(), Some(500), NOW).unwrap();
        let all = [Tag::ActivationDate, Tag::ProcessStartDate, Tag::ProtectStopDate, Tag::DeactivationDate];
        for (tag, expected) in all.into_iter().zip([10_500, 10_600, 11_300, 11_500]) {
            assert_eq!(values(&list, tag), [Value::DateTime(expected)], "{tag}");
        }
        let copied = inherit(&existing, Vec::new(), None, NOW).unwrap();
        for date in dates {
            assert_eq!(values(&copied, date.tag), [date.value]);
        }
        // Without dates there is only the new one.
        let list = inherit(&key(Vec::new()), Vec::new(), Some(0), NOW).unwrap();
        assert_eq!(values(&list, Tag::ActivationDate), [Value::DateTime(NOW)]);
    }

    #[test]
    fn what_is_refused() {
        let reason = |existing: &Managed, wanted, offset| {
            let failure = inherit(existing, wanted, offset, NOW).unwrap_err();
            (failure.reason, failure.older)
        };
        let both = reason(&key(Vec::new()), vec![date(Tag::DeactivationDate, 1)], Some(0));
        assert_eq!(both, (ResultReason::InvalidMessage, None));
        let nothing_to_reckon_from = reason(&key(vec![date(Tag::DeactivationDate, 1)]), Vec::new(), Some(0));
        assert_eq!(
            nothing_to_reckon_from,
            (ResultReason::InvalidField, Some((Version::V2_0, ResultReason::IllegalOperation)))
        );
        let flag = |tag, value| Attribute::new(tag, Value::Boolean(value));
        let guarded = key(vec![flag(Tag::Sensitive, true), flag(Tag::Extractable, false)]);
        for looser in [flag(Tag::Sensitive, false), flag(Tag::Extractable, true)] {
            assert_eq!(reason(&guarded, vec![looser], None), (ResultReason::InvalidField, None));
        }
        let open = key(vec![flag(Tag::Sensitive, false), flag(Tag::Extractable, true)]);
        assert!(inherit(&open, vec![flag(Tag::Sensitive, true), flag(Tag::Extractable, false)], None, NOW).is_ok());
        let late = key(vec![date(Tag::DeactivationDate, 5)]);
        let backwards = reason(&late, vec![date(Tag::ActivationDate, 6)], None);
        assert_eq!(backwards.0, ResultReason::InvalidAttributeValue);
    }

    #[test]
    fn generations_count_and_the_former_gives_its_names_up() {
        let mut existing = key(vec![name("a"), name("b")]);
        let list = inherit(&existing, Vec::new(), None, NOW).unwrap();
        assert_eq!(values(&list, Tag::RotateGeneration), [Value::Integer(1)]);
        assert_eq!(values(&list, Tag::RotateLatest), [Value::Boolean(true)]);
        retire(&mut existing, NOW);
        assert!(!existing.attributes.has(Tag::Name));
        assert_eq!(existing.attributes.integer(Tag::RotateGeneration), Some(0));
        assert_eq!(existing.attributes.boolean(Tag::RotateLatest), Some(false));
        assert_eq!(existing.attributes.date(Tag::RotateDate), Some(NOW));
        let second = key(list.into_iter().filter(|attribute| attribute.tag != Tag::Name).collect());
        let third = inherit(&second, Vec::new(), None, NOW).unwrap();
        assert_eq!(values(&third, Tag::RotateGeneration), [Value::Integer(2)]);
    }
}
