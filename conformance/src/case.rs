//! A case file.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use kmip_codec::spec::{EndpointRole, Operation, ResultStatus, Tag, Version};
use kmip_codec::ttlv::Value;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, XmlVersion};

use crate::node::{Node, NodeError, Raw};

/// Why a file is no case that can be played.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file.
    #[error("cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// The XML.
    #[error("no well-formed XML at byte {0}")]
    Malformed(u64),
    /// A message.
    #[error("message {0}: {1}")]
    Message(usize, NodeError),
    /// Requests and responses do not take turns.
    #[error("message {0} is not the answer to the one before")]
    Turns(usize),
    /// No Protocol Version of 1.0 to 2.1.
    #[error("the version {0:?} is not one of 1.0 to 2.1")]
    Version(Option<(i32, i32)>),
}

impl CaseError {
    /// Whether the file is sound, and what it needs is not there.
    pub fn is_out_of_scope(&self) -> bool {
        matches!(self, Self::Version(Some(_)))
    }
}

/// Which way a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client: the answer is compared.
    ToServer,
    /// From the server (KMIP 2.1 §6.2): the request is compared, and answered as the case has it.
    ToClient,
}

/// A request, who sends it, and what is to come back.
pub struct Step {
    /// Which client, from 0.
    pub client: usize,
    /// Which way the request goes.
    pub way: Way,
    /// It is to be asked again until the answer is the one expected.
    pub repeat: bool,
    /// The request.
    pub request: Node,
    /// The answer.
    pub expected: Node,
}

/// A case.
pub struct Case {
    /// The path below the folder of the cases.
    pub name: String,
    /// The version of its first message.
    pub version: Version,
    /// The folder that holds it.
    pub group: String,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Case {
    /// Reads a file; its name is the path below `folder`.
    ///
    /// # Errors
    /// See [`CaseError`].
    pub fn load(folder: &Path, file: &Path) -> Result<Self, CaseError> {
        let text = fs::read_to_string(file)?;
        let name = name_below(folder, file);
        let group = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        Self::read(&text, name, group)
    }

    /// Reads the text of a case.
    ///
    /// # Errors
    /// See [`CaseError`].
    pub fn read(text: &str, name: String, group: String) -> Result<Self, CaseError> {
        let messages = messages(text)?;
        let version = messages.first().and_then(|first| version(&first.raw)).filter(|version| *version != (0, 0));
        let known = version.and_then(|(major, minor)| Version::supported(major, minor));
        let known = known.ok_or(CaseError::Version(version))?;
        let mut steps: Vec<Step> = Vec::new();
        let mut asked: VecDeque<(&Message, Way, Node)> = VecDeque::new();
        // The letters that the authors of the published cases use for the server's questions.
        let mut way = if name.contains("-S2C-") { Way::ToClient } else { Way::ToServer };
        for (i, message) in messages.iter().enumerate() {
            let node = message.raw.read().map_err(|error| CaseError::Message(i + 1, error))?;
            if node.tag == Tag::RequestMessage {
                let way = message.way.unwrap_or(if pushed(&node) { Way::ToClient } else { way });
                asked.push_back((message, way, node));
                continue;
            }
            // Where several requests wait for their answers, the order of the answers counts: one published case has
            // Destroy before Revoke, and the answers the other way round.
            let answers = |(_, _, request): &(&Message, Way, Node)| named(request) == named(&node);
            let place = asked.iter().position(answers).unwrap_or_default();
            let (request, of, node_asked) = asked.remove(place).ok_or(CaseError::Turns(i + 1))?;
            if changes_roles(&node_asked, &node) {
                way = if of == Way::ToServer { Way::ToClient } else { Way::ToServer };
            }
            let (client, repeat) = (request.client, request.repeat);
            steps.push(Step { client, way: of, repeat, request: node_asked, expected: node });
        }
        if !asked.is_empty() || steps.is_empty() {
            return Err(CaseError::Turns(messages.len()));
        }
        Ok(Self { name, version: known, group, steps })
    }

    /// Whether its first word about an object is of one that it has not made: it goes on where another case ended.
    pub fn continues(&self) -> bool {
        let made = [
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::Import,
            Operation::CreateSplitKey,
            Operation::Certify,
        ];
        let answers = self.steps.iter().flat_map(|step| step.expected.all(Tag::BatchItem));
        let tags = [Tag::UniqueIdentifier, Tag::PrivateKeyUniqueIdentifier, Tag::PublicKeyUniqueIdentifier];
        let names = |item: &&Node| tags.iter().any(|tag| item.search(*tag).is_some());
        let first = answers.filter(names).find_map(operation);
        first.is_some_and(|first| !made.contains(&first))
    }

    /// What cases that go on where another ended have in common: the file's name up to its first number.
    pub fn family(&self) -> &str {
        let file = self.name.rsplit('/').next().unwrap_or_default();
        let end = file.find(|c: char| c.is_ascii_digit()).unwrap_or(file.len());
        let (family, _) = self.name.split_at(self.name.len() - file.len() + end);
        family
    }

    /// Whether it is a test of a message encoding of its own, and of which.
    pub fn encoding(&self) -> Option<Encoding> {
        let file = self.name.rsplit('/').next().unwrap_or_default().to_ascii_uppercase().replace('_', "-");
        let known = [("HTTPS", Encoding::Binary), ("XML", Encoding::Xml), ("JSON", Encoding::Json)];
        let found = known.into_iter().find(|(word, _)| file.starts_with(&format!("MSGENC-{word}-")));
        found.map(|(_, encoding)| encoding)
    }
}

/// How a message is written over HTTPS (KMIP Additional Message Encodings 1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// TTLV.
    Binary,
    /// XML, section 3.
    Xml,
    /// JSON, section 4.
    Json,
}

