//! The mechanisms of the token: what each is among the operations of the server, and which of them a server that is configured
//! so offers. Their rows stand in `table`, what their parameters say is read in `parameter`.

mod parameter;
mod table;

use cryptoki_sys as ck;
use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, HashingAlgorithm as Hash, PaddingMethod as Padding,
    Pkcs11ReturnCode as Code,
};

pub use self::parameter::Prepared;
pub(super) use self::parameter::{digest, either, number, pseudorandom, read, wrong};
use self::table::MECHANISMS;
use super::Call;
use super::classes;
use super::codec::Writer;
use super::codes::Done;
use super::general::{self, SLOT};
use crate::crypto::permits::{Leave, Permits, Term};
use crate::crypto::public;
use crate::trust::policy::Permitted;
use crate::view::Settings;

/// A mechanism.
pub struct Row {
    /// CK_MECHANISM_TYPE.
    pub id: u64,
    /// What it does.
    pub kind: Kind,
    /// The smallest and the largest key: in bytes for AES, in bits else.
    keys: (u64, u64),
    /// CKF_…: what it may be used for, as far as it is permitted.
    flags: u64,
}

/// What a mechanism is among the operations of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A block cipher, which may be padded.
    Cipher(Algorithm, Mode, bool),
    /// ChaCha20, with Poly1305 or without.
    ChaCha20(Algorithm),
    /// A digest.
    Digest(Hash),
    /// HMAC; CMAC, which is the MAC of AES; Poly1305. It may be cut to the length of the parameter.
    Mac(Algorithm, bool),
    /// RSA with PKCS #1 v1.5: encryption, and signatures of a DigestInfo.
    RsaPkcs,
    /// RSA with OAEP.
    RsaOaep,
    /// RSA signatures with a hash.
    RsaSign(Hash, Padding),
    /// RSA with PSS of a digest.
    RsaPss,
    /// ECDSA of data, or of a digest.
    Ecdsa(Option<Hash>),
    /// EdDSA.
    Eddsa,
    /// ML-DSA of any parameter set.
    MlDsa,
    /// A way to wrap keys.
    Wrap(Mode),
    /// A key is generated, of so many bytes where the template does not say.
    Generate(Algorithm, Option<u64>),
    /// A key pair is generated.
    Pair(Algorithm),
    /// A key is made of a password.
    Password,
    /// A key is derived. What the parameter says is read where that is done.
    Derive(Derives),
}

/// How a key is derived from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derives {
    /// Key agreement with a public key that the parameter has.
    Agreement,
    /// HKDF, extracting and expanding.
    Hkdf,
    /// The digest of the key.
    Digest(Hash),
    /// Data of the parameter, encrypted by AES.
    Encryption(Mode),
    /// A function of SP 800-108.
    Counter(Iterates),
}

/// How a function of SP 800-108 iterates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iterates {
    /// Counter mode.
    Counter,
    /// Feedback mode.
    Feedback,
    /// Double-pipeline mode.
    Pipeline,
}

/// The flags of what protects; the others are of what processes what is protected, and of making keys.
const PROTECTS: u64 = ck::CKF_ENCRYPT
    | ck::CKF_SIGN
    | ck::CKF_SIGN_RECOVER
    | ck::CKF_MESSAGE_ENCRYPT
    | ck::CKF_MESSAGE_SIGN
    | ck::CKF_WRAP
    | ck::CKF_DIGEST
    | ck::CKF_DERIVE;
const PROCESSES: u64 = ck::CKF_DECRYPT
    | ck::CKF_VERIFY
    | ck::CKF_VERIFY_RECOVER
    | ck::CKF_MESSAGE_DECRYPT
    | ck::CKF_MESSAGE_VERIFY
    | ck::CKF_UNWRAP;
const MAKES: u64 = ck::CKF_GENERATE | ck::CKF_GENERATE_KEY_PAIR;
/// Those of encryption, beside which RSA has signatures under one number.
const ENCIPHERS: u64 = ck::CKF_ENCRYPT | ck::CKF_DECRYPT | ck::CKF_MESSAGE_ENCRYPT | ck::CKF_MESSAGE_DECRYPT;
/// All uses. What else the flags say goes with any of them.
const USES: u64 = PROTECTS | PROCESSES | MAKES;

