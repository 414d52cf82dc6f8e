//! A search reads what it finds, and not the store: counted in records opened and rows of the index visited.

use kmip_codec::spec::{
    AlternativeNameType, CryptographicAlgorithm, CryptographicUsageMask, LinkType, NameType, ObjectType, State, Version,
};
use kmip_codec::types::{Link, Name, UniqueIdentifier};

use super::*;
use crate::trust::policy::Use;
use crate::view::index::GRANULE;
use crate::view::testing::{Bench, NOW, secret, structured};

/// How many objects there are, and of how many one is special.
const ALL: usize = 1_200;
const ONE_OF: usize = 120;
const SPECIAL: usize = ALL / ONE_OF;

/// What a search may read for each object that it finds, and once.
const EACH: u64 = 20;
const ONCE: u64 = 200;

fn fields(tag: Tag, fields: Vec<(Tag, Value)>) -> (Tag, Value) {
    (tag, Value::Structure(fields.into_iter().map(|(tag, value)| Element::new(tag, value)).collect()))
}

fn text(value: &str) -> Value {
    Value::TextString(value.into())
}

fn vendor(value: i32) -> (Tag, Value) {
    let named = vec![(Tag::VendorIdentification, text("x")), (Tag::AttributeName, text("shelf"))];
    fields(Tag::Attribute, [named, vec![(Tag::AttributeValue, Value::Integer(value))]].concat())
}

fn application(data: Option<&str>, namespace: &str) -> (Tag, Value) {
    let namespace = (Tag::ApplicationNamespace, text(namespace));
    let data = data.map(|data| (Tag::ApplicationData, text(data)));
    fields(Tag::ApplicationSpecificInformation, [namespace].into_iter().chain(data).collect())
}

fn called(name: &str, kind: Option<AlternativeNameType>) -> (Tag, Value) {
    let kind = kind.map(|kind| (Tag::AlternativeNameType, Value::Enumeration(kind.into())));
    fields(Tag::AlternativeName, [(Tag::AlternativeNameValue, text(name))].into_iter().chain(kind).collect())
}

/// A store in which one of many objects is unlike the others in all that an object can have.
fn store() -> Bench {
    let bench = Bench::new();
    for i in 0..ALL {
        let mask = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
        // 30 seconds between one and the next but for the special ones, which come together.
        if i < ALL - SPECIAL {
            let more = vec![
                (Tag::ActivationDate, Value::DateTime(NOW + 1_000_000 + i as i64)),
                (Tag::CryptographicLength, Value::Integer(256)),
                (Tag::ObjectGroup, text("common")),
                vendor(0),
                application(Some(&format!("volume {i}")), "arrays"),
            ];
            bench.key(CryptographicAlgorithm::AES, &[7; 32], mask, more);
            bench.pass(30);
            continue;
        }
        let link = Link { kind: LinkType::ParentLink, linked: UniqueIdentifier::Text("p".into()) };
        let name = Name { value: format!("disk {i}").into(), kind: NameType::UninterpretedTextString };
        let more = vec![
            structured(Tag::Name, &name),
            called(&format!("c-{i}"), Some(AlternativeNameType::URI)),
            structured(Tag::Link, &link),
            (Tag::CryptographicLength, Value::Integer(53 * 8)),
            (Tag::ObjectGroup, text("special")),
            (Tag::ObjectGroup, text("common")),
            (Tag::ActivationDate, Value::DateTime(NOW - 1000 - (i % 2) as i64)),
            (Tag::DeactivationDate, Value::DateTime(NOW + 90_000_000)),
            (Tag::Sensitive, Value::Boolean(true)),
            (Tag::ContactInformation, text("vault 3")),
            (Tag::OriginalCreationDate, Value::DateTime(NOW - 400_000_000)),
            vendor(1),
            application(Some(&format!("tape {i}")), "tapes"),
        ];
        bench.key(CryptographicAlgorithm::HMACSHA256, &[7; 53], CryptographicUsageMask::MAC_GENERATE, more);
    }
    bench
}

/// What a search finds, and how many records it opens and rows it visits.
fn search(
    bench: &Bench,
    wanted: &[(Tag, Value)],
    storage: Option<StorageStatusMask>,
    most: usize,
) -> (usize, u64, u64) {
    let wanted = wanted.iter().map(|(tag, value)| Attribute::new(*tag, value.clone())).collect();
    let filter = Filter::new(wanted).unwrap().stored(storage);
    let mut view = bench.view(Version::V2_1);
    let vault = &view.shared().clone().vault;
    let (opened, visited) = (vault.opened(), vault.visited());
    let found = view.locate(&filter, 0, most, false).unwrap().identifiers.len();
    (found, vault.opened() - opened, vault.visited() - visited)
}