/// The operation of a batch item.
pub(crate) fn operation(item: &Node) -> Option<Operation> {
    item.find(Tag::Operation).and_then(Node::code).map(Operation::from)
}

/// The operation of the first item of a message.
fn named(message: &Node) -> Option<Operation> {
    message.find(Tag::BatchItem).and_then(operation)
}

/// Whether only servers send such requests.
fn pushed(request: &Node) -> bool {
    request.all(Tag::BatchItem).any(|item| matches!(operation(item), Some(Operation::Put | Operation::Notify)))
}

/// Whether client and server change roles (KMIP 2.1 §6.1.54, §6.2.5): who is asked becomes the client.
fn changes_roles(request: &Node, answer: &Node) -> bool {
    let success = Some(u32::from(ResultStatus::Success));
    let items = request.all(Tag::BatchItem).zip(answer.all(Tag::BatchItem));
    let mut done = items.filter(|(_, answered)| answered.find(Tag::ResultStatus).and_then(Node::code) == success);
    done.any(|(asked, _)| wants_role(asked))
}

/// Whether a batch item asks to change roles.
pub(crate) fn wants_role(item: &Node) -> bool {
    operation(item) == Some(Operation::SetEndpointRole)
        && item.search(Tag::EndpointRole).and_then(Node::code) == Some(u32::from(EndpointRole::Client))
}

/// The name of a case: its path below the folder, or its own name if the folder is the file itself.
pub fn name_below(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).ok().filter(|below| below.file_name().is_some());
    let own = || file.file_name().map_or(file, Path::new);
    below.unwrap_or_else(own).to_string_lossy().into_owned()
}

/// Every file of a folder, at any depth, that ends in `.xml`, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A message as the file has it, and what the notes before it say.
struct Message {
    raw: Raw,
    client: usize,
    way: Option<Way>,
    repeat: bool,
}

/// What the notes between messages have said.
#[derive(Default)]
struct Notes {
    client: usize,
    way: Option<Way>,
    /// Of the next message only.
    repeat: bool,
}

