//! A client's side of HTTP, by hand: what it sends is what the test says.

use std::io::{Read, Write};

use super::{Client, Kmipd, Wire};

/// A connection for HTTP.
pub(crate) struct Web(pub(crate) Wire);

/// What came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The header, in lower case.
    pub(crate) header: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.header.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// Where the server listens for HTTPS.
pub(crate) fn address(kmipd: &Kmipd) -> std::net::SocketAddr {
    let line: serde_json::Value = serde_json::from_str(&kmipd.wait_for("listening for HTTPS")).unwrap();
    line["address"].as_str().unwrap().parse().unwrap()
}

/// The client that `dev` made.
pub(crate) fn client(kmipd: &Kmipd) -> Client {
    kmipd.client().at(address(kmipd))
}

impl Web {
    pub(crate) fn of(kmipd: &Kmipd) -> Self {
        Self(client(kmipd).connect().unwrap())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.0.write_all(bytes).unwrap();
        self.0.0.flush().unwrap();
    }

    /// Receives one response, whose length it says.
    pub(crate) fn receive(&mut self) -> Reply {
        let mut header = Vec::new();
        while !header.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.0.read_exact(&mut byte).unwrap();
            header.push(byte[0]);
        }
        let header = String::from_utf8(header).unwrap().to_lowercase();
        let status = header.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, header, body: Vec::new() };
        let length = reply.field("content-length").unwrap().parse().unwrap();
        reply.body.resize(length, 0);
        self.0.0.read_exact(&mut reply.body).unwrap();
        reply
    }

    pub(crate) fn ask(&mut self, request: &str) -> Reply {
        self.send(request.as_bytes());
        self.receive()
    }

    /// Posts a message.
    pub(crate) fn post(&mut self, media_type: &str, body: &[u8]) -> Reply {
        let head = format!(
            "POST /kmip HTTP/1.1\r\nHost: kmipd\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\
             Cache-Control: no-cache\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat());
        self.receive()
    }
}
