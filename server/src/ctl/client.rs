//! One server: a TLS connection, requests and their answers, and the protocol version that both speak.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;

use bytes::Bytes;
use kmip_codec::message::{
    RequestBatchItem, RequestHeader, RequestMessage, RequestedOperation, ResponseBatchItem, ResponseMessage,
};
use kmip_codec::schema::{Decode, Encode, decode};
use kmip_codec::spec::{Operation, ResultReason, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Blob, Limits, Writer, frame, parse};
use kmip_codec::types::ProtocolVersion;
use kmip_codec::{Element, Error as CodecError, Value};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use zeroize::Zeroizing;

use super::connection::Settings;
use super::{Error, Outcome, tls};
use crate::ops::discover_versions::Versions;

/// The longest answer that is taken, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// An item of a request: what is asked, and its payload.
pub struct Item(pub Operation, pub Box<dyn Encode>);

impl Item {
    /// An item.
    pub fn new(operation: Operation, payload: impl Encode + 'static) -> Self {
        Self(operation, Box::new(payload))
    }
}

/// A connection to a server. It connects when there is something to say.
pub struct Client {
    settings: Settings,
    config: Arc<ClientConfig>,
    stream: Option<Stream>,
    version: Version,
    /// Whether another version may still be tried.
    open: bool,
}

/// What came back on a message: answers, or that the server does not have the version.
enum Heard {
    Items(Vec<ResponseBatchItem>),
    /// Another version must be tried; with the one that the server answered in.
    WrongVersion {
        answered: Option<Version>,
        refusal: Error,
    },
}

