//! What `kmipd dev --conformance` configures, so that a conformance suite can be pointed at the development server.
//!
//! The flag is read here and nowhere else. All that it does is ordinary configuration, which could as well be written in
//! `kmipd.toml`; a value that published cases have recorded of one server has its place here, never in a handler.

use std::net::SocketAddr;

use serde_json::json;

use super::{ClientToken, Config, Device, GroupDefault, Query, User};

/// The clients beside the first: `client2.pem`, `client3.pem` and their keys.
///
/// Published cases with several clients (Client-A to Client-C, as in TC-3.1.4 and TC-5.1 of 1.0 to 1.2) let the one find, get and
/// change what the other has made. A client is known by the name in its certificate, so all of them carry the name of the
/// first: three certificates with a key each, and one identity.
pub const MORE_CLIENTS: [&str; 2] = ["client2", "client3"];

/// The name of the certification authority in published cases (TC-134 of 1.2), whose certificates are signed with RSA; its
/// parts from the country on.
pub const AUTHORITY: [(&str, &str); 4] = [("C", "US"), ("O", "TEST"), ("OU", "OASIS"), ("CN", "KMIP")];

/// The Object Groups that published cases know.
const OBJECT_GROUPS: [&str; 4] = ["Group1", "BlueKeys", "RedKeys", "GreenKeys"];

/// Users and the hashes of their passwords: "password1", "secret2", "password".
const USERS: [(&str, &str); 3] = [
    ("Fred", "$argon2id$v=19$m=19456,t=2,p=1$haW4IH4LGcqt+LOwIM9+Wg$yxB5x2caOSXX7T8NGjrTU5PwEPlWtKS661iMCZcsDHQ"),
    ("Barney", "$argon2id$v=19$m=19456,t=2,p=1$dBxXHdcGJH1Z009Oyrmyfg$CikvYF9PpS12A/4w6mIctKTx9BvIC80R7ukyrw5WqOY"),
    (
        "administrator",
        "$argon2id$v=19$m=19456,t=2,p=1$3AOm3PL/fZtzDdCM4iSMQQ$CFJPreVVPX/kx1HqZjaZjWVd6dOhHD9SRm5Bz/RGXvM",
    ),
];

/// Devices, the hashes of their passwords ("secret", "passwd"), and their serial number, device, network, machine and media
/// identifiers.
const DEVICES: [(&str, &str, [&str; 5]); 2] = [
    (
        "devID2233",
        "$argon2id$v=19$m=19456,t=2,p=1$HnHKN3BWGjA4pOF6A35dng$bjhVc0Iz7Mt3ju+ITtV+2ciPBiONdg9TTjt4BJ2RpvQ",
        ["serNum123456", "devID2233", "netID9000", "machineID1", "mediaID313"],
    ),
    (
        "devID4444",
        "$argon2id$v=19$m=19456,t=2,p=1$hFQVO0bWB7nHuQ8m3bD6bg$86Ev8iN257xREnunVGIFecjc6kN9j19X4PqFHlFGfOw",
        ["serNum101010", "devID4444", "netID9", "machineID1111", "mediaID0000"],
    ),
];

/// Sets what a conformance suite needs.
pub fn configure(config: &mut Config) {
    config.store.interop = true;
    // Cases of 1.x that poll (TC-32, TC-101) say that they can wait, and expect to.
    config.asynchronous.whenever_possible = true;
    // HTTPS on the port behind each; where the system chooses the port, it chooses another one.
    if config.https.address.is_empty() {
        let next = |address: &SocketAddr| match address.port() {
            0 => Some(*address),
            port => port.checked_add(1).map(|port| SocketAddr::new(address.ip(), port)),
        };
        config.https.address = config.listen.address.iter().filter_map(next).collect();
    }
    // The client of the cases sets defaults and constraints, for these Object Groups; one that is not among them is unknown
    // (TC-MD-6-21).
    config.identity.administrators.push("client".to_owned());
    config.keys.object_groups.extend(OBJECT_GROUPS.map(str::to_owned));
    // Users and devices that published cases name, with their passwords (TC_111, TC_112 of 1.x). They expect Permission
    // Denied where another one's object is asked for.
    config.identity.tell_of_others = true;
    config.users.extend(USERS.map(|(name, password)| user(name, password)));
    config.devices.extend(DEVICES.map(|(name, password, fields)| device(name, password, fields)));
    // Published cases in parts work with it (TC-STREAM-ENC-2).
    config.algorithms.allow = vec!["3DES".to_owned()];
    // TC-153 goes round the members of a group.
    config.keys.group_default = GroupDefault::InTurn;
    // Cases certify a new key with one certificate request, which was made for another (TC-REKEY-9 to 11 of 2.1).
    config.compatibility.accept_foreign_request = true;
    config.query = query();
    config.client_token = client_token();
}

