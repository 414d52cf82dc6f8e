//! Query (KMIP 2.1 §6.1.40, 1.4 §4.25).
//!
//! What the server can do comes from its tables; what only the operator knows from the configuration, which goes first.

use kmip_codec::schema::Decode;
use kmip_codec::spec::{
    AttestationType, ClientRegistrationMethod, DestroyAction, ObjectType, Operation, ProtectionStorageMask,
    QueryFunction, RNGMode, ResultReason, ShreddingAlgorithm, Tag, UnwrapMode,
};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{
    Attribute, CapabilityInformation, DefaultsInformation, ExtensionInformation, Object, ObjectDefaults, ObjectGroups,
    ProfileInformation, ProtectionStorageMasks, RngParameters, ServerInformation, ValidationInformation,
};
use kmip_codec::{Element, Value};

use super::{Handler, profiles, row_of, supported};
use crate::crypto::Residency;
use crate::crypto::algorithm::KeyKind;
use crate::failure::{Failure, Outcome};
use crate::view::{Filter, View};

/// Who made this server.
pub const VENDOR: &str = "kmipd";

structure! {
    /// The request.
    pub struct Request {
        /// What is asked.
        pub functions: Vec<QueryFunction> = QueryFunction,
        /// Groups that the question is about.
        pub object_groups: Option<ObjectGroups> = ObjectGroups since V2_1,
    }

    /// The answer.
    #[derive(Default)]
    pub struct Response {
        /// Operations.
        pub operations: Vec<Operation> = Operation,
        /// Object types.
        pub object_types: Vec<ObjectType> = ObjectType,
        /// Who made the server.
        pub vendor_identification: Option<Text> = VendorIdentification,
        /// About the server.
        pub server_information: Option<ServerInformation> = ServerInformation,
        /// Namespaces for which the server makes up data.
        pub application_namespaces: Vec<Text> = ApplicationNamespace,
        /// Items with tags of the extension range.
        pub extensions: Vec<ExtensionInformation> = ExtensionInformation since V1_1,
        /// Attestations.
        pub attestation_types: Vec<AttestationType> = AttestationType since V1_2,
        /// Random number generators.
        pub rngs: Vec<RngParameters> = RNGParameters since V1_3,
        /// Profiles that the server fulfils.
        pub profiles: Vec<ProfileInformation> = ProfileInformation since V1_3,
        /// Formal validations.
        pub validations: Vec<ValidationInformation> = ValidationInformation since V1_3,
        /// What the server can.
        pub capabilities: Vec<CapabilityInformation> = CapabilityInformation since V1_3,
        /// How clients are registered.
        pub client_registration_methods: Vec<ClientRegistrationMethod> = ClientRegistrationMethod since V1_3,
        /// What the server assumes where a client says nothing.
        pub defaults: Option<DefaultsInformation> = DefaultsInformation since V2_0,
        /// Where objects can live.
        pub protection: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
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
        let about = request.object_groups.map(|groups| groups.groups);
        for group in about.iter().flatten() {
            check_group(view, group)?;
        }
        let mut answer = Response::default();
        let version = view.version();
        for function in &request.functions {
            match *function {
                QueryFunction::QueryOperations => answer.operations = operations(view),
                QueryFunction::QueryObjects => {
                    let known = Object::TYPES.iter().copied();
                    answer.object_types = known.filter(|kind| kind.known_in(version)).collect();
                }
                QueryFunction::QueryServerInformation => {
                    let ours = || vec![format!("{VENDOR} {}", env!("CARGO_PKG_VERSION")).into()];
                    answer.vendor_identification = said(view, Tag::VendorIdentification, ours).into_iter().next();
                    answer.server_information = Some(server_information(view));
                }
                QueryFunction::QueryApplicationNamespaces => {
                    answer.application_namespaces = view.shared().settings.about.application_namespaces();
                }
                QueryFunction::QueryExtensionMap => answer.extensions = extensions(view),
                // The map says more, and goes first.
                QueryFunction::QueryExtensionList if request.functions.contains(&QueryFunction::QueryExtensionMap) => {}
                QueryFunction::QueryExtensionList => {
                    answer.extensions = extensions(view).into_iter().map(name_only).collect();
                }
                QueryFunction::QueryAttestationTypes => {
                    answer.attestation_types = said(view, Tag::AttestationType, || attestations(view));
                }
                QueryFunction::QueryRNGs => answer.rngs = said(view, Tag::RNGParameters, || generators(view)),
                QueryFunction::QueryValidations => {
                    answer.validations = said(view, Tag::ValidationInformation, Vec::new)
                }
                QueryFunction::QueryProfiles => {
                    let fulfilled = || profiles::fulfilled(version, &view.shared().settings);
                    answer.profiles = said(view, Tag::ProfileInformation, fulfilled);
                }
                QueryFunction::QueryCapabilities => answer.capabilities = vec![capabilities(view)],
                QueryFunction::QueryClientRegistrationMethods => {
                    answer.client_registration_methods = said(view, Tag::ClientRegistrationMethod, Vec::new);
                }
                QueryFunction::QueryDefaultsInformation => answer.defaults = defaults(view, about.as_deref())?,
                QueryFunction::QueryStorageProtectionMasks => answer.protection = Some(protection(view)),
                other => return Err(Failure::unsupported(format!("there is no Query Function {other} here"))),
            }
        }
        Ok(answer)
    }
}

