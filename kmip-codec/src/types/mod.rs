//! Structures that several operations share.

mod attribute;
mod credential;
mod cryptographic_parameters;
mod defaults;
mod information;
mod key_block;
mod object;
mod structures;
mod ticket;
mod unique_identifier;

pub use attribute::{
    Attribute, AttributeList, AttributeReference, AttributeReferences, Attributes, ChangedAttribute, CurrentAttribute,
    FoundAttributes, NewAttribute, vendor,
};
pub use credential::{
    AttestationCredential, Authentication, Credential, DeviceCredential, HashedPassword, Nonce, OneTimePassword,
    Password, TicketCredential, UsernameAndPassword,
};
pub use cryptographic_parameters::CryptographicParameters;
pub use defaults::{Constraint, Constraints, DefaultsInformation, ObjectDefaults};
pub use information::{
    CapabilityInformation, ExtensionInformation, ObjectGroups, ProfileInformation, ProfileVersion, RngParameters,
    ServerInformation, ValidationInformation,
};
pub use key_block::{
    EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification,
    MacSignatureKeyInformation, TransparentSymmetricKey,
};
pub use object::{Certificate, CertificateRequest, Object, OpaqueObject, PgpKey, SecretData, SplitKey, Template};
pub use structures::{
    ApplicationSpecificInformation, CryptographicDomainParameters, Digest, Link, Name, ProtectionStorageMasks,
    ProtocolVersion, RevocationReason, UsageLimits,
};
pub use ticket::{ObjectTypes, Objects, Operations, Right, Rights, Ticket, TicketTime};
pub use unique_identifier::UniqueIdentifier;
