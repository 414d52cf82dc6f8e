//! What Create, Create Key Pair and Register have in common: the attributes that a client gives a new object.

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateType, CryptographicAlgorithm, KeyFormatType, LinkType, ObjectType, RecommendedCurve, ResultReason,
    SecretDataType, Tag, Version, attribute_by_tag,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, AttributeList, Attributes, Link, Template, UniqueIdentifier};

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
    carried: bool,
}

/// The attributes that a request gives, its templates' among them (KMIP 1.4 §4): of single-instance attributes the
/// request's own before those of the templates, and a later template's before an earlier one's; of multi-instance
/// attributes all.
///
/// # Errors
/// Item Not Found for a Template that does not exist.
pub fn resolve(view: &mut View, attributes: Attributes, object_type: ObjectType) -> Outcome<Vec<Attribute>> {
    let mut resolved: Vec<Attribute> = Vec::new();
    for name in &attributes.templates {
        let template = view.template(name)?;
        resolved = precede(template, resolved, object_type);
    }
    Ok(precede(attributes.list, resolved, object_type))
}

/// The attributes of both: of single-instance attributes those of `first` alone where it has them. Those of `second` come
/// first in number.
pub fn precede(first: Vec<Attribute>, second: Vec<Attribute>, object_type: ObjectType) -> Vec<Attribute> {
    if second.is_empty() {
        return first;
    }
    let stays = |attribute: &Attribute| {
        let is_multi = attribute_by_tag(attribute.tag).is_some_and(|row| row.is_multi(object_type));
        is_multi || !first.iter().any(|other| other.reference() == attribute.reference())
    };
    let mut merged: Vec<Attribute> = second.into_iter().filter(stays).collect();
    let kept = merged.len();
    for attribute in first {
        // One that both have, value and all, is taken once. Twice in one list is the rules' to judge.
        let same = |other: &Attribute| other.tag == attribute.tag && other.value == attribute.value;
        match merged.iter().position(same) {
            Some(place) if place < kept => {}
            _ => merged.push(attribute),
        }
    }
    merged
}

/// A Template as it is kept: attributes that a client may give a new object, and no Name, which would be the Name of all of
/// them (KMIP 1.4 §2.2.6, §11.4). Before 1.2 a Name within is the Template's own (KMIP 1.0 §2.2.6) and goes to `own`.
///
/// # Errors
/// Invalid Field for a Name since 1.2; what [`rules::admit`] says.
pub fn template(view: &View, template: Template, own: &mut Attributes) -> Outcome<Template> {
    let (names, list): (Vec<_>, Vec<_>) =
        template.attributes.0.into_iter().partition(|attribute| attribute.tag == Tag::Name);
    if view.version() < Version::V1_2 {
        own.list.extend(names);
    } else if !names.is_empty() {
        return Err(Failure::invalid_field("a Template has its Name beside it, not within"));
    }
    let attributes = AttributeList(rules::admit(list, ObjectType::Template, view.version())?);
    Ok(Template { attributes })
}

impl Given {
    /// Checks them.
    ///
    /// # Errors
    /// What [`rules::admit`] says; Application Namespace Not Supported; Item Not Found for a Template that does not exist.
    pub fn admit(view: &mut View, attributes: Attributes, object_type: ObjectType) -> Outcome<Self> {
        let list = resolve(view, attributes, object_type)?;
        let list = list.into_iter().map(|attribute| view.complete(attribute)).collect::<Outcome<_>>()?;
        let attributes = rules::admit(list, object_type, view.version())?;
        Ok(Self { attributes, object_type, version: view.version(), carried: false })
    }

    /// Checks those that an object brings from another server.
    ///
    /// # Errors
    /// What [`rules::carry`] says.
    pub fn carry(view: &View, attributes: Vec<Attribute>, object_type: ObjectType) -> Outcome<Self> {
        let attributes = rules::carry(attributes, object_type, view.version())?;
        Ok(Self { attributes, object_type, version: view.version(), carried: true })
    }

    /// Whether the object brings its attributes from another server, so that they stand whatever the server would set.
    pub const fn is_carried(&self) -> bool {
        self.carried
    }

    /// An attribute that is given says nothing else.
    ///
    /// # Errors
    /// Invalid Attribute Value.
    pub fn says(&self, tag: Tag, expected: &Value) -> Outcome<()> {
        match self.get(tag) {
            Some(value) if value != expected => Err(Failure::new(
                ResultReason::InvalidAttributeValue,
                format!("the request and its attributes disagree on {tag}"),
            )),
            _ => Ok(()),
        }
    }

    /// An Integer, where the client says it.
    pub fn integer(&self, tag: Tag) -> Option<i32> {
        match self.get(tag) {
            Some(&Value::Integer(value)) => Some(value),
            _ => None,
        }
    }

    /// The attributes of a replacement, which come from an object that the rules admitted once.
    pub fn inherited(view: &View, attributes: Vec<Attribute>, object_type: ObjectType) -> Self {
        Self { attributes, object_type, version: view.version(), carried: false }
    }

    /// Checks them, after the server's defaults were put where the client says nothing (KMIP 2.1 §6.1.53, §7.22): for every
    /// operation that makes an object but Re-key, which takes what is not said from the replaced key (§6.1.46, §6.1.47),
    /// and Import, where nothing else is set than what is said (§6.1.25). `said` are attributes of which the request
    /// speaks otherwise, as in the object itself.
    ///
    /// # Errors
    /// As [`Given::admit`].
    pub fn with_defaults(
        view: &mut View,
        attributes: Attributes,
        object_type: ObjectType,
        said: &[Tag],
    ) -> Outcome<Self> {
        let mut list = resolve(view, attributes, object_type)?;
        view.default_attributes(&mut list, object_type, said)?;
        Self::admit(view, Attributes { templates: Vec::new(), list }, object_type)
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

    /// Certificate Type, where the client says it.
    pub fn certificate_type(&self) -> Option<CertificateType> {
        self.enumeration(Tag::CertificateType).map(CertificateType)
    }

    /// A date, in seconds, where the client says it.
    pub fn date(&self, tag: Tag) -> Option<i64> {
        match self.get(tag) {
            Some(&Value::DateTime(seconds)) => Some(seconds),
            _ => None,
        }
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

    /// Whether Cryptographic Domain Parameters say a Qlength.
    pub fn names_q(&self) -> bool {
        self.get(Tag::CryptographicDomainParameters).is_some_and(|domain| domain.find(Tag::Qlength).is_some())
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
