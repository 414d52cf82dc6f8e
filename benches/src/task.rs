//! The operations: what is asked, and what must come back. Answers that are always the same are compared byte by byte with
//! one that was read and understood before the clock ran.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use kmip_codec::spec::{Operation, Tag};
use kmip_codec::ttlv::Value;

use crate::answer::{self, Walk};
use crate::request::Head;

/// One answer in so many is kept, and verified when the clock has stopped.
const SAMPLED: u64 = 61;
/// Samples at the most.
const SAMPLES: usize = 300;
/// Wrong answers whose words are kept.
const TOLD: usize = 5;

/// What one connection knows.
pub struct Line {
    /// Its random numbers.
    pub random: Random,
    /// What was asked and is not answered.
    pub asked: VecDeque<u64>,
    /// The object whose life it lives, if it has one.
    pub object: String,
}

impl Line {
    /// One that has not asked yet.
    pub fn new() -> Self {
        Self { random: Random::new(), asked: VecDeque::new(), object: String::new() }
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

/// A way to ask and to judge. It is shared by the connections.
pub trait Talk {
    /// Appends a message.
    fn ask(&self, line: &mut Line, out: &mut Vec<u8>);

    /// Judges the answer to the oldest message that is not answered, and says how many operations are done with it.
    fn hear(&self, line: &mut Line, message: &[u8], faults: &Faults) -> u64;

    /// Answers that were kept.
    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}

/// Wrong answers.
#[derive(Debug, Default)]
pub struct Faults {
    /// How many.
    pub count: Cell<u64>,
    /// The first of them, in words.
    pub told: RefCell<Vec<String>>,
}

impl Faults {
    /// Counts one.
    pub fn add(&self, words: String) {
        self.count.set(self.count.get() + 1);
        let mut told = self.told.borrow_mut();
        if told.len() < TOLD && !told.contains(&words) {
            told.push(words);
        }
    }
}

/// An answer to verify later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample {
    /// Something was encrypted with the key of this place.
    Encrypted {
        /// The key's place.
        key: usize,
        /// The nonce that the server made.
        nonce: Vec<u8>,
        /// The ciphertext.
        data: Vec<u8>,
        /// The tag.
        tag: Vec<u8>,
    },
    /// Something was signed with the key of this place.
    Signed {
        /// The key's place.
        key: usize,
        /// The signature.
        signature: Vec<u8>,
    },
    /// An object was found under the name with this number.
    Located {
        /// The number.
        number: usize,
        /// Its identifier.
        id: String,
    },
    /// An object was made.
    Made {
        /// Its identifier.
        id: String,
    },
}

/// Items of one operation.
pub struct Items {
    /// What a message begins with.
    pub head: Head,
    /// Items in a message.
    pub count: usize,
    /// The operation.
    pub operation: Operation,
    /// How an item is made.
    pub asking: Asking,
    /// How its answer is judged.
    pub judging: Judging,
    /// Answers that were kept.
    pub kept: Kept,
}

/// How an item is made.
pub enum Asking {
    /// One of these, drawn uniformly.
    Drawn(Vec<Vec<u8>>),
    /// Always the same but for a number in names.
    Numbered {
        /// The item.
        item: Vec<u8>,
        /// Where the last digit of each number is.
        ends: Vec<usize>,
        /// Which number.
        number: Number,
    },
}

/// Which number stands in names.
pub enum Number {
    /// One after the other, from this one on.
    Next(Cell<u64>),
    /// Any below this one, drawn uniformly.
    Below(usize),
}

/// Judges the payload for a place.
pub type Judge = Rc<dyn Fn(usize, &Value) -> Result<(), String>>;

/// How an answer is judged.
pub enum Judging {
    /// The payload is the one that is expected for this place; another order of elements is looked at by `or`.
    Same {
        /// The payloads.
        expected: Vec<Vec<u8>>,
        /// Judges what is not the same.
        or: Judge,
    },
    /// A ciphertext of this length, by the key with this identifier.
    Encrypted {
        /// The identifiers.
        ids: Vec<String>,
        /// Bytes.
        length: usize,
    },
    /// A signature by the key with this identifier.
    Signed {
        /// The identifiers.
        ids: Vec<String>,
    },
    /// One identifier, of something that is there.
    Located,
    /// The identifier of something new, under this tag.
    Made(Tag),
}

/// A part of the answers.
#[derive(Debug, Default)]
pub struct Kept {
    seen: Cell<u64>,
    samples: RefCell<Vec<Sample>>,
}

impl Kept {
    fn offer(&self, sample: impl FnOnce() -> Sample) {
        let seen = self.seen.get();
        self.seen.set(seen + 1);
        if seen.is_multiple_of(SAMPLED) && self.samples.borrow().len() < SAMPLES {
            self.samples.borrow_mut().push(sample());
        }
    }
}

impl Talk for Items {
    fn ask(&self, line: &mut Line, out: &mut Vec<u8>) {
        self.head.message(out, |_, out| {
            let asked = match &self.asking {
                Asking::Drawn(items) => {
                    let place = line.random.below(items.len());
                    out.extend_from_slice(items.get(place).map(Vec::as_slice).unwrap_or_default());
                    place as u64
                }
                Asking::Numbered { item, ends, number } => {
                    let number = match number {
                        Number::Next(next) => next.replace(next.get() + 1),
                        Number::Below(bound) => line.random.below(*bound) as u64,
                    };
                    let start = out.len();
                    out.extend_from_slice(item);
                    ends.iter().for_each(|end| write_number(out.get_mut(start..=start + end), number));
                    number
                }
            };
            line.asked.push_back(asked);
        });
    }

