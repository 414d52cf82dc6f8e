//! The rounds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask, Operation, State, Tag, Version};
use kmip_codec::ttlv::Text;
use kmip_codec::types::Attributes;
use kmipd::ops;

use crate::harness::Kmipd;
use crate::harness::kmip::{create, enumeration, header, mask, message, name, number, text};
use crate::load::write;
use crate::world::{Thing, World, is_same, observe};

const WRITERS: usize = 6;

/// The messages after which the server is killed.
const MOMENTS: [usize; 6] = [1, 40, 150, 75, 300, 110];

/// How long anything may take. Reached only when the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_killed_server_keeps_what_it_acknowledged_and_nothing_by_halves() {
    let mut kmipd = Kmipd::dev();
    let mut worlds = vec![World::new(); WRITERS];
    let mut was_pending = [0, 0];
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        let client = kmipd.client();
        let total = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = worlds
            .drain(..)
            .enumerate()
            .map(|(number, world)| {
                let seed = (round * WRITERS + number) as u64;
                let who = format!("round {round} writer {number}:");
                write(client.connect().unwrap(), who, world, seed, Arc::clone(&total))
            })
            .collect();
        until("enough messages", || total.load(Ordering::Relaxed) >= moment);
        kmipd.kill();
        let known: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        kmipd.restart();

        let mut kmip = kmipd.kmip(Version::V2_1);
        for (number, known) in known.into_iter().enumerate() {
            // What earlier rounds have left alone is looked at once more in the end.
            let who = format!("round {round} ");
            let names: BTreeSet<&String> = known.acknowledged.keys().chain(known.pending.keys()).collect();
            let seen = observe(&mut kmip, names.into_iter().filter(|name| name.starts_with(&who)));
            let of_round = |world: &World| -> World {
                world.iter().filter(|(name, _)| name.starts_with(&who)).map(|(n, t)| (n.clone(), t.clone())).collect()
            };
            let before = is_same(&seen, &of_round(&known.acknowledged));
            let after = is_same(&seen, &of_round(&known.pending));
            assert!(
                before || after,
                "round {round}, writer {number}: {seen:#?}\nis neither {:#?}\nnor {:#?}",
                of_round(&known.acknowledged),
                of_round(&known.pending)
            );
            was_pending[usize::from(!before)] += 1;
            let mut world = known.acknowledged;
            world.retain(|name, _| !name.starts_with(&who));
            world.extend(seen);
            worlds.push(world);
        }
        assert_nothing_else(&mut kmip, &worlds);
        println!("round {round}: killed after {} messages", total.load(Ordering::Relaxed));
    }
    let mut kmip = kmipd.kmip(Version::V2_1);
    for world in &worlds {
        assert!(is_same(&observe(&mut kmip, world.keys()), world));
    }
    let count: usize = worlds.iter().map(World::len).sum();
    println!("{count} objects; of messages cut off {} did not count and {} did", was_pending[0], was_pending[1]);
    assert!(count > 400, "{count}");
}

/// What is found by no name in particular, and by state, is what the writers know.
fn assert_nothing_else(kmip: &mut crate::harness::Kmip, worlds: &[World]) {
    let known = |states: &[State]| -> BTreeSet<Text> {
        let things = worlds.iter().flat_map(World::values).filter(|thing| states.contains(&thing.state));
        things.map(|thing| thing.identifier.clone().unwrap()).collect()
    };
    let found = |kmip: &mut crate::harness::Kmip, filter| kmip.locate(filter).into_iter().collect::<BTreeSet<Text>>();
    assert_eq!(found(kmip, vec![]), known(&[State::PreActive, State::Active]));
    for state in [State::PreActive, State::Active] {
        assert_eq!(found(kmip, vec![enumeration(Tag::State, state)]), known(&[state]));
    }
    // By a fingerprint, too.
    let contact = |thing: &&Thing| thing.state != State::Destroyed && thing.contact == "new";
    let new = worlds.iter().flat_map(World::values).filter(contact).map(|thing| thing.identifier.clone().unwrap());
    assert_eq!(found(kmip, vec![text(Tag::ContactInformation, "new")]), new.collect());
}

/// Processor time that a process has used, in ticks of a hundredth of a second.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name, which may hold anything: the fields 14 and 15 (proc(5)).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_batch_that_is_cut_off_leaves_nothing() {
    let mut kmipd = Kmipd::dev();
    let list = |list| Attributes { templates: Vec::new(), list };
    let pair = ops::create_key_pair::Request {
        common: list(vec![
            enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::RSA),
            number(Tag::CryptographicLength, 4096),
        ]),
        private: list(vec![mask(CryptographicUsageMask::SIGN)]),
        public: list(vec![mask(CryptographicUsageMask::VERIFY)]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    for (round, work) in [20, 60, 150].into_iter().enumerate() {
        let mut kmip = kmipd.kmip(Version::V2_1);
        let kept = name(&format!("kept {round}"));
        let kept_by = kmip.create(vec![kept.clone()]);
        // A quick item, many slow ones, a quick one: half a minute of work, and it is never done.
        let first = name(&format!("first {round}"));
        let mut items = vec![kmip.item(Operation::Create, &create(vec![first.clone()]))];
        items.push(kmip.item(Operation::Destroy, &crate::harness::kmip::object(Some(&kept_by))));
        items.extend((0..60).map(|_| kmip.item(Operation::CreateKeyPair, &pair)));
        let request = message(kmip.version, header(kmip.version), items);
        let begin = ticks(kmipd.pid());
        kmip.wire.send(&request.write()).unwrap();
        until("work", || ticks(kmipd.pid()) >= begin + work);
        kmipd.kill();
        assert!(kmip.wire.receive().is_err(), "the batch was answered already");
        kmipd.restart();
        let mut kmip = kmipd.kmip(Version::V2_1);
        assert!(kmip.locate(vec![first.clone()]).is_empty());
        assert_eq!(kmip.locate(vec![]).len(), round + 1);
        assert_eq!(kmip.locate(vec![kept]), [kept_by.clone()]);
        assert_eq!(kmip.state(&kept_by), State::PreActive);
        kmip.get(&kept_by);
        // Its names are free.
        let again = kmip.create(vec![first]);
        kmip.destroy(&again);
    }
}
