//! What clients are told of a message: Notify of attributes that changed, Put of objects that are new (KMIP 2.1 §6.2).
//!
//! The rows of the outbox are in the batch that makes the change: nothing is told that did not happen, and nothing that
//! happened is forgotten. A Put has the identifier alone; the object is exported when it is sent.

use kmip_codec::Value;
use kmip_codec::spec::{LinkType, ObjectType, Tag, Version};
use kmip_codec::ttlv::{Limits, Text, Writer, frame, parse};
use kmip_codec::types::{Attribute, AttributeReference};

use super::View;
use super::overlay::{Entry, belongs};
use crate::failure::{Failure, Outcome};
use crate::object::Managed;
use crate::secret::Secret;
use crate::store::vault::{Later, VaultBatch};

const ROW: Tag = Tag::new(0x54_0030);
const TO: Tag = Tag::new(0x54_0031);
const OWNER: Tag = Tag::new(0x54_0032);
const CHANGED: Tag = Tag::new(0x54_0033);
const DELETED: Tag = Tag::new(0x54_0034);
const INDEX: Tag = Tag::new(0x54_0035);
const NOTED: Tag = Tag::new(0x54_0036);

/// Who is told.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Its name, under which its messages wait.
    pub name: String,
    /// The owners of whose objects it is told.
    pub identities: Vec<String>,
    /// What it is told.
    pub told: Told,
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Notify.
    Changes,
    /// Put, of objects of these types; of all where none is named.
    Objects(Vec<ObjectType>),
}

/// A message that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The listener's name.
    pub to: String,
    /// Whose object it is about.
    pub owner: String,
    /// The object.
    pub identifier: Text,
    /// When it was written, in seconds.
    pub noted: i64,
    /// What is said.
    pub said: Said,
}

/// What is said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// What has changed, and what was deleted.
    Notify(Vec<Attribute>, Vec<AttributeReference>),
    /// That it is new, in the place of another one or not.
    Put(Option<Text>),
}

impl View {
    /// Adds what listeners are told to the batch of the message.
    pub(super) fn tell(&self, batch: &mut VaultBatch) -> Outcome<()> {
        let listeners = &self.shared.settings.listeners;
        if listeners.is_empty() || self.is_silent {
            return Ok(());
        }
        let mut changed: Vec<_> = self.overlay.entries.iter().filter(|(_, entry)| entry.changed).collect();
        changed.sort_by_key(|(sequence, _)| **sequence);
        for (_, entry) in changed {
            let object = &*entry.object;
            for listener in listeners {
                if !listener.identities.iter().any(|identity| **identity == *object.owner) {
                    continue;
                }
                let Some(said) = said(listener, entry) else { continue };
                let outgoing = Outgoing {
                    to: listener.name.clone(),
                    owner: object.owner.to_string(),
                    identifier: object.identifier(),
                    noted: self.now,
                    said,
                };
                let sequence = self.shared.vault.next_seq();
                let belongs = belongs(&self.shared, object);
                batch.put_later(Later::Outgoing, sequence, None, belongs, &outgoing.write())?;
            }
        }
        Ok(())
    }
}

fn said(listener: &Listener, entry: &Entry) -> Option<Said> {
    let object = &*entry.object;
    match (&entry.base, &listener.told) {
        (None, Told::Objects(types)) => {
            let wanted = types.is_empty() || types.contains(&object.object_type());
            (wanted && !object.is_destroyed()).then(|| Said::Put(replaced(object)))
        }
        (Some(base), Told::Changes) => {
            let (changed, deleted) = difference(&base.object, object);
            // That an object was served is no event that anybody waits for.
            let is_event = |attribute: &Attribute| !matches!(attribute.tag, Tag::Fresh | Tag::LastChangeDate);
            (changed.iter().any(is_event) || !deleted.is_empty()).then_some(Said::Notify(changed, deleted))
        }
        _ => None,
    }
}

