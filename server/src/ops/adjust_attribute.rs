//! Adjust Attribute (KMIP 2.1 §6.1.3).

use kmip_codec::spec::{AdjustmentType, AttributeKind, ResultReason, Tag, attribute_by_tag};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, AttributeReference, AttributeReferences, UniqueIdentifier};
use kmip_codec::{Element, Value};

use super::Handler;
use super::activate::Response;
use super::attribute;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The attribute; one.
        pub attribute: AttributeReferences = AttributeReference,
        /// What is done to its value.
        pub adjustment_type: AdjustmentType = AdjustmentType,
        /// By how much; 1, or a second, where it is left out.
        pub adjustment_value: Option<Element> = AdjustmentValue,
    }
}

/// Adjust Attribute. The answer is that of Activate.
pub struct AdjustAttribute;

impl Handler for AdjustAttribute {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ChangeAttributes).map_err(listed)?;
        if object.is_archived() {
            return Err(Failure::new(ResultReason::ObjectArchived, "the object is archived: Recover brings it back"));
        }
        let [reference] = request.attribute.0.as_slice() else {
            return Err(Failure::invalid_field("one attribute is adjusted at a time"));
        };
        let by = request.adjustment_value.map(|element| element.value);
        let before = present(&object, reference)?;
        let after = adjusted(&before.value, request.adjustment_type, by.as_ref())?;
        attribute::put(view, &object, Attribute { index: None, ..after_of(before, after) }).map_err(listed)?;
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// The attribute as it is, or with the value that the standard takes for an absent one.
fn present(object: &Permitted, reference: &AttributeReference) -> Outcome<Attribute> {
    let mut all = object.attributes.all(reference);
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(_), Some(_)) => Err(Failure::new(
            ResultReason::MultiValuedAttribute,
            "the object has several instances of the attribute: none of them is adjusted",
        )),
        (None, _) => match reference {
            AttributeReference::Tag(tag) => Ok(Attribute::new(*tag, nothing(*tag)?)),
            AttributeReference::Vendor { .. } => Err(absent()),
        },
    }
}

/// The value that an absent attribute is taken to have.
fn nothing(tag: Tag) -> Outcome<Value> {
    match attribute_by_tag(tag).map(|row| row.kind) {
        Some(AttributeKind::Integer | AttributeKind::Mask(_)) => Ok(Value::Integer(0)),
        Some(AttributeKind::LongInteger) => Ok(Value::LongInteger(0)),
        Some(AttributeKind::BigInteger) => Ok(Value::BigInteger(Blob::copy_of(&[0; 8]))),
        Some(AttributeKind::Interval) => Ok(Value::Interval(0)),
        Some(AttributeKind::Boolean) => Ok(Value::Boolean(false)),
        Some(AttributeKind::DateTime) => Err(absent()),
        _ => Err(wrong_type("a value of that type is not adjusted")),
    }
}

/// The attribute with another value; a vendor's has it within.
fn after_of(before: Attribute, value: Value) -> Attribute {
    let value = match before.value {
        Value::Structure(fields) if before.tag == Tag::Attribute => Value::Structure(
            fields
                .into_iter()
                .map(
                    |field| {
                        if field.tag == Tag::AttributeValue { Element::new(field.tag, value.clone()) } else { field }
                    },
                )
                .collect(),
        ),
        _ => value,
    };
    Attribute { value, ..before }
}

fn adjusted(value: &Value, how: AdjustmentType, by: Option<&Value>) -> Outcome<Value> {
    match how {
        AdjustmentType::Negate if by.is_some() => {
            Err(Failure::invalid_field("what is negated is not adjusted by a value"))
        }
        AdjustmentType::Negate => negated(value),
        AdjustmentType::Increment => moved(value, by, false),
        AdjustmentType::Decrement => moved(value, by, true),
        other => Err(Failure::invalid_field(format!("there is no Adjustment Type {other}"))),
    }
}

