//! Of messages, their headers and their results.

use super::enumerations;

enumerations! {
    /// Asynchronous Indicator (KMIP 2.1 §11.3).
    AsynchronousIndicator "Asynchronous Indicator" = AsynchronousIndicator {
        Mandatory = 0x00000001 "Mandatory" since 2.0,
        Optional = 0x00000002 "Optional" since 2.0,
        Prohibited = 0x00000003 "Prohibited" since 2.0,
    }

    /// Attestation Type (KMIP 2.1 §11.4).
    AttestationType "Attestation Type" = AttestationType {
        TPMQuote = 0x00000001 "TPM Quote" since 1.2,
        TCGIntegrityReport = 0x00000002 "TCG Integrity Report" since 1.2,
        SAMLAssertion = 0x00000003 "SAML Assertion" since 1.2,
    }

    /// Batch Error Continuation Option (KMIP 2.1 §11.5).
    BatchErrorContinuationOption "Batch Error Continuation Option" = BatchErrorContinuationOption {
        Continue = 0x00000001 "Continue" since 1.0,
        Stop = 0x00000002 "Stop" since 1.0,
        Undo = 0x00000003 "Undo" since 1.0,
    }

    /// Cancellation Result (KMIP 2.1 §11.7).
    CancellationResult "Cancellation Result" = CancellationResult {
        Canceled = 0x00000001 "Canceled" since 1.0,
        UnableToCancel = 0x00000002 "Unable to Cancel" since 1.0,
        Completed = 0x00000003 "Completed" since 1.0,
        Failed = 0x00000004 "Failed" since 1.0,
        Unavailable = 0x00000005 "Unavailable" since 1.0,
    }

    /// Client Registration Method (KMIP 2.1 §11.10).
    ClientRegistrationMethod "Client Registration Method" = ClientRegistrationMethod {
        Unspecified = 0x00000001 "Unspecified" since 1.3,
        ServerPreGenerated = 0x00000002 "Server Pre-Generated" since 1.3,
        ServerOnDemand = 0x00000003 "Server On-Demand" since 1.3,
        ClientGenerated = 0x00000004 "Client Generated" since 1.3,
        ClientRegistered = 0x00000005 "Client Registered" since 1.3,
    }

    /// Credential Type (KMIP 2.1 §11.11).
    CredentialType "Credential Type" = CredentialType {
        UsernameAndPassword = 0x00000001 "Username and Password" since 1.0,
        Device = 0x00000002 "Device" since 1.1,
        Attestation = 0x00000003 "Attestation" since 1.2,
        OneTimePassword = 0x00000004 "One Time Password" since 2.0,
        HashedPassword = 0x00000005 "Hashed Password" since 2.0,
        Ticket = 0x00000006 "Ticket" since 2.0,
    }

    /// Endpoint Role (KMIP 2.1 §11.19).
    EndpointRole "Endpoint Role" = EndpointRole {
        Client = 0x00000001 "Client" since 2.0,
        Server = 0x00000002 "Server" since 2.0,
    }

    /// Interop Function (KMIP 2.1 §11.22).
    InteropFunction "Interop Function" = InteropFunction {
        Begin = 0x00000001 "Begin" since 2.0,
        End = 0x00000002 "End" since 2.0,
        Reset = 0x00000003 "Reset" since 2.0,
    }

    /// Item Type (KMIP 2.1 §11.23).
    ItemType "Item Type" = ExtensionType {
        Structure = 0x00000001 "Structure" since 2.0,
        Integer = 0x00000002 "Integer" since 2.0,
        LongInteger = 0x00000003 "Long Integer" since 2.0,
        BigInteger = 0x00000004 "Big Integer" since 2.0,
        Enumeration = 0x00000005 "Enumeration" since 2.0,
        Boolean = 0x00000006 "Boolean" since 2.0,
        TextString = 0x00000007 "Text String" since 2.0,
        ByteString = 0x00000008 "Byte String" since 2.0,
        DateTime = 0x00000009 "Date Time" since 2.0,
        Interval = 0x0000000A "Interval" since 2.0,
        DateTimeExtended = 0x0000000B "Date Time Extended" since 2.0,
    }

    /// Operation (KMIP 2.1 §11.36).
    Operation "Operation" = Operation {
        Create = 0x00000001 "Create" since 1.0,
        CreateKeyPair = 0x00000002 "Create Key Pair" since 1.0,
        Register = 0x00000003 "Register" since 1.0,
        ReKey = 0x00000004 "Re-key" since 1.0,
        DeriveKey = 0x00000005 "Derive Key" since 1.0,
        Certify = 0x00000006 "Certify" since 1.0,
        ReCertify = 0x00000007 "Re-certify" since 1.0,
        Locate = 0x00000008 "Locate" since 1.0,
        Check = 0x00000009 "Check" since 1.0,
        Get = 0x0000000A "Get" since 1.0,
        GetAttributes = 0x0000000B "Get Attributes" since 1.0,
        GetAttributeList = 0x0000000C "Get Attribute List" since 1.0,
        AddAttribute = 0x0000000D "Add Attribute" since 1.0,
        ModifyAttribute = 0x0000000E "Modify Attribute" since 1.0,
        DeleteAttribute = 0x0000000F "Delete Attribute" since 1.0,
        ObtainLease = 0x00000010 "Obtain Lease" since 1.0,
        GetUsageAllocation = 0x00000011 "Get Usage Allocation" since 1.0,
        Activate = 0x00000012 "Activate" since 1.0,
        Revoke = 0x00000013 "Revoke" since 1.0,
        Destroy = 0x00000014 "Destroy" since 1.0,
        Archive = 0x00000015 "Archive" since 1.0,
        Recover = 0x00000016 "Recover" since 1.0,
        Validate = 0x00000017 "Validate" since 1.0,
        Query = 0x00000018 "Query" since 1.0,
        Cancel = 0x00000019 "Cancel" since 1.0,
        Poll = 0x0000001A "Poll" since 1.0,
        Notify = 0x0000001B "Notify" since 1.0,
        Put = 0x0000001C "Put" since 1.0,
        ReKeyKeyPair = 0x0000001D "Re-key Key Pair" since 1.1,
        DiscoverVersions = 0x0000001E "Discover Versions" since 1.1,
        Encrypt = 0x0000001F "Encrypt" since 1.2,
        Decrypt = 0x00000020 "Decrypt" since 1.2,
        Sign = 0x00000021 "Sign" since 1.2,
        SignatureVerify = 0x00000022 "Signature Verify" since 1.2,
        MAC = 0x00000023 "MAC" since 1.2,
        MACVerify = 0x00000024 "MAC Verify" since 1.2,
        RNGRetrieve = 0x00000025 "RNG Retrieve" since 1.2,
        RNGSeed = 0x00000026 "RNG Seed" since 1.2,
        Hash = 0x00000027 "Hash" since 1.2,
        CreateSplitKey = 0x00000028 "Create Split Key" since 1.2,
        JoinSplitKey = 0x00000029 "Join Split Key" since 1.2,
        Import = 0x0000002A "Import" since 1.4,
        Export = 0x0000002B "Export" since 1.4,
        Log = 0x0000002C "Log" since 2.0,
        Login = 0x0000002D "Login" since 2.0,
        Logout = 0x0000002E "Logout" since 2.0,
        DelegatedLogin = 0x0000002F "Delegated Login" since 2.0,
        AdjustAttribute = 0x00000030 "Adjust Attribute" since 2.0,
        SetAttribute = 0x00000031 "Set Attribute" since 2.0,
        SetEndpointRole = 0x00000032 "Set Endpoint Role" since 2.0,
        Pkcs11 = 0x00000033 "PKCS#11" since 2.0,
        Interop = 0x00000034 "Interop" since 2.0,
        ReProvision = 0x00000035 "Re-Provision" since 2.0,
        SetDefaults = 0x00000036 "Set Defaults" since 2.1,
        SetConstraints = 0x00000037 "Set Constraints" since 2.1,
        GetConstraints = 0x00000038 "Get Constraints" since 2.1,
        QueryAsynchronousRequests = 0x00000039 "Query Asynchronous Requests" since 2.1,
        Process = 0x0000003A "Process" since 2.1,
        Ping = 0x0000003B "Ping" since 2.1,
    }

    /// Processing Stage (KMIP 2.1 §11.40).
    ProcessingStage "Processing Stage" = ProcessingStage {
        Submitted = 0x00000001 "Submitted" since 2.1,
        InProcess = 0x00000002 "In Process" since 2.1,
        Completed = 0x00000003 "Completed" since 2.1,
    }

    /// Put Function (KMIP 2.1 §11.43).
    PutFunction "Put Function" = PutFunction {
        New = 0x00000001 "New" since 1.0,
        Replace = 0x00000002 "Replace" since 1.0,
    }

    /// Query Function (KMIP 2.1 §11.44).
    QueryFunction "Query Function" = QueryFunction {
        QueryOperations = 0x00000001 "Query Operations" since 1.0,
        QueryObjects = 0x00000002 "Query Objects" since 1.0,
        QueryServerInformation = 0x00000003 "Query Server Information" since 1.0,
        QueryApplicationNamespaces = 0x00000004 "Query Application Namespaces" since 1.0,
        QueryExtensionList = 0x00000005 "Query Extension List" since 1.1,
        QueryExtensionMap = 0x00000006 "Query Extension Map" since 1.1,
        QueryAttestationTypes = 0x00000007 "Query Attestation Types" since 1.2,
        QueryRNGs = 0x00000008 "Query RNGs" since 1.3,
        QueryValidations = 0x00000009 "Query Validations" since 1.3,
        QueryProfiles = 0x0000000A "Query Profiles" since 1.3,
        QueryCapabilities = 0x0000000B "Query Capabilities" since 1.3,
        QueryClientRegistrationMethods = 0x0000000C "Query Client Registration Methods" since 1.3,
        QueryDefaultsInformation = 0x0000000D "Query Defaults Information" since 2.0,
        QueryStorageProtectionMasks = 0x0000000E "Query Storage Protection Masks" since 2.0,
    }

    /// Result Reason (KMIP 2.1 §11.46).
    ResultReason "Result Reason" = ResultReason {
        ItemNotFound = 0x00000001 "Item Not Found" since 1.0,
        ResponseTooLarge = 0x00000002 "Response Too Large" since 1.0,
        AuthenticationNotSuccessful = 0x00000003 "Authentication Not Successful" since 1.0,
        InvalidMessage = 0x00000004 "Invalid Message" since 1.0,
        OperationNotSupported = 0x00000005 "Operation Not Supported" since 1.0,
        MissingData = 0x00000006 "Missing Data" since 1.0,
        InvalidField = 0x00000007 "Invalid Field" since 1.0,
        FeatureNotSupported = 0x00000008 "Feature Not Supported" since 1.0,
        OperationCanceledByRequester = 0x00000009 "Operation Canceled By Requester" since 1.0,
        CryptographicFailure = 0x0000000A "Cryptographic Failure" since 1.0,
        IllegalOperation = 0x0000000B "Illegal Operation" since 1.0 until 1.4,
        PermissionDenied = 0x0000000C "Permission Denied" since 1.0,
        ObjectArchived = 0x0000000D "Object Archived" since 1.0,
        IndexOutOfBounds = 0x0000000E "Index Out of Bounds" since 1.0 until 1.4,
        ApplicationNamespaceNotSupported = 0x0000000F "Application Namespace Not Supported" since 1.0,
        KeyFormatTypeNotSupported = 0x00000010 "Key Format Type Not Supported" since 1.0,
        KeyCompressionTypeNotSupported = 0x00000011 "Key Compression Type Not Supported" since 1.0,
        EncodingOptionError = 0x00000012 "Encoding Option Error" since 1.1,
        KeyValueNotPresent = 0x00000013 "Key Value Not Present" since 1.2,
        AttestationRequired = 0x00000014 "Attestation Required" since 1.2,
        AttestationFailed = 0x00000015 "Attestation Failed" since 1.2,
        Sensitive = 0x00000016 "Sensitive" since 1.4,
        NotExtractable = 0x00000017 "Not Extractable" since 1.4,
        ObjectAlreadyExists = 0x00000018 "Object Already Exists" since 1.4,
        InvalidTicket = 0x00000019 "Invalid Ticket" since 2.0,
        UsageLimitExceeded = 0x0000001A "Usage Limit Exceeded" since 2.0,
        NumericRange = 0x0000001B "Numeric Range" since 2.0,
        InvalidDataType = 0x0000001C "Invalid Data Type" since 2.0,
        ReadOnlyAttribute = 0x0000001D "Read Only Attribute" since 2.0,
        MultiValuedAttribute = 0x0000001E "Multi Valued Attribute" since 2.0,
        UnsupportedAttribute = 0x0000001F "Unsupported Attribute" since 2.0,
        AttributeInstanceNotFound = 0x00000020 "Attribute Instance Not Found" since 2.0,
        AttributeNotFound = 0x00000021 "Attribute Not Found" since 2.0,
        AttributeReadOnly = 0x00000022 "Attribute Read Only" since 2.0,
        AttributeSingleValued = 0x00000023 "Attribute Single Valued" since 2.0,
        BadCryptographicParameters = 0x00000024 "Bad Cryptographic Parameters" since 2.0,
        BadPassword = 0x00000025 "Bad Password" since 2.0,
        CodecError = 0x00000026 "Codec Error" since 2.0,
        IllegalObjectType = 0x00000028 "Illegal Object Type" since 2.0,
        IncompatibleCryptographicUsageMask = 0x00000029 "Incompatible Cryptographic Usage Mask" since 2.0,
        InternalServerError = 0x0000002A "Internal Server Error" since 2.0,
        InvalidAsynchronousCorrelationValue = 0x0000002B "Invalid Asynchronous Correlation Value" since 2.0,
        InvalidAttribute = 0x0000002C "Invalid Attribute" since 2.0,
        InvalidAttributeValue = 0x0000002D "Invalid Attribute Value" since 2.0,
        InvalidCorrelationValue = 0x0000002E "Invalid Correlation Value" since 2.0,
        InvalidCSR = 0x0000002F "Invalid CSR" since 2.0,
        InvalidObjectType = 0x00000030 "Invalid Object Type" since 2.0,
        KeyWrapTypeNotSupported = 0x00000032 "Key Wrap Type Not Supported" since 2.0,
        MissingInitializationVector = 0x00000034 "Missing Initialization Vector" since 2.0,
        NonUniqueNameAttribute = 0x00000035 "Non Unique Name Attribute" since 2.0,
        ObjectDestroyed = 0x00000036 "Object Destroyed" since 2.0,
        ObjectNotFound = 0x00000037 "Object Not Found" since 2.0,
        NotAuthorised = 0x00000039 "Not Authorised" since 2.0,
        ServerLimitExceeded = 0x0000003A "Server Limit Exceeded" since 2.0,
        UnknownEnumeration = 0x0000003B "Unknown Enumeration" since 2.0,
        UnknownMessageExtension = 0x0000003C "Unknown Message Extension" since 2.0,
        UnknownTag = 0x0000003D "Unknown Tag" since 2.0,
        UnsupportedCryptographicParameters = 0x0000003E "Unsupported Cryptographic Parameters" since 2.0,
        UnsupportedProtocolVersion = 0x0000003F "Unsupported Protocol Version" since 2.0,
        WrappingObjectArchived = 0x00000040 "Wrapping Object Archived" since 2.0,
        WrappingObjectDestroyed = 0x00000041 "Wrapping Object Destroyed" since 2.0,
        WrappingObjectNotFound = 0x00000042 "Wrapping Object Not Found" since 2.0,
        WrongKeyLifecycleState = 0x00000043 "Wrong Key Lifecycle State" since 2.0,
        ProtectionStorageUnavailable = 0x00000044 "Protection Storage Unavailable" since 2.0,
        Pkcs11CodecError = 0x00000045 "PKCS#11 Codec Error" since 2.0,
        Pkcs11InvalidFunction = 0x00000046 "PKCS#11 Invalid Function" since 2.0,
        Pkcs11InvalidInterface = 0x00000047 "PKCS#11 Invalid Interface" since 2.0,
        PrivateProtectionStorageUnavailable = 0x00000048 "Private Protection Storage Unavailable" since 2.0,
        PublicProtectionStorageUnavailable = 0x00000049 "Public Protection Storage Unavailable" since 2.0,
        UnknownObjectGroup = 0x0000004A "Unknown Object Group" since 2.1,
        ConstraintViolation = 0x0000004B "Constraint Violation" since 2.1,
        DuplicateProcessRequest = 0x0000004C "Duplicate Process Request" since 2.1,
        GeneralFailure = 0x00000100 "General Failure" since 1.0,
    }

    /// Result Status (KMIP 2.1 §11.47).
    ResultStatus "Result Status" = ResultStatus {
        Success = 0x00000000 "Success" since 1.0,
        OperationFailed = 0x00000001 "Operation Failed" since 1.0,
        OperationPending = 0x00000002 "Operation Pending" since 1.0,
        OperationUndone = 0x00000003 "Operation Undone" since 1.0,
    }

    /// Ticket Type (KMIP 2.1 §11.57).
    TicketType "Ticket Type" = TicketType {
        Login = 0x00000001 "Login" since 2.0,
    }

    /// Validation Authority Type (KMIP 2.1 §11.63).
    ValidationAuthorityType "Validation Authority Type" = ValidationAuthorityType {
        Unspecified = 0x00000001 "Unspecified" since 1.3,
        NISTCMVP = 0x00000002 "NIST CMVP" since 1.3,
        CommonCriteria = 0x00000003 "Common Criteria" since 1.3,
    }

    /// Validation Type (KMIP 2.1 §11.64).
    ValidationType "Validation Type" = ValidationType {
        Unspecified = 0x00000001 "Unspecified" since 1.3,
        Hardware = 0x00000002 "Hardware" since 1.3,
        Software = 0x00000003 "Software" since 1.3,
        Firmware = 0x00000004 "Firmware" since 1.3,
        Hybrid = 0x00000005 "Hybrid" since 1.3,
    }
}
