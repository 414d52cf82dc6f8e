//! A client to whom the server is a PKCS #11 token: the functions that it calls, written as the profile has them.

use kmip_codec::spec::{Operation, Pkcs11Function, Pkcs11ReturnCode, ResultReason, Version};
use kmip_codec::ttlv::Blob;
use kmipd::ops::pkcs11::codec::Writer;
use kmipd::ops::pkcs11::{Called, Request, Response};

use super::kmip::Refused;
use super::{Kmip, Kmipd};

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

/// CKO_SECRET_KEY.
pub(crate) const SECRET: u64 = 4;

/// An attribute of a template.
pub(crate) fn attribute(kind: u64, value: Writer) -> (u64, Writer) {
    (kind, value)
}

/// A template of these attributes behind what was written.
pub(crate) fn template(out: Writer, attributes: &[(u64, Writer)]) -> Writer {
    let with = |out: Writer, (kind, value): &(u64, Writer)| out.ulong(*kind).flag(true).flag(true).raw(value.written());
    attributes.iter().fold(out.count(attributes.len()), with)
}

/// A client with a session.
pub(crate) struct Caller {
    pub(crate) kmip: Kmip,
    pub(crate) token: Token,
    pub(crate) session: u64,
}

impl Caller {
    pub(crate) fn new(kmipd: &Kmipd) -> Self {
        let mut kmip = kmipd.kmip(Version::V2_1);
        let token = Token::initialise(&mut kmip);
        let session = token.session(&mut kmip);
        Self { kmip, token, session }
    }

    pub(crate) fn p(&self) -> Writer {
        p().ulong(self.session)
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, function: Pkcs11Function, input: Writer) -> Vec<u8> {
        self.token.ask(&mut self.kmip, function, input)
    }

    #[track_caller]
    pub(crate) fn comes_to(&mut self, code: Pkcs11ReturnCode, function: Pkcs11Function, input: Writer) {
        self.token.comes_to(&mut self.kmip, code, function, input);
    }

    /// C_CreateObject of a secret key that stays.
    #[track_caller]
    pub(crate) fn secret(&mut self, kind: u64, value: &[u8], more: &[(u64, Writer)]) -> u64 {
        let own = [
            attribute(0x001, p().flag(true)),
            attribute(0x000, p().ulong(SECRET)),
            attribute(0x100, p().ulong(kind)),
            attribute(0x011, p().bytes(value)),
        ];
        let asked = template(self.p(), &[&own, more].concat());
        ulong(&self.ask(Pkcs11Function::CreateObject, asked))
    }

    /// CKA_VALUE.
    #[track_caller]
    pub(crate) fn value(&mut self, key: u64) -> Vec<u8> {
        let asked = self.p().ulong(key).count(1).ulong(0x11).flag(false).flag(true).count(999);
        self.ask(Pkcs11Function::GetAttributeValue, asked)[18..].to_vec()
    }

    /// C_…Init with a mechanism and a key.
    pub(crate) fn init(&self, mechanism: u64, parameter: Option<Writer>, key: u64) -> Writer {
        let out = self.p().ulong(mechanism).flag(parameter.is_some());
        parameter.into_iter().fold(out, |out, parameter| out.bytes(parameter.written())).ulong(key)
    }

    pub(crate) fn data(&self, data: &[u8], room: usize) -> Writer {
        self.p().bytes(data).flag(true).count(room)
    }
}
