//! Every threshold of parts joins, fewer do not; values of the published test cases and from the definitions.

use super::*;

/// Bytes that look random and are the same each time.
fn numbers() -> impl FnMut(usize) -> Result<Secret, SharingError> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |count| {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        Ok(Secret::new((0..count).map(|_| next()).collect()))
    }
}

fn secret() -> Secret {
    Secret::new((1..=16).collect())
}

/// The sets of so many of the first `of` numbers.
fn choices(of: usize, many: usize) -> Vec<Vec<usize>> {
    (0_u32..1 << of)
        .filter(|set| set.count_ones() as usize == many)
        .map(|set| (0..of).filter(|place| set >> place & 1 == 1).collect())
        .collect()
}

fn parts(hex: &[(u32, &str)]) -> Vec<Part> {
    hex.iter().map(|(number, hex)| Part { number: *number, bytes: Secret::new(hex::decode(hex).unwrap()) }).collect()
}

#[test]
fn every_threshold_of_parts_joins_and_fewer_do_not() {
    let methods = [Method::Gf8, Method::Gf16, Method::Prime(Prime::for_secret(16).unwrap())];
    for method in methods {
        for (count, threshold) in [(1, 1), (3, 1), (3, 2), (5, 3), (6, 6)] {
            let made = split(&secret(), count, threshold, &method, &mut numbers()).unwrap();
            assert_eq!(made.iter().map(|part| part.number).collect::<Vec<_>>(), (1..=count).collect::<Vec<_>>());
            let pick = |set: &[usize]| -> Vec<Part> { set.iter().map(|place| made[*place].clone()).collect() };
            for many in threshold..=count {
                for mut set in choices(count as usize, many as usize) {
                    assert_eq!(join(&pick(&set), &method, Some(16)), Ok(secret()), "{method:?} {set:?}");
                    set.reverse();
                    assert_eq!(join(&pick(&set), &method, Some(16)), Ok(secret()), "the order is of no meaning");
                }
            }
            for set in choices(count as usize, threshold as usize - 1).into_iter().filter(|set| !set.is_empty()) {
                assert_ne!(join(&pick(&set), &method, Some(16)), Ok(secret()), "{method:?} {set:?}");
            }
        }
    }
}

#[test]
fn exclusive_or_needs_all() {
    let made = split(&secret(), 4, 4, &Method::Xor, &mut numbers()).unwrap();
    assert_eq!(join(&made, &Method::Xor, None), Ok(secret()));
    for set in choices(4, 3) {
        let some: Vec<Part> = set.iter().map(|place| made[*place].clone()).collect();
        assert_ne!(join(&some, &Method::Xor, None), Ok(secret()));
    }
    let refused = split(&secret(), 4, 3, &Method::Xor, &mut numbers());
    assert!(matches!(refused, Err(SharingError::BadParameters(_))));
}

/// Parts that another server made, from the published test case TC-SJ-3: two of four, and the key is 01 to 10.
#[test]
fn published_parts_over_bytes() {
    let all = parts(&[
        (1, "66C46A7754F94DE420C7B1A7FFF5EC56"),
        (2, "CF93D1E2A7E593CD5B8D6247F4E5D49C"),
        (3, "A855B891F61AD9217240D8EC061E37DA"),
        (4, "803DBAD55CDD329FAD19D99AE2C5A415"),
    ]);
    for set in choices(4, 2) {
        let two: Vec<Part> = set.iter().map(|place| all[*place].clone()).collect();
        assert_eq!(join(&two, &Method::Gf8, None), Ok(secret()), "{set:?}");
    }
}

/// From the published test case TC-SJ-4.
#[test]
fn published_parts_by_exclusive_or() {
    let all = parts(&[
        (1, "d4b92c299199298e30dee13b967e6dda"),
        (2, "35ea4f615686230c7b11538693674e89"),
        (3, "3478ddd2e1f89f2005011d26d9fff37c"),
        (4, "d429bd9e23e192aa47c4a497d1e8df3f"),
    ]);
    assert_eq!(join(&all, &Method::Xor, None), Ok(secret()));
}

