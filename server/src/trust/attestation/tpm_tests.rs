//! What a TPM gave for `TPM2_Quote`: swtpm 0.7.1, attestation keys on P-256 and of RSA, registers 0 and 7 (7 extended once),
//! and one over two banks.

use super::*;

const ECDSA: &str = "\
    0091ff54434780180022000bf8d55afd328f88afa54c2258f2085abb083308f57fb01155e8a5965bb5deec98002000010203\
    0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00000000000004950000000100000000012019102300\
    16363600000001000b038100000020517df8c03e137e6cfd3c4b4d6c128deba0d9d61a4147c50038204144f7ac7287001800\
    0b00206bc977a724fe3528d3ba0bab523d7e7541215fd5d2cff7ca14bc6a75cb77a24300201a201fc56b329a5191510d3fd4\
    3304f54a31c608cfc4a5e336ca34c655743a3d";
const RSASSA: &str = "\
    0091ff54434780180022000b0574946d934ef885bf17a670b06b243030a2984a925f60a8bc5a022f3866c811002000010203\
    0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f000000000000061b0000000100000000012019102300\
    16363600000001000b038100000020517df8c03e137e6cfd3c4b4d6c128deba0d9d61a4147c50038204144f7ac7287001400\
    0b01001bb2f5a54bd0eabb50801f1b1cb49a6acae99cc14a58ea71ad7ea91528a974b69f5f7436097015f3d78a37ec2ca9bc\
    37872bdf48c5e42636e417f8adbd8722f6bcb335e8cad7f0a276557970acadbb8429b7913a11f3051b85e9e596a5f91815ca\
    010f4c2eb135534cfbdd292845f86928f9dd9098aefbe4cc3cece72311edbf6f4132a4b6b8542d689df0d64904fd3debddaf\
    8ed11824236345c3a89d063d1b66f91b3a363f55e7ec1b4646aae417d9fbbe4e727c9f570075250f5caf5ad0f7728fa49b9e\
    8d5e9fb631075282559aa7ab9612b93e1505311a35f86f39162b01d5e8ca11c5f2388fc29e37bf0f09544ffe564da419b6f2\
    51f6078cae8d196805";
const RSAPSS: &str = "\
    0091ff54434780180022000b1adbb234d4e91c5beee925d11f2364973acecdc287ba646c6b8a27bb16c2f2e6002000010203\
    0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00000000000007740000000100000000012019102300\
    16363600000001000b038100000020517df8c03e137e6cfd3c4b4d6c128deba0d9d61a4147c50038204144f7ac7287001600\
    0b01009999239b13f8b3fd55ed7c249c3af8b792c61da31e1eaa94a6e4bfca2ea487ef3e4fbab58079b56c17735bf42fe22f\
    a781a6e87edf452a7109a2e5ab7bf6ba977db5ddc56965586a00508194f83c38ffef89ff161b8ab9e80407a17c2b2afd7658\
    24e4803ca97c594087c396a528ebf07c142e334fcd4a68fa3885786bf70773def87b0bb60ae451318b126c1a2428f7421d56\
    6e8d0c0036624f9c454b767c0e62fcd7f8ab5e3f11aa8404a0f7f18ce8effdf3876b467811fb917bf5ee8a62e7d255209372\
    483f7ec3f880dd6126f2a67b5590c1f8852461f258c05da389002c80091a6900cefc8e23c8aa1f139c291834235304deecc4\
    b616bde4338865d67e";
const TWO: &str = "\
    0097ff54434780180022000bf8d55afd328f88afa54c2258f2085abb083308f57fb01155e8a5965bb5deec98002000010203\
    0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f000000000000079f0000000100000000012019102300\
    16363600000002000403030000000b038000000020d629e095d9fc4eba939f8d09504aded9a5a285c745870a0209eac32312\
    60e26e0018000b002061345ae43194fb0148df0280a5eb8de2873ad221cf65ed2d50208af055960ee20020548d31947b6a32\
    3548a58a2bd8ed9966413e4807650e346a4470014e20b80fb0";
const ECDSA_KEY: &str = "\
    3059301306072a8648ce3d020106082a8648ce3d03010703420004b65d9f332ecbc46afce3048ec88163280996b5db1e96d6\
    a8ca18a2e556f316c4d6e23348fd126dc2c87bf1440d1d881fdf2b825b92b58db93d93f6c7e3ba5cb2";
const RSASSA_KEY: &str = "\
    30820122300d06092a864886f70d01010105000382010f003082010a0282010100afb8d4bf3d9dcf82bf7f3337fcd42081f3\
    3bdb7d7b8551744660c1a7ca0889d8506088d993d06c0d7b78b466c3b5c31f324d5b3a757992965a88bf297dce420ec15c1a\
    25b9b073e7934de548538276c14be2f9ddd414cf5e732f468ad186f98b8fa3a2bdbb121d5836d790fb2bb5b4da87d25c02fb\
    c4724550ba31a7acf53b3eff2e88b4947cbb82a4323e800d0eedf515917c1e44e9ba457b5852caa2826245807294bd3d44c8\
    1fbed8156dec794b7b1d3fa70ba803c0b0380f502d462df80a38d0fc7876e898f6111d31f981674b9316014d1d551b08b9e7\
    f9540046e1e648bb84c9660d0a12adf06bd9229afff006f58a339d67db70002d6512f6e19828ff0203010001";
