//! MAC (KMIP 2.1 §6.1.32, 1.4 §4.33).

use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters::{self, as_feature};
use crate::crypto::Key;
use crate::crypto::algorithm::{KeyKind, Mac as Method};
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
    }
}

/// MAC.
pub struct Mac;

impl Handler for Mac {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        data::whole(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Mac))?;
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let method = parameters::mac(&given, &key).map_err(as_feature)?;
        let data = data::required(request.data)?;
        view.take_usage(&key, data.len())?;
        let mac = compute(view, &key, method, &data)?;
        Ok(Response { unique_identifier: key.identifier(), mac_data: Some(Blob::new(mac)) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// Computes a MAC, for MAC and MAC Verify. A key of another algorithm makes MACs too where its usage mask lets it: to HMAC
/// its bytes are bytes.
///
/// # Errors
/// What the provider says, in the reasons of these operations.
pub fn compute(view: &mut View, key: &Permitted, method: Method, data: &[u8]) -> Outcome<Vec<u8>> {
    let mac = view.with_key(key, |provider, key| {
        let key = match key {
            Key::Clear { kind: KeyKind::Aes { bits }, bytes } => {
                Key::Clear { kind: KeyKind::Generic { bytes: bits / 8 }, bytes }
            }
            other => other,
        };
        provider.mac(key, method, data)
    });
    mac.map_err(as_feature)
}

#[cfg(test)]
mod tests;
