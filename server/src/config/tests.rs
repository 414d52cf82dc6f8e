use std::path::Path;

use super::*;

const LEAST: &str = r#"
[tls]
certificate = "server.pem"
key = "server.key"
client_ca = "/etc/pki/ca.pem"
[store]
path = "store"
[root_key]
kind = "file"
path = "root.key"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/kmipd"))
}

fn refused(change: impl Fn(&str) -> String) -> String {
    parse(&change(LEAST)).unwrap_err()
}

#[test]
fn relative_paths_start_at_the_file() {
    let config = parse(LEAST).unwrap();
    assert_eq!(config.tls.certificate, Path::new("/etc/kmipd/server.pem"));
    assert_eq!(config.tls.client_ca, Path::new("/etc/pki/ca.pem"));
    assert_eq!(config.store.path, Path::new("/etc/kmipd/store"));
    assert_eq!(config.root_key.path.as_deref(), Some(Path::new("/etc/kmipd/root.key")));
    assert_eq!(config.listen.address[0].port(), 5696);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known() {
    assert_eq!(
        refused(|text| format!("\n[listen]\nadress = \"127.0.0.1:1\"{text}")),
        "unknown key `adress` in [listen], line 3: did you mean `address`?"
    );
    assert_eq!(
        refused(|text| format!("{text}[lisen]\naddress = \"127.0.0.1:1\"\n")),
        "unknown key `lisen`, line 11: did you mean `listen`?"
    );
    assert_eq!(
        refused(|text| format!("{text}[limits]\nrequest_byte = 1\n")),
        "unknown key `request_byte` in [limits], line 12: did you mean `request_bytes`?"
    );
    let far = refused(|text| format!("{text}[log]\ncolour = true\n"));
    assert_eq!(far, "unknown key `colour` in [log], line 12: known are level, format");
}

/// What `kmipd check` and `kmipd serve` say of the algorithms.
#[test]
fn what_is_wrong_with_the_algorithms_is_said_where_it_is() {
    let refused = |lines: &str| refused(|text| format!("{text}[algorithms]\n{lines}\n"));
    assert_eq!(refused("preset = \"fps\""), "unknown value `fps` in [algorithms], line 12: did you mean `fips`?");
    assert_eq!(refused("alow = [\"3DES\"]"), "unknown key `alow` in [algorithms], line 12: did you mean `allow`?");
    assert_eq!(
        refused("process = [\"aes256\"]"),
        "[algorithms] process: there is no algorithm \"aes256\": did you mean \"AES-256\"?"
    );
    let none = refused("forbid = [\"ROT13\"]");
    assert!(none.starts_with("[algorithms] forbid: there is no algorithm \"ROT13\": known are AES-128, "), "{none}");
    assert_eq!(
        refused("allow = [\"3DES\"]\nforbid = [\"3des\"]"),
        "[algorithms] names \"3DES\" both in allow and in forbid: it can be in one of them"
    );
    assert_eq!(refused("allow = [\"ECB\", \"ECB\"]"), "[algorithms] allow names \"ECB\" twice");
    let kind = refused("allow = \"ECB\"");
    assert!(kind.contains("expected a sequence") && kind.ends_with("in [algorithms], line 12"), "{kind}");
}

#[test]
fn an_unknown_value_is_named_with_the_nearest_known() {
    assert_eq!(
        refused(|text| format!("{text}[identity]\nfrom = \"san_uri\"\n")),
        "unknown value `san_uri` in [identity], line 12: did you mean `san-uri`?"
    );
}

#[test]
fn a_value_of_another_type_is_named_with_its_line() {
    let said = refused(|text| format!("{text}[limits]\nconnections = \"many\"\n"));
    assert!(said.contains("in [limits], line 12"), "{said}");
    assert!(said.contains("expected usize"), "{said}");
    let said = refused(|text| format!("{text}[listen]\naddress = \"localhost\"\n"));
    assert!(said.starts_with("\"localhost\" is not an IP address with a port"), "{said}");
    assert!(said.ends_with("in [listen], line 12"), "{said}");
}

#[test]
fn a_missing_section_or_key_is_named() {
    let said = refused(|text| text.replace("[store]\npath = \"store\"\n", ""));
    assert!(said.contains("missing field `store`"), "{said}");
    let said = refused(|text| text.replace("key = \"server.key\"\n", ""));
    assert!(said.contains("missing field `key` in [tls]") || said.contains("missing field `key`"), "{said}");
}

#[test]
fn the_root_key_has_the_fields_of_its_kind() {
    let root = |fields: &str| refused(|text| text.replace("kind = \"file\"\npath = \"root.key\"", fields));
    assert_eq!(root("kind = \"file\""), "[root_key] kind = \"file\" needs `path`");
    assert_eq!(
        root("kind = \"file\"\npath = \"a\"\ncredential = \"b\""),
        "[root_key] `credential` has no meaning with kind = \"file\""
    );
    assert_eq!(
        root("kind = \"passphrase\""),
        "[root_key] kind = \"passphrase\" needs one of `passphrase_file`, `credential`"
    );
    assert_eq!(
        root("kind = \"passphrase\"\ncredential = \"A\"\npassphrase_file = \"b\""),
        "[root_key] kind = \"passphrase\" takes only one of `passphrase_file`, `credential`"
    );
    assert_eq!(root("kind = \"hsm\""), "[root_key] kind = \"hsm\" needs an [hsm] section that names the module");
}

#[test]
fn the_hsm_has_one_token_and_one_pin() {
    let hsm = |fields: &str| refused(|text| format!("{text}[hsm]\nmodule = \"/m.so\"\n{fields}\n"));
    assert_eq!(hsm("pin_env = \"PIN\""), "[hsm] needs one of `token`, `slot`");
    assert_eq!(hsm("token = \"a\"\nslot = 1\npin_env = \"PIN\""), "[hsm] takes only one of `token`, `slot`");
    assert_eq!(hsm("token = \"a\""), "[hsm] needs one of `pin_file`, `pin_env`, `pin_credential`");
}

#[test]
fn a_limit_of_nothing_is_refused() {
    assert_eq!(
        refused(|text| format!("{text}[limits]\nhandshakes = 0\n")),
        "[limits] `handshakes` is 0; it must be at least 1"
    );
}

#[test]
fn a_listener_has_a_name_of_its_own_and_somebody_to_be_told_of() {
    let listener =
        |kind: &str, name: &str, rest: &str| format!("\n[[{kind}]]\nname = \"{name}\"\naddress = \"h:1\"\n{rest}\n");
    let told = "identities = [\"a\"]";
    let good =
        listener("put", "x", &format!("{told}\nobject_types = [\"Symmetric Key\"]")) + &listener("notify", "y", told);
    assert_eq!(parse(&format!("{LEAST}{good}")).unwrap().put[0].object_types().unwrap().len(), 1);
    for (bad, word) in [
        (listener("put", "x", told) + &listener("notify", "x", told), "a name of its own"),
        (listener("put", "x", "identities = []"), "names nobody"),
        (listener("put", "x", &format!("{told}\nversion = \"3.0\"")), "not spoken"),
        (listener("put", "x", &format!("{told}\nobject_types = [\"Lock\"]")), "\"Lock\""),
    ] {
        let error = parse(&format!("{LEAST}{bad}")).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}

mod sample {
    //! The sample is the reference that users read: it must load, name every key, and state the true defaults.

    use super::*;

    const SAMPLE: &str = include_str!("../../../deploy/kmipd.toml");

    /// The sample with its defaults (`#key = value`, no space) switched on, and its other examples left out.
    fn uncommented() -> String {
        SAMPLE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest,
                _ => line,
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn it_loads() {
        parse(SAMPLE).unwrap();
    }

    #[test]
    fn its_defaults_are_the_defaults() {
        let shown = parse(&uncommented()).unwrap();
        let real = parse(SAMPLE).unwrap();
        assert_ne!(uncommented(), SAMPLE);
        assert_eq!(format!("{shown:?}"), format!("{real:?}"));
    }

    #[test]
    fn it_names_every_key() {
        let sections = [
            "listen",
            "tls",
            "identity",
            "store",
            "root_key",
            "hsm",
            "keys",
            "algorithms",
            "limits",
            "log",
            "compatibility",
            "certification",
            "validation",
            "tickets",
            "attestation",
            "client_token",
            "provisioning",
        ];
        for section in sections {
            let error = toml::from_str::<Config>(&format!("[{section}]\nzzz = 1\n")).unwrap_err();
            let known: Vec<&str> = error.message().split('`').skip(1).step_by(2).skip(1).collect();
            assert!(!known.is_empty(), "{section}: {error}");
            for name in known {
                assert!(
                    SAMPLE
                        .lines()
                        .any(|line| { line.trim_start_matches(['#', ' ']).starts_with(&format!("{name} = ")) }),
                    "the sample does not show [{section}] {name}"
                );
            }
            assert!(SAMPLE.contains(&format!("[{section}]")), "{section}");
        }
    }
}
