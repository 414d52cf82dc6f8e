//! A client that calls the token's functions.

mod cryptography;
mod deriving;
mod functions;
mod mechanisms;
mod objects;

use std::sync::Arc;

use cryptoki_sys as ck;
use kmip_codec::schema::Encode;
use kmip_codec::spec::{ResultReason as Reason, Version};

use super::codec::Writer;
use super::*;
use crate::view::Settings;
use crate::view::testing::Bench;

const V: Version = Version::V2_1;

/// Parameters to be written.
pub(super) fn p() -> Writer {
    Writer::default()
}

fn request(correlation: Option<&Blob>, function: Function, input: Writer) -> Request {
    Request {
        interface: None,
        function: Called::Standard(function),
        correlation_value: correlation.cloned(),
        input_parameters: Some(Blob::new(input.finish())).filter(|input| !input.is_empty()),
    }
}

/// A client with an initialised library.
pub(super) struct Client {
    pub(super) bench: Bench,
    pub(super) correlation: Blob,
}

impl Client {
    pub(super) fn new() -> Self {
        Self::on(Bench::new())
    }

    pub(super) fn on(bench: Bench) -> Self {
        let answer = bench.run::<Pkcs11>(V, request(None, Function::Initialize, p().flag(true))).unwrap();
        assert_eq!(answer.return_code, Code::Ok);
        Self { bench, correlation: answer.correlation_value.unwrap() }
    }

    /// Calls a function that comes to a code; answers what comes with it.
    #[track_caller]
    pub(super) fn comes_to(&self, code: Code, function: Function, input: Writer) -> Vec<u8> {
        let answer = self.bench.run::<Pkcs11>(V, request(Some(&self.correlation), function, input)).unwrap();
        assert_eq!(answer.return_code, code, "{function}");
        assert_eq!(answer.correlation_value, None);
        answer.output_parameters.map(|output| output.to_vec()).unwrap_or_default()
    }

    /// Calls a function that succeeds.
    #[track_caller]
    pub(super) fn ask(&self, function: Function, input: Writer) -> Vec<u8> {
        self.comes_to(Code::Ok, function, input)
    }

    /// Calls a function for which the operation fails.
    #[track_caller]
    pub(super) fn refusal(&self, function: Function, input: Writer) -> Reason {
        self.bench.run::<Pkcs11>(V, request(Some(&self.correlation), function, input)).map(|_| ()).unwrap_err().reason
    }

    /// Opens a session for reading and writing.
    pub(super) fn session(&self) -> u64 {
        let flags = ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION;
        ulong(&self.ask(Function::OpenSession, p().ulong(general::SLOT).ulong(flags)))
    }
}

/// The one CK_ULONG of an answer.
#[track_caller]
pub(super) fn ulong(output: &[u8]) -> u64 {
    u64::from_be_bytes(output.try_into().unwrap())
}

#[test]
fn a_library_is_initialised_once_and_finalised() {
    let client = Client::new();
    client.comes_to(Code::CryptokiAlreadyInitialized, Function::Initialize, p().flag(true));
    assert_eq!(client.ask(Function::GetInfo, p()).len(), 76);
    client.ask(Function::Finalize, p());
    let gone = Reason::InvalidAsynchronousCorrelationValue;
    assert_eq!(client.refusal(Function::GetInfo, p()), gone);
    let bare = |function, input| client.bench.run::<Pkcs11>(V, request(None, function, input));
    assert_eq!(bare(Function::GetInfo, p()).unwrap().return_code, Code::CryptokiNotInitialized);
    // Another version of the encoding; none; more than one.
    for input in [p().raw(&[2]), p(), p().raw(&[1, 0])] {
        assert_eq!(bare(Function::Initialize, input).map(|_| ()).unwrap_err().reason, Reason::Pkcs11CodecError);
    }
}

#[test]
fn an_instance_is_its_owners_and_ends_when_nobody_calls() {
    let client = Client::new();
    let asked = request(Some(&client.correlation), Function::GetInfo, p());
    let mut view = client.bench.view_of("bob", V);
    view.begin_item();
    let refused = Pkcs11::run(&mut view, asked).map(|_| ()).unwrap_err().reason;
    assert_eq!(refused, Reason::InvalidAsynchronousCorrelationValue);
    client.ask(Function::GetInfo, p());
    client.bench.pass(3599);
    client.ask(Function::GetInfo, p());
    client.bench.pass(3600);
    assert_eq!(client.refusal(Function::GetInfo, p()), Reason::InvalidAsynchronousCorrelationValue);
}

