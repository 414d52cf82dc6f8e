//! The tags (KMIP 2.1 §11.56, 1.4 §9.1.3.1).

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use super::version::{last_version, version};
use super::{EnumValue, Enumeration, Version, xml_name};

/// The tag of an element: three bytes, 42xxxx for the standard's and 54xxxx for extensions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(u32);

/// A row of the tag table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TagInfo {
    /// The tag.
    pub tag: Tag,
    /// Its name as the standard spells it.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it, deprecated or not; none while it stands.
    pub until: Option<Version>,
}

/// The constants and the one table, in the order of the codes.
macro_rules! tags {
    ($($ident:ident = $code:literal $name:literal since $since:tt $(until $until:tt)?,)*) => {
        #[allow(non_upper_case_globals, reason = "the standard's spelling")]
        impl Tag {
            $(#[doc = $name] pub const $ident: Self = Self($code);)*
        }

        static TABLE: &[TagInfo] = &[$(TagInfo {
            tag: Tag::$ident,
            name: $name,
            since: version!($since),
            until: last_version!($($until)?),
        }),*];

        /// The same rows as values of the Tag enumeration.
        static VALUES: &[EnumValue] = &[$(EnumValue {
            value: $code,
            name: $name,
            since: version!($since),
            until: last_version!($($until)?),
        }),*];
    };
}

impl Tag {
    /// Every tag of the standard, in the order of the codes.
    pub fn all() -> &'static [TagInfo] {
        TABLE
    }

    /// The tag of that code, known or not; only the low three bytes travel.
    pub const fn new(code: u32) -> Self {
        Self(code & 0x00FF_FFFF)
    }

    /// The code, 24 bits.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Whether the tag is an extension (54xxxx), whose meaning is between the peers.
    pub const fn is_extension(self) -> bool {
        self.0 >> 16 == 0x54
    }

    /// The row of the tag, if the standard has it in any version.
    pub fn info(self) -> Option<&'static TagInfo> {
        let row = TABLE.binary_search_by_key(&self, |info| info.tag).ok()?;
        TABLE.get(row)
    }

    /// The name as the standard spells it.
    pub fn name(self) -> Option<&'static str> {
        self.info().map(|info| info.name)
    }

    /// The tag that the standard spells so, to the letter.
    pub fn from_name(name: &str) -> Option<Self> {
        static NAMES: LazyLock<HashMap<&'static str, Tag>> =
            LazyLock::new(|| TABLE.iter().map(|info| (info.name, info.tag)).collect());
        NAMES.get(name).copied()
    }

    /// The tag that XML and JSON write so, see [`xml_name`].
    pub fn from_xml_name(name: &str) -> Option<Self> {
        static NAMES: LazyLock<HashMap<String, Tag>> =
            LazyLock::new(|| TABLE.iter().map(|info| (xml_name(info.name), info.tag)).collect());
        NAMES.get(name).copied()
    }

    /// Whether that version of the standard has the tag.
    pub fn known_in(self, version: Version) -> bool {
        self.info().is_some_and(|info| version.within(info.since, info.until))
    }
}

impl From<u32> for Tag {
    fn from(code: u32) -> Self {
        Self::new(code)
    }
}

impl From<Tag> for u32 {
    fn from(tag: Tag) -> Self {
        tag.code()
    }
}

