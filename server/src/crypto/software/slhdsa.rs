//! SLH-DSA (FIPS 205), by the crate `fips205`: signatures of hash functions alone.
//!
//! A signature is made of up to some million digests: seconds of a processor, so that it steps back as the making of RSA keys
//! does. What is secret goes into a hash function and nowhere else; no branch and no address depends on it.

use std::num::NonZero;

use aws_lc_rs::rand;
use fips205::traits::{KeyGen, SerDes, Signer, Verifier};
use fips205::{CryptoRng, RngCore, RngError};
use zeroize::Zeroizing;

use super::unhurried;
use crate::crypto::CryptoError;
use crate::crypto::algorithm::ParameterSet;
use crate::secret::Secret;

/// Runs something with the module that a parameter set is in the crate.
macro_rules! with {
    ($set:expr, $module:ident => $body:expr) => {
        match $set {
            ParameterSet::SlhDsaSha2_128s => {
                use fips205::slh_dsa_sha2_128s as $module;
                $body
            }
            ParameterSet::SlhDsaSha2_128f => {
                use fips205::slh_dsa_sha2_128f as $module;
                $body
            }
            ParameterSet::SlhDsaSha2_192s => {
                use fips205::slh_dsa_sha2_192s as $module;
                $body
            }
            ParameterSet::SlhDsaSha2_192f => {
                use fips205::slh_dsa_sha2_192f as $module;
                $body
            }
            ParameterSet::SlhDsaSha2_256s => {
                use fips205::slh_dsa_sha2_256s as $module;
                $body
            }
            ParameterSet::SlhDsaSha2_256f => {
                use fips205::slh_dsa_sha2_256f as $module;
                $body
            }
            ParameterSet::SlhDsaShake128s => {
                use fips205::slh_dsa_shake_128s as $module;
                $body
            }
            ParameterSet::SlhDsaShake128f => {
                use fips205::slh_dsa_shake_128f as $module;
                $body
            }
            ParameterSet::SlhDsaShake192s => {
                use fips205::slh_dsa_shake_192s as $module;
                $body
            }
            ParameterSet::SlhDsaShake192f => {
                use fips205::slh_dsa_shake_192f as $module;
                $body
            }
            ParameterSet::SlhDsaShake256s => {
                use fips205::slh_dsa_shake_256s as $module;
                $body
            }
            ParameterSet::SlhDsaShake256f => {
                use fips205::slh_dsa_shake_256f as $module;
                $body
            }
            _ => Err(CryptoError::BadParameters("the parameter set is none of SLH-DSA".into())),
        }
    };
}

/// Makes a private key: SK.seed ‖ SK.prf ‖ PK.seed ‖ PK.root (FIPS 205 §9.1).
pub(super) fn generate(set: ParameterSet) -> Result<Secret, CryptoError> {
    let mut seeds = Zeroizing::new(vec![0; n(set) * 3]);
    rand::fill(&mut seeds).map_err(|_| CryptoError::Unavailable("the random generator failed".into()))?;
    unhurried(|| made(set, &seeds))?
}

/// PK.seed ‖ PK.root, as the private key holds them.
pub(super) fn public_half(set: ParameterSet, key: &[u8]) -> Result<&[u8], CryptoError> {
    key.get(n(set) * 2..).filter(|half| half.len() == set.public_len()).ok_or_else(rejected)
}

/// Signs data, hedged, with an empty context. The signature is verified before it leaves: a fault in making one tells of the
/// key, and a public half that is another's is found so.
pub(super) fn sign(set: ParameterSet, key: &Secret, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    unhurried(|| {
        let signature = signed(set, key.expose(), data, &[], true)?;
        let public = public_half(set, key.expose())?;
        if verified(set, public, data, &[], &signature)? { Ok(signature) } else { Err(rejected()) }
    })?
}

/// Whether a key, given by its bytes, signed the data.
pub(super) fn verify(set: ParameterSet, key: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    verified(set, key, data, &[], signature)
}

/// The security parameter, in bytes: half of the public key.
const fn n(set: ParameterSet) -> usize {
    set.public_len() / 2
}

fn made(set: ParameterSet, seeds: &[u8]) -> Result<Secret, CryptoError> {
    with!(set, module => make::<module::KG, { module::N }, _>(seeds))
}

