//! RNG Seed (KMIP 2.1 §6.1.50, 1.4 §4.36).

use kmip_codec::structure;

use super::Handler;
use super::data::Data;
use crate::failure::Outcome;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// What to mix in.
        pub data: Data = Data,
    }

    /// The answer.
    pub struct Response {
        /// How many bytes of it the generator took; none is no error.
        pub data_length: i32 = DataLength,
    }
}

/// RNG Seed.
pub struct RngSeed;

impl Handler for RngSeed {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let seed = request.data.bytes()?;
        let taken = view.shared().providers.random().seed(&seed)?;
        Ok(Response { data_length: i32::try_from(taken).unwrap_or(i32::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{ResultReason, Version};
    use kmip_codec::ttlv::Blob;

    use super::*;
    use crate::view::testing::Bench;

    #[test]
    fn the_generator_says_how_much_it_took() {
        let bench = Bench::new();
        let ask = |data| bench.run::<RngSeed>(Version::V2_1, Request { data });
        // The software generator seeds itself from the system and takes nothing.
        assert_eq!(ask(Data::Bytes(Blob::copy_of(&[7; 32]))).unwrap().data_length, 0);
        assert_eq!(ask(Data::Earlier(Value::Enumeration(5))).unwrap_err().reason, ResultReason::FeatureNotSupported);
    }
}