    fn hear(&self, line: &mut Line, message: &[u8], faults: &Faults) -> u64 {
        let asked: Vec<u64> = line.asked.drain(..self.count.min(line.asked.len())).collect();
        let mut replies = match answer::replies(message, self.count) {
            Ok(replies) => replies,
            Err(words) => {
                asked.iter().for_each(|_| faults.add(words.clone()));
                return asked.len() as u64;
            }
        };
        for (place, asked) in asked.iter().enumerate() {
            let judged = match replies.next() {
                Some(reply) => reply
                    .payload(self.operation, (self.count > 1).then_some(place))
                    .and_then(|payload| self.judge(usize::try_from(*asked).unwrap_or_default(), payload)),
                None => Err("items are missing in an answer".to_owned()),
            };
            if let Err(words) = judged {
                faults.add(words);
            }
        }
        asked.len() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        self.kept.samples.borrow_mut().drain(..).collect()
    }
}

impl Items {
    fn judge(&self, asked: usize, payload: &[u8]) -> Result<(), String> {
        if let Judging::Same { expected, or } = &self.judging {
            return match expected.get(asked) {
                Some(expected) if expected == payload => Ok(()),
                _ => or(asked, &answer::read(payload)?),
            };
        }
        let walk = Walk(payload.get(8..).unwrap_or_default());
        let bytes = |tag| walk.value_of(tag).unwrap_or_default();
        let is_of = |ids: &[String]| ids.get(asked).is_some_and(|id| id.as_bytes() == bytes(Tag::UniqueIdentifier));
        match &self.judging {
            Judging::Same { .. } => Ok(()),
            Judging::Encrypted { ids, length } => {
                let (nonce, data) = (bytes(Tag::IVCounterNonce), bytes(Tag::Data));
                let tag = bytes(Tag::AuthenticatedEncryptionTag);
                if !is_of(ids) || nonce.is_empty() || data.len() + tag.len() != length + 16 {
                    return Err("Encrypt: the answer is not the ciphertext that was asked for".to_owned());
                }
                self.kept.offer(|| Sample::Encrypted {
                    key: asked,
                    nonce: nonce.to_vec(),
                    data: data.to_vec(),
                    tag: tag.to_vec(),
                });
                Ok(())
            }
            Judging::Signed { ids } => {
                let signature = bytes(Tag::SignatureData);
                if !is_of(ids) || signature.len() < 64 {
                    return Err("Sign: the answer is not the signature that was asked for".to_owned());
                }
                self.kept.offer(|| Sample::Signed { key: asked, signature: signature.to_vec() });
                Ok(())
            }
            Judging::Located => {
                let mut ids = walk.filter(|item| item.tag == Tag::UniqueIdentifier);
                let (Some(id), None) = (ids.next(), ids.next()) else {
                    return Err("Locate: not one object with a name that one has".to_owned());
                };
                let id = || String::from_utf8_lossy(id.value).into_owned();
                self.kept.offer(|| Sample::Located { number: asked, id: id() });
                Ok(())
            }
            Judging::Made(tag) => {
                let id = bytes(*tag);
                if id.is_empty() {
                    return Err(format!("{}: the answer has no {tag}", self.operation));
                }
                self.kept.offer(|| Sample::Made { id: String::from_utf8_lossy(id).into_owned() });
                Ok(())
            }
        }
    }
}

/// Writes a number over the digits at the end of what is given.
fn write_number(digits: Option<&mut [u8]>, mut number: u64) {
    for digit in digits.into_iter().flat_map(|digits| digits.iter_mut().rev()) {
        if number == 0 {
            return;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Where a name ends in an item, each time it is there.
pub fn ends(item: &[u8], name: &str) -> Vec<usize> {
    let windows = item.windows(name.len()).enumerate();
    windows.filter(|(_, window)| *window == name.as_bytes()).map(|(start, _)| start + name.len() - 1).collect()
}

/// Messages to the limit.
pub struct Raw {
    /// The request.
    pub request: Vec<u8>,
    /// What must come back.
    pub answer: Vec<u8>,
}

impl Talk for Raw {
    fn ask(&self, _: &mut Line, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn hear(&self, _: &mut Line, message: &[u8], faults: &Faults) -> u64 {
        if message != self.answer {
            faults.add("the answer is not the one of `limit`".to_owned());
        }
        1
    }
}

/// Random numbers that are good enough to draw a key.
pub struct Random(u64);

impl Random {
    /// Numbers that begin anywhere.
    pub fn new() -> Self {
        let mut seed = [0; 8];
        // Without randomness every connection would draw the same keys: bad, and visible at once.
        let _ = aws_lc_rs::rand::fill(&mut seed);
        Self(u64::from_le_bytes(seed) | 1)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below this one.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        (wide >> 64) as usize
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::Version;
    use kmip_codec::ttlv::Writer;

    use super::*;

    #[test]
    fn numbers_are_written_over_digits_alone() {
        let mut text = b"x-00000000".to_vec();
        write_number(text.get_mut(0..10), 1_203);
        assert_eq!(text, b"x-00001203");
        assert_eq!(ends(b"..ab-0..ab-0.", "ab-0"), [5, 11]);
    }

    /// An answer to Get with these payloads and marks.
    fn answer(status: u32, items: &[(u64, &str)]) -> Vec<u8> {
        let mut writer = Writer::new(Version::V2_1);
        writer.structure(Tag::ResponseMessage, |w| {
            w.structure(Tag::ResponseHeader, |w| w.integer(Tag::BatchCount, i32::try_from(items.len()).unwrap()));
            for (mark, id) in items {
                w.structure(Tag::BatchItem, |w| {
                    w.enumeration(Tag::Operation, Operation::Get.into());
                    w.bytes(Tag::UniqueBatchItemID, &mark.to_be_bytes());
                    w.enumeration(Tag::ResultStatus, status);
                    w.structure(Tag::ResponsePayload, |w| w.text(Tag::UniqueIdentifier, id));
                });
            }
        });
        writer.finish()
    }

    fn payload(id: &str) -> Vec<u8> {
        let mut writer = Writer::new(Version::V2_1);
        writer.structure(Tag::ResponsePayload, |w| w.text(Tag::UniqueIdentifier, id));
        writer.finish()
    }

    #[test]
    fn every_wrong_answer_is_a_fault() {
        let or: Judge = Rc::new(|place, payload| {
            let right = place == 0 && answer::text_at(payload, &[Tag::UniqueIdentifier]) == Some("like a");
            if right { Ok(()) } else { Err("wrong".to_owned()) }
        });
        let items = Items {
            head: Head::new(Version::V2_1, 2),
            count: 2,
            operation: Operation::Get,
            asking: Asking::Drawn(vec![]),
            judging: Judging::Same { expected: vec![payload("a"), payload("b")], or },
            kept: Kept::default(),
        };
        let nonsense = b"nonsense".to_vec();
        for (message, wrong) in [
            (answer(0, &[(0, "a"), (1, "b")]), 0),
            (answer(0, &[(0, "like a"), (1, "b")]), 0),
            (answer(0, &[(0, "a"), (1, "a")]), 1),
            (answer(0, &[(0, "b"), (1, "a")]), 2),
            (answer(0, &[(1, "a"), (0, "b")]), 2),
            (answer(1, &[(0, "a"), (1, "b")]), 2),
            (answer(0, &[(0, "a")]), 2),
            ([answer(0, &[(0, "a"), (1, "b")]), nonsense.clone()].concat(), 2),
            (nonsense, 2),
        ] {
            let (mut line, faults) = (Line::new(), Faults::default());
            line.asked.extend([0, 1]);
            assert_eq!(items.hear(&mut line, &message, &faults), 2);
            assert_eq!(faults.count.get(), wrong, "{:?}", faults.told);
            assert!(line.asked.is_empty());
        }
    }

    #[test]
    fn draws_are_uniform() {
        let mut random = Random::new();
        let mut seen = [0_u32; 10];
        (0..100_000).for_each(|_| seen[random.below(10)] += 1);
        assert!(seen.iter().all(|&count| (9_000..11_000).contains(&count)), "{seen:?}");
    }
}
