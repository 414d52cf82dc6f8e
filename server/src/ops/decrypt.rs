//! Decrypt (KMIP 2.1 §6.1.11, 1.4 §4.30).

use kmip_codec::spec::{ObjectType, Operation, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::data::{self, Data};
use super::enciphering::{Accompanying, Enciphering};
use super::parts::{self, Part, Running};
use super::{Handler, encapsulation, parameters};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::stream::Ciphering;
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The key, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How to decrypt; else as the key's own parameters say.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// What to decrypt.
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
        /// The tag that must verify.
        pub authenticated_encryption_tag: Option<Blob> = AuthenticatedEncryptionTag since V1_4,
    }

    /// The answer.
    pub struct Response {
        /// The key.
        pub unique_identifier: Text = UniqueIdentifier,
        /// The plaintext.
        pub data: Option<Blob> = Data,
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
    }
}

/// Decrypt.
pub struct Decrypt;

impl Handler for Decrypt {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Decrypt))?;
        if key.object_type() == ObjectType::PrivateKey {
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

fn whole(view: &mut View, key: &Permitted, request: Request) -> Outcome<Response> {
    let given = parameters::applying(request.cryptographic_parameters, key)?;
    let how = Enciphering::read(view, &given, key)?;
    let data = data::required(request.data)?;
    let start = how.start(request.iv_counter_nonce.as_ref())?;
    let cipher = how.decrypting(Accompanying {
        iv: start.as_ref().or(request.iv_counter_nonce.as_ref()),
        aad: request.additional_data.as_ref(),
        tag: request.authenticated_encryption_tag.as_ref(),
    })?;
    let plaintext = view.with_key(key, |provider, key| provider.decrypt(key, &cipher, &data))?;
    Ok(answer(key, Some(Blob::copy_of(plaintext.expose()))))
}

fn in_parts(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    let print = parts::print(Operation::Decrypt, view.version(), &request);
    let correlation = request.correlation_value.clone();
    let fits = |running: &Running<Ciphering>| running.fits(Operation::Decrypt, Some(key));
    let (answer, correlation_value) = view.part(print, correlation.as_ref(), fits, |view, running| {
        let tag = request.authenticated_encryption_tag.as_ref();
        let mut running = match running {
            Some(mut running) => {
                running.agree(request.cryptographic_parameters.as_ref())?;
                parts::only_first(request.iv_counter_nonce.as_ref(), Tag::IVCounterNonce)?;
                parts::only_first(request.additional_data.as_ref(), Tag::AuthenticatedEncryptionAdditionalData)?;
                // The text has the tag come with the first part; who encrypts in parts has it only in the end.
                if let Some(tag) = tag {
                    running.work.set_tag(tag)?;
                }
                running
            }
            None => {
                let given = parameters::applying(request.cryptographic_parameters.clone(), key)?;
                let how = Enciphering::read(view, &given, key)?;
                let start = how.start(request.iv_counter_nonce.as_ref())?;
                let iv = start.as_ref().or(request.iv_counter_nonce.as_ref());
                let with = Accompanying { iv, aad: request.additional_data.as_ref(), tag };
                let cipher = if tag.is_some() { how.decrypting(with)? } else { how.encrypting(with)? };
                let work = Ciphering::begin(&cipher, false, view.shared().parts.limits().bytes);
                let key = Some(key.sequence);
                Running { operation: Operation::Decrypt, key, parameters: given, work }
            }
        };
        let data = parts::data(request.data)?;
        let last = part.is_last();
        if last && running.work.lacks_tag() {
            return Err(data::missing(Tag::AuthenticatedEncryptionTag));
        }
        let stepped = view.with_key(key, |provider, key| running.work.step(provider, key, &data, last))?;
        let plaintext = (!stepped.data.is_empty()).then(|| Blob::copy_of(stepped.data.expose()));
        Ok(((!last).then_some(running), answer(key, plaintext)))
    })?;
    Ok(Response { correlation_value, ..answer })
}

/// With the private key of a pair.
fn asymmetric(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    if let Some(set) = encapsulation::set_of(view, key) {
        let given = encapsulation::Given {
            parameters: request.cryptographic_parameters,
            part,
            data: request.data,
            aad: request.additional_data,
            iv: request.iv_counter_nonce,
            tag: request.authenticated_encryption_tag,
        };
        return Ok(answer(key, Some(encapsulation::decrypt(view, key, set, given)?)));
    }
    if !matches!(view.key_kind(key)?, KeyKind::Rsa { .. }) {
        return Err(encapsulation::no_encryption(key.algorithm()));
    }
    if part != Part::Whole {
        return Err(Failure::unsupported("RSA decryption in several parts"));
    }
    parameters::no_iv(
        request.iv_counter_nonce.as_ref(),
        request.additional_data.as_ref(),
        request.authenticated_encryption_tag.as_ref(),
    )?;
    let given = parameters::applying(request.cryptographic_parameters, key)?;
    let cipher = parameters::rsa_cipher(&given)?;
    let data = data::required(request.data)?;
    let plaintext = view.with_key(key, |provider, key| provider.decrypt_rsa(key, &cipher, &data))?;
    Ok(answer(key, Some(Blob::copy_of(plaintext.expose()))))
}

fn answer(key: &Permitted, data: Option<Blob>) -> Response {
    Response { unique_identifier: key.identifier(), data, correlation_value: None }
}
