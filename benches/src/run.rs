//! A run: keys, connections, the measurement, and what is verified after it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use aws_lc_rs::{digest, hmac};
use clap::ValueEnum;
use kmip_codec::Value;
use kmip_codec::spec::{DigitalSignatureAlgorithm, Operation, PaddingMethod, Tag, Version};
use kmip_codec::ttlv::Writer;
use kmip_codec::types::CryptographicParameters;
use tokio::task::LocalSet;

use crate::answer::{bytes_at, has_text, text_at};
use crate::connection::{Connection, Target};
use crate::keys::{self, Key, Making};
use crate::lifecycle::Lifecycle;
use crate::load::{Load, Measured, Shared};
use crate::options::{Algorithm, Asked, Options};
use crate::process::Process;
use crate::report::Report;
use crate::request::{Form, Head, gcm, sha256};
use crate::task::{Asking, Items, Judge, Judging, Kept, Line, Number, Random, Raw, Sample, Talk, ends};
use crate::verify::{Subject, decrypt};
use crate::{Error, Outcome, handshakes, limit};

/// Keys that `populate` keeps in mind at a time.
const SLICE: usize = 20_000;
/// Keys that are known before they are asked for, at the most.
const MOST_KNOWN: usize = 100_000;
/// A number of eight digits that [`Asking::Numbered`] writes over.
const NUMBER: usize = 0;

/// Runs what the options ask for.
///
/// # Errors
/// Why there is no measurement. Wrong answers are counted in the report.
pub fn run(options: &Options) -> Outcome<Report> {
    if let Some(cpu) = options.cpu {
        let mut set = rustix::thread::CpuSet::new();
        set.set(cpu);
        rustix::thread::sched_setaffinity(None, &set).map_err(std::io::Error::from)?;
    }
    if options.idle > 0 {
        more_descriptors()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, Run { options }.run())
}

/// Raises the number of open files to what is allowed.
fn more_descriptors() -> Outcome<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).map_err(std::io::Error::from)?;
    Ok(())
}

struct Run<'a> {
    options: &'a Options,
}

/// What is loaded, and what its answers are about.
struct Work {
    talk: Rc<dyn Talk>,
    keys: Rc<Vec<Key>>,
    data: Vec<u8>,
}

