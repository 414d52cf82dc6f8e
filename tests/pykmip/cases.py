"""What PyKMIP's client library does with a server: one JSON line for each case.

    cases.py --list [--guarded]                      the names of the cases, with their versions
    cases.py FOLDER [--guarded]                      runs them against the server of `kmipd dev` in FOLDER
    cases.py CONF --own                              what a client finds
    cases.py OTHER_CONF --blind IDENTIFIER...        what a second client sees of the first's objects

With --guarded new keys do not leave the server: what asks for the bytes of one is left out, and more is asked instead.
"""

import contextlib
import datetime
import hashlib
import hmac
import json
import os
import sys
import traceback

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from kmip import enums
from kmip.core import exceptions, objects, primitives
from kmip.core.factories.attributes import AttributeFactory
from kmip.pie import objects as pie
from kmip.pie.client import ProxyKmipClient
from kmip.pie.exceptions import KmipOperationFailure
from kmip.services.kmip_client import KMIPProxy

AES = enums.CryptographicAlgorithm.AES
RSA = enums.CryptographicAlgorithm.RSA
Mask = enums.CryptographicUsageMask
Operation = enums.Operation
Reason = enums.ResultReason

VERSIONS = {"1.2": enums.KMIPVersion.KMIP_1_2, "1.4": enums.KMIPVersion.KMIP_1_4, "2.0": enums.KMIPVersion.KMIP_2_0}
CASES = []


def case(versions=tuple(VERSIONS), needs=None, guarded=None):
    """A case at these versions. It may need an operation, and keys that do or do not leave the server."""

    def add(function):
        CASES.append((function, versions, needs, guarded))
        return function

    return add


class Bench:
    """What a case has: a client of one version, and names that nobody else uses."""

    def __init__(self, conf, version):
        self.conf, self.version, self.count = conf, version, 0
        self.client = ProxyKmipClient(config_file=conf, kmip_version=VERSIONS[version])
        self.is_v2 = version >= "2"

    def name(self):
        self.count += 1
        return f"name-{os.getpid()}-{self.version}-{self.count}"

    def aes(self, *masks, name=None, length=256):
        masks = list(masks) or [Mask.ENCRYPT, Mask.DECRYPT]
        return self.client.create(AES, length, name=name, cryptographic_usage_mask=masks)

    def symmetric(self, value, *masks, algorithm=AES):
        masks = list(masks) or [Mask.ENCRYPT, Mask.DECRYPT]
        return self.client.register(pie.SymmetricKey(algorithm, 8 * len(value), value, masks, self.name()))

    def values(self, uid, *names):
        got, attributes = self.client.get_attributes(uid, list(names))
        same(got, uid)
        return {a.attribute_name.value: a.attribute_value for a in attributes}

    @contextlib.contextmanager
    def proxy(self):
        proxy = KMIPProxy(config_file=self.conf, kmip_version=VERSIONS[self.version])
        proxy.open()
        try:
            yield proxy
        finally:
            proxy.close()


def expect(is_so, what):
    if not is_so:
        raise AssertionError(what)


def same(is_, should):
    expect(is_ == should, f"{is_!r} is not {should!r}")