fn assert_few(bench: &Bench, wanted: &[(Tag, Value)], expected: usize) {
    let (found, opened, visited) = search(bench, wanted, None, usize::MAX);
    assert_eq!(found, expected, "{wanted:?}");
    // Those that were made together share the rows of dates.
    let is_date = |tag: &Tag| attribute_by_tag(*tag).is_some_and(|row| row.kind == AttributeKind::DateTime);
    let more = if wanted.iter().any(|(tag, _)| is_date(tag)) { 2 << GRANULE } else { 1 };
    assert!(opened <= expected as u64 + more, "{opened} records were opened for {wanted:?}");
    assert!(visited <= ONCE + EACH * expected as u64, "{visited} rows were visited for {wanted:?}");
}

#[test]
fn what_few_objects_have_is_found_without_the_others() {
    let bench = store();
    let enumeration = |tag, value: u32| (tag, Value::Enumeration(value));
    let made = NOW + 30 * (ALL - SPECIAL) as i64;
    let date = |tag, date| (tag, Value::DateTime(date));
    let common = || (Tag::ObjectGroup, text("common"));
    for wanted in [
        vec![(Tag::ObjectGroup, text("special"))],
        vec![common(), (Tag::ObjectGroup, text("special"))],
        vec![(Tag::ContactInformation, text("vault 3")), common()],
        vec![vendor(1), common()],
        vec![application(None, "tapes")],
        vec![fields(Tag::Link, vec![(Tag::LinkType, Value::Enumeration(LinkType::ParentLink.into()))]), common()],
        vec![enumeration(Tag::State, State::Active.into())],
        vec![common(), enumeration(Tag::State, State::Active.into())],
        vec![enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::HMACSHA256.into())],
        vec![enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::HMACSHA256.into()), common()],
        vec![(Tag::CryptographicLength, Value::Integer(53 * 8))],
        vec![(Tag::CryptographicUsageMask, Value::Integer(CryptographicUsageMask::MAC_GENERATE.bits().cast_signed()))],
        vec![(Tag::Sensitive, Value::Boolean(true))],
        vec![(Tag::Sensitive, Value::Boolean(true)), enumeration(Tag::ObjectType, ObjectType::SymmetricKey.into())],
        // Exact dates and ranges, of dates with rows of their own and of those that go with the making.
        vec![date(Tag::DeactivationDate, NOW + 90_000_000)],
        vec![date(Tag::DeactivationDate, NOW + 90_000_000), common()],
        vec![date(Tag::DeactivationDate, NOW + 1), date(Tag::DeactivationDate, NOW + 99_000_000)],
        vec![date(Tag::ActivationDate, NOW - 2000), date(Tag::ActivationDate, NOW - 1)],
        vec![date(Tag::OriginalCreationDate, 5), date(Tag::OriginalCreationDate, NOW - 1)],
        vec![date(Tag::InitialDate, made)],
        vec![date(Tag::InitialDate, made), date(Tag::InitialDate, i64::MAX)],
        vec![date(Tag::InitialDate, made - 10), date(Tag::InitialDate, made + 10)],
        vec![date(Tag::LastChangeDate, made)],
        vec![date(Tag::LastChangeDate, made), common()],
        vec![date(Tag::LastChangeDate, made), date(Tag::LastChangeDate, made + 86_400)],
        vec![date(Tag::LastChangeDate, made), enumeration(Tag::State, State::Active.into())],
    ] {
        assert_few(&bench, &wanted, SPECIAL);
    }
    let half = SPECIAL / 2;
    assert_few(&bench, &[date(Tag::ActivationDate, NOW - 1000)], half);
    assert_few(&bench, &[date(Tag::ActivationDate, NOW - 3000), date(Tag::ActivationDate, NOW - 1001)], half);
    assert_few(&bench, &[date(Tag::InitialDate, NOW + 300)], 1);
    assert_few(&bench, &[date(Tag::InitialDate, NOW + 300), date(Tag::InitialDate, NOW + 899)], 20);
    assert_few(&bench, &[date(Tag::LastChangeDate, NOW + 300), date(Tag::LastChangeDate, NOW + 899)], 20);
    let last = ALL - 1;
    let name = Name { value: format!("disk {last}").into(), kind: NameType::UninterpretedTextString };
    assert_few(&bench, &[structured(Tag::Name, &name)], 1);
    assert_few(&bench, &[fields(Tag::Name, vec![(Tag::NameValue, text(&format!("disk {last}")))])], 1);
    assert_few(&bench, &[called(&format!("c-{last}"), Some(AlternativeNameType::URI))], 1);
    assert_few(&bench, &[called(&format!("c-{last}"), None)], 1);
    assert_few(&bench, &[application(Some("volume 77"), "arrays")], 1);
    // What is nowhere.
    let (aes, special) = (CryptographicAlgorithm::AES.into(), (Tag::ObjectGroup, text("special")));
    assert_few(&bench, &[enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::RSA.into())], 0);
    assert_few(&bench, &[enumeration(Tag::State, State::Compromised.into()), common()], 0);
    assert_few(&bench, &[application(Some("volume 77"), "arrays"), special.clone()], 0);
    assert_few(&bench, &[date(Tag::DestroyDate, 0), date(Tag::DestroyDate, NOW)], 0);
    // An intersection without a match of two lists that are both there: the shorter one says how much is opened.
    let (found, opened, _) = search(&bench, &[enumeration(Tag::CryptographicAlgorithm, aes), special], None, 9);
    assert!(found == 0 && opened <= SPECIAL as u64 + 1);
}

