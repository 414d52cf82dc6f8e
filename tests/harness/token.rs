//! A client to whom the server is a PKCS #11 token: the functions that it calls, written as the profile has them.

use kmip_codec::spec::{Operation, Pkcs11Function, Pkcs11ReturnCode, ResultReason};
use kmip_codec::ttlv::Blob;
use kmipd::ops::pkcs11::codec::Writer;
use kmipd::ops::pkcs11::{Called, Request, Response};

use super::Kmip;
use super::kmip::Refused;

/// Parameters to be written.
pub(crate) fn p() -> Writer {
    Writer::default()
}

/// An initialised library.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) correlation: Blob,
}

impl Token {
    /// C_Initialize.
    #[track_caller]
    pub(crate) fn initialise(kmip: &mut Kmip) -> Self {
        let answer = call(kmip, None, Pkcs11Function::Initialize, p().flag(true)).unwrap();
        assert_eq!(answer.return_code, Pkcs11ReturnCode::Ok);
        Self { correlation: answer.correlation_value.unwrap() }
    }

    /// Calls a function that comes to a code; answers what comes with it.
    #[track_caller]
    pub(crate) fn comes_to(
        &self,
        kmip: &mut Kmip,
        code: Pkcs11ReturnCode,
        function: Pkcs11Function,
        input: Writer,
    ) -> Vec<u8> {
        let answer = call(kmip, Some(&self.correlation), function, input).unwrap();
        assert_eq!(answer.return_code, code, "{function}");
        answer.output_parameters.map(|output| output.to_vec()).unwrap_or_default()
    }

    /// The request that calls a function.
    pub(crate) fn request(&self, function: Pkcs11Function, input: Writer) -> Request {
        request(Some(&self.correlation), function, input)
    }

    /// Calls a function; answers what it comes to.
    #[track_caller]
    pub(crate) fn attempt(
        &self,
        kmip: &mut Kmip,
        function: Pkcs11Function,
        input: Writer,
    ) -> (Pkcs11ReturnCode, Vec<u8>) {
        let answer = call(kmip, Some(&self.correlation), function, input).unwrap();
        (answer.return_code, answer.output_parameters.map(|output| output.to_vec()).unwrap_or_default())
    }

    /// Calls a function that succeeds.
    #[track_caller]
    pub(crate) fn ask(&self, kmip: &mut Kmip, function: Pkcs11Function, input: Writer) -> Vec<u8> {
        self.comes_to(kmip, Pkcs11ReturnCode::Ok, function, input)
    }

    /// Calls a function for which the operation fails.
    #[track_caller]
    pub(crate) fn refusal(&self, kmip: &mut Kmip, function: Pkcs11Function, input: Writer) -> ResultReason {
        call(kmip, Some(&self.correlation), function, input).unwrap_err().reason()
    }

    /// C_OpenSession, for reading and writing.
    #[track_caller]
    pub(crate) fn session(&self, kmip: &mut Kmip) -> u64 {
        ulong(&self.ask(kmip, Pkcs11Function::OpenSession, p().ulong(1).ulong(6)))
    }
}

fn call(
    kmip: &mut Kmip,
    correlation: Option<&Blob>,
    function: Pkcs11Function,
    input: Writer,
) -> Result<Response, Refused> {
    kmip.attempt(Operation::Pkcs11, &request(correlation, function, input))
}

fn request(correlation: Option<&Blob>, function: Pkcs11Function, input: Writer) -> Request {
    Request {
        interface: None,
        function: Called::Standard(function),
        correlation_value: correlation.cloned(),
        input_parameters: Some(Blob::new(input.finish())).filter(|input| !input.is_empty()),
    }
}

/// The one CK_ULONG of an answer.
#[track_caller]
pub(crate) fn ulong(output: &[u8]) -> u64 {
    u64::from_be_bytes(output.try_into().unwrap())
}
