//! What the variables of a case stand for.

use std::collections::HashMap;

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::{Element, ItemType, Value};

use crate::node::sample;

/// The values of the variables, by name; a literal identifier of a case is a variable that is named by it.
#[derive(Clone)]
pub struct Bindings {
    values: HashMap<String, Value>,
    /// What answers have had so far, by tag.
    heard: HashMap<String, Vec<Value>>,
    start: i64,
    salt: u64,
}

/// Whether the server chooses the texts of this tag to name objects.
pub fn identifier_tag(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::UniqueIdentifier
            | Tag::PrivateKeyUniqueIdentifier
            | Tag::PublicKeyUniqueIdentifier
            | Tag::LinkedObjectIdentifier
    )
}

impl Bindings {
    /// None yet. `start` is the time that `$NOW` is, in seconds; `salt` makes invented values differ between runs.
    pub fn new(start: i64, salt: u64) -> Self {
        Self { values: HashMap::new(), heard: HashMap::new(), start, salt }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Takes note of every value of an answer.
    pub fn hear(&mut self, answer: &Element) {
        if let Value::Structure(inner) = &answer.value {
            inner.iter().for_each(|element| self.hear(element));
        } else {
            let upper = |c: char| if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
            let name = answer.tag.to_string().chars().map(upper).collect();
            self.heard.entry(name).or_default().push(answer.value.clone());
        }
    }

    /// What a request means by a variable that no answer of the case has: the value of the tag that it is named after, the
    /// last one or the one of its number. Some cases have a value written out and use it by that name afterwards.
    pub fn named_after(&self, name: &str, item: ItemType) -> Option<Value> {
        // An object that was not made must not be mistaken for another.
        if name.starts_with("UNIQUE_IDENTIFIER") {
            return None;
        }
        let (tag, number) = match name.rsplit_once('_').map(|(tag, number)| (tag, number.parse::<usize>())) {
            Some((tag, Ok(number))) => (tag, Some(number)),
            _ => (name, None),
        };
        let values = self.heard.get(tag)?;
        let value = number.map_or_else(|| values.last(), |number| values.get(number))?;
        (value.item_type() == item).then(|| value.clone())
    }

    /// Binds a variable.
    pub fn bind(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Whether another identifier has this value already.
    pub fn taken(&self, name: &str, value: &Value) -> bool {
        let identifier = |name: &str| name.starts_with("UNIQUE_IDENTIFIER_");
        identifier(name)
            && self.values.iter().any(|(other, bound)| other != name && identifier(other) && bound == value)
    }

    /// The time of the start, in seconds.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The date so many seconds from the start.
    pub fn date(&self, offset: i64, item: ItemType) -> Value {
        let seconds = self.start.saturating_add(offset);
        match item {
            ItemType::DateTimeExtended => Value::DateTimeExtended(seconds.saturating_mul(1_000_000)),
            _ => Value::DateTime(seconds),
        }
    }

    /// Binds a variable to a value made up for it.
    pub fn invent(&mut self, name: &str, item: ItemType) -> Value {
        let value = sample(name, item, self.salt);
        self.bind(name, value.clone());
        value
    }
}
