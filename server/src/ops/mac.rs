//! MAC (KMIP 2.1 §6.1.32, 1.4 §4.33).

use kmip_codec::spec::Operation;
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters::{self, as_feature};
use super::parts::{self, Part, Running};
use crate::crypto::algorithm::{KeyKind, Mac as Method};
use crate::crypto::keyblock;
use crate::crypto::stream::Macing;
use crate::crypto::{ClearKey, CryptoError, Key, Provider};
use crate::failure::Outcome;
use crate::object::usage::Purpose;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The key, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// Which MAC; else as the key's own parameters, or its algorithm, say.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// What to make a MAC of.
        pub data: Option<Data> = Data,
        /// The stream that the request goes on with.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
        /// Whether a stream begins.
        pub init_indicator: Option<bool> = InitIndicator since V1_3,
        /// Whether a stream ends.
        pub final_indicator: Option<bool> = FinalIndicator since V1_3,
    }

    /// The answer.
    pub struct Response {
        /// The key.
        pub unique_identifier: Text = UniqueIdentifier,
        /// The MAC.
        pub mac_data: Option<Blob> = MACData,
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
    }
}

/// MAC.
pub struct Mac;

impl Handler for Mac {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Mac))?;
        if part != Part::Whole {
            return in_parts(view, &key, request, part);
        }
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let method = parameters::mac(&given, &key).map_err(as_feature)?;
        let data = data::required(request.data)?;
        view.take_usage(&key, data.len())?;
        let len = parameters::mac_len(&given, method)?;
        let mut mac = compute(view, &key, method, &data)?;
        mac.truncate(len);
        Ok(Response { unique_identifier: key.identifier(), mac_data: Some(Blob::new(mac)), correlation_value: None })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }

    fn data(response: &Response) -> Option<Blob> {
        response.mac_data.clone()
    }
}

fn in_parts(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    let print = parts::print(Operation::MAC, view.version(), &request);
    let fits = |running: &Running<Macing>| running.fits(Operation::MAC, Some(key));
    let correlation = request.correlation_value.clone();
    let (answer, correlation_value) = view.part(print, correlation.as_ref(), fits, |view, running| {
        let mut running = begin_or_go_on(view, Operation::MAC, key, running, request.cryptographic_parameters, part)?;
        let data = parts::data(request.data)?;
        parts::take_usage(view, key, part, data.len())?;
        running.work.update(&data)?;
        let mut response = Response { unique_identifier: key.identifier(), mac_data: None, correlation_value: None };
        if !part.is_last() {
            return Ok((Some(running), response));
        }
        response.mac_data = Some(Blob::new(finish(view, key, running)?));
        Ok((None, response))
    })?;
    Ok(Response { correlation_value, ..answer })
}

/// Goes on with a MAC in parts, or begins one, for MAC and MAC Verify. With a key in the module it keeps the state, if it
/// can and the client may have one more of those.
///
/// # Errors
/// What is said of the parameters, in the reasons of these operations.
pub fn begin_or_go_on(
    view: &mut View,
    operation: Operation,
    key: &Permitted,
    running: Option<Running<Macing>>,
    given: Option<CryptographicParameters>,
    part: Part,
) -> Outcome<Running<Macing>> {
    let begins = running.is_none();
    let mut running = begin(view, operation, key, running, given)?;
    if begins && let Some(place) = parts::place(view, key, part) {
        let method = parameters::mac(&running.parameters, key).map_err(as_feature)?;
        let hold = |provider: &dyn Provider, key: Key<'_>| running.work.hold(provider, method, key, place);
        view.with_key(key, hold).map_err(as_feature)?;
    }
    Ok(running)
}

/// Goes on with a MAC in parts, or begins one whose state is here.
///
/// # Errors
/// What is said of the parameters, in the reasons of these operations.
pub fn begin(
    view: &mut View,
    operation: Operation,
    key: &Permitted,
    running: Option<Running<Macing>>,
    given: Option<CryptographicParameters>,
) -> Outcome<Running<Macing>> {
    if let Some(running) = running {
        running.agree(given.as_ref())?;
        return Ok(running);
    }
    let parameters = parameters::applying(given, key)?;
    let method = parameters::mac(&parameters, key).map_err(as_feature)?;
    let most = view.shared().parts.limits().bytes;
    parameters::mac_len(&parameters, method)?;
    let work = with_bytes(view, key, method, |provider, key| Macing::begin(provider, method, key, most))?;
    Ok(Running { operation, key: Some(key.sequence), parameters, work })
}

/// Ends a MAC in parts.
///
/// # Errors
/// What the provider says, in the reasons of these operations.
pub fn finish(view: &mut View, key: &Permitted, running: Running<Macing>) -> Outcome<Vec<u8>> {
    let method = parameters::mac(&running.parameters, key).map_err(as_feature)?;
    let len = parameters::mac_len(&running.parameters, method)?;
    let mut mac = with_bytes(view, key, method, |provider, key| running.work.finish(method, provider, key))?;
    mac.truncate(len);
    Ok(mac)
}

/// A key of another algorithm makes MACs too where its usage mask lets it: to HMAC its bytes are bytes.
fn with_bytes<T>(
    view: &mut View,
    key: &Permitted,
    method: Method,
    work: impl FnOnce(&dyn Provider, Key<'_>) -> Result<T, CryptoError>,
) -> Outcome<T> {
    let outcome = view.with_key(key, |provider, key| match (key, key.kind(), method) {
        (Key::Clear(other), KeyKind::Aes { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20, Method::Hmac(_)) => {
            let bytes = ClearKey::new(keyblock::symmetric_kind(None, other.bytes().len()), other.bytes().clone());
            work(provider, Key::Clear(&bytes))
        }
        _ => work(provider, key),
    });
    outcome.map_err(as_feature)
}

/// The MAC of data, as long as the parameters say.
///
/// # Errors
/// What is said of the parameters; what the provider says, in the reasons of these operations.
pub fn make(view: &mut View, key: &Permitted, parameters: &CryptographicParameters, data: &[u8]) -> Outcome<Vec<u8>> {
    let method = parameters::mac(parameters, key).map_err(as_feature)?;
    let len = parameters::mac_len(parameters, method)?;
    let mut mac = compute(view, key, method, data)?;
    mac.truncate(len);
    Ok(mac)
}

/// Computes a MAC, for MAC and MAC Verify.
///
/// # Errors
/// What the provider says, in the reasons of these operations.
pub fn compute(view: &mut View, key: &Permitted, method: Method, data: &[u8]) -> Outcome<Vec<u8>> {
    with_bytes(view, key, method, |provider, key| provider.mac(key, method, data))
}

#[cfg(test)]
mod tests;
