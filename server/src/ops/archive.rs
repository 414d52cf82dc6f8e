//! Archive (KMIP 2.1 §6.1.4, 1.4 §4.22).

use kmip_codec::Value;
use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::ttlv::Text;

use super::Handler;
use super::activate::{Request, Response};
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Use;
use crate::view::View;

/// Archive. Its payloads are those of Activate. The client permits it, and this server does it at once: the object stays
/// where it is, and gives nothing of its material until it is recovered.
pub struct Archive;

impl Handler for Archive {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Archive)?;
        if object.is_destroyed() {
            return Err(Failure::new(
                ResultReason::ObjectDestroyed,
                "of a destroyed object nothing is left to archive",
            ));
        }
        let now = view.now();
        view.edit(&object, |object| {
            object.attributes.set(Tag::ArchiveDate, Value::DateTime(now));
            object.touch(now);
            Ok(())
        })?;
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask as Mask, StorageStatusMask, Version};
    use kmip_codec::types::UniqueIdentifier;

    use super::*;
    use crate::ops::activate::Activate;
    use crate::ops::destroy::Destroy;
    use crate::ops::recover::Recover;
    use crate::view::Filter;
    use crate::view::testing::{Bench, NOW};

    const ALL: [Version; 3] = [Version::V1_0, Version::V1_4, Version::V2_1];

    fn named(identifier: &UniqueIdentifier) -> Request {
        Request { unique_identifier: Some(identifier.clone()) }
    }

    fn reason<T>(outcome: Outcome<T>) -> ResultReason {
        outcome.err().expect("it is refused").reason
    }

    fn key(bench: &Bench) -> UniqueIdentifier {
        bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, Vec::new())
    }

    #[test]
    fn an_archived_object_gives_nothing_until_it_is_recovered() {
        for version in ALL {
            let bench = Bench::new();
            let key = key(&bench);
            bench.pass(5);
            bench.run::<Archive>(version, named(&key)).unwrap();
            assert_eq!(reason(bench.run::<Archive>(version, named(&key))), ResultReason::ObjectArchived);
            let uses = [Use::Get, Use::Lease, Use::Allocate, Use::Cryptography(crate::object::usage::Purpose::Encrypt)];
            for wanted in uses {
                let outcome = bench.view(version).open(Some(&key), wanted);
                assert_eq!(reason(outcome), ResultReason::ObjectArchived, "{wanted:?} in {version}");
            }
            let archived = bench.view(version).open(Some(&key), Use::ReadAttributes).unwrap();
            assert_eq!(archived.attributes.date(Tag::ArchiveDate), Some(NOW + 5));
            assert_eq!(archived.attributes.date(Tag::LastChangeDate), Some(NOW + 5));
            let found = |mask| {
                let filter = Filter::new(Vec::new()).unwrap().stored(mask);
                bench.view(version).locate(&filter, 0, 9, false).unwrap().identifiers.len()
            };
            assert_eq!(found(None), 0);
            assert_eq!(found(Some(StorageStatusMask::ARCHIVAL_STORAGE)), 1);

            bench.pass(5);
            bench.run::<Recover>(version, named(&key)).unwrap();
            let recovered = bench.view(version).open(Some(&key), Use::Get).unwrap();
            assert!(!recovered.attributes.has(Tag::ArchiveDate));
            assert_eq!(recovered.attributes.date(Tag::LastChangeDate), Some(NOW + 10));
            assert_eq!((found(None), found(Some(StorageStatusMask::ARCHIVAL_STORAGE))), (1, 0));
            // A second time under the same number, for an attribute with one instance has no other.
            bench.run::<Archive>(version, named(&key)).unwrap();
            let again = bench.view(version).open(Some(&key), Use::ReadAttributes).unwrap();
            let date = again.attributes.iter().find(|attribute| attribute.tag == Tag::ArchiveDate).unwrap();
            assert_eq!(date.index, Some(0));
        }
    }

    #[test]
    fn the_life_of_an_archived_object_goes_on_from_2_0_on() {
        let bench = Bench::new();
        let future = (Tag::ActivationDate, Value::DateTime(NOW + 1000));
        let key = bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, vec![future]);
        bench.run::<Archive>(Version::V2_1, named(&key)).unwrap();
        for outcome in
            [bench.run::<Activate>(Version::V1_4, named(&key)), bench.run::<Destroy>(Version::V1_4, named(&key))]
        {
            assert_eq!(reason(outcome), ResultReason::ObjectArchived);
        }
        bench.run::<Destroy>(Version::V2_1, named(&key)).unwrap();
        assert_eq!(reason(bench.run::<Archive>(Version::V2_1, named(&key))), ResultReason::ObjectArchived);
    }

    #[test]
    fn a_destroyed_object_cannot_be_archived() {
        let bench = Bench::new();
        let future = (Tag::ActivationDate, Value::DateTime(NOW + 1000));
        let key = bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, vec![future]);
        bench.run::<Destroy>(Version::V2_1, named(&key)).unwrap();
        assert_eq!(reason(bench.run::<Archive>(Version::V2_1, named(&key))), ResultReason::ObjectDestroyed);
        let unknown = UniqueIdentifier::Text("nobody".into());
        assert_eq!(reason(bench.run::<Archive>(Version::V2_1, named(&unknown))), ResultReason::ObjectNotFound);
        assert_eq!(reason(bench.run::<Recover>(Version::V2_1, named(&unknown))), ResultReason::ObjectNotFound);
    }
}
