//! What Create, Create Key Pair and Register have in common: the attributes that a client gives a new object.

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm, KeyFormatType, LinkType, ObjectType, RecommendedCurve, ResultReason, SecretDataType, Tag,
    Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, Attributes, Link, UniqueIdentifier};

use crate::failure::{Failure, Outcome};
use crate::object::rules;
use crate::trust::policy::Use;
use crate::view::{View, value_of};

/// The attributes that a client gives a new object, as the rules admit them.
#[derive(Debug, Clone)]
pub struct Given {
    /// The attributes.
    pub attributes: Vec<Attribute>,
    object_type: ObjectType,
    version: Version,
}

impl Given {
    /// Checks them.
    ///
    /// # Errors
    /// What [`rules::admit`] says; Application Namespace Not Supported; templates are refused until the server has them.
    pub fn admit(view: &View, attributes: Attributes, object_type: ObjectType) -> Outcome<Self> {
        if !attributes.templates.is_empty() {
            return Err(Failure::new(ResultReason::ItemNotFound, "there is no Template of that Name"));
        }
        let list = attributes.list.into_iter().map(|attribute| view.complete(attribute)).collect::<Outcome<_>>()?;
        let attributes = rules::admit(list, object_type, view.version())?;
        Ok(Self { attributes, object_type, version: view.version() })
    }

    /// The attributes of a replacement, which come from an object that the rules admitted once.
    pub fn inherited(view: &View, attributes: Vec<Attribute>, object_type: ObjectType) -> Self {
        Self { attributes, object_type, version: view.version() }
    }

    /// Checks them, after the server's defaults were put where the client says nothing: for objects that the server makes.
    ///
    /// # Errors
    /// As [`Given::admit`].
    pub fn with_defaults(view: &mut View, mut attributes: Attributes, object_type: ObjectType) -> Outcome<Self> {
        view.default_attributes(&mut attributes.list, object_type)?;
        Self::admit(view, attributes, object_type)
    }

    fn get(&self, tag: Tag) -> Option<&Value> {
        self.attributes.iter().find(|attribute| attribute.tag == tag).map(|attribute| &attribute.value)
    }

    /// Whether the client gives the attribute.
    pub fn has(&self, tag: Tag) -> bool {
        self.get(tag).is_some()
    }

    fn enumeration(&self, tag: Tag) -> Option<u32> {
        match self.get(tag) {
            Some(&Value::Enumeration(code)) => Some(code),
            _ => None,
        }
    }

    /// Cryptographic Algorithm; versions before 2.0 require it.
    ///
    /// # Errors
    /// Invalid Attribute.
    pub fn algorithm(&self) -> Outcome<Option<CryptographicAlgorithm>> {
        let algorithm = self.enumeration(Tag::CryptographicAlgorithm).map(CryptographicAlgorithm);
        if algorithm.is_none() && !self.version.is_v2() {
            return Err(self.missing(Tag::CryptographicAlgorithm));
        }
        Ok(algorithm)
    }

    /// Cryptographic Algorithm, where the client says it.
    pub fn stated_algorithm(&self) -> Option<CryptographicAlgorithm> {
        self.enumeration(Tag::CryptographicAlgorithm).map(CryptographicAlgorithm)
    }

    /// Secret Data Type, where the client says it.
    pub fn secret_data_type(&self) -> Option<SecretDataType> {
        self.enumeration(Tag::SecretDataType).map(SecretDataType)
    }

    /// Cryptographic Length, in bits; positive.
    ///
    /// # Errors
    /// Invalid Attribute Value.
    pub fn length(&self) -> Outcome<Option<i32>> {
        match self.get(Tag::CryptographicLength) {
            Some(&Value::Integer(bits)) if bits > 0 => Ok(Some(bits)),
            Some(_) => Err(Failure::new(ResultReason::InvalidAttributeValue, "Cryptographic Length must be positive")),
            None => Ok(None),
        }
    }

    /// Recommended Curve of Cryptographic Domain Parameters.
    pub fn curve(&self) -> Option<RecommendedCurve> {
        match self.get(Tag::CryptographicDomainParameters)?.find(Tag::RecommendedCurve) {
            Some(&Value::Enumeration(code)) => Some(RecommendedCurve(code)),
            _ => None,
        }
    }

    /// Key Format Type that the client wants.
    pub fn format(&self) -> Option<KeyFormatType> {
        self.enumeration(Tag::KeyFormatType).map(KeyFormatType)
    }

    /// Extractable, where the client says it.
    pub fn extractable(&self) -> Option<bool> {
        self.boolean(Tag::Extractable)
    }

    /// An attribute that is true or false, where the client says it.
    pub fn boolean(&self, tag: Tag) -> Option<bool> {
        match self.get(tag) {
            Some(&Value::Boolean(value)) => Some(value),
            _ => None,
        }
    }

    fn missing(&self, tag: Tag) -> Failure {
        Failure::new(ResultReason::InvalidAttribute, format!("a new {} needs a {tag}", self.object_type))
    }
}

/// Links an object with another.
///
/// # Errors
/// What the view says of the object.
pub(super) fn link(view: &mut View, from: &Text, kind: LinkType, to: &Text) -> Outcome<()> {
    let link = Link { kind, linked: UniqueIdentifier::Text(to.clone()) };
    let Some(value) = value_of(&link, Tag::Link) else { return Err(Failure::internal("a Link cannot be written")) };
    let object = view.open(Some(&UniqueIdentifier::Text(from.clone())), Use::ChangeAttributes)?;
    view.edit(&object, |object| {
        object.attributes.add(Attribute::new(Tag::Link, value));
        Ok(())
    })
}
