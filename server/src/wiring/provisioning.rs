//! Who makes new certificates for clients that are known already (`[provisioning]`).

use std::sync::Arc;

use x509_cert::der::asn1::ObjectIdentifier;

use super::{StartError, certification};
use crate::config::Config;
use crate::crypto::authority::{Authority, Terms};

/// id-kp-clientAuth (RFC 5280 §4.2.1.12).
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// The authority of `[provisioning]`, if there is one.
///
/// # Errors
/// Why there can be none.
pub fn authority(config: &Config) -> Result<Option<Arc<Authority>>, StartError> {
    let Some(section) = &config.provisioning else { return Ok(None) };
    let (Some(certificate), Some(key)) = (&section.certificate, &section.key) else { return Ok(None) };
    let refused = |why: String| StartError::Refused(format!("[provisioning] {why}"));
    let chain = certification::certificates(certificate).map_err(refused)?;
    let key = certification::held(key).map_err(refused)?;
    let terms = Terms { days: section.days, longest_days: section.days, extended: vec![CLIENT_AUTH] };
    let wrong = |why| refused(format!("{}: {why}", certificate.display()));
    Ok(Some(Arc::new(Authority::new(chain, key, terms).map_err(wrong)?)))
}