def refused(reason, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except (KmipOperationFailure, exceptions.OperationFailure) as failure:
        same(failure.status, enums.ResultStatus.OPERATION_FAILED)
        same(failure.reason, reason)
        expect(len(failure.args[0]) > len("OPERATION_FAILED: ") + len(reason.name) + 3, "a failure without words")
        return
    expect(False, f"{function.__name__} was not refused with {reason}")


PAIR = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_der(form):
    return PAIR.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


def certificate():
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registered")])
    start = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(PAIR.public_key())
    builder = builder.serial_number(77).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=999))
    return builder.sign(PAIR, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def attribute(kind, value, index=None):
    made = AttributeFactory().create_attribute(kind, value)
    if index is not None:
        made.attribute_index = objects.Attribute.AttributeIndex(index)
    return made


# ---------------------------------------------------------------- the server itself


@case()
def query(b):
    with b.proxy() as proxy:
        result = proxy.query(query_functions=[enums.QueryFunction.QUERY_OPERATIONS, enums.QueryFunction.QUERY_OBJECTS])
        same(result.result_status.value, enums.ResultStatus.SUCCESS)
        offered = {Operation(operation.value) for operation in result.operations}
        expect({Operation.CREATE, Operation.LOCATE, Operation.GET, Operation.DESTROY} <= offered, offered)
        offered = {enums.ObjectType(kind.value) for kind in result.object_types}
        expect({enums.ObjectType.SYMMETRIC_KEY, enums.ObjectType.CERTIFICATE} <= offered, offered)


@case()
def discover_versions(b):
    with b.proxy() as proxy:
        result = proxy.discover_versions()
        same(result.result_status.value, enums.ResultStatus.SUCCESS)
        same([str(version) for version in result.protocol_versions], ["2.1", "2.0", "1.4", "1.3", "1.2", "1.1", "1.0"])


# ---------------------------------------------------------------- making and registering


@case(guarded=False)
def create_and_get(b):
    for length in (128, 192, 256):
        name = b.name()
        uid = b.aes(name=name, length=length)
        key = b.client.get(uid)
        same(type(key), pie.SymmetricKey)
        same((key.cryptographic_algorithm, key.cryptographic_length, len(key.value)), (AES, length, length // 8))


@case(guarded=False)
def create_key_pair_and_get(b):
    public, private = b.client.create_key_pair(
        RSA, 2048, public_name=b.name(), private_name=b.name(),
        public_usage_mask=[Mask.VERIFY], private_usage_mask=[Mask.SIGN],
    )
    key = b.client.get(private)
    same((key.object_type, key.key_format_type), (enums.ObjectType.PRIVATE_KEY, enums.KeyFormatType.PKCS_1))
    own = serialization.load_der_private_key(key.value, None).public_key()
    key = b.client.get(public)
    same((key.object_type, key.key_format_type), (enums.ObjectType.PUBLIC_KEY, enums.KeyFormatType.PKCS_1))
    same(own.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1), key.value)


@case(guarded=False)
def register_symmetric(b):
    value = os.urandom(32)
    key = b.client.get(b.symmetric(value))
    same((key.value, key.cryptographic_algorithm, key.cryptographic_length), (value, AES, 256))
    # A length that the key does not have.
    wrong = pie.SymmetricKey(AES, 128, value[:16], [Mask.ENCRYPT], b.name())
    wrong.cryptographic_length = 256
    refused(Reason.INVALID_FIELD, b.client.register, wrong)


@case(guarded=False)
def register_rsa_private(b):
    for form, name in (
        (serialization.PrivateFormat.TraditionalOpenSSL, enums.KeyFormatType.PKCS_1),
        (serialization.PrivateFormat.PKCS8, enums.KeyFormatType.PKCS_8),
    ):
        value = private_der(form)
        uid = b.client.register(pie.PrivateKey(RSA, 2048, value, name, [Mask.SIGN], b.name()))
        key = b.client.get(uid)
        same((key.value, key.key_format_type, key.cryptographic_length), (value, name, 2048))


@case()
def register_rsa_public(b):
    for form, name in (
        (serialization.PublicFormat.PKCS1, enums.KeyFormatType.PKCS_1),
        (serialization.PublicFormat.SubjectPublicKeyInfo, enums.KeyFormatType.X_509),
    ):
        value = PAIR.public_key().public_bytes(serialization.Encoding.DER, form)
        uid = b.client.register(pie.PublicKey(RSA, 2048, value, name, [Mask.VERIFY], b.name()))
        key = b.client.get(uid)
        same((key.value, key.key_format_type, key.cryptographic_length), (value, name, 2048))


@case()
def register_certificate(b):
    value = certificate()
    uid = b.client.register(pie.X509Certificate(value, masks=[Mask.VERIFY], name=b.name()))
    same(b.client.get(uid).value, value)


@case(guarded=False)
def register_secret_data(b):
    kind = enums.SecretDataType.PASSWORD
    uid = b.client.register(pie.SecretData(b"a secret that I chose", kind, masks=[Mask.DERIVE_KEY], name=b.name()))
    secret = b.client.get(uid)
    same((secret.value, secret.data_type), (b"a secret that I chose", kind))


@case(guarded=False)
def register_opaque(b):
    uid = b.client.register(pie.OpaqueObject(b"no form at all", enums.OpaqueDataType.NONE, b.name()))
    same(b.client.get(uid).value, b"no form at all")


@case(guarded=False)
def get_wrapped(b):
    wrapping = os.urandom(32)
    by = b.symmetric(wrapping, Mask.WRAP_KEY)
    secret = os.urandom(16)
    uid = b.symmetric(secret)
    specification = {
        "wrapping_method": enums.WrappingMethod.ENCRYPT,
        "encryption_key_information": {
            "unique_identifier": by,
            "cryptographic_parameters": {"block_cipher_mode": enums.BlockCipherMode.NIST_KEY_WRAP},
        },
        "encoding_option": enums.EncodingOption.NO_ENCODING,
    }
    refused(WRONG_STATE[b.version], b.client.get, uid, specification)
    b.client.activate(by)
    # The standard has the wrapped key as a Byte String in place of the Key Value; PyKMIP cannot read that, and wants a
    # structure. So it asks, and its answer is read here.
    data = heard(b.client, exceptions.ReadValueError, b.client.get, uid, specification)
    wrapped = data.partition(bytes.fromhex("420045 08 00000018"))[2][:24]
    same(aes_key_unwrap(wrapping, wrapped), secret)
    expect(by.encode() in data, "the wrapping key is not named")


def heard(client, error, function, *arguments):
    """The bytes of the answer to a call that PyKMIP fails to read."""
    messages, receive = [], client.proxy._receive_message

    def listen():
        message = receive()
        messages.append(bytes(message.peek(1 << 20)))
        return message

    client.proxy._receive_message = listen
    try:
        function(*arguments)
    except error:
        return messages[-1]
    finally:
        del client.proxy._receive_message
    raise AssertionError("PyKMIP reads it now: ask it")


# ---------------------------------------------------------------- finding and attributes


@case()
def locate(b):
    name = b.name()
    uid = b.aes(name=name)
    named = attribute(enums.AttributeType.NAME, name)
    same(b.client.locate(attributes=[named]), [uid])
    algorithm = attribute(enums.AttributeType.CRYPTOGRAPHIC_ALGORITHM, AES)
    length = attribute(enums.AttributeType.CRYPTOGRAPHIC_LENGTH, 256)
    same(b.client.locate(attributes=[named, algorithm, length]), [uid])
    other = attribute(enums.AttributeType.CRYPTOGRAPHIC_LENGTH, 128)
    same(b.client.locate(attributes=[named, other]), [])
    same(b.client.locate(attributes=[attribute(enums.AttributeType.NAME, "nobody")]), [])
    newest = b.aes()
    same(b.client.locate(maximum_items=1), [newest])
    if b.version != "1.2":
        same(b.client.locate(maximum_items=1, offset_items=1), [uid])
    expect({uid, newest} <= set(b.client.locate()), set(b.client.locate()))


@case()
def get_attributes_by_name(b):
    name = b.name()
    uid = b.aes(name=name)
    names = ["Name", "Cryptographic Algorithm", "Cryptographic Length", "State", "Cryptographic Usage Mask"]
    values = b.values(uid, *names)
    same(set(values), set(names))
    same(values["Name"].name_value.value, name)
    same(values["Cryptographic Length"].value, 256)
    same(values["State"].value, enums.State.PRE_ACTIVE)
    same(values["Cryptographic Usage Mask"].value, Mask.ENCRYPT.value | Mask.DECRYPT.value)
    # What the object does not have is left out.
    same(set(b.values(uid, "State", "Deactivation Date")), {"State"})


@case(versions=("1.2",))
def get_all_attributes(b):
    # From 1.4 on PyKMIP cannot read the answer: it does not know Random Number Generator, nor Original Creation Date.
    values = b.values(b.aes())
    expect({"Unique Identifier", "Object Type", "State", "Initial Date", "Last Change Date"} <= set(values), set(values))


@case()
def get_attribute_list(b):
    uid = b.aes(name=b.name())
    names = b.client.get_attribute_list(uid)
    expect({"Name", "State", "Object Type", "Unique Identifier", "Cryptographic Algorithm"} <= set(names), set(names))


@case(versions=("1.2", "1.4"))
def modify_and_delete_attribute(b):
    uid = b.aes(name=b.name())
    name = b.name()
    got, changed = b.client.modify_attribute(uid, attribute=attribute(enums.AttributeType.NAME, name, 0))
    same((got, changed.attribute_value.name_value.value), (uid, name))
    same(b.client.locate(attributes=[attribute(enums.AttributeType.NAME, name)]), [uid])
    got, removed = b.client.delete_attribute(uid, attribute_name="Name", attribute_index=0)
    same((got, removed.attribute_value.name_value.value), (uid, name))
    same(b.client.locate(attributes=[attribute(enums.AttributeType.NAME, name)]), [])
    same(b.values(uid, "Name"), {})
    algorithm = attribute(enums.AttributeType.CRYPTOGRAPHIC_ALGORITHM, RSA, 0)
    # PyKMIP knows too few Result Reasons of these versions to be told a better one.
    refused(READ_ONLY[b.version], b.client.modify_attribute, uid, attribute=algorithm)


READ_ONLY = {
    "1.2": Reason.PERMISSION_DENIED,
    "1.4": Reason.PERMISSION_DENIED,
    "2.0": Reason.ATTRIBUTE_READ_ONLY,
}


@case(versions=("2.0",))
def set_modify_and_delete_attribute(b):
    uid = b.aes(name=b.name())
    same(b.client.set_attribute(uid, attribute_name="Contact Information", attribute_value="me"), uid)
    same(b.values(uid, "Contact Information")["Contact Information"].value, "me")
    contact = lambda text: primitives.TextString(text, enums.Tags.CONTACT_INFORMATION)
    got, _ = b.client.modify_attribute(
        uid,
        current_attribute=objects.CurrentAttribute(attribute=contact("me")),
        new_attribute=objects.NewAttribute(attribute=contact("you")),
    )
    same(got, uid)
    same(b.values(uid, "Contact Information")["Contact Information"].value, "you")
    got, _ = b.client.delete_attribute(uid, current_attribute=objects.CurrentAttribute(attribute=contact("you")))
    same(got, uid)
    # PyKMIP cannot read an answer without any attribute.
    same(set(b.values(uid, "Contact Information", "State")), {"State"})
    length = primitives.Integer(128, enums.Tags.CRYPTOGRAPHIC_LENGTH)
    refused(
        READ_ONLY[b.version], b.client.modify_attribute, uid, new_attribute=objects.NewAttribute(attribute=length)
    )


@case(versions=("2.0",), guarded=False)
def a_sensitive_key_leaves_only_wrapped(b):
    uid = b.aes()
    b.client.get(uid)
    b.client.set_attribute(uid, attribute_name="Sensitive", attribute_value=True)
    refused(Reason.SENSITIVE, b.client.get, uid)


@case()
def check(b):
    uid = b.aes()
    same(b.client.check(uid, cryptographic_usage_mask=[Mask.ENCRYPT]), uid)
    # A use that is not allowed is refused. PyKMIP looks for a payload in the refusal before it looks at the status.
    try:
        b.client.check(uid, cryptographic_usage_mask=[Mask.SIGN])
    except AttributeError as error:
        expect("usage_limits_count" in str(error), error)
    else:
        expect(False, "Check allowed what the key is not for")


# ---------------------------------------------------------------- life


@case()
def life(b):
    uid = b.aes()
    b.client.activate(uid)
    same(b.values(uid, "State")["State"].value, enums.State.ACTIVE)
    refused(WRONG_STATE[b.version], b.client.activate, uid)
    refused(WRONG_STATE[b.version], b.client.destroy, uid)
    b.client.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid, "no longer needed")
    same(b.values(uid, "State")["State"].value, enums.State.DEACTIVATED)
    b.client.destroy(uid)
    same(b.values(uid, "State")["State"].value, enums.State.DESTROYED)
    compromised = b.aes()
    b.client.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, compromised, "lost", 1_600_000_000)
    same(b.values(compromised, "State")["State"].value, enums.State.COMPROMISED)
    b.client.destroy(compromised)