const RSAPSS_KEY: &str = "\
    30820122300d06092a864886f70d01010105000382010f003082010a0282010100a12092ce567e005988d59c8d648a25757e\
    497f71513f486a3dc5bcb7cfb9d821fc9a6aa5a8487754733fb3b22469194da3920db74514ec73120127710452219865343a\
    ec26bf3be05b0ded451158ccb1463fd50e6dc6f51700e1a116ad74cf98d64cd4e392bd32d76357827af249171cb1c1cb8144\
    f7a07c8a297c415add063a82f82e9cbaebb1e1577ed91fa82c8942c3095ef49bc7dad8d7f3f0714bf042158a98faae884477\
    6018a6c72d08f55e9bbe92178458a6c67c1fe84ff2019e793fd548aced42ae5c8b3e92ffd382c298f470583c4155ac5aa4b7\
    6877ce049e214536a77b308c5fa0c4af07339f11f7e3a623fbf807c15a9170e283ca7041d40b190203010001";
const SEVEN: &str = "9EF814B42FA0BE12D197C44D3E8E03441A4B1118237658368BA1351090E556ED";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

type Bank<'a> = (Hash, &'a [(u8, Vec<u8>)]);

fn registers(banks: &[Bank<'_>]) -> Registers {
    banks.iter().map(|(bank, values)| (*bank, values.iter().cloned().collect())).collect()
}

fn zero_and_seven() -> Registers {
    registers(&[(Hash::Sha256, &[(0, vec![0; 32]), (7, bytes(SEVEN))])])
}

const REAL: [(&str, &str); 3] = [(ECDSA, ECDSA_KEY), (RSASSA, RSASSA_KEY), (RSAPSS, RSAPSS_KEY)];

#[test]
fn what_a_tpm_gives_is_verified() {
    for (quote, key) in REAL {
        let (quote, key) = (bytes(quote), bytes(key));
        assert!(is_attestation_key(&key));
        let quote = Quote::read(&quote).unwrap();
        assert_eq!(quote.qualifying(), (0..32).collect::<Vec<u8>>());
        assert!(quote.is_signed_by(&key) && quote.shows(&zero_and_seven()));
        assert_eq!(REAL.iter().filter(|(_, other)| quote.is_signed_by(&bytes(other))).count(), 1);
    }
}

#[test]
fn registers_are_those_that_are_asked_for_and_no_others() {
    let (one, two) = (bytes(ECDSA), bytes(TWO));
    let quote = Quote::read(&one).unwrap();
    for wrong in [
        registers(&[]),
        registers(&[(Hash::Sha256, &[(7, bytes(SEVEN))])]),
        registers(&[(Hash::Sha256, &[(0, vec![0; 32]), (7, vec![0; 32])])]),
        registers(&[(Hash::Sha256, &[(0, vec![0; 32]), (1, vec![0; 32]), (7, bytes(SEVEN))])]),
        registers(&[(Hash::Sha384, &[(0, vec![0; 32]), (7, bytes(SEVEN))])]),
    ] {
        assert!(!quote.shows(&wrong), "{wrong:?}");
    }
    let quote = Quote::read(&two).unwrap();
    assert!(quote.is_signed_by(&bytes(ECDSA_KEY)));
    let (sha1, sha256): ([_; 2], _) = ([(0, vec![0; 20]), (1, vec![0; 20])], [(7, bytes(SEVEN))]);
    assert!(quote.shows(&registers(&[(Hash::Sha256, &sha256), (Hash::Sha1, &sha1)])));
    assert!(!quote.shows(&registers(&[(Hash::Sha256, &sha256)])));
}

#[test]
fn each_bit_of_what_is_signed_counts() {
    for (good, key) in REAL {
        let (good, key) = (bytes(good), bytes(key));
        let signed = 2 + usize::from(u16::from_be_bytes([good[0], good[1]]));
        for bit in 0..good.len() * 8 {
            // Behind the signed part every tenth is enough.
            if bit >= signed * 8 + 64 && bit % 10 != 0 {
                continue;
            }
            let mut bad = good.clone();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            let passes = Quote::read(&bad).is_ok_and(|quote| quote.is_signed_by(&key));
            assert!(!passes, "bit {bit}");
        }
        for length in 0..good.len() {
            assert!(Quote::read(&good[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(Quote::read(&[&good[..], &[0]].concat()).unwrap_err(), "goes on after its end");
    }
}

#[test]
fn other_attestations_and_weak_signatures_are_refused() {
    let good = bytes(ECDSA);
    let with = |at: usize, to: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + to.len()].copy_from_slice(to);
        Quote::read(&bad).unwrap_err()
    };
    let signature = 2 + usize::from(u16::from_be_bytes([good[0], good[1]]));
    assert_eq!(with(2, &[0]), "was not made by a TPM");
    // TPM_ST_ATTEST_CERTIFY.
    assert_eq!(with(6, &[0x80, 0x17]), "is another attestation than a quote");
    assert_eq!(with(signature, &[0, 5]), "has a signature of another kind than RSASSA, RSAPSS and ECDSA");
    assert_eq!(with(signature + 2, &[0, 4]), "is signed over SHA-1");
    assert!(!is_attestation_key(b"no key"));
}
