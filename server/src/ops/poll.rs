//! Poll (KMIP 2.1 §6.1.38, 1.4 §4.28). The dispatcher does it: its answer is that of the operation which is polled for.

use kmip_codec::structure;
use kmip_codec::ttlv::Blob;

structure! {
    /// The request.
    pub struct Request {
        /// The request that is polled for.
        pub asynchronous_correlation_value: Blob = AsynchronousCorrelationValue,
    }
}
