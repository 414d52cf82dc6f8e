//! Revoke (KMIP 2.1 §6.1.44, 1.4 §4.20).

use kmip_codec::Value;
use kmip_codec::schema::DateTime;
use kmip_codec::spec::{ResultReason, RevocationReasonCode, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{RevocationReason, UniqueIdentifier};

use super::Handler;
use super::activate::Response;
use crate::failure::{Failure, Outcome};
use crate::object::state::Event;
use crate::trust::policy::Use;
use crate::view::{View, value_of};

structure! {
    /// The request.
    pub struct Request {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// Why.
        pub revocation_reason: RevocationReason = RevocationReason,
        /// When the compromise is thought to have happened.
        pub compromise_occurrence_date: Option<DateTime> = CompromiseOccurrenceDate,
    }
}

/// Revoke.
pub struct Revoke;

impl Handler for Revoke {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let compromise = matches!(
            request.revocation_reason.code,
            RevocationReasonCode::KeyCompromise | RevocationReasonCode::CACompromise
        );
        if request.compromise_occurrence_date.is_some() && !compromise {
            return Err(Failure::invalid_field("a Compromise Occurrence Date goes with a compromise alone"));
        }
        let object = view.open(request.unique_identifier.as_ref(), Use::Revoke)?;
        let now = view.now();
        if request.compromise_occurrence_date.is_some_and(|DateTime(date)| date > now) {
            return Err(Failure::invalid_field("the Compromise Occurrence Date lies in the future"));
        }
        view.edit(&object, |object| {
            object.happen(if compromise { Event::Compromise } else { Event::Deactivate }, now)?;
            let reason = value_of(&request.revocation_reason, Tag::RevocationReason)
                .ok_or_else(|| Failure::new(ResultReason::InvalidField, "the Revocation Reason cannot be kept"))?;
            object.attributes.set(Tag::RevocationReason, reason);
            if compromise {
                // Where the client does not say, the standard suggests the earliest possible date.
                let initial = object.attributes.date(Tag::InitialDate).unwrap_or(now);
                let occurred = request.compromise_occurrence_date.map_or(initial, |DateTime(date)| date);
                object.attributes.set(Tag::CompromiseOccurrenceDate, Value::DateTime(occurred));
            }
            Ok(())
        })?;
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
