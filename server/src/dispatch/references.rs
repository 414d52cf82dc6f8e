//! What later items of a message may refer to: the forms of Unique Identifier beyond text (KMIP 2.1 §4.58, §11.58).

use kmip_codec::spec::{DataEnumeration, Operation, ResultReason, Tag, UniqueIdentifierEnumeration as Named};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::{Element, Value};

use crate::failure::{Failure, Outcome};

/// The identifiers of the answers so far.
#[derive(Debug, Default)]
pub(super) struct References {
    /// All of them, in the order of the response.
    all: Vec<Text>,
    /// Those of the last answer to each operation.
    last: Vec<(Operation, Vec<Text>)>,
    /// The data of the answers, with their operations.
    data: Vec<(Operation, Blob)>,
}

impl References {
    /// Notes the identifiers of an answer.
    pub(super) fn note(&mut self, operation: Operation, identifiers: &[Text]) {
        self.all.extend_from_slice(identifiers);
        self.last.retain(|(other, _)| *other != operation);
        self.last.push((operation, identifiers.to_vec()));
    }

    /// Notes the data of an answer.
    pub(super) fn note_data(&mut self, operation: Operation, data: Option<Blob>) {
        self.data.extend(data.map(|data| (operation, data)));
    }

    /// The data that a value means (§7.9): that of the last answer to an operation, or one by its place, from the first of
    /// the response or back from the item at hand.
    fn data(&self, value: &Value) -> Outcome<Option<Blob>> {
        let found = match value {
            Value::Enumeration(code) => {
                let operation = match DataEnumeration(*code) {
                    DataEnumeration::Decrypt => Operation::Decrypt,
                    DataEnumeration::Encrypt => Operation::Encrypt,
                    DataEnumeration::Hash => Operation::Hash,
                    DataEnumeration::MACMACData => Operation::MAC,
                    DataEnumeration::RNGRetrieve => Operation::RNGRetrieve,
                    DataEnumeration::SignSignatureData => Operation::Sign,
                    DataEnumeration::SignatureVerify => Operation::SignatureVerify,
                    other => return Err(Failure::invalid_field(format!("there is no Data {other}"))),
                };
                self.data.iter().rev().find(|(other, _)| *other == operation)
            }
            Value::Integer(number) => match usize::try_from(*number) {
                Ok(place) => self.data.get(place),
                Err(_) => usize::try_from(number.unsigned_abs())
                    .ok()
                    .and_then(|back| self.data.len().checked_sub(back))
                    .and_then(|place| self.data.get(place)),
            },
            _ => return Ok(None),
        };
        match found {
            Some((_, data)) => Ok(Some(data.clone())),
            None => Err(Failure::invalid_field("the Data refers to no data of this message")),
        }
    }

    /// Turns every Unique Identifier of a payload into text, and its Data into bytes. If one at the top means several objects, the operation is to
    /// be repeated for each: one payload comes back for each of them, the first one apart.
    ///
    /// # Errors
    /// Object Not Found for a reference to nothing; Invalid Field for one to several objects where one must be meant.
    pub(super) fn resolve(&self, payload: Element, placeholder: Option<&Text>) -> Outcome<(Element, Vec<Element>)> {
        let Value::Structure(mut elements) = payload.value else { return Ok((payload, Vec::new())) };
        let mut repeated: Option<(usize, Vec<Text>)> = None;
        for (place, element) in elements.iter_mut().enumerate() {
            if element.tag == Tag::Data {
                if let Some(data) = self.data(&element.value)? {
                    element.value = Value::ByteString(data);
                }
                continue;
            }
            if !matches!(element.tag, Tag::UniqueIdentifier | Tag::PrivateKeyUniqueIdentifier) {
                self.resolve_inner(element, placeholder)?;
                continue;
            }
            match (self.meant(&element.value, placeholder)?, &repeated) {
                (None, _) => {}
                (Some(several), None) if several.len() > 1 => repeated = Some((place, several)),
                (Some(one), _) => element.value = only(one)?,
            }
        }
        let payload =
            |elements| Element { tag: payload.tag, offset: payload.offset, value: Value::Structure(elements) };
        let Some((place, identifiers)) = repeated else { return Ok((payload(elements), Vec::new())) };
        let mut each = identifiers.into_iter().map(|identifier| {
            let mut elements = elements.clone();
            if let Some(element) = elements.get_mut(place) {
                element.value = Value::TextString(identifier);
            }
            payload(elements)
        });
        let first = each.next().unwrap_or_else(|| payload(Vec::new()));
        Ok((first, each.collect()))
    }

