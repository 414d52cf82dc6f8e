//! What an object's bytes come from: what that may not do, the object may not either. Derive Key refuses who asks for less
//! protection; Join Split Key and Import, whose requests carry the attributes of an object that was, tighten it.

use kmip_codec::Value;
use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::types::Attribute;

use super::new_object::Given;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Permitted;

/// The strictest of the flags that what it comes from has: the keys that it is derived from, the parts that are joined, the
/// key that unwraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parents {
    /// Whether one is Sensitive.
    sensitive: bool,
    /// Whether all are Extractable.
    extractable: bool,
    /// Whether all are Always Sensitive.
    always_sensitive: bool,
    /// Whether all are Never Extractable.
    never_extractable: bool,
}

impl Parents {
    /// Of these objects.
    pub fn of<'a>(parents: impl IntoIterator<Item = &'a Permitted>) -> Self {
        let flag = |parent: &Permitted, tag| parent.attributes.boolean(tag).unwrap_or(false);
        let mut flags = Self { sensitive: false, extractable: true, always_sensitive: true, never_extractable: true };
        for parent in parents {
            flags.sensitive |= parent.is_sensitive();
            flags.extractable &= parent.is_extractable();
            flags.always_sensitive &= flag(parent, Tag::AlwaysSensitive);
            flags.never_extractable &= flag(parent, Tag::NeverExtractable);
        }
        flags
    }

    /// Which of Sensitive and Extractable they decide, and how.
    pub fn guards(&self) -> Vec<(Tag, bool)> {
        let rules = [(Tag::Sensitive, true, self.sensitive), (Tag::Extractable, false, !self.extractable)];
        rules.into_iter().filter(|rule| rule.2).map(|(tag, strict, _)| (tag, strict)).collect()
    }

    /// Lets what they have opened leave, hidden or in the clear, as they may themselves.
    ///
    /// # Errors
    /// Not Extractable; Sensitive.
    pub fn let_go(&self, hidden: bool) -> Outcome<()> {
        let (reason, why) = match self {
            Self { extractable: false, .. } => {
                (ResultReason::NotExtractable, "the key that opens the object is not Extractable")
            }
            Self { sensitive: true, .. } if !hidden => (
                ResultReason::Sensitive,
                "the key that opens the object is Sensitive: what it opens leaves only wrapped",
            ),
            _ => return Ok(()),
        };
        Err(Failure::new(reason, why))
    }

    /// What they may not do, the object may not either, whatever the request says. Its history is not better than theirs; and
    /// an object that comes from elsewhere was known there, unless both say that it never was.
    pub fn restrict(&self, given: &mut Given) {
        let rules = [
            (Tag::AlwaysSensitive, self.always_sensitive, (Tag::Sensitive, true)),
            (Tag::NeverExtractable, self.never_extractable, (Tag::Extractable, false)),
        ];
        for (history, theirs, (flag, strict)) in rules {
            let own =
                !given.is_carried() || given.boolean(history) == Some(true) && given.boolean(flag) == Some(strict);
            if !(own && theirs) {
                set(given, history, false);
            }
        }
        for (tag, strict) in self.guards() {
            set(given, tag, strict);
        }
    }
}

fn set(given: &mut Given, tag: Tag, value: bool) {
    given.attributes.retain(|attribute| attribute.tag != tag);
    given.attributes.push(Attribute::new(tag, Value::Boolean(value)));
}
