//! Put (KMIP 2.1 §6.2.3, 1.4 §5.2): the server pushes an object to a client. Only ever sent.

use kmip_codec::spec::PutFunction;
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{AttributeList, Object};

structure! {
    /// The request.
    pub struct Request {
        /// The object's identifier.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Whether it takes the place of another one.
        pub put_function: PutFunction = PutFunction,
        /// Of which.
        pub replaced_unique_identifier: Option<Text> = ReplacedUniqueIdentifier,
        /// The object.
        pub object: Object = Objects,
        /// Its attributes.
        pub attributes: AttributeList = Attributes,
    }
}
