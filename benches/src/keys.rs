//! Keys to ask for: made before the clock runs, or found by the names that an earlier run gave them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicUsageMask as Usage, Operation, RecommendedCurve, Tag};
use kmip_codec::types::Attribute;
use tokio::task::JoinSet;

use crate::answer::text_at;
use crate::connection::Target;
use crate::options::{Algorithm, Options};
use crate::request::{Form, curve_attribute, kind_attributes, name_attribute, usage_attribute};
use crate::{Error, Outcome};

/// A key on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its Unique Identifier; of a pair the private key's.
    pub id: String,
    /// Of a pair the public key's Unique Identifier.
    pub public: Option<String>,
    /// Its Name.
    pub name: String,
}

/// How keys are made.
#[derive(Debug, Clone)]
pub struct Making {
    algorithm: Algorithm,
    bits: i32,
    extractable: bool,
    activation: i64,
}

impl Making {
    /// As the options say.
    pub fn new(options: &Options) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            algorithm: options.algorithm(),
            bits: options.bits(),
            extractable: !options.not_extractable,
            activation: i64::try_from(now.as_secs()).unwrap_or_default(),
        }
    }

    /// What makes one.
    pub const fn operation(&self) -> Operation {
        if self.algorithm.is_pair() { Operation::CreateKeyPair } else { Operation::Create }
    }

    /// The item that makes one with this name: active, and allowed what the operations need.
    pub fn item(&self, form: Form, name: &str) -> Vec<u8> {
        let kind = kind_attributes(self.algorithm.code(), self.bits);
        if !self.algorithm.is_pair() {
            return form.create(self.attributes(kind, name));
        }
        let mut common = kind;
        if self.algorithm == Algorithm::Ec {
            common.push(curve_attribute(RecommendedCurve::P256));
        }
        let public = vec![usage_attribute(Usage::VERIFY), name_attribute(&of_public(name)), self.activation()];
        form.create_key_pair(common, self.with_rest(vec![usage_attribute(Usage::SIGN)], name), public)
    }

    /// The item that registers this AES key.
    pub fn register(&self, form: Form, name: &str, key: &[u8]) -> Vec<u8> {
        let attributes = self.attributes(kind_attributes(Algorithm::Aes.code(), self.bits), name);
        form.register(attributes, Algorithm::Aes.code(), key)
    }

    /// The item that creates one that is not active.
    pub fn dormant(&self, form: Form, name: &str) -> Vec<u8> {
        let mut attributes = self.attributes(kind_attributes(self.algorithm.code(), self.bits), name);
        attributes.retain(|attribute| attribute.tag != Tag::ActivationDate);
        form.create(attributes)
    }

    fn attributes(&self, mut list: Vec<Attribute>, name: &str) -> Vec<Attribute> {
        list.push(usage_attribute(match self.algorithm {
            Algorithm::Hmac => Usage::MAC_GENERATE | Usage::MAC_VERIFY,
            _ => Usage::ENCRYPT | Usage::DECRYPT,
        }));
        self.with_rest(list, name)
    }

    fn with_rest(&self, mut list: Vec<Attribute>, name: &str) -> Vec<Attribute> {
        list.push(name_attribute(name));
        list.push(self.activation());
        if !self.extractable {
            list.push(Attribute::new(Tag::Extractable, Value::Boolean(false)));
        }
        list
    }

    fn activation(&self) -> Attribute {
        Attribute::new(Tag::ActivationDate, Value::DateTime(self.activation))
    }

    fn made(&self, payload: &Value, name: String) -> Option<Key> {
        let text = |tag| text_at(payload, &[tag]).map(ToOwned::to_owned);
        if self.algorithm.is_pair() {
            let (private, public) = (Tag::PrivateKeyUniqueIdentifier, Tag::PublicKeyUniqueIdentifier);
            Some(Key { id: text(private)?, public: Some(text(public)?), name })
        } else {
            Some(Key { id: text(Tag::UniqueIdentifier)?, public: None, name })
        }
    }
}

/// The name of the key with this number.
pub fn name(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number:08}")
}

fn of_public(name: &str) -> String {
    format!("{name}-public")
}