/// The operations that the version has and this server does; with a ticket those that it permits.
fn operations(view: &View) -> Vec<Operation> {
    supported(view.version(), &view.shared().settings)
        .into_iter()
        .filter(|operation| view.may_ask(*operation))
        .collect()
}

/// The defaults that were set, if there are any: all of them, or those for some groups.
fn defaults(view: &mut View, groups: Option<&[Text]>) -> Outcome<Option<DefaultsInformation>> {
    let mut defaults = view.defaults()?;
    if let Some(groups) = groups {
        defaults.object_defaults.retain(|object| {
            let own = object.object_groups.iter().flat_map(|own| &own.groups);
            own.into_iter().any(|group| groups.contains(group))
        });
    }
    if view.version() < kmip_codec::spec::Version::V2_1 {
        // 2.0 has one Object Type, and no groups.
        defaults.object_defaults = std::mem::take(&mut defaults.object_defaults)
            .into_iter()
            .filter(|object| object.object_groups.is_none())
            .flat_map(|object| {
                let one = |kind| ObjectDefaults { object_type: Some(kind), object_types: None, ..object.clone() };
                object.types().map(one).collect::<Vec<_>>()
            })
            .collect();
    }
    Ok(Some(defaults).filter(|defaults| !defaults.object_defaults.is_empty()))
}

/// What the operator says under a tag, or else what the server finds.
fn said<T: Decode>(view: &View, tag: Tag, found: impl FnOnce() -> Vec<T>) -> Vec<T> {
    view.shared().settings.about.answers(tag, view.version()).unwrap_or_else(found)
}

/// A group that the client asks about is one that the configuration or the defaults name, or that it has objects in.
fn check_group(view: &mut View, group: &Text) -> Outcome<()> {
    let is_configured = view.shared().settings.object_groups.iter().any(|name| **name == **group);
    let defaults = view.defaults()?.object_defaults;
    let mut named = defaults.iter().filter_map(|defaults| defaults.object_groups.as_ref());
    if is_configured || named.any(|groups| groups.groups.contains(group)) {
        return Ok(());
    }
    let wanted = Attribute::new(Tag::ObjectGroup, Value::TextString(group.clone()));
    if view.locate(&Filter::new(vec![wanted])?, 0, 1, false)?.identifiers.is_empty() {
        return Err(Failure::new(ResultReason::UnknownObjectGroup, "there is no Object Group of that name"));
    }
    Ok(())
}

