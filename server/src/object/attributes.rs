//! The attributes of one object: instances with numbers that are never reused.

use kmip_codec::schema::Decode;
use kmip_codec::spec::{Enumeration, Tag, Version, attribute_by_tag};
use kmip_codec::types::{Attribute, AttributeReference};
use kmip_codec::{Element, Value};

/// The most attributes whose deleted numbers are remembered.
const RETIRED: usize = 1_000;

/// All attributes of an object. Every instance has a number, its Attribute Index in 1.x.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeSet {
    list: Vec<Attribute>,
    /// The highest number that a deleted instance had, where no higher one is left.
    retired: Vec<(AttributeReference, i32)>,
}

impl AttributeSet {
    /// An empty set with room for so many instances.
    pub fn with_capacity(instances: usize) -> Self {
        Self { list: Vec::with_capacity(instances), retired: Vec::new() }
    }

    /// Puts a stored set together again.
    pub fn restore(list: Vec<Attribute>, retired: Vec<(AttributeReference, i32)>) -> Self {
        Self { list, retired }
    }

    /// How many instances there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every instance, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.list.iter()
    }

    /// The numbers that may not come again though no instance has them.
    pub fn retired(&self) -> impl Iterator<Item = &(AttributeReference, i32)> {
        self.retired.iter()
    }

    /// The instances that a reference means.
    pub fn all<'a>(&'a self, reference: &'a AttributeReference) -> impl Iterator<Item = &'a Attribute> {
        self.list.iter().filter(move |attribute| reference.matches(attribute))
    }

    /// The values of an attribute of the standard.
    pub fn values(&self, tag: Tag) -> impl Iterator<Item = &Value> {
        self.list.iter().filter(move |attribute| attribute.tag == tag).map(|attribute| &attribute.value)
    }

    /// The value of a single-instance attribute.
    pub fn get(&self, tag: Tag) -> Option<&Value> {
        self.values(tag).next()
    }

    /// Whether the object has the attribute.
    pub fn has(&self, tag: Tag) -> bool {
        self.get(tag).is_some()
    }

    /// The value of an enumeration.
    pub fn enumeration<E: Enumeration>(&self, tag: Tag) -> Option<E> {
        match self.get(tag) {
            Some(&Value::Enumeration(code)) => Some(E::from(code)),
            _ => None,
        }
    }

    /// The value of an Integer.
    pub fn integer(&self, tag: Tag) -> Option<i32> {
        match self.get(tag) {
            Some(&Value::Integer(value)) => Some(value),
            _ => None,
        }
    }

    /// The value of a Boolean.
    pub fn boolean(&self, tag: Tag) -> Option<bool> {
        match self.get(tag) {
            Some(&Value::Boolean(value)) => Some(value),
            _ => None,
        }
    }

    /// The value of a Date-Time, in seconds.
    pub fn date(&self, tag: Tag) -> Option<i64> {
        match self.get(tag) {
            Some(&Value::DateTime(seconds)) => Some(seconds),
            _ => None,
        }
    }

    /// The value of a Text String.
    pub fn text(&self, tag: Tag) -> Option<&str> {
        self.get(tag).and_then(Value::text)
    }

    /// Every value of a structured attribute, as its structure.
    pub fn structures<T: Decode>(&self, tag: Tag) -> impl Iterator<Item = T> {
        self.values(tag).filter_map(move |value| T::decode(Element::new(tag, value.clone()), Version::V2_1).ok())
    }

    /// Sets a single-instance attribute, or changes it; it keeps its number.
    pub fn set(&mut self, tag: Tag, value: Value) {
        match self.list.iter_mut().find(|attribute| attribute.tag == tag) {
            Some(attribute) => attribute.value = value,
            None => {
                self.add(Attribute::new(tag, value));
            }
        }
    }

    /// Adds an instance under the next number, which it answers.
    pub fn add(&mut self, attribute: Attribute) -> i32 {
        let index = self.next_index(&attribute.reference());
        self.list.push(Attribute { index: Some(index), ..attribute });
        index
    }

    /// Changes the value of the instance with this number. Answers whether there is one.
    pub fn change(&mut self, reference: &AttributeReference, index: i32, value: Value) -> bool {
        let place =
            self.list.iter_mut().find(|attribute| attribute.index == Some(index) && reference.matches(attribute));
        match place {
            Some(attribute) => {
                attribute.value = value;
                true
            }
            None => false,
        }
    }

    /// Removes the instance with this number and answers it.
    pub fn remove(&mut self, reference: &AttributeReference, index: i32) -> Option<Attribute> {
        let place =
            self.list.iter().position(|attribute| attribute.index == Some(index) && reference.matches(attribute))?;
        let removed = self.list.remove(place);
        if !has_numbers(reference) {
            return Some(removed);
        }
        match self.retired.iter_mut().find(|(retired, _)| retired == reference) {
            Some((_, highest)) => *highest = (*highest).max(index),
            None => self.retired.push((reference.clone(), index)),
        }
        // Names that come and go for ever: the numbers of the oldest are forgotten.
        if self.retired.len() > RETIRED {
            self.retired.remove(0);
        }
        Some(removed)
    }

    /// Removes every instance of an attribute of the standard on the server's behalf. Its numbers may come again.
    pub fn clear(&mut self, tag: Tag) {
        self.list.retain(|attribute| attribute.tag != tag);
    }

    /// The numbers of an attribute rise with the order in the list: the last instance has the highest.
    fn next_index(&self, reference: &AttributeReference) -> i32 {
        if !has_numbers(reference) {
            return 0;
        }
        let present = self.list.iter().rev().find(|attribute| reference.matches(attribute));
        let present = present.and_then(|attribute| attribute.index);
        let retired = self.retired.iter().find(|(retired, _)| retired == reference).map(|&(_, highest)| highest);
        present.max(retired).map_or(0, |highest| highest.saturating_add(1))
    }
}

