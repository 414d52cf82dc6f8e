//! What an item waits for, as far as it can be told before it runs. It decides on which lane it runs, and nothing else.

use kmip_codec::spec::{CryptographicAlgorithm, ObjectType};
use kmip_codec::ttlv::Text;

use super::View;
use super::overlay::is_guarded;

/// What slow work waits for. In this order: what waits for two things is said to wait for the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slow {
    /// A processor, for up to some milliseconds: RSA with private keys, passwords, certificates.
    Processor,
    /// A processor, or the module, for up to many seconds: making RSA keys.
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
        let is_rsa = object.algorithm() == Some(CryptographicAlgorithm::RSA);
        if is_guarded(object.residency) {
            Some(Slow::Module)
        } else {
            (is_rsa && object.object_type() == ObjectType::PrivateKey).then_some(Slow::Processor)
        }
    }

    /// The algorithm of an object's key.
    pub fn algorithm_of(&mut self, identifier: &Text) -> Option<CryptographicAlgorithm> {
        self.overlay.load(&self.shared, &self.requester.owner, identifier, self.now).ok()?.algorithm()
    }
}
