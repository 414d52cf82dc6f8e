//! Kinds of keys that not every module has.

use kmip_codec::spec::ResultReason;

use crate::guarded::{nothing_came_in_or_out, pair, signs};
use crate::house::House;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, wrapped_with};
use crate::xml::{en, id};

/// CKM_EDDSA, CKM_ML_DSA and CKM_SLH_DSA.
const EDDSA: u64 = 0x1057;
const ML_DSA: u64 = 0x1d;
const SLH_DSA: u64 = 0x2e;

/// kryoptic wraps the first and has the others on its token alone: none leaves, and all work there.
#[test]
fn pairs_of_edwards_curves_and_of_lattices_and_hashes_sign_in_the_module_and_stay_there() {
    let house = House::kryoptic();
    let mut speaker = Speaker::of(&house.kmipd);
    let by = speaker.register(&[7; 32], &[]);
    for (algorithm, bits, mechanism) in
        [("Ed25519", "256", EDDSA), ("ML_DSA_65", "15616", ML_DSA), ("SLH_DSA_SHA2_128f", "256", SLH_DSA)]
    {
        house.forget_calls();
        let halves = pair(&mut speaker, algorithm, bits);
        signs(&mut speaker, &halves, &[en("CryptographicAlgorithm", algorithm)]);
        let made = calls(&house.calls);
        nothing_came_in_or_out(&made);
        assert_eq!(named(&made, "C_GenerateKeyPair").count(), 1, "{algorithm}");
        let signed: Vec<_> = named(&made, "C_SignInit").map(|call| call["mechanism"].as_u64()).collect();
        assert_eq!(signed, [Some(mechanism)], "{algorithm}");

        let (private, public) = &halves;
        assert!(speaker.flag(private, "NeverExtractable"));
        for more in [String::new(), en("KeyFormatType", "PKCS_8"), wrapped_with(&by, "NoEncoding")] {
            assert_eq!(speaker.refusal("Get", &[id(private), more]), ResultReason::NotExtractable, "{algorithm}");
        }
        speaker.ask("Get", &[id(public)]);
    }
}