/// f(x) = 1234 + 166 x + 94 x^2 modulo 1613, the example in Shamir's wake: f(1) = 1494, f(2) = 1942 mod 1613 = 329, …
#[test]
fn a_small_prime_by_hand() {
    let prime = Prime::new(&1613_u16.to_be_bytes()).unwrap();
    let at = |x: u32| (1234 + 166 * x + 94 * x * x) % 1613;
    let all: Vec<Part> = (1..=6)
        .map(|number| {
            let value = u16::try_from(at(number)).unwrap();
            Part { number, bytes: Secret::copy_of(&value.to_be_bytes()) }
        })
        .collect();
    assert_eq!(at(1), 1494);
    for set in choices(6, 3) {
        let three: Vec<Part> = set.iter().map(|place| all[*place].clone()).collect();
        let joined = join(&three, &Method::Prime(prime.clone()), None).unwrap();
        assert_eq!(joined.expose(), 1234_u16.to_be_bytes(), "{set:?}");
    }
}

#[test]
fn primes() {
    // The smallest primes above the powers of two, from tables.
    for (bytes, above) in [(1, 1), (2, 1), (8, 13), (16, 51), (24, 133), (32, 297)] {
        let prime = Prime::for_secret(bytes).unwrap();
        let mut expected = vec![0; bytes + 1];
        expected[0] = 1;
        let low = u16::try_from(above).unwrap().to_be_bytes();
        expected[bytes] |= low[1];
        if bytes > 1 {
            expected[bytes - 1] |= low[0];
        }
        assert_eq!(prime.bytes(), expected, "2^{}", bytes * 8);
        assert_eq!(Prime::new(&expected), Ok(prime));
    }
    // 561 is a number of Carmichael; 3215031751 fools the bases 2, 3, 5 and 7.
    for composite in [0_u32, 1, 4, 561, 3_215_031_751] {
        assert!(Prime::new(&composite.to_be_bytes()).is_err(), "{composite}");
    }
    for prime in [2_u32, 3, 89, 97, 65_537, 4_294_967_291] {
        assert!(Prime::new(&prime.to_be_bytes()).is_ok(), "{prime}");
    }
    assert!(Prime::for_secret(66).is_err());
}

#[test]
fn a_secret_must_be_below_the_prime_and_keeps_its_length() {
    let method = Method::Prime(Prime::for_secret(16).unwrap());
    let zeros = Secret::new([vec![0; 3], vec![7; 13]].concat());
    let made = split(&zeros, 2, 2, &method, &mut numbers()).unwrap();
    assert_eq!(join(&made, &method, Some(16)), Ok(zeros));
    assert_eq!(join(&made, &method, None).unwrap().len(), 13);
    assert!(matches!(join(&made, &method, Some(12)), Err(SharingError::Failed(_))));
    let long = Secret::new(vec![1; 17]);
    let refused = split(&long, 2, 2, &method, &mut numbers());
    assert!(matches!(refused, Err(SharingError::BadParameters(_))));
}

#[test]
fn what_no_method_shares() {
    let bad = |secret: &[u8], count, threshold, method: Method| {
        split(&Secret::copy_of(secret), count, threshold, &method, &mut numbers()).is_err()
    };
    assert!(bad(b"", 2, 2, Method::Gf8));
    assert!(bad(b"odd", 2, 2, Method::Gf16));
    assert!(bad(b"even", 3, 4, Method::Gf8));
    assert!(bad(b"even", 3, 0, Method::Gf8));
    assert!(bad(b"even", 0, 0, Method::Gf8));
    assert!(bad(b"even", 256, 2, Method::Gf8));
    assert!(!bad(b"even", 255, 2, Method::Gf8));
    assert!(!bad(b"even", 256, 2, Method::Gf16));
    let twice = parts(&[(1, "aa"), (1, "bb")]);
    assert!(join(&twice, &Method::Gf8, None).is_err());
    assert!(join(&parts(&[(0, "aa"), (1, "bb")]), &Method::Gf8, None).is_err());
    assert!(join(&parts(&[(1, "aa"), (2, "bbcc")]), &Method::Gf8, None).is_err());
    assert!(join(&[], &Method::Gf8, None).is_err());
}
