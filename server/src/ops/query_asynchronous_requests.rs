//! Query Asynchronous Requests (KMIP 2.1 §6.1.41). The dispatcher does it.

use kmip_codec::schema::DateTimeExtended;
use kmip_codec::spec::{Operation, ProcessingStage};
use kmip_codec::structure;
use kmip_codec::ttlv::Blob;

structure! {
    /// The request. What is absent is no filter.
    pub struct Request {
        /// Only these requests.
        pub asynchronous_correlation_values: Option<Values> = AsynchronousCorrelationValues,
        /// Only requests for these operations.
        pub operations: Option<Operations> = Operations,
    }

    /// Asynchronous Correlation Values (KMIP 2.1 §7.1).
    pub struct Values {
        /// Any number of them.
        pub values: Vec<Blob> = AsynchronousCorrelationValue,
    }

    /// Operations (KMIP 2.1 §7.25).
    pub struct Operations {
        /// Any number of them.
        pub operations: Vec<Operation> = Operation,
    }

    /// The answer.
    pub struct Response {
        /// Those whose results have not been obtained yet, oldest first.
        pub requests: Vec<AsynchronousRequest> = AsynchronousRequest,
    }

    /// Asynchronous Request (KMIP 2.1 §7.2).
    pub struct AsynchronousRequest {
        /// What to poll for.
        pub asynchronous_correlation_value: Blob = AsynchronousCorrelationValue,
        /// What was asked.
        pub operation: Operation = Operation,
        /// When.
        pub submission_date: DateTimeExtended = SubmissionDate,
        /// How far it is.
        pub processing_stage: ProcessingStage = ProcessingStage,
    }
}
