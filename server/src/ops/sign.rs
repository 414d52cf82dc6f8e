//! Sign (KMIP 2.1 §6.1.55, 1.4 §4.31).

use kmip_codec::spec::{ObjectType, Operation, ResultReason};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters::{self, Schemes};
use super::parts::{self, Part, Running};
use crate::crypto::algorithm::Message;
use crate::crypto::stream::Signing;
use crate::crypto::{CryptoError, keyblock};
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The private key, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How to sign; else as the key's own parameters say.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// What to sign.
        pub data: Option<Data> = Data,
        /// Its digest, in its place.
        pub digested_data: Option<Blob> = DigestedData since V1_4,
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
        /// The signature.
        pub signature_data: Option<Blob> = SignatureData,
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
    }
}

/// Sign.
pub struct Sign;

impl Handler for Sign {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Sign))?;
        if key.object_type() != ObjectType::PrivateKey {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                format!("a Private Key signs, not a {}", key.object_type()),
            ));
        }
        if part != Part::Whole {
            return in_parts(view, &key, request, part);
        }
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let signed = Signed::read(request.data, request.digested_data)?;
        let message = signed.message();
        let schemes = schemes(view, &key, &given, message)?;
        view.take_usage(&key, signed.bytes.len())?;
        let signature = signature(view, &key, &schemes, message)?;
        Ok(answer(&key, Some(Blob::new(signature))))
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }

    fn data(response: &Response) -> Option<Blob> {
        response.signature_data.clone()
    }
}

fn in_parts(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    let print = parts::print(Operation::Sign, view.version(), &request);
    let fits = |running: &Running<Signing>| running.fits(Operation::Sign, Some(key));
    let correlation = request.correlation_value.clone();
    let (response, correlation_value) = view.part(print, correlation.as_ref(), fits, |view, running| {
        let bits = keyblock::length_of(view.key_kind(key)?);
        let most = view.shared().parts.limits().bytes;
        let given = request.cryptographic_parameters;
        let mut running = begin(Operation::Sign, key, (bits, most), running, given, &request.digested_data)?;
        let data = parts::data(request.data)?;
        parts::take_usage(view, key, part, data.len())?;
        running.work.update(&data)?;
        if !part.is_last() {
            return Ok((Some(running), answer(key, None)));
        }
        let signature = finish(view, key, running)?;
        Ok((None, answer(key, Some(Blob::new(signature)))))
    })?;
    Ok(Response { correlation_value, ..response })
}

/// Goes on with what is signed in parts, or begins it, for Sign and Signature Verify: with the length of the key in bits, and
/// the most bytes of data that may wait where the data itself is signed.
///
/// # Errors
/// Invalid Field for digested data, which has no parts; what is said of the parameters.
pub fn begin(
    operation: Operation,
    key: &Permitted,
    (bits, most): (u32, usize),
    running: Option<Running<Signing>>,
    given: Option<CryptographicParameters>,
    digested: &Option<Blob>,
) -> Outcome<Running<Signing>> {
    if digested.is_some() {
        return Err(Failure::invalid_field("a digest is signed at once, and not in parts"));
    }
    if let Some(running) = running {
        running.agree(given.as_ref())?;
        return Ok(running);
    }
    let parameters = parameters::applying(given, key)?;
    let schemes = parameters::signature(&parameters, key, bits, Message::Data(&[]))?;
    let work = Signing::begin(schemes.signing, most);
    let work = work.ok_or_else(|| parameters::bad("nothing says the Hashing Algorithm"))?;
    Ok(Running { operation, key: Some(key.sequence), parameters, work })
}

/// Signs what came in parts.
///
/// # Errors
/// What the provider says.
pub fn finish(view: &mut View, key: &Permitted, running: Running<Signing>) -> Outcome<Vec<u8>> {
    let gathered = running.work.finish();
    let schemes = schemes(view, key, &running.parameters, Message::Data(&[]))?;
    signature(view, key, &schemes, gathered.message())
}

/// Signs a message with a private key that may sign.
///
/// # Errors
/// What is said of the parameters; what the provider says.
pub fn make(
    view: &mut View,
    key: &Permitted,
    parameters: &CryptographicParameters,
    message: Message<'_>,
) -> Outcome<Vec<u8>> {
    let schemes = schemes(view, key, parameters, message)?;
    signature(view, key, &schemes, message)
}

fn schemes(
    view: &mut View,
    key: &Permitted,
    parameters: &CryptographicParameters,
    message: Message<'_>,
) -> Outcome<Schemes> {
    let bits = keyblock::length_of(view.key_kind(key)?);
    parameters::signature(parameters, key, bits, message)
}

fn signature(view: &mut View, key: &Permitted, schemes: &Schemes, message: Message<'_>) -> Outcome<Vec<u8>> {
    view.with_key(key, |provider, key| {
        // The standard's scheme where the provider has it and it is permitted, else the first of those that the parameters
        // leave open.
        let is_lacking = |error: &CryptoError| matches!(error, CryptoError::Unsupported(_) | CryptoError::Forbidden(_));
        let refused = match provider.sign(key, schemes.signing, message) {
            Err(error) if is_lacking(&error) => error,
            settled => return settled,
        };
        let others = schemes.also.iter().map(|scheme| provider.sign(key, *scheme, message));
        let mut settled = others.filter(|signature| !signature.as_ref().is_err_and(is_lacking));
        settled.next().unwrap_or(Err(refused))
    })
}

fn answer(key: &Permitted, signature_data: Option<Blob>) -> Response {
    Response { unique_identifier: key.identifier(), signature_data, correlation_value: None }
}

/// What is or was signed: data, or the digest of data.
pub struct Signed {
    bytes: Blob,
    is_digest: bool,
}

impl Signed {
    /// Reads the one or the other from a request.
    ///
    /// # Errors
    /// Missing Data for none; Invalid Field for both.
    pub fn read(data: Option<Data>, digest: Option<Blob>) -> Outcome<Self> {
        match (data, digest) {
            (Some(_), Some(_)) => Err(Failure::invalid_field("either Data or Digested Data is signed, not both")),
            (None, Some(bytes)) => Ok(Self { bytes, is_digest: true }),
            (data, None) => Ok(Self { bytes: data::required(data)?, is_digest: false }),
        }
    }

    /// As providers take it.
    pub fn message(&self) -> Message<'_> {
        if self.is_digest { Message::Digest(&self.bytes) } else { Message::Data(&self.bytes) }
    }
}

#[cfg(test)]
mod tests;