WRONG_STATE = {
    "1.2": Reason.PERMISSION_DENIED,
    "1.4": Reason.PERMISSION_DENIED,
    "2.0": Reason.WRONG_KEY_LIFECYCLE_STATE,
}


@case()
def failures_have_their_reasons(b):
    nobody = "00000000-0000-4000-8000-000000000000"
    missing = Reason.OBJECT_NOT_FOUND if b.is_v2 else Reason.ITEM_NOT_FOUND
    for function in (b.client.get, b.client.activate, b.client.destroy, b.client.get_attribute_list):
        refused(missing, function, nobody)
    name = b.name()
    b.aes(name=name)
    refused(NOT_UNIQUE[b.version], b.aes, name=name)
    refused(WRONG_VALUE[b.version], b.client.create, AES, 123)


NOT_UNIQUE = {
    "1.2": Reason.INVALID_FIELD,
    "1.4": Reason.INVALID_FIELD,
    "2.0": Reason.NON_UNIQUE_NAME_ATTRIBUTE,
}
WRONG_VALUE = {
    "1.2": Reason.INVALID_FIELD,
    "1.4": Reason.INVALID_FIELD,
    "2.0": Reason.INVALID_ATTRIBUTE_VALUE,
}


# ---------------------------------------------------------------- cryptography

