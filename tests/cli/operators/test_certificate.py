"""`registry certificate`: what onboarding asks for, made and checked."""

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from registry.certificates.request import write_key
from registry.certificates.subject import CertificateSubject

NUMBER = "0206731645"
SUBJECT = (
    *("--environment", "ACC", "--enterprise-number", "0206.731.645"),
    *("--organization", "My Office", "--application", "my:client:id"),
    *("--locality", "Brussel", "--province", "Brussel"),
)
KEY = ec.generate_private_key(ec.SECP384R1())
ROOT_KEY = ec.generate_private_key(ec.SECP384R1())
ROOT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
MIDDLE_KEY = ec.generate_private_key(ec.SECP384R1())
MIDDLE = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Middle")])


def describe(environment="ACC", number=NUMBER):
    return CertificateSubject(
        organization="My Office",
        number=number,
        environment=environment,
        application="my:client:id",
        locality="Brussel",
        province="Brussel",
    ).write()


def sign(
    subject=None,
    *,
    key=KEY,
    issuer=(MIDDLE, MIDDLE_KEY),
    days=(-1, 400),
    usage=True,
    algorithm=None,
):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or describe())
        .issuer_name(issuer[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if usage is not None:
        extension = x509.KeyUsage(usage, False, not usage, False, False, False, False, False, False)
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer[1], algorithm or hashes.SHA384())


def authority(name, key, issuer, days=(-1, 4000)):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(issuer[1], hashes.SHA384())
    )


ROOT_ITSELF = authority(ROOT, ROOT_KEY, (ROOT, ROOT_KEY))
MIDDLE_ITSELF = authority(MIDDLE, MIDDLE_KEY, (ROOT, ROOT_KEY))


def pem(*parts):
    return b"".join(
        each.public_bytes(Encoding.PEM)
        if isinstance(each, x509.Certificate)
        else write_key(each, None)
        for each in parts
    )


@pytest.fixture
def check(run, tmp_path):
    """Check a file of this content; gives the exit code, and each line's grade and sight."""

    def ask(content, *options, name="certificate.pem"):
        path = tmp_path / name
        path.write_bytes(content)
        done = run("certificate", "check", str(path), "--json", *options)
        lines = json.loads(done.out)["lines"]
        return done.code, {each["subject"]: each for each in lines}

    return ask


@pytest.fixture
def ask(run, tmp_path):
    """Ask for a certificate; gives what was said, and both files."""

    def typed(*options, answer=None):
        key, csr = tmp_path / "acc.key", tmp_path / "acc.csr"
        command = ("certificate", "request", *SUBJECT, "--key", str(key), "--csr", str(csr))
        return run(*command, *options, answer=answer), key, csr

    return typed


@pytest.mark.parametrize(
    ("kind", "size", "algorithm"),
    [
        ("rsa-2048", 2048, "sha256"),
        ("rsa-3072", 3072, "sha256"),
        ("ec-p384", 384, "sha384"),
        ("ec-p521", 521, "sha512"),
    ],
)
def test_a_request_has_the_subject_the_key_and_the_usage_that_are_asked_for(
    ask, kind, size, algorithm
):
    done, key, csr = ask("--kind", kind)

    assert done.code == 0, done.said
    request = x509.load_pem_x509_csr(csr.read_bytes())
    assert request.is_signature_valid
    assert request.signature_hash_algorithm.name == algorithm
    assert request.public_key().key_size == size
    assert request.public_key() == load_pem_private_key(key.read_bytes(), None).public_key()
    assert [(each.oid, each.value) for each in request.subject] == [
        (NameOID.COUNTRY_NAME, "BE"),
        (NameOID.STATE_OR_PROVINCE_NAME, "Brussel"),
        (NameOID.LOCALITY_NAME, "Brussel"),
        (NameOID.ORGANIZATION_NAME, "My Office"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Belgian Federal Government"),
        (
            NameOID.ORGANIZATIONAL_UNIT_NAME,
            f"urn:be:fgov:kbo-bce:organization:cbe-number:{NUMBER}",
        ),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "ACC"),
        (NameOID.COMMON_NAME, "my:client:id"),
    ]
    usage = request.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign


def test_the_key_is_for_its_owner_alone(ask):
    _, key, _ = ask()

    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["acc.key", "acc.csr"])
def test_no_file_is_written_over_and_none_is_left_half_done(ask, tmp_path, name):
    (tmp_path / name).write_text("mine")

    done, _, _ = ask()

    assert done.code == 1
    assert done.err == f"Error: {tmp_path / name} is there already, and is not written over.\n"
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_that_is_not_there_is_told_in_one_sentence(run, tmp_path):
    key = tmp_path / "nowhere" / "acc.key"

    done = run("certificate", "request", *SUBJECT, "--key", str(key), "--csr", str(key))

    assert done.code == 1
    assert done.err == f"Error: {key} cannot be written: no such file or directory.\n"


def test_a_part_of_the_subject_that_is_too_long_is_told(ask):
    done, key, _ = ask("--application", "x" * 65)

    assert done.code == 2
    assert "The subject cannot be written" in done.err
    assert not key.exists()


def test_a_key_is_encrypted_with_the_passphrase_of_a_file(ask, tmp_path):
    secret = tmp_path / "passphrase.txt"
    secret.write_text("correct horse\n")

    _, key, _ = ask("--passphrase-file", str(secret))

    assert load_pem_private_key(key.read_bytes(), b"correct horse")
    with pytest.raises(TypeError):
        load_pem_private_key(key.read_bytes(), None)


