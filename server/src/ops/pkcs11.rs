//! PKCS#11 (KMIP 2.1 §6.1.37, 2.0 §6.1.35): the server is the client's PKCS #11 token. What its keys are and may is decided
//! where it is for every other operation; here calls are turned into those.
//!
//! This is the token that clients see. The module that guards the server's keys is `crypto::pkcs11`.

pub mod attributes;
pub mod classes;
pub mod codec;
pub mod codes;
pub mod copying;
pub mod cryptography;
pub mod deriving;
pub mod digesting;
pub mod dual;
pub mod general;
pub mod instance;
pub mod making;
pub mod mechanisms;
pub mod messages;
pub mod objects;
pub mod recovering;
pub mod sessions;
pub mod signed_messages;
pub mod signing;
pub mod template;
pub mod wrapping;

use kmip_codec::schema::{Decode, Encode, wrong_type};
use kmip_codec::spec::{Pkcs11Function as Function, Pkcs11ReturnCode as Code, ResultReason, Tag, Version};
use kmip_codec::ttlv::{Blob, Result as Read, Text, Writer as Ttlv};
use kmip_codec::{Element, Value, structure};

use self::codec::Reader;
use self::codes::{Done, Trouble};
use self::cryptography::Way;
use self::dual::With;
use self::instance::Instance;
use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::session::parts::Correlation;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The interface whose function it is; else the standard's of version 3.0.
        pub interface: Option<Text> = Pkcs11Interface,
        /// The function.
        pub function: Called = Pkcs11Function,
        /// What C_Initialize answered.
        pub correlation_value: Option<Blob> = CorrelationValue,
        /// The parameters of the function.
        pub input_parameters: Option<Blob> = Pkcs11InputParameters,
    }

    /// The answer.
    pub struct Response {
        /// The interface that was named.
        pub interface: Option<Text> = Pkcs11Interface,
        /// The function that was called.
        pub function: Called = Pkcs11Function,
        /// Under which further functions are called.
        pub correlation_value: Option<Blob> = CorrelationValue,
        /// What the function gives.
        pub output_parameters: Option<Blob> = Pkcs11OutputParameters,
        /// What it comes to.
        pub return_code: Code = Pkcs11ReturnCode,
    }
}

/// A function, as it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// One of the standard, by its number.
    Standard(Function),
    /// One of a vendor, by an integer.
    Vendor(i32),
}

impl Encode for Called {
    fn encode(&self, tag: Tag, writer: &mut Ttlv) {
        match self {
            Self::Standard(function) => writer.value(tag, &Value::Enumeration((*function).into())),
            Self::Vendor(number) => writer.value(tag, &Value::Integer(*number)),
        }
    }
}

impl Decode for Called {
    fn decode(element: Element, _: Version) -> Read<Self> {
        match element.value {
            Value::Enumeration(number) => Ok(Self::Standard(Function(number))),
            Value::Integer(number) => Ok(Self::Vendor(number)),
            other => Err(wrong_type("Enumeration", &other)),
        }
    }
}

/// PKCS#11.
pub struct Pkcs11;

impl Handler for Pkcs11 {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { interface, function: called, correlation_value, input_parameters } = request;
        if let Some(name) = interface.as_deref().filter(|name| *name != general::INTERFACE) {
            let known = name.chars().take(32).collect::<String>().escape_default().to_string();
            return Err(Failure::new(
                ResultReason::Pkcs11InvalidInterface,
                format!("there is no interface \"{known}\" but \"{}\"", general::INTERFACE),
            ));
        }
        let function = named(called)?;
        let input = Reader::new(input_parameters.as_deref().unwrap_or_default());
        let (mut correlation, done) = match (function, &correlation_value) {
            (Function::Initialize, None) => initialize(view, input)?,
            (Function::GetInterfaceList, None) => {
                let done = perform(view, Correlation::default(), &mut Instance::default(), function, input);
                (None, done)
            }
            (_, None) => (None, Err(Code::CryptokiNotInitialized.into())),
            (_, Some(value)) => (None, with_instance(view, value, function, input)?),
        };
        let (return_code, output) = match done {
            Ok(output) => (Code::Ok, output),
            Err(Trouble::Failure(failure)) => return Err(failure),
            Err(Trouble::Code(code, output)) => {
                correlation = None;
                (code, output)
            }
        };
        let output_parameters = (!output.is_empty()).then(|| Blob::new(output));
        Ok(Response { interface, function: called, correlation_value: correlation, output_parameters, return_code })
    }
}

/// The function, if the interface has it.
fn named(called: Called) -> Outcome<Function> {
    match called {
        Called::Standard(function) if function.name().is_some() => Ok(function),
        Called::Standard(Function(number)) => Err(invalid(i64::from(number))),
        Called::Vendor(number) => Err(invalid(i64::from(number))),
    }
}

fn invalid(number: i64) -> Failure {
    Failure::new(ResultReason::Pkcs11InvalidFunction, format!("the interface has no function {number}"))
}