CBC = {
    "cryptographic_algorithm": AES,
    "block_cipher_mode": enums.BlockCipherMode.CBC,
    "padding_method": enums.PaddingMethod.PKCS5,
}
PKCS1 = {
    "cryptographic_algorithm": RSA,
    "hashing_algorithm": enums.HashingAlgorithm.SHA_256,
    "padding_method": enums.PaddingMethod.PKCS1v15,
}


@case(needs=Operation.ENCRYPT)
def encrypt_and_decrypt(b):
    uid = b.aes()
    b.client.activate(uid)
    iv = os.urandom(16)
    data, given = b.client.encrypt(b"seventeen letters", uid, CBC, iv)
    expect(b"letters" not in data, data)
    same((len(data), given), (32, None))
    same(b.client.decrypt(data, uid, CBC, iv), b"seventeen letters")
    data, given = b.client.encrypt(b"seventeen letters", uid, {**CBC, "random_iv": True})
    same(len(given), 16)
    same(b.client.decrypt(data, uid, CBC, given), b"seventeen letters")


@case(needs=Operation.ENCRYPT)
def uses_that_are_refused(b):
    iv = os.urandom(16)
    uid = b.aes()
    refused(WRONG_STATE[b.version], b.client.encrypt, b"data", uid, CBC, iv)
    # Create of PyKMIP always asks for both uses.
    only = b.symmetric(os.urandom(32), Mask.DECRYPT)
    b.client.activate(only)
    mask = Reason.INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK if b.is_v2 else Reason.PERMISSION_DENIED
    refused(mask, b.client.encrypt, b"data", only, CBC, iv)


