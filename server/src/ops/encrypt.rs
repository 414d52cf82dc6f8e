//! Encrypt (KMIP 2.1 §6.1.17, 1.4 §4.29).

use kmip_codec::spec::{ObjectType, Operation, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::enciphering::{Accompanying, Enciphering};
use super::parts::{self, Part, Running};
use super::{encapsulation, parameters, signature_verify};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::stream::Ciphering;
use crate::crypto::{keyformat, rsa};
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The key, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How to encrypt; else as the key's own parameters say.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// What to encrypt.
        pub data: Option<Data> = Data,
        /// The IV, counter or nonce.
        pub iv_counter_nonce: Option<Blob> = IVCounterNonce,
        /// The stream that the request goes on with.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
        /// Whether a stream begins.
        pub init_indicator: Option<bool> = InitIndicator since V1_3,
        /// Whether a stream ends.
        pub final_indicator: Option<bool> = FinalIndicator since V1_3,
        /// What is authenticated besides.
        pub additional_data: Option<Blob> = AuthenticatedEncryptionAdditionalData since V1_4,
    }

    /// The answer.
    pub struct Response {
        /// The key.
        pub unique_identifier: Text = UniqueIdentifier,
        /// The ciphertext.
        pub data: Option<Blob> = Data,
        /// The IV, counter or nonce, where the server made it.
        pub iv_counter_nonce: Option<Blob> = IVCounterNonce,
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
        /// The tag of a mode that authenticates.
        pub authenticated_encryption_tag: Option<Blob> = AuthenticatedEncryptionTag since V1_4,
    }
}

/// Encrypt.
pub struct Encrypt;

impl Handler for Encrypt {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Encrypt))?;
        if matches!(key.object_type(), ObjectType::PublicKey | ObjectType::Certificate) {
            return asymmetric(view, &key, request, part);
        }
        match part {
            Part::Whole => whole(view, &key, request),
            _ => in_parts(view, &key, request, part),
        }
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }

    fn data(response: &Response) -> Option<Blob> {
        response.data.clone()
    }
}

/// The IV that the server makes, where the client gave none and wants one.
fn made_iv(view: &View, key: &Permitted, request: &Request, how: &Enciphering) -> Outcome<Option<Blob>> {
    if request.iv_counter_nonce.is_some() {
        how.may_choose(view, key)?;
    }
    match (&request.iv_counter_nonce, how.iv_to_make()?) {
        (None, Some(len)) => how.make_iv(view, len).map(Some),
        _ => Ok(None),
    }
}

fn whole(view: &mut View, key: &Permitted, request: Request) -> Outcome<Response> {
    let given = parameters::applying(request.cryptographic_parameters.clone(), key)?;
    let how = Enciphering::read(view, &given, key)?;
    let made = made_iv(view, key, &request, &how)?;
    let data = data::required(request.data)?;
    let iv = request.iv_counter_nonce.as_ref().or(made.as_ref());
    let start = how.start(iv)?;
    let cipher =
        how.encrypting(Accompanying { iv: start.as_ref().or(iv), aad: request.additional_data.as_ref(), tag: None })?;
    view.take_usage(key, data.len())?;
    if made.as_ref().is_some_and(|made| how.counts(made)) {
        view.count_nonce(key, false)?;
    }
    let encrypted = view.with_key(key, |provider, key| provider.encrypt(key, &cipher, &data))?;
    Ok(Response {
        unique_identifier: key.identifier(),
        data: Some(Blob::new(encrypted.data)),
        iv_counter_nonce: made,
        correlation_value: None,
        authenticated_encryption_tag: (!encrypted.tag.is_empty()).then(|| Blob::new(encrypted.tag)),
    })
}

