//! Sign (KMIP 2.1 §6.1.55, 1.4 §4.31).

use kmip_codec::spec::{ObjectType, ResultReason};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters;
use crate::crypto::algorithm::Message;
use crate::crypto::{CryptoError, keyblock};
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::trust::policy::Use;
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
    }
}

/// Sign.
pub struct Sign;

impl Handler for Sign {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        data::whole(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Sign))?;
        if key.object_type() != ObjectType::PrivateKey {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                format!("a Private Key signs, not a {}", key.object_type()),
            ));
        }
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let signed = Signed::read(request.data, request.digested_data)?;
        let message = signed.message();
        let bits = keyblock::length_of(view.key_kind(&key)?);
        let schemes = parameters::signature(&given, &key, bits, message)?;
        view.take_usage(&key, signed.bytes.len())?;
        let signature = view.with_key(&key, |provider, key| {
            // The standard's scheme where the provider has it, else the first of those that the parameters leave open.
            let mut signature = provider.sign(key, schemes.signing, message);
            for scheme in &schemes.also {
                if !matches!(signature, Err(CryptoError::Unsupported(_))) {
                    break;
                }
                signature = provider.sign(key, *scheme, message);
            }
            signature
        })?;
        Ok(Response { unique_identifier: key.identifier(), signature_data: Some(Blob::new(signature)) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
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
