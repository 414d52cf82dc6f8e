//! The variations of an answer that the standard permits (KMIP Profiles, Permitted Test Case Variations). Nothing else may
//! differ.

use std::fmt;

use kmip_codec::spec::Tag;

macro_rules! variations {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)*) => {
        /// A permitted variation.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Variation { $($(#[$doc])+ $name,)* }

        impl fmt::Display for Variation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

variations! {
    /// Identifiers and values that variables stand for, at their first appearance.
    Variable = "value of a variable, at first sight",
    /// Identifiers that the case has written out.
    Identifier = "identifier that the server chooses",
    /// The time of the answer.
    TimeStamp = "Time Stamp",
    /// Dates that no request gave.
    Date = "date that the server sets",
    /// Unique Batch Item ID of the server's own requests.
    UniqueBatchItemID = "Unique Batch Item ID of a request of the server",
    /// Authentication in the server's own requests.
    Authentication = "Authentication in a request of the server",
    /// Asynchronous Correlation Value.
    AsynchronousCorrelationValue = "Asynchronous Correlation Value",
    /// Key material that the server generated, or wrapped with a generated key.
    KeyMaterial = "generated key material",
    /// Key Format Type of a generated object.
    KeyFormatType = "Key Format Type of a generated object",
    /// Digest of a generated object.
    Digest = "digest of a generated object",
    /// The output of an operation with a generated key, or with a random part.
    Output = "output of an operation that is not the same each time",
    /// Extension Information of Query.
    Extensions = "extensions that Query reports",
    /// Application Namespaces of Query.
    Namespaces = "application namespaces that Query reports",
    /// Object Types of Query.
    ObjectTypes = "further object types that Query reports",
    /// Operations of Query.
    Operations = "further operations that Query reports",
    /// Attributes that the server has besides.
    Attributes = "further attributes",
    /// Message Extensions that are not critical.
    MessageExtension = "Message Extension that is not critical",
    /// Template-Attribute of a response.
    TemplateAttribute = "Template-Attribute of a response",
    /// Attribute Index 0.
    AttributeIndex = "Attribute Index 0",
    /// Result Message.
    ResultMessage = "Result Message",
    /// Versions that the server speaks besides.
    ProtocolVersions = "further protocol versions",
    /// Vendor Identification.
    VendorIdentification = "Vendor Identification",
    /// Server Correlation Value, which servers need not send (KMIP 2.1 §9.10).
    ServerCorrelationValue = "Server Correlation Value",
}

/// Whether the attribute is a date that servers set.
pub fn server_date(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::ActivationDate
            | Tag::ArchiveDate
            | Tag::CompromiseDate
            | Tag::CompromiseOccurrenceDate
            | Tag::DeactivationDate
            | Tag::DestroyDate
            | Tag::InitialDate
            | Tag::LastChangeDate
            | Tag::ProcessStartDate
            | Tag::ProtectStopDate
            | Tag::ValidityDate
            | Tag::OriginalCreationDate
            | Tag::SubmissionDate
    )
}

/// Whether the item is the output of a cryptographic operation.
pub fn output(tag: Tag) -> bool {
    matches!(tag, Tag::Data | Tag::SignatureData | Tag::MACData | Tag::IVCounterNonce | Tag::AuthenticatedEncryptionTag)
}
