//! Requests of the server: Put and Notify out of the outbox, and what it asks a client that took the server's role
//! (KMIP 2.1 §6.2).

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use kmip_codec::message::{RequestBatchItem, RequestHeader, RequestMessage, RequestedOperation, ResponseMessage};
use kmip_codec::schema::{Encode, decode};
use kmip_codec::spec::{EndpointRole, Operation, PutFunction, QueryFunction, ResultReason, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Limits, Writer, frame, parse};
use kmip_codec::types::{AttributeList, ProtocolVersion, UniqueIdentifier};
use kmip_codec::{Element, Value};
use zeroize::Zeroizing;

use super::Dispatcher;
use crate::failure::{Failure, Outcome};
use crate::ops::{discover_versions, notify, put, query, set_endpoint_role};
use crate::store::vault::{Later, Opened};
use crate::trust::policy::Use;
use crate::view::{Kept, Outgoing, Said, View};

/// A message of the outbox, ready to leave.
pub struct Ready {
    opened: Opened,
    outgoing: Outgoing,
    operation: Operation,
    /// The request message. It may hold a key.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Dispatcher {
    /// The next message for a listener, in a version. What can never be sent (the object was destroyed, must not leave, or
    /// the message waits since before `oldest`) is dropped, and the log says so.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub async fn next_outgoing(&self, listener: &str, version: Version, oldest: i64) -> Outcome<Option<Ready>> {
        loop {
            let Some((opened, outgoing)) = self.waiting(listener)? else { return Ok(None) };
            if outgoing.noted < oldest {
                tracing::warn!(listener, object = %outgoing.identifier, "a message is dropped that could not be delivered in time");
                self.drop_outgoing(&opened).await?;
                continue;
            }
            match self.request(&outgoing, version) {
                Ok((operation, bytes)) => return Ok(Some(Ready { opened, outgoing, operation, bytes })),
                Err(failure) => {
                    tracing::info!(listener, object = %outgoing.identifier, reason = %failure.reason, "a message is not sent: {}", failure.message);
                    self.drop_outgoing(&opened).await?;
                }
            }
        }
    }

    /// Whether something waits for a listener.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn has_outgoing(&self, listener: &str) -> Outcome<bool> {
        Ok(self.waiting(listener)?.is_some())
    }

    /// Takes what the listener answered. Success and refusal alike end it; anything else is sent again.
    ///
    /// # Errors
    /// An answer that is none.
    pub async fn delivered(&self, ready: &Ready, answer: &Bytes) -> Outcome<()> {
        let Ready { opened, outgoing, operation, .. } = ready;
        let listener = &outgoing.to;
        let answer = ResponseMessage::read(answer, &Limits::default())
            .map_err(|unreadable| Failure::new(ResultReason::InvalidMessage, unreadable.error.to_string()))?;
        let [item] = &answer.items[..] else {
            return Err(Failure::new(ResultReason::InvalidMessage, "the answer has not one Batch Item"));
        };
        if item.operation.is_some_and(|answered| answered.0 != *operation) {
            return Err(Failure::new(ResultReason::InvalidMessage, "the answer is one to another operation"));
        }
        let client = answer.header.client_correlation_value.as_deref().map(super::short);
        match item.result_status {
            ResultStatus::Success => {
                tracing::info!(listener, object = %outgoing.identifier, %operation, client, "delivered");
            }
            _ => {
                let message = item.result_message.as_deref().map(super::short);
                tracing::warn!(listener, object = %outgoing.identifier, %operation, client, reason = ?item.result_reason, message, "the listener refused");
            }
        }
        self.drop_outgoing(opened).await?;
        if *operation == Operation::Put && item.result_status == ResultStatus::Success {
            self.served(outgoing).await;
        }
        Ok(())
    }

    /// An object that was put is Fresh no longer.
    async fn served(&self, outgoing: &Outgoing) {
        let mut view =
            View::new(Arc::clone(&self.shared), outgoing.owner.as_str().into(), Version::V2_1, Kept::default());
        view.be_silent();
        let identifier = UniqueIdentifier::Text(outgoing.identifier.clone());
        let Ok(object) = view.open(Some(&identifier), Use::Get) else { return };
        if object.attributes.boolean(Tag::Fresh) != Some(true) {
            return;
        }
        let edited = view.edit(&object, |object| {
            object.attributes.set(Tag::Fresh, Value::Boolean(false));
            Ok(())
        });
        // Another message may be faster; what it got is not Fresh either.
        if let (Ok(()), Ok(commit)) = (edited, view.commit()) {
            let _ = self.commit(commit).await;
        }
    }

    fn waiting(&self, listener: &str) -> Outcome<Option<(Opened, Outgoing)>> {
        let vault = &self.shared.vault;
        let mut found = Ok(None);
        vault.all_later(Later::Outgoing, &mut |sequence| {
            let opened = match vault.later(Later::Outgoing, sequence) {
                Ok(Some(opened)) => opened,
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => {
                    found = Err(error.into());
                    return ControlFlow::Break(());
                }
            };
            match Outgoing::read(&opened.plaintext) {
                Ok(outgoing) if outgoing.to == listener => {
                    found = Ok(Some((opened, outgoing)));
                    ControlFlow::Break(())
                }
                Ok(_) => ControlFlow::Continue(()),
                Err(failure) => {
                    found = Err(failure);
                    ControlFlow::Break(())
                }
            }
        })?;
        found
    }

    async fn drop_outgoing(&self, opened: &Opened) -> Outcome<()> {
        let mut batch = self.shared.vault.batch();
        batch.delete_later(Later::Outgoing, opened);
        match self.shared.vault.commit(batch).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Failure::internal("the store's writer has ended")),
        }
    }

    /// The request message of what waits.
    fn request(&self, outgoing: &Outgoing, version: Version) -> Outcome<(Operation, Zeroizing<Vec<u8>>)> {
        match &outgoing.said {
            Said::Notify(changed, deleted) => {
                let request = notify::Request {
                    unique_identifier: outgoing.identifier.clone(),
                    attributes: AttributeList(changed.clone()),
                    deleted: notify::Deleted(deleted.clone()),
                };
                Ok((Operation::Notify, message(version, Operation::Notify, &request)?))
            }
            Said::Put(replaced) => {
                let owner = outgoing.owner.as_str().into();
                let mut view = View::new(Arc::clone(&self.shared), owner, version, Kept::default());
                let identifier = UniqueIdentifier::Text(outgoing.identifier.clone());
                let object = view.open(Some(&identifier), Use::Get)?;
                let exported = view.export(&object, false)?.into_object();
                let request = put::Request {
                    unique_identifier: outgoing.identifier.clone(),
                    put_function: if replaced.is_some() { PutFunction::Replace } else { PutFunction::New },
                    replaced_unique_identifier: replaced.clone(),
                    object: exported,
                    attributes: AttributeList(object.attributes.iter().cloned().collect()),
                };
                Ok((Operation::Put, message(version, Operation::Put, &request)?))
            }
        }
    }
}

