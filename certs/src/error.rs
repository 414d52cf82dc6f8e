//! What can go wrong when certificates are made or loaded. No variant holds bytes of a key.

/// Why a certificate, a key or a revocation list could not be made or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key or the certificate could not be generated.
    #[error("cannot make the certificate: {0}")]
    Make(&'static str),
    /// The text is not one X.509 certificate in PEM.
    #[error("not an X.509 certificate in PEM: {0}")]
    Certificate(String),
    /// The text is not a private key in PEM (PKCS#8) of a kind that can sign certificates.
    #[error("not a private key in PEM (PKCS#8) that can sign certificates")]
    Key,
    /// The certificate was made for another key.
    #[error("the private key does not belong to the certificate of the authority")]
    KeyMismatch,
    /// The certificate may not sign others (RFC 5280, sections 4.2.1.3 and 4.2.1.9).
    #[error("the certificate is not that of a certificate authority: {0}")]
    NotAuthority(&'static str),
    /// The subject of the authority has a form that cannot be repeated exactly as issuer.
    #[error("the subject of the authority cannot be used as issuer: {0}")]
    Subject(&'static str),
    /// A subject alternative name is neither an address, a host name, a URI nor a mail address.
    #[error("not a usable subject alternative name: {0:?}")]
    Name(String),
    /// A server certificate without any name fits no server.
    #[error("a server certificate needs at least one name")]
    NoName,
    /// The certificate would end before it begins, for instance because its authority has expired.
    #[error("the certificate would end before it begins (has its authority expired?)")]
    Validity,
}

/// What the certificate library reports. Its text for a rejected key could speak of the key: it is not passed on.
impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::Make(match error {
            rcgen::Error::CouldNotParseKeyPair | rcgen::Error::RingKeyRejected(_) => "the key was rejected",
            rcgen::Error::KeyGenerationUnavailable => "no key generation for this algorithm",
            rcgen::Error::UnsupportedSignatureAlgorithm => "signature algorithm not supported",
            rcgen::Error::InvalidAsn1String(_) => "a name has characters that its type does not allow",
            rcgen::Error::Time => "a date cannot be encoded",
            _ => "the certificate library failed",
        })
    }
}
