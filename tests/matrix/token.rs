//! The server as a PKCS #11 token.

use kmip_codec::spec::{Pkcs11Function as Function, Pkcs11ReturnCode as Code, ResultReason};

use crate::cell::Cell;
use crate::harness::token::{Token, p};

pub(crate) fn pkcs11(cell: &mut Cell) {
    let token = Token::initialise(&mut cell.kmip);
    let session = token.session(&mut cell.kmip);
    let info = token.ask(&mut cell.kmip, Function::GetSessionInfo, p().ulong(session));
    assert_eq!(info.len(), 32);
    token.comes_to(&mut cell.kmip, Code::FunctionNotSupported, Function::InitToken, p());
    assert_eq!(token.refusal(&mut cell.kmip, Function::GetInfo, p().flag(true)), ResultReason::Pkcs11CodecError);
    token.ask(&mut cell.kmip, Function::Finalize, p());
    let gone = token.refusal(&mut cell.kmip, Function::GetInfo, p());
    assert_eq!(gone, ResultReason::InvalidAsynchronousCorrelationValue);
}