fn in_parts(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    let print = parts::print(Operation::Encrypt, view.version(), &request);
    let correlation = request.correlation_value.clone();
    let fits = |running: &Running<Ciphering>| running.fits(Operation::Encrypt, Some(key));
    let (answer, correlation_value) = view.part(print, correlation.as_ref(), fits, |view, running| {
        let mut counts = false;
        let (mut running, made) = match running {
            Some(running) => {
                running.agree(request.cryptographic_parameters.as_ref())?;
                parts::only_first(request.iv_counter_nonce.as_ref(), Tag::IVCounterNonce)?;
                parts::only_first(request.additional_data.as_ref(), Tag::AuthenticatedEncryptionAdditionalData)?;
                (running, None)
            }
            None => {
                let given = parameters::applying(request.cryptographic_parameters.clone(), key)?;
                let how = Enciphering::read(view, &given, key)?;
                let made = made_iv(view, key, &request, &how)?;
                counts = made.as_ref().is_some_and(|made| how.counts(made));
                let iv = request.iv_counter_nonce.as_ref().or(made.as_ref());
                let start = how.start(iv)?;
                let cipher = how.encrypting(Accompanying {
                    iv: start.as_ref().or(iv),
                    aad: request.additional_data.as_ref(),
                    tag: None,
                })?;
                let mut work = Ciphering::begin(&cipher, true, view.shared().parts.limits().bytes);
                if let Some(place) = parts::place(view, key, part).filter(|_| cipher.is_authenticated()) {
                    view.with_key(key, |provider, key| work.hold(provider, key, place))?;
                }
                let key = Some(key.sequence);
                (Running { operation: Operation::Encrypt, key, parameters: given, work }, made)
            }
        };
        let data = parts::data(request.data)?;
        parts::take_usage(view, key, part, data.len())?;
        if counts {
            view.count_nonce(key, true)?;
        }
        let last = part.is_last();
        let stepped = view.with_key(key, |provider, key| running.work.step(provider, key, &data, last))?;
        let response = Response {
            unique_identifier: key.identifier(),
            data: (!stepped.data.is_empty()).then(|| Blob::copy_of(stepped.data.expose())),
            iv_counter_nonce: made,
            correlation_value: None,
            authenticated_encryption_tag: (!stepped.tag.is_empty()).then(|| Blob::new(stepped.tag)),
        };
        Ok(((!last).then_some(running), response))
    })?;
    Ok(Response { correlation_value, ..answer })
}

/// With the public key of a pair, or of a certificate.
fn asymmetric(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    let spki = signature_verify::public_key(view, key)?;
    let kind = keyformat::identify_public(&spki)?;
    if let KeyKind::PostQuantum { set } = kind
        && set.is_kem()
    {
        let given = encapsulation::Given {
            parameters: request.cryptographic_parameters,
            part,
            data: request.data,
            aad: request.additional_data,
            iv: request.iv_counter_nonce,
            tag: None,
        };
        let data = Some(encapsulation::encrypt(view, key, set, &spki, given)?);
        return Ok(Response {
            unique_identifier: key.identifier(),
            data,
            iv_counter_nonce: None,
            correlation_value: None,
            authenticated_encryption_tag: None,
        });
    }
    if !matches!(kind, KeyKind::Rsa { .. }) {
        return Err(encapsulation::no_encryption(key.algorithm()));
    }
    if part != Part::Whole {
        return Err(Failure::unsupported("RSA encryption in several parts"));
    }
    parameters::no_iv(request.iv_counter_nonce.as_ref(), request.additional_data.as_ref(), None)?;
    let given = parameters::applying(request.cryptographic_parameters, key)?;
    let cipher = parameters::rsa_cipher(&given)?;
    view.permit_rsa_encryption(kind, &cipher)?;
    let data = data::required(request.data)?;
    view.take_usage(key, data.len())?;
    Ok(Response {
        unique_identifier: key.identifier(),
        data: Some(Blob::new(rsa::encrypt(&spki, &cipher, &data)?)),
        iv_counter_nonce: None,
        correlation_value: None,
        authenticated_encryption_tag: None,
    })
}

#[cfg(test)]
mod tests;
