//! Cancel (KMIP 2.1 §6.1.5, 1.4 §4.27). The dispatcher does it.

use kmip_codec::spec::CancellationResult;
use kmip_codec::structure;
use kmip_codec::ttlv::Blob;

structure! {
    /// The request.
    pub struct Request {
        /// The request that is to be canceled.
        pub asynchronous_correlation_value: Blob = AsynchronousCorrelationValue,
    }

    /// The answer.
    pub struct Response {
        /// As it was asked.
        pub asynchronous_correlation_value: Blob = AsynchronousCorrelationValue,
        /// What came of it.
        pub cancellation_result: CancellationResult = CancellationResult,
    }
}
