//! A client's use of the server as a PKCS #11 token: what a call makes of it counts once the commit stands (design: effect
//! class "once").
//!
//! A second run of a message begins with what the first began with, so that what a call changes in objects, and what it is
//! checked against, is that of the run that is committed.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use kmip_codec::spec::{Operation, ResultReason};
use kmip_codec::ttlv::Blob;

use super::View;
use crate::failure::{Failure, Outcome};
use crate::session::instances::{Instances, Lease, Refused, Snapshot};
use crate::session::parts::Correlation;
use crate::trust::attestation;
use crate::trust::policy::{Permitted, Use};

/// The instances that a message has, over all its runs.
pub(super) type Leases = HashMap<Correlation, Lease>;

/// What one run of a message made of them so far; nothing of one that is finished.
#[derive(Default)]
pub(super) struct Instanced {
    now: HashMap<Correlation, Option<Snapshot>>,
    /// The same when the item began.
    before: HashMap<Correlation, Option<Snapshot>>,
}

impl Instanced {
    pub(super) fn begin(&mut self) {
        self.before.clone_from(&self.now);
    }

    pub(super) fn roll_back(&mut self) {
        self.now.clone_from(&self.before);
    }
}

impl View {
    /// The requester's instance of this name as it stands in this message; `None` while another message has it.
    ///
    /// # Errors
    /// Invalid Asynchronous Correlation Value, which is the reason that the error table of PKCS#11 has for it, for one that
    /// is not there, is finished, or is somebody else's.
    pub fn instance<S: Any + Send + Sync>(&mut self, correlation: &Blob) -> Outcome<Option<(Correlation, Arc<S>)>> {
        let invalid = || {
            Failure::new(
                ResultReason::InvalidAsynchronousCorrelationValue,
                "nothing is initialised under that Correlation Value, or it was not called for too long",
            )
        };
        let name = Correlation::try_from(&**correlation).map_err(|_| invalid())?;
        let snapshot = match self.instanced.now.get(&name) {
            Some(snapshot) => snapshot.clone(),
            None => {
                if !self.kept.leases.contains_key(&name) {
                    match Instances::take(&self.shared.instances, name, &self.requester.owner, self.now) {
                        Ok(lease) => self.kept.leases.insert(name, lease),
                        Err(Refused::Busy) => return Ok(None),
                        Err(Refused::Absent) => return Err(invalid()),
                    };
                }
                self.kept.leases.get(&name).and_then(|lease| lease.before().cloned())
            }
        };
        let state = snapshot.and_then(|snapshot| snapshot.downcast::<S>().ok()).ok_or_else(invalid)?;
        Ok(Some((name, state)))
    }

    /// Room for a new instance; `None` if the requester has too many. It is there once something was made of it.
    ///
    /// # Errors
    /// A random source that is not available.
    pub fn new_instance(&mut self) -> Outcome<Option<Correlation>> {
        let name = self.random(16)?;
        let name = Correlation::try_from(name.expose()).map_err(|_| Failure::internal("random bytes are missing"))?;
        let Some(lease) = Instances::reserve(&self.shared.instances, name, &self.requester.owner, self.now) else {
            return Ok(None);
        };
        self.kept.leases.insert(name, lease);
        Ok(Some(name))
    }

    /// What the item makes of an instance: nothing if it finishes it.
    pub fn set_instance<S: Any + Send + Sync>(&mut self, name: Correlation, state: Option<S>) {
        self.instanced.now.insert(name, state.map(|state| Arc::new(state) as Snapshot));
    }

    /// Says that the operation at hand does what another one does: the requester needs the right to that one, too, for
    /// every object that it opens from here on, and the attestation that is required for it.
    ///
    /// # Errors
    /// Not Authorised; what [`attestation::permit`] says.
    pub fn do_as(&mut self, deed: Operation) -> Outcome<()> {
        attestation::permit(self.shared.settings.attestation.as_deref(), self.requester.attested, deed)?;
        if !self.may_ask(deed) {
            return Err(Failure::new(ResultReason::NotAuthorised, format!("no right is for {deed}")));
        }
        self.deed = Some(deed);
        Ok(())
    }

    /// Opens the object with this number of creation for a use, as [`View::open`] does.
    ///
    /// # Errors
    /// The same.
    pub fn open_numbered(&mut self, sequence: u64, intent: Use) -> Outcome<Permitted> {
        let object = self.overlay.by_sequence(&self.shared, sequence, self.now)?.ok_or_else(Failure::not_found)?;
        self.opened(object, intent)
    }

    /// Takes back what the item has changed in objects so far, while it goes on.
    pub fn retract(&mut self) {
        self.overlay.roll_back();
        self.metas.roll_back();
    }

    /// Lets the instances be what the message made of them: the commit stands.
    pub(super) fn settle_instances(&mut self) {
        for (name, snapshot) in self.instanced.now.drain() {
            if let Some(lease) = self.kept.leases.get_mut(&name) {
                lease.settle(snapshot, self.now);
            }
        }
        self.kept.leases.clear();
    }
}
