//! Work in parts: encryption and decryption block by block, MACs, signatures, and digests ([`Hasher`]).
//!
//! Modes that chain blocks go from one call of the provider to the next by what the chain carries on, so that a key in the
//! module works in parts too. GCM is carried on here for keys that the server may hold. What cannot be done in parts, or
//! must not be shown before its tag verifies, waits for the last part, up to a limit.

mod signing;

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::algorithm::{Cipher, Hash, Mac, Padding};
use super::check::ctr_largest;
use super::public::Hasher;
use super::software::{Cmac, OneTime, Sealing};
use super::{CryptoError, Holding, Key, Provider};
use crate::secret::Secret;
pub use signing::{Gathered, Signing};

/// What goes with work in parts for which a provider keeps the state: it is dropped with it.
pub type Place = Box<dyn Any + Send + Sync>;

/// Work for which a provider keeps the state. A copy of it is the same work.
#[derive(Clone)]
pub struct Held(Arc<Kept>);

struct Kept {
    work: Mutex<Box<dyn Holding>>,
    _place: Place,
}

impl Held {
    fn new(work: Box<dyn Holding>, place: Place) -> Self {
        Self(Arc::new(Kept { work: Mutex::new(work), _place: place }))
    }

    fn with<T>(&self, run: impl FnOnce(&mut dyn Holding) -> T) -> T {
        run(&mut **self.0.work.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An encryption or decryption under way.
#[derive(Clone)]
pub struct Ciphering {
    /// The cipher without what is borrowed.
    shape: Cipher<'static>,
    encrypts: bool,
    /// The IV, counter or nonce for what comes next.
    iv: Vec<u8>,
    aad: Vec<u8>,
    tag: Vec<u8>,
    /// What has come and is not worked on yet.
    waiting: Zeroizing<Vec<u8>>,
    /// The most that waits for the last part, in bytes.
    most: usize,
    sealing: Option<Sealing>,
    /// An encryption that authenticates with a key in the module, which keeps its state.
    held: Option<Held>,
    /// Whether the counter has come to its end: there is no further block of key stream.
    is_spent: bool,
}

/// What came of a part.
pub struct Stepped {
    /// Ciphertext or plaintext; may be empty.
    pub data: Secret,
    /// The tag, with the last part of an encryption that authenticates.
    pub tag: Vec<u8>,
}

impl Ciphering {
    /// Begins one, of which at most so many bytes wait for its last part.
    pub fn begin(cipher: &Cipher<'_>, encrypts: bool, most: usize) -> Self {
        Self {
            shape: cipher.bare(),
            encrypts,
            iv: cipher.iv().to_vec(),
            aad: cipher.aad().to_vec(),
            tag: cipher.tag().to_vec(),
            waiting: Zeroizing::new(Vec::new()),
            most,
            sealing: None,
            held: None,
            is_spent: false,
        }
    }

    /// Has the provider keep the state of an encryption that authenticates, if it must and can; else the data waits here.
    /// Before the first part.
    ///
    /// # Errors
    /// What the provider says.
    pub fn hold(&mut self, provider: &dyn Provider, key: Key<'_>, place: Place) -> Result<(), CryptoError> {
        if self.encrypts && self.shape.is_authenticated() && matches!(key, Key::Guarded(_)) {
            let cipher = self.shape.with(&self.iv, &self.aad, &[]);
            self.held = provider.begin_encryption(key, &cipher)?.map(|work| Held::new(work, place));
        }
        Ok(())
    }

    /// Brings the tag, where it did not come with the first part.
    ///
    /// # Errors
    /// Bad parameters for a tag where there is none, or another one than before.
    pub fn set_tag(&mut self, tag: &[u8]) -> Result<(), CryptoError> {
        if !self.shape.is_authenticated() || !self.tag.is_empty() && self.tag != tag {
            return Err(CryptoError::BadParameters("a tag where there is none, or another one than before".into()));
        }
        self.tag = tag.to_vec();
        Ok(())
    }

    /// Whether a decryption cannot end because nothing said its tag.
    pub fn lacks_tag(&self) -> bool {
        self.shape.is_authenticated() && !self.encrypts && self.tag.is_empty()
    }

    /// How many bytes wait for the last part.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How much memory it keeps besides itself, in bytes: what waits, and what is authenticated with it.
    pub fn weight(&self) -> usize {
        self.waiting.capacity().saturating_add(self.aad.capacity()).saturating_add(self.iv.capacity())
    }

    /// The next part.
    ///
    /// # Errors
    /// What the provider says; TooMuch for more than can wait.
    pub fn step(
        &mut self,
        provider: &dyn Provider,
        key: Key<'_>,
        data: &[u8],
        last: bool,
    ) -> Result<Stepped, CryptoError> {
        if self.shape.is_whole() {
            return self.gather(provider, key, data, last);
        }
        let mut input = std::mem::take(&mut self.waiting);
        append(&mut input, data);
        if self.is_spent && !input.is_empty() {
            return Err(CryptoError::BadParameters("the counter would wrap".into()));
        }
        if last {
            let cipher = self.shape.with(&self.iv, &[], &[]);
            if input.is_empty() && cipher.padding() == Padding::None {
                return Ok(Stepped { data: input_of(&[]), tag: Vec::new() });
            }
            return Ok(Stepped { data: self.run(provider, key, &cipher, &input)?, tag: Vec::new() });
        }
        let unit = self.shape.unit();
        // The last block of padded plaintext is known only when nothing comes after it.
        let held = !self.encrypts && self.shape.padding() != Padding::None;
        let ready = input.len().saturating_sub(usize::from(held)) / unit * unit;
        let (now, later) = input.split_at_checked(ready).unwrap_or((&input, &[]));
        let cipher = self.shape.with(&self.iv, &[], &[]).unpadded();
        let out = if now.is_empty() { input_of(&[]) } else { self.run(provider, key, &cipher, now)? };
        self.carry(now, out.expose());
        self.waiting = Zeroizing::new(later.to_vec());
        Ok(Stepped { data: out, tag: Vec::new() })
    }

    fn run(
        &self,
        provider: &dyn Provider,
        key: Key<'_>,
        cipher: &Cipher<'_>,
        data: &[u8],
    ) -> Result<Secret, CryptoError> {
        if self.encrypts {
            Ok(Secret::new(provider.encrypt(key, cipher, data)?.data))
        } else {
            provider.decrypt(key, cipher, data)
        }
    }

    /// What the chain needs of these whole blocks.
    fn carry(&mut self, input: &[u8], out: &[u8]) {
        let blocks = (input.len() / self.shape.unit()) as u64;
        if blocks == 0 {
            return;
        }
        let ciphertext = if self.encrypts { out } else { input };
        match &mut self.shape {
            Cipher::AesCbc { .. } | Cipher::TdesCbc { .. } | Cipher::AesCfb { .. } => {
                let from = ciphertext.len().saturating_sub(self.iv.len());
                self.iv = ciphertext.get(from..).unwrap_or_default().to_vec();
            }
            Cipher::AesOfb { .. } => {
                // The key stream goes on from its last block.
                let from = input.len().saturating_sub(self.iv.len());
                let pairs = input.iter().zip(out).skip(from);
                self.iv = pairs.map(|(input, out)| input ^ out).collect();
            }
            Cipher::AesCtr { bits, .. } => {
                if let Ok(counter) = <[u8; 16]>::try_from(self.iv.as_slice()) {
                    let (before, largest) = (u128::from_be_bytes(counter), ctr_largest(*bits));
                    self.iv = before.wrapping_add(blocks.into()).to_be_bytes().to_vec();
                    self.is_spent = (before & largest).checked_add(blocks.into()).is_none_or(|next| next > largest);
                }
            }
            Cipher::ChaCha20 { counter, .. } => match counter.checked_add(blocks) {
                Some(next) => *counter = next,
                None => self.is_spent = true,
            },
            _ => {}
        }
    }

    /// Work on all of the data at its end, but for GCM that encrypts.
    fn gather(
        &mut self,
        provider: &dyn Provider,
        key: Key<'_>,
        data: &[u8],
        last: bool,
    ) -> Result<Stepped, CryptoError> {
        if let (Cipher::AesGcm { tag_len, .. }, true, Key::Clear(key)) = (self.shape, self.encrypts, key) {
            let (kind, bytes) = (key.kind(), key.bytes());
            let cipher = self.shape.with(&self.iv, &self.aad, &[]);
            provider.admit_cipher(kind, &cipher)?;
            cipher.check_encrypt(kind, data.len())?;
            let mut sealing = match self.sealing.take() {
                Some(sealing) => sealing,
                None => Sealing::begin(bytes.expose(), &self.iv, &self.aad)?,
            };
            let out = Secret::new(sealing.step(bytes.expose(), data)?);
            if last {
                return Ok(Stepped { data: out, tag: sealing.finish(bytes.expose(), tag_len)? });
            }
            self.sealing = Some(sealing);
            return Ok(Stepped { data: out, tag: Vec::new() });
        }
        if let Some(held) = &self.held {
            let cipher = self.shape.with(&self.iv, &self.aad, &[]);
            provider.admit_cipher(key.kind(), &cipher)?;
            let mut out = held.with(|work| work.update(data))?;
            if !last {
                return Ok(Stepped { data: Secret::new(out), tag: Vec::new() });
            }
            out.extend(held.with(|work| work.finish())?);
            let cut = out.len().checked_sub(self.shape.tag_len());
            let cut = cut.ok_or_else(|| CryptoError::Unavailable("an answer without its tag".into()))?;
            let tag = out.split_off(cut);
            return Ok(Stepped { data: Secret::new(out), tag });
        }
        hold(&mut self.waiting, data, self.most)?;
        if !last {
            return Ok(Stepped { data: input_of(&[]), tag: Vec::new() });
        }
        let input = std::mem::take(&mut self.waiting);
        let cipher = self.shape.with(&self.iv, &self.aad, &self.tag);
        if !self.encrypts {
            return Ok(Stepped { data: provider.decrypt(key, &cipher, &input)?, tag: Vec::new() });
        }
        let sealed = provider.encrypt(key, &cipher, &input)?;
        Ok(Stepped { data: Secret::new(sealed.data), tag: sealed.tag })
    }
}

/// A MAC under way.
#[derive(Clone)]
pub enum Macing {
    /// HMAC with a key that the server may hold.
    Running(Box<Hmac>),
    /// CMAC with such a key.
    Cmac(Box<Cmac>),
    /// Poly1305 with such a key.
    OneTime(Box<OneTime>),
    /// With a key in the module, which keeps the state.
    Held(Held),
    /// All the data, for a key in the module, and the most that it may be, in bytes.
    Waiting(Zeroizing<Vec<u8>>, usize),
}

impl Macing {
    /// Begins one, of which at most so many bytes wait for its last part.
    ///
    /// # Errors
    /// What [`Mac::check`] and [`Provider::admit_mac`] say.
    pub fn begin(provider: &dyn Provider, mac: Mac, key: Key<'_>, most: usize) -> Result<Self, CryptoError> {
        mac.check(key.kind())?;
        provider.admit_mac(key.kind(), mac)?;
        let key = match key {
            Key::Clear(key) => key.bytes().expose(),
            Key::Guarded(_) => return Ok(Self::Waiting(Zeroizing::new(Vec::new()), most)),
        };
        Ok(match mac {
            Mac::Hmac(hash) => Self::Running(Box::new(Hmac::begin(hash, key))),
            Mac::Cmac => Self::Cmac(Box::new(Cmac::begin(key)?)),
            Mac::Poly1305 => Self::OneTime(Box::new(OneTime::begin(key)?)),
        })
    }

    /// Has the provider keep the state, if it must and can; else the data waits here. Before the first part.
    ///
    /// # Errors
    /// What the provider says.
    pub fn hold(&mut self, provider: &dyn Provider, mac: Mac, key: Key<'_>, place: Place) -> Result<(), CryptoError> {
        if matches!(self, Self::Waiting(..))
            && let Some(work) = provider.begin_mac(key, mac)?
        {
            *self = Self::Held(Held::new(work, place));
        }
        Ok(())
    }

    /// The next data.
    ///
    /// # Errors
    /// TooMuch for more than can wait; what the provider says.
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        match self {
            Self::Held(held) => held.with(|work| work.update(data)).map(drop),
            Self::Running(hmac) => {
                hmac.update(data);
                Ok(())
            }
            Self::Cmac(cmac) => cmac.update(data),
            Self::OneTime(code) => {
                code.update(data);
                Ok(())
            }
            Self::Waiting(waiting, most) => hold(waiting, data, *most),
        }
    }

    /// How much memory it keeps besides itself, in bytes.
    pub fn weight(&self) -> usize {
        if let Self::Waiting(waiting, _) = self { waiting.capacity() } else { 0 }
    }

    /// The MAC, of full length.
    ///
    /// # Errors
    /// What the provider says.
    pub fn finish(self, mac: Mac, provider: &dyn Provider, key: Key<'_>) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Running(hmac) => Ok(hmac.finish()),
            Self::Cmac(cmac) => cmac.finish(),
            Self::OneTime(code) => Ok(code.finish()),
            Self::Held(held) => held.with(|work| work.finish()),
            Self::Waiting(data, _) => provider.mac(key, mac, &data),
        }
    }
}

/// HMAC (RFC 2104) that can wait.
#[derive(Clone)]
pub struct Hmac {
    hash: Hash,
    inner: Hasher,
    outer: Zeroizing<Vec<u8>>,
}

impl Hmac {
    /// Begins one.
    pub(super) fn begin(hash: Hash, key: &[u8]) -> Self {
        let mut block =
            Zeroizing::new(if key.len() > hash.block_len() { super::public::hash(hash, key) } else { key.to_vec() });
        let short = Zeroizing::new(std::mem::take(&mut *block));
        let mut block = Zeroizing::new(Vec::with_capacity(hash.block_len()));
        block.extend_from_slice(&short);
        block.resize(hash.block_len(), 0);
        let masked = |with: u8| Zeroizing::new(block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>());
        let mut inner = Hasher::new(hash);
        inner.update(&masked(0x36));
        Self { hash, inner, outer: masked(0x5c) }
    }

