//! Signature Verify (KMIP 2.1 §6.1.56, 1.4 §4.32).

use kmip_codec::spec::{ObjectType, Operation, ResultReason, Tag, ValidityIndicator};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, Object, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters::{self, Schemes};
use super::parts::{self, Part, Running};
use super::sign::{self, Signed};
use crate::crypto::algorithm::{Family, KeyKind, Message, Signature};
use crate::crypto::stream::Signing;
use crate::crypto::{CryptoError, certificate, keyblock, keyformat, public};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::usage::Purpose;
use crate::session::parts::Weighs;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The public key or certificate, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How it was signed; else as the key's own parameters say.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
        /// What was signed.
        pub data: Option<Data> = Data,
        /// Its digest, in its place.
        pub digested_data: Option<Blob> = DigestedData since V1_4,
        /// The signature.
        pub signature_data: Option<Blob> = SignatureData,
        /// The stream that the request goes on with.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
        /// Whether a stream begins.
        pub init_indicator: Option<bool> = InitIndicator since V1_3,
        /// Whether a stream ends.
        pub final_indicator: Option<bool> = FinalIndicator since V1_3,
    }

    /// The answer. There is no signature here from which data is recovered.
    pub struct Response {
        /// The key.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Whether the key signed the data so.
        pub validity_indicator: Option<ValidityIndicator> = ValidityIndicator,
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
    }
}

/// Signature Verify.
pub struct SignatureVerify;

impl Handler for SignatureVerify {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Verify))?;
        let spki = public_key(view, &key)?;
        if part != Part::Whole {
            return in_parts(view, &key, &spki, request, part);
        }
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let signed = Signed::read(request.data, request.digested_data)?;
        let signature = request.signature_data.ok_or_else(|| data::missing(Tag::SignatureData))?;
        Ok(answer(&key, Some(holds(view, &key, &given, signed.message(), &signature)?)))
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// The signature comes with any one part.
struct Verifying {
    running: Running<Signing>,
    signature: Option<Blob>,
}

impl Weighs for Verifying {
    fn weight(&self) -> usize {
        self.running.weight().saturating_add(self.signature.as_ref().map_or(0, |bytes| bytes.len()))
    }
}

fn in_parts(view: &mut View, key: &Permitted, spki: &[u8], request: Request, part: Part) -> Outcome<Response> {
    let kind = keyformat::identify_public(spki)?;
    let bits = keyblock::length_of(kind);
    let print = parts::print(Operation::SignatureVerify, view.version(), &request);
    let fits = |verifying: &Verifying| verifying.running.fits(Operation::SignatureVerify, Some(key));
    let correlation = request.correlation_value.clone();
    let most = view.shared().parts.limits().bytes;
    let (response, correlation_value) = view.part(print, correlation.as_ref(), fits, |view, verifying| {
        let (running, before) = match verifying {
            Some(Verifying { running, signature }) => (Some(running), signature),
            None => (None, None),
        };
        let mut running = sign::begin(
            Operation::SignatureVerify,
            key,
            (bits, most),
            running,
            request.cryptographic_parameters,
            &request.digested_data,
        )?;
        let signature = parts::once(before, request.signature_data, Tag::SignatureData)?;
        running.work.update(&parts::data(request.data)?)?;
        if !part.is_last() {
            return Ok((Some(Verifying { running, signature }), answer(key, None)));
        }
        let signature = signature.ok_or_else(|| data::missing(Tag::SignatureData))?;
        let schemes = parameters::signature(&running.parameters, key, bits, Message::Data(&[]))?;
        let gathered = running.work.finish();
        let is_valid = verify(view, spki, kind, &schemes, gathered.message(), &signature)?;
        Ok((None, answer(key, Some(is_valid))))
    })?;
    Ok(Response { correlation_value, ..response })
}

