//! MAC Verify (KMIP 2.1 §6.1.33, 1.4 §4.34).

use kmip_codec::spec::{Operation, Tag, ValidityIndicator};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::mac;
use super::parameters::{self, as_feature};
use super::parts::{self, Part, Running};
use crate::crypto::stream::Macing;
use crate::failure::Outcome;
use crate::object::usage::Purpose;
use crate::secret;
use crate::session::parts::Weighs;
use crate::trust::policy::{Permitted, Use};
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
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
    }
}

/// MAC Verify.
pub struct MacVerify;

impl Handler for MacVerify {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::MacVerify))?;
        if part != Part::Whole {
            return in_parts(view, &key, request, part);
        }
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let method = parameters::mac(&given, &key).map_err(as_feature)?;
        let data = data::required(request.data)?;
        let claimed = request.mac_data.ok_or_else(|| data::missing(Tag::MACData))?;
        let len = parameters::mac_len(&given, method)?;
        let mut computed = mac::compute(view, &key, method, &data)?;
        computed.truncate(len);
        Ok(answer(&key, Some(secret::equal(&computed, &claimed))))
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// The MAC comes with any one part.
struct Verifying {
    running: Running<Macing>,
    claimed: Option<Blob>,
}

impl Weighs for Verifying {
    fn weight(&self) -> usize {
        self.running.weight().saturating_add(self.claimed.as_ref().map_or(0, |bytes| bytes.len()))
    }
}

fn in_parts(view: &mut View, key: &Permitted, request: Request, part: Part) -> Outcome<Response> {
    let print = parts::print(Operation::MACVerify, view.version(), &request);
    let fits = |verifying: &Verifying| verifying.running.fits(Operation::MACVerify, Some(key));
    let correlation = request.correlation_value.clone();
    let (response, correlation_value) = view.part(print, correlation.as_ref(), fits, |view, verifying| {
        let (running, before) = match verifying {
            Some(Verifying { running, claimed }) => (Some(running), claimed),
            None => (None, None),
        };
        let given = request.cryptographic_parameters;
        let mut running = mac::begin_or_go_on(view, Operation::MACVerify, key, running, given, part)?;
        let claimed = parts::once(before, request.mac_data, Tag::MACData)?;
        running.work.update(&parts::data(request.data)?)?;
        if !part.is_last() {
            return Ok((Some(Verifying { running, claimed }), answer(key, None)));
        }
        let claimed = claimed.ok_or_else(|| data::missing(Tag::MACData))?;
        let computed = mac::finish(view, key, running)?;
        Ok((None, answer(key, Some(secret::equal(&computed, &claimed)))))
    })?;
    Ok(Response { correlation_value, ..response })
}

fn answer(key: &Permitted, is_valid: Option<bool>) -> Response {
    let validity = |valid| if valid { ValidityIndicator::Valid } else { ValidityIndicator::Invalid };
    Response {
        unique_identifier: key.identifier(),
        validity_indicator: is_valid.map(validity),
        correlation_value: None,
    }
}