/// The object in whose place this one is.
fn replaced(object: &Managed) -> Option<Text> {
    let links = object.attributes.iter().filter(|attribute| attribute.tag == Tag::Link);
    let replaced = |link: &&Attribute| matches!(link.value.find(Tag::LinkType), Some(&Value::Enumeration(code)) if LinkType::from(code) == LinkType::ReplacedObjectLink);
    match links.into_iter().find(replaced)?.value.find(Tag::LinkedObjectIdentifier) {
        Some(Value::TextString(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The attributes that are other than before, Last Change Date always, and those that are gone.
fn difference(before: &Managed, after: &Managed) -> (Vec<Attribute>, Vec<AttributeReference>) {
    let had = |attribute: &Attribute| before.attributes.iter().any(|other| other == attribute);
    let told = |attribute: &&Attribute| attribute.tag == Tag::LastChangeDate || !had(attribute);
    let changed = after.attributes.iter().filter(told).cloned().collect();
    let mut deleted: Vec<AttributeReference> = Vec::new();
    for attribute in before.attributes.iter() {
        let reference = attribute.reference();
        let stays = |other: &Attribute| other.reference() == reference && other.index == attribute.index;
        if !after.attributes.iter().any(stays) && !deleted.contains(&reference) {
            deleted.push(reference);
        }
    }
    (changed, deleted)
}

impl Outgoing {
    /// The stored form.
    fn write(&self) -> Secret {
        let mut writer = Writer::new(Version::V2_1);
        writer.structure(ROW, |w| {
            w.text(TO, &self.to);
            w.text(OWNER, &self.owner);
            w.text(Tag::UniqueIdentifier, &self.identifier);
            w.long_integer(NOTED, self.noted);
            match &self.said {
                Said::Put(replaced) => {
                    w.enumeration(Tag::PutFunction, if replaced.is_some() { 2 } else { 1 });
                    replaced.iter().for_each(|text| w.text(Tag::ReplacedUniqueIdentifier, text));
                }
                Said::Notify(changed, deleted) => {
                    for attribute in changed {
                        w.structure(CHANGED, |w| {
                            w.integer(INDEX, attribute.index.unwrap_or(0));
                            w.value(attribute.tag, &attribute.value);
                        });
                    }
                    for reference in deleted {
                        w.structure(DELETED, |w| match reference {
                            AttributeReference::Tag(tag) => w.enumeration(Tag::AttributeReference, tag.code()),
                            AttributeReference::Vendor { vendor, name } => {
                                w.text(Tag::VendorIdentification, vendor);
                                w.text(Tag::AttributeName, name);
                            }
                        });
                    }
                }
            }
        });
        Secret::new(writer.finish())
    }

    /// Reads the stored form. The sealing vouches for its bytes: a fault is ours.
    ///
    /// # Errors
    /// The bytes are none of ours.
    pub fn read(bytes: &Secret) -> Outcome<Self> {
        let bad = || Failure::internal("a message that is to be sent cannot be read");
        let own = Limits { depth: usize::MAX, items: usize::MAX };
        let value = parse(&frame::protect(bytes.expose().to_vec()), &own).map_err(|_| bad())?.value;
        let text = |tag| value.find(tag).and_then(Value::text).map(Text::from);
        let said = if value.find(Tag::PutFunction).is_some() {
            Said::Put(text(Tag::ReplacedUniqueIdentifier))
        } else {
            let (mut changed, mut deleted) = (Vec::new(), Vec::new());
            for element in value.elements() {
                match (element.tag, element.value.elements()) {
                    (CHANGED, [index, attribute]) => {
                        let Value::Integer(index) = index.value else { return Err(bad()) };
                        let (tag, value) = (attribute.tag, attribute.value.clone());
                        changed.push(Attribute { tag, index: Some(index), value });
                    }
                    (DELETED, _) => deleted.push(reference(&element.value).ok_or_else(bad)?),
                    _ => {}
                }
            }
            Said::Notify(changed, deleted)
        };
        let noted = match value.find(NOTED) {
            Some(&Value::LongInteger(noted)) => noted,
            _ => return Err(bad()),
        };
        Ok(Self {
            to: text(TO).ok_or_else(bad)?.to_string(),
            owner: text(OWNER).ok_or_else(bad)?.to_string(),
            identifier: text(Tag::UniqueIdentifier).ok_or_else(bad)?,
            noted,
            said,
        })
    }
}

fn reference(value: &Value) -> Option<AttributeReference> {
    let text = |tag| value.find(tag).and_then(Value::text).map(Text::from);
    match value.find(Tag::AttributeReference) {
        Some(&Value::Enumeration(code)) => Some(AttributeReference::Tag(Tag::new(code))),
        _ => Some(AttributeReference::Vendor {
            vendor: text(Tag::VendorIdentification)?,
            name: text(Tag::AttributeName)?,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_comes_back() {
        let changed = vec![Attribute { tag: Tag::LastChangeDate, index: Some(3), value: Value::DateTime(7) }];
        let deleted =
            vec![Tag::ContactInformation.into(), AttributeReference::Vendor { vendor: "x".into(), name: "y".into() }];
        for said in [Said::Notify(changed, deleted), Said::Put(None), Said::Put(Some("old".into()))] {
            let outgoing =
                Outgoing { to: "a".to_owned(), owner: "b".to_owned(), identifier: "c".into(), noted: 9, said };
            assert_eq!(Outgoing::read(&outgoing.write()), Ok(outgoing));
        }
        assert!(Outgoing::read(&Secret::copy_of(b"?")).is_err());
    }
}