fn signed(set: ParameterSet, key: &[u8], data: &[u8], context: &[u8], is_hedged: bool) -> Result<Vec<u8>, CryptoError> {
    with!(set, module => sign_by::<module::PrivateKey, _, _>(key, data, context, is_hedged))
}

fn verified(set: ParameterSet, key: &[u8], data: &[u8], context: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    with!(set, module => verify_by::<module::PublicKey, _, _>(key, data, context, signature))
}

// A signature is an array, of up to 50 KB, and lies on the stack a few times: each set has a function of its own for it, so
// that a thread needs room for one of them, and not for all.

/// Algorithm 18, of three random numbers, one after the other.
#[inline(never)]
fn make<G, const N: usize, const KEY: usize>(seeds: &[u8]) -> Result<Secret, CryptoError>
where
    G: KeyGen<PrivateKey: SerDes<ByteArray = [u8; KEY]>>,
{
    let (numbers, _) = seeds.as_chunks::<N>();
    let [seed, prf, public] = numbers else { return Err(rejected()) };
    let (_, key) = G::keygen_from_seed(seed, prf, public);
    Ok(Secret::copy_of(&*Zeroizing::new(key.into_bytes())))
}

/// Algorithm 22, or its deterministic variant.
#[inline(never)]
fn sign_by<K, const KEY: usize, const SIGNATURE: usize>(
    key: &[u8],
    data: &[u8],
    context: &[u8],
    is_hedged: bool,
) -> Result<Vec<u8>, CryptoError>
where
    K: SerDes<ByteArray = [u8; KEY]> + Signer<Signature = [u8; SIGNATURE]>,
{
    let key = K::try_from_bytes(key.try_into().map_err(|_| rejected())?).map_err(|_| rejected())?;
    let signature = key.try_sign_with_rng(&mut Hedge, data, context, is_hedged);
    Ok(signature.map_err(|_| CryptoError::Failed("the key operation failed"))?.to_vec())
}

