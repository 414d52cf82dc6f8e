//! Who asks, over the wire: credentials, tickets, and what an administrator sets for all.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "sessions/attestation.rs"]
mod attestation;
#[cfg(test)]
#[path = "sessions/credentials.rs"]
mod credentials;
#[cfg(test)]
#[path = "sessions/functions.rs"]
mod functions;
#[cfg(test)]
#[path = "sessions/provisions.rs"]
mod provisions;
#[cfg(test)]
#[path = "sessions/re_provision.rs"]
mod re_provision;
#[cfg(test)]
#[path = "sessions/tickets.rs"]
mod tickets;
#[cfg(test)]
#[path = "sessions/token.rs"]
mod token;

#[cfg(test)]
mod common {
    use kmip_codec::message::{RequestHeader, ResponseMessage};
    use kmip_codec::schema::{Decode, Encode, decode};
    use kmip_codec::spec::{CredentialType, Operation, ResultReason, Version};
    use kmip_codec::types::{Authentication, Credential, Ticket, TicketCredential};

    use super::harness::Kmip;
    use super::harness::kmip::{header, item, message, payload};

    /// A credential with this structure as its value.
    pub(crate) fn credential(version: Version, kind: CredentialType, value: &impl Encode) -> Credential {
        Credential::new(kind, payload(version, value).value.elements().to_vec())
    }

    /// A credential with a ticket.
    pub(crate) fn ticket(version: Version, ticket: &Ticket) -> Credential {
        credential(version, CredentialType::Ticket, &TicketCredential { ticket: ticket.clone() })
    }

    /// Sends one item with credentials.
    pub(crate) fn send(
        kmip: &mut Kmip,
        credentials: Vec<Credential>,
        operation: Operation,
        request: &impl Encode,
    ) -> ResponseMessage {
        let version = kmip.version;
        let authentication = (!credentials.is_empty()).then_some(Authentication { credentials });
        let header = RequestHeader { authentication, ..header(version) };
        let answer = kmip.exchange(&message(version, header, vec![item(version, operation, request)]));
        assert_eq!(answer.items.len(), 1);
        // Also an item of a message that is refused as a whole says what it was (KMIP 2.1 §8.6).
        assert_eq!(answer.items[0].operation.map(|operation| operation.0), Some(operation));
        answer
    }

    /// The answer of one item with credentials.
    pub(crate) fn attempt<R: Decode>(
        kmip: &mut Kmip,
        credentials: Vec<Credential>,
        operation: Operation,
        request: &impl Encode,
    ) -> Result<R, ResultReason> {
        let item = send(kmip, credentials, operation, request).items.remove(0);
        match item.result_reason {
            Some(reason) => Err(reason),
            None => Ok(decode(item.response_payload.unwrap(), kmip.version).unwrap()),
        }
    }
}