impl Run<'_> {
    async fn run(&self) -> Outcome<Report> {
        let options = self.options;
        let resumed = matches!(options.operation, Asked::HandshakeResumed | Asked::RawHandshakeResumed);
        let target = Target::new(options, resumed)?;
        if options.operation == Asked::Populate {
            return self.populate(&target).await;
        }
        let idle = idle(&target, options).await?;
        let work = self.work(&target).await?;
        let behind = match options.in_background() {
            None => None,
            Some(other) => {
                let work = Run { options: &other }.work(&target).await?;
                Some(Load::begin(&target, &work.talk, &other).await?)
            }
        };
        let (mut measured, shared) = match options.operation {
            Asked::Handshake | Asked::HandshakeResumed | Asked::RawHandshake | Asked::RawHandshakeResumed => {
                handshakes::measure(&target, &work.talk, options, resumed).await?
            }
            _ => Load::begin(&target, &work.talk, options).await?.measure(options).await?,
        };
        let background = match behind {
            None => None,
            Some(load) => {
                let behind = load.abandon().await;
                behind.faults.told.take().into_iter().for_each(|words| shared.faults.add(words));
                Some(behind.heard())
            }
        };
        measured.request_bytes = request_bytes(&*work.talk);
        // Before verifying, which is work for the server too.
        let memory = options.pid.map(|pid| Process(pid).memory()).transpose()?;
        drop(idle);
        let samples = work.talk.samples();
        let verified = if samples.is_empty() { 0 } else { self.verify(&target, &work, &samples, &shared).await? };
        if measured.operations == 0 {
            shared.faults.add("nothing was answered in the time that was measured".to_owned());
        }
        Ok(Report {
            operation: name_of(options.operation),
            measured,
            errors: shared.faults.count.get(),
            told: shared.faults.told.take(),
            verified,
            idle: options.idle,
            memory,
            background,
        })
    }

    async fn verify(&self, target: &Target, work: &Work, samples: &[Sample], shared: &Shared) -> Outcome<u64> {
        let subject = Subject {
            keys: &work.keys,
            algorithm: self.options.algorithm(),
            prefix: self.options.prefix.as_deref().unwrap_or_default(),
            data: &work.data,
            form: self.single(),
        };
        subject.verify(&mut target.connect().await?, samples, &shared.faults).await
    }

    /// Makes the keys of a prefix, and measures how long that takes.
    async fn populate(&self, target: &Target) -> Outcome<Report> {
        let options = self.options;
        let prefix = options.prefix.as_deref().ok_or_else(|| Error::new("populate needs --prefix"))?;
        let used = || options.pid.map(|pid| Process(pid).used()).transpose();
        let (begin, before) = (Instant::now(), used()?);
        for first in (0..options.keys).step_by(SLICE) {
            let numbers: Vec<usize> = (first..options.keys.min(first + SLICE)).collect();
            keys::make(target, options, prefix, &numbers).await?;
        }
        let measured = Measured {
            elapsed: begin.elapsed(),
            operations: options.keys as u64,
            server: used()?.zip(before).map(|(after, before)| after.since(&before)),
            ..Measured::default()
        };
        let memory = options.pid.map(|pid| Process(pid).memory()).transpose()?;
        Ok(Report { operation: name_of(options.operation), measured, memory, ..Report::default() })
    }

    /// The form of messages with one item.
    const fn single(&self) -> Form {
        Form { version: self.options.version, several: false }
    }

    /// The form of the messages under load.
    const fn form(&self) -> Form {
        Form { version: self.options.version, several: self.options.batch > 1 }
    }

    async fn work(&self, target: &Target) -> Outcome<Work> {
        let options = self.options;
        let data: Vec<u8> = (0..options.size).map(|n| n as u8).collect();
        let keys = Rc::new(if needs_keys(options.operation) && !is_strange(options) {
            self.keys(target).await?
        } else {
            Vec::new()
        });
        let ids = || keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
        let drawn = |item: &dyn Fn(Form, &Key) -> Vec<u8>| keys.iter().map(|key| item(self.form(), key)).collect();
        let cryptography = |operation: Operation, parameters: &CryptographicParameters| {
            drawn(&|form, key| form.cryptography(operation, &key.id, parameters, &data, |_| ()))
        };
        let talk: Rc<dyn Talk> = match options.operation {
            Asked::Raw | Asked::RawHandshake | Asked::RawHandshakeResumed => Rc::new(Raw {
                request: limit::request(options.request_bytes),
                answer: limit::answer(options.answer_bytes),
            }),
            Asked::DiscoverVersions | Asked::Handshake | Asked::HandshakeResumed => {
                let version = options.version;
                let discover = |form: Form, _: usize| form.item(Operation::DiscoverVersions, |_| ());
                let or: Judge = Rc::new(move |_: usize, payload: &Value| is_discovered(payload, version));
                self.same(target, Operation::DiscoverVersions, 1, discover, or).await?
            }
            Asked::Get => {
                let (asked, or) = (Rc::clone(&keys), is_key(&keys, options.bits()));
                let item = move |form: Form, place: usize| form.get(id(&asked, place));
                self.same(target, Operation::Get, keys.len(), item, or).await?
            }
            Asked::GetAttributes => {
                let (asked, or) = (Rc::clone(&keys), is_named(&keys));
                let item = move |form: Form, place: usize| form.get_attributes(id(&asked, place));
                self.same(target, Operation::GetAttributes, keys.len(), item, or).await?
            }
            Asked::Locate if is_strange(options) => {
                let prefix = options.prefix.as_deref().ok_or_else(|| Error::new("so many keys need --prefix"))?;
                let name = keys::name(prefix, NUMBER);
                let item = self.form().locate(&name);
                let number = Number::Below(options.keys);
                let asking = Asking::Numbered { ends: ends(&item, &name), item, number };
                self.items(Operation::Locate, asking, Judging::Located)
            }
            Asked::Locate => {
                // That the names are theirs is asked apart from Locate.
                let (asked, or) = (Rc::clone(&keys), is_named(&keys));
                let item = move |form: Form, place: usize| form.get_attributes(id(&asked, place));
                self.same(target, Operation::GetAttributes, keys.len(), item, or).await?;
                let (asked, known) = (Rc::clone(&keys), Rc::clone(&keys));
                let or: Judge = Rc::new(move |place: usize, payload: &Value| {
                    let right = keys::located(payload) == [id(&known, place)];
                    if right { Ok(()) } else { Err("Locate: not the object that has the name".to_owned()) }
                });
                let item = move |form: Form, place: usize| form.locate(name(&asked, place));
                self.same(target, Operation::Locate, keys.len(), item, or).await?
            }
            Asked::Mac => {
                let (asked, or) = (Rc::clone(&keys), self.is_mac(target, &keys, &data).await?);
                let data = data.clone();
                let item = move |form: Form, place: usize| {
                    form.cryptography(Operation::MAC, id(&asked, place), &sha256(), &data, |_| ())
                };
                self.same(target, Operation::MAC, keys.len(), item, or).await?
            }
            Asked::Decrypt => {
                let sealed = Rc::new(self.encrypted(target, &keys, &data).await?);
                let (asked, known, data) = (Rc::clone(&keys), Rc::clone(&keys), data.clone());
                let item = move |form: Form, place: usize| {
                    let (nonce, data, tag) = sealed.get(place).cloned().unwrap_or_default();
                    decrypt(form, id(&asked, place), (&nonce, &data, &tag))
                };
                let or: Judge = Rc::new(move |place: usize, payload: &Value| {
                    let right = bytes_at(payload, &[Tag::Data]) == Some(&data)
                        && text_at(payload, &[Tag::UniqueIdentifier]) == Some(id(&known, place));
                    if right { Ok(()) } else { Err("Decrypt: not what was encrypted".to_owned()) }
                });
                self.same(target, Operation::Decrypt, keys.len(), item, or).await?
            }
            Asked::Encrypt => self.items(
                Operation::Encrypt,
                Asking::Drawn(cryptography(Operation::Encrypt, &gcm())),
                Judging::Encrypted { ids: ids(), length: options.size },
            ),
            Asked::Sign => self.items(
                Operation::Sign,
                Asking::Drawn(cryptography(Operation::Sign, &signing(options.algorithm()))),
                Judging::Signed { ids: ids() },
            ),
            Asked::Create => self.numbered(Operation::Create, |making, form, name| making.item(form, name)),
            Asked::CreateKeyPair => {
                self.numbered(Operation::CreateKeyPair, |making, form, name| making.item(form, name))
            }
            Asked::Register => {
                let key = digest::digest(&digest::SHA256, random_prefix().as_bytes());
                self.numbered(Operation::Register, |making, form, name| making.register(form, name, key.as_ref()))
            }
            Asked::Lifecycle => Rc::new(Lifecycle::new(options, &random_prefix())?),
            Asked::Populate => return Err(Error::new("populate is nothing to load with")),
        };
        Ok(Work { talk, keys, data })
    }

    /// The keys that are asked for: made now, or found by their names.
    async fn keys(&self, target: &Target) -> Outcome<Vec<Key>> {
        let options = self.options;
        let asked = options.keys_asked.unwrap_or(options.keys).min(options.keys).max(1);
        let numbers: Vec<usize> = (0..asked).map(|number| number * options.keys / asked).collect();
        match &options.prefix {
            Some(prefix) => keys::find(target, options, prefix, &numbers).await,
            None => {
                let all: Vec<usize> = (0..options.keys).collect();
                let made = keys::make(target, options, &random_prefix(), &all).await?;
                Ok(numbers.iter().filter_map(|number| made.get(*number)).cloned().collect())
            }
        }
    }

    /// Items whose answers stay the same: each is asked once, and understood, before the clock runs.
    async fn same(
        &self,
        target: &Target,
        operation: Operation,
        count: usize,
        item: impl Fn(Form, usize) -> Vec<u8> + 'static,
        or: Judge,
    ) -> Outcome<Rc<dyn Talk>> {
        let drawn: Vec<Vec<u8>> = (0..count).map(|place| item(self.form(), place)).collect();
        let version = self.options.version;
        let first = Rc::clone(&or);
        let understood = move |place, payload: Value| {
            first(place, &payload)?;
            let mut writer = Writer::new(version);
            writer.value(Tag::ResponsePayload, &payload);
            Ok(writer.finish())
        };
        let expected = keys::each(target, self.options, count, operation, item, understood).await?;
        Ok(self.items(operation, Asking::Drawn(drawn), Judging::Same { expected, or }))
    }

    fn items(&self, operation: Operation, asking: Asking, judging: Judging) -> Rc<dyn Talk> {
        let count = self.options.batch.max(1);
        Rc::new(Items {
            head: Head::new(self.options.version, count),
            count,
            operation,
            asking,
            judging,
            kept: Kept::default(),
        })
    }

    /// Items that make something, each with another name.
    fn numbered(&self, operation: Operation, item: impl Fn(&Making, Form, &str) -> Vec<u8>) -> Rc<dyn Talk> {
        let name = keys::name(&random_prefix(), NUMBER);
        let item = item(&Making::new(self.options), self.form(), &name);
        let ends = ends(&item, &name);
        let made = match operation {
            Operation::CreateKeyPair => Tag::PrivateKeyUniqueIdentifier,
            _ => Tag::UniqueIdentifier,
        };
        self.items(operation, Asking::Numbered { item, ends, number: Number::Next(Cell::new(1)) }, Judging::Made(made))
    }

    /// One ciphertext of each key: nonce, data and tag.
    async fn encrypted(&self, target: &Target, keys: &Rc<Vec<Key>>, data: &[u8]) -> Outcome<Vec<Sealed>> {
        let (asked, data) = (Rc::clone(keys), data.to_vec());
        let item = move |form: Form, place: usize| {
            form.cryptography(Operation::Encrypt, id(&asked, place), &gcm(), &data, |_| ())
        };
        let read = |_, payload: Value| {
            let bytes = |tag| bytes_at(&payload, &[tag]).unwrap_or_default().to_vec();
            Ok((bytes(Tag::IVCounterNonce), bytes(Tag::Data), bytes(Tag::AuthenticatedEncryptionTag)))
        };
        keys::each(target, self.options, keys.len(), Operation::Encrypt, item, read).await
    }

    /// Judges MACs: with the key itself where it may leave the server, else by their length.
    async fn is_mac(&self, target: &Target, keys: &Rc<Vec<Key>>, data: &[u8]) -> Outcome<Judge> {
        let mut connection: Connection = target.connect().await?;
        let mut known = Vec::new();
        for key in keys.iter() {
            let object = connection.one(self.single(), Operation::Get, |form| form.get(&key.id)).await;
            let bytes = object.ok().and_then(|object| bytes_at(&object, &MATERIAL).map(<[u8]>::to_vec));
            known.push(bytes.map(|bytes| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), data)));
        }
        Ok(Rc::new(move |place, payload| {
            let mac = bytes_at(payload, &[Tag::MACData]).unwrap_or_default();
            let right = match known.get(place) {
                Some(Some(expected)) => expected.as_ref() == mac,
                _ => mac.len() == 32,
            };
            if right { Ok(()) } else { Err("MAC: not the MAC of the data".to_owned()) }
        }))
    }
}