    /// Identifiers within structures: those of wrapping keys, links, and the like.
    fn resolve_inner(&self, element: &mut Element, placeholder: Option<&Text>) -> Outcome<()> {
        if matches!(element.tag, Tag::UniqueIdentifier | Tag::LinkedObjectIdentifier)
            && let Some(meant) = self.meant(&element.value, placeholder)?
        {
            element.value = only(meant)?;
        }
        if let Value::Structure(elements) = &mut element.value {
            for element in elements {
                self.resolve_inner(element, placeholder)?;
            }
        }
        Ok(())
    }

    /// The identifiers that a value means; `None` for text, which means itself.
    fn meant(&self, value: &Value, placeholder: Option<&Text>) -> Outcome<Option<Vec<Text>>> {
        let found = match value {
            Value::Enumeration(code) => self.named(Named(*code), placeholder)?,
            Value::Integer(number) => self.numbered(*number).into_iter().collect(),
            _ => return Ok(None),
        };
        if found.is_empty() {
            return Err(Failure::new(
                ResultReason::ObjectNotFound,
                "the Unique Identifier refers to no object of this message",
            ));
        }
        Ok(Some(found))
    }

    fn named(&self, named: Named, placeholder: Option<&Text>) -> Outcome<Vec<Text>> {
        let of = |operation| {
            let last = self.last.iter().find(|(other, _)| *other == operation);
            last.map(|(_, identifiers)| identifiers.clone()).unwrap_or_default()
        };
        let nth = |operation, place: usize| of(operation).into_iter().skip(place).take(1).collect();
        Ok(match named {
            Named::IDPlaceholder => placeholder.cloned().into_iter().collect(),
            Named::Certify => of(Operation::Certify),
            Named::Create => of(Operation::Create),
            Named::CreateKeyPair => of(Operation::CreateKeyPair),
            // Private key first: the order of the answer.
            Named::CreateKeyPairPrivateKey => nth(Operation::CreateKeyPair, 0),
            Named::CreateKeyPairPublicKey => nth(Operation::CreateKeyPair, 1),
            Named::CreateSplitKey => of(Operation::CreateSplitKey),
            Named::DeriveKey => of(Operation::DeriveKey),
            Named::Import => of(Operation::Import),
            Named::JoinSplitKey => of(Operation::JoinSplitKey),
            Named::Locate => of(Operation::Locate),
            Named::Register => of(Operation::Register),
            Named::ReKey => of(Operation::ReKey),
            Named::ReCertify => of(Operation::ReCertify),
            Named::ReKeyKeyPair => of(Operation::ReKeyKeyPair),
            Named::ReKeyKeyPairPrivateKey => nth(Operation::ReKeyKeyPair, 0),
            Named::ReKeyKeyPairPublicKey => nth(Operation::ReKeyKeyPair, 1),
            other => return Err(Failure::invalid_field(format!("there is no Unique Identifier {other}"))),
        })
    }

    /// From the first identifier of the response, or back from the item at hand.
    fn numbered(&self, number: i32) -> Option<Text> {
        let place = match usize::try_from(number) {
            Ok(place) => place,
            Err(_) => self.all.len().checked_sub(usize::try_from(number.unsigned_abs()).ok()?)?,
        };
        self.all.get(place).cloned()
    }
}

