//! The other modes, paddings and counters: vectors of SP 800-38C, IEEE 1619, RFC 3394, RFC 5649 and RFC 3686.

use super::*;

fn both_ways(bench: &Bench, asked: &Request, data: &str, expected: &str, tag: Option<&str>) {
    let answer = encrypt(bench, asked.clone()).unwrap();
    assert_eq!(answer.data, blob(expected));
    assert_eq!(answer.authenticated_encryption_tag, tag.and_then(blob));
    assert_eq!(decrypt(bench, reverse(asked, &answer)).unwrap().data, blob(data));
    // The same in parts, cut in the middle.
    let (first, second) = data.split_at(data.len() / 4 * 2);
    let mut part = asked.clone();
    (part.data, part.init_indicator) = (blob(first).map(Data::Bytes), Some(true));
    let begun = encrypt(bench, part).unwrap();
    let mut part = request(asked.unique_identifier.as_ref().unwrap(), None, second);
    (part.correlation_value, part.final_indicator) = (begun.correlation_value, Some(true));
    let ended = encrypt(bench, part).unwrap();
    let joined = [begun.data, ended.data].map(|data| data.map(|data| data.to_vec()).unwrap_or_default()).concat();
    assert_eq!((Some(Blob::new(joined)), ended.authenticated_encryption_tag), (answer.data, tag.and_then(blob)));
}

