//! Names as the text encodings write them (KMIP Additional Message Encodings 1.0 §4.1.3).

/// The name of a tag, item type or enumeration value in XML and JSON, made from the name in the standard's tables.
///
/// Brackets separate words, as does a mark before a capital or small letter that a small letter follows; any other
/// mark becomes an underscore. Digits at the front of the first word go to its end, words start with a capital.
///
/// ```
/// # use kmip_codec::spec::xml_name;
/// assert_eq!(xml_name("3DES"), "DES3");
/// assert_eq!(xml_name("SHA-256 with RSA Encryption"), "SHA_256WithRSAEncryption");
/// ```
pub fn xml_name(name: &str) -> String {
    let mut words = Words::default();
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        let starts_word = ahead.next().is_some_and(|a| a.is_ascii_alphabetic())
            && ahead.next().is_some_and(|b| b.is_ascii_lowercase());
        match c {
            '(' | ')' => words.close(),
            c if c.is_alphanumeric() || c == '_' => words.push(c),
            c if c.is_whitespace() || starts_word => words.close(),
            _ => words.push('_'),
        }
    }
    words.joined()
}

/// The words of a name, the last one still open.
#[derive(Default)]
struct Words {
    closed: Vec<String>,
    open: String,
}

impl Words {
    fn push(&mut self, c: char) {
        self.open.push(c);
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.closed.push(std::mem::take(&mut self.open));
        }
    }

    fn joined(mut self) -> String {
        self.close();
        let mut name = String::new();
        for (i, word) in self.closed.iter().enumerate() {
            let digits = word.chars().take_while(char::is_ascii_digit).count();
            // A word of digits alone stays as it is either way.
            let front = if i == 0 { digits } else { 0 };
            let moved = word.chars().skip(front).chain(word.chars().take(front));
            name.extend(moved.enumerate().map(|(j, c)| if j == 0 { c.to_ascii_uppercase() } else { c }));
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::xml_name;

    #[test]
    fn names_as_the_published_messages_write_them() {
        for (name, expected) in [
            ("PKCS#1", "PKCS_1"),
            ("PKCS#8", "PKCS_8"),
            ("PKCS#12 Friendly Name", "PKCS_12FriendlyName"),
            ("PKCS#12 Certificate Link", "PKCS_12CertificateLink"),
            ("PKCS#11 Return Code", "PKCS_11ReturnCode"),
            ("PKCS1 v1.5", "PKCS1V1_5"),
            ("SHA-256", "SHA_256"),
            ("SHA-512/256", "SHA_512_256"),
            ("SHA3-224", "SHA3_224"),
            ("SHA-1 with RSA Encryption", "SHA_1WithRSAEncryption"),
            ("ECDSA with SHA256", "ECDSAWithSHA256"),
            ("HMAC-SHA256", "HMAC_SHA256"),
            ("X.509", "X_509"),
            ("X.509 Certificate Identifier", "X_509CertificateIdentifier"),
            ("ANSI X9.31", "ANSIX9_31"),
            ("X9.102 AESKW", "X9_102AESKW"),
            ("CBC", "CBC"),
            ("3DES", "DES3"),
            ("P-256", "P_256"),
            ("Dual-EC", "Dual_EC"),
            ("Pre-Active", "PreActive"),
            ("Re-key Key Pair", "ReKeyKeyPair"),
            ("Template-Attribute", "TemplateAttribute"),
            ("IV/Counter/Nonce", "IVCounterNonce"),
            ("MAC/Signature Key Information", "MACSignatureKeyInformation"),
            ("MAC/sign then encrypt", "MACSignThenEncrypt"),
            ("Polynomial Sharing GF (2^8)", "PolynomialSharingGF2_8"),
            ("Baseline Client TLS v1.2 KMIP v1.2", "BaselineClientTLSV1_2KMIPV1_2"),
            ("On-line storage", "OnLineStorage"),
            ("Key wrap", "KeyWrap"),
            ("C_GetInfo", "C_GetInfo"),
            ("FIPS 186-2", "FIPS186_2"),
        ] {
            assert_eq!(xml_name(name), expected, "{name}");
        }
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(xml_name(""), "");
        assert_eq!(xml_name("(3)"), "3");
    }
}
