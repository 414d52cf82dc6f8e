//! What a Locate costs: it opens the records that it answers, and not those of all others.

use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, Operation, ProtectionStorageMask, State, StorageStatusMask, Tag,
    Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::Attribute;
use kmipd::crypto::providers::Providers;
use kmipd::object::terms::{Index, index_of};
use kmipd::object::{Origin, Residency};
use kmipd::ops::{Follow, Run, row_of};
use kmipd::store::memory::MemoryStore;
use kmipd::store::seal::KeyRing;
use kmipd::store::vault::Vault;
use kmipd::view::{Filter, Home, Kept, New, Settings, Shared, SystemClock, View};

use crate::harness::kmip::{enumeration, locate, name, number, payload, structure, text, vendor};

/// Objects in the store.
const COUNT: usize = 2_000;

/// Objects of a group, and those in any state but the first.
const FEW: usize = 10;

fn shared() -> Arc<Shared> {
    let vault = Vault::open(Arc::new(MemoryStore::new()), [0; 16], KeyRing::random().unwrap()).unwrap();
    let settings = Settings::default();
    Arc::new(Shared {
        vault,
        providers: Providers::new(None),
        clock: Box::new(SystemClock),
        settings,
        parts: Default::default(),
        instances: Default::default(),
    })
}

fn view(shared: &Arc<Shared>, owner: &str) -> View {
    View::new(Arc::clone(shared), owner.into(), Version::V2_1, Kept::default())
}

fn commit(shared: &Shared, view: &View) {
    shared.vault.commit(view.commit().unwrap().batch).try_recv().unwrap().unwrap();
}

/// The attributes that a client gives the object of this number, each found by another kind of row.
fn attributes(number_of: usize) -> Vec<Attribute> {
    let few = number_of.is_multiple_of(COUNT / FEW);
    let pair = |tag, one: (Tag, String), two: (Tag, String)| {
        structure(tag, vec![(one.0, Value::TextString(one.1.into())), (two.0, Value::TextString(two.1.into()))])
    };
    let mut list = vec![
        name(&format!("object {number_of}")),
        vendor("x", "number", Value::Integer(i32::try_from(number_of).unwrap())),
        text(Tag::ContactInformation, &format!("desk {}", number_of % (COUNT / FEW))),
        enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES),
        number(Tag::CryptographicLength, if few { 128 } else { 256 }),
        pair(
            Tag::ApplicationSpecificInformation,
            (Tag::ApplicationNamespace, "disks".into()),
            (Tag::ApplicationData, format!("disk {number_of}")),
        ),
    ];
    if few {
        list.push(text(Tag::ObjectGroup, "few"));
        list.push(vendor("x", "few", Value::Boolean(true)));
        list.push(kmip_codec::types::Attribute::new(Tag::ActivationDate, Value::DateTime(1)));
    }
    list
}

/// Objects of two owners; the numbers of both run through each other.
fn fill(shared: &Arc<Shared>) -> Vec<Text> {
    let mut made = Vec::new();
    for chunk in (0..COUNT).collect::<Vec<_>>().chunks(100) {
        for owner in ["alice", "bob"] {
            let mut view = view(shared, owner);
            for &number_of in chunk {
                let identifier = view
                    .insert(New {
                        object_type: ObjectType::SymmetricKey,
                        attributes: attributes(number_of),
                        found: Vec::new(),
                        material: None,
                        format: Some(KeyFormatType::Raw),
                        home: Home { residency: Residency::Sealed, mask: ProtectionStorageMask::SOFTWARE },
                        origin: Origin::Registered,
                    })
                    .unwrap();
                if owner == "alice" {
                    made.push(identifier);
                }
            }
            commit(shared, &view);
        }
    }
    made
}