/// C_Initialize: the version of the encoding. The Correlation Value is what every further call has.
fn initialize(view: &mut View, input: Reader<'_>) -> Outcome<(Option<Blob>, Done)> {
    let version = input.whole(Reader::byte)?;
    if version != 1 {
        return Err(Failure::new(
            ResultReason::Pkcs11CodecError,
            format!("version {version} of the encoding of PKCS#11 parameters; here it is 1"),
        ));
    }
    let Some(name) = view.new_instance()? else { return Ok((None, Err(Code::HostMemory.into()))) };
    view.set_instance(name, Some(Instance::default()));
    match making::clear_away(view) {
        Err(Trouble::Failure(failure)) => return Err(failure),
        Err(Trouble::Code(..)) => view.retract(),
        Ok(()) => {}
    }
    Ok((Some(Blob::copy_of(&name)), Ok(Vec::new())))
}

/// Calls a function of an initialised library.
fn with_instance(view: &mut View, value: &Blob, function: Function, input: Reader<'_>) -> Outcome<Done> {
    let Some((name, before)) = view.instance::<Instance>(value)? else {
        // The one call at a time of which the protocol speaks is under way: nothing is lost, and it can be tried again.
        return Ok(Err(Code::FunctionFailed.into()));
    };
    let mut instance = (*before).clone();
    let mut done = match function {
        Function::Initialize => Err(Code::CryptokiAlreadyInitialized.into()),
        _ => perform(view, name, &mut instance, function, input),
    };
    // What there is no room for has not happened, and everything is as it was.
    if !matches!(done, Err(Trouble::Failure(_))) && !instance.weigh(view) {
        instance = (*before).clone();
        done = Err(Code::DeviceMemory.into());
    }
    match &done {
        // An intent must be committed before the message can go on; what the function did so far is void.
        Err(Trouble::Failure(_)) => {}
        Err(Trouble::Code(..)) if view.has_wanted_intents() => {
            return Err(Failure::internal("a token key waits for its intent"));
        }
        Err(Trouble::Code(..)) => {
            view.retract();
            view.set_instance(name, Some(instance));
        }
        Ok(_) => {
            let is_over = function == Function::Finalize;
            view.set_instance(name, (!is_over).then_some(instance));
        }
    }
    Ok(done)
}

/// A function under way.
pub struct Call<'a> {
    /// The server, as far as the message reaches.
    pub view: &'a mut View,
    /// The name of the instance: its Correlation Value.
    pub name: Correlation,
    /// What the client has open.
    pub instance: &'a mut Instance,
    /// Empty once it was read.
    input: Option<Reader<'a>>,
}

impl<'a> Call<'a> {
    /// Reads all parameters.
    pub fn read<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Outcome<T>) -> Done<T> {
        let input = self.input.take().ok_or_else(|| Failure::internal("PKCS#11 parameters are read twice"))?;
        Ok(input.whole(read)?)
    }
}

