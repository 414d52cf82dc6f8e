//! Which lane an item runs on: what its operation's line in the table leaves open is told by the key that it names, and by
//! what it asks for.

use kmip_codec::spec::{CryptographicAlgorithm, KeyFormatType, KeyWrapType, Pkcs11Function, Tag};
use kmip_codec::{Element, Value};

use crate::object::postquantum::{Family, ParameterSet};
use crate::ops::Lane as OperationLane;
use crate::view::{Slow, View};

/// The lane of an item; none for what is done where it arrived. What may come to the module waits in its lane, so that a
/// module that does not answer holds up nothing else.
pub(in crate::dispatch) fn of(lane: OperationLane, view: &mut View, payload: &Element) -> Option<Slow> {
    let module = view.shared().providers.module().map(|_| Slow::Module);
    match lane {
        OperationLane::Here => None,
        OperationLane::Module => module,
        OperationLane::Slow if is_pair_in_pkcs11(payload) => Some(Slow::Generation),
        OperationLane::Slow => Some(module.unwrap_or(Slow::Processor)),
        OperationLane::Pair if !makes_curve(view, payload) => Some(Slow::Generation),
        OperationLane::Pair => Some(module.unwrap_or(Slow::Processor)),
        OperationLane::ByKey => by_key(view, payload),
    }
}

/// Where an item runs whose lane depends on the key: work without a named object makes one, in the module if there is one.
/// A wrapping key is at work too; and a key that is no longer to be Extractable moves into the module.
fn by_key(view: &mut View, payload: &Element) -> Option<Slow> {
    let module = view.shared().providers.module().map(|_| Slow::Module);
    let specification = payload.value.find(Tag::KeyWrappingSpecification);
    let information = specification.and_then(|value| value.find(Tag::EncryptionKeyInformation));
    let wrapping = match information.and_then(|value| value.find(Tag::UniqueIdentifier)) {
        Some(Value::TextString(wrapping)) => view.slowness(Some(wrapping)),
        _ => None,
    };
    // Which half of a pair signs is seen later, and so are the keys that open what comes wrapped.
    let later = specification.and_then(|value| value.find(Tag::MACSignatureKeyInformation)).is_some()
        || payload.value.find(Tag::KeyWrapType) == Some(&Value::Enumeration(KeyWrapType::NotWrapped.into()));
    let signing = later.then_some(module.unwrap_or(Slow::Processor));
    let own = match payload.value.find(Tag::UniqueIdentifier) {
        // New Attribute is 2.x's; an Attribute by its name is 1.x's, where nothing else tells what it is about.
        _ if [Tag::NewAttribute, Tag::Attribute].iter().any(|&tag| payload.value.find(tag).is_some())
            && module.is_some() =>
        {
            module
        }
        Some(Value::TextString(identifier)) => view.slowness(Some(identifier)),
        _ if payload.value.find(Tag::ObjectType).is_some() => module,
        _ => view.slowness(None),
    };
    // A key with which it takes seconds to sign is fetched as fast as another.
    let works = [Tag::Data, Tag::CorrelationValue].iter().any(|&tag| payload.value.find(tag).is_some());
    let own = own.filter(|own| *own != Slow::Generation || works);
    let contained = is_contained(payload).then_some(Slow::Processor);
    // What waits for the module waits there, whatever else it does.
    [wrapping, signing, own, contained].into_iter().flatten().max()
}

/// Whether the pair that is made is one of points on a curve, or of lattices, which takes less than a millisecond. A pair of
/// which the request does not say it is taken to be RSA, which takes up to many seconds; one of SLH-DSA takes up to one.
fn makes_curve(view: &mut View, payload: &Element) -> bool {
    let is_curve = |code: u32| {
        use CryptographicAlgorithm as A;
        let algorithm = A::from(code);
        [A::EC, A::ECDSA, A::ECDH, A::Ed25519, A::Ed448].contains(&algorithm)
            || ParameterSet::of(algorithm).is_some_and(|set| set.family() != Family::SlhDsa)
    };
    let mut asked = algorithms(&payload.value);
    asked.dedup();
    match (&*asked, payload.value.find(Tag::PrivateKeyUniqueIdentifier)) {
        ([], Some(Value::TextString(replaced))) => {
            view.algorithm_of(replaced).is_some_and(|algorithm| is_curve(algorithm.into()))
        }
        (asked, _) => !asked.is_empty() && asked.iter().all(|&code| is_curve(code)),
    }
}