fn negated(value: &Value) -> Outcome<Value> {
    match value {
        Value::Integer(number) => number.checked_neg().map(Value::Integer).ok_or_else(out_of_range),
        Value::LongInteger(number) => number.checked_neg().map(Value::LongInteger).ok_or_else(out_of_range),
        Value::BigInteger(number) => Ok(Value::BigInteger(big::negated(number))),
        Value::Boolean(flag) => Ok(Value::Boolean(!flag)),
        Value::Structure(_) if inner(value).is_some() => inner(value).map_or_else(|| Err(absent()), negated),
        _ => Err(wrong_type("a value of that type has no opposite")),
    }
}

fn moved(value: &Value, by: Option<&Value>, down: bool) -> Outcome<Value> {
    let amount = |by: Option<&Value>| match by {
        None => Ok(1),
        Some(Value::Integer(by)) => Ok(i64::from(*by)),
        Some(Value::LongInteger(by)) => Ok(*by),
        Some(Value::Interval(by)) => Ok(i64::from(*by)),
        Some(_) => Err(wrong_type("the Adjustment Value is no number")),
    };
    let sum = |number: i64| {
        let amount = amount(by)?;
        let sum = if down { number.checked_sub(amount) } else { number.checked_add(amount) };
        sum.ok_or_else(out_of_range)
    };
    match value {
        Value::Integer(number) => i32::try_from(sum((*number).into())?).map(Value::Integer).map_err(|_| out_of_range()),
        Value::LongInteger(number) => Ok(Value::LongInteger(sum(*number)?)),
        Value::Interval(number) => {
            u32::try_from(sum((*number).into())?).map(Value::Interval).map_err(|_| out_of_range())
        }
        Value::DateTime(number) => Ok(Value::DateTime(sum(*number)?)),
        Value::DateTimeExtended(number) => Ok(Value::DateTimeExtended(sum(*number)?)),
        Value::BigInteger(number) => {
            let by = match by {
                Some(Value::BigInteger(by)) => by.clone(),
                other => Blob::copy_of(&amount(other)?.to_be_bytes()),
            };
            let by = if down { big::negated(&by) } else { by };
            Ok(Value::BigInteger(big::sum(number, &by)))
        }
        Value::Structure(_) if inner(value).is_some() => {
            inner(value).map_or_else(|| Err(absent()), |v| moved(v, by, down))
        }
        _ => Err(wrong_type("a value of that type is not counted up or down")),
    }
}

/// The value within a Vendor Attribute.
fn inner(value: &Value) -> Option<&Value> {
    value.find(Tag::VendorIdentification)?;
    value.find(Tag::AttributeValue)
}

fn absent() -> Failure {
    Failure::new(ResultReason::ItemNotFound, "the object has no such attribute to adjust")
}

fn wrong_type(why: &str) -> Failure {
    Failure::new(ResultReason::InvalidDataType, why)
}

fn out_of_range() -> Failure {
    Failure::new(ResultReason::NumericRange, "the adjusted value does not fit the attribute's type")
}

/// The reasons as the operation's own table has them (KMIP 2.1 §6.1.3.1).
fn listed(failure: Failure) -> Failure {
    let reason = match failure.reason {
        ResultReason::ObjectNotFound => ResultReason::ItemNotFound,
        ResultReason::InvalidAttribute => ResultReason::UnsupportedAttribute,
        ResultReason::AttributeReadOnly => ResultReason::ReadOnlyAttribute,
        reason => reason,
    };
    Failure { reason, ..failure }
}

/// Big Integers: two's complement, the highest byte first, a multiple of 8 bytes long.
mod big {
    use kmip_codec::ttlv::Blob;

    /// The number with the other sign.
    pub(super) fn negated(number: &[u8]) -> Blob {
        let flipped: Vec<u8> = widened(number, number.len() + 1).into_iter().map(|byte| !byte).collect();
        sum(&flipped, &[1])
    }