/// Algorithm 24. A signature of another length is none.
#[inline(never)]
fn verify_by<K, const KEY: usize, const SIGNATURE: usize>(
    key: &[u8],
    data: &[u8],
    context: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError>
where
    K: SerDes<ByteArray = [u8; KEY]> + Verifier<Signature = [u8; SIGNATURE]>,
{
    let key = K::try_from_bytes(key.try_into().map_err(|_| rejected())?).map_err(|_| rejected())?;
    Ok(signature.try_into().is_ok_and(|signature| key.verify(data, signature, context)))
}

/// The random number of a signature: the server's own generator, by the name that the crate calls it.
struct Hedge;

impl CryptoRng for Hedge {}

impl RngCore for Hedge {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The crate asks by `try_fill_bytes` alone; and a signature without randomness is as good as the deterministic one.
    fn fill_bytes(&mut self, out: &mut [u8]) {
        if self.try_fill_bytes(out).is_err() {
            out.fill(0);
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RngError> {
        rand::fill(out).map_err(|_| RngError::from(NonZero::<u32>::MIN))
    }
}

fn rejected() -> CryptoError {
    CryptoError::BadParameters("the parts of the key do not belong together".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::algorithm::Hash;
    use crate::crypto::public;

    /// Of NIST's ACVP, revision FIPS205: two keys of each parameter set, and two signatures with an external interface, pure and
    /// deterministic, of the shortest messages. The signatures stand there by their SHA-256.
    const VECTORS: &str = include_str!("slhdsa/acvp.txt");

    #[derive(Debug)]
    struct Vector {
        set: ParameterSet,
        is_signature: bool,
        key: Vec<u8>,
        context: Vec<u8>,
        message: Vec<u8>,
        digest: Vec<u8>,
    }

    fn vectors() -> impl Iterator<Item = Vector> {
        let bytes = |text: &str| if text == "-" { Vec::new() } else { hex::decode(text).unwrap() };
        VECTORS.lines().filter(|line| !line.starts_with('#')).map(move |line| {
            let mut fields = line.split(' ');
            let mut next = || fields.next().unwrap_or("-");
            let name = next();
            let of = |set: &ParameterSet| set.algorithm().name() == Some(name);
            let set = ParameterSet::ALL.into_iter().find(of).unwrap();
            let is_signature = next() == "sign";
            let [key, context, message, digest] = [next(), next(), next(), next()].map(bytes);
            Vector { set, is_signature, key, context, message, digest }
        })
    }

    fn agree(wanted: impl Fn(&Vector) -> bool) -> [usize; 2] {
        let mut run = [0, 0];
        for vector in vectors().filter(wanted) {
            let Vector { set, is_signature, key, context, message, digest } = &vector;
            run[usize::from(*is_signature)] += 1;
            if !is_signature {
                let made = made(*set, &key[..3 * n(*set)]).unwrap();
                assert_eq!(hex::encode(made.expose()), hex::encode(key), "{set:?}");
                continue;
            }
            let signature = signed(*set, key, message, context, false).unwrap();
            assert_eq!(signature.len(), set.output_len());
            assert_eq!(hex::encode(public::hash(Hash::Sha256, &signature)), hex::encode(digest), "{set:?}");
            refuses_what_is_changed(&vector, &signature);
        }
        run
    }

    /// The kinds of invalid signatures that ACVP has: of another message, too short and too long, and with a change in R, in
    /// the part of FORS and in that of the hypertree. And another context, another key, and a key of another length.
    fn refuses_what_is_changed(vector: &Vector, signature: &[u8]) {
        let Vector { set, key, context, message, .. } = vector;
        let public = public_half(*set, key).unwrap();
        let holds = |public: &[u8], message: &[u8], context: &[u8], signature: &[u8]| {
            verified(*set, public, message, context, signature).unwrap()
        };
        assert!(holds(public, message, context, signature));
        assert!(!holds(public, &[&message[..], b"x"].concat(), context, signature));
        assert!(!holds(public, message, context.get(1..).unwrap_or(b"x"), signature));
        assert!(!holds(public, message, context, &signature[1..]));
        assert!(!holds(public, message, context, &[signature, &[0]].concat()));
        assert!(!holds(public, message, context, &[]));
        for place in [0, n(*set), signature.len() - 1] {
            let mut changed = signature.to_vec();
            changed[place] ^= 1;
            assert!(!holds(public, message, context, &changed), "{set:?} at {place}");
        }
        for place in [0, n(*set)] {
            let mut other = public.to_vec();
            other[place] ^= 0x80;
            assert!(!holds(&other, message, context, signature));
        }
        assert!(verified(*set, &public[1..], message, context, signature).is_err());
    }

    /// The small sets sign slowly, and are tests of their own that run beside each other.
    fn is(name: &str) -> impl Fn(&Vector) -> bool {
        move |vector| vector.set.algorithm().name().unwrap() == name
    }

    #[test]
    fn nists_vectors_of_the_fast_sets_agree() {
        assert_eq!(agree(|vector| vector.set.algorithm().name().unwrap().ends_with('f')), [12, 12]);
    }

    #[test]
    fn nists_vectors_of_sha2_agree() {
        for name in ["SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-192s", "SLH-DSA-SHA2-256s"] {
            assert_eq!(agree(is(name)), [2, 2]);
        }
    }

    #[test]
    fn nists_vectors_of_shake_128s_agree() {
        assert_eq!(agree(is("SLH-DSA-SHAKE-128s")), [2, 2]);
    }

    #[test]
    fn nists_vectors_of_shake_192s_agree() {
        assert_eq!(agree(is("SLH-DSA-SHAKE-192s")), [2, 2]);
    }

    #[test]
    fn nists_vectors_of_shake_256s_agree() {
        assert_eq!(agree(is("SLH-DSA-SHAKE-256s")), [2, 2]);
    }

    /// A private key whose public half is another's makes no signature that leaves.
    #[test]
    fn what_does_not_verify_does_not_leave() {
        let set = ParameterSet::SlhDsaSha2_128f;
        let key = generate(set).unwrap();
        let signature = sign(set, &key, b"data").unwrap();
        assert!(verify(set, public_half(set, key.expose()).unwrap(), b"data", &signature).unwrap());
        assert_ne!(sign(set, &key, b"data").unwrap(), signature, "hedged");
        let mut other = key.expose().to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert!(matches!(sign(set, &Secret::new(other), b"data"), Err(CryptoError::BadParameters(_))));
        assert!(sign(set, &Secret::copy_of(&key.expose()[1..]), b"data").is_err());
    }
}
