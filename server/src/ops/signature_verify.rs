//! Signature Verify (KMIP 2.1 §6.1.56, 1.4 §4.32).

use kmip_codec::spec::{ObjectType, ResultReason, Tag, ValidityIndicator};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters, Object, UniqueIdentifier};

use super::Handler;
use super::data::{self, Data};
use super::parameters;
use super::sign::Signed;
use crate::crypto::algorithm::{KeyKind, Signature};
use crate::crypto::{certificate, keyblock, keyformat, public};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::usage::Purpose;
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
    }
}

/// Signature Verify.
pub struct SignatureVerify;

impl Handler for SignatureVerify {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        data::whole(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let key = view.open(request.unique_identifier.as_ref(), Use::Cryptography(Purpose::Verify))?;
        let spki = public_key(view, &key)?;
        let given = parameters::applying(request.cryptographic_parameters, &key)?;
        let signed = Signed::read(request.data, request.digested_data)?;
        let signature = request.signature_data.ok_or_else(|| data::missing(Tag::SignatureData))?;
        let kind = keyformat::identify_public(&spki)?;
        let schemes = parameters::signature(&given, &key, keyblock::length_of(kind), signed.message())?;
        let mut is_valid = false;
        // A signature of the other family is not this key's, which is an answer and no failure.
        if matches!(
            (schemes.signing, kind),
            (Signature::Ecdsa(_), KeyKind::Ec { .. })
                | (Signature::RsaPkcs1(_) | Signature::RsaPss { .. }, KeyKind::Rsa { .. })
        ) {
            let open = !schemes.also.is_empty();
            for scheme in std::iter::once(schemes.signing).chain(schemes.also) {
                match public::verify(&spki, scheme, signed.message(), &signature) {
                    Ok(verified) => is_valid |= verified,
                    // The standard's salt may be too long for a small key: then the others are asked all the same.
                    Err(crate::crypto::CryptoError::BadParameters(_)) if open && scheme == schemes.signing => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let validity = if is_valid { ValidityIndicator::Valid } else { ValidityIndicator::Invalid };
        Ok(Response { unique_identifier: key.identifier(), validity_indicator: Some(validity) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// The key of a Public Key, or of a Certificate, whose Cryptographic Parameters are those of the public key in it
/// (§4.16). A Private Key verifies nothing: its public half is an object of its own.
fn public_key(view: &mut View, key: &Permitted) -> Outcome<Vec<u8>> {
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