impl Client {
    /// Loads the files; nothing is sent yet.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn new(settings: Settings) -> Outcome<Self> {
        let config = Arc::new(tls::config(&settings)?);
        let (version, open) = (settings.version.unwrap_or(Version::V2_1), settings.version.is_none());
        Ok(Self { settings, config, stream: None, version, open })
    }

    /// The version that is spoken; final after the first answer.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Asks for one operation. `request` makes the payload for the version that is spoken, and refuses what that version
    /// cannot say.
    ///
    /// # Errors
    /// No connection; the server's refusal; an answer that is not what the standard says.
    pub fn call<Q, R>(&mut self, operation: Operation, mut request: impl FnMut(Version) -> Outcome<Q>) -> Outcome<R>
    where
        Q: Encode + 'static,
        R: Decode,
    {
        let answers = self.batch(|version| Ok(vec![Item::new(operation, request(version)?)]))?;
        let answer = answers.into_iter().next().ok_or_else(|| Error::failed("the server answered nothing"))?;
        self.read(operation, answer)
    }

    /// Asks for several operations in one message, in order; the first that fails ends the batch. There are as many
    /// answers as items, unless the server ended it early.
    ///
    /// # Errors
    /// No connection; a refusal of the message as a whole; an answer that is not what the standard says.
    pub fn batch(&mut self, mut items: impl FnMut(Version) -> Outcome<Vec<Item>>) -> Outcome<Vec<Outcome<Element>>> {
        let (asked, heard) = loop {
            let asked = items(self.version)?;
            match self.exchange(self.version, &asked)? {
                Heard::Items(heard) => break (asked, heard),
                Heard::WrongVersion { answered, refusal } => self.settle(answered, refusal)?,
            }
        };
        self.open = false;
        if heard.len() > asked.len() {
            return Err(Error::failed("the server answered more than was asked"));
        }
        asked.iter().zip(heard).map(|(item, answer)| self::answered(item.0, answer)).collect()
    }

    /// Reads the payload of an answer.
    ///
    /// # Errors
    /// The server's refusal; a payload that is not the operation's.
    pub fn read<R: Decode>(&self, operation: Operation, answer: Outcome<Element>) -> Outcome<R> {
        decode(answer?, self.version)
            .map_err(|error| Error::failed(format!("the server's answer to {operation} cannot be read: {error}")))
    }

    /// Finds the newest version that both speak: Discover Versions, in the version that the server answered in or in one
    /// that has it.
    fn settle(&mut self, answered: Option<Version>, refusal: Error) -> Outcome<()> {
        let settled = self.common(answered, refusal)?;
        self.open = false;
        self.version = settled;
        Ok(())
    }

    fn common(&mut self, answered: Option<Version>, refusal: Error) -> Outcome<Version> {
        let mut tried = Vec::new();
        for version in answered.into_iter().chain([Version::V1_4, Version::V1_2, Version::V1_1]) {
            if version >= self.version || !Operation::DiscoverVersions.known_in(version) || tried.contains(&version) {
                continue;
            }
            tried.push(version);
            let question = Item::new(Operation::DiscoverVersions, Versions { versions: Vec::new() });
            let Heard::Items(heard) = self.exchange(version, &[question])? else { continue };
            let Some(Ok(Ok(payload))) =
                heard.into_iter().next().map(|item| self::answered(Operation::DiscoverVersions, item))
            else {
                continue;
            };
            let Ok(theirs) = decode::<Versions>(payload, version) else { continue };
            let common = Version::ALL.iter().find(|ours| theirs.versions.contains(&ProtocolVersion::from(**ours)));
            return match common {
                Some(&common) if common != self.version => Ok(common),
                _ => Err(refusal),
            };
        }
        match answered {
            Some(version) if version < self.version => Ok(version),
            _ => Err(refusal),
        }
    }

    fn exchange(&mut self, version: Version, items: &[Item]) -> Outcome<Heard> {
        let request = message(version, items)?;
        let frame = match self.stream.take() {
            Some(stream) => self.ask(stream, &request),
            None => self.connect().and_then(|stream| self.ask(stream, &request)),
        };
        let frame = frame.map_err(|error| tls::explain(&error, &self.settings))?;
        let response = match ResponseMessage::read(&frame, &Limits::default()) {
            Ok(response) => response,
            Err(unreadable) => {
                let refusal = Error::failed(format!("{} does not answer in KMIP: {}", self.place(), unreadable.error));
                let foreign = unreadable.version.filter(|said| *said != ProtocolVersion::from(version));
                return match foreign {
                    Some(_) if self.open => Ok(Heard::WrongVersion { answered: None, refusal }),
                    _ => Err(refusal),
                };
            }
        };
        if let Some(refusal) = refused_as_a_whole(&response.items) {
            let reasons = [ResultReason::UnsupportedProtocolVersion, ResultReason::InvalidMessage];
            let reason = response.items.first().and_then(|item| item.result_reason);
            let about_version = response.version != version || reason.is_none_or(|reason| reasons.contains(&reason));
            if self.open && about_version {
                let answered = (response.version != version).then_some(response.version);
                return Ok(Heard::WrongVersion { answered, refusal });
            }
            return Err(refusal);
        }
        if response.version != version {
            return Err(Error::failed(format!(
                "{} answered KMIP {version} in KMIP {}",
                self.place(),
                response.version
            )));
        }
        Ok(Heard::Items(response.items))
    }

    fn place(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    fn connect(&self) -> io::Result<Stream> {
        let host = self.settings.host.as_str();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("{host:?} is no host name")))?;
        let addresses = (host, self.settings.port).to_socket_addrs().map_err(|error| {
            io::Error::new(io::ErrorKind::NotFound, format!("the host {host} cannot be found ({error})"))
        })?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, format!("the host {host} has no address"));
        for address in addresses {
            match TcpStream::connect_timeout(&address, self.settings.timeout) {
                Ok(socket) => {
                    socket.set_read_timeout(Some(self.settings.timeout))?;
                    socket.set_write_timeout(Some(self.settings.timeout))?;
                    socket.set_nodelay(true)?;
                    let connection = ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
                    return Ok(StreamOwned::new(connection, socket));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends a message and reads its answer; the connection is kept if the server keeps it.
    fn ask(&mut self, mut stream: Stream, request: &[u8]) -> io::Result<Bytes> {
        // A server that refuses us may close before it has read: what it said is then there to read.
        let gone =
            |error: &io::Error| matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset);
        let unsent = match stream.write_all(request).and_then(|()| stream.flush()) {
            Ok(()) => None,
            Err(error) if gone(&error) => Some(error),
            Err(error) => return Err(error),
        };
        let mut head = [0; frame::HEADER];
        if let Err(error) = stream.read_exact(&mut head) {
            let told = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
            return Err(unsent.filter(|_| !told).unwrap_or(error));
        }
        let not_kmip = |error: Box<CodecError>| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the server does not answer in KMIP: {error}"))
        };
        let length = frame::length(&head, LONGEST).map_err(not_kmip)?.unwrap_or(frame::HEADER);
        let mut buffer = Zeroizing::new(vec![0; length]);
        let (first, rest) = buffer.split_at_mut(frame::HEADER);
        first.copy_from_slice(&head);
        stream.read_exact(rest)?;
        self.stream = Some(stream);
        Ok(frame::protect(std::mem::take(&mut *buffer)))
    }
}

