//! MAC Verify (KMIP 2.1 §6.1.33, 1.4 §4.34).

use kmip_codec::spec::{Tag, ValidityIndicator};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::mac;
use super::parameters::{self, as_feature};
use crate::crypto::public;
use crate::failure::Outcome;
use crate::object::usage::Purpose;
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The key, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// Which MAC; else as the key's own parameters, or its algorithm, say.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// What the MAC was made of; HMAC needs it.
        pub data: Option<Data> = Data,
        /// The MAC, of full length.
        pub mac_data: Option<Blob> = MACData,
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
        /// Whether it is the data's MAC.
        pub validity_indicator: Option<ValidityIndicator> = ValidityIndicator,
    }
}

/// MAC Verify.
pub struct MacVerify;

impl Handler for MacVerify {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        data::whole(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::MacVerify))?;
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let method = parameters::mac(&given, &key).map_err(as_feature)?;
        let data = data::required(request.data)?;
        let claimed = request.mac_data.ok_or_else(|| data::missing(Tag::MACData))?;
        let computed = mac::compute(view, &key, method, &data)?;
        let is_valid = public::mac_equal(&computed, &claimed);
        let validity = if is_valid { ValidityIndicator::Valid } else { ValidityIndicator::Invalid };
        Ok(Response { unique_identifier: key.identifier(), validity_indicator: Some(validity) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