/// What does a function.
type Work = fn(&mut Call<'_>) -> Done;

/// The functions that are there.
const FUNCTIONS: &[(Function, Work)] = &[
    (Function::Finalize, finalize),
    (Function::GetInfo, general::get_info),
    (Function::GetInterfaceList, general::get_interface_list),
    (Function::GetSlotList, general::get_slot_list),
    (Function::GetSlotInfo, general::get_slot_info),
    (Function::GetTokenInfo, general::get_token_info),
    (Function::GetMechanismList, mechanisms::get_mechanism_list),
    (Function::GetMechanismInfo, mechanisms::get_mechanism_info),
    (Function::OpenSession, sessions::open_session),
    (Function::CloseSession, sessions::close_session),
    (Function::CloseAllSessions, sessions::close_all_sessions),
    (Function::GetSessionInfo, sessions::get_session_info),
    (Function::SessionCancel, sessions::cancel),
    (Function::GetOperationState, sessions::get_operation_state),
    (Function::SetOperationState, sessions::set_operation_state),
    (Function::Login, sessions::login),
    (Function::LoginUser, sessions::login_user),
    (Function::Logout, sessions::logout),
    (Function::CreateObject, making::create_object),
    (Function::CopyObject, copying::copy_object),
    (Function::DestroyObject, making::destroy_object),
    (Function::GetObjectSize, objects::get_object_size),
    (Function::GetAttributeValue, objects::get_attribute_value),
    (Function::SetAttributeValue, making::set_attribute_value),
    (Function::FindObjectsInit, objects::find_objects_init),
    (Function::FindObjects, objects::find_objects),
    (Function::FindObjectsFinal, objects::find_objects_final),
    (Function::EncryptInit, |call| cryptography::init(call, Way::Encrypt)),
    (Function::Encrypt, |call| cryptography::whole(call, Way::Encrypt)),
    (Function::EncryptUpdate, |call| cryptography::update(call, Way::Encrypt)),
    (Function::EncryptFinal, |call| cryptography::last(call, Way::Encrypt)),
    (Function::DecryptInit, |call| cryptography::init(call, Way::Decrypt)),
    (Function::Decrypt, |call| cryptography::whole(call, Way::Decrypt)),
    (Function::DecryptUpdate, |call| cryptography::update(call, Way::Decrypt)),
    (Function::DecryptFinal, |call| cryptography::last(call, Way::Decrypt)),
    (Function::DigestInit, digesting::init),
    (Function::Digest, |call| digesting::last(call, true)),
    (Function::DigestUpdate, digesting::update),
    (Function::DigestKey, digesting::key),
    (Function::DigestFinal, |call| digesting::last(call, false)),
    (Function::DigestEncryptUpdate, |call| dual::update(call, Way::Encrypt, With::Digest)),
    (Function::DecryptDigestUpdate, |call| dual::update(call, Way::Decrypt, With::Digest)),
    (Function::SignEncryptUpdate, |call| dual::update(call, Way::Encrypt, With::Signing(signing::Way::Sign))),
    (Function::DecryptVerifyUpdate, |call| dual::update(call, Way::Decrypt, With::Signing(signing::Way::Verify))),
    (Function::SignInit, |call| signing::init(call, signing::Way::Sign)),
    (Function::Sign, |call| signing::sign(call, signing::Way::Sign, true)),
    (Function::SignUpdate, |call| signing::update(call, signing::Way::Sign)),
    (Function::SignFinal, |call| signing::sign(call, signing::Way::Sign, false)),
    (Function::SignRecoverInit, |call| signing::init(call, signing::Way::Recover)),
    (Function::SignRecover, |call| signing::sign(call, signing::Way::Recover, true)),
    (Function::VerifyInit, |call| signing::init(call, signing::Way::Verify)),
    (Function::Verify, |call| signing::verify(call, true)),
    (Function::VerifyUpdate, |call| signing::update(call, signing::Way::Verify)),
    (Function::VerifyFinal, |call| signing::verify(call, false)),
    (Function::VerifyRecoverInit, recovering::init),
    (Function::VerifyRecover, recovering::recover),
    (Function::MessageEncryptInit, |call| messages::init(call, Way::Encrypt)),
    (Function::EncryptMessage, |call| messages::whole(call, Way::Encrypt)),
    (Function::EncryptMessageBegin, |call| messages::begin(call, Way::Encrypt)),
    (Function::EncryptMessageNext, |call| messages::next(call, Way::Encrypt)),
    (Function::MessageEncryptFinal, |call| messages::end(call, Way::Encrypt)),
    (Function::MessageDecryptInit, |call| messages::init(call, Way::Decrypt)),
    (Function::DecryptMessage, |call| messages::whole(call, Way::Decrypt)),
    (Function::DecryptMessageBegin, |call| messages::begin(call, Way::Decrypt)),
    (Function::DecryptMessageNext, |call| messages::next(call, Way::Decrypt)),
    (Function::MessageDecryptFinal, |call| messages::end(call, Way::Decrypt)),
    (Function::MessageSignInit, |call| signed_messages::init(call, signing::Way::Sign)),
    (Function::SignMessage, signed_messages::sign),
    (Function::SignMessageBegin, |call| signed_messages::begin(call, signing::Way::Sign)),
    (Function::SignMessageNext, signed_messages::sign_next),
    (Function::MessageSignFinal, |call| signed_messages::end(call, signing::Way::Sign)),
    (Function::MessageVerifyInit, |call| signed_messages::init(call, signing::Way::Verify)),
    (Function::VerifyMessage, signed_messages::verify),
    (Function::VerifyMessageBegin, |call| signed_messages::begin(call, signing::Way::Verify)),
    (Function::VerifyMessageNext, signed_messages::verify_next),
    (Function::MessageVerifyFinal, |call| signed_messages::end(call, signing::Way::Verify)),
    (Function::GenerateKey, making::generate_key),
    (Function::GenerateKeyPair, making::generate_key_pair),
    (Function::WrapKey, wrapping::wrap_key),
    (Function::UnwrapKey, wrapping::unwrap_key),
    (Function::DeriveKey, deriving::derive_key),
    (Function::SeedRandom, wrapping::seed_random),
    (Function::GenerateRandom, wrapping::generate_random),
];

fn perform(view: &mut View, name: Correlation, instance: &mut Instance, function: Function, input: Reader<'_>) -> Done {
    match FUNCTIONS.iter().find(|(named, _)| *named == function) {
        Some((_, work)) => work(&mut Call { view, name, instance, input: Some(input) }),
        None => Err(Code::FunctionNotSupported.into()),
    }
}

/// C_Finalize.
fn finalize(call: &mut Call<'_>) -> Done {
    call.read(|_| Ok(()))?;
    sessions::end_all(call)?;
    Ok(Vec::new())
}

#[cfg(test)]
mod tests;
