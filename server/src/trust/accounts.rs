//! The users and devices of the configuration.

use std::fmt;
use std::sync::Arc;

use kmip_codec::types::DeviceCredential;

use super::hashed;
use super::identity::{DEVICE, Identity, USER};
use super::one_time::Generator;
use super::password::{Passwords, Stored};
use crate::config::{self, Hidden, Right};

/// The shortest thing that can be hashed at the usual cost: what unknown users are held against where no user has a hash.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyBpdA$H6yQCdHZlyQUvpX5wVFXM6b9Zf2V7g5vH9k8fM9Qp7Q";

/// Everybody whom a credential can name.
pub struct Accounts {
    users: Vec<Account>,
    devices: Vec<(Account, DeviceCredential)>,
    administrators: Vec<String>,
    /// Passwords that were looked at.
    pub(super) passwords: Passwords,
}

/// A user or a device.
#[derive(Debug)]
pub(super) struct Account {
    /// Its name, with the prefix that no certificate has.
    pub(super) owner: Arc<str>,
    pub(super) password: Option<Stored>,
    pub(super) hashed: Option<hashed::Stored>,
    pub(super) generator: Option<Generator>,
    certificates: Vec<String>,
    administrator: bool,
}

impl Accounts {
    /// Reads the accounts of a configuration.
    ///
    /// # Errors
    /// What is wrong with which of them, in words.
    pub fn new(config: &config::Config) -> Result<Self, String> {
        let mut users: Vec<Account> = Vec::with_capacity(config.users.len());
        for user in &config.users {
            let wrong = |why: String| format!("[[users]] \"{}\" {why}", user.name);
            let account = Account::new(USER, &user.name, user.password.as_ref(), &user.certificates, &user.rights)
                .and_then(|account| account.with_secrets(user))
                .map_err(wrong)?;
            if users.iter().any(|other| other.owner == account.owner) {
                return Err(wrong("stands twice".to_owned()));
            }
            users.push(account);
        }
        let mut devices: Vec<(Account, DeviceCredential)> = Vec::with_capacity(config.devices.len());
        for device in &config.devices {
            let wrong = |why: String| format!("[[devices]] \"{}\" {why}", device.name);
            let account =
                Account::new(DEVICE, &device.name, device.password.as_ref(), &device.certificates, &device.rights)
                    .and_then(Account::with_proof)
                    .map_err(wrong)?;
            let fields = fields(device);
            // What must be unique is a combination of these (KMIP 2.1 §9.11).
            let has_any = [&fields.device_serial_number, &fields.network_identifier, &fields.machine_identifier]
                .into_iter()
                .chain([&fields.media_identifier, &fields.device_identifier])
                .any(Option::is_some);
            if !has_any {
                return Err(wrong("has neither a serial number nor an identifier".to_owned()));
            }
            if devices.iter().any(|(other, known)| other.owner == account.owner || *known == fields) {
                return Err(wrong("stands twice".to_owned()));
            }
            devices.push((account, fields));
        }
        let nobody = Stored::parse(&NOBODY.to_owned().into()).ok();
        let every = users.iter().chain(devices.iter().map(|(account, _)| account));
        let likeness = every.filter_map(|account| account.password.as_ref()).next().cloned().or(nobody);
        let passwords = Passwords::new(likeness.as_ref())?;
        Ok(Self { users, devices, administrators: config.identity.administrators.clone(), passwords })
    }

    /// Whether whoever owns objects under this name may set the server's defaults and constraints.
    pub fn is_administrator(&self, owner: &str) -> bool {
        match self.accounts().find(|account| *account.owner == *owner) {
            Some(account) => account.administrator,
            None => self.administrators.iter().any(|name| name == owner),
        }
    }

    /// Whether there is (still) somebody of this name. Who comes with a certificate alone was admitted with it.
    pub fn is_known(&self, owner: &str) -> bool {
        let reserved = [USER, DEVICE].iter().any(|prefix| owner.starts_with(prefix));
        !reserved || self.accounts().any(|account| *account.owner == *owner)
    }

    /// Whether a client with a certificate of this name may ask as who owns objects under that name: as itself, or as an
    /// account that is not bound to others.
    pub fn may_be(&self, certificate: &str, owner: &str) -> bool {
        match self.accounts().find(|account| *account.owner == *owner) {
            Some(account) => account.admits(certificate),
            None => certificate == owner,
        }
    }

    /// Takes one of a client's attempts at passwords, if it has one left.
    pub fn attempt(&self, client: &Arc<str>, now: i64) -> bool {
        self.passwords.attempt(client, now)
    }

    /// The user of this name.
    pub(super) fn user(&self, name: &str) -> Option<&Account> {
        self.users.iter().find(|account| account.owner.strip_prefix(USER) == Some(name))
    }

