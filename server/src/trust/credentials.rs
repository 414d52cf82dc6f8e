//! The credentials of a request's header (KMIP 2.1 §9.4, §9.11): all must be right, and together they say who asks.

use std::sync::Arc;

use kmip_codec::schema::Decode;
use kmip_codec::spec::{CredentialType, ResultReason, Version};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    AttestationCredential, Authentication, Credential, DeviceCredential, HashedPassword, OneTimePassword, Password,
    TicketCredential, UsernameAndPassword,
};

use super::accounts::{Account, Accounts};
use super::password::Known;
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;
use crate::store::Revision;
use crate::store::vault::{Domain, Hash16, Vault, VaultBatch};

/// What the credentials of a request come to.
#[derive(Debug, Default)]
pub struct Proven {
    /// The user or device that asks; `None` for whoever the certificate or the ticket says.
    pub owner: Option<Arc<str>>,
    /// The value of a ticket, which its own rows vouch for.
    pub ticket: Option<Blob>,
    /// What its machine shows, not yet looked at.
    pub attestation: Option<AttestationCredential>,
    /// What the answer's header proves in return.
    pub server_hashed_password: Option<Vec<u8>>,
    /// What was used and must not be used again.
    used: Vec<Used>,
}

/// Something that is good only once, or only in one direction: what a row becomes.
#[derive(Debug)]
struct Used {
    name: String,
    before: Revision,
    value: i64,
}

/// Why credentials prove nothing.
#[derive(Debug)]
pub enum Unproven {
    /// They are wrong.
    Failure(Failure),
    /// A password must be looked at, which is slow.
    Slow,
}

impl From<Failure> for Unproven {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Proven {
    /// Whether something must be written before the request may go on.
    pub fn is_single_use(&self) -> bool {
        !self.used.is_empty()
    }

    /// Writes what was used. If another request has used it at the same time, the commit is a conflict.
    ///
    /// # Errors
    /// A row that cannot be sealed.
    pub fn use_up(&self, batch: &mut VaultBatch) -> Outcome<()> {
        for Used { name, before, value } in &self.used {
            batch.put_meta(name, *before, &Secret::copy_of(&value.to_be_bytes()))?;
        }
        Ok(())
    }
}

/// Looks at credentials.
pub struct Check<'a> {
    /// Whom they can name; `None` for nobody.
    pub accounts: Option<&'a Accounts>,
    /// Where it stands what was used before.
    pub vault: &'a Vault,
    /// The identity of the certificate that they came with.
    pub certificate: &'a str,
    /// The version of the message.
    pub version: Version,
    /// The time, in seconds.
    pub now: i64,
    /// How far a Hashed Password's time may be from ours, in seconds.
    pub skew: Option<u32>,
    /// Whether slow work may be done here.
    pub may_be_slow: bool,
    /// Whether users and devices are passed over.
    pub tickets_alone: bool,
}