/// Whether the PKCS #11 function is called that makes a pair. Its mechanism is not looked for.
fn is_pair_in_pkcs11(payload: &Element) -> bool {
    payload.value.find(Tag::Pkcs11Function) == Some(&Value::Enumeration(Pkcs11Function::GenerateKeyPair.into()))
}

/// Every Cryptographic Algorithm among the attributes of a payload: as an element, or as an Attribute by its name (1.x).
fn algorithms(value: &Value) -> Vec<u32> {
    let Value::Structure(elements) = value else { return Vec::new() };
    let found = elements.iter().flat_map(|element| match (element.tag, &element.value) {
        (Tag::CryptographicAlgorithm, &Value::Enumeration(code)) => vec![code],
        (Tag::Attribute, attribute) => {
            let name = attribute.find(Tag::AttributeName);
            match (name, attribute.find(Tag::AttributeValue)) {
                (Some(Value::TextString(name)), Some(&Value::Enumeration(code)))
                    if **name == *"Cryptographic Algorithm" =>
                {
                    vec![code]
                }
                _ => Vec::new(),
            }
        }
        (
            Tag::CommonAttributes
            | Tag::PrivateKeyAttributes
            | Tag::PublicKeyAttributes
            | Tag::CommonTemplateAttribute
            | Tag::PrivateKeyTemplateAttribute
            | Tag::PublicKeyTemplateAttribute,
            attributes,
        ) => algorithms(attributes),
        _ => Vec::new(),
    });
    found.collect()
}

/// Whether a private key comes or goes in a container, whose password is hashed many times over.
fn is_contained(payload: &Element) -> bool {
    let block = payload.value.find(Tag::PrivateKey).and_then(|key| key.find(Tag::KeyBlock));
    [Some(&payload.value), block].into_iter().flatten().any(|value| {
        matches!(value.find(Tag::KeyFormatType), Some(&Value::Enumeration(code)) if KeyFormatType::from(code) == KeyFormatType::Pkcs12)
    })
}

#[cfg(test)]
mod tests {
    use kmip_codec::schema::Encode;
    use kmip_codec::spec::{CryptographicUsageMask, Version};
    use kmip_codec::ttlv::{Limits, Writer, frame, parse};
    use kmip_codec::types::{Object, UniqueIdentifier};

    use super::*;
    use crate::crypto::algorithm::{Curve, KeyKind};
    use crate::crypto::keyblock::{self, Canonical};
    use crate::crypto::software::SoftwareProvider;
    use crate::crypto::{Made, Provider, Residency};
    use crate::view::testing::{Bench, usage};

    fn payload(elements: Vec<Element>) -> Element {
        Element::new(Tag::RequestPayload, Value::Structure(elements))
    }