#[test]
fn what_most_objects_have_is_read_as_far_as_it_is_asked_for() {
    let bench = store();
    let date = |tag, date| (tag, Value::DateTime(date));
    for wanted in [
        vec![],
        vec![(Tag::ObjectGroup, text("common"))],
        vec![(Tag::State, Value::Enumeration(State::PreActive.into()))],
        vec![(Tag::CryptographicLength, Value::Integer(256)), (Tag::Sensitive, Value::Boolean(false))],
        vec![date(Tag::InitialDate, 0), date(Tag::InitialDate, i64::MAX)],
        vec![date(Tag::LastChangeDate, NOW - 1), date(Tag::LastChangeDate, i64::MAX)],
        vec![date(Tag::ActivationDate, NOW), date(Tag::ActivationDate, i64::MAX)],
    ] {
        let (found, opened, visited) = search(&bench, &wanted, None, 5);
        assert_eq!(found, 5, "{wanted:?}");
        assert!(opened <= 6 + (1 << GRANULE) && visited <= ONCE, "{opened} records, {visited} rows for {wanted:?}");
    }
}

/// What was destroyed long ago does not stand in the way of what is there.
#[test]
fn destroyed_objects_are_passed_over() {
    let bench = Bench::new();
    let group = || (Tag::ObjectGroup, text("g"));
    let future = (Tag::ActivationDate, Value::DateTime(i64::MAX));
    for i in 0..300 {
        let object = bench.object(secret(b"s"), vec![group(), future.clone()]);
        if i % 100 == 0 {
            continue;
        }
        let mut view = bench.view(Version::V2_1);
        let permitted = view.open(Some(&object), Use::Destroy).unwrap();
        view.destroy(&permitted).unwrap();
        bench.commit(&view);
    }
    for wanted in [vec![], vec![group()]] {
        let (found, opened, _) = search(&bench, &wanted, None, usize::MAX);
        assert_eq!(found, 3);
        assert!(opened <= 3 + MANY as u64 + 1, "{opened} records were opened for {wanted:?}");
        let destroyed = Some(StorageStatusMask::DESTROYED_STORAGE);
        assert_eq!(search(&bench, &wanted, destroyed, usize::MAX).0, 297);
        assert_eq!(search(&bench, &wanted, Some(StorageStatusMask::all()), usize::MAX).0, 300);
    }
}

/// An object is found by what it is now: its rows follow every change.
#[test]
fn rows_follow_what_changes() {
    let bench = Bench::new();
    let object = bench.object(secret(b"s"), vec![(Tag::ActivationDate, Value::DateTime(NOW + 1_000_000))]);
    let found = |tag, from: i64, to: i64| {
        search(&bench, &[(tag, Value::DateTime(from)), (tag, Value::DateTime(to))], None, usize::MAX).0
    };
    assert_eq!(found(Tag::LastChangeDate, NOW, NOW), 1);
    for step in [1, 100, 1000, 100_000] {
        let before = NOW.max(bench.view(Version::V2_1).now());
        bench.pass(step);
        let mut view = bench.view(Version::V2_1);
        let now = view.now();
        let permitted = view.open(Some(&object), Use::ChangeAttributes).unwrap();
        let change = |object: &mut Managed| {
            object.attributes.set(Tag::ActivationDate, Value::DateTime(now + 1_000_000));
            object.touch(now);
            Ok(())
        };
        view.edit(&permitted, change).unwrap();
        bench.commit(&view);
        assert_eq!(found(Tag::LastChangeDate, now, now), 1, "after {step} seconds");
        assert_eq!(found(Tag::LastChangeDate, NOW - 9, before), 0, "after {step} seconds");
        assert_eq!(found(Tag::ActivationDate, now + 1_000_000, now + 1_000_000), 1);
        assert_eq!(found(Tag::ActivationDate, now, now + 999_999), 0);
        assert_eq!(found(Tag::InitialDate, NOW, NOW), 1);
        let left = bench.view(Version::V2_1).shared().vault.visited();
        assert_eq!(found(Tag::LastChangeDate, 0, i64::MAX), 1);
        let visited = bench.view(Version::V2_1).shared().vault.visited() - left;
        assert!(visited <= 4, "{visited} rows: those of earlier dates are gone");
    }
}