/// Makes the keys with these numbers, and answers them in their order.
///
/// # Errors
/// What the server or the network says.
pub async fn make(target: &Target, options: &Options, prefix: &str, numbers: &[usize]) -> Outcome<Vec<Key>> {
    let making = Rc::new(Making::new(options));
    let names = names(prefix, numbers);
    let made = (Rc::clone(&making), Rc::clone(&names));
    let operation = making.operation();
    let item = move |form, place| making.item(form, at(&names, place));
    let read = move |place, payload| {
        let (making, names) = &made;
        making.made(&payload, at(names, place).to_owned()).ok_or_else(|| "nothing was made".to_owned())
    };
    each(target, options, numbers.len(), operation, item, read).await
}

/// Finds keys by their names.
///
/// # Errors
/// A key is not there; what the server or the network says.
pub async fn find(target: &Target, options: &Options, prefix: &str, numbers: &[usize]) -> Outcome<Vec<Key>> {
    let names = names(prefix, numbers);
    let ids = locate(target, options, Rc::clone(&names)).await?;
    let publics: Vec<Option<String>> = if options.algorithm().is_pair() {
        let names = Rc::new(names.iter().map(|name| of_public(name)).collect());
        locate(target, options, names).await?.into_iter().map(Some).collect()
    } else {
        vec![None; ids.len()]
    };
    let found = ids.into_iter().zip(publics).zip(names.iter());
    Ok(found.map(|((id, public), name)| Key { id, public, name: name.clone() }).collect())
}

/// Finds the only object with each of these names.
async fn locate(target: &Target, options: &Options, names: Rc<Vec<String>>) -> Outcome<Vec<String>> {
    let (asked, count) = (Rc::clone(&names), names.len());
    let item = move |form: Form, place| form.locate(at(&asked, place));
    let read = move |place, payload: Value| match located(&payload).as_slice() {
        [id] => Ok((*id).to_owned()),
        found => {
            Err(format!("{} objects are named {:?}; make them once, with `populate`", found.len(), at(&names, place)))
        }
    };
    each(target, options, count, Operation::Locate, item, read).await
}

/// The identifiers of an answer to Locate.
pub fn located(payload: &Value) -> Vec<&str> {
    let ids = payload.elements().iter().filter(|element| element.tag == Tag::UniqueIdentifier);
    ids.filter_map(|element| element.value.text()).collect()
}

fn names(prefix: &str, numbers: &[usize]) -> Rc<Vec<String>> {
    Rc::new(numbers.iter().map(|number| name(prefix, *number)).collect())
}

fn at(names: &[String], place: usize) -> &str {
    names.get(place).map(String::as_str).unwrap_or_default()
}

/// Sends `count` items on several connections, several in a message, and reads what came of each, in their order.
///
/// # Errors
/// The first item that failed; what the network says.
pub async fn each<T: 'static>(
    target: &Target,
    options: &Options,
    count: usize,
    operation: Operation,
    item: impl Fn(Form, usize) -> Vec<u8> + 'static,
    read: impl Fn(usize, Value) -> Result<T, String> + 'static,
) -> Outcome<Vec<T>> {
    let form = Form { version: options.version, several: false };
    let step = options.fill_batch.max(1);
    let work = Rc::new((item, read));
    let next = Rc::new(Cell::new(0));
    let done: Rc<RefCell<Vec<(usize, T)>>> = Rc::default();
    let mut tasks = JoinSet::new();
    for _ in 0..options.connections.max(1).min(count.div_ceil(step)) {
        let (target, work, next, done) = (target.clone(), Rc::clone(&work), Rc::clone(&next), Rc::clone(&done));
        tasks.spawn_local(async move {
            let (item, read) = &*work;
            let mut connection = target.connect().await?;
            loop {
                let first = next.replace(next.get() + step);
                if first >= count {
                    break;
                }
                let here = step.min(count - first);
                let answers = connection.items(form, operation, here, |form, place| item(form, first + place)).await?;
                for (place, answer) in (first..).zip(answers) {
                    let result = answer.and_then(|payload| read(place, payload)).map_err(Error::new)?;
                    done.borrow_mut().push((place, result));
                }
            }
            connection.close().await;
            Ok::<(), Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Error::new(error.to_string()))??;
    }
    let mut done = std::mem::take(&mut *done.borrow_mut());
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