/// A request of the server with one item.
fn message(version: Version, operation: Operation, payload: &impl Encode) -> Outcome<Zeroizing<Vec<u8>>> {
    let mut writer = Writer::new(version);
    payload.encode(Tag::RequestPayload, &mut writer);
    let payload = parse(&frame::protect(writer.finish()), &Limits { depth: usize::MAX, items: usize::MAX })
        .map_err(|error| Failure::internal(error.to_string()))?;
    let header = RequestHeader::new(version, 1);
    let item = RequestBatchItem {
        operation: RequestedOperation(operation),
        ephemeral: None,
        unique_batch_item_id: None,
        request_payload: Some(payload),
        message_extension: Vec::new(),
    };
    Ok(Zeroizing::new(RequestMessage { version, header, items: vec![item] }.write()))
}

/// What the server asks a client that has taken the server's role, until it gives the role back.
#[derive(Debug)]
pub struct Interview {
    version: Version,
    client: String,
    asked: Option<Operation>,
}

impl Interview {
    /// With this client, in the version in which it gave the role.
    pub fn new(version: Version, client: String) -> Self {
        Self { version, client, asked: None }
    }

    /// Takes the answer to the last question, and says the next one. `None`: the roles are as they were before.
    ///
    /// # Errors
    /// An answer that is none, or a client that does not take its role back: nobody would speak any more.
    pub fn next(&mut self, heard: Option<&Bytes>) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
        if let (Some(operation), Some(heard)) = (self.asked, heard) {
            let payload = self.answer(operation, heard)?;
            if operation == Operation::SetEndpointRole {
                let payload = payload.ok_or_else(|| refused(operation))?;
                let role: set_endpoint_role::Role = decode(payload, self.version)?;
                return if role.endpoint_role == EndpointRole::Client { Ok(None) } else { Err(refused(operation)) };
            }
        }
        let version = self.version;
        let (operation, bytes) = match self.asked {
            None => {
                let versions: Vec<ProtocolVersion> = Version::ALL.iter().rev().map(|&version| version.into()).collect();
                let operation = Operation::DiscoverVersions;
                (operation, message(version, operation, &discover_versions::Versions { versions })?)
            }
            Some(Operation::DiscoverVersions) => {
                let functions =
                    vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects, QueryFunction::QueryProfiles];
                let request = query::Request { functions, object_groups: None };
                (Operation::Query, message(version, Operation::Query, &request)?)
            }
            Some(_) => {
                let request = set_endpoint_role::Role { endpoint_role: EndpointRole::Client };
                (Operation::SetEndpointRole, message(version, Operation::SetEndpointRole, &request)?)
            }
        };
        self.asked = Some(operation);
        Ok(Some(bytes))
    }

    /// The Response Payload, if the client did what was asked. The log has what it said.
    fn answer(&self, operation: Operation, heard: &Bytes) -> Outcome<Option<Element>> {
        let answer = ResponseMessage::read(heard, &Limits::default())
            .map_err(|unreadable| Failure::new(ResultReason::InvalidMessage, unreadable.error.to_string()))?;
        let [item] = <[_; 1]>::try_from(answer.items)
            .map_err(|_| Failure::new(ResultReason::InvalidMessage, "the answer has not one Batch Item"))?;
        if item.operation.is_some_and(|answered| answered.0 != operation) {
            return Err(Failure::new(ResultReason::InvalidMessage, "the answer is one to another operation"));
        }
        let client = &self.client;
        if item.result_status != ResultStatus::Success {
            let message = item.result_message.as_deref().map(super::short);
            tracing::info!(client, %operation, reason = ?item.result_reason, message, "the client refused what the server asked");
            return Ok(None);
        }
        let said = item.response_payload.as_ref().map(|payload| payload.value.elements().len());
        tracing::info!(client, %operation, items = said, "the client answered what the server asked");
        Ok(item.response_payload)
    }
}

fn refused(operation: Operation) -> Failure {
    Failure::new(ResultReason::InvalidMessage, format!("the client did not do {operation}"))
}
