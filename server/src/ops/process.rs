//! Process (KMIP 2.1 §6.1.39). The dispatcher does it.

use kmip_codec::structure;
use kmip_codec::ttlv::Blob;

structure! {
    /// The request.
    pub struct Request {
        /// The request that is to be processed now.
        pub asynchronous_correlation_value: Blob = AsynchronousCorrelationValue,
    }

    /// The answer. The section's table of it is empty; the published test cases have the value there, and so do we.
    pub struct Response {
        /// As it was asked.
        pub asynchronous_correlation_value: Blob = AsynchronousCorrelationValue,
    }
}
