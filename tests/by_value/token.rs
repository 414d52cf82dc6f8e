//! The server as a PKCS #11 token.

use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{Node, e, i, t, vx, x};

/// A call with the Correlation Value that was noted.
fn call(function: u32, input: &str) -> Vec<Node> {
    let mut payload = vec![e(PKCS_11_FUNCTION, function), vx(CORRELATION_VALUE, "instance")];
    if !input.is_empty() {
        payload.push(x(PKCS_11_INPUT_PARAMETERS, &hex::decode(input.replace(' ', "")).unwrap()));
    }
    payload
}

/// The answer: a return code, and output parameters if there are any.
fn answer(function: u32, output: &str, code: u32) -> Vec<Node> {
    let mut payload = vec![e(PKCS_11_FUNCTION, function)];
    if !output.is_empty() {
        payload.push(x(PKCS_11_OUTPUT_PARAMETERS, &hex::decode(output.replace(' ', "")).unwrap()));
    }
    payload.push(e(PKCS_11_RETURN_CODE, code));
    payload
}

pub(crate) fn pkcs11(talk: &mut Talk) {
    // C_Initialize is the first function, and 1 the version of the encoding.
    let begun = vec![e(PKCS_11_FUNCTION, 1), vx(CORRELATION_VALUE, "instance"), e(PKCS_11_RETURN_CODE, 0)];
    talk.ask(0x33, vec![e(PKCS_11_FUNCTION, 1), x(PKCS_11_INPUT_PARAMETERS, &[1])], begun);
    // C_GetInfo: 3.0, names of 32 bytes with blanks, no flags, version 1.0.
    let blank = |text: &str| hex::encode(format!("{text:32}"));
    let info = format!("0300 {} {} {} 0100", blank("kmipd"), "00".repeat(8), blank("kmipd by the operation PKCS#11"));
    talk.ask(0x33, call(3, ""), answer(3, &info, 0));
    // C_GetSlotList, with room for 64: one.
    talk.ask(0x33, call(5, "01 01 00000040"), answer(5, "01 00000001 0000000000000001", 0));
    // C_OpenSession of it with CKF_SERIAL_SESSION and CKF_RW_SESSION; C_CloseSession, and again: SESSION_HANDLE_INVALID.
    talk.ask(0x33, call(13, "0000000000000001 0000000000000006"), answer(13, "0000000000000001", 0));
    talk.ask(0x33, call(14, "0000000000000001"), answer(14, "", 0));
    talk.ask(0x33, call(14, "0000000000000001"), answer(14, "", 0xB3));
    // C_DigestInit with CKM_SHA256, C_DigestUpdate, C_DigestFinal with room for 64: FIPS 180-4's digest of "abc".
    let digest = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    talk.ask(0x33, call(13, "0000000000000001 0000000000000006"), answer(13, "0000000000000002", 0));
    talk.ask(0x33, call(38, "0000000000000002 0000000000000250 00"), answer(38, "", 0));
    talk.ask(0x33, call(40, "0000000000000002 00000003 616263"), answer(40, "", 0));
    talk.ask(0x33, call(42, "0000000000000002 01 00000040"), answer(42, &format!("00000020 {digest}"), 0));
    // C_InitToken: FUNCTION_NOT_SUPPORTED.
    talk.ask(0x33, call(10, "00"), answer(10, "", 0x54));
    // PKCS#11 Codec Error, PKCS#11 Invalid Function, PKCS#11 Invalid Interface.
    talk.fail(0x33, call(14, "00"), 0x45);
    talk.fail(0x33, call(93, ""), 0x46);
    talk.fail(0x33, vec![i(PKCS_11_FUNCTION, 1)], 0x46);
    talk.fail(0x33, vec![t(PKCS_11_INTERFACE, "other"), e(PKCS_11_FUNCTION, 1)], 0x47);
    // C_Finalize; then there is no such instance: Invalid Asynchronous Correlation Value.
    talk.ask(0x33, call(2, ""), answer(2, "", 0));
    talk.fail(0x33, call(3, ""), 0x2B);
    // CRYPTOKI_NOT_INITIALIZED.
    talk.ask(0x33, vec![e(PKCS_11_FUNCTION, 3)], answer(3, "", 0x190));
}