def test_a_key_is_encrypted_with_what_is_typed_twice(ask):
    done, key, _ = ask("--encrypt", answer="battery\nbattery\n")

    assert load_pem_private_key(key.read_bytes(), b"battery")
    assert "battery" not in done.said


def test_what_fits_passes_line_by_line(check):
    content = pem(sign(), MIDDLE_ITSELF, ROOT_ITSELF, KEY)

    code, lines = check(content, "--enterprise-number", NUMBER, "--environment", "ACC")

    assert code == 0
    assert {each["grade"] for each in lines.values()} == {"pass"}
    assert lines["validity"]["observation"].startswith("It is valid for 399 days, until ")
    assert list(lines) == [
        *("validity", "chain", "issuer", "key", "algorithm", "signature", "key usage"),
        *("enterprise number", "environment"),
    ]


def make_pkcs12(passphrase=b"secret", certificate=None):
    return pkcs12.serialize_key_and_certificates(
        b"ours",
        KEY,
        certificate or sign(),
        [ROOT_ITSELF, MIDDLE_ITSELF],
        BestAvailableEncryption(passphrase),
    )


def test_pkcs12_is_read_with_the_passphrase_of_a_file(check, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret\n")

    code, lines = check(make_pkcs12(), "--passphrase-file", str(secret), name="ours.p12")

    assert code == 0
    assert lines["chain"]["observation"].startswith("3 certificates")


OLD = (-400, -2)
SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the fault
SHORT_CURVE = ec.generate_private_key(ec.SECP256R1())
ANOTHER = "0308357159"
SELF = (describe("PRD"), KEY)
EXPIRED_MIDDLE = authority(MIDDLE, MIDDLE_KEY, (ROOT, ROOT_KEY), (-900, -5))

FAULTS = {
    "expired": ("validity", pem(sign(days=OLD), KEY), ()),
    "early": ("validity", pem(sign(days=(2, 400)), KEY), ()),
    "chain upside down": ("chain", pem(sign(), ROOT_ITSELF, MIDDLE_ITSELF, KEY), ()),
    "chain with a gap": ("chain", pem(sign(), ROOT_ITSELF, KEY), ()),
    "issuer expired": ("chain", pem(sign(), EXPIRED_MIDDLE, KEY), ()),
    "signed by itself": ("issuer", pem(sign(SELF[0], issuer=SELF), KEY), ()),
    "another key": ("key", pem(sign(), ROOT_KEY), ()),
    "small RSA": ("algorithm", pem(sign(key=SMALL), SMALL), ()),
    "short curve": ("algorithm", pem(sign(key=SHORT_CURVE), SHORT_CURVE), ()),
    "not for signatures": ("key usage", pem(sign(usage=False), KEY), ()),
    "another enterprise": (
        "enterprise number",
        pem(sign(), KEY),
        ("--enterprise-number", ANOTHER),
    ),
    "another environment": ("environment", pem(sign(), KEY), ("--environment", "PRD")),
}


@pytest.mark.parametrize(("line", "content", "options"), FAULTS.values(), ids=FAULTS)
def test_each_fault_fails_its_own_line_and_no_other(check, line, content, options):
    code, lines = check(content, *options)

    assert code == 1
    assert [name for name, each in lines.items() if each["grade"] == "fail"] == [line]
    assert lines[line]["remedy"]


@pytest.mark.parametrize(
    ("line", "content"),
    [
        ("validity", pem(sign(days=(-300, 20)), KEY)),
        ("key", pem(sign())),
        ("key usage", pem(sign(usage=None), KEY)),
        ("issuer", pem(sign(describe(), issuer=(describe(), KEY)), KEY)),
    ],
)
def test_what_may_do_is_a_warning(check, line, content):
    code, lines = check(content)

    assert code == 0
    assert [name for name, each in lines.items() if each["grade"] == "warn"] == [line]
    assert lines[line]["remedy"]


def test_the_key_may_be_in_another_file_with_a_passphrase(check, tmp_path):
    key, secret = tmp_path / "key.pem", tmp_path / "secret.txt"
    key.write_bytes(write_key(KEY, b"secret"))
    secret.write_text("secret")

    _, lines = check(pem(sign()), "--key", str(key), "--passphrase-file", str(secret))

    assert lines["key"]["grade"] == "pass"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"nonsense", "it is neither PEM nor PKCS#12"),
        (make_pkcs12(), "it needs a passphrase"),
        (sign().public_bytes(Encoding.DER), "it is DER: write it as PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "it is neither PEM nor PKCS#12"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(run, tmp_path, content, reason):
    path = tmp_path / "some.p12"
    path.write_bytes(content)

    done = run("certificate", "check", str(path))

    assert done.code == 1
    assert done.err == f"Error: {path} cannot be read: {reason}.\n"


def test_a_wrong_passphrase_is_told_and_not_repeated(run, tmp_path):
    path, secret = tmp_path / "ours.p12", tmp_path / "secret.txt"
    path.write_bytes(make_pkcs12())
    secret.write_text("wrong-horse")

    done = run("certificate", "check", str(path), "--passphrase-file", str(secret))

    assert done.code == 1
    assert done.err == f"Error: {path} cannot be read: the passphrase is wrong.\n"


def test_a_key_alone_has_no_certificate(check):
    code, lines = check(pem(KEY))

    assert code == 1
    assert lines["certificate"]["grade"] == "fail"


def test_people_get_a_table_and_a_count(run, tmp_path):
    path = tmp_path / "certificate.pem"
    path.write_bytes(pem(sign(), KEY))

    done = run("certificate", "check", str(path))

    assert done.code == 0
    assert done.out.splitlines()[-1] == "0 fail, 0 warn, 9 pass."
