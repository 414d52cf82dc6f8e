//! Cuts one message from the stream. Its buffer grows with what has arrived, never with what was promised, and is
//! wiped when it grows and when it goes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use kmip_codec::ttlv::{ErrorKind, frame};
use kmip_codec::wipe::Wiped;
use tokio::io::AsyncBufRead;

use super::service::Unreadable;

/// Bytes of an unreadable message that the service gets to see.
const HEAD: usize = 256;

/// What came.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message, whole.
    Message(Bytes),
    /// Something else, and how it begins.
    Unreadable(Unreadable, Bytes),
    /// The end, between two messages.
    End,
}

/// Cuts messages from a stream, one after the other.
#[derive(Default)]
pub(super) struct Reader {
    /// What has come of a message that is not whole yet.
    buffer: Wiped,
    /// Its length, once that is known.
    length: Option<usize>,
}

impl Reader {
    /// Whether a part of a message has come.
    pub(super) fn has_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next message, of at most `limit` bytes.
    ///
    /// # Errors
    /// What the stream says; `UnexpectedEof` in the middle of a message.
    pub(super) fn poll<R: AsyncBufRead + Unpin>(
        &mut self,
        stream: &mut R,
        limit: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Incoming>> {
        loop {
            let arrived = ready!(Pin::new(&mut *stream).poll_fill_buf(context))?;
            if arrived.is_empty() {
                let end = if self.has_begun() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Incoming::End) };
                return Poll::Ready(end);
            }
            let (taken, incoming) = self.take(arrived, limit);
            Pin::new(&mut *stream).consume(taken);
            if let Some(incoming) = incoming {
                return Poll::Ready(Ok(incoming));
            }
        }
    }

    /// Takes what it needs of what has arrived: how much that is, and what came if it is whole.
    fn take(&mut self, arrived: &[u8], limit: usize) -> (usize, Option<Incoming>) {
        // Most messages come in one piece.
        if !self.has_begun()
            && let Ok(Some(length)) = frame::length(arrived, limit)
            && let Some(message) = arrived.get(..length)
        {
            return (length, Some(Incoming::Message(frame::protect(Wiped::copy_of(message)))));
        }
        let missing = self.length.unwrap_or(frame::HEADER).saturating_sub(self.buffer.len());
        let (taken, rest) = arrived.split_at(missing.min(arrived.len()));
        append(&mut self.buffer, taken, self.length.unwrap_or(frame::HEADER));
        if self.length.is_none() {
            match frame::length(&self.buffer, limit) {
                Ok(known) => self.length = known,
                Err(error) => {
                    let reason = match error.kind {
                        ErrorKind::TooLong { length, limit } => Unreadable::TooLong { length, limit },
                        _ => Unreadable::NotAMessage(error.to_string()),
                    };
                    let mut head = self.buffer.to_vec();
                    head.extend(rest.iter().take(HEAD - frame::HEADER));
                    return (taken.len(), Some(Incoming::Unreadable(reason, frame::protect(head))));
                }
            }
        }
        let is_whole = self.length == Some(self.buffer.len());
        let message = is_whole.then(|| {
            self.length = None;
            Incoming::Message(frame::protect(self.buffer.take()))
        });
        (taken.len(), message)
    }
}

/// Reads one message of at most `limit` bytes.
///
/// # Errors
/// As for [`Reader::poll`].
pub(super) async fn read<R: AsyncBufRead + Unpin>(stream: &mut R, limit: usize) -> io::Result<Incoming> {
    let mut reader = Reader::default();
    poll_fn(|context| reader.poll(stream, limit, context)).await
}

/// Appends to a buffer that will hold `length` bytes in the end. It doubles at the most, and its old place is wiped.
pub(super) fn append(buffer: &mut Wiped, bytes: &[u8], length: usize) {
    let needed = buffer.len() + bytes.len();
    if needed > buffer.capacity() {
        let capacity = needed.max(buffer.capacity().saturating_mul(2)).min(length);
        let mut grown = Vec::with_capacity(capacity.max(needed));
        grown.extend_from_slice(buffer);
        *buffer = Wiped::from(grown);
    }
    buffer.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, BufReader, duplex};

    use super::*;

    fn message(length: u32) -> Vec<u8> {
        let mut bytes = vec![0x42, 0x00, 0x78, 0x01];
        bytes.extend(length.to_be_bytes());
        bytes.extend((0..length).map(|i| i.to_le_bytes()[0]));
        bytes
    }

    async fn read_all(mut bytes: &[u8], limit: usize) -> Vec<Incoming> {
        let mut all = Vec::new();
        loop {
            let incoming = read(&mut bytes, limit).await.unwrap();
            let last = !matches!(incoming, Incoming::Message(_));
            all.push(incoming);
            if last {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn messages_behind_each_other_come_apart() {
        let all = read_all(&[message(8), message(0), message(24)].concat(), 1024).await;
        let lengths: Vec<usize> =
            all.iter().map(|i| if let Incoming::Message(bytes) = i { bytes.len() } else { 0 }).collect();
        assert_eq!(lengths, [16, 8, 32, 0]);
        assert!(matches!(all[3], Incoming::End));
    }

    #[tokio::test]
    async fn a_message_in_pieces_is_put_together() {
        for piece in [1, 3, 7, 8, 9, 100] {
            let (mut near, far) = duplex(piece);
            let sent = message(1000);
            let expected = sent.clone();
            let writer = tokio::spawn(async move { near.write_all(&sent).await.unwrap() });
            let mut far = BufReader::with_capacity(piece, far);
            let Incoming::Message(got) = read(&mut far, 4096).await.unwrap() else { panic!() };
            assert_eq!(got, expected);
            writer.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_promise_takes_no_memory() {
        let mut buffer = Wiped::default();
        append(&mut buffer, &[0; 8], 8);
        append(&mut buffer, &[0; 100], 1 << 30);
        assert!(buffer.capacity() <= 256, "{}", buffer.capacity());
    }

    #[tokio::test]
    async fn what_is_too_long_or_no_message_is_shown_with_its_head() {
        let long = message(2000);
        let all = read_all(&long, 1024).await;
        let Incoming::Unreadable(reason, head) = &all[0] else { panic!() };
        assert_eq!(*reason, Unreadable::TooLong { length: 2008, limit: 1024 });
        assert_eq!(&head[..], &long[..HEAD]);
        let all = read_all(b"GET / HTTP/1.1\r\n\r\n", 1024).await;
        let Incoming::Unreadable(Unreadable::NotAMessage(_), head) = &all[0] else { panic!() };
        assert_eq!(&head[..], b"GET / HTTP/1.1\r\n\r\n");
    }

    #[tokio::test]
    async fn an_end_within_a_message_is_an_error() {
        let sent = message(100);
        let error = read(&mut &sent[..50], 1024).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