type Sealed = (Vec<u8>, Vec<u8>, Vec<u8>);

const MATERIAL: [Tag; 4] = [Tag::SymmetricKey, Tag::KeyBlock, Tag::KeyValue, Tag::KeyMaterial];

/// Connections that say nothing after one request.
async fn idle(target: &Target, options: &Options) -> Outcome<Vec<Connection>> {
    let mut held = Vec::with_capacity(options.idle);
    let form = Form { version: options.version, several: false };
    for _ in 0..options.idle {
        let mut connection = target.connect().await?;
        connection
            .one(form, Operation::DiscoverVersions, |form| form.item(Operation::DiscoverVersions, |_| ()))
            .await?;
        held.push(connection);
    }
    Ok(held)
}

const fn needs_keys(operation: Asked) -> bool {
    matches!(
        operation,
        Asked::Get | Asked::GetAttributes | Asked::Locate | Asked::Encrypt | Asked::Decrypt | Asked::Sign | Asked::Mac
    )
}

/// Whether there are too many keys to know each before.
fn is_strange(options: &Options) -> bool {
    options.operation == Asked::Locate && options.keys_asked.unwrap_or(options.keys) > MOST_KNOWN
}

fn is_discovered(payload: &Value, version: Version) -> Result<(), String> {
    let offered = payload.elements().iter().any(|element| {
        let number = |tag| match element.value.find(tag) {
            Some(Value::Integer(number)) => *number,
            _ => -1,
        };
        let said = (number(Tag::ProtocolVersionMajor), number(Tag::ProtocolVersionMinor));
        said == (i32::from(version.major), i32::from(version.minor))
    });
    if offered { Ok(()) } else { Err("Discover Versions: the version that is spoken is missing".to_owned()) }
}