/// A tag is itself a value of an enumeration, sent in Attribute Reference.
impl Enumeration for Tag {
    const NAME: &'static str = "Tag";
    const TAG: Tag = Tag::AttributeReference;
    const TABLE: &'static [EnumValue] = VALUES;
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#08x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

tags! {
    ActivationDate = 0x420001 "Activation Date" since 1.0,
    ApplicationData = 0x420002 "Application Data" since 1.0,
    ApplicationNamespace = 0x420003 "Application Namespace" since 1.0,
    ApplicationSpecificInformation = 0x420004 "Application Specific Information" since 1.0,
    ArchiveDate = 0x420005 "Archive Date" since 1.0,
    AsynchronousCorrelationValue = 0x420006 "Asynchronous Correlation Value" since 1.0,
    AsynchronousIndicator = 0x420007 "Asynchronous Indicator" since 1.0,
    Attribute = 0x420008 "Attribute" since 1.0,
    AttributeIndex = 0x420009 "Attribute Index" since 1.0 until 1.4,
    AttributeName = 0x42000A "Attribute Name" since 1.0,
    AttributeValue = 0x42000B "Attribute Value" since 1.0,
    Authentication = 0x42000C "Authentication" since 1.0,
    BatchCount = 0x42000D "Batch Count" since 1.0,
    BatchErrorContinuationOption = 0x42000E "Batch Error Continuation Option" since 1.0,
    BatchItem = 0x42000F "Batch Item" since 1.0,
    BatchOrderOption = 0x420010 "Batch Order Option" since 1.0,
    BlockCipherMode = 0x420011 "Block Cipher Mode" since 1.0,
    CancellationResult = 0x420012 "Cancellation Result" since 1.0,
    Certificate = 0x420013 "Certificate" since 1.0,
    CertificateIdentifier = 0x420014 "Certificate Identifier" since 1.0 until 1.4,
    CertificateIssuer = 0x420015 "Certificate Issuer" since 1.0 until 1.4,
    CertificateIssuerAlternativeName = 0x420016 "Certificate Issuer Alternative Name" since 1.0 until 1.4,
    CertificateIssuerDistinguishedName = 0x420017 "Certificate Issuer Distinguished Name" since 1.0 until 1.4,
    CertificateRequest = 0x420018 "Certificate Request" since 1.0,
    CertificateRequestType = 0x420019 "Certificate Request Type" since 1.0,
    CertificateSubject = 0x42001A "Certificate Subject" since 1.0 until 1.4,
    CertificateSubjectAlternativeName = 0x42001B "Certificate Subject Alternative Name" since 1.0 until 1.4,
    CertificateSubjectDistinguishedName = 0x42001C "Certificate Subject Distinguished Name" since 1.0 until 1.4,
    CertificateType = 0x42001D "Certificate Type" since 1.0,
    CertificateValue = 0x42001E "Certificate Value" since 1.0,
    CommonTemplateAttribute = 0x42001F "Common Template-Attribute" since 1.0 until 1.4,
    CompromiseDate = 0x420020 "Compromise Date" since 1.0,
    CompromiseOccurrenceDate = 0x420021 "Compromise Occurrence Date" since 1.0,
    ContactInformation = 0x420022 "Contact Information" since 1.0,
    Credential = 0x420023 "Credential" since 1.0,
    CredentialType = 0x420024 "Credential Type" since 1.0,
    CredentialValue = 0x420025 "Credential Value" since 1.0,
    CriticalityIndicator = 0x420026 "Criticality Indicator" since 1.0,
    CRTCoefficient = 0x420027 "CRT Coefficient" since 1.0,
    CryptographicAlgorithm = 0x420028 "Cryptographic Algorithm" since 1.0,
    CryptographicDomainParameters = 0x420029 "Cryptographic Domain Parameters" since 1.0,
    CryptographicLength = 0x42002A "Cryptographic Length" since 1.0,
    CryptographicParameters = 0x42002B "Cryptographic Parameters" since 1.0,
    CryptographicUsageMask = 0x42002C "Cryptographic Usage Mask" since 1.0,
    CustomAttribute = 0x42002D "Custom Attribute" since 1.0 until 1.4,
    D = 0x42002E "D" since 1.0,
    DeactivationDate = 0x42002F "Deactivation Date" since 1.0,
    DerivationData = 0x420030 "Derivation Data" since 1.0,
    DerivationMethod = 0x420031 "Derivation Method" since 1.0,
    DerivationParameters = 0x420032 "Derivation Parameters" since 1.0,
    DestroyDate = 0x420033 "Destroy Date" since 1.0,
    Digest = 0x420034 "Digest" since 1.0,
    DigestValue = 0x420035 "Digest Value" since 1.0,
    EncryptionKeyInformation = 0x420036 "Encryption Key Information" since 1.0,
    G = 0x420037 "G" since 1.0,
    HashingAlgorithm = 0x420038 "Hashing Algorithm" since 1.0,
    InitialDate = 0x420039 "Initial Date" since 1.0,
    InitializationVector = 0x42003A "Initialization Vector" since 1.0,
    Issuer = 0x42003B "Issuer" since 1.0 until 1.4,
    IterationCount = 0x42003C "Iteration Count" since 1.0,
    IVCounterNonce = 0x42003D "IV/Counter/Nonce" since 1.0,
    J = 0x42003E "J" since 1.0,
    Key = 0x42003F "Key" since 1.0,
    KeyBlock = 0x420040 "Key Block" since 1.0,
    KeyCompressionType = 0x420041 "Key Compression Type" since 1.0,
    KeyFormatType = 0x420042 "Key Format Type" since 1.0,
    KeyMaterial = 0x420043 "Key Material" since 1.0,
    KeyPartIdentifier = 0x420044 "Key Part Identifier" since 1.0,
    KeyValue = 0x420045 "Key Value" since 1.0,
    KeyWrappingData = 0x420046 "Key Wrapping Data" since 1.0,
    KeyWrappingSpecification = 0x420047 "Key Wrapping Specification" since 1.0,
    LastChangeDate = 0x420048 "Last Change Date" since 1.0,
    LeaseTime = 0x420049 "Lease Time" since 1.0,
    Link = 0x42004A "Link" since 1.0,
    LinkType = 0x42004B "Link Type" since 1.0,
    LinkedObjectIdentifier = 0x42004C "Linked Object Identifier" since 1.0,
    MACSignature = 0x42004D "MAC/Signature" since 1.0,
    MACSignatureKeyInformation = 0x42004E "MAC/Signature Key Information" since 1.0,
    MaximumItems = 0x42004F "Maximum Items" since 1.0,
    MaximumResponseSize = 0x420050 "Maximum Response Size" since 1.0,
    MessageExtension = 0x420051 "Message Extension" since 1.0,
    Modulus = 0x420052 "Modulus" since 1.0,
    Name = 0x420053 "Name" since 1.0,
    NameType = 0x420054 "Name Type" since 1.0,
    NameValue = 0x420055 "Name Value" since 1.0,
    ObjectGroup = 0x420056 "Object Group" since 1.0,
    ObjectType = 0x420057 "Object Type" since 1.0,
    Offset = 0x420058 "Offset" since 1.0,
    OpaqueDataType = 0x420059 "Opaque Data Type" since 1.0,
    OpaqueDataValue = 0x42005A "Opaque Data Value" since 1.0,
    OpaqueObject = 0x42005B "Opaque Object" since 1.0,
    Operation = 0x42005C "Operation" since 1.0,
    OperationPolicyName = 0x42005D "Operation Policy Name" since 1.0 until 1.4,
    P = 0x42005E "P" since 1.0,
    PaddingMethod = 0x42005F "Padding Method" since 1.0,
    PrimeExponentP = 0x420060 "Prime Exponent P" since 1.0,
    PrimeExponentQ = 0x420061 "Prime Exponent Q" since 1.0,
    PrimeFieldSize = 0x420062 "Prime Field Size" since 1.0,
    PrivateExponent = 0x420063 "Private Exponent" since 1.0,
    PrivateKey = 0x420064 "Private Key" since 1.0,
    PrivateKeyTemplateAttribute = 0x420065 "Private Key Template-Attribute" since 1.0 until 1.4,
    PrivateKeyUniqueIdentifier = 0x420066 "Private Key Unique Identifier" since 1.0,
    ProcessStartDate = 0x420067 "Process Start Date" since 1.0,
    ProtectStopDate = 0x420068 "Protect Stop Date" since 1.0,
    ProtocolVersion = 0x420069 "Protocol Version" since 1.0,
    ProtocolVersionMajor = 0x42006A "Protocol Version Major" since 1.0,
    ProtocolVersionMinor = 0x42006B "Protocol Version Minor" since 1.0,
    PublicExponent = 0x42006C "Public Exponent" since 1.0,
    PublicKey = 0x42006D "Public Key" since 1.0,
    PublicKeyTemplateAttribute = 0x42006E "Public Key Template-Attribute" since 1.0 until 1.4,
    PublicKeyUniqueIdentifier = 0x42006F "Public Key Unique Identifier" since 1.0,
    PutFunction = 0x420070 "Put Function" since 1.0,
    Q = 0x420071 "Q" since 1.0,
    QString = 0x420072 "Q String" since 1.0,
    Qlength = 0x420073 "Qlength" since 1.0,
    QueryFunction = 0x420074 "Query Function" since 1.0,
    RecommendedCurve = 0x420075 "Recommended Curve" since 1.0,
    ReplacedUniqueIdentifier = 0x420076 "Replaced Unique Identifier" since 1.0,
    RequestHeader = 0x420077 "Request Header" since 1.0,
    RequestMessage = 0x420078 "Request Message" since 1.0,
    RequestPayload = 0x420079 "Request Payload" since 1.0,
    ResponseHeader = 0x42007A "Response Header" since 1.0,
    ResponseMessage = 0x42007B "Response Message" since 1.0,
    ResponsePayload = 0x42007C "Response Payload" since 1.0,
    ResultMessage = 0x42007D "Result Message" since 1.0,
    ResultReason = 0x42007E "Result Reason" since 1.0,
    ResultStatus = 0x42007F "Result Status" since 1.0,
    RevocationMessage = 0x420080 "Revocation Message" since 1.0,
    RevocationReason = 0x420081 "Revocation Reason" since 1.0,
    RevocationReasonCode = 0x420082 "Revocation Reason Code" since 1.0,
    KeyRoleType = 0x420083 "Key Role Type" since 1.0,
    Salt = 0x420084 "Salt" since 1.0,
    SecretData = 0x420085 "Secret Data" since 1.0,
    SecretDataType = 0x420086 "Secret Data Type" since 1.0,
    SerialNumber = 0x420087 "Serial Number" since 1.0 until 1.4,
    ServerInformation = 0x420088 "Server Information" since 1.0,
    SplitKey = 0x420089 "Split Key" since 1.0,
    SplitKeyMethod = 0x42008A "Split Key Method" since 1.0,
    SplitKeyParts = 0x42008B "Split Key Parts" since 1.0,
    SplitKeyThreshold = 0x42008C "Split Key Threshold" since 1.0,
    State = 0x42008D "State" since 1.0,
    StorageStatusMask = 0x42008E "Storage Status Mask" since 1.0,
    SymmetricKey = 0x42008F "Symmetric Key" since 1.0,
    Template = 0x420090 "Template" since 1.0 until 1.4,
    TemplateAttribute = 0x420091 "Template-Attribute" since 1.0 until 1.4,
    TimeStamp = 0x420092 "Time Stamp" since 1.0,
    UniqueBatchItemID = 0x420093 "Unique Batch Item ID" since 1.0,
    UniqueIdentifier = 0x420094 "Unique Identifier" since 1.0,
    UsageLimits = 0x420095 "Usage Limits" since 1.0,
    UsageLimitsCount = 0x420096 "Usage Limits Count" since 1.0,
    UsageLimitsTotal = 0x420097 "Usage Limits Total" since 1.0,
    UsageLimitsUnit = 0x420098 "Usage Limits Unit" since 1.0,
    Username = 0x420099 "Username" since 1.0,
    ValidityDate = 0x42009A "Validity Date" since 1.0,
    ValidityIndicator = 0x42009B "Validity Indicator" since 1.0,
    VendorExtension = 0x42009C "Vendor Extension" since 1.0,
    VendorIdentification = 0x42009D "Vendor Identification" since 1.0,
    WrappingMethod = 0x42009E "Wrapping Method" since 1.0,
    X = 0x42009F "X" since 1.0,
    Y = 0x4200A0 "Y" since 1.0,
    Password = 0x4200A1 "Password" since 1.0,
    DeviceIdentifier = 0x4200A2 "Device Identifier" since 1.1,
    EncodingOption = 0x4200A3 "Encoding Option" since 1.1,
    ExtensionInformation = 0x4200A4 "Extension Information" since 1.1,
    ExtensionName = 0x4200A5 "Extension Name" since 1.1,
    ExtensionTag = 0x4200A6 "Extension Tag" since 1.1,
    ExtensionType = 0x4200A7 "Extension Type" since 1.1,
    Fresh = 0x4200A8 "Fresh" since 1.1,
    MachineIdentifier = 0x4200A9 "Machine Identifier" since 1.1,
    MediaIdentifier = 0x4200AA "Media Identifier" since 1.1,
    NetworkIdentifier = 0x4200AB "Network Identifier" since 1.1,
    ObjectGroupMember = 0x4200AC "Object Group Member" since 1.1,
    CertificateLength = 0x4200AD "Certificate Length" since 1.1,
    DigitalSignatureAlgorithm = 0x4200AE "Digital Signature Algorithm" since 1.1,
    CertificateSerialNumber = 0x4200AF "Certificate Serial Number" since 1.1,
    DeviceSerialNumber = 0x4200B0 "Device Serial Number" since 1.1,
    IssuerAlternativeName = 0x4200B1 "Issuer Alternative Name" since 1.1,
    IssuerDistinguishedName = 0x4200B2 "Issuer Distinguished Name" since 1.1,
    SubjectAlternativeName = 0x4200B3 "Subject Alternative Name" since 1.1,
    SubjectDistinguishedName = 0x4200B4 "Subject Distinguished Name" since 1.1,
    X509CertificateIdentifier = 0x4200B5 "X.509 Certificate Identifier" since 1.1,
    X509CertificateIssuer = 0x4200B6 "X.509 Certificate Issuer" since 1.1,
    X509CertificateSubject = 0x4200B7 "X.509 Certificate Subject" since 1.1,
    KeyValueLocation = 0x4200B8 "Key Value Location" since 1.2,
    KeyValueLocationValue = 0x4200B9 "Key Value Location Value" since 1.2,
    KeyValueLocationType = 0x4200BA "Key Value Location Type" since 1.2,
    KeyValuePresent = 0x4200BB "Key Value Present" since 1.2,
    OriginalCreationDate = 0x4200BC "Original Creation Date" since 1.2,
    PGPKey = 0x4200BD "PGP Key" since 1.2,
    PGPKeyVersion = 0x4200BE "PGP Key Version" since 1.2,
    AlternativeName = 0x4200BF "Alternative Name" since 1.2,
    AlternativeNameValue = 0x4200C0 "Alternative Name Value" since 1.2,
    AlternativeNameType = 0x4200C1 "Alternative Name Type" since 1.2,
    Data = 0x4200C2 "Data" since 1.2,
    SignatureData = 0x4200C3 "Signature Data" since 1.2,
    DataLength = 0x4200C4 "Data Length" since 1.2,
    RandomIV = 0x4200C5 "Random IV" since 1.2,
    MACData = 0x4200C6 "MAC Data" since 1.2,
    AttestationType = 0x4200C7 "Attestation Type" since 1.2,
    Nonce = 0x4200C8 "Nonce" since 1.2,
    NonceID = 0x4200C9 "Nonce ID" since 1.2,
    NonceValue = 0x4200CA "Nonce Value" since 1.2,
    AttestationMeasurement = 0x4200CB "Attestation Measurement" since 1.2,
    AttestationAssertion = 0x4200CC "Attestation Assertion" since 1.2,
    IVLength = 0x4200CD "IV Length" since 1.2,
    TagLength = 0x4200CE "Tag Length" since 1.2,
    FixedFieldLength = 0x4200CF "Fixed Field Length" since 1.2,
    CounterLength = 0x4200D0 "Counter Length" since 1.2,
    InitialCounterValue = 0x4200D1 "Initial Counter Value" since 1.2,
    InvocationFieldLength = 0x4200D2 "Invocation Field Length" since 1.2,
    AttestationCapableIndicator = 0x4200D3 "Attestation Capable Indicator" since 1.2,
    OffsetItems = 0x4200D4 "Offset Items" since 1.3,
    LocatedItems = 0x4200D5 "Located Items" since 1.3,
    CorrelationValue = 0x4200D6 "Correlation Value" since 1.3,
    InitIndicator = 0x4200D7 "Init Indicator" since 1.3,
    FinalIndicator = 0x4200D8 "Final Indicator" since 1.3,
    RNGParameters = 0x4200D9 "RNG Parameters" since 1.3,
    RNGAlgorithm = 0x4200DA "RNG Algorithm" since 1.3,
    DRBGAlgorithm = 0x4200DB "DRBG Algorithm" since 1.3,
    FIPS186Variation = 0x4200DC "FIPS186 Variation" since 1.3,
    PredictionResistance = 0x4200DD "Prediction Resistance" since 1.3,
    RandomNumberGenerator = 0x4200DE "Random Number Generator" since 1.3,
    ValidationInformation = 0x4200DF "Validation Information" since 1.3,
    ValidationAuthorityType = 0x4200E0 "Validation Authority Type" since 1.3,
    ValidationAuthorityCountry = 0x4200E1 "Validation Authority Country" since 1.3,
    ValidationAuthorityURI = 0x4200E2 "Validation Authority URI" since 1.3,
    ValidationVersionMajor = 0x4200E3 "Validation Version Major" since 1.3,
    ValidationVersionMinor = 0x4200E4 "Validation Version Minor" since 1.3,
    ValidationType = 0x4200E5 "Validation Type" since 1.3,
    ValidationLevel = 0x4200E6 "Validation Level" since 1.3,
    ValidationCertificateIdentifier = 0x4200E7 "Validation Certificate Identifier" since 1.3,
    ValidationCertificateURI = 0x4200E8 "Validation Certificate URI" since 1.3,
    ValidationVendorURI = 0x4200E9 "Validation Vendor URI" since 1.3,
    ValidationProfile = 0x4200EA "Validation Profile" since 1.3,
    ProfileInformation = 0x4200EB "Profile Information" since 1.3,
    ProfileName = 0x4200EC "Profile Name" since 1.3,
    ServerURI = 0x4200ED "Server URI" since 1.3,
    ServerPort = 0x4200EE "Server Port" since 1.3,
    StreamingCapability = 0x4200EF "Streaming Capability" since 1.3,
    AsynchronousCapability = 0x4200F0 "Asynchronous Capability" since 1.3,
    AttestationCapability = 0x4200F1 "Attestation Capability" since 1.3,
    UnwrapMode = 0x4200F2 "Unwrap Mode" since 1.3,
    DestroyAction = 0x4200F3 "Destroy Action" since 1.3,
    ShreddingAlgorithm = 0x4200F4 "Shredding Algorithm" since 1.3,
    RNGMode = 0x4200F5 "RNG Mode" since 1.3,
    ClientRegistrationMethod = 0x4200F6 "Client Registration Method" since 1.3,
    CapabilityInformation = 0x4200F7 "Capability Information" since 1.3,
    KeyWrapType = 0x4200F8 "Key Wrap Type" since 1.4,
    BatchUndoCapability = 0x4200F9 "Batch Undo Capability" since 1.4,
    BatchContinueCapability = 0x4200FA "Batch Continue Capability" since 1.4,
    Pkcs12FriendlyName = 0x4200FB "PKCS#12 Friendly Name" since 1.4,
    Description = 0x4200FC "Description" since 1.4,
    Comment = 0x4200FD "Comment" since 1.4,
    AuthenticatedEncryptionAdditionalData = 0x4200FE "Authenticated Encryption Additional Data" since 1.4,
    AuthenticatedEncryptionTag = 0x4200FF "Authenticated Encryption Tag" since 1.4,
    SaltLength = 0x420100 "Salt Length" since 1.4,
    MaskGenerator = 0x420101 "Mask Generator" since 1.4,
    MaskGeneratorHashingAlgorithm = 0x420102 "Mask Generator Hashing Algorithm" since 1.4,
    PSource = 0x420103 "P Source" since 1.4,
    TrailerField = 0x420104 "Trailer Field" since 1.4,
    ClientCorrelationValue = 0x420105 "Client Correlation Value" since 1.4,
    ServerCorrelationValue = 0x420106 "Server Correlation Value" since 1.4,
    DigestedData = 0x420107 "Digested Data" since 1.4,
    CertificateSubjectCN = 0x420108 "Certificate Subject CN" since 1.4,
    CertificateSubjectO = 0x420109 "Certificate Subject O" since 1.4,
    CertificateSubjectOU = 0x42010A "Certificate Subject OU" since 1.4,
    CertificateSubjectEmail = 0x42010B "Certificate Subject Email" since 1.4,
    CertificateSubjectC = 0x42010C "Certificate Subject C" since 1.4,
    CertificateSubjectST = 0x42010D "Certificate Subject ST" since 1.4,
    CertificateSubjectL = 0x42010E "Certificate Subject L" since 1.4,
    CertificateSubjectUID = 0x42010F "Certificate Subject UID" since 1.4,
    CertificateSubjectSerialNumber = 0x420110 "Certificate Subject Serial Number" since 1.4,
    CertificateSubjectTitle = 0x420111 "Certificate Subject Title" since 1.4,
    CertificateSubjectDC = 0x420112 "Certificate Subject DC" since 1.4,
    CertificateSubjectDNQualifier = 0x420113 "Certificate Subject DN Qualifier" since 1.4,
    CertificateIssuerCN = 0x420114 "Certificate Issuer CN" since 1.4,
    CertificateIssuerO = 0x420115 "Certificate Issuer O" since 1.4,
    CertificateIssuerOU = 0x420116 "Certificate Issuer OU" since 1.4,
    CertificateIssuerEmail = 0x420117 "Certificate Issuer Email" since 1.4,
    CertificateIssuerC = 0x420118 "Certificate Issuer C" since 1.4,
    CertificateIssuerST = 0x420119 "Certificate Issuer ST" since 1.4,
    CertificateIssuerL = 0x42011A "Certificate Issuer L" since 1.4,
    CertificateIssuerUID = 0x42011B "Certificate Issuer UID" since 1.4,
    CertificateIssuerSerialNumber = 0x42011C "Certificate Issuer Serial Number" since 1.4,
    CertificateIssuerTitle = 0x42011D "Certificate Issuer Title" since 1.4,
    CertificateIssuerDC = 0x42011E "Certificate Issuer DC" since 1.4,
    CertificateIssuerDNQualifier = 0x42011F "Certificate Issuer DN Qualifier" since 1.4,
    Sensitive = 0x420120 "Sensitive" since 1.4,
    AlwaysSensitive = 0x420121 "Always Sensitive" since 1.4,
    Extractable = 0x420122 "Extractable" since 1.4,
    NeverExtractable = 0x420123 "Never Extractable" since 1.4,
    ReplaceExisting = 0x420124 "Replace Existing" since 1.4,
    Attributes = 0x420125 "Attributes" since 2.0,
    CommonAttributes = 0x420126 "Common Attributes" since 2.0,
    PrivateKeyAttributes = 0x420127 "Private Key Attributes" since 2.0,
    PublicKeyAttributes = 0x420128 "Public Key Attributes" since 2.0,
    ExtensionEnumeration = 0x420129 "Extension Enumeration" since 2.0,
    ExtensionAttribute = 0x42012A "Extension Attribute" since 2.0,
    ExtensionParentStructureTag = 0x42012B "Extension Parent Structure Tag" since 2.0,
    ExtensionDescription = 0x42012C "Extension Description" since 2.0,
    ServerName = 0x42012D "Server Name" since 2.0,
    ServerSerialNumber = 0x42012E "Server Serial Number" since 2.0,
    ServerVersion = 0x42012F "Server Version" since 2.0,
    ServerLoad = 0x420130 "Server Load" since 2.0,
    ProductName = 0x420131 "Product Name" since 2.0,
    BuildLevel = 0x420132 "Build Level" since 2.0,
    BuildDate = 0x420133 "Build Date" since 2.0,
    ClusterInfo = 0x420134 "Cluster Info" since 2.0,
    AlternateFailoverEndpoints = 0x420135 "Alternate Failover Endpoints" since 2.0,
    ShortUniqueIdentifier = 0x420136 "Short Unique Identifier" since 2.0,
    Tag = 0x420138 "Tag" since 2.0,
    CertificateRequestUniqueIdentifier = 0x420139 "Certificate Request Unique Identifier" since 2.0,
    NISTKeyType = 0x42013A "NIST Key Type" since 2.0,
    AttributeReference = 0x42013B "Attribute Reference" since 2.0,
    CurrentAttribute = 0x42013C "Current Attribute" since 2.0,
    NewAttribute = 0x42013D "New Attribute" since 2.0,
    CertificateRequestValue = 0x420140 "Certificate Request Value" since 2.0,
    LogMessage = 0x420141 "Log Message" since 2.0,
    ProfileVersion = 0x420142 "Profile Version" since 2.0,
    ProfileVersionMajor = 0x420143 "Profile Version Major" since 2.0,
    ProfileVersionMinor = 0x420144 "Profile Version Minor" since 2.0,
    ProtectionLevel = 0x420145 "Protection Level" since 2.0,
    ProtectionPeriod = 0x420146 "Protection Period" since 2.0,
    QuantumSafe = 0x420147 "Quantum Safe" since 2.0,
    QuantumSafeCapability = 0x420148 "Quantum Safe Capability" since 2.0,
    Ticket = 0x420149 "Ticket" since 2.0,
    TicketType = 0x42014A "Ticket Type" since 2.0,
    TicketValue = 0x42014B "Ticket Value" since 2.0,
    RequestCount = 0x42014C "Request Count" since 2.0,
    Rights = 0x42014D "Rights" since 2.0,
    Objects = 0x42014E "Objects" since 2.0,
    Operations = 0x42014F "Operations" since 2.0,
    Right = 0x420150 "Right" since 2.0,
    EndpointRole = 0x420151 "Endpoint Role" since 2.0,
    DefaultsInformation = 0x420152 "Defaults Information" since 2.0,
    ObjectDefaults = 0x420153 "Object Defaults" since 2.0,
    Ephemeral = 0x420154 "Ephemeral" since 2.0,
    ServerHashedPassword = 0x420155 "Server Hashed Password" since 2.0,
    OneTimePassword = 0x420156 "One Time Password" since 2.0,
    HashedPassword = 0x420157 "Hashed Password" since 2.0,
    AdjustmentType = 0x420158 "Adjustment Type" since 2.0,
    Pkcs11Interface = 0x420159 "PKCS#11 Interface" since 2.0,
    Pkcs11Function = 0x42015A "PKCS#11 Function" since 2.0,
    Pkcs11InputParameters = 0x42015B "PKCS#11 Input Parameters" since 2.0,
    Pkcs11OutputParameters = 0x42015C "PKCS#11 Output Parameters" since 2.0,
    Pkcs11ReturnCode = 0x42015D "PKCS#11 Return Code" since 2.0,
    ProtectionStorageMask = 0x42015E "Protection Storage Mask" since 2.0,
    ProtectionStorageMasks = 0x42015F "Protection Storage Masks" since 2.0,
    InteropFunction = 0x420160 "Interop Function" since 2.0,
    InteropIdentifier = 0x420161 "Interop Identifier" since 2.0,
    AdjustmentValue = 0x420162 "Adjustment Value" since 2.0,
    CommonProtectionStorageMasks = 0x420163 "Common Protection Storage Masks" since 2.0,
    PrivateProtectionStorageMasks = 0x420164 "Private Protection Storage Masks" since 2.0,
    PublicProtectionStorageMasks = 0x420165 "Public Protection Storage Masks" since 2.0,
    ObjectGroups = 0x420166 "Object Groups" since 2.1,
    ObjectTypes = 0x420167 "Object Types" since 2.1,
    Constraints = 0x420168 "Constraints" since 2.1,
    Constraint = 0x420169 "Constraint" since 2.1,
    RotateInterval = 0x42016A "Rotate Interval" since 2.1,
    RotateAutomatic = 0x42016B "Rotate Automatic" since 2.1,
    RotateOffset = 0x42016C "Rotate Offset" since 2.1,
    RotateDate = 0x42016D "Rotate Date" since 2.1,
    RotateGeneration = 0x42016E "Rotate Generation" since 2.1,
    RotateName = 0x42016F "Rotate Name" since 2.1,
    RotateNameValue = 0x420170 "Rotate Name Value" since 2.1,
    RotateNameType = 0x420171 "Rotate Name Type" since 2.1,
    RotateLatest = 0x420172 "Rotate Latest" since 2.1,
    AsynchronousRequest = 0x420173 "Asynchronous Request" since 2.1,
    SubmissionDate = 0x420174 "Submission Date" since 2.1,
    ProcessingStage = 0x420175 "Processing Stage" since 2.1,
    AsynchronousCorrelationValues = 0x420176 "Asynchronous Correlation Values" since 2.1,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_named_once() {
        assert!(TABLE.is_sorted_by(|a, b| a.tag < b.tag));
        for info in TABLE {
            assert_eq!(Tag::from_name(info.name), Some(info.tag));
            assert_eq!(Tag::from_xml_name(&xml_name(info.name)), Some(info.tag), "{}", info.name);
            assert!(info.until.is_none_or(|until| info.since <= until), "{}", info.name);
            assert_eq!(info.tag.code() >> 16, 0x42, "{}", info.name);
        }
    }

    #[test]
    fn codes_and_versions_from_the_text() {
        for (tag, code, name, since, until) in [
            (Tag::ActivationDate, 0x42_0001, "Activation Date", Version::V1_0, None),
            (Tag::AttributeIndex, 0x42_0009, "Attribute Index", Version::V1_0, Some(Version::V1_4)),
            (Tag::Issuer, 0x42_003B, "Issuer", Version::V1_0, Some(Version::V1_4)),
            (Tag::RequestMessage, 0x42_0078, "Request Message", Version::V1_0, None),
            (Tag::UniqueIdentifier, 0x42_0094, "Unique Identifier", Version::V1_0, None),
            (Tag::DeviceIdentifier, 0x42_00A2, "Device Identifier", Version::V1_1, None),
            (Tag::Nonce, 0x42_00C8, "Nonce", Version::V1_2, None),
            (Tag::Sensitive, 0x42_0120, "Sensitive", Version::V1_4, None),
            (Tag::Attributes, 0x42_0125, "Attributes", Version::V2_0, None),
            (Tag::RotateInterval, 0x42_016A, "Rotate Interval", Version::V2_1, None),
        ] {
            assert_eq!(tag.code(), code, "{name}");
            assert_eq!(Tag::new(code).info(), Some(&TagInfo { tag, name, since, until }));
        }
    }

    #[test]
    fn known_between_first_and_last_version() {
        assert!(Tag::TemplateAttribute.known_in(Version::V1_4));
        assert!(!Tag::TemplateAttribute.known_in(Version::V2_0));
        assert!(!Tag::Sensitive.known_in(Version::V1_3));
        assert!(Tag::Sensitive.known_in(Version::V2_1));
        assert!(!Tag::new(0x54_0001).known_in(Version::V2_1));
    }

    #[test]
    fn an_unknown_tag_shows_its_code() {
        assert_eq!(Tag::new(0x54_00AB).to_string(), "0x5400ab");
        assert_eq!(format!("{:?}", Tag::BatchItem), "Batch Item");
        assert!(Tag::new(0x54_0001).is_extension() && !Tag::BatchItem.is_extension());
    }
}
