//! What the configuration says, as operations need it.

use std::sync::Arc;

use super::{About, ClientToken, Listener};
use crate::crypto::authority::Authority;
use crate::crypto::chain::Anchor;
use crate::crypto::permits::Permits;
use crate::trust::accounts::Accounts;
use crate::trust::attestation::Attestation;
use crate::trust::link::Provisioning;
use crate::trust::revocation::RevocationLists;

/// What the configuration says about keys and answers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether a new key is Extractable where the client does not say.
    pub extractable: bool,
    /// Whether a client may choose the nonce of an encryption under a key that is not Extractable.
    pub client_nonces: bool,
    /// Whether a length that contradicts the key material is taken.
    pub accept_wrong_length: bool,
    /// The longest lease, in seconds; 0 for leases without limit.
    pub longest_lease: u32,
    /// The most attributes of an object, every instance counted.
    pub maximum_attributes: usize,
    /// The Protection Storage Mask that each residency satisfies.
    pub protection: Protection,
    /// How far a client's Time Stamp may be from ours, in seconds; `None` for not looking.
    pub clock_skew: Option<u32>,
    /// Whether a credential in a header is passed over: the certificate alone says who asks. Tickets are looked at.
    pub ignore_credentials: bool,
    /// Whether the members of a group are its default in turn, or the newest always is.
    pub default_in_turn: bool,
    /// Whether Locate takes the attributes of a Template-Attribute.
    pub locate_by_template_attribute: bool,
    /// Whether the operation Interop is offered, which empties the store.
    pub interop: bool,
    /// Whom a credential can name; `None` for nobody.
    pub accounts: Option<Arc<Accounts>>,
    /// Who must attest what runs on its machine, and how; `None` where nobody can.
    pub attestation: Option<Arc<Attestation>>,
    /// How clients get other certificates; `None` where they do not.
    pub provisioning: Option<Provisioning>,
    /// Whether an object of somebody else answers Permission Denied.
    pub tell_of_others: bool,
    /// The Object Groups that defaults and constraints may name; none named: all.
    pub object_groups: Vec<String>,
    /// The longest life of a ticket, in seconds.
    pub longest_ticket: u32,
    /// The most tickets at a time.
    pub most_tickets: usize,
    /// The longest answer, in bytes.
    pub maximum_response: usize,
    /// Which algorithms may be made, kept and used.
    pub permits: Permits,
    /// The most items that a Locate without Maximum Items answers.
    pub maximum_located: usize,
    /// Who is told of changes and of new objects.
    pub listeners: Vec<Listener>,
    /// What Query answers where the operator knows better than the tables.
    pub about: About,
    /// Who makes certificates; `None` where Certify and Re-certify are not offered.
    pub authority: Option<Arc<Authority>>,
    /// Whether a certificate request made for another key than the one that is certified gives the names alone.
    pub accept_foreign_request: bool,
    /// At which certificates Validate ends a chain, beside that of the authority.
    pub anchors: Vec<Anchor>,
    /// What revocation lists say of the certificates of chains.
    pub revocation: Arc<RevocationLists>,
    /// What clients read of the server as a PKCS #11 token.
    pub client_token: ClientToken,
}

/// The bits of Protection Storage Mask by residency (KMIP 2.1 §12.2).
#[derive(Debug, Clone, Copy)]
pub struct Protection {
    /// Sealed.
    pub sealed: u32,
    /// Wrapped.
    pub wrapped: u32,
    /// Token; no bits: token objects are not offered.
    pub token: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            extractable: true,
            client_nonces: false,
            accept_wrong_length: false,
            longest_lease: 3600,
            maximum_attributes: 1000,
            protection: Protection { sealed: 0x1, wrapped: 0x2, token: 0 },
            clock_skew: None,
            ignore_credentials: false,
            default_in_turn: false,
            locate_by_template_attribute: false,
            interop: false,
            accounts: None,
            attestation: None,
            provisioning: None,
            tell_of_others: false,
            object_groups: Vec::new(),
            longest_ticket: 24 * 3600,
            most_tickets: 10_000,
            maximum_response: 32 * 1024 * 1024,
            permits: Permits::default(),
            maximum_located: 10_000,
            listeners: Vec::new(),
            about: About::default(),
            authority: None,
            accept_foreign_request: false,
            anchors: Vec::new(),
            revocation: Arc::default(),
            client_token: ClientToken::default(),
        }
    }
}
