//! Interop (KMIP 2.1 §6.1.26): a conformance suite tells of its tests, and has the store emptied between them.
//!
//! Only a server for tests offers it: its store was made for that, and `kmipd serve` refuses such a store.

use kmip_codec::spec::{InteropFunction, Operation, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::{Element, Value};

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// What begins, has ended, or is to be done.
        pub function: InteropFunction = InteropFunction,
        /// The test.
        pub identifier: Text = InteropIdentifier,
    }

    /// The answer, which holds nothing.
    pub struct Response {}
}

/// Interop.
pub struct Interop;

impl Handler for Interop {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let test: String = request.identifier.chars().take(64).collect();
        match request.function {
            InteropFunction::Begin => tracing::info!(test, "a conformance test begins"),
            InteropFunction::End => tracing::info!(test, "a conformance test has ended"),
            InteropFunction::Reset => {
                tracing::info!(test, "the store is emptied for a conformance test");
                view.empty_store()?;
            }
            other => return Err(Failure::invalid_field(format!("there is no Interop Function {other}"))),
        }
        Ok(Response {})
    }
}

/// Whether an item asks for Reset, which must be alone: in its message, and on the server while it runs.
pub fn is_reset(operation: Operation, payload: Option<&Element>) -> bool {
    let function = || payload?.value.find(Tag::InteropFunction);
    operation == Operation::Interop && function() == Some(&Value::Enumeration(InteropFunction::Reset.into()))
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{ResultReason, Version};

    use super::*;
    use crate::trust::policy::Use;
    use crate::view::Settings;
    use crate::view::testing::{Bench, secret};

    fn ask(bench: &Bench, function: InteropFunction) -> Result<(), ResultReason> {
        let request = Request { function, identifier: "a test".into() };
        bench.run::<Interop>(Version::V2_1, request).map(|_| ()).map_err(|failure| failure.reason)
    }

    #[test]
    fn reset_alone_empties_the_store() {
        let bench = Bench::with(Settings { interop: true, ..Settings::default() }, None);
        let object = bench.object(secret(b"one"), vec![]);
        let is_there = || bench.view(Version::V2_1).open(Some(&object), Use::Get).is_ok();
        assert_eq!(ask(&bench, InteropFunction::Begin), Ok(()));
        assert_eq!(ask(&bench, InteropFunction::End), Ok(()));
        assert_eq!(ask(&bench, InteropFunction(9)), Err(ResultReason::InvalidField));
        assert!(is_there());
        assert_eq!(ask(&bench, InteropFunction::Reset), Ok(()));
        assert!(!is_there());
        let shared = std::sync::Arc::clone(bench.view(Version::V2_1).shared());
        let mut rest = shared.vault.batch();
        assert_eq!(rest.delete_all_but(&[]).unwrap(), 0, "index rows are left");
        // And the store serves on.
        bench.object(secret(b"two"), vec![]);
    }

    #[test]
    fn a_store_that_was_not_made_for_it_is_not_emptied() {
        let bench = Bench::new();
        let object = bench.object(secret(b"one"), vec![]);
        assert_eq!(ask(&bench, InteropFunction::Reset), Err(ResultReason::OperationNotSupported));
        assert!(bench.view(Version::V2_1).open(Some(&object), Use::Get).is_ok());
    }
}
