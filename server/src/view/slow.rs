//! What an item waits for, as far as it can be told before it runs. It decides on which lane it runs, and nothing else.

use kmip_codec::spec::{CryptographicAlgorithm, ObjectType};
use kmip_codec::ttlv::Text;

use super::View;
use super::overlay::is_guarded;
use crate::object::postquantum::{Family, ParameterSet};

/// What slow work waits for. In this order: what waits for two things is said to wait for the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slow {
    /// A processor, for up to some milliseconds: RSA with private keys, SLH-DSA with public ones, passwords, certificates.
    Processor,
    /// A processor, or the module, for up to many seconds: making RSA keys, and signing with SLH-DSA.
    Generation,
    /// The module.
    Module,
}

impl View {
    /// What the use of an object's key waits for: the module where the key lives, or a processor where it is of a kind whose
    /// use takes long. An object that cannot be opened is nobody's work.
    pub fn slowness(&mut self, identifier: Option<&Text>) -> Option<Slow> {
        let identifier = identifier.or(self.placeholder.as_ref()).cloned()?;
        let object = self.overlay.load(&self.shared, &self.requester.owner, &identifier, self.now).ok()?;
        if is_guarded(object.residency) {
            return Some(Slow::Module);
        }
        let set = object.algorithm().and_then(ParameterSet::of);
        let is_slh = set.is_some_and(|set| set.family() == Family::SlhDsa);
        let is_rsa = object.algorithm() == Some(CryptographicAlgorithm::RSA);
        match object.object_type() {
            ObjectType::PrivateKey if is_slh => Some(Slow::Generation),
            ObjectType::PrivateKey if is_rsa => Some(Slow::Processor),
            ObjectType::PublicKey | ObjectType::Certificate if is_slh => Some(Slow::Processor),
            _ => None,
        }
    }

    /// The algorithm of an object's key.
    pub fn algorithm_of(&mut self, identifier: &Text) -> Option<CryptographicAlgorithm> {
        self.overlay.load(&self.shared, &self.requester.owner, identifier, self.now).ok()?.algorithm()
    }
}