/// The version that a message states, without knowing anything else of it.
fn version(raw: &Raw) -> Option<(i32, i32)> {
    let find = |raw: &Raw, name: &str| raw.inner.iter().find(|inner| inner.name == name).cloned();
    let version = find(&find(raw, "RequestHeader")?, "ProtocolVersion")?;
    let number = |name: &str| match find(&version, name)?.read().ok()?.fixed()? {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    Some((number("ProtocolVersionMajor")?, number("ProtocolVersionMinor")?))
}

fn messages(text: &str) -> Result<Vec<Message>, CaseError> {
    let mut reader = Reader::from_str(text);
    // One published case closes its root twice.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut notes = Notes::default();
    let mut open: Vec<Raw> = Vec::new();
    let mut messages = Vec::new();
    loop {
        let event = reader.read_event().map_err(|_| CaseError::Malformed(reader.error_position()))?;
        let malformed = || CaseError::Malformed(reader.buffer_position());
        let closed = match &event {
            Event::Start(start) => {
                open.push(raw(start).ok_or_else(malformed)?);
                None
            }
            Event::Empty(start) => Some(raw(start).ok_or_else(malformed)?),
            Event::End(end) => match open.pop() {
                Some(raw) if raw.name == end.local_name().as_ref() => Some(raw),
                None if end.local_name().as_ref() == "KMIP" => None,
                _ => return Err(malformed()),
            },
            Event::Text(text) if open.len() == 1 => {
                notes.read(text);
                None
            }
            Event::Text(text) if text.trim_ascii().is_empty() => None,
            Event::Comment(_) | Event::Decl(_) => None,
            Event::Eof if open.is_empty() => return Ok(messages),
            _ => return Err(malformed()),
        };
        match (closed, open.as_mut_slice()) {
            (Some(raw), [_root]) => {
                let Notes { client, way, .. } = notes;
                messages.push(Message { raw, client, way, repeat: std::mem::take(&mut notes.repeat) });
            }
            (Some(raw), [_root, .., last]) => last.inner.push(raw),
            _ => {}
        }
    }
}

impl Notes {
    /// Takes what a bare text between messages says.
    fn read(&mut self, text: &str) {
        for word in text.split(['[', ']', '#']).map(str::trim) {
            match word {
                "Client-to-Server" => self.way = Some(Way::ToServer),
                "Server-to-Client" => self.way = Some(Way::ToClient),
                "REPEAT" => self.repeat = true,
                _ => {
                    if let Some(&[letter]) = word.strip_prefix("Client-").map(str::as_bytes) {
                        self.client = usize::from(letter.to_ascii_uppercase().saturating_sub(b'A'));
                    }
                }
            }
        }
    }
}

fn raw(start: &BytesStart<'_>) -> Option<Raw> {
    let mut raw = Raw { name: start.local_name().as_ref().to_owned(), ..Raw::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let text = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?.into_owned();
        match attribute.key {
            QName("tag") => raw.tag = Some(text),
            QName("type") => raw.item = Some(text),
            QName("value") => raw.value = Some(text),
            QName(_) => {}
        }
    }
    Some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"<RequestMessage><RequestHeader><ProtocolVersion>
        <ProtocolVersionMajor type="Integer" value="1"/><ProtocolVersionMinor type="Integer" value="2"/>
        </ProtocolVersion><BatchCount type="Integer" value="1"/></RequestHeader></RequestMessage>"#;
    const RESPONSE: &str = "<ResponseMessage><ResponseHeader/></ResponseMessage>";

    fn read(text: &str) -> Result<Case, CaseError> {
        Case::read(text, "name".into(), "group".into())
    }

    #[test]
    fn notes_switch_clients_and_a_second_end_is_tolerated() {
        let text = format!(
            "<?xml version=\"1.0\" ?><!-- x --><KMIP># TIME 0\n# [Client-A]\n{REQUEST}{RESPONSE}# [Client-B]{REQUEST}{RESPONSE}\
             </KMIP>\n</KMIP>"
        );
        let case = read(&text).unwrap();
        assert_eq!(case.version, Version::V1_2);
        assert_eq!(case.steps.iter().map(|step| step.client).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_case_is_named_below_its_folder() {
        let name = |folder: &str| name_below(Path::new(folder), Path::new("a/b/c.xml"));
        assert_eq!((&*name("a"), &*name("a/b/c.xml"), &*name("x")), ("b/c.xml", "c.xml", "c.xml"));
    }

    #[test]
    fn what_is_no_case_is_refused() {
        let wrong = |text: &str| read(text).err().unwrap();
        assert!(matches!(wrong(&format!("<KMIP>{REQUEST}</KMIP>")), CaseError::Turns(1)));
        assert!(matches!(wrong(&format!("<KMIP>{REQUEST}{REQUEST}</KMIP>")), CaseError::Turns(2)));
        assert!(matches!(wrong(&format!("<KMIP>{REQUEST}{RESPONSE}{RESPONSE}</KMIP>")), CaseError::Turns(3)));
        assert!(matches!(wrong(&format!("<KMIP>{RESPONSE}{REQUEST}</KMIP>")), CaseError::Version(None)));
        assert!(matches!(wrong("<KMIP><RequestMessage></KMIP>"), CaseError::Malformed(_)));
        assert!(matches!(wrong(&format!("<KMIP>{REQUEST}{RESPONSE}")), CaseError::Malformed(_)));
        let later = REQUEST.replacen("\"1\"", "\"3\"", 1);
        assert!(wrong(&format!("<KMIP>{later}{RESPONSE}</KMIP>")).is_out_of_scope());
    }

    /// A request and its answer, with this operation and this in both payloads.
    fn exchange(operation: &str, asked: &str, answered: &str) -> String {
        let operation = format!(r#"<Operation type="Enumeration" value="{operation}"/>"#);
        let asked = format!("<BatchItem>{operation}<RequestPayload>{asked}</RequestPayload></BatchItem>");
        let status = r#"<ResultStatus type="Enumeration" value="Success"/>"#;
        let answer = format!("{operation}{status}<ResponsePayload>{answered}</ResponsePayload>");
        REQUEST.replace("</RequestMessage>", &format!("{asked}</RequestMessage>"))
            + &format!("<ResponseMessage><ResponseHeader/><BatchItem>{answer}</BatchItem></ResponseMessage>")
    }

    fn ways(text: &str) -> Vec<Way> {
        read(&format!("<KMIP>{text}</KMIP>")).unwrap().steps.iter().map(|step| step.way).collect()
    }

    #[test]
    fn which_way_a_request_goes() {
        use Way::{ToClient, ToServer};
        let plain = format!("{REQUEST}{RESPONSE}");
        let noted = format!("{plain}# [Server-to-Client]{plain}{plain}# [Client-to-Server]{plain}");
        assert_eq!(ways(&noted), [ToServer, ToClient, ToClient, ToServer]);
        assert_eq!(ways(&(exchange("Notify", "", "") + &plain)), [ToClient, ToServer]);
        let role = |role: &str| {
            let role = format!(r#"<EndpointRole type="Enumeration" value="{role}"/>"#);
            exchange("SetEndpointRole", &role, &role)
        };
        let turned = format!("{}{plain}{}{plain}", role("Client"), role("Client"));
        assert_eq!(ways(&turned), [ToServer, ToClient, ToClient, ToServer]);
        assert_eq!(ways(&format!("{}{plain}", role("Server"))), [ToServer, ToServer]);
    }

    #[test]
    fn requests_may_go_out_before_the_answers_come_and_be_repeated() {
        let text = format!("<KMIP>{REQUEST}# [REPEAT] until it is so\n{REQUEST}{RESPONSE}{RESPONSE}</KMIP>");
        let case = read(&text).unwrap();
        assert_eq!(case.steps.iter().map(|step| step.repeat).collect::<Vec<_>>(), [false, true]);
        // The answers say in which order.
        let (destroy, revoke) = (exchange("Destroy", "", ""), exchange("Revoke", "", ""));
        let halves =
            |text: &str| text.split_once("<ResponseMessage>").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let ((first, last), (second, next)) = (halves(&destroy), halves(&revoke));
        let text = format!("{first}{second}<ResponseMessage>{next}<ResponseMessage>{last}");
        let case = read(&format!("<KMIP>{text}</KMIP>")).unwrap();
        let order: Vec<_> = case.steps.iter().map(|step| named(&step.request)).collect();
        assert_eq!(order, [Some(Operation::Revoke), Some(Operation::Destroy)]);
    }

    #[test]
    fn a_case_that_begins_with_what_is_there_goes_on_where_another_ended() {
        let id = r#"<UniqueIdentifier type="TextString" value="$UNIQUE_IDENTIFIER_0"/>"#;
        let (create, locate) = (exchange("Create", "", id), exchange("Locate", "", id));
        let continues = |text: &str| read(&format!("<KMIP>{text}</KMIP>")).unwrap().continues();
        assert!(continues(&locate));
        assert!(!continues(&format!("{}{create}{locate}", exchange("Query", "", ""))));
        let pair = id.replace("Unique", "PrivateKeyUnique").replace("UNIQUE_IDENTIFIER_0", "UNIQUE_IDENTIFIER_1");
        assert!(!continues(&format!("{}{locate}", exchange("CreateKeyPair", "", &pair))));
        let named = |name: &str| {
            let text = format!("<KMIP>{create}</KMIP>");
            Case::read(&text, name.into(), "g".into()).unwrap()
        };
        assert_eq!(named("a1/TL-M-3-21.xml").family(), "a1/TL-M-");
        assert_eq!(named("g/MSGENC-XML-M-1-21.xml").encoding(), Some(Encoding::Xml));
        assert_eq!(named("g/TL-M-3-21.xml").encoding(), None);
    }
}
