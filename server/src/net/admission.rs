//! Who is let in. After every handshake, full or resumed, and again when trust has changed, a client's certificates
//! pass the same judgement: a TLS session is an old handshake, not a present right.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use kmip_codec::ttlv::Blob;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::known::Known;
use super::refusal::{Described, Refusal};
use super::revoked::Revoked;
use crate::config::IdentitySource;
use crate::crypto::authority::Authority;
use crate::trust::identity::{Admitted, Identity};
use crate::trust::link::Link;

/// One set of trusted certificates, revocation lists and refused clients. It never changes; a new one has a new epoch.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    pub(super) revoked: Revoked,
    pub(super) source: IdentitySource,
    /// Whose certificates are no identities.
    pub(super) certification: Option<Arc<Authority>>,
    pub(super) epoch: u64,
    /// Its own judgements, as long as they hold.
    pub(super) known: Known,
}

/// What a client reads whose certificate is in order and says nobody who may come in.
const NO_IDENTITY: CertificateError = CertificateError::ApplicationVerificationFailure;

impl Admission {
    /// Judges a client's certificates, its own first.
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Arc<Admitted>, Box<Refusal>> {
        let key = Known::key(chain);
        if let Some(admitted) = key.and_then(|key| self.known.find(key, now)) {
            return Ok(admitted);
        }
        let (admitted, ends) = self.examine(chain, now)?;
        let admitted = Arc::new(admitted);
        if let (Some(key), Some(ends)) = (key, ends) {
            self.known.keep(key, &admitted, now, &ends);
        }
        Ok(admitted)
    }

    /// Judges a client's certificates, and says in which seconds since 1970 they end, if all can be read.
    fn examine(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(Admitted, Option<Vec<u64>>), Box<Refusal>> {
        let Some((own, above)) = chain.split_first() else {
            let error = std::io::Error::other(TlsError::NoCertificatesPresented);
            return Err(Box::new(Refusal::handshake(&error)));
        };
        let (described, certificate) = Described::of(own);
        if let Err(error) = self.verifier.verify_client_cert(own, above, now) {
            return Err(Box::new(Refusal::chain(described, certificate.as_ref(), error)));
        }
        let Some(certificate) = certificate else {
            return Err(Box::new(Refusal::chain(described, None, CertificateError::BadEncoding.into())));
        };
        let fingerprint = described.fingerprint;
        let serial = certificate.tbs_certificate.serial_number.as_bytes();
        if let Some(by) = self.revoked.names(fingerprint, serial) {
            let why = format!("the list of [tls] revoked names its {by}; take it off the list to admit it again");
            return Err(Box::new(Refusal::certificate(described, why, CertificateError::Revoked)));
        }
        // Whatever else has come to be trusted: any client could have asked for it, in any name.
        if self.certification.as_ref().is_some_and(|authority| authority.has_issued(own)) {
            let why = "the authority of [certification] has made it, for whoever asked; give the client a certificate of one \
                       of the authorities of [tls] client_ca";
            return Err(Box::new(Refusal::certificate(described, why.to_owned(), NO_IDENTITY)));
        }
        let identity = match Identity::of(&certificate, fingerprint, self.source) {
            Ok(identity) => identity,
            Err(why) => return Err(Box::new(Refusal::certificate(described, why, NO_IDENTITY))),
        };
        let mut ends = vec![end(&certificate)];
        let above: Vec<_> = above.iter().map(|der| Certificate::from_der(der).ok()).collect();
        ends.extend(above.iter().flatten().map(end));
        let until = ends.iter().copied().filter(|end| *end > now.as_secs()).min().unwrap_or_default();
        let link = Link::new(identity.shared(), fingerprint, Arc::from(own.as_ref()));
        let admitted = Admitted {
            identity,
            link: Arc::new(link),
            certificates: chain.iter().map(|der| Blob::copy_of(der)).collect(),
            epoch: self.epoch,
            until: UNIX_EPOCH + Duration::from_secs(until),
        };
        Ok((admitted, above.iter().all(Option::is_some).then_some(ends)))
    }
}

/// The first second in which a certificate is not valid any more: the last second belongs to it.
fn end(certificate: &Certificate) -> u64 {
    certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs().saturating_add(1)
}

tokio::task_local! {
    /// What the verifier said within the handshake of this task; TLS itself passes on no more than an alert.
    pub(super) static VERDICT: RefCell<Option<Result<Arc<Admitted>, Box<Refusal>>>>;
}

/// The judgement as rustls asks for it in a full handshake, so that a refused client gets the right alert.
#[derive(Debug)]
pub(super) struct Doorkeeper(pub(super) Arc<Admission>);

impl ClientCertVerifier for Doorkeeper {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        let chain: Vec<CertificateDer<'_>> =
            std::iter::once(end_entity).chain(intermediates).map(|der| CertificateDer::from(der.as_ref())).collect();
        let verdict = self.0.judge(&chain, now);
        let answer = match &verdict {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(refusal) => Err(refusal.alert.clone()),
        };
        // Outside of a handshake of ours there is nobody to tell.
        let _ = VERDICT.try_with(|slot| slot.replace(Some(verdict)));
        answer
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.verifier.supported_verify_schemes()
    }
}
