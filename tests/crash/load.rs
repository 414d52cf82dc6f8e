//! Writers that change things until the server is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use kmip_codec::message::ResponseMessage;
use kmip_codec::spec::{State, Version};
use kmip_codec::ttlv::Limits;

use crate::harness::Wire;
use crate::harness::kmip::{header, message};
use crate::world::{Deed, World};

/// What a writer knows when its connection has ended.
pub(crate) struct Known {
    /// What was acknowledged.
    pub(crate) acknowledged: World,
    /// What there is if the message counts that was not answered any more.
    pub(crate) pending: World,
    /// Messages that were answered.
    pub(crate) count: usize,
}

/// A small generator of its own: a round that fails can be looked at by its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Writes until the server is gone, beginning with the world as it is. New objects are called by `who`.
pub(crate) fn write(
    mut wire: Wire,
    who: String,
    world: World,
    seed: u64,
    total: Arc<AtomicUsize>,
) -> JoinHandle<Known> {
    thread::spawn(move || {
        let mut dice = Dice(seed);
        let mut known = Known { acknowledged: world.clone(), pending: world, count: 0 };
        loop {
            let deeds = choose(&mut dice, &known, &who);
            let items = deeds.iter().map(|deed| deed.item(&known.acknowledged)).collect();
            let request = message(Version::V2_1, header(Version::V2_1), items);
            known.pending = known.acknowledged.clone();
            deeds.iter().for_each(|deed| deed.done_in(&mut known.pending));
            let Ok(answer) = wire.ask(&request.write()) else { return known };
            let answer = ResponseMessage::read(&Bytes::from(answer), &Limits::default()).unwrap();
            assert_eq!(answer.items.len(), deeds.len(), "{deeds:?}: {:?}", answer.items.last());
            deeds.iter().zip(&answer.items).for_each(|(deed, item)| deed.acknowledged(item, &mut known.pending));
            known.acknowledged = known.pending.clone();
            known.count += 1;
            total.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// What to do next: one thing, or several that belong together.
fn choose(dice: &mut Dice, known: &Known, who: &str) -> Vec<Deed> {
    let count = known.count;
    let new = |part: usize| format!("{who} {count} {part}");
    let early: Vec<&String> = known
        .acknowledged
        .iter()
        .filter(|(name, thing)| thing.state == State::PreActive && name.starts_with(who))
        .map(|(name, _)| name)
        .collect();
    let any = |dice: &mut Dice| (!early.is_empty()).then(|| early[dice.roll(early.len())].clone());
    let one = any(dice);
    let contact = format!("{count}");
    match (dice.roll(20), one) {
        (0..4, _) | (_, None) => vec![Deed::Create(new(0))],
        (4..8, _) => vec![Deed::Register(new(0), 1024)],
        (8, _) => vec![Deed::Register(new(0), 300 * 1024)],
        (9..11, Some(one)) => vec![Deed::Activate(one)],
        (11..14, Some(one)) => vec![Deed::Modify(one, contact)],
        (14, Some(one)) => vec![Deed::Destroy(one)],
        (15, Some(one)) => {
            // A new object is made and activated, an old one changes, another comes.
            let other = any(dice).filter(|other| *other != one);
            let mut deeds = vec![
                Deed::Create(new(0)),
                Deed::Activate(new(0)),
                Deed::Modify(one.clone(), contact),
                Deed::Register(new(1), 300 * 1024),
                Deed::Destroy(one),
            ];
            deeds.extend(other.map(Deed::Activate));
            deeds
        }
        (16..18, Some(one)) => {
            vec![Deed::Modify(one.clone(), contact), Deed::Activate(one), Deed::Register(new(0), 1024)]
        }
        _ => (0..8).map(|part| Deed::Create(new(part))).collect(),
    }
}
