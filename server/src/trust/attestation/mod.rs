//! Attestation: a client shows what runs on its machine before it gets at keys (KMIP 2.1 §9.3, §9.4, §9.14, §11.4).
//!
//! Of the standard's types TPM Quote is verified here. A TCG Integrity Report and a SAML Assertion are documents of other
//! parties, signed within XML; they are refused as a feature that is not supported, and never offered.

mod nonces;
mod tpm;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use kmip_codec::spec::{AttestationType, Operation, ResultReason, Tag, enumeration_of};
use kmip_codec::types::{AttestationCredential, Nonce};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;

use crate::config;
use crate::failure::{Failure, Outcome};
use crate::trust::requester::Standing;
use nonces::Nonces;
use tpm::{Quote, Registers};

/// The word for all operations but those of [`FREE`].
const ALL: &str = "all";

/// What clients ask to find out what the server can do; it should be free (§9.4) unless the configuration names it.
const FREE: [Operation; 2] = [Operation::DiscoverVersions, Operation::Query];

/// Who attests whom, and what for.
#[derive(Debug)]
pub struct Attestation {
    operations: Covered,
    /// Everybody, if empty.
    identities: Vec<String>,
    tpms: Vec<Tpm>,
    nonces: Nonces,
}

#[derive(Debug)]
enum Covered {
    All,
    Named(Vec<Operation>),
}

/// A TPM that is known.
#[derive(Debug)]
struct Tpm {
    name: String,
    /// SubjectPublicKeyInfo in DER.
    key: Vec<u8>,
    identities: Vec<String>,
    states: Vec<Registers>,
}

impl Attestation {
    /// Reads what the configuration says, and the keys that it names; nothing where there is no attestation.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(config: &config::Config) -> Result<Option<Self>, String> {
        let config::Attestation { operations, identities, nonce_seconds, nonces_per_client } = &config.attestation;
        if *nonce_seconds == 0 || *nonces_per_client == 0 {
            return Err("[attestation] `nonce_seconds` and `nonces_per_client` must be at least 1".to_owned());
        }
        let operations = if operations.iter().any(|name| name == ALL) {
            Covered::All
        } else {
            Covered::Named(operations.iter().map(|name| operation(name)).collect::<Result<_, _>>()?)
        };
        if config.tpm.is_empty() {
            return match operations {
                Covered::Named(named) if named.is_empty() => Ok(None),
                _ => Err("[attestation] requires what nobody can give: there is no [[tpm]]".to_owned()),
            };
        }
        let tpms = config.tpm.iter().map(Tpm::new).collect::<Result<Vec<Tpm>, String>>()?;
        let nonces = Nonces::new(*nonce_seconds, *nonces_per_client);
        Ok(Some(Self { operations, identities: identities.clone(), tpms, nonces }))
    }

    /// The types that can be verified.
    pub fn types(&self) -> Vec<AttestationType> {
        if self.tpms.is_empty() { Vec::new() } else { vec![AttestationType::TPMQuote] }
    }

    /// Whether the operation requires it.
    pub fn covers(&self, operation: Operation) -> bool {
        match &self.operations {
            Covered::All => !FREE.contains(&operation),
            Covered::Named(named) => named.contains(&operation),
        }
    }

    /// Whether it is required of who asks: by its certificate, or as the user or device that it is.
    pub fn concerns(&self, certificate: &str, owner: &str) -> bool {
        let is_named = |name: &String| name == certificate || name == owner;
        self.identities.is_empty() || self.identities.iter().any(is_named)
    }

    /// A nonce for the client with this certificate.
    ///
    /// # Errors
    /// None could be made.
    pub fn nonce(&self, certificate: &Arc<str>, now: i64) -> Outcome<Nonce> {
        self.nonces.give(certificate, now)
    }

    /// Verifies what a client with this certificate has shown. Its nonce is used up.
    ///
    /// # Errors
    /// Attestation Failed; Feature Not Supported for a type that is not among [`Attestation::types`], and for the word of a
    /// third party.
    pub fn verify(&self, given: &AttestationCredential, certificate: &str, now: i64) -> Outcome<()> {
        if !self.types().contains(&given.attestation_type) {
            return Err(unsupported(given.attestation_type));
        }
        if given.attestation_assertion.is_some() {
            return Err(Failure::unsupported(
                "a TPM Quote is a measurement, and comes without an Attestation Assertion",
            ));
        }
        let fresh = self.nonces.take(&given.nonce, certificate, now);
        let Some(measurement) = &given.attestation_measurement else {
            return Err(failed("the Attestation Measurement is missing"));
        };
        if !fresh {
            return Err(failed("the nonce is not one that this client was given, or it is used or too old"));
        }
        let quote = Quote::read(measurement).map_err(|why| failed(&format!("the quote {why}")))?;
        let mut own = self.tpms.iter().filter(|tpm| tpm.identities.iter().any(|name| name == certificate));
        let signer = own.find(|tpm| quote.is_signed_by(&tpm.key));
        let tpm = signer.ok_or_else(|| failed("the quote is signed by no TPM that is known for this client"))?;
        if quote.qualifying() != &*given.nonce.nonce_value {
            return Err(failed("the quote was made for another nonce"));
        }
        if !tpm.states.iter().any(|registers| quote.shows(registers)) {
            let why = format!("the registers that the quote of \"{}\" shows are not those that are expected", tpm.name);
            return Err(failed(&why));
        }
        Ok(())
    }
}

