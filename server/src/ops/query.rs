//! Query (KMIP 2.1 §6.1.40, 1.4 §4.25).

use kmip_codec::spec::{
    AttestationType, ClientRegistrationMethod, ObjectType, Operation, ProtectionStorageMask, QueryFunction,
    RNGAlgorithm, RNGMode, Tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::ProtectionStorageMasks;
use kmip_codec::{Element, Value};

use super::{Handler, OPERATIONS};
use crate::crypto::Residency;
use crate::crypto::algorithm::KeyKind;
use crate::failure::{Failure, Outcome};
use crate::view::View;

/// The object types that this server keeps.
const OBJECTS: [ObjectType; 6] = [
    ObjectType::Certificate,
    ObjectType::SymmetricKey,
    ObjectType::PublicKey,
    ObjectType::PrivateKey,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
];

/// Who made this server.
pub const VENDOR: &str = "kmipd";

structure! {
    /// The request.
    pub struct Request {
        /// What is asked.
        pub functions: Vec<QueryFunction> = QueryFunction,
        /// Groups that the question is about.
        pub object_groups: Vec<Text> = ObjectGroup since V2_1,
    }

    /// The answer.
    pub struct Response {
        /// Operations.
        pub operations: Vec<Operation> = Operation,
        /// Object types.
        pub object_types: Vec<ObjectType> = ObjectType,
        /// Who made the server.
        pub vendor_identification: Option<Text> = VendorIdentification,
        /// About the server.
        pub server_information: Option<Element> = ServerInformation,
        /// Namespaces for which the server makes up data; none.
        pub application_namespaces: Vec<Text> = ApplicationNamespace,
        /// Extensions; none.
        pub extensions: Vec<Element> = ExtensionInformation since V1_1,
        /// Attestations; none.
        pub attestation_types: Vec<AttestationType> = AttestationType since V1_2,
        /// Random number generators.
        pub rngs: Vec<Rng> = RNGParameters since V1_3,
        /// Profiles; none are claimed.
        pub profiles: Vec<Element> = ProfileInformation since V1_3,
        /// Validations; none.
        pub validations: Vec<Element> = ValidationInformation since V1_3,
        /// What the server can.
        pub capabilities: Vec<Capability> = CapabilityInformation since V1_3,
        /// How clients are registered; not through the protocol.
        pub client_registration_methods: Vec<ClientRegistrationMethod> = ClientRegistrationMethod since V1_3,
        /// What the server assumes where a client says nothing; nothing is listed.
        pub defaults: Option<Element> = DefaultsInformation since V2_0,
        /// Where objects can live.
        pub protection: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// RNG Parameters (KMIP 2.1 §7.36).
    pub struct Rng {
        /// The algorithm.
        pub algorithm: RNGAlgorithm = RNGAlgorithm,
    }

    /// Capability Information (KMIP 2.1 §7.5).
    pub struct Capability {
        /// Init, final and correlation values.
        pub streaming: Option<bool> = StreamingCapability,
        /// Answers that come later.
        pub asynchronous: Option<bool> = AsynchronousCapability,
        /// Attestation.
        pub attestation: Option<bool> = AttestationCapability,
        /// Undo.
        pub batch_undo: Option<bool> = BatchUndoCapability since V1_4,
        /// Continue.
        pub batch_continue: Option<bool> = BatchContinueCapability since V1_4,
        /// How the random number generator is shared among clients.
        pub rng_mode: Option<RNGMode> = RNGMode,
    }
}

/// Query.
pub struct Query;

impl Handler for Query {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        if request.functions.is_empty() {
            return Err(Failure::invalid_field("a Query needs a Query Function"));
        }
        let mut answer = Response {
            operations: Vec::new(),
            object_types: Vec::new(),
            vendor_identification: None,
            server_information: None,
            application_namespaces: Vec::new(),
            extensions: Vec::new(),
            attestation_types: Vec::new(),
            rngs: Vec::new(),
            profiles: Vec::new(),
            validations: Vec::new(),
            capabilities: Vec::new(),
            client_registration_methods: Vec::new(),
            defaults: None,
            protection: None,
        };
        let version = view.version();
        for function in request.functions {
            match function {
                QueryFunction::QueryOperations => {
                    let known = OPERATIONS.iter().map(|row| row.operation);
                    answer.operations = known.filter(|operation| operation.known_in(version)).collect();
                }
                QueryFunction::QueryObjects => answer.object_types = OBJECTS.to_vec(),
                QueryFunction::QueryServerInformation => {
                    answer.vendor_identification = Some(format!("{VENDOR} {}", env!("CARGO_PKG_VERSION")).into());
                    // What it may hold is for vendors; the version stands in the Vendor Identification.
                    let nothing = Value::Structure(Vec::new());
                    answer.server_information = Some(Element::new(Tag::ServerInformation, nothing));
                }
                QueryFunction::QueryRNGs => {
                    answer.rngs = vec![Rng { algorithm: RNGAlgorithm::Unspecified }];
                }
                QueryFunction::QueryCapabilities => {
                    answer.capabilities = vec![Capability {
                        streaming: Some(false),
                        asynchronous: Some(false),
                        attestation: Some(false),
                        batch_undo: Some(true),
                        batch_continue: Some(true),
                        rng_mode: Some(RNGMode::SharedInstantiation),
                    }];
                }
                QueryFunction::QueryStorageProtectionMasks => answer.protection = Some(protection(view)),
                // Asked for and empty: this server has none of them.
                QueryFunction::QueryApplicationNamespaces
                | QueryFunction::QueryExtensionList
                | QueryFunction::QueryExtensionMap
                | QueryFunction::QueryAttestationTypes
                | QueryFunction::QueryValidations
                | QueryFunction::QueryProfiles
                | QueryFunction::QueryClientRegistrationMethods
                | QueryFunction::QueryDefaultsInformation => {}
                other => return Err(Failure::invalid_field(format!("there is no Query Function {other}"))),
            }
        }
        Ok(answer)
    }
}

/// One alternative for each place that objects can live in.
fn protection(view: &View) -> ProtectionStorageMasks {
    let protection = view.shared().settings.protection;
    // What the module can hold says the self-test: a module that failed it holds nothing.
    let module = view.shared().providers.maker(KeyKind::Aes { bits: 256 }, Residency::Wrapped).is_some();
    let places = [(protection.sealed, true), (protection.wrapped, module), (protection.token, module)];
    let offered = places.into_iter().filter(|&(bits, offered)| offered && bits != 0);
    ProtectionStorageMasks { masks: offered.map(|(bits, _)| ProtectionStorageMask::from_bits_retain(bits)).collect() }
}
