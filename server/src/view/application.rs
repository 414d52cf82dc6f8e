//! Application Data that the server makes up (KMIP 2.1 §4.4).

use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::types::Attribute;
use kmip_codec::{Element, Value};

use super::View;
use crate::failure::{Failure, Outcome};

impl View {
    /// An attribute as it is to be kept: Application Specific Information without data gets them from the server, if the
    /// server makes up data for the namespace. Other attributes stay as they are.
    ///
    /// # Errors
    /// Application Namespace Not Supported.
    pub fn complete(&self, mut attribute: Attribute) -> Outcome<Attribute> {
        let Value::Structure(fields) = &mut attribute.value else { return Ok(attribute) };
        let field = |tag| fields.iter().find(|field| field.tag == tag).map(|field| &field.value);
        if attribute.tag != Tag::ApplicationSpecificInformation || field(Tag::ApplicationData).is_some() {
            return Ok(attribute);
        }
        let namespace = field(Tag::ApplicationNamespace).and_then(Value::text);
        let offered = self.shared.settings.about.application_namespaces();
        if !namespace.is_some_and(|namespace| offered.iter().any(|offered| **offered == *namespace)) {
            return Err(Failure::new(
                ResultReason::ApplicationNamespaceNotSupported,
                "the server makes up no Application Data for this Application Namespace",
            ));
        }
        fields.push(Element::new(Tag::ApplicationData, Value::TextString(self.unique_text()?)));
        Ok(attribute)
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::Version;

    use super::super::testing::Bench;
    use super::super::{About, Settings};
    use super::*;

    fn information(namespace: &str, data: Option<&str>) -> Attribute {
        let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
        let mut fields = vec![text(Tag::ApplicationNamespace, namespace)];
        fields.extend(data.map(|data| text(Tag::ApplicationData, data)));
        Attribute::new(Tag::ApplicationSpecificInformation, Value::Structure(fields))
    }

    #[test]
    fn data_are_made_up_for_namespaces_of_the_server() {
        let about = About::new(vec![Element::new(Tag::ApplicationNamespace, Value::TextString("backup".into()))]);
        let bench = Bench::with(Settings { about, ..Settings::default() }, None);
        let view = bench.view(Version::V2_1);
        let given = information("ssl", Some("www.example.com"));
        assert_eq!(view.complete(given.clone()), Ok(given));
        let refused = view.complete(information("ssl", None)).unwrap_err();
        assert_eq!(refused.reason, ResultReason::ApplicationNamespaceNotSupported);
        let data = |attribute: Attribute| attribute.value.find(Tag::ApplicationData).cloned().unwrap();
        let [one, other] = [(); 2].map(|()| data(view.complete(information("backup", None)).unwrap()));
        assert_ne!(one, other);
    }
}
