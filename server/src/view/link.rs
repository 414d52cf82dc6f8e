//! The certificates of clients that others have taken the place of.

use super::View;
use crate::failure::Outcome;
use crate::secret::Secret;
use crate::store::vault::VaultBatch;
use crate::trust::identity::Fingerprint;
use crate::trust::link;

impl View {
    /// Whether the certificate of the connection is still good for the requester.
    ///
    /// # Errors
    /// Authentication Not Successful for one that was replaced.
    pub fn check_link(&self) -> Outcome<()> {
        let Some(link) = self.requester.shown.link() else { return Ok(()) };
        let vault = &self.shared.vault;
        if vault.has_meta(link.row(vault))? { Err(link::replaced()) } else { Ok(()) }
    }

    /// Lets the commit rely on the certificate of the connection being good still.
    pub const fn rely_on_link(&mut self) {
        self.relies_on_link = true;
    }

    /// What the commit relies on of that.
    pub(super) fn expect_link(&self, batch: &mut VaultBatch) {
        if let Some(link) = self.requester.shown.link().filter(|_| self.relies_on_link) {
            batch.expect_no_meta(link.row(&self.shared.vault));
        }
    }

    /// Whether a certificate was replaced.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn is_replaced(&mut self, fingerprint: &Fingerprint) -> Outcome<bool> {
        let row = link::row(&self.shared.vault, fingerprint);
        Ok(self.meta(&row)?.is_some())
    }

    /// Says that a certificate is replaced by another, from the next message on.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn replace_link(&mut self, before: &Fingerprint, after: &Fingerprint) -> Outcome<()> {
        let row = link::row(&self.shared.vault, before);
        self.followed = Some((*before, *after));
        self.set_meta(&row, Some(Secret::copy_of(&self.now.to_be_bytes())))
    }

    /// The certificate that this message replaces, and the one that follows it, for the log.
    pub fn followed(&self) -> Option<(Fingerprint, Fingerprint)> {
        let stands = |before: &Fingerprint| self.metas.is_written(&link::row(&self.shared.vault, before));
        self.followed.filter(|(before, _)| stands(before))
    }
}