    /// The next data.
    pub(super) fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    /// The code, of full length.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut outer = Hasher::new(self.hash);
        outer.update(&self.outer);
        outer.update(&Zeroizing::new(self.inner.finish()));
        outer.finish()
    }
}

fn input_of(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes)
}

/// Appends without leaving an unwiped copy behind.
pub fn append(buffer: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let mut longer = Zeroizing::new(Vec::with_capacity(buffer.len().saturating_add(data.len())));
    longer.extend_from_slice(buffer);
    longer.extend_from_slice(data);
    *buffer = longer;
}

fn hold(waiting: &mut Zeroizing<Vec<u8>>, data: &[u8], most: usize) -> Result<(), CryptoError> {
    if waiting.len().saturating_add(data.len()) > most {
        return Err(CryptoError::TooMuch("too much data for an operation whose result waits for its last part"));
    }
    if waiting.len().saturating_add(data.len()) <= waiting.capacity() {
        waiting.extend_from_slice(data);
        return Ok(());
    }
    // Twice as much as is there, so that many small parts do not cost the square of their number.
    let room = waiting.len().saturating_mul(2).max(waiting.len().saturating_add(data.len()));
    let mut longer = Zeroizing::new(Vec::with_capacity(room));
    longer.extend_from_slice(waiting);
    longer.extend_from_slice(data);
    *waiting = longer;
    Ok(())
}

#[cfg(test)]
mod tests;