/// Judges Get: the key that was seen first, with its length.
fn is_key(keys: &Rc<Vec<Key>>, bits: i32) -> Judge {
    let keys = Rc::clone(keys);
    let seen: RefCell<Vec<Option<Vec<u8>>>> = RefCell::new(vec![None; keys.len()]);
    let owners: RefCell<HashMap<Vec<u8>, usize>> = RefCell::default();
    Rc::new(move |place, payload| {
        let bytes = bytes_at(payload, &MATERIAL).unwrap_or_default();
        if text_at(payload, &[Tag::UniqueIdentifier]) != Some(id(&keys, place)) {
            return Err("Get: another object than the one that was asked for".to_owned());
        }
        if i32::try_from(bytes.len() * 8) != Ok(bits) {
            return Err(format!("Get: a key of {} bits", bytes.len() * 8));
        }
        if *owners.borrow_mut().entry(bytes.to_vec()).or_insert(place) != place {
            return Err("Get: two keys are the same".to_owned());
        }
        match seen.borrow_mut().get_mut(place) {
            Some(Some(first)) if first != bytes => Err("Get: another key than the first time".to_owned()),
            Some(first) => {
                *first = Some(bytes.to_vec());
                Ok(())
            }
            None => Err("Get: there is no such key".to_owned()),
        }
    })
}