#[test]
fn functions_and_interfaces_that_are_not_there() {
    let client = Client::new();
    let run = |interface: Option<&str>, function| {
        let asked = Request {
            interface: interface.map(Into::into),
            function,
            correlation_value: Some(client.correlation.clone()),
            input_parameters: None,
        };
        client.bench.run::<Pkcs11>(V, asked).map(|answer| answer.return_code).map_err(|failure| failure.reason)
    };
    let info = Called::Standard(Function::GetInfo);
    assert_eq!(run(Some("PKCS 11"), info), Ok(Code::Ok));
    assert_eq!(run(Some("Vendor"), info), Err(Reason::Pkcs11InvalidInterface));
    for wrong in [Called::Standard(Function(0)), Called::Standard(Function(93)), Called::Vendor(3)] {
        assert_eq!(run(None, wrong), Err(Reason::Pkcs11InvalidFunction));
    }
    assert_eq!(run(None, Called::Standard(Function::InitToken)), Ok(Code::FunctionNotSupported));
    assert_eq!(run(None, Called::Standard(Function::GetFunctionList)), Ok(Code::FunctionNotSupported));
    assert_eq!(client.refusal(Function::GetInfo, p().flag(true)), Reason::Pkcs11CodecError);
    // Nothing of this is the end of the instance.
    client.ask(Function::GetInfo, p());
}

#[test]
fn slots_and_tokens() {
    let client = Client::new();
    let slots = |input| client.ask(Function::GetSlotList, input);
    assert_eq!(slots(p().flag(true).flag(false)), [0, 0, 0, 0, 1]);
    assert_eq!(slots(p().flag(true).flag(true).count(4)), [&[1, 0, 0, 0, 1][..], &1_u64.to_be_bytes()].concat());
    let small = client.comes_to(Code::BufferTooSmall, Function::GetSlotList, p().flag(true).flag(true).count(0));
    assert_eq!(small, [0, 0, 0, 0, 1]);
    assert_eq!(client.ask(Function::GetSlotInfo, p().ulong(1)).len(), 64 + 32 + 8 + 4);
    let token = client.ask(Function::GetTokenInfo, p().ulong(1));
    assert_eq!(token.len(), 32 + 32 + 16 + 16 + 11 * 8 + 4 + 16);
    assert!(token.starts_with(b"kmipd   "));
    let flags = ck::CKF_RNG
        | ck::CKF_USER_PIN_INITIALIZED
        | ck::CKF_PROTECTED_AUTHENTICATION_PATH
        | ck::CKF_DUAL_CRYPTO_OPERATIONS
        | ck::CKF_TOKEN_INITIALIZED;
    assert_eq!(ulong(&token[96..104]), flags);
    client.comes_to(Code::SlotIdInvalid, Function::GetTokenInfo, p().ulong(2));
    let interfaces = client.ask(Function::GetInterfaceList, p().flag(true).count(1));
    assert_eq!(interfaces, [&[1, 0, 0, 0, 1][..], b"PKCS 11\0", &[0; 8]].concat());
}

#[test]
fn sessions_and_who_is_logged_in() {
    let client = Client::new();
    let open = |flags| p().ulong(1).ulong(flags);
    client.comes_to(Code::SessionParallelNotSupported, Function::OpenSession, open(0));
    client.comes_to(Code::SlotIdInvalid, Function::OpenSession, p().ulong(2).ulong(4));
    let reading = ulong(&client.ask(Function::OpenSession, open(4)));
    let writing = client.session();
    assert_ne!(reading, writing);
    let state = |session| client.ask(Function::GetSessionInfo, p().ulong(session))[8..16].to_vec();
    assert_eq!(state(reading), ck::CKS_RO_PUBLIC_SESSION.to_be_bytes());
    let login = |user: u64, pin: &[u8]| p().ulong(reading).ulong(user).bytes(pin);
    client.comes_to(Code::UserTypeInvalid, Function::Login, login(ck::CKU_SO, b""));
    client.comes_to(Code::PinIncorrect, Function::Login, login(ck::CKU_USER, b"1234"));
    client.ask(Function::Login, login(ck::CKU_USER, b""));
    client.comes_to(Code::UserAlreadyLoggedIn, Function::Login, login(ck::CKU_USER, b""));
    assert_eq!(state(reading), ck::CKS_RO_USER_FUNCTIONS.to_be_bytes());
    assert_eq!(state(writing), ck::CKS_RW_USER_FUNCTIONS.to_be_bytes());
    client.ask(Function::Logout, p().ulong(writing));
    client.comes_to(Code::UserNotLoggedIn, Function::Logout, p().ulong(writing));
    client.ask(Function::CloseSession, p().ulong(reading));
    client.comes_to(Code::SessionHandleInvalid, Function::CloseSession, p().ulong(reading));
    for _ in 1..instance::MOST_SESSIONS {
        client.session();
    }
    client.comes_to(Code::SessionCount, Function::OpenSession, open(4));
    client.ask(Function::CloseAllSessions, p().ulong(1));
    client.comes_to(Code::SessionHandleInvalid, Function::GetSessionInfo, p().ulong(writing));
    // A handle names one session and never another.
    assert!(client.session() > writing);
}