/// The request as bytes, wiped after use: it may hold a key.
fn message(version: Version, items: &[Item]) -> Outcome<Zeroizing<Vec<u8>>> {
    let several = items.len() > 1;
    let mut batch = Vec::new();
    for (number, Item(operation, payload)) in (0_u32..).zip(items) {
        if !operation.known_in(version) {
            return Err(Error::failed(format!("KMIP {version} has no operation {operation}")));
        }
        batch.push(RequestBatchItem {
            operation: RequestedOperation(*operation),
            ephemeral: None,
            unique_batch_item_id: several.then(|| Blob::copy_of(&number.to_be_bytes())),
            request_payload: Some(element(version, payload.as_ref())?),
            message_extension: Vec::new(),
        });
    }
    let header = RequestHeader {
        // The items of 1.x have no order of their own.
        batch_order_option: several.then_some(true),
        ..RequestHeader::new(version, i32::try_from(batch.len()).unwrap_or(i32::MAX))
    };
    Ok(Zeroizing::new(RequestMessage { version, header, items: batch }.write()))
}

fn element(version: Version, payload: &dyn Encode) -> Outcome<Element> {
    let mut writer = Writer::new(version);
    payload.encode(Tag::RequestPayload, &mut writer);
    parse(&frame::protect(writer.finish()), &Limits::default())
        .map_err(|error| Error::failed(format!("the request cannot be written: {error}")))
}

/// The payload of an item that succeeded, or its refusal; an error if the item is no answer to the operation.
fn answered(operation: Operation, item: ResponseBatchItem) -> Outcome<Outcome<Element>> {
    if item.operation.is_some_and(|RequestedOperation(said)| said != operation) {
        return Err(Error::failed(format!("the server did not answer {operation} but something else")));
    }
    Ok(match item.result_status {
        ResultStatus::Success => {
            Ok(item.response_payload.unwrap_or(Element::new(Tag::ResponsePayload, Value::Structure(Vec::new()))))
        }
        ResultStatus::OperationPending => Err(Error::failed("the server wants to answer later, which was not asked")),
        _ => Err(refused(Some(operation), &item)),
    })
}

/// A refusal that belongs to no operation: the server did not read so far.
fn refused_as_a_whole(items: &[ResponseBatchItem]) -> Option<Error> {
    match items {
        [only] if only.operation.is_none() && only.result_status != ResultStatus::Success => Some(refused(None, only)),
        _ => None,
    }
}

fn refused(operation: Option<Operation>, item: &ResponseBatchItem) -> Error {
    let message = item.result_message.as_deref().unwrap_or_default().to_owned();
    Error::Refused { operation, reason: item.result_reason, message }
}

#[cfg(test)]
mod tests;