/// Those that a server that is configured so offers.
fn offered(settings: &Settings) -> impl Iterator<Item = &'static Row> {
    MECHANISMS.iter().filter(|row| row.uses(&settings.permits) & USES != 0)
}

impl Kind {
    /// Whether the configured algorithms leave so much of it. What a key's length or a parameter adds is judged when it is
    /// used.
    fn is_permitted(&self, permits: &Permits, leave: Leave) -> bool {
        let may = |term| permits.permits(term, leave);
        let hash = |hash: Hash| public::hash_named(hash).is_some_and(|hash| permits.hash(hash, leave).is_ok());
        match *self {
            Self::Cipher(algorithm, mode, _) => {
                let mode = match mode {
                    Mode::ECB => Term::Ecb,
                    Mode::CBC => Term::Cbc,
                    Mode::CTR => Term::Ctr,
                    Mode::OFB => Term::Ofb,
                    Mode::CFB => Term::Cfb,
                    Mode::CCM => Term::Ccm,
                    Mode::XTS => Term::Xts,
                    _ => Term::Gcm,
                };
                may(mode) && (algorithm != Algorithm::DES3 || may(Term::TripleDes))
            }
            Self::ChaCha20(_) => may(Term::ChaCha20),
            Self::Digest(named) => hash(named),
            Self::Mac(Algorithm::AES, _) => may(Term::Cmac),
            Self::Mac(Algorithm::Poly1305, _) => may(Term::ChaCha20),
            Self::Mac(algorithm, _) => {
                may(Term::Hmac) && public::hmac_hash(algorithm).is_some_and(|hash| permits.hash(hash, leave).is_ok())
            }
            // Its two schemes are told apart by what it is used for.
            Self::RsaPkcs => may(Term::RsaPkcs1) || may(Term::RsaPkcs1Encryption),
            Self::RsaOaep => may(Term::RsaOaep),
            Self::RsaSign(named, padding) => {
                let scheme = if padding == Padding::PSS { Term::RsaPss } else { Term::RsaPkcs1 };
                may(scheme) && if named == Hash::SHA1 { may(Term::Sha1Signature) } else { hash(named) }
            }
            Self::RsaPss => may(Term::RsaPss),
            Self::Ecdsa(named) => {
                let by = |named| if named == Hash::SHA1 { may(Term::Sha1Signature) } else { hash(named) };
                may(Term::Ecdsa) && named.map_or(may(Term::BareDigest), by)
            }
            Self::Eddsa => may(Term::Eddsa) && (may(Term::Ed25519) || may(Term::Ed448)),
            Self::MlDsa | Self::Pair(Algorithm::MLDSA44) => {
                may(Term::MlDsa44) || may(Term::MlDsa65) || may(Term::MlDsa87)
            }
            Self::Wrap(_) => may(Term::KeyWrap),
            Self::Generate(Algorithm::AES, _) => may(Term::Aes128) || may(Term::Aes192) || may(Term::Aes256),
            Self::Generate(algorithm, _) => permits.algorithm(algorithm, None, leave).is_ok(),
            Self::Pair(Algorithm::RSA) => may(Term::Rsa2048) || may(Term::Rsa3072),
            Self::Pair(Algorithm::Ed25519) => may(Term::Ed25519) || may(Term::Ed448),
            Self::Pair(Algorithm::ECDH) => may(Term::X25519) || may(Term::X448),
            Self::Pair(_) => [Term::P224, Term::P256, Term::P384, Term::P521, Term::Secp256k1].into_iter().any(may),
            Self::Password => {
                permits.permits(Term::Pbkdf2, Leave::PROTECT) && permits.permits(Term::Hmac, Leave::PROTECT)
            }
            Self::Derive(Derives::Digest(named)) => may(Term::Derived) && hash(named),
            Self::Derive(Derives::Encryption(mode)) => {
                may(Term::Derived) && Self::Cipher(Algorithm::AES, mode, false).is_permitted(permits, leave)
            }
            Self::Derive(Derives::Hkdf) => may(Term::Hkdf) && may(Term::Hmac),
            Self::Derive(Derives::Agreement) => may(Term::Ecdh),
            Self::Derive(Derives::Counter(_)) => may(Term::Nist800108) && may(Term::Hmac),
        }
    }
}

