//! RNG Retrieve (KMIP 2.1 §6.1.49, 1.4 §4.35).

use kmip_codec::structure;
use kmip_codec::ttlv::Blob;

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::view::View;

/// The most that one request gets, in bytes.
const MOST: usize = 64 * 1024;

structure! {
    /// The request.
    pub struct Request {
        /// How much, in bytes.
        pub data_length: i32 = DataLength,
    }

    /// The answer.
    pub struct Response {
        /// Random bytes.
        pub data: Blob = Data,
    }
}

/// RNG Retrieve.
pub struct RngRetrieve;

impl Handler for RngRetrieve {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let wrong = || Failure::invalid_field(format!("Data Length must be from 1 to {MOST} bytes"));
        let length = usize::try_from(request.data_length).ok().filter(|length| (1..=MOST).contains(length));
        let random = view.random_for_client(length.ok_or_else(wrong)?)?;
        Ok(Response { data: Blob::copy_of(random.expose()) })
    }

    fn data(response: &Response) -> Option<Blob> {
        Some(response.data.clone())
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{ResultReason, Version};

    use super::*;
    use crate::view::testing::Bench;

    #[test]
    fn as_many_as_asked_within_bounds_and_never_the_same() {
        let bench = Bench::new();
        let ask = |data_length| bench.run::<RngRetrieve>(Version::V2_1, Request { data_length });
        assert_eq!(ask(1).unwrap().data.len(), 1);
        assert_eq!(ask(65536).unwrap().data.len(), 65536);
        assert_ne!(ask(32).unwrap().data, ask(32).unwrap().data);
        for length in [0, -1, 65537, i32::MAX, i32::MIN] {
            assert_eq!(ask(length).unwrap_err().reason, ResultReason::InvalidField);
        }
    }
}