#[test]
fn ccm_xts_and_the_key_wraps() {
    let bench = Bench::new();
    let key = aes(&bench, "404142434445464748494a4b4c4d4e4f");
    let ccm = Parameters { tag_length: Some(8), ..mode(Mode::CCM) };
    let mut asked = request(&key, Some(ccm), "202122232425262728292a2b2c2d2e2f3031323334353637");
    asked.iv_counter_nonce = blob("101112131415161718191a1b");
    asked.additional_data = blob("000102030405060708090a0b0c0d0e0f10111213");
    let text = "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5";
    let data = "202122232425262728292a2b2c2d2e2f3031323334353637";
    both_ways(&bench, &asked, data, text, Some("484392fbc1b09951"));

    let key = aes(&bench, "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0bfbebdbcbbbab9b8b7b6b5b4b3b2b1b0");
    let data = "000102030405060708090a0b0c0d0e0f101112";
    let mut asked = request(&key, Some(mode(Mode::XTS)), data);
    asked.iv_counter_nonce = blob("9a785634120000000000000000000000");
    both_ways(&bench, &asked, data, "e5df1351c0544ba1350b3363cd8ef4beedbf9d", None);
    // Two keys of 256 bits.
    let long = "27182818284590452353602874713526624977572470936999595749669676273141592653589793238462643383279502884197\
                169399375105820974944592";
    let key = aes(&bench, long);
    let data = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let mut asked = request(&key, Some(mode(Mode::XTS)), data);
    asked.iv_counter_nonce = blob("ff000000000000000000000000000000");
    both_ways(&bench, &asked, data, "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b", None);
    // Such a key is for nothing else.
    refused(encrypt(&bench, request(&key, Some(mode(Mode::ECB)), PLAIN)), Reason::BadCryptographicParameters, "AES");

    let key = aes(&bench, "000102030405060708090a0b0c0d0e0f");
    let data = "00112233445566778899aabbccddeeff";
    let text = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5";
    both_ways(&bench, &request(&key, Some(mode(Mode::NISTKeyWrap)), data), data, text, None);
    let key = aes(&bench, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
    let data = "c37b7e6492584340bed12207808941155068f738";
    let text = "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a";
    both_ways(&bench, &request(&key, Some(mode(Mode::AESKeyWrapPadding)), data), data, text, None);
}

#[test]
fn the_counter_of_ctr_is_said_in_parameters() {
    let bench = Bench::new();
    // RFC 3686 §6, vector 2: nonce and IV, and a counter that begins with 1.
    let key = aes(&bench, "7e24067817fae0d743d6ce1f32539163");
    let data = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let text = "5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28";
    let counted = Parameters { counter_length: Some(32), initial_counter_value: Some(1), ..mode(Mode::CTR) };
    let fields = Parameters { fixed_field_length: Some(32), invocation_field_length: Some(64), ..counted.clone() };
    let long = Parameters { iv_length: Some(96), ..fields.clone() };
    for parameters in [counted.clone(), fields, long, Parameters { counter_length: None, ..counted.clone() }] {
        let mut asked = request(&key, Some(parameters), data);
        asked.iv_counter_nonce = blob("006cb6dbc0543b59da48d90b");
        both_ways(&bench, &asked, data, text, None);
    }
    let whole = Parameters { initial_counter_value: None, ..counted.clone() };
    for parameters in [whole.clone(), counted.clone()] {
        let mut asked = request(&key, Some(parameters), data);
        asked.iv_counter_nonce = blob("006cb6dbc0543b59da48d90b00000001");
        both_ways(&bench, &asked, data, text, None);
    }
    // The last counter of its length.
    let mut asked = request(&key, Some(whole), data);
    asked.iv_counter_nonce = blob("006cb6dbc0543b59da48d90bffffffff");
    refused(encrypt(&bench, asked.clone()), Reason::BadCryptographicParameters, "wrap");
    asked.data = data.get(..32).and_then(blob).map(Data::Bytes);
    encrypt(&bench, asked.clone()).unwrap();
    // In parts it does not wrap either.
    asked.init_indicator = Some(true);
    let begun = encrypt(&bench, asked).unwrap();
    let mut rest = request(&key, None, "00");
    (rest.correlation_value, rest.final_indicator) = (begun.correlation_value, Some(true));
    refused(encrypt(&bench, rest), Reason::BadCryptographicParameters, "wrap");

    // The server makes what stands before the counter.
    let random = Parameters { random_iv: Some(true), ..counted };
    for parameters in [random.clone(), Parameters { counter_length: None, iv_length: Some(96), ..random.clone() }] {
        let asked = request(&key, Some(parameters), data);
        let answer = encrypt(&bench, asked.clone()).unwrap();
        assert_eq!(answer.iv_counter_nonce.as_ref().unwrap().len(), 12);
        assert_eq!(decrypt(&bench, reverse(&asked, &answer)).unwrap().data, blob(data));
    }
    let unsupported = Reason::UnsupportedCryptographicParameters;
    let short = Parameters { counter_length: Some(64), ..random.clone() };
    refused(encrypt(&bench, request(&key, Some(short), data)), unsupported, "96 bits");
    let fixed = Parameters { fixed_field_length: Some(32), ..random.clone() };
    refused(encrypt(&bench, request(&key, Some(fixed), data)), unsupported, "fixed field");
    let open = Parameters { counter_length: None, ..random };
    refused(encrypt(&bench, request(&key, Some(open), data)), Reason::BadCryptographicParameters, "Counter Length");
}

#[test]
fn every_padding_method_goes_both_ways() {
    let permits = crate::crypto::permits::Permits::preset(crate::crypto::permits::Preset::Legacy);
    let bench = Bench::with(crate::view::Settings { permits, ..Default::default() }, None);
    let key = aes(&bench, SP800_38A);
    let triple = bench.key(Algorithm::DES3, &hex("0123456789abcdef23456789abcdef01456789abcdef0123"), BOTH, vec![]);
    for method in [PaddingMethod::PKCS5, PaddingMethod::ANSIX923, PaddingMethod::ISO10126] {
        for (key, named, iv) in
            [(&key, Mode::CBC, Some(IV)), (&key, Mode::ECB, None), (&triple, Mode::CBC, IV.get(..16))]
        {
            let padded = Parameters { padding_method: Some(method), ..mode(named) };
            for data in ["", "01", PLAIN, "0102030405060708090a"] {
                let mut asked = request(key, Some(padded.clone()), data);
                asked.iv_counter_nonce = iv.and_then(blob);
                let answer = encrypt(&bench, asked.clone()).unwrap();
                assert_eq!(decrypt(&bench, reverse(&asked, &answer)).unwrap().data, blob(data));
            }
        }
    }
}

/// Under a key that is not Extractable the server makes what must not come twice, unless the configuration says otherwise.
#[test]
fn a_key_that_stays_takes_no_nonce_of_a_client() {
    let settings = |client_nonces| crate::view::Settings { client_nonces, ..Default::default() };
    for leave in [false, true] {
        let bench = Bench::with(settings(leave), None);
        let stays =
            |value| bench.key(Algorithm::AES, &hex(SP800_38A), BOTH, vec![(Tag::Extractable, Value::Boolean(value))]);
        for extractable in [false, true] {
            let key = stays(extractable);
            for (given, iv) in [(gcm(16), IV.get(..24)), (mode(Mode::CTR), Some(IV)), (mode(Mode::OFB), Some(IV))] {
                let mut asked = request(&key, Some(given), PLAIN);
                asked.iv_counter_nonce = iv.and_then(blob);
                let first = Request { init_indicator: Some(true), ..asked.clone() };
                for asked in [asked, first] {
                    let answer = encrypt(&bench, asked);
                    if leave || extractable {
                        answer.unwrap();
                    } else {
                        refused(answer, Reason::PermissionDenied, "the server makes the nonces");
                    }
                }
            }
            // The same IV twice tells little in CBC.
            let mut asked = request(&key, Some(mode(Mode::CBC)), PLAIN);
            asked.iv_counter_nonce = blob(IV);
            encrypt(&bench, asked).unwrap();
        }
    }
}

/// The last part of a decryption, which has nothing but its key.
fn reverse_end(whole: &decrypt::Request) -> decrypt::Request {
    decrypt::Request {
        cryptographic_parameters: None,
        iv_counter_nonce: None,
        additional_data: None,
        authenticated_encryption_tag: None,
        final_indicator: Some(true),
        ..whole.clone()
    }
}

/// Nobody learns from an answer what is wrong with a ciphertext.
#[test]
fn what_does_not_decrypt_is_answered_alike() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let parameters = [
        gcm(16),
        Parameters { tag_length: Some(16), ..mode(Mode::CCM) },
        cbc_padded(),
        Parameters { padding_method: Some(PaddingMethod::ANSIX923), ..mode(Mode::ECB) },
        mode(Mode::NISTKeyWrap),
        mode(Mode::AESKeyWrapPadding),
    ];
    for given in parameters {
        let named = given.block_cipher_mode.unwrap();
        let mut asked = request(&key, Some(given), &PLAIN.repeat(2));
        asked.iv_counter_nonce = match named {
            Mode::GCM | Mode::CCM => IV.get(..24).and_then(blob),
            Mode::CBC => blob(IV),
            _ => None,
        };
        let answer = encrypt(&bench, asked.clone()).unwrap();
        let good = reverse(&asked, &answer);
        let text = answer.data.unwrap().to_vec();
        let mut wrong = vec![text[1..].to_vec(), text[..text.len() - 1].to_vec(), vec![7; text.len()]];
        if good.authenticated_encryption_tag.is_none() {
            wrong.push(Vec::new());
        }
        for data in wrong {
            let mut bad = good.clone();
            bad.data = Some(Data::Bytes(Blob::new(data)));
            let said = decrypt(&bench, bad.clone()).unwrap_err();
            assert_eq!(said, Failure::new(Reason::CryptographicFailure, "the data does not decrypt"), "{named}");
            // In parts it is the last one that says so.
            let mut last = decrypt::Request { data: bad.data, ..reverse_end(&good) };
            let begun = decrypt(&bench, decrypt::Request { data: None, init_indicator: Some(true), ..good.clone() });
            last.correlation_value = begun.unwrap().correlation_value;
            assert_eq!(decrypt(&bench, last).unwrap_err(), said, "{named} in parts");
        }
        for tag in good.authenticated_encryption_tag.iter().flat_map(|tag| [tag[1..].to_vec(), vec![0; 16], vec![]]) {
            let mut bad = good.clone();
            bad.authenticated_encryption_tag = Some(Blob::new(tag));
            let said = decrypt(&bench, bad).unwrap_err();
            assert_eq!(said, Failure::new(Reason::CryptographicFailure, "the data does not decrypt"), "{named}");
        }
    }
}

/// A short counter has room for all the blocks that it can count, whatever is drawn.
#[test]
fn a_random_iv_leaves_room_for_its_counter() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let ctr = Parameters { random_iv: Some(true), counter_length: Some(8), ..mode(Mode::CTR) };
    let most = "00".repeat(256 * 16);
    let mut made = Vec::new();
    for _ in 0..8 {
        let answer = encrypt(&bench, request(&key, Some(ctr.clone()), &most)).unwrap();
        let iv = answer.iv_counter_nonce.clone().unwrap();
        assert_eq!((iv.len(), iv[15]), (16, 0));
        made.push(iv);
        let further = request(&key, Some(ctr.clone()), &format!("{most}00"));
        refused(encrypt(&bench, further), Reason::BadCryptographicParameters, "wrap");
    }
    made.dedup();
    assert_eq!(made.len(), 8);
}
