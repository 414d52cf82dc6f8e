//! Hash (KMIP 2.1 §6.1.24, 1.4 §4.37).

use kmip_codec::spec::{Operation, ResultReason};
use kmip_codec::structure;
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters;

use super::Handler;
use super::data::{self, Data};
use super::parameters;
use super::parts::{self, Part, Running};
use crate::crypto::public::{self, Hasher};
use crate::failure::{Failure, Outcome};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// Which hash function.
        pub cryptographic_parameters: CryptographicParameters = CryptographicParameters,
        /// What to hash.
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
        /// The digest.
        pub data: Option<Blob> = Data,
        /// Under which the next part goes on.
        pub correlation_value: Option<Blob> = CorrelationValue since V1_3,
    }
}

/// Hash.
pub struct Hash;

impl Handler for Hash {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let part = Part::read(request.init_indicator, request.final_indicator, request.correlation_value.as_ref())?;
        let hash = parameters::hash(&request.cryptographic_parameters).map_err(listed)?;
        view.permit_hash(hash).map_err(listed)?;
        if part == Part::Whole {
            let data = data::required(request.data)?;
            return Ok(Response { data: Some(Blob::new(public::hash(hash, &data))), correlation_value: None });
        }
        let print = parts::print(Operation::Hash, view.version(), &request);
        let fits = |running: &Running<Hasher>| running.fits(Operation::Hash, None);
        let correlation = request.correlation_value.clone();
        let (response, correlation_value) = view.part(print, correlation.as_ref(), fits, |_, running| {
            let parameters = request.cryptographic_parameters;
            let mut running = match running {
                Some(running) => {
                    running.agree(Some(&parameters)).map_err(listed)?;
                    running
                }
                None => Running { operation: Operation::Hash, key: None, parameters, work: Hasher::new(hash) },
            };
            running.work.update(&parts::data(request.data)?);
            if !part.is_last() {
                return Ok((Some(running), Response { data: None, correlation_value: None }));
            }
            Ok((None, Response { data: Some(Blob::new(running.work.finish())), correlation_value: None }))
        })?;
        Ok(Response { correlation_value, ..response })
    }

    fn data(response: &Response) -> Option<Blob> {
        response.data.clone()
    }
}

/// Hash has no reason that speaks of Cryptographic Parameters.
fn listed(failure: Failure) -> Failure {
    match failure.reason {
        ResultReason::BadCryptographicParameters => Failure { reason: ResultReason::InvalidField, ..failure },
        _ => parameters::as_feature(failure),
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{HashingAlgorithm as Algorithm, ResultReason as Reason, Version};

    use super::*;
    use crate::view::testing::Bench;

    fn ask(parameters: CryptographicParameters, data: Option<&[u8]>) -> Outcome<Response> {
        let request = Request {
            cryptographic_parameters: parameters,
            data: data.map(|data| Data::Bytes(Blob::copy_of(data))),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        Bench::new().run::<Hash>(Version::V2_1, request)
    }

    fn with(algorithm: Algorithm) -> CryptographicParameters {
        CryptographicParameters { hashing_algorithm: Some(algorithm), ..CryptographicParameters::default() }
    }

    #[test]
    fn published_digests() {
        for (algorithm, digest) in [
            (Algorithm::MD2, "da853b0d3f88d99b30283a69e6ded6bb"),
            (Algorithm::MD4, "a448017aaf21d8525fc10ae87aa6729d"),
            (Algorithm::RIPEMD160, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            (Algorithm::Tiger, "2aab1484e8c158f2bfb8c5ff41b57a525129131c957b5f93"),
            (Algorithm::MD5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Algorithm::SHA512256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
            (Algorithm::SHA3256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        ] {
            let answer = ask(with(algorithm), Some(b"abc")).unwrap();
            assert_eq!(hex::encode(&*answer.data.unwrap()), digest);
        }
    }

    #[test]
    fn the_reasons_are_those_of_the_table() {
        let reason = |parameters, data| ask(parameters, data).unwrap_err().reason;
        assert_eq!(reason(CryptographicParameters::default(), Some(b"")), Reason::InvalidField);
        assert_eq!(reason(with(Algorithm(0x12)), Some(b"")), Reason::FeatureNotSupported);
        let more = CryptographicParameters { salt_length: Some(1), ..with(Algorithm::SHA256) };
        assert_eq!(reason(more, Some(b"")), Reason::InvalidField);
        assert_eq!(reason(with(Algorithm::SHA256), None), Reason::InvalidMessage);
    }
}