    fn algorithm(algorithm: CryptographicAlgorithm) -> Element {
        Element::new(Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into()))
    }

    /// A private key of the bench's owner.
    fn private(bench: &Bench, kind: KeyKind, of: CryptographicAlgorithm) -> UniqueIdentifier {
        let Made::Clear(bytes) = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap().private else {
            panic!()
        };
        let block = keyblock::block(&Canonical::Secret { kind, bytes }, Some(of), KeyFormatType::Pkcs8).unwrap();
        bench.object(Object::PrivateKey(block), vec![usage(CryptographicUsageMask::SIGN)])
    }

    fn named(tag: Tag, object: &UniqueIdentifier) -> Element {
        let mut writer = Writer::new(Version::V2_1);
        object.encode(tag, &mut writer);
        parse(&frame::protect(writer.finish()), &Limits::default()).unwrap()
    }

    #[test]
    fn a_key_says_whether_its_use_is_slow() {
        let bench = Bench::new();
        let rsa = private(&bench, KeyKind::Rsa { bits: 2048 }, CryptographicAlgorithm::RSA);
        let curve = private(&bench, KeyKind::Ec { curve: Curve::P256 }, CryptographicAlgorithm::ECDSA);
        let set = crate::crypto::algorithm::ParameterSet::SlhDsaSha2_128f;
        let slh = private(&bench, KeyKind::PostQuantum { set }, set.algorithm());
        let aes = bench.key(CryptographicAlgorithm::AES, &[1; 16], CryptographicUsageMask::ENCRYPT, vec![]);
        let mut view = bench.view(Version::V2_1);
        let mut lane = |key| of(OperationLane::ByKey, &mut view, &payload(vec![named(Tag::UniqueIdentifier, key)]));
        assert_eq!([lane(&rsa), lane(&curve), lane(&aes)], [Some(Slow::Processor), None, None]);
        // What is slow about SLH-DSA is to sign.
        assert_eq!(lane(&slh), None);
        let data = Element::new(Tag::Data, Value::ByteString(kmip_codec::ttlv::Blob::copy_of(b"data")));
        let signing = payload(vec![named(Tag::UniqueIdentifier, &slh), data]);
        let mut view = bench.view(Version::V2_1);
        assert_eq!(of(OperationLane::ByKey, &mut view, &signing), Some(Slow::Generation));
        let mut view = bench.view(Version::V2_1);
        let mut replace =
            |key| of(OperationLane::Pair, &mut view, &payload(vec![named(Tag::PrivateKeyUniqueIdentifier, key)]));
        assert_eq!([replace(&rsa), replace(&curve)], [Some(Slow::Generation), Some(Slow::Processor)]);
    }

    #[test]
    fn only_a_pair_that_takes_long_goes_where_it_may() {
        let bench = Bench::new();
        let mut view = bench.view(Version::V2_1);
        let mut lane = |elements| of(OperationLane::Pair, &mut view, &payload(elements));
        let attributes = |tag, elements| Element::new(tag, Value::Structure(elements));
        let common = |algorithm| vec![attributes(Tag::CommonAttributes, vec![algorithm])];
        assert_eq!(lane(common(algorithm(CryptographicAlgorithm::RSA))), Some(Slow::Generation));
        assert_eq!(lane(common(algorithm(CryptographicAlgorithm::ECDSA))), Some(Slow::Processor));
        assert_eq!(lane(common(algorithm(CryptographicAlgorithm::EC))), Some(Slow::Processor));
        assert_eq!(lane(common(algorithm(CryptographicAlgorithm::MLDSA65))), Some(Slow::Processor));
        assert_eq!(lane(common(algorithm(CryptographicAlgorithm::SLHDSASHAKE256s))), Some(Slow::Generation));
        // Whose algorithm is said elsewhere, or is said twice.
        assert_eq!(lane(vec![]), Some(Slow::Generation));
        let both = [CryptographicAlgorithm::EC, CryptographicAlgorithm::RSA].map(algorithm);
        let both = [Tag::PrivateKeyAttributes, Tag::PublicKeyAttributes].into_iter().zip(both);
        let both = both.map(|(tag, algorithm)| attributes(tag, vec![algorithm])).collect();
        assert_eq!(lane(both), Some(Slow::Generation));
        // As 1.x says it, where another attribute may have the same number.
        let attribute = |name: &str, value: u32| {
            let name = Element::new(Tag::AttributeName, Value::TextString(name.to_owned().into()));
            let value = Element::new(Tag::AttributeValue, Value::Enumeration(value));
            vec![attributes(Tag::CommonTemplateAttribute, vec![attributes(Tag::Attribute, vec![name, value])])]
        };
        let ecdsa = CryptographicAlgorithm::ECDSA.into();
        assert_eq!(lane(attribute("Cryptographic Algorithm", ecdsa)), Some(Slow::Processor));
        assert_eq!(lane(attribute("Hashing Algorithm", ecdsa)), Some(Slow::Generation));
        assert_eq!(
            lane(attribute("Cryptographic Algorithm", CryptographicAlgorithm::RSA.into())),
            Some(Slow::Generation)
        );
    }

    #[test]
    fn making_a_pair_through_pkcs11_takes_long_and_the_rest_does_not() {
        let bench = Bench::new();
        let mut view = bench.view(Version::V2_1);
        let mut lane = |function: Pkcs11Function| {
            let function = Element::new(Tag::Pkcs11Function, Value::Enumeration(function.into()));
            of(OperationLane::Slow, &mut view, &payload(vec![function]))
        };
        assert_eq!(lane(Pkcs11Function::GenerateKeyPair), Some(Slow::Generation));
        assert_eq!(lane(Pkcs11Function::GenerateKey), Some(Slow::Processor));
    }

    #[test]
    fn without_a_module_nothing_waits_for_it() {
        let bench = Bench::new();
        let mut view = bench.view(Version::V2_1);
        assert_eq!(of(OperationLane::Module, &mut view, &payload(vec![])), None);
        assert_eq!(of(OperationLane::Here, &mut view, &payload(vec![])), None);
    }
}