fn only(identifiers: Vec<Text>) -> Outcome<Value> {
    let mut identifiers = identifiers.into_iter();
    match (identifiers.next(), identifiers.next()) {
        (Some(identifier), None) => Ok(Value::TextString(identifier)),
        _ => Err(Failure::invalid_field("the Unique Identifier refers to several objects, and one must be meant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references() -> References {
        let mut references = References::default();
        references.note(Operation::Create, &["a".into()]);
        references.note(Operation::CreateKeyPair, &["p".into(), "q".into()]);
        references.note(Operation::Create, &["b".into()]);
        references
    }

    fn resolved(value: Value) -> Outcome<Vec<String>> {
        let payload =
            Element::new(Tag::RequestPayload, Value::Structure(vec![Element::new(Tag::UniqueIdentifier, value)]));
        let (first, others) = references().resolve(payload, Some(&"h".into()))?;
        let payloads = [vec![first], others].concat();
        let text =
            |payload: &Element| payload.value.find(Tag::UniqueIdentifier).and_then(Value::text).map(str::to_owned);
        Ok(payloads.iter().filter_map(text).collect())
    }

    #[test]
    fn names_mean_the_last_of_their_operation() {
        let named = |named: Named| resolved(Value::Enumeration(named.into()));
        assert_eq!(named(Named::Create), Ok(vec!["b".to_owned()]));
        assert_eq!(named(Named::IDPlaceholder), Ok(vec!["h".to_owned()]));
        assert_eq!(named(Named::CreateKeyPairPrivateKey), Ok(vec!["p".to_owned()]));
        assert_eq!(named(Named::CreateKeyPairPublicKey), Ok(vec!["q".to_owned()]));
        assert_eq!(named(Named::CreateKeyPair), Ok(vec!["p".to_owned(), "q".to_owned()]));
        assert_eq!(named(Named::Register).map_err(|failure| failure.reason), Err(ResultReason::ObjectNotFound));
        assert_eq!(named(Named(0x77)).map_err(|failure| failure.reason), Err(ResultReason::InvalidField));
    }

    #[test]
    fn data_is_that_of_an_earlier_item() {
        let mut references = references();
        for (operation, data) in [(Operation::Decrypt, "one"), (Operation::Hash, "two"), (Operation::Decrypt, "three")]
        {
            references.note_data(operation, Some(Blob::copy_of(data.as_bytes())));
        }
        references.note_data(Operation::Activate, None);
        let data = |value| {
            let data = references.data(&value).map_err(|failure| failure.reason)?;
            Ok(data.map(|data| String::from_utf8(data.to_vec()).unwrap()))
        };
        let named = |named: DataEnumeration| data(Value::Enumeration(named.into()));
        assert_eq!(named(DataEnumeration::Decrypt), Ok(Some("three".to_owned())));
        assert_eq!(named(DataEnumeration::Hash), Ok(Some("two".to_owned())));
        assert_eq!(named(DataEnumeration::Encrypt), Err(ResultReason::InvalidField));
        assert_eq!(data(Value::Integer(0)), Ok(Some("one".to_owned())));
        assert_eq!(data(Value::Integer(-1)), Ok(Some("three".to_owned())));
        assert_eq!(data(Value::Integer(3)), Err(ResultReason::InvalidField));
        assert_eq!(data(Value::Integer(-4)), Err(ResultReason::InvalidField));
        assert_eq!(data(Value::ByteString(Blob::copy_of(b"itself"))), Ok(None));
    }

    #[test]
    fn numbers_count_the_identifiers_of_the_response() {
        let numbered = |number| resolved(Value::Integer(number));
        assert_eq!(numbered(0), Ok(vec!["a".to_owned()]));
        assert_eq!(numbered(3), Ok(vec!["b".to_owned()]));
        assert_eq!(numbered(-1), Ok(vec!["b".to_owned()]));
        assert_eq!(numbered(-4), Ok(vec!["a".to_owned()]));
        assert!(numbered(4).is_err() && numbered(-5).is_err() && numbered(i32::MIN).is_err());
    }
}
