//! Tickets, notes in the log, and what is set for all objects.

use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{Node, e, i, l, n, s, t, vt, vx, x};

/// A Ticket of type Login, whose value is a variable.
fn ticket(value: &str) -> Node {
    s(TICKET, vec![e(TICKET_TYPE, 1), vx(TICKET_VALUE, value)])
}

/// A Ticket that nobody gave.
fn nobody() -> Vec<Node> {
    vec![s(TICKET, vec![e(TICKET_TYPE, 1), x(TICKET_VALUE, &[7; 32])])]
}

/// Gives a ticket back, once: what it was is an Invalid Ticket then.
fn end(talk: &mut Talk, value: &str) {
    talk.ask(0x2E, vec![ticket(value)], vec![]);
    talk.fail(0x2E, vec![ticket(value)], 0x19);
}

pub(crate) fn log(talk: &mut Talk) {
    talk.ask(0x2C, vec![t(LOG_MESSAGE, "backup of Tuesday: Größe 7")], vec![]);
    // Invalid Message, as for every field that is required.
    talk.fail(0x2C, vec![], 0x04);
}

pub(crate) fn login(talk: &mut Talk) {
    talk.ask(0x2D, vec![], vec![ticket("plain")]);
    end(talk, "plain");
    // A minute, two requests, and as many operations: Usage Limits Unit is Object.
    let limits = s(USAGE_LIMITS, vec![l(USAGE_LIMITS_TOTAL, 2), e(USAGE_LIMITS_UNIT, 2)]);
    talk.ask(0x2D, vec![n(LEASE_TIME, 60), i(REQUEST_COUNT, 2), limits], vec![ticket("short")]);
    end(talk, "short");
    // Invalid Field.
    talk.fail(0x2D, vec![i(REQUEST_COUNT, -1)], 0x07);
}

pub(crate) fn logout(talk: &mut Talk) {
    talk.fail(0x2E, nobody(), 0x19);
    talk.ask(0x2D, vec![n(LEASE_TIME, 60)], vec![ticket("ended")]);
    end(talk, "ended");
}

pub(crate) fn delegated_login(talk: &mut Talk) {
    // Get and Get Attributes.
    let operations = s(OPERATIONS, vec![e(OPERATION, 0x0A), e(OPERATION, 0x0B)]);
    let rights = s(RIGHTS, vec![s(RIGHT, vec![operations])]);
    talk.ask(0x2F, vec![n(LEASE_TIME, 60), i(REQUEST_COUNT, 5), rights.clone()], vec![ticket("delegated")]);
    end(talk, "delegated");
    talk.fail(0x2F, vec![i(REQUEST_COUNT, -1), rights], 0x07);
}

pub(crate) fn ping(talk: &mut Talk) {
    talk.ask(0x3B, vec![], vec![]);
}

/// Object Types of one.
fn types(kind: u32) -> Node {
    s(OBJECT_TYPES, vec![e(OBJECT_TYPE, kind)])
}

/// The Cryptographic Length, in Attributes.
fn length(bits: i32) -> Node {
    s(ATTRIBUTES, vec![i(CRYPTOGRAPHIC_LENGTH, bits)])
}

/// An AES key with more attributes.
fn aes(more: Vec<Node>) -> Vec<Node> {
    let known = vec![e(CRYPTOGRAPHIC_ALGORITHM, 3), i(CRYPTOGRAPHIC_USAGE_MASK, 4)];
    vec![e(OBJECT_TYPE, 2), s(ATTRIBUTES, [known, more].concat())]
}

pub(crate) fn set_defaults(talk: &mut Talk) {
    let of = |kind| vec![s(DEFAULTS_INFORMATION, vec![s(OBJECT_DEFAULTS, vec![types(kind), length(192)])])];
    talk.ask(0x36, of(2), vec![]);
    talk.ask(0x01, aes(vec![]), vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "default")]);
    let key = vt(UNIQUE_IDENTIFIER, "default");
    talk.ask(0x0B, vec![key.clone(), e(ATTRIBUTE_REFERENCE, CRYPTOGRAPHIC_LENGTH)], vec![key, length(192)]);
    // Invalid Field: Template, a number that 2.x does not have.
    talk.fail(0x36, of(6), 0x07);
    // Without any, there are none.
    talk.ask(0x36, vec![], vec![]);
    talk.ask(0x01, aes(vec![]), vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "own")]);
    let key = vt(UNIQUE_IDENTIFIER, "own");
    talk.ask(0x0B, vec![key.clone(), e(ATTRIBUTE_REFERENCE, CRYPTOGRAPHIC_LENGTH)], vec![key, length(256)]);
}

/// One constraint.
fn constraints(kind: u32, bits: i32) -> Vec<Node> {
    vec![s(CONSTRAINTS, vec![s(CONSTRAINT, vec![types(kind), length(bits)])])]
}

pub(crate) fn set_constraints(talk: &mut Talk) {
    talk.ask(0x37, constraints(2, 256), vec![]);
    // Constraint Violation.
    talk.fail(0x01, aes(vec![i(CRYPTOGRAPHIC_LENGTH, 128)]), 0x4B);
    let key = vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "constrained")];
    talk.ask(0x01, aes(vec![i(CRYPTOGRAPHIC_LENGTH, 256)]), key);
    talk.fail(0x37, constraints(6, 256), 0x07);
    talk.ask(0x37, vec![], vec![]);
    talk.ask(0x01, aes(vec![i(CRYPTOGRAPHIC_LENGTH, 128)]), vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "free")]);
}

pub(crate) fn get_constraints(talk: &mut Talk) {
    talk.ask(0x38, vec![], vec![]);
    talk.ask(0x37, constraints(2, 256), vec![]);
    talk.ask(0x38, vec![], constraints(2, 256));
    talk.ask(0x37, vec![], vec![]);
    talk.ask(0x38, vec![], vec![]);
}

pub(crate) fn re_provision(talk: &mut Talk) {
    // X.509, and bytes that are none: Permission Denied. PGP: Feature Not Supported.
    let certificate = |kind| s(CERTIFICATE, vec![e(CERTIFICATE_TYPE, kind), x(CERTIFICATE_VALUE, &[0x30, 0])]);
    talk.fail(0x35, vec![certificate(1)], 0x0C);
    talk.fail(0x35, vec![certificate(2)], 0x08);
    // A request (PEM) that is none, and one beside a certificate: Invalid Field.
    let value = x(CERTIFICATE_REQUEST_VALUE, b"none");
    let request = s(CERTIFICATE_REQUEST, vec![e(CERTIFICATE_REQUEST_TYPE, 3), value]);
    talk.fail(0x35, vec![request.clone()], 0x07);
    talk.fail(0x35, vec![request, certificate(1)], 0x07);
}
