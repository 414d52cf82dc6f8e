//! Set Endpoint Role (KMIP 2.1 §6.1.54, §6.2.5). The dispatcher does it.

use kmip_codec::spec::EndpointRole;
use kmip_codec::structure;

structure! {
    /// The request and the answer.
    pub struct Role {
        /// The role that who is asked takes from then on.
        pub endpoint_role: EndpointRole = EndpointRole,
    }
}