/// What one run of a message makes of an instance is void if the message runs again, and if it fails.
#[test]
fn a_step_counts_once_the_message_stands() {
    let client = Client::new();
    let open = || request(Some(&client.correlation), Function::OpenSession, p().ulong(1).ulong(4));
    let run = |view: &mut View| {
        view.begin_item();
        ulong(&Pkcs11::run(view, open()).unwrap().output_parameters.unwrap())
    };
    let mut first = client.bench.view(V);
    assert_eq!((run(&mut first), run(&mut first)), (1, 2));
    // While a message has the instance, no other one does.
    client.comes_to(Code::FunctionFailed, Function::GetInfo, p());
    let shared = Arc::clone(first.shared());
    let mut second = View::new(shared, "alice".into(), V, first.into_kept());
    assert_eq!((run(&mut second), run(&mut second)), (1, 2));
    // The second item fails after all, for an answer that is too long.
    second.fail_item();
    client.bench.commit(&second);
    second.settle();
    drop(second);
    client.ask(Function::GetSessionInfo, p().ulong(1));
    client.comes_to(Code::SessionHandleInvalid, Function::GetSessionInfo, p().ulong(2));
    let mut failed = client.bench.view(V);
    assert_eq!(run(&mut failed), 2);
    drop(failed);
    client.comes_to(Code::SessionHandleInvalid, Function::GetSessionInfo, p().ulong(2));
    let mut undone = client.bench.view(V);
    assert_eq!(run(&mut undone), 2);
    undone.undo();
    client.bench.commit(&undone);
    undone.settle();
    drop(undone);
    client.comes_to(Code::SessionHandleInvalid, Function::GetSessionInfo, p().ulong(2));
    // Nothing is left of one that was initialised in vain.
    let mut vain = client.bench.view(V);
    vain.begin_item();
    let answer = Pkcs11::run(&mut vain, request(None, Function::Initialize, p().flag(true))).unwrap();
    drop(vain);
    let asked = request(answer.correlation_value.as_ref(), Function::GetInfo, p());
    assert!(client.bench.run::<Pkcs11>(V, asked).is_err());
}

#[test]
fn one_client_has_so_many_instances() {
    let client = Client::new();
    let initialise = || client.bench.run::<Pkcs11>(V, request(None, Function::Initialize, p().flag(true))).unwrap();
    assert!((1..64).all(|_| initialise().return_code == Code::Ok));
    let refused = initialise();
    assert_eq!((refused.return_code, refused.correlation_value), (Code::HostMemory, None));
}

#[test]
fn the_configuration_says_who_made_it() {
    let settings = Settings::default();
    assert!(settings.client_token.library.len() <= 32);
    let token = crate::view::ClientToken { manufacturer: "Acme".into(), ..settings.client_token.clone() };
    let client = Client::on(Bench::with(Settings { client_token: token, ..settings }, None));
    let info = client.ask(Function::GetInfo, p());
    assert_eq!(&info[..2], [3, 0]);
    assert_eq!(&info[2..34], format!("{:32}", "Acme").as_bytes());
}

/// The request of an example, byte by byte: function, Correlation Value and parameters have their tags.
#[test]
fn the_payload_is_that_of_the_table() {
    let mut writer = kmip_codec::ttlv::Writer::new(V);
    let value = Blob::copy_of(&[0xAB]);
    request(Some(&value), Function::Finalize, p().flag(true)).encode(Tag::RequestPayload, &mut writer);
    let expected = "420079 01 00000030 42015A 05 00000004 00000002 00000000 \
                    4200D6 08 00000001 AB00000000000000 42015B 08 00000001 0100000000000000";
    assert_eq!(writer.finish(), hex::decode(expected.replace(' ', "")).unwrap());
}