/// What is known of this build; what the operator says of the server is put over it. Who says that there is nothing to say
/// has an empty one.
fn server_information(view: &View) -> ServerInformation {
    let told: Option<Vec<ServerInformation>> =
        view.shared().settings.about.answers(Tag::ServerInformation, view.version());
    let told = told.map(|told| told.into_iter().next().unwrap_or_default());
    let is_silent = told == Some(ServerInformation::default());
    let told = told.unwrap_or_default();
    if is_silent {
        return told;
    }
    let level = option_env!("KMIPD_BUILD_LEVEL").unwrap_or(if cfg!(debug_assertions) { "debug" } else { "release" });
    ServerInformation {
        server_version: told.server_version.or_else(|| Some(env!("CARGO_PKG_VERSION").into())),
        product_name: told.product_name.or_else(|| Some(VENDOR.into())),
        build_level: told.build_level.or_else(|| Some(level.into())),
        build_date: told.build_date.or_else(|| option_env!("KMIPD_BUILD_DATE").map(Into::into)),
        load: told.load.or_else(|| Some(format!("{:.2}", view.shared().load()).into())),
        ..told
    }
}

/// Items of the extension range, their types as the version writes them.
fn extensions(view: &View) -> Vec<ExtensionInformation> {
    let mut extensions: Vec<ExtensionInformation> = said(view, Tag::ExtensionInformation, Vec::new);
    for extension in &mut extensions {
        if let Some(Element { value, .. }) = &mut extension.item_type {
            match *value {
                Value::Enumeration(code) if !view.version().is_v2() => *value = Value::Integer(code.cast_signed()),
                Value::Integer(code) if view.version().is_v2() => *value = Value::Enumeration(code.cast_unsigned()),
                _ => {}
            }
        }
    }
    extensions
}

fn name_only(extension: ExtensionInformation) -> ExtensionInformation {
    ExtensionInformation { tag: None, item_type: None, enumeration: None, attribute: None, parent: None, ..extension }
}

/// The attestations that are verified here.
fn attestations(view: &View) -> Vec<AttestationType> {
    view.shared().settings.attestation.as_ref().map(|attestation| attestation.types()).unwrap_or_default()
}

/// The generators of the software and of the module, each once.
fn generators(view: &View) -> Vec<RngParameters> {
    let mut generators = view.shared().providers.generators();
    generators.dedup();
    generators
}

/// What this server can; what the operator says is put over it.
fn capabilities(view: &View) -> CapabilityInformation {
    let told: Vec<CapabilityInformation> = said(view, Tag::CapabilityInformation, Vec::new);
    let told = told.into_iter().next().unwrap_or_default();
    let attests = !said(view, Tag::AttestationType, || attestations(view)).is_empty();
    CapabilityInformation {
        // Encrypt to Hash in several parts, wherever a version has the fields for it.
        streaming: told.streaming.or(Some(true)),
        asynchronous: told.asynchronous.or_else(|| Some(row_of(Operation::Poll, view.version()).is_some())),
        attestation: told.attestation.or(Some(attests)),
        batch_undo: told.batch_undo.or(Some(true)),
        batch_continue: told.batch_continue.or(Some(true)),
        // What comes wrapped stays so.
        unwrap_mode: told.unwrap_mode.or(Some(UnwrapMode::NotProcessed)),
        destroy_action: told.destroy_action.or(Some(DestroyAction::KeyMaterialDeleted)),
        // A row that is gone may still be read from the disk, sealed, by who has the root key.
        shredding_algorithm: told.shredding_algorithm.or(Some(ShreddingAlgorithm::Unsupported)),
        rng_mode: told.rng_mode.or(Some(RNGMode::SharedInstantiation)),
        quantum_safe: told.quantum_safe.or_else(|| Some(view.shared().settings.permits.is_quantum_safe())),
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

#[cfg(test)]
mod tests;