/// Judges Get Attributes: the identifier and the name.
fn is_named(keys: &Rc<Vec<Key>>) -> Judge {
    let keys = Rc::clone(keys);
    Rc::new(move |place, payload| {
        let right = text_at(payload, &[Tag::UniqueIdentifier]) == Some(id(&keys, place))
            && has_text(payload, Tag::NameValue, name(&keys, place));
        if right { Ok(()) } else { Err("Get Attributes: not those of the object with this name".to_owned()) }
    })
}

fn id(keys: &[Key], place: usize) -> &str {
    keys.get(place).map(|key| key.id.as_str()).unwrap_or_default()
}

fn name(keys: &[Key], place: usize) -> &str {
    keys.get(place).map(|key| key.name.as_str()).unwrap_or_default()
}

fn signing(algorithm: Algorithm) -> CryptographicParameters {
    match algorithm {
        Algorithm::Rsa => CryptographicParameters {
            padding_method: Some(PaddingMethod::PKCS1V15),
            digital_signature_algorithm: Some(DigitalSignatureAlgorithm::SHA256WithRSAEncryption),
            ..sha256()
        },
        _ => CryptographicParameters {
            digital_signature_algorithm: Some(DigitalSignatureAlgorithm::ECDSAWithSHA256),
            ..sha256()
        },
    }
}

/// Bytes of a request.
fn request_bytes(talk: &dyn Talk) -> u64 {
    let mut line = Line::new();
    let mut message = Vec::new();
    talk.ask(&mut line, &mut message);
    message.len() as u64
}

fn random_prefix() -> String {
    format!("bench{:016x}", Random::new().next())
}

fn name_of(operation: Asked) -> String {
    operation.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