/// A mechanism that may be used so.
///
/// # Errors
/// MECHANISM_INVALID.
pub fn usable(id: u64, flag: u64, settings: &Settings) -> Done<&'static Row> {
    let found = MECHANISMS.iter().find(|row| row.id == id);
    let found = found.filter(|row| row.uses(&settings.permits) & USES & flag != 0);
    found.ok_or_else(|| Code::MechanismInvalid.into())
}

/// C_GetMechanismList.
pub fn get_mechanism_list(call: &mut Call<'_>) -> Done {
    let (slot, room) = call.read(|input| Ok((input.ulong()?, input.room()?)))?;
    if slot != SLOT {
        return Err(Code::SlotIdInvalid.into());
    }
    let all: Vec<u64> = offered(&call.view.shared().settings).map(|row| row.id).collect();
    general::list(room, all.len(), |out| all.into_iter().fold(out, Writer::ulong))
}

/// C_GetMechanismInfo: CK_MECHANISM_INFO.
pub fn get_mechanism_info(call: &mut Call<'_>) -> Done {
    let (slot, id) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    if slot != SLOT {
        return Err(Code::SlotIdInvalid.into());
    }
    let settings = &call.view.shared().settings;
    let row = usable(id, USES, settings)?;
    let (least, most) = row.keys;
    Ok(Writer::default().ulong(least).ulong(most).ulong(row.uses(&settings.permits)).finish())
}

impl Row {
    /// CKF_…: what is permitted of its flags.
    fn uses(&self, permits: &Permits) -> u64 {
        let left = |flags: u64, leave| {
            let is_permitted = match self.kind {
                // Two schemes under one number.
                Kind::RsaPkcs if flags & ENCIPHERS == 0 => {
                    permits.permits(Term::RsaPkcs1, leave) && permits.permits(Term::BareDigest, leave)
                }
                Kind::RsaPkcs => permits.permits(Term::RsaPkcs1Encryption, leave),
                kind => kind.is_permitted(permits, leave),
            };
            if is_permitted { flags } else { 0 }
        };
        let ways = [(PROTECTS, Leave::PROTECT), (PROCESSES, Leave::PROCESS), (MAKES, Leave::MAKE)];
        let uses = ways
            .into_iter()
            .fold(0, |uses, (flags, leave)| uses | left(flags & ENCIPHERS, leave) | left(flags & !ENCIPHERS, leave));
        self.flags & (uses | !USES)
    }

