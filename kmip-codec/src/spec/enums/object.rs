//! Of managed objects: what they are, how they are named, kept and destroyed.

use super::enumerations;

enumerations! {
    /// Adjustment Type (KMIP 2.1 §11.1).
    AdjustmentType "Adjustment Type" = AdjustmentType {
        Increment = 0x00000001 "Increment" since 2.0,
        Decrement = 0x00000002 "Decrement" since 2.0,
        Negate = 0x00000003 "Negate" since 2.0,
    }

    /// Alternative Name Type (KMIP 2.1 §11.2).
    AlternativeNameType "Alternative Name Type" = AlternativeNameType {
        UninterpretedTextString = 0x00000001 "Uninterpreted Text String" since 1.2,
        URI = 0x00000002 "URI" since 1.2,
        ObjectSerialNumber = 0x00000003 "Object Serial Number" since 1.2,
        EmailAddress = 0x00000004 "Email Address" since 1.2,
        DNSName = 0x00000005 "DNS Name" since 1.2,
        X500DistinguishedName = 0x00000006 "X.500 Distinguished Name" since 1.2,
        IPAddress = 0x00000007 "IP Address" since 1.2,
    }

    /// Certificate Request Type (KMIP 2.1 §11.8).
    CertificateRequestType "Certificate Request Type" = CertificateRequestType {
        CRMF = 0x00000001 "CRMF" since 1.0,
        Pkcs10 = 0x00000002 "PKCS#10" since 1.0,
        PEM = 0x00000003 "PEM" since 1.0,
        PGP = 0x00000004 "PGP" since 1.0 until 1.4,
    }

    /// Certificate Type (KMIP 2.1 §11.9).
    CertificateType "Certificate Type" = CertificateType {
        X509 = 0x00000001 "X.509" since 1.0,
        // Deprecated in 1.2 to 1.4, yet still in the tables of 2.0 and 2.1.
        PGP = 0x00000002 "PGP" since 1.0,
    }

    /// Data (KMIP 2.1 §11.13).
    DataEnumeration "Data" = Data {
        Decrypt = 0x00000001 "Decrypt" since 2.0,
        Encrypt = 0x00000002 "Encrypt" since 2.0,
        Hash = 0x00000003 "Hash" since 2.0,
        MACMACData = 0x00000004 "MAC MAC Data" since 2.0,
        RNGRetrieve = 0x00000005 "RNG Retrieve" since 2.0,
        SignSignatureData = 0x00000006 "Sign Signature Data" since 2.0,
        SignatureVerify = 0x00000007 "Signature Verify" since 2.0,
    }

    /// Destroy Action (KMIP 2.1 §11.15).
    DestroyAction "Destroy Action" = DestroyAction {
        Unspecified = 0x00000001 "Unspecified" since 1.3,
        KeyMaterialDeleted = 0x00000002 "Key Material Deleted" since 1.3,
        KeyMaterialShredded = 0x00000003 "Key Material Shredded" since 1.3,
        MetaDataDeleted = 0x00000004 "Meta Data Deleted" since 1.3,
        MetaDataShredded = 0x00000005 "Meta Data Shredded" since 1.3,
        Deleted = 0x00000006 "Deleted" since 1.3,
        Shredded = 0x00000007 "Shredded" since 1.3,
    }

    /// Encoding Option (KMIP 2.1 §11.18).
    EncodingOption "Encoding Option" = EncodingOption {
        NoEncoding = 0x00000001 "No Encoding" since 1.1,
        TTLVEncoding = 0x00000002 "TTLV Encoding" since 1.1,
    }

    /// Key Compression Type (KMIP 2.1 §11.24).
    KeyCompressionType "Key Compression Type" = KeyCompressionType {
        ECPublicKeyTypeUncompressed = 0x00000001 "EC Public Key Type Uncompressed" since 1.0,
        ECPublicKeyTypeX962CompressedPrime = 0x00000002 "EC Public Key Type X9.62 Compressed Prime" since 1.0,
        ECPublicKeyTypeX962CompressedChar2 = 0x00000003 "EC Public Key Type X9.62 Compressed Char2" since 1.0,
        ECPublicKeyTypeX962Hybrid = 0x00000004 "EC Public Key Type X9.62 Hybrid" since 1.0,
    }

    /// Key Format Type (KMIP 2.1 §11.25).
    KeyFormatType "Key Format Type" = KeyFormatType {
        Raw = 0x00000001 "Raw" since 1.0,
        Opaque = 0x00000002 "Opaque" since 1.0,
        Pkcs1 = 0x00000003 "PKCS#1" since 1.0,
        Pkcs8 = 0x00000004 "PKCS#8" since 1.0,
        X509 = 0x00000005 "X.509" since 1.0,
        ECPrivateKey = 0x00000006 "ECPrivateKey" since 1.0,
        TransparentSymmetricKey = 0x00000007 "Transparent Symmetric Key" since 1.0,
        TransparentDSAPrivateKey = 0x00000008 "Transparent DSA Private Key" since 1.0,
        TransparentDSAPublicKey = 0x00000009 "Transparent DSA Public Key" since 1.0,
        TransparentRSAPrivateKey = 0x0000000A "Transparent RSA Private Key" since 1.0,
        TransparentRSAPublicKey = 0x0000000B "Transparent RSA Public Key" since 1.0,
        TransparentDHPrivateKey = 0x0000000C "Transparent DH Private Key" since 1.0,
        TransparentDHPublicKey = 0x0000000D "Transparent DH Public Key" since 1.0,
        TransparentECDSAPrivateKey = 0x0000000E "Transparent ECDSA Private Key" since 1.0 until 1.4,
        TransparentECDSAPublicKey = 0x0000000F "Transparent ECDSA Public Key" since 1.0 until 1.4,
        TransparentECDHPrivateKey = 0x00000010 "Transparent ECDH Private Key" since 1.0 until 1.4,
        TransparentECDHPublicKey = 0x00000011 "Transparent ECDH Public Key" since 1.0 until 1.4,
        TransparentECMQVPrivateKey = 0x00000012 "Transparent ECMQV Private Key" since 1.0 until 1.4,
        TransparentECMQVPublicKey = 0x00000013 "Transparent ECMQV Public Key" since 1.0 until 1.4,
        TransparentECPrivateKey = 0x00000014 "Transparent EC Private Key" since 1.3,
        TransparentECPublicKey = 0x00000015 "Transparent EC Public Key" since 1.3,
        Pkcs12 = 0x00000016 "PKCS#12" since 1.4,
        Pkcs10 = 0x00000017 "PKCS#10" since 2.0,
    }

    /// Key Role Type (KMIP 2.1 §11.26).
    KeyRoleType "Key Role Type" = KeyRoleType {
        BDK = 0x00000001 "BDK" since 1.0,
        CVK = 0x00000002 "CVK" since 1.0,
        DEK = 0x00000003 "DEK" since 1.0,
        MKAC = 0x00000004 "MKAC" since 1.0,
        MKSMC = 0x00000005 "MKSMC" since 1.0,
        MKSMI = 0x00000006 "MKSMI" since 1.0,
        MKDAC = 0x00000007 "MKDAC" since 1.0,
        MKDN = 0x00000008 "MKDN" since 1.0,
        MKCP = 0x00000009 "MKCP" since 1.0,
        MKOTH = 0x0000000A "MKOTH" since 1.0,
        KEK = 0x0000000B "KEK" since 1.0,
        MAC16609 = 0x0000000C "MAC16609" since 1.0,
        MAC97971 = 0x0000000D "MAC97971" since 1.0,
        MAC97972 = 0x0000000E "MAC97972" since 1.0,
        MAC97973 = 0x0000000F "MAC97973" since 1.0,
        MAC97974 = 0x00000010 "MAC97974" since 1.0,
        MAC97975 = 0x00000011 "MAC97975" since 1.0,
        ZPK = 0x00000012 "ZPK" since 1.0,
        PVKIBM = 0x00000013 "PVKIBM" since 1.0,
        PVKPVV = 0x00000014 "PVKPVV" since 1.0,
        PVKOTH = 0x00000015 "PVKOTH" since 1.0,
        DUKPT = 0x00000016 "DUKPT" since 1.4,
        IV = 0x00000017 "IV" since 1.4,
        TRKBK = 0x00000018 "TRKBK" since 1.4,
    }

    /// Key Value Location Type (KMIP 2.1 §11.27).
    KeyValueLocationType "Key Value Location Type" = KeyValueLocationType {
        UninterpretedTextString = 0x00000001 "Uninterpreted Text String" since 1.2,
        URI = 0x00000002 "URI" since 1.2,
    }

    /// Key Wrap Type (KMIP 2.1 §11.29).
    KeyWrapType "Key Wrap Type" = KeyWrapType {
        NotWrapped = 0x00000001 "Not Wrapped" since 1.4,
        AsRegistered = 0x00000002 "As Registered" since 1.4,
    }

    /// Link Type (KMIP 2.1 §11.28).
    LinkType "Link Type" = LinkType {
        CertificateLink = 0x00000101 "Certificate Link" since 1.0,
        PublicKeyLink = 0x00000102 "Public Key Link" since 1.0,
        PrivateKeyLink = 0x00000103 "Private Key Link" since 1.0,
        DerivationBaseObjectLink = 0x00000104 "Derivation Base Object Link" since 1.0,
        DerivedKeyLink = 0x00000105 "Derived Key Link" since 1.0,
        ReplacementObjectLink = 0x00000106 "Replacement Object Link" since 1.0,
        ReplacedObjectLink = 0x00000107 "Replaced Object Link" since 1.0,
        ParentLink = 0x00000108 "Parent Link" since 1.2,
        ChildLink = 0x00000109 "Child Link" since 1.2,
        PreviousLink = 0x0000010A "Previous Link" since 1.2,
        NextLink = 0x0000010B "Next Link" since 1.2,
        Pkcs12CertificateLink = 0x0000010C "PKCS#12 Certificate Link" since 1.4,
        Pkcs12PasswordLink = 0x0000010D "PKCS#12 Password Link" since 1.4,
        WrappingKeyLink = 0x0000010E "Wrapping Key Link" since 2.0,
    }

    /// Name Type (KMIP 2.1 §11.31).
    NameType "Name Type" = NameType {
        UninterpretedTextString = 0x00000001 "Uninterpreted Text String" since 1.0,
        URI = 0x00000002 "URI" since 1.0,
    }

    /// NIST Key Type (KMIP 2.1 §11.32).
    NISTKeyType "NIST Key Type" = NISTKeyType {
        PrivateSignatureKey = 0x00000001 "Private signature key" since 2.0,
        PublicSignatureVerificationKey = 0x00000002 "Public signature verification key" since 2.0,
        SymmetricAuthenticationKey = 0x00000003 "Symmetric authentication key" since 2.0,
        PrivateAuthenticationKey = 0x00000004 "Private authentication key" since 2.0,
        PublicAuthenticationKey = 0x00000005 "Public authentication key" since 2.0,
        SymmetricDataEncryptionKey = 0x00000006 "Symmetric data encryption key" since 2.0,
        SymmetricKeyWrappingKey = 0x00000007 "Symmetric key wrapping key" since 2.0,
        SymmetricRandomNumberGenerationKey = 0x00000008 "Symmetric random number generation key" since 2.0,
        SymmetricMasterKey = 0x00000009 "Symmetric master key" since 2.0,
        PrivateKeyTransportKey = 0x0000000A "Private key transport key" since 2.0,
        PublicKeyTransportKey = 0x0000000B "Public key transport key" since 2.0,
        SymmetricKeyAgreementKey = 0x0000000C "Symmetric key agreement key" since 2.0,
        PrivateStaticKeyAgreementKey = 0x0000000D "Private static key agreement key" since 2.0,
        PublicStaticKeyAgreementKey = 0x0000000E "Public static key agreement key" since 2.0,
        PrivateEphemeralKeyAgreementKey = 0x0000000F "Private ephemeral key agreement key" since 2.0,
        PublicEphemeralKeyAgreementKey = 0x00000010 "Public ephemeral key agreement key" since 2.0,
        SymmetricAuthorizationKey = 0x00000011 "Symmetric authorization key" since 2.0,
        PrivateAuthorizationKey = 0x00000012 "Private authorization key" since 2.0,
        PublicAuthorizationKey = 0x00000013 "Public authorization key" since 2.0,
    }

    /// Object Group Member (KMIP 2.1 §11.33).
    ObjectGroupMember "Object Group Member" = ObjectGroupMember {
        GroupMemberFresh = 0x00000001 "Group Member Fresh" since 1.1,
        GroupMemberDefault = 0x00000002 "Group Member Default" since 1.1,
    }

    /// Object Type (KMIP 2.1 §11.34).
    ObjectType "Object Type" = ObjectType {
        Certificate = 0x00000001 "Certificate" since 1.0,
        SymmetricKey = 0x00000002 "Symmetric Key" since 1.0,
        PublicKey = 0x00000003 "Public Key" since 1.0,
        PrivateKey = 0x00000004 "Private Key" since 1.0,
        SplitKey = 0x00000005 "Split Key" since 1.0,
        Template = 0x00000006 "Template" since 1.0 until 1.4,
        SecretData = 0x00000007 "Secret Data" since 1.0,
        OpaqueObject = 0x00000008 "Opaque Object" since 1.0,
        PGPKey = 0x00000009 "PGP Key" since 1.2,
        CertificateRequest = 0x0000000A "Certificate Request" since 2.0,
    }

    /// Opaque Data Type (KMIP 2.1 §11.35).
    OpaqueDataType "Opaque Data Type" = OpaqueDataType {
    }

    /// Protection Level (KMIP 2.1 §11.42).
    ProtectionLevel "Protection Level" = ProtectionLevel {
        High = 0x00000001 "High" since 2.0,
        Low = 0x00000002 "Low" since 2.0,
    }

    /// Revocation Reason Code (KMIP 2.1 §11.48).
    RevocationReasonCode "Revocation Reason Code" = RevocationReasonCode {
        Unspecified = 0x00000001 "Unspecified" since 1.0,
        KeyCompromise = 0x00000002 "Key Compromise" since 1.0,
        CACompromise = 0x00000003 "CA Compromise" since 1.0,
        AffiliationChanged = 0x00000004 "Affiliation Changed" since 1.0,
        Superseded = 0x00000005 "Superseded" since 1.0,
        CessationOfOperation = 0x00000006 "Cessation of Operation" since 1.0,
        PrivilegeWithdrawn = 0x00000007 "Privilege Withdrawn" since 1.0,
    }

    /// Rotate Name Type (KMIP 2.1 §11.51).
    RotateNameType "Rotate Name Type" = RotateNameType {
        UninterpretedTextString = 0x00000001 "Uninterpreted Text String" since 2.1,
        URI = 0x00000002 "URI" since 2.1,
    }

    /// Secret Data Type (KMIP 2.1 §11.52).
    SecretDataType "Secret Data Type" = SecretDataType {
        Password = 0x00000001 "Password" since 1.0,
        Seed = 0x00000002 "Seed" since 1.0,
    }

    /// Shredding Algorithm (KMIP 2.1 §11.53).
    ShreddingAlgorithm "Shredding Algorithm" = ShreddingAlgorithm {
        Unspecified = 0x00000001 "Unspecified" since 1.3,
        Cryptographic = 0x00000002 "Cryptographic" since 1.3,
        Unsupported = 0x00000003 "Unsupported" since 1.3,
    }

    /// Split Key Method (KMIP 2.1 §11.54).
    SplitKeyMethod "Split Key Method" = SplitKeyMethod {
        XOR = 0x00000001 "XOR" since 1.0,
        // The fields have 2^16 and 2^8 elements; the tables lost the exponents.
        PolynomialSharingGF216 = 0x00000002 "Polynomial Sharing GF (2^16)" since 1.0,
        PolynomialSharingPrimeField = 0x00000003 "Polynomial Sharing Prime Field" since 1.0,
        PolynomialSharingGF28 = 0x00000004 "Polynomial Sharing GF (2^8)" since 1.2,
    }

    /// State (KMIP 2.1 §11.55).
    State "State" = State {
        PreActive = 0x00000001 "Pre-Active" since 1.0,
        Active = 0x00000002 "Active" since 1.0,
        Deactivated = 0x00000003 "Deactivated" since 1.0,
        Compromised = 0x00000004 "Compromised" since 1.0,
        Destroyed = 0x00000005 "Destroyed" since 1.0,
        DestroyedCompromised = 0x00000006 "Destroyed Compromised" since 1.0,
    }

    /// Unique Identifier (KMIP 2.1 §11.58).
    UniqueIdentifierEnumeration "Unique Identifier" = UniqueIdentifier also [LinkedObjectIdentifier, PrivateKeyUniqueIdentifier, PublicKeyUniqueIdentifier, ReplacedUniqueIdentifier] {
        IDPlaceholder = 0x00000001 "ID Placeholder" since 2.0,
        Certify = 0x00000002 "Certify" since 2.0,
        Create = 0x00000003 "Create" since 2.0,
        CreateKeyPair = 0x00000004 "Create Key Pair" since 2.0,
        CreateKeyPairPrivateKey = 0x00000005 "Create Key Pair Private Key" since 2.0,
        CreateKeyPairPublicKey = 0x00000006 "Create Key Pair Public Key" since 2.0,
        CreateSplitKey = 0x00000007 "Create Split Key" since 2.0,
        DeriveKey = 0x00000008 "Derive Key" since 2.0,
        Import = 0x00000009 "Import" since 2.0,
        JoinSplitKey = 0x0000000A "Join Split Key" since 2.0,
        Locate = 0x0000000B "Locate" since 2.0,
        Register = 0x0000000C "Register" since 2.0,
        ReKey = 0x0000000D "Re-key" since 2.0,
        ReCertify = 0x0000000E "Re-certify" since 2.0,
        ReKeyKeyPair = 0x0000000F "Re-key Key Pair" since 2.0,
        ReKeyKeyPairPrivateKey = 0x00000010 "Re-key Key Pair Private Key" since 2.0,
        ReKeyKeyPairPublicKey = 0x00000011 "Re-key Key Pair Public Key" since 2.0,
    }

    /// Unwrap Mode (KMIP 2.1 §11.59).
    UnwrapMode "Unwrap Mode" = UnwrapMode {
        Unspecified = 0x00000001 "Unspecified" since 1.3,
        Processed = 0x00000002 "Processed" since 1.3,
        NotProcessed = 0x00000003 "Not Processed" since 1.3,
    }

    /// Usage Limits Unit (KMIP 2.1 §11.60).
    UsageLimitsUnit "Usage Limits Unit" = UsageLimitsUnit {
        Byte = 0x00000001 "Byte" since 1.0,
        Object = 0x00000002 "Object" since 1.0,
    }

    /// Validity Indicator (KMIP 2.1 §11.61).
    ValidityIndicator "Validity Indicator" = ValidityIndicator {
        Valid = 0x00000001 "Valid" since 1.0,
        Invalid = 0x00000002 "Invalid" since 1.0,
        Unknown = 0x00000003 "Unknown" since 1.0,
    }

    /// Wrapping Method (KMIP 2.1 §11.62).
    WrappingMethod "Wrapping Method" = WrappingMethod {
        Encrypt = 0x00000001 "Encrypt" since 1.0,
        MACSign = 0x00000002 "MAC/sign" since 1.0,
        EncryptThenMACSign = 0x00000003 "Encrypt then MAC/sign" since 1.0,
        MACSignThenEncrypt = 0x00000004 "MAC/sign then encrypt" since 1.0,
        TR31 = 0x00000005 "TR-31" since 1.0,
    }
}