    /// The sum.
    pub(super) fn sum(one: &[u8], other: &[u8]) -> Blob {
        let length = one.len().max(other.len()) + 1;
        let mut carry = 0_u16;
        let mut bytes: Vec<u8> = Vec::with_capacity(length);
        for (a, b) in widened(one, length).into_iter().rev().zip(widened(other, length).into_iter().rev()) {
            carry += u16::from(a) + u16::from(b);
            bytes.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
        bytes.reverse();
        Blob::new(fitted(&bytes))
    }

    fn sign(number: &[u8]) -> u8 {
        if number.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 }
    }

    fn widened(number: &[u8], length: usize) -> Vec<u8> {
        let mut bytes = vec![sign(number); length.saturating_sub(number.len())];
        bytes.extend_from_slice(number);
        bytes
    }

    /// As short as it can be.
    fn fitted(number: &[u8]) -> Vec<u8> {
        let fill = sign(number);
        let mut rest = number;
        while let [first, tail @ ..] = rest
            && *first == fill
            && !tail.is_empty()
            && sign(tail) == fill
        {
            rest = tail;
        }
        widened(rest, rest.len().div_ceil(8) * 8)
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask as Mask, Version};

    use super::*;
    use crate::ops::archive::Archive;
    use crate::view::testing::Bench;

    fn text(tag: Tag, text: &str) -> Element {
        Element::new(tag, Value::TextString(text.into()))
    }

    fn vendor(name: &str, value: Value) -> (Tag, Value) {
        let fields = vec![
            text(Tag::VendorIdentification, "acme"),
            text(Tag::AttributeName, name),
            Element::new(Tag::AttributeValue, value),
        ];
        (Tag::Attribute, Value::Structure(fields))
    }

    fn named(name: &str) -> AttributeReference {
        AttributeReference::Vendor { vendor: "acme".into(), name: name.into() }
    }