/// Whether instances are told apart by numbers: not those of an attribute that every object has once.
fn has_numbers(reference: &AttributeReference) -> bool {
    match reference {
        AttributeReference::Vendor { .. } => true,
        AttributeReference::Tag(tag) => attribute_by_tag(*tag).is_none_or(|row| !row.multi.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Attribute {
        Attribute::new(Tag::ObjectGroup, Value::TextString(name.into()))
    }

    #[test]
    fn numbers_are_never_reused() {
        let mut set = AttributeSet::default();
        let reference = AttributeReference::Tag(Tag::ObjectGroup);
        assert_eq!(["a", "b", "c"].map(|name| set.add(group(name))), [0, 1, 2]);
        assert!(set.remove(&reference, 2).is_some());
        assert_eq!(set.add(group("d")), 3);
        assert!(set.remove(&reference, 0).is_some());
        assert!(set.remove(&reference, 0).is_none());
        assert_eq!(set.add(group("e")), 4);
        for index in [1, 3, 4] {
            assert!(set.remove(&reference, index).is_some());
        }
        let set = AttributeSet::restore(set.iter().cloned().collect(), set.retired().cloned().collect());
        assert_eq!(set.clone().add(group("f")), 5);
    }

    #[test]
    fn an_attribute_with_one_instance_has_the_number_0() {
        let mut set = AttributeSet::default();
        let date = || Attribute::new(Tag::ArchiveDate, Value::DateTime(1));
        for _ in 0..2 {
            assert_eq!(set.add(date()), 0);
            assert!(set.remove(&AttributeReference::Tag(Tag::ArchiveDate), 0).is_some());
        }
        assert_eq!(set.retired().count(), 0);
    }

    #[test]
    fn what_is_remembered_of_deleted_attributes_has_an_end() {
        let mut set = AttributeSet::default();
        for number in 0..RETIRED + 5 {
            let text = |tag, text: String| Element::new(tag, Value::TextString(text.into()));
            let fields = vec![
                text(Tag::VendorIdentification, "x".into()),
                text(Tag::AttributeName, number.to_string()),
                text(Tag::AttributeValue, "v".into()),
            ];
            let attribute = Attribute::new(Tag::Attribute, Value::Structure(fields));
            let reference = attribute.reference();
            assert_eq!(set.add(attribute), 0);
            assert!(set.remove(&reference, 0).is_some());
        }
        assert_eq!(set.retired().count(), RETIRED);
    }

    #[test]
    fn a_change_keeps_the_number_and_touches_one_instance() {
        let mut set = AttributeSet::default();
        let reference = AttributeReference::Tag(Tag::ObjectGroup);
        set.add(group("a"));
        set.add(group("b"));
        assert!(set.change(&reference, 1, Value::TextString("c".into())));
        assert!(!set.change(&reference, 7, Value::TextString("d".into())));
        let texts: Vec<_> = set.values(Tag::ObjectGroup).filter_map(Value::text).collect();
        assert_eq!(texts, ["a", "c"]);
    }
}