/// What one server has answered to C_GetInfo (PKCS11-M-1-20, PKCS11-M-1-21).
fn client_token() -> ClientToken {
    ClientToken {
        manufacturer: "TEST      Pty Ltd".to_owned(),
        library: "TEST".to_owned(),
        library_version: "1.0".to_owned(),
        cryptoki_version: "2.40".to_owned(),
        ..ClientToken::default()
    }
}

fn user(name: &str, password: &str) -> User {
    User {
        name: name.to_owned(),
        password: Some(password.to_owned().into()),
        hashed_password: None,
        otp_secret: None,
        certificates: Vec::new(),
        rights: Vec::new(),
    }
}

fn device(name: &str, password: &str, fields: [&str; 5]) -> Device {
    let [serial, device, network, machine, media] = fields.map(|field| Some(field.to_owned()));
    Device {
        name: name.to_owned(),
        serial_number: serial,
        device_identifier: device,
        network_identifier: network,
        machine_identifier: machine,
        media_identifier: media,
        password: Some(password.to_owned().into()),
        certificates: Vec::new(),
        rights: Vec::new(),
    }
}

/// What one server has answered to Query: TL-M-1 and SASED-M-1 (an empty Server Information), TC-Q-CAP-2, TC-Q-CREG-1,
/// TC-Q-RNGS-2 and TC-Q-PROF-1 of 1.4. Of cases that contradict each other (there are five generators) one is played.
fn query() -> Query {
    let answers = json!({
        "ServerInformation": {},
        "CapabilityInformation": {
            "StreamingCapability": true,
            "AsynchronousCapability": true,
            "AttestationCapability": true,
            "BatchUndoCapability": true,
            "BatchContinueCapability": true,
            "UnwrapMode": "NotProcessed",
            "DestroyAction": "KeyMaterialDeleted",
            "ShreddingAlgorithm": "Unsupported",
            "RNGMode": "Unspecified",
        },
        "ClientRegistrationMethod":
            ["ServerPreGenerated", "ServerOnDemand", "ClientGenerated", "ClientRegistered"],
        "RNGParameters": {
            "RNGAlgorithm": "ANSIX9_31",
            "CryptographicAlgorithm": "AES",
            "CryptographicLength": 256,
        },
        "ProfileInformation": [
            { "ProfileName": "TapeLibraryServerKMIPV1_2" },
            { "ProfileName": "TapeLibraryServerKMIPV1_3" },
            { "ProfileName": "TapeLibraryServerKMIPV1_4" },
        ],
    });
    let answers = answers.as_object().into_iter().flatten();
    Query(answers.map(|(name, said)| (name.clone(), said.clone())).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn configured(more: &str) -> Config {
        let least = "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_ca = \"c\"\n[store]\npath = \"d\"\n[root_key]\nkind = \"dev-file\"\n";
        let mut config = Config::parse(&format!("{least}{more}"), Path::new("/")).unwrap();
        configure(&mut config);
        config
    }

    #[test]
    fn https_has_the_next_port() {
        let config = configured("[listen]\naddress = [\"127.0.0.1:5696\", \"[::1]:0\"]\n");
        let expected: Vec<SocketAddr> =
            ["127.0.0.1:5697", "[::1]:0"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(config.https.address, expected);
        assert!(config.store.interop);
    }

    #[test]
    fn what_the_file_says_of_https_stays() {
        let config = configured("[https]\naddress = \"127.0.0.1:443\"\n");
        assert_eq!(config.https.address, ["127.0.0.1:443".parse().unwrap()]);
    }

    #[test]
    fn the_answers_can_be_said() {
        assert_eq!(query().elements().unwrap().len(), 10);
    }
}