    fn key(bench: &Bench, more: Vec<(Tag, Value)>) -> UniqueIdentifier {
        bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, more)
    }

    fn adjust(
        bench: &Bench,
        key: &UniqueIdentifier,
        reference: AttributeReference,
        how: AdjustmentType,
        by: Option<Value>,
    ) -> Result<(), ResultReason> {
        let request = Request {
            unique_identifier: Some(key.clone()),
            attribute: AttributeReferences(vec![reference]),
            adjustment_type: how,
            adjustment_value: by.map(|value| Element::new(Tag::AdjustmentValue, value)),
        };
        bench.run::<AdjustAttribute>(Version::V2_1, request).map(|_| ()).map_err(|failure| failure.reason)
    }

    fn value(bench: &Bench, key: &UniqueIdentifier, reference: &AttributeReference) -> Vec<Value> {
        let object = bench.view(Version::V2_1).open(Some(key), Use::ReadAttributes).unwrap();
        let inner = |value: &Value| inner(value).unwrap_or(value).clone();
        object.attributes.all(reference).map(|attribute| inner(&attribute.value)).collect()
    }

    #[test]
    fn numbers_go_up_and_down_and_change_their_sign() {
        use AdjustmentType as How;
        let big = |number: i64| Value::BigInteger(Blob::copy_of(&number.to_be_bytes()));
        let long = Value::LongInteger;
        let cases = [
            (Value::Integer(5), How::Increment, None, Value::Integer(6)),
            (Value::Integer(5), How::Decrement, Some(Value::Integer(7)), Value::Integer(-2)),
            (Value::Integer(5), How::Negate, None, Value::Integer(-5)),
            (long(5), How::Increment, Some(long(1 << 40)), long((1 << 40) + 5)),
            (long(-5), How::Negate, None, long(5)),
            (big(0), How::Decrement, None, big(-1)),
            (big(-1), How::Increment, Some(big(256)), big(255)),
            (big(7), How::Negate, None, big(-7)),
            (Value::Interval(5), How::Decrement, Some(Value::Interval(5)), Value::Interval(0)),
            (Value::DateTime(5), How::Increment, Some(Value::Interval(60)), Value::DateTime(65)),
            (Value::Boolean(false), How::Negate, None, Value::Boolean(true)),
        ];
        for (before, how, by, after) in cases {
            let bench = Bench::new();
            let key = key(&bench, vec![vendor("n", before.clone())]);
            assert_eq!(adjust(&bench, &key, named("n"), how, by), Ok(()), "{before:?} {how}");
            assert_eq!(value(&bench, &key, &named("n")), [after], "{before:?} {how}");
        }
        // A carry out of eight bytes makes it longer, and a borrow shorter again.
        let bench = Bench::new();
        let key = key(&bench, vec![vendor("n", big(i64::MAX))]);
        adjust(&bench, &key, named("n"), How::Increment, None).unwrap();
        let wide = [[0; 8], i64::MIN.to_be_bytes()].concat();
        assert_eq!(value(&bench, &key, &named("n")), [Value::BigInteger(Blob::new(wide))]);
        adjust(&bench, &key, named("n"), How::Decrement, None).unwrap();
        assert_eq!(value(&bench, &key, &named("n")), [big(i64::MAX)]);
    }

    #[test]
    fn what_is_absent_counts_from_nothing() {
        let bench = Bench::new();
        let key = key(&bench, Vec::new());
        let period = AttributeReference::Tag(Tag::ProtectionPeriod);
        adjust(&bench, &key, period.clone(), AdjustmentType::Increment, Some(Value::Interval(30))).unwrap();
        assert_eq!(value(&bench, &key, &period), [Value::Interval(30)]);
        let automatic = AttributeReference::Tag(Tag::RotateAutomatic);
        adjust(&bench, &key, automatic.clone(), AdjustmentType::Negate, None).unwrap();
        assert_eq!(value(&bench, &key, &automatic), [Value::Boolean(true)]);
        let stop = AttributeReference::Tag(Tag::ProtectStopDate);
        let gone = adjust(&bench, &key, stop, AdjustmentType::Increment, None);
        assert_eq!(gone, Err(ResultReason::ItemNotFound));
    }

    #[test]
    fn each_documented_error() {
        use AdjustmentType as How;
        use ResultReason as R;
        let bench = Bench::new();
        let group = |name: &str| (Tag::ObjectGroup, Value::TextString(name.into()));
        let more = vec![
            vendor("top", Value::Integer(i32::MAX)),
            vendor("time", Value::Interval(0)),
            vendor("word", Value::TextString("w".into())),
            group("a"),
            group("b"),
        ];
        let key = key(&bench, more);
        let tag = AttributeReference::Tag;
        let cases = [
            (named("top"), How::Increment, None, R::NumericRange),
            (named("time"), How::Decrement, None, R::NumericRange),
            (named("time"), How::Negate, None, R::InvalidDataType),
            (named("word"), How::Increment, None, R::InvalidDataType),
            (named("top"), How::Increment, Some(Value::Boolean(true)), R::InvalidDataType),
            (named("top"), How::Negate, Some(Value::Integer(1)), R::InvalidField),
            (named("top"), How(77), None, R::InvalidField),
            (named("none"), How::Increment, None, R::ItemNotFound),
            (tag(Tag::ObjectGroup), How::Increment, None, R::MultiValuedAttribute),
            (tag(Tag::CryptographicLength), How::Increment, None, R::ReadOnlyAttribute),
            (tag(Tag::LeaseTime), How::Increment, None, R::ReadOnlyAttribute),
            (tag(Tag::CertificateLength), How::Increment, None, R::UnsupportedAttribute),
        ];
        for (reference, how, by, reason) in cases {
            assert_eq!(adjust(&bench, &key, reference.clone(), how, by), Err(reason), "{reference:?} {how}");
        }
        let nobody = UniqueIdentifier::Text("nobody".into());
        assert_eq!(adjust(&bench, &nobody, named("top"), How::Increment, None), Err(R::ItemNotFound));
        bench
            .run::<Archive>(Version::V2_1, crate::ops::activate::Request { unique_identifier: Some(key.clone()) })
            .unwrap();
        assert_eq!(adjust(&bench, &key, named("top"), How::Decrement, None), Err(R::ObjectArchived));
    }
}
