//! KMIP over HTTPS (KMIP Additional Message Encodings 1.0 §2): HTTP/1.1, one POST for each message.

use std::fmt::Write as _;
use std::io::{self, Read};

use super::tls::{LONGEST, Place, send};
use crate::case::Encoding;

/// The longest head of an answer, in bytes.
const HEAD: usize = 64 << 10;

/// Where messages are posted.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) place: Place,
    path: String,
}

impl Page {
    /// Reads `https://HOST:PORT/PATH`; the path is `/kmip` where there is none (section 2.3).
    pub(super) fn read(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host, format!("/{path}")),
            None => (rest, "/kmip".to_owned()),
        };
        let place = Place::read(host).or_else(|| Place::read(&format!("{host}:443")))?;
        Some(Self { place, path })
    }

    /// Posts a message, and answers the body that comes back.
    ///
    /// # Errors
    /// The connection, an answer that is none of HTTP, and one that is not as section 2.5 has it.
    pub(super) fn post(
        &self,
        stream: &mut (impl Read + io::Write),
        encoding: Encoding,
        body: &[u8],
    ) -> io::Result<Vec<u8>> {
        let mut head = String::new();
        let _ = write!(
            head,
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\r\n",
            self.path,
            self.place.address,
            media(encoding),
            body.len()
        );
        send(stream, &[head.as_bytes(), body].concat())?;
        let length = Answer::receive(stream)?.length(encoding)?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(body)
    }
}

/// The media type of an encoding.
fn media(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Binary => "application/octet-stream",
        Encoding::Xml => "text/xml",
        Encoding::Json => "application/json",
    }
}

/// The head of an answer.
struct Answer {
    status: String,
    fields: Vec<(String, String)>,
}

impl Answer {
    fn receive(stream: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() > HEAD {
                return Err(io::Error::other("the head of the HTTP answer does not end"));
            }
            stream.read_exact(&mut byte)?;
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).map_err(|_| io::Error::other("the head of the HTTP answer is no text"))?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")).unwrap_or_default();
        let status = status.split_once(' ').map_or("", |(_, status)| status).to_owned();
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
        Ok(Self { status, fields })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The length of the body; an error if the head is not what a KMIP server sends.
    fn length(&self, encoding: Encoding) -> io::Result<usize> {
        let wrong = |what: &str, value: Option<&str>| {
            let value = value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
            Err(io::Error::other(format!("{what} of the HTTP answer is {value}")))
        };
        if !self.status.starts_with("200") {
            return wrong("the status", Some(&self.status));
        }
        let kind = self.field("content-type");
        let plain = kind.and_then(|kind| kind.split(';').next()).map(|kind| kind.trim().to_ascii_lowercase());
        if plain.as_deref() != Some(media(encoding)) {
            return wrong("the Content-Type", kind);
        }
        let cache = self.field("cache-control");
        if !cache.is_some_and(|cache| cache.split(',').any(|word| word.trim().eq_ignore_ascii_case("no-cache"))) {
            return wrong("the Cache-Control", cache);
        }
        let length = self.field("content-length");
        match length.and_then(|length| length.parse().ok()).filter(|length| *length <= LONGEST) {
            Some(length) => Ok(length),
            None => wrong("the Content-Length", length),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    /// A connection on which this comes, whatever goes.
    struct Wire {
        comes: Cursor<Vec<u8>>,
        gone: Vec<u8>,
    }

    impl Read for Wire {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.comes.read(buffer)
        }
    }

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.gone.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn post(answer: &str) -> (io::Result<Vec<u8>>, String) {
        let mut wire = Wire { comes: Cursor::new(answer.as_bytes().to_vec()), gone: Vec::new() };
        let page = Page::read("https://localhost:5697/kmip").unwrap();
        let outcome = page.post(&mut wire, Encoding::Xml, b"<a/>");
        (outcome, String::from_utf8(wire.gone).unwrap())
    }

    const GOOD: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nCache-Control: no-cache\r\nContent-Length: 4\r\n\r\n<b/>";

    #[test]
    fn a_message_is_posted() {
        let (answer, sent) = post(GOOD);
        assert_eq!(answer.unwrap(), b"<b/>");
        assert!(
            sent.starts_with("POST /kmip HTTP/1.1\r\nHost: localhost:5697\r\nContent-Type: text/xml\r\n"),
            "{sent}"
        );
        assert!(sent.ends_with("\r\nContent-Length: 4\r\nCache-Control: no-cache\r\n\r\n<a/>"), "{sent}");
    }

    #[test]
    fn what_the_standard_demands_of_an_answer_is_demanded() {
        for (old, new) in [
            ("200 OK", "500 Internal Server Error"),
            ("text/xml", "application/octet-stream"),
            ("Cache-Control: no-cache\r\n", ""),
            ("no-cache", "max-age=5"),
            ("Content-Length: 4", "Content-Length: four"),
            ("Content-Length: 4\r\n", ""),
            ("HTTP/1.1", "FTP"),
        ] {
            let wrong = GOOD.replacen(old, new, 1);
            assert_ne!(wrong, GOOD);
            post(&wrong).0.unwrap_err();
        }
        post(&GOOD.replace("text/xml", "Text/XML; charset=utf-8")).0.unwrap();
    }

    #[test]
    fn the_place_is_a_url() {
        let path = |url: &str| Page::read(url).map(|page| (page.place.address, page.path));
        assert_eq!(path("https://a.example"), Some(("a.example:443".into(), "/kmip".into())));
        assert_eq!(path("https://127.0.0.1:1/x/y"), Some(("127.0.0.1:1".into(), "/x/y".into())));
        assert_eq!(path("http://a.example/kmip"), None);
    }
}
