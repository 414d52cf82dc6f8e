//! A case file.

use std::fs;
use std::path::{Path, PathBuf};

use kmip_codec::spec::{Tag, Version};
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
    /// Messages from the server to the client.
    #[error("the server sends requests in it")]
    ServerToClient,
}

impl CaseError {
    /// Whether the file is sound, and what it needs is not there.
    pub fn is_out_of_scope(&self) -> bool {
        matches!(self, Self::Version(Some(_)) | Self::ServerToClient)
    }
}

/// A request, who sends it, and what is to come back.
pub struct Step {
    /// Which client, from 0.
    pub client: usize,
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
        let mut steps = Vec::new();
        let mut asked: Option<(usize, Node)> = None;
        for (i, message) in messages.iter().enumerate() {
            if message.from_server {
                return Err(CaseError::ServerToClient);
            }
            let node = message.raw.read().map_err(|error| CaseError::Message(i + 1, error))?;
            asked = match (asked.take(), node.tag) {
                (None, Tag::RequestMessage) => Some((message.client, node)),
                (Some((client, request)), Tag::ResponseMessage) => {
                    steps.push(Step { client, request, expected: node });
                    None
                }
                _ => return Err(CaseError::Turns(i + 1)),
            };
        }
        if asked.is_some() || steps.is_empty() {
            return Err(CaseError::Turns(messages.len()));
        }
        Ok(Self { name, version: known, group, steps })
    }
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
    from_server: bool,
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
    let (mut client, mut from_server) = (0, false);
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
                note(text, &mut client, &mut from_server);
                None
            }
            Event::Text(text) if text.trim_ascii().is_empty() => None,
            Event::Comment(_) | Event::Decl(_) => None,
            Event::Eof if open.is_empty() => return Ok(messages),
            _ => return Err(malformed()),
        };
        match (closed, open.as_mut_slice()) {
            (Some(raw), [_root]) => messages.push(Message { raw, client, from_server }),
            (Some(raw), [_root, .., last]) => last.inner.push(raw),
            _ => {}
        }
    }
}

/// Takes what a bare text between messages says: which client is next, and which way.
fn note(text: &str, client: &mut usize, from_server: &mut bool) {
    for word in text.split(['[', ']', '#']).map(str::trim) {
        match word {
            "Client-to-Server" => *from_server = false,
            "Server-to-Client" => *from_server = true,
            _ => {
                if let Some(&[letter]) = word.strip_prefix("Client-").map(str::as_bytes) {
                    *client = usize::from(letter.to_ascii_uppercase().saturating_sub(b'A'));
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
        assert!(matches!(wrong(&format!("<KMIP>{RESPONSE}{REQUEST}</KMIP>")), CaseError::Version(None)));
        assert!(matches!(wrong("<KMIP><RequestMessage></KMIP>"), CaseError::Malformed(_)));
        assert!(matches!(wrong(&format!("<KMIP>{REQUEST}{RESPONSE}")), CaseError::Malformed(_)));
        let later = REQUEST.replacen("\"1\"", "\"3\"", 1);
        assert!(wrong(&format!("<KMIP>{later}{RESPONSE}</KMIP>")).is_out_of_scope());
        let other = format!("<KMIP>{REQUEST}{RESPONSE}# [Server-to-Client]{REQUEST}{RESPONSE}</KMIP>");
        assert!(wrong(&other).is_out_of_scope());
    }
}
