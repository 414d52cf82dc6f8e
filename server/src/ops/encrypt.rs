//! Encrypt (KMIP 2.1 §6.1.17, 1.4 §4.29).

use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters::{self, Accompanying, Enciphering};
use crate::failure::Outcome;
use crate::object::usage::Purpose;
use crate::trust::policy::Use;
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
        data::whole(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Encrypt))?;
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let how = Enciphering::read(&given, &key, view.version())?;
        let data = data::required(request.data)?;
        let made = match (&request.iv_counter_nonce, how.iv_to_make()?) {
            (None, Some(len)) => Some(Blob::copy_of(view.random(len)?.expose())),
            _ => None,
        };
        let cipher = how.encrypting(Accompanying {
            iv: request.iv_counter_nonce.as_ref().or(made.as_ref()),
            aad: request.additional_data.as_ref(),
            tag: None,
        })?;
        view.take_usage(&key, data.len())?;
        let encrypted = view.with_key(&key, |provider, key| provider.encrypt(key, &cipher, &data))?;
        Ok(Response {
            unique_identifier: key.identifier(),
            data: Some(Blob::new(encrypted.data)),
            iv_counter_nonce: made,
            authenticated_encryption_tag: (!encrypted.tag.is_empty()).then(|| Blob::new(encrypted.tag)),
        })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

#[cfg(test)]
mod tests;
