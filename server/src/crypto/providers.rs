//! The providers of this server, and which one holds a key.

use std::sync::{Arc, Mutex, PoisonError};

use kmip_codec::types::RngParameters;

use super::algorithm::KeyKind;
use super::software::SoftwareProvider;
use super::{Key, Provider, Residency};

/// Software for what the server may hold, and a module for what it may not.
pub struct Providers {
    software: SoftwareProvider,
    module: Option<Arc<dyn Provider>>,
    /// Token keys that the module could not destroy when they had to go.
    remaining: Mutex<Vec<[u8; 16]>>,
}

impl Providers {
    /// With a module, or without.
    pub fn new(module: Option<Arc<dyn Provider>>) -> Self {
        Self { software: SoftwareProvider, module, remaining: Mutex::default() }
    }

    /// The module.
    pub fn module(&self) -> Option<&Arc<dyn Provider>> {
        self.module.as_ref()
    }

    /// Notes a token key that must go and that the module could not destroy: it is tried again.
    pub fn note_remaining(&self, identity: [u8; 16]) {
        self.remaining.lock().unwrap_or_else(PoisonError::into_inner).push(identity);
    }

    /// Takes the token keys that must go.
    pub fn take_remaining(&self) -> Vec<[u8; 16]> {
        std::mem::take(&mut *self.remaining.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the module keeps a key as. A symmetric key of a kind that it does not have is bytes there: it stays, and nobody
    /// works with it.
    pub fn within(&self, kind: KeyKind) -> KeyKind {
        let has = |residency| self.maker(kind, residency).is_some();
        let bytes = kind.as_bytes();
        if bytes == kind || has(Residency::Wrapped) || has(Residency::Token([0; 16])) { kind } else { bytes }
    }

    /// Who makes keys of a residency, if anybody does.
    pub fn maker(&self, kind: KeyKind, residency: Residency) -> Option<&dyn Provider> {
        let provider: &dyn Provider = match residency {
            Residency::Sealed => &self.software,
            Residency::Wrapped | Residency::Token(_) => self.module.as_deref()?,
        };
        provider.offers(kind, residency).then_some(provider)
    }

    /// Who can use a key: software for bytes, the module for what it guards. Without the module there is nobody.
    pub fn holder(&self, key: &Key<'_>) -> Option<&dyn Provider> {
        match key {
            Key::Clear(_) => Some(&self.software),
            Key::Guarded(_) => self.module.as_deref(),
        }
    }

    /// Who makes random numbers, and keys, first the one that clients get random numbers from.
    pub fn generators(&self) -> Vec<RngParameters> {
        let module = self.module.as_ref().map(|module| module.generator());
        module.into_iter().chain([self.software.generator()]).collect()
    }

    /// The generator that keys come from: the module's, if it makes them.
    pub fn generator(&self, in_module: bool) -> RngParameters {
        match &self.module {
            Some(module) if in_module => module.generator(),
            _ => self.software.generator(),
        }
    }

    /// Who makes random numbers for what is no key of a client: this process.
    pub fn own_random(&self) -> &dyn Provider {
        &self.software
    }

    /// Who makes random numbers for clients: the module where there is one.
    pub fn random(&self) -> &dyn Provider {
        match &self.module {
            Some(module) => &**module,
            None => &self.software,
        }
    }
}
