//! A part belongs to its operation, its key and what was agreed in the first one: with keys of the server and of the module.

use kmip_codec::spec::{ResultReason, Tag};

use crate::guarded::pair;
use crate::house::House;
use crate::speaker::{Speaker, V2_1, ecb, octets, stays};
use crate::xml::{bo, bytes, en, id, st};

const BLOCK: &[u8] = b"sixteen letters.";

/// An operation that has parts.
struct Case {
    operation: &'static str,
    /// A key for it, and another one.
    keys: Option<[String; 2]>,
    /// Its parameters, and others.
    parameters: [String; 2],
    /// What goes with the last part.
    claim: Option<String>,
}

impl Case {
    fn payload(&self, key: usize, parameters: Option<usize>) -> Vec<String> {
        let mut payload: Vec<String> = self.keys.iter().map(|keys| id(&keys[key])).collect();
        payload.extend(parameters.map(|which| self.parameters[which].clone()));
        payload.push(bytes("Data", BLOCK));
        payload
    }

    fn begin(&self, speaker: &mut Speaker) -> Vec<u8> {
        let mut payload = self.payload(0, Some(0));
        payload.push(bo("InitIndicator", true));
        octets(&speaker.ask(self.operation, &payload), Tag::CorrelationValue)
    }

    /// The last part.
    fn end(
        &self,
        speaker: &mut Speaker,
        key: usize,
        parameters: Option<usize>,
        correlation: &[u8],
    ) -> Result<(), ResultReason> {
        // Hash has no key, and says its parameters with every part.
        let mut payload = self.payload(key, parameters.or(self.keys.is_none().then_some(0)));
        payload.push(bytes("CorrelationValue", correlation));
        payload.push(bo("FinalIndicator", true));
        payload.extend(self.claim.clone());
        speaker.attempt(V2_1, self.operation, &payload).map(drop)
    }
}

fn cases(speaker: &mut Speaker, more: &[String]) -> Vec<Case> {
    let parameters = |items: &[String]| st("CryptographicParameters", items);
    let hashes = ["SHA_256", "SHA_384"].map(|hash| en("HashingAlgorithm", hash));
    let aes = [(); 2].map(|()| speaker.create("AES", "256", "Encrypt Decrypt", more));
    let mac = [(); 2].map(|()| speaker.create("HMAC_SHA256", "256", "MACGenerate MACVerify", more));
    let [one, other] = [(); 2].map(|()| pair(speaker, "ECDSA", "256"));
    let ciphers = || [ecb(), parameters(&[en("BlockCipherMode", "ECB"), en("CryptographicAlgorithm", "AES")])];
    let codes = || {
        let named = en("CryptographicAlgorithm", "HMAC_SHA256");
        [parameters(std::slice::from_ref(&named)), parameters(&[hashes[0].clone(), named])]
    };
    let signing = || {
        let named = |hash: &String| parameters(&[hash.clone(), en("CryptographicAlgorithm", "ECDSA")]);
        [named(&hashes[0]), named(&hashes[1])]
    };
    let case = |operation, keys, parameters, claim| Case { operation, keys, parameters, claim };
    let (code, signature) = (bytes("MACData", &[7; 32]), bytes("SignatureData", &[7; 64]));
    vec![
        case("Encrypt", Some(aes.clone()), ciphers(), None),
        case("Decrypt", Some(aes), ciphers(), None),
        case("MAC", Some(mac.clone()), codes(), None),
        case("MACVerify", Some(mac), codes(), Some(code)),
        case("Sign", Some([one.0, other.0]), signing(), None),
        case("SignatureVerify", Some([one.1, other.1]), signing(), Some(signature)),
        case("Hash", None, [parameters(&hashes[..1]), parameters(&hashes[1..])], None),
    ]
}

#[test]
fn a_part_belongs_to_its_operation_its_key_and_its_parameters() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let mut other = Speaker::with(&house.kmipd.client_named("other"));
    for more in [Vec::new(), stays()] {
        let cases = cases(&mut speaker, &more);
        for case in &cases {
            let begun = case.begin(&mut speaker);
            let name = case.operation;
            for wrong in cases.iter().filter(|wrong| wrong.operation != name) {
                let came = wrong.end(&mut speaker, 0, None, &begun);
                assert_eq!(came, Err(ResultReason::InvalidCorrelationValue), "{} of {name}", wrong.operation);
            }
            if case.keys.is_some() {
                let came = case.end(&mut speaker, 1, None, &begun);
                assert_eq!(came, Err(ResultReason::InvalidCorrelationValue), "{name} with another key");
            }
            assert!(case.end(&mut other, 0, None, &begun).is_err(), "{name} of another client");
            // None of them has ended it, and what it came to has.
            assert_eq!(case.end(&mut speaker, 0, None, &begun), Ok(()), "{name}");
            let came = case.end(&mut speaker, 0, None, &begun);
            assert_eq!(came, Err(ResultReason::InvalidCorrelationValue), "{name} that has ended");

            let begun = case.begin(&mut speaker);
            assert_eq!(case.end(&mut speaker, 0, Some(0), &begun), Ok(()), "{name} with its parameters");
            let begun = case.begin(&mut speaker);
            assert!(case.end(&mut speaker, 0, Some(1), &begun).is_err(), "{name} with other parameters");
        }
    }
}