    /// Refuses a key whose type is for other mechanisms: one for XTS does nothing else, and no other does XTS. The rest is
    /// found by what the operations of the server say.
    ///
    /// # Errors
    /// KEY_TYPE_INCONSISTENT.
    pub fn suits(&self, key: &Permitted) -> Done<()> {
        let is_xts = matches!(self.kind, Kind::Cipher(_, Mode::XTS, _));
        if is_xts == (classes::key_type(key) == Some(ck::CKK_AES_XTS)) {
            return Ok(());
        }
        Err(Code::KeyTypeInconsistent.into())
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::ttlv::Blob;

    use super::*;
    use crate::crypto::permits::Preset;
    use crate::ops::pkcs11::codec::Mechanism;

    fn prepare(id: u64, parameter: Option<&[u8]>) -> Result<Prepared, ()> {
        let row = MECHANISMS.iter().find(|row| row.id == id).unwrap();
        row.prepare(&Mechanism { id, parameter }).map_err(|_| ())
    }

    #[test]
    fn a_mechanism_has_one_row() {
        for (place, row) in MECHANISMS.iter().enumerate() {
            assert!(MECHANISMS.iter().skip(place + 1).all(|other| other.id != row.id), "{:#x}", row.id);
        }
        let triple = Settings { permits: Permits::preset(Preset::Legacy), ..Settings::default() };
        assert_eq!(offered(&triple).count(), offered(&Settings::default()).count() + 3);
    }

    /// A mechanism is listed where something is left of what it does.
    #[test]
    fn what_is_not_permitted_is_not_listed() {
        let lists = |preset, forbid: &[&str], id| {
            let forbid: Vec<String> = forbid.iter().map(|&name| name.to_owned()).collect();
            let permits = Permits::changed(preset, &[], &[], &forbid).unwrap();
            offered(&Settings { permits, ..Settings::default() }).any(|row| row.id == id)
        };
        let made = [ck::CKM_RSA_PKCS_KEY_PAIR_GEN, ck::CKM_EC_KEY_PAIR_GEN, ck::CKM_AES_KEY_GEN];
        assert_eq!(made.map(|id| lists(Preset::Fips, &[], id)), [true; 3]);
        assert_eq!(made.map(|id| lists(Preset::Cnsa2, &[], id)), [false, false, true]);
        assert!(!lists(Preset::Cnsa2, &["AES-256"], ck::CKM_AES_KEY_GEN));
        for id in [ck::CKM_AES_ECB_ENCRYPT_DATA, ck::CKM_AES_CBC_ENCRYPT_DATA, ck::CKM_SHA256_KEY_DERIVATION] {
            assert!(lists(Preset::Default, &[], id) && !lists(Preset::Fips, &[], id), "{id:#x}");
        }
        assert!(!lists(Preset::Default, &["ECDH"], ck::CKM_ECDH1_DERIVE));
        assert!(!lists(Preset::Default, &["HKDF"], ck::CKM_HKDF_DERIVE));
    }

    #[test]
    fn parameters_are_read_and_nothing_else() {
        let p = Writer::default;
        let iv = p().bytes(&[7; 16]).finish();
        assert_eq!(prepare(ck::CKM_AES_CBC, Some(&iv)).unwrap().iv.unwrap(), Blob::copy_of(&[7; 16]));
        for wrong in [None, Some(&iv[..19]), Some(&[0, 0, 0, 0][..]), Some(&[7; 16][..])] {
            assert!(prepare(ck::CKM_AES_CBC, wrong).is_err());
        }
        assert!(prepare(ck::CKM_AES_ECB, Some(&iv)).is_err());
        for (bits, tag) in [(96, 128), (0, 128), (96, 96)] {
            let wide = p().bytes(&[7; 12]).ulong(bits).bytes(b"aad").ulong(tag).finish();
            let short = p().bytes(&[7; 12]).count(bits as usize).bytes(b"aad").count(tag as usize).finish();
            for parameter in [wide, short] {
                let prepared = prepare(ck::CKM_AES_GCM, Some(&parameter)).unwrap();
                assert_eq!((prepared.tag as u64 * 8, prepared.aad.unwrap().len()), (tag, 3));
            }
        }
        let other = p().bytes(&[7; 12]).ulong(64).bytes(b"").ulong(128).finish();
        assert!(prepare(ck::CKM_AES_GCM, Some(&other)).is_err());
        let counter = p().ulong(128).raw(&[7; 16]).finish();
        assert_eq!(prepare(ck::CKM_AES_CTR, Some(&counter)).unwrap().iv.unwrap().len(), 16);
        let fewer = p().ulong(32).raw(&[7; 16]).finish();
        assert!(prepare(ck::CKM_AES_CTR, Some(&fewer)).is_err());
    }

    #[test]
    fn pss_and_oaep_name_their_hashes() {
        let p = || Writer::default().ulong(ck::CKM_SHA256).ulong(ck::CKG_MGF1_SHA256);
        let pss = prepare(ck::CKM_SHA256_RSA_PKCS_PSS, Some(&p().ulong(32).finish())).unwrap().parameters;
        assert_eq!((pss.hashing_algorithm, pss.salt_length), (Some(Hash::SHA256), Some(32)));
        assert!(prepare(ck::CKM_SHA384_RSA_PKCS_PSS, Some(&p().ulong(32).finish())).is_err());
        let oaep = prepare(ck::CKM_RSA_PKCS_OAEP, Some(&p().ulong(1).bytes(b"label").finish())).unwrap().parameters;
        assert_eq!(oaep.p_source, Some(Blob::copy_of(b"label")));
        assert!(prepare(ck::CKM_RSA_PKCS_OAEP, Some(&p().ulong(2).bytes(b"").finish())).is_err());
    }
}
