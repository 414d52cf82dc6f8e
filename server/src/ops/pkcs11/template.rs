//! Templates of objects to be: what they say becomes attributes, and nothing that they say is passed over.

use cryptoki_sys as ck;
use kmip_codec::Value as Kmip;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, Pkcs11ReturnCode as Code, Tag,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, UniqueIdentifier};

use super::Call;
use super::attributes::{self, Read};
use super::classes::{self, Class};
use super::codec::{Entry, Given, Value};
use super::codes::Done;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyformat;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// A template whose attributes have values.
pub struct Template<'a>(Vec<(u64, Value<'a>)>);

impl<'a> Template<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// TEMPLATE_INCOMPLETE for an attribute without a value, TEMPLATE_INCONSISTENT for one that comes twice.
    pub fn new(entries: Vec<Entry<'a>>) -> Done<Self> {
        let mut all: Vec<(u64, Value<'a>)> = Vec::with_capacity(entries.len());
        for Entry { kind, given } in entries {
            let Given::Value(value) = given else { return Err(Code::TemplateIncomplete.into()) };
            if all.iter().any(|(other, _)| *other == kind) {
                return Err(Code::TemplateInconsistent.into());
            }
            all.push((kind, value));
        }
        Ok(Self(all))
    }

    /// Adds an attribute of which it says nothing.
    pub fn otherwise(&mut self, kind: u64, value: Value<'a>) {
        if self.get(kind).is_none() {
            self.0.push((kind, value));
        }
    }

    /// Its attributes.
    pub fn iter(&self) -> impl Iterator<Item = &(u64, Value<'a>)> {
        self.0.iter()
    }

    fn get(&self, kind: u64) -> Option<&Value<'a>> {
        self.0.iter().find(|(other, _)| *other == kind).map(|(_, value)| value)
    }

    /// A CK_BBOOL.
    pub fn boolean(&self, kind: u64) -> Option<bool> {
        match self.get(kind) {
            Some(Value::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// A CK_ULONG.
    pub fn ulong(&self, kind: u64) -> Option<u64> {
        match self.get(kind) {
            Some(Value::Ulong(value)) => Some(*value),
            _ => None,
        }
    }

    /// A CK_ULONG that must be there.
    ///
    /// # Errors
    /// TEMPLATE_INCOMPLETE.
    pub fn needed_ulong(&self, kind: u64) -> Done<u64> {
        self.ulong(kind).ok_or_else(|| Code::TemplateIncomplete.into())
    }

    /// A byte string.
    pub fn bytes(&self, kind: u64) -> Option<&'a [u8]> {
        match self.get(kind) {
            Some(Value::Bytes(value)) => Some(value),
            _ => None,
        }
    }

    /// A byte string that must be there.
    ///
    /// # Errors
    /// TEMPLATE_INCOMPLETE.
    pub fn needed(&self, kind: u64) -> Done<&'a [u8]> {
        self.bytes(kind).ok_or_else(|| Code::TemplateIncomplete.into())
    }

    /// Whether the object stays when the session ends.
    pub fn is_lasting(&self) -> bool {
        self.boolean(ck::CKA_TOKEN) == Some(true)
    }

    /// The algorithm of its key.
    ///
    /// # Errors
    /// TEMPLATE_INCOMPLETE without a CKA_KEY_TYPE, ATTRIBUTE_VALUE_INVALID for one that the token does not have.
    pub fn algorithm(&self) -> Done<Algorithm> {
        let key_type = self.needed_ulong(ck::CKA_KEY_TYPE)?;
        classes::algorithms(key_type).first().copied().ok_or_else(|| Code::AttributeValueInvalid.into())
    }

    /// The length of its secret key in bytes, as CKA_VALUE_LEN says, or as all keys of the type have it.
    ///
    /// # Errors
    /// TEMPLATE_INCOMPLETE.
    pub fn length(&self, algorithm: Algorithm) -> Done<u64> {
        match (self.ulong(ck::CKA_VALUE_LEN), algorithm) {
            (None, Algorithm::ChaCha20 | Algorithm::Poly1305) => Ok(32),
            _ => self.needed_ulong(ck::CKA_VALUE_LEN),
        }
    }

    /// The label.
    ///
    /// # Errors
    /// ATTRIBUTE_VALUE_INVALID for one that is no UTF-8.
    pub fn label(&self) -> Done<Option<&'a str>> {
        let label = self.bytes(ck::CKA_LABEL).filter(|label| !label.is_empty());
        label.map(std::str::from_utf8).transpose().map_err(|_| Code::AttributeValueInvalid.into())
    }

    /// What it may be used for: what is usual, where nothing is said of it.
    fn usage(&self, class: Class, algorithm: Algorithm) -> Mask {
        let said = || self.0.iter().filter_map(|(kind, value)| Some((class.usage(*kind)?, value)));
        if said().next().is_none() {
            return class.usual(algorithm);
        }
        said().filter(|(_, value)| **value == Value::Bool(true)).fold(Mask::empty(), |all, (bit, _)| all | bit)
    }

    /// The attributes of the new object, but for its label. A key is active at once, as an application expects it.
    pub fn attributes(&self, call: &Call<'_>, class: Class, algorithm: Option<Algorithm>) -> Vec<Attribute> {
        let mut list = Vec::new();
        if let Some(algorithm) = algorithm {
            let bits = self.usage(class, algorithm).bits().cast_signed();
            list.push(Attribute::new(Tag::CryptographicUsageMask, Kmip::Integer(bits)));
        }
        if class != Class::Data {
            list.push(Attribute::new(Tag::ActivationDate, Kmip::DateTime(call.view.now())));
        }
        for (kind, tag) in [(ck::CKA_SENSITIVE, Tag::Sensitive), (ck::CKA_EXTRACTABLE, Tag::Extractable)] {
            list.extend(self.boolean(kind).map(|value| Attribute::new(tag, Kmip::Boolean(value))));
        }
        list.extend(self.bytes(ck::CKA_ID).filter(|id| !id.is_empty()).map(classes::id));
        list.extend(self.ulong(ck::CKA_KEY_TYPE).and_then(classes::mark_of));
        let recovers = match class {
            Class::Private => self.boolean(ck::CKA_SIGN_RECOVER),
            Class::Public => self.boolean(ck::CKA_VERIFY_RECOVER),
            _ => None,
        };
        list.extend(recovers.filter(|recovers| *recovers).map(|_| classes::recovery()));
        if !self.is_lasting() {
            list.extend(classes::session(&call.name));
        }
        list
    }

    /// The object that was made is what the template says. Answers its handle.
    ///
    /// # Errors
    /// TEMPLATE_INCONSISTENT; ATTRIBUTE_TYPE_INVALID for what such objects do not have.
    pub fn made(&self, view: &mut View, identifier: &Text) -> Done<u64> {
        let object = view.open(Some(&UniqueIdentifier::Text(identifier.clone())), Use::ReadAttributes)?;
        let class = Class::of(&object).ok_or(Code::TemplateInconsistent)?;
        for (kind, value) in &self.0 {
            // Who may see what is the certificate's matter, and a login makes no difference. A value is what it was made of.
            let is_source = *kind == ck::CKA_VALUE
                || class == Class::Private && matches!(*kind, ck::CKA_MODULUS | ck::CKA_PUBLIC_EXPONENT);
            if *kind == ck::CKA_PRIVATE || is_source || attributes::is_secret(class, *kind) {
                continue;
            }
            // An empty one is as none.
            if *kind == ck::CKA_ID && *value == Value::Bytes(&[]) {
                continue;
            }
            let is_so = match (*kind, value) {
                // What has two names.
                (ck::CKA_KEY_TYPE, Value::Ulong(named)) => classes::is_of_type(&object, *named),
                (ck::CKA_EC_PARAMS, Value::Bytes(given)) => is_curve(view, &object, given)?,
                _ => false,
            };
            if is_so {
                continue;
            }
            match attributes::read(view, &object, class, *kind)? {
                Read::Value(own) if own.is(value) => {}
                Read::Unknown => return Err(Code::AttributeTypeInvalid.into()),
                Read::Value(_) | Read::Sensitive => return Err(Code::TemplateInconsistent.into()),
            }
        }
        Ok(object.sequence)
    }
}

/// Whether a key is on the curve that CKA_EC_PARAMS name, by its number or by its name.
fn is_curve(view: &mut View, object: &Permitted, parameters: &[u8]) -> Done<bool> {
    Ok(match view.key_kind(object)? {
        KeyKind::Edwards { curve } => keyformat::edwards_of_parameters(parameters) == Ok(curve),
        _ => false,
    })
}
