//! KMIP over HTTPS (KMIP Additional Message Encodings 1.0 §2): messages in the bodies of HTTP/1.0 and 1.1, in binary, XML
//! or JSON. What is asked goes to the same service as over raw TLS, from the same clients, within the same limits.

mod encoding;
mod pace;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use kmip_codec::message::early_version;
use kmip_codec::ttlv::frame;
use kmip_codec::wipe::Wiped;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{debug, info};

use self::encoding::Encoding;
use self::pace::{Pace, Paced};
use super::connection::End;
use super::frame::append;
use super::guest::Guest;
use super::refusal::Refusal;
use super::service::{Peer, Service, Unreadable};
use super::tls::{Accepted, Tls};
use crate::config::Limits;

/// The target URI (§2.3).
const PATH: &str = "/kmip";

/// Bytes of a request's head, and of its body that wait to be taken.
const BUFFER: usize = 64 * 1024;

/// Fields of a request's head.
const FIELDS: usize = 64;

/// Answers a client's requests until the end.
pub(super) async fn serve<S: Service>(
    accepted: Accepted,
    tls: Arc<Tls>,
    service: Arc<S>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let Accepted { stream, peer, resumed } = accepted;
    debug!(client = %peer.admitted.identity, address = %peer.address, resumed, "connected for HTTPS");
    // A client of HTTP asks, and is not asked on its connection (§2.5).
    let peer = Peer { is_askable: false, ..peer };
    let pace = Arc::new(Pace::new(&limits));
    let desk = Arc::new(Desk {
        guest: Mutex::new(Guest::new(peer, tls)),
        service,
        limit: limits.request_bytes,
        limits: kmip_codec::ttlv::Limits { depth: limits.depth, items: limits.items },
        pace: Arc::clone(&pace),
        refusal: Mutex::new(None),
    });
    let serving = Arc::clone(&desk);
    let answer = service_fn(move |request| {
        let desk = Arc::clone(&serving);
        async move { desk.answer(request).await }
    });
    let mut connection = http1::Builder::new()
        .max_buf_size(BUFFER)
        .max_headers(FIELDS)
        .serve_connection(Paced::new(stream, Arc::clone(&pace)), answer);
    let mut stopping = false;
    let end = loop {
        tokio::select! {
            ended = &mut connection => break match ended {
                Ok(()) => End::Done,
                Err(error) => match take(&desk.refusal) {
                    Some(refusal) => End::Refused(refusal),
                    None => End::Broken(std::io::Error::other(error)),
                },
            },
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                if pace.is_idle() {
                    break End::Done;
                }
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            what = pace.overdue() => break End::TooSlow(what),
        }
    };
    end.log(desk.lock().peer());
    // Tells the client that nothing was cut off. It may be gone, or not listen: no reason to wait for it.
    let mut stream = connection.into_parts().io.into_inner();
    let _ = timeout(limits.answer_time(), stream.shutdown()).await;
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Where the requests of one connection are answered.
struct Desk<S> {
    guest: Mutex<Guest>,
    service: Arc<S>,
    /// Bytes of a body.
    limit: usize,
    /// What a message in text may hold.
    limits: kmip_codec::ttlv::Limits,
    pace: Arc<Pace>,
    /// Why the client is not admitted any more.
    refusal: Mutex<Option<Box<Refusal>>>,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
enum Ended {
    /// The client is not admitted any more.
    #[error("the client is not admitted any more")]
    Refused,
    /// The body broke off.
    #[error("the request broke off: {0}")]
    Body(#[from] hyper::Error),
}

impl<S: Service> Desk<S> {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Ended> {
        let answer = self.respond(request).await;
        self.pace.answering();
        answer
    }

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Ended> {
        let encoding = match acceptable(&request) {
            Ok(encoding) => encoding,
            Err(refused) => return Ok(*refused),
        };
        let Some(body) = self.body(request.into_body()).await? else {
            return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the message is too long ([limits] request_bytes)\n"));
        };
        self.pace.working();
        let peer = self.lock().admit().map_err(|refusal| {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
            Ended::Refused
        })?;
        let answer = self.message(peer, encoding, body).await;
        let mut response = Response::new(Full::new(frame::protect(answer)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }

    /// The answer to a message, in the message's encoding. Where the next one begins says HTTP: no answer ends the
    /// connection.
    async fn message(&self, peer: Arc<Peer>, encoding: Encoding, body: Wiped) -> Vec<u8> {
        let unreadable = |reason: Unreadable, head: Bytes| {
            info!(client = %peer.admitted.identity, address = %peer.address, "unreadable request: {reason}");
            self.service.unreadable(reason, head).bytes
        };
        let answer = match encoding.binary(body, &self.limits) {
            Ok(message) => match frame::length(&message, usize::MAX) {
                Ok(_) => self.service.answer(Arc::clone(&peer), message).await.bytes,
                Err(error) => unreadable(Unreadable::NotAMessage(error.to_string()), message),
            },
            Err(error) => unreadable(Unreadable::Text(error), Bytes::new()),
        };
        let answer = frame::protect(answer);
        encoding.render(&answer).unwrap_or_else(|error| {
            let why = format!("the answer cannot be written in the encoding of the request: {error}");
            let instead = self.service.undeliverable(early_version(&answer), &why);
            // It holds what the server says, and nothing of a client's.
            encoding.render(&frame::protect(instead.bytes)).unwrap_or_default()
        })
    }

    /// The whole body, unless it is longer than the limit.
    async fn body(&self, mut body: Incoming) -> Result<Option<Wiped>, Ended> {
        let said = body.size_hint().upper().and_then(|said| usize::try_from(said).ok());
        if said.is_some_and(|said| said > self.limit) {
            return Ok(None);
        }
        let mut whole = Wiped::default();
        while let Some(part) = body.frame().await {
            let Ok(data) = part?.into_data() else { continue };
            if data.len() > self.limit - whole.len() {
                return Ok(None);
            }
            append(&mut whole, &data, said.unwrap_or(self.limit));
        }
        Ok(Some(whole))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Guest> {
        self.guest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The encoding of the message in a request, or what is wrong with its head (RFC 9110 §15.5).
fn acceptable(request: &Request<Incoming>) -> Result<Encoding, Box<Response<Full<Bytes>>>> {
    if request.uri().path() != PATH {
        return Err(Box::new(plain(StatusCode::NOT_FOUND, "there is nothing but /kmip here\n")));
    }
    if request.method() != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "a message is sent with POST\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Err(Box::new(response));
    }
    let is_plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let encoding = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(Encoding::of);
    match encoding {
        Some(encoding) if request.headers().get_all(CONTENT_ENCODING).iter().all(is_plain) => Ok(encoding),
        _ => Err(Box::new(plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a message is application/octet-stream, text/xml (in UTF-8) or application/json, and not compressed\n",
        ))),
    }
}

/// A response that holds no message.
fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