impl Tpm {
    fn new(tpm: &config::Tpm) -> Result<Self, String> {
        let config::Tpm { name, key, identities, registers } = tpm;
        let wrong = |why: &str| format!("[[tpm]] \"{name}\" {why}");
        if identities.is_empty() {
            return Err(wrong("attests nobody: `identities` is empty"));
        }
        let pem = fs::read(key).map_err(|error| wrong(&format!("key {}: {error}", key.display())))?;
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(&pem)
            .map_err(|error| wrong(&format!("key {}: no public key in PEM: {error}", key.display())))?;
        if !tpm::is_attestation_key(&spki) {
            return Err(wrong("key: it is neither RSA of 2048 bits or more nor on P-256, P-384 or P-521"));
        }
        let states = registers.iter().map(state).collect::<Result<Vec<Registers>, String>>();
        let states = states.map_err(|why| wrong(&why))?;
        if states.is_empty() {
            return Err(wrong("attests nothing: `registers` is empty"));
        }
        Ok(Self { name: name.clone(), key: spki.to_vec(), identities: identities.clone(), states })
    }
}

fn state(banks: &BTreeMap<String, BTreeMap<String, String>>) -> Result<Registers, String> {
    if banks.is_empty() || banks.values().any(BTreeMap::is_empty) {
        return Err("registers: a state names at least one register in each bank".to_owned());
    }
    let mut state = Registers::new();
    for (name, values) in banks {
        let bank = tpm::bank(name).ok_or_else(|| format!("registers: there is no bank \"{name}\" here"))?;
        let mut registers = BTreeMap::new();
        for (number, value) in values {
            let wrong = |why: &str| format!("registers: {name} {number} {why}");
            let place: u8 = number.parse().map_err(|_| wrong("is no number of a register"))?;
            let value = hex::decode(value).map_err(|_| wrong("has no hexadecimal value"))?;
            if value.len() != bank.len() {
                return Err(wrong("has not the length of its bank's hash"));
            }
            if registers.insert(place, value).is_some() {
                return Err(wrong("stands twice"));
            }
        }
        state.push((bank, registers));
    }
    Ok(state)
}

/// An operation by the standard's name, or by the one that XML has for it.
fn operation(name: &str) -> Result<Operation, String> {
    let names = enumeration_of(Tag::Operation).ok_or("there are no operations")?;
    let code = names.from_name(name).or_else(|| names.from_xml_name(name));
    code.map(Operation::from).ok_or_else(|| format!("[attestation] operations: there is no operation \"{name}\""))
}

/// As long as every nonce is.
pub fn longest_nonce() -> Nonce {
    nonces::longest()
}

/// Whether an operation is done for a request that stands so: one that requires an attestation is not done without (KMIP 2.1
/// §9.3).
///
/// # Errors
/// Attestation Required; Permission Denied for a client that says that it is not able to make one.
pub fn permit(attestation: Option<&Attestation>, standing: Standing, operation: Operation) -> Outcome<()> {
    if !attestation.is_some_and(|it| it.covers(operation)) {
        return Ok(());
    }
    match standing {
        Standing::Free | Standing::Attested => Ok(()),
        Standing::Capable => {
            Err(Failure::new(ResultReason::AttestationRequired, format!("{operation} requires an attestation")))
        }
        Standing::Incapable => Err(Failure::new(
            ResultReason::PermissionDenied,
            format!("{operation} requires an attestation, and the client says that it is not able to make one"),
        )),
    }
}

/// What is said where a type is not verified.
pub fn unsupported(kind: AttestationType) -> Failure {
    Failure::unsupported(format!("attestations of the type {kind} are not verified here"))
}

/// Attestation Failed.
fn failed(why: &str) -> Failure {
    Failure::new(ResultReason::AttestationFailed, why)
}

#[cfg(test)]
mod tests;
