//! The operations that lease, count, put away and replace objects.

use crate::objects::{created, just};
use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{d, e, l, n, s, t, vd, vt};

pub(crate) fn obtain_lease(talk: &mut Talk) {
    created(talk, "key", vec![]);
    let lease = vec![vt(UNIQUE_IDENTIFIER, "key"), n(LEASE_TIME, 3600), vd(LAST_CHANGE_DATE, "")];
    talk.ask(0x10, just("key"), lease);
    // Key Compromise; Permission Denied.
    let why = s(REVOCATION_REASON, vec![e(REVOCATION_REASON_CODE, 2)]);
    talk.ask(0x13, vec![vt(UNIQUE_IDENTIFIER, "key"), why], just("key"));
    talk.fail(0x10, just("key"), 0x0C);
    talk.ask(0x14, just("key"), just("key"));
}

pub(crate) fn get_usage_allocation(talk: &mut Talk) {
    // Objects.
    let limits = s(USAGE_LIMITS, vec![l(USAGE_LIMITS_TOTAL, 3), e(USAGE_LIMITS_UNIT, 2)]);
    created(talk, "key", vec![("Usage Limits", limits)]);
    talk.ask(0x12, just("key"), just("key"));
    let units = |count| vec![vt(UNIQUE_IDENTIFIER, "key"), l(USAGE_LIMITS_COUNT, count)];
    talk.ask(0x11, units(2), just("key"));
    // Usage Limit Exceeded, Permission Denied.
    talk.fail(0x11, units(2), talk.either(0x0C, 0x1A));
    talk.ask(0x11, units(1), just("key"));
    created(talk, "free", vec![]);
    talk.ask(0x12, just("free"), just("free"));
    // Attribute Not Found, Illegal Operation.
    let none = vec![vt(UNIQUE_IDENTIFIER, "free"), l(USAGE_LIMITS_COUNT, 1)];
    talk.fail(0x11, none, talk.either(0x0B, 0x21));
}

pub(crate) fn archive(talk: &mut Talk) {
    created(talk, "key", vec![]);
    talk.ask(0x15, just("key"), just("key"));
    // Object Archived.
    talk.fail(0x15, just("key"), 0x0D);
    talk.fail(0x0A, just("key"), 0x0D);
    talk.fail(0x15, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
}

pub(crate) fn recover(talk: &mut Talk) {
    created(talk, "key", vec![]);
    talk.ask(0x15, just("key"), just("key"));
    talk.ask(0x16, just("key"), just("key"));
    talk.ask(0x15, just("key"), just("key"));
    talk.fail(0x16, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
}

pub(crate) fn re_key(talk: &mut Talk) {
    created(talk, "former", vec![]);
    talk.ask(0x04, vec![vt(UNIQUE_IDENTIFIER, "former"), n(OFFSET, 60)], vec![vt(UNIQUE_IDENTIFIER, "latest")]);
    assert_ne!(talk.variables["former"], talk.variables["latest"]);
    // An Offset beside a date: Invalid Message.
    let dates = vec![("Deactivation Date", d(0x42_002F, 4_000_000_000))];
    let dates = talk.attributes((TEMPLATE_ATTRIBUTE, ATTRIBUTES), dates);
    talk.fail(0x04, vec![vt(UNIQUE_IDENTIFIER, "former"), n(OFFSET, 60), dates], 0x04);
    talk.fail(0x04, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
}

pub(crate) fn re_key_key_pair(talk: &mut Talk) {
    crate::objects::create_key_pair(talk);
    let latest = vec![vt(PRIVATE_KEY_UNIQUE_IDENTIFIER, "new"), vt(PUBLIC_KEY_UNIQUE_IDENTIFIER, "newer")];
    talk.ask(0x1D, vec![vt(PRIVATE_KEY_UNIQUE_IDENTIFIER, "private")], latest);
    assert_ne!(talk.variables["private"], talk.variables["new"]);
    // A public key: Invalid Object Type, Permission Denied.
    talk.fail(0x1D, vec![vt(PRIVATE_KEY_UNIQUE_IDENTIFIER, "public")], talk.either(0x0C, 0x30));
}