@case(needs=Operation.SIGN)
def sign_and_verify(b):
    public, private = b.client.create_key_pair(RSA, 2048, public_usage_mask=[Mask.VERIFY], private_usage_mask=[Mask.SIGN])
    for uid in (public, private):
        b.client.activate(uid)
    signature = b.client.sign(b"a message", private, PKCS1)
    key = serialization.load_der_public_key(public_spki(b.client.get(public)))
    key.verify(signature, b"a message", padding.PKCS1v15(), hashes.SHA256())
    same(b.client.signature_verify(b"a message", signature, public, PKCS1), enums.ValidityIndicator.VALID)
    same(b.client.signature_verify(b"a massage", signature, public, PKCS1), enums.ValidityIndicator.INVALID)


def public_spki(key):
    loaded = serialization.load_der_public_key(key.value)
    return loaded.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@case(needs=Operation.MAC)
def mac(b):
    value = os.urandom(32)
    algorithm = enums.CryptographicAlgorithm.HMAC_SHA256
    uid = b.symmetric(value, Mask.MAC_GENERATE, algorithm=algorithm)
    b.client.activate(uid)
    got, code = b.client.mac(b"a message", uid, algorithm)
    same((got, code), (uid, hmac.new(value, b"a message", hashlib.sha256).digest()))


