//! Requests that are answered later, and the roles of a connection.

use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{e, i, s, t, vt, vx, x};

/// A value under which nothing waits.
fn nothing() -> Vec<crate::ttlv::Node> {
    vec![x(ASYNCHRONOUS_CORRELATION_VALUE, &[7; 8])]
}

/// An AES key that is made later, where a client can ask for that.
fn submit(talk: &mut Talk) {
    let algorithm = ("Cryptographic Algorithm", e(CRYPTOGRAPHIC_ALGORITHM, 3));
    let length = ("Cryptographic Length", i(CRYPTOGRAPHIC_LENGTH, 128));
    let mask = ("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 4));
    let attributes = talk.attributes((TEMPLATE_ATTRIBUTE, ATTRIBUTES), vec![algorithm, length, mask]);
    talk.variables.remove("later");
    talk.later(0x01, vec![e(OBJECT_TYPE, 2), attributes], "later");
}

pub(crate) fn poll(talk: &mut Talk) {
    // Invalid Asynchronous Correlation Value in 2.x, Item Not Found in 1.x.
    talk.fail(0x1A, nothing(), talk.either(0x01, 0x2B));
}

pub(crate) fn cancel(talk: &mut Talk) {
    if !talk.is_v2() {
        // Unavailable.
        return talk.ask(0x19, nothing(), [nothing(), vec![e(CANCELLATION_RESULT, 5)]].concat());
    }
    talk.fail(0x19, nothing(), 0x2B);
    submit(talk);
    let later = vec![vx(ASYNCHRONOUS_CORRELATION_VALUE, "later")];
    talk.ask(0x19, later.clone(), [later.clone(), vec![e(CANCELLATION_RESULT, 1)]].concat());
    talk.fail(0x1A, later, 0x2B);
}

pub(crate) fn process(talk: &mut Talk) {
    talk.fail(0x3A, nothing(), 0x2B);
    submit(talk);
    let later = vec![vx(ASYNCHRONOUS_CORRELATION_VALUE, "later")];
    talk.ask(0x3A, later.clone(), later.clone());
    // Duplicate Process Request.
    talk.fail(0x3A, later.clone(), 0x4C);
    talk.poll("later", 0x01, vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "made")]);
    talk.fail(0x1A, later, 0x2B);
}

pub(crate) fn query_asynchronous_requests(talk: &mut Talk) {
    talk.ask(0x39, vec![s(ASYNCHRONOUS_CORRELATION_VALUES, nothing())], vec![]);
    talk.fail(0x39, vec![t(UNIQUE_IDENTIFIER, "no filter")], 0x04);
}

pub(crate) fn set_endpoint_role(talk: &mut Talk) {
    talk.ask(0x32, vec![e(ENDPOINT_ROLE, 2)], vec![e(ENDPOINT_ROLE, 2)]);
    // Invalid Field; Invalid Message.
    talk.fail(0x32, vec![e(ENDPOINT_ROLE, 3)], 0x07);
    talk.fail(0x32, vec![], 0x04);
}