impl Check<'_> {
    /// Looks at all of them.
    ///
    /// # Errors
    /// Authentication Not Successful, the same for everything that can be wrong; Invalid Field and Missing Data for what
    /// is no credential; or the slow work is to be done elsewhere.
    pub fn credentials(&self, authentication: &Authentication) -> Result<Proven, Unproven> {
        let mut proven = Proven::default();
        let mut device = None;
        for credential in &authentication.credentials {
            match credential.kind {
                CredentialType::Ticket => {
                    let TicketCredential { ticket } = read(credential, self.version)?;
                    if proven.ticket.replace(ticket.ticket_value).is_some() {
                        return Err(unsuccessful("a request has one ticket").into());
                    }
                }
                _ if self.tickets_alone => {}
                CredentialType::UsernameAndPassword => {
                    let UsernameAndPassword { username, password } = read(credential, self.version)?;
                    let account = self.password(self.user(&username), password.as_ref())?;
                    name(&mut proven.owner, account)?;
                }
                CredentialType::Device => {
                    let given: DeviceCredential = read(credential, self.version)?;
                    let account = self.accounts.and_then(|accounts| accounts.device(&given));
                    let account = account.filter(|account| account.admits(self.certificate));
                    let account = self.password(account, given.password.as_ref())?;
                    name(&mut device, account)?;
                }
                CredentialType::OneTimePassword => {
                    let given: OneTimePassword = read(credential, self.version)?;
                    let account = self.one_time(&given, &mut proven.used)?;
                    name(&mut proven.owner, account)?;
                }
                CredentialType::HashedPassword => {
                    let given: HashedPassword = read(credential, self.version)?;
                    let (account, proof) = self.hashed(&given, &mut proven.used)?;
                    name(&mut proven.owner, account)?;
                    proven.server_hashed_password = Some(proof);
                }
                CredentialType::Attestation => {
                    // Looked at when it is known who asks: its nonce is good for one look.
                    let given: AttestationCredential = read(credential, self.version)?;
                    if proven.attestation.replace(given).is_some() {
                        return Err(Failure::unsupported("a request has one attestation").into());
                    }
                }
                kind => {
                    return Err(
                        Failure::unsupported(format!("credentials of the type {kind} are not supported")).into()
                    );
                }
            }
        }
        // A user at a device: both were proven, and the user is who asks.
        proven.owner = proven.owner.or(device);
        Ok(proven)
    }

    fn user(&self, name: &Text) -> Option<&Account> {
        self.accounts?.user(name).filter(|account| account.admits(self.certificate))
    }

    /// A password that an account has, or none where its certificate is proof enough.
    fn password<'s>(&'s self, account: Option<&'s Account>, given: Option<&Password>) -> Result<&'s Account, Unproven> {
        let stored = account.and_then(|account| account.password.as_ref());
        let Some(Password(given)) = given else {
            let bound = account.filter(|account| account.password.is_none() && account.is_bound());
            return bound
                .filter(|account| account.hashed.is_none() && account.generator.is_none())
                .ok_or_else(|| wrong().into());
        };
        let Some(Accounts { passwords, .. }) = self.accounts else { return Err(wrong().into()) };
        if passwords.known(stored, given, self.now) == Known::Unknown {
            if !self.may_be_slow {
                return Err(Unproven::Slow);
            }
            if !passwords.check(stored, given, self.now) {
                return Err(wrong().into());
            }
        }
        account.ok_or_else(|| wrong().into())
    }

    fn one_time(&self, given: &OneTimePassword, used: &mut Vec<Used>) -> Result<&Account, Unproven> {
        if !self.may_be_slow {
            // It is quick in itself; but it is short, and attempts at it are counted like those at passwords.
            return Err(Unproven::Slow);
        }
        let account = self.user(&given.username);
        let generator = account.and_then(|account| account.generator.as_ref());
        let lasting = match (account.and_then(|account| account.password.as_ref()), &given.password) {
            (None, None) => account,
            (_, password) => Some(self.password(account, password.as_ref())?),
        };
        let (Some(account), Some(generator)) = (lasting, generator) else { return Err(wrong().into()) };
        let name = self.row("otp", account);
        let (last, before) = self.last(&name)?;
        let Password(password) = &given.one_time_password;
        let step = generator.step(password, self.now, last).ok_or_else(wrong)?;
        used.push(Used { name, before, value: step });
        Ok(account)
    }

    fn hashed(&self, given: &HashedPassword, used: &mut Vec<Used>) -> Result<(&Account, Vec<u8>), Unproven> {
        let account = self.user(&given.username);
        let proof = account.and_then(|account| account.hashed.as_ref()).and_then(|stored| stored.verify(given));
        let (Some(account), Some(proof)) = (account, proof) else { return Err(wrong().into()) };
        let seconds = given.timestamp.0.div_euclid(1_000_000);
        if self.skew.is_some_and(|skew| seconds.abs_diff(self.now) > u64::from(skew)) {
            return Err(wrong().into());
        }
        let name = self.row("hashed-password", account);
        let (last, before) = self.last(&name)?;
        if last.is_some_and(|last| given.timestamp.0 <= last) {
            return Err(wrong().into());
        }
        used.push(Used { name, before, value: given.timestamp.0 });
        Ok((account, proof))
    }

    /// The name of a row about an account.
    fn row(&self, kind: &str, account: &Account) -> String {
        let Hash16(hash) = self.vault.hash(Domain::Owner, &[account.owner.as_bytes()]);
        format!("{kind}/{}", hex::encode(hash))
    }

    /// What was used last.
    fn last(&self, name: &str) -> Outcome<(Option<i64>, Revision)> {
        let Some((value, revision)) = self.vault.meta(name)? else { return Ok((None, 0)) };
        let bytes = value.expose().try_into().map_err(|_| Failure::internal(format!("the row {name} is no number")))?;
        Ok((Some(i64::from_be_bytes(bytes)), revision))
    }
}

fn read<T: Decode>(credential: &Credential, version: Version) -> Outcome<T> {
    Ok(credential.read(version)?)
}

/// All credentials of one kind name the same requester.
fn name(named: &mut Option<Arc<str>>, account: &Account) -> Outcome<()> {
    match named {
        Some(other) if *other != account.owner => Err(wrong()),
        _ => {
            *named = Some(Arc::clone(&account.owner));
            Ok(())
        }
    }
}

/// One answer for everything that can be wrong: it tells nobody whether there is such a user.
fn wrong() -> Failure {
    unsuccessful("the credential is not right")
}

/// Authentication Not Successful.
pub fn unsuccessful(message: &str) -> Failure {
    Failure::new(ResultReason::AuthenticationNotSuccessful, message)
}