/// Whether the key signed what came in parts.
///
/// # Errors
/// Invalid Object Type; what is said of the parameters.
pub fn finish(view: &mut View, key: &Permitted, running: Running<Signing>, signature: &[u8]) -> Outcome<bool> {
    let spki = public_key(view, key)?;
    let kind = keyformat::identify_public(&spki)?;
    let schemes = parameters::signature(&running.parameters, key, keyblock::length_of(kind), Message::Data(&[]))?;
    verify(view, &spki, kind, &schemes, running.work.finish().message(), signature)
}

/// Whether a public key, or that of a certificate, signed a message.
///
/// # Errors
/// Invalid Object Type; what is said of the parameters.
pub fn holds(
    view: &mut View,
    key: &Permitted,
    parameters: &CryptographicParameters,
    message: Message<'_>,
    signature: &[u8],
) -> Outcome<bool> {
    let spki = public_key(view, key)?;
    let kind = keyformat::identify_public(&spki)?;
    let schemes = parameters::signature(parameters, key, keyblock::length_of(kind), message)?;
    verify(view, &spki, kind, &schemes, message, signature)
}

/// Whether the key signed the message by one of the schemes.
fn verify(
    view: &View,
    spki: &[u8],
    kind: KeyKind,
    schemes: &Schemes,
    message: Message<'_>,
    signature: &[u8],
) -> Outcome<bool> {
    // A signature of the other family is not this key's, which is an answer and no failure.
    let is_its_own = match schemes.signing {
        Signature::Ecdsa(_) | Signature::EcdsaBare => matches!(kind, KeyKind::Ec { .. }),
        Signature::Eddsa => matches!(kind, KeyKind::Edwards { curve } if curve.signs()),
        Signature::RsaPkcs1(_) | Signature::RsaPkcs1Bare | Signature::RsaPss { .. } => {
            matches!(kind, KeyKind::Rsa { .. })
        }
        Signature::MlDsa => matches!(kind, KeyKind::PostQuantum { set } if set.family() == Family::MlDsa),
        Signature::SlhDsa => matches!(kind, KeyKind::PostQuantum { set } if set.family() == Family::SlhDsa),
    };
    if !is_its_own {
        return Ok(false);
    }
    // What the parameters leave open is one of those that are permitted.
    let all = || std::iter::once(&schemes.signing).chain(&schemes.also);
    if let Err(refused) = view.permit_verification(kind, schemes.signing)
        && !all().any(|scheme| view.permit_verification(kind, *scheme).is_ok())
    {
        return Err(refused);
    }
    let mut is_valid = false;
    let open = !schemes.also.is_empty();
    for scheme in all().filter(|scheme| view.permit_verification(kind, **scheme).is_ok()) {
        match public::verify(spki, *scheme, message, signature) {
            Ok(verified) => is_valid |= verified,
            // The standard's salt may be too long for a small key: then the others are asked all the same.
            Err(CryptoError::BadParameters(_)) if open && *scheme == schemes.signing => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(is_valid)
}

fn answer(key: &Permitted, is_valid: Option<bool>) -> Response {
    let validity = |valid| if valid { ValidityIndicator::Valid } else { ValidityIndicator::Invalid };
    Response {
        unique_identifier: key.identifier(),
        validity_indicator: is_valid.map(validity),
        correlation_value: None,
    }
}

/// The key of a Public Key, or of a Certificate, whose Cryptographic Parameters are those of the public key in it
/// (§4.16). A Private Key verifies nothing: its public half is an object of its own.
///
/// # Errors
/// Invalid Object Type.
pub fn public_key(view: &mut View, key: &Permitted) -> Outcome<Vec<u8>> {
    match key.object_type() {
        ObjectType::PublicKey => view.public_key(key),
        ObjectType::Certificate => match &*view.material(key)? {
            Material::Open(object) => match &**object {
                Object::Certificate(held) => certificate::public_key(&held.certificate_value),
                _ => Err(Failure::internal("a Certificate whose material is none")),
            },
            Material::Guarded(_) => Err(Failure::internal("a Certificate in the module")),
        },
        other => Err(Failure::new(
            ResultReason::InvalidObjectType,
            format!("a Public Key or a Certificate verifies, not a {other}"),
        )),
    }
}