    /// The device that has just these fields, the password aside.
    pub(super) fn device(&self, credential: &DeviceCredential) -> Option<&Account> {
        let fields = DeviceCredential { password: None, ..credential.clone() };
        self.devices.iter().find(|(_, known)| *known == fields).map(|(account, _)| account)
    }

    fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.users.iter().chain(self.devices.iter().map(|(account, _)| account))
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({} users, {} devices)", self.users.len(), self.devices.len())
    }
}

impl Account {
    fn new(
        prefix: &str,
        name: &str,
        password: Option<&Hidden>,
        certificates: &[String],
        rights: &[Right],
    ) -> Result<Self, String> {
        Identity::new(name)?;
        Ok(Self {
            owner: format!("{prefix}{name}").into(),
            password: password.map(Stored::parse).transpose().map_err(|why| format!("`password` {why}"))?,
            hashed: None,
            generator: None,
            certificates: certificates.to_vec(),
            administrator: rights.contains(&Right::Administrator),
        })
    }

    fn with_secrets(mut self, user: &config::User) -> Result<Self, String> {
        let hashed = user.hashed_password.as_ref().map(hashed::Stored::parse).transpose();
        self.hashed = hashed.map_err(|why| format!("`hashed_password` {why}"))?;
        let generator = user.otp_secret.as_ref().map(Generator::parse).transpose();
        self.generator = generator.map_err(|why| format!("`otp_secret` {why}"))?;
        self.with_proof()
    }

    /// Something must prove that it is who it says.
    fn with_proof(self) -> Result<Self, String> {
        let has_secret = self.password.is_some() || self.hashed.is_some() || self.generator.is_some();
        if has_secret || !self.certificates.is_empty() {
            Ok(self)
        } else {
            Err("has no secret, and no `certificates` that may present it without one".to_owned())
        }
    }

    /// Whether a client with this certificate may present the account.
    pub(super) fn admits(&self, certificate: &str) -> bool {
        self.certificates.is_empty() || self.certificates.iter().any(|name| name == certificate)
    }

    /// Whether the certificate alone is proof enough.
    pub(super) fn is_bound(&self) -> bool {
        !self.certificates.is_empty()
    }
}

fn fields(device: &config::Device) -> DeviceCredential {
    let text = |text: &Option<String>| text.as_deref().map(Into::into);
    DeviceCredential {
        device_serial_number: text(&device.serial_number),
        password: None,
        device_identifier: text(&device.device_identifier),
        network_identifier: text(&device.network_identifier),
        machine_identifier: text(&device.machine_identifier),
        media_identifier: text(&device.media_identifier),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn accounts(more: &str) -> Result<Accounts, String> {
        let config = format!(
            "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_ca = \"c\"\n[store]\npath = \"store\"\n\
             [root_key]\nkind = \"file\"\npath = \"root.key\"\n[identity]\nadministrators = [\"boss\"]\n{more}"
        );
        Accounts::new(&config::Config::parse(&config, Path::new("/etc"))?)
    }

    #[test]
    fn what_nobody_has_is_hashed_like_what_somebody_has() {
        Stored::parse(&NOBODY.to_owned().into()).unwrap();
    }

    #[test]
    fn an_account_needs_a_proof_and_a_name_of_its_own() {
        for (text, said) in [
            ("[[users]]\nname = \"a\"\n", "has no secret"),
            ("[[users]]\nname = \"a\"\npassword = \"plain\"\n", "no Argon2 hash"),
            ("[[users]]\nname = \"a\"\notp_secret = \"1\"\n", "base 32"),
            ("[[users]]\nname = \"a\"\nhashed_password = \"x\"\n", "form ALGORITHM"),
            ("[[users]]\nname = \"user:a\"\ncertificates = [\"c\"]\n", "kept for users"),
            (
                "[[users]]\nname = \"a\"\ncertificates = [\"c\"]\n[[users]]\nname = \"a\"\ncertificates = [\"d\"]\n",
                "stands twice",
            ),
            ("[[devices]]\nname = \"a\"\ncertificates = [\"c\"]\n", "neither a serial number"),
        ] {
            let why = accounts(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(why.contains(said), "{text}: {why}");
        }
    }

    #[test]
    fn administrators_are_those_of_the_configuration() {
        let known = accounts(
            "[[users]]\nname = \"boss\"\ncertificates = [\"c\"]\n\
             [[users]]\nname = \"root\"\ncertificates = [\"c\"]\nrights = [\"administrator\"]\n",
        )
        .unwrap();
        // The certificate of that name is one, the user of that name is not.
        assert!(known.is_administrator("boss") && !known.is_administrator("user:boss"));
        assert!(known.is_administrator("user:root") && !known.is_administrator("root"));
        assert!(known.is_known("anybody") && known.is_known("user:root") && !known.is_known("user:gone"));
    }
}