#[test]
fn an_exact_locate_opens_what_it_answers() {
    let shared = shared();
    let made = fill(&shared);
    let few: Vec<Text> = made.iter().step_by(COUNT / FEW).rev().cloned().collect();
    let last = made.last().unwrap().clone();
    let seventh = made[7].clone();
    let of = |number_of: usize| attributes(number_of);
    let desk = text(Tag::ContactInformation, "desk 7");
    let at_desk: Vec<Text> = made.iter().skip(7).step_by(COUNT / FEW).rev().cloned().collect();
    let algorithm = enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES);
    let symmetric = enumeration(Tag::ObjectType, ObjectType::SymmetricKey);
    let cases: Vec<(&str, Vec<Attribute>, Vec<Text>)> = vec![
        ("a name", vec![name("object 7")], vec![seventh.clone()]),
        ("no name", vec![name("object")], vec![]),
        ("a vendor's attribute", vec![vendor("x", "number", Value::Integer(7))], vec![seventh.clone()]),
        ("no such value", vec![vendor("x", "number", Value::Integer(-7))], vec![]),
        ("an identifier", vec![text(Tag::UniqueIdentifier, &seventh)], vec![seventh.clone()]),
        ("application data", vec![of(7)[5].clone()], vec![seventh.clone()]),
        ("a group", vec![text(Tag::ObjectGroup, "few")], few.clone()),
        ("a flag", vec![vendor("x", "few", Value::Boolean(true))], few.clone()),
        ("a state", vec![enumeration(Tag::State, State::Active)], few.clone()),
        ("a length", vec![number(Tag::CryptographicLength, 128)], few.clone()),
        ("a contact", vec![desk.clone()], at_desk.clone()),
        (
            "a group and a length",
            vec![text(Tag::ObjectGroup, "few"), number(Tag::CryptographicLength, 128)],
            few.clone(),
        ),
        ("a group and a name", vec![text(Tag::ObjectGroup, "few"), name("object 0")], vec![made[0].clone()]),
        (
            "much that all have and little that few have",
            vec![algorithm.clone(), symmetric.clone(), enumeration(Tag::State, State::PreActive), desk],
            at_desk,
        ),
        (
            "two groups of rows",
            vec![text(Tag::ObjectGroup, "few"), vendor("x", "number", Value::Integer(0)), algorithm.clone()],
            vec![made[0].clone()],
        ),
    ];
    for (what, filter, expected) in cases {
        // Whoever adds a case must mean an exact one.
        assert!(
            filter
                .iter()
                .all(|attribute| { attribute.tag == Tag::UniqueIdentifier || index_of(attribute) != Index::None })
        );
        let before = shared.vault.opened();
        let found = view(&shared, "alice").locate(&Filter::new(filter).unwrap(), 0, usize::MAX, false).unwrap();
        let opened = shared.vault.opened() - before;
        assert_eq!(found.identifiers, expected, "{what}");
        assert!(opened <= expected.len() as u64 + 2, "{what}: {opened} records opened for {} matches", expected.len());
    }

    // As many as are asked for, from the newest on, however many match.
    for (offset, maximum) in [(0, 1), (0, 16), (5, 16)] {
        let filter = Filter::new(vec![algorithm.clone(), symmetric.clone()]).unwrap();
        let before = shared.vault.opened();
        let found = view(&shared, "alice").locate(&filter, offset, maximum, false).unwrap();
        let opened = shared.vault.opened() - before;
        let expected: Vec<Text> = made.iter().rev().skip(offset).take(maximum).cloned().collect();
        assert_eq!(found.identifiers, expected);
        assert!(opened <= (offset + maximum) as u64 + 2, "{opened} records opened for {maximum} behind {offset}");
    }

    // Destroyed objects are a kind of their own.
    let mut destroying = view(&shared, "alice");
    let identifier = kmip_codec::types::UniqueIdentifier::Text(last.clone());
    let object = destroying.open(Some(&identifier), kmipd::trust::policy::Use::Destroy).unwrap();
    destroying.destroy(&object).unwrap();
    commit(&shared, &destroying);
    let filter = Filter::new(vec![symmetric]).unwrap().stored(Some(StorageStatusMask::DESTROYED_STORAGE));
    let before = shared.vault.opened();
    let found = view(&shared, "alice").locate(&filter, 0, usize::MAX, false).unwrap();
    assert_eq!(found.identifiers, [last]);
    assert!(shared.vault.opened() - before <= 3);
}

#[test]
fn the_operation_itself_opens_no_more() {
    let shared = shared();
    let made = fill(&shared);
    let row = row_of(Operation::Locate, Version::V1_4).unwrap();
    let before = shared.vault.opened();
    let mut view = View::new(Arc::clone(&shared), "alice".into(), Version::V1_4, Kept::default());
    let Run::Handler(run) = row.run else { panic!("Locate is a handler's") };
    let asked = payload(Version::V1_4, &locate(vec![name("object 7")]));
    let answered = run(&mut view, asked, Follow::Items).unwrap();
    assert_eq!(answered.identifiers, [made[7].clone()]);
    // What was read is checked with the commit, and not opened once more.
    commit(&shared, &view);
    assert!(shared.vault.opened() - before <= 3);
}
