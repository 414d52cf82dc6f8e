//! Decrypt (KMIP 2.1 §6.1.11, 1.4 §4.30).

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
    }
}

/// Decrypt.
pub struct Decrypt;

impl Handler for Decrypt {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        data::whole(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Decrypt))?;
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let how = Enciphering::read(&given, &key, view.version())?;
        let data = data::required(request.data)?;
        let cipher = how.decrypting(Accompanying {
            iv: request.iv_counter_nonce.as_ref(),
            aad: request.additional_data.as_ref(),
            tag: request.authenticated_encryption_tag.as_ref(),
        })?;
        let plaintext = view.with_key(&key, |provider, key| provider.decrypt(key, &cipher, &data))?;
        Ok(Response { unique_identifier: key.identifier(), data: Some(Blob::copy_of(plaintext.expose())) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