# ---------------------------------------------------------------- keys that do not leave


@case(guarded=True)
def what_does_not_leave(b):
    value = os.urandom(32)
    reason = Reason.PERMISSION_DENIED if b.version == "1.2" else Reason.NOT_EXTRACTABLE
    by = b.symmetric(os.urandom(32), Mask.WRAP_KEY)
    b.client.activate(by)
    value_of_pair = private_der(serialization.PrivateFormat.PKCS8)
    private = pie.PrivateKey(RSA, 2048, value_of_pair, enums.KeyFormatType.PKCS_8, [Mask.SIGN], b.name())
    secret = pie.SecretData(b"a secret that I chose", enums.SecretDataType.PASSWORD, masks=[Mask.DERIVE_KEY], name=b.name())
    specification = {
        "wrapping_method": enums.WrappingMethod.ENCRYPT,
        "encryption_key_information": {
            "unique_identifier": by,
            "cryptographic_parameters": {"block_cipher_mode": enums.BlockCipherMode.NIST_KEY_WRAP},
        },
        "encoding_option": enums.EncodingOption.NO_ENCODING,
    }
    for uid in (b.aes(), b.symmetric(value), b.client.register(private), b.client.register(secret)):
        refused(reason, b.client.get, uid)
        refused(reason, b.client.get, uid, specification)


# ---------------------------------------------------------------- running them


def offered(bench):
    with bench.proxy() as proxy:
        result = proxy.query(query_functions=[enums.QueryFunction.QUERY_OPERATIONS])
        return [Operation(operation.value) for operation in result.operations]


def wanted(is_guarded):
    for function, versions, needs, guarded in CASES:
        if guarded is None or guarded == is_guarded:
            for version in versions:
                yield function, version, needs


def run(folder, is_guarded):
    conf = os.path.join(folder, "pykmip.conf")
    benches = {version: Bench(conf, version) for version in VERSIONS}
    operations = {version: offered(bench) for version, bench in benches.items()}
    for function, version, needs in wanted(is_guarded):
        line = {"case": function.__name__, "version": version, "passed": False}
        if needs is not None and needs not in operations[version]:
            line["lacking"] = needs.name
        else:
            try:
                with benches[version].client:
                    function(benches[version])
                line["passed"] = True
            except Exception as error:  # whatever it is, the others run
                line["error"] = f"{type(error).__name__}: {error}"
                line["where"] = traceback.format_exc()
        print(json.dumps(line), flush=True)


def blind(conf, identifiers):
    for version, number in VERSIONS.items():
        with ProxyKmipClient(config_file=conf, kmip_version=number) as client:
            same(client.locate(), [])
            missing = Reason.OBJECT_NOT_FOUND if version >= "2" else Reason.ITEM_NOT_FOUND
            for uid in identifiers:
                for function in (client.get, client.activate, client.destroy, client.get_attribute_list):
                    refused(missing, function, uid)
    print(json.dumps({"blind": len(identifiers)}))


def main(arguments):
    is_guarded = "--guarded" in arguments
    if "--list" in arguments:
        for function, version, _ in wanted(is_guarded):
            print(json.dumps({"case": function.__name__, "version": version}))
    elif "--own" in arguments:
        with ProxyKmipClient(config_file=arguments[0], kmip_version=VERSIONS["2.0"]) as client:
            print(json.dumps({"own": client.locate()}))
    elif "--blind" in arguments:
        blind(arguments[0], arguments[2:])
    else:
        run(arguments[0], is_guarded)


if __name__ == "__main__":
    main(sys.argv[1:])
