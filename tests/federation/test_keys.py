"""The private key, from every kind of file an operator may hold."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from joserfc import jws
from joserfc.jwk import RSAKey

from registry.domain.errors import KeyUnusable
from registry.http_client.access_token import Identity
from registry.http_client.key_file import KeyFile
from registry.http_client.private_key import load_key

PASSWORD = "correct horse"
NEW = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
}


@pytest.fixture(scope="module", params=list(NEW))
def algorithm(request):
    return request.param


@pytest.fixture(scope="module")
def key(algorithm):
    return NEW[algorithm]()


@pytest.fixture
def stored(tmp_path):
    def store(key, name, password=None):
        lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        path = tmp_path / name
        if path.suffix in (".p12", ".PFX"):
            path.write_bytes(serialize_key_and_certificates(b"us", key, None, None, lock))
        else:
            path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        return path

    return store


def fault(path, password=None, algorithm="RS256"):
    with pytest.raises(KeyUnusable) as caught:
        load_key(path, password, algorithm=algorithm)
    assert str(path) in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "password"),
    [("k.pem", None), ("k.pem", PASSWORD), ("k.p12", PASSWORD), ("k.PFX", PASSWORD)],
)
def test_a_key_is_read_from_its_file(stored, key, algorithm, name, password):
    path = stored(key, name, password)

    loaded = load_key(path, password, algorithm=algorithm)

    assert loaded.raw_value.private_numbers() == key.private_numbers()


def test_a_key_for_another_algorithm_is_refused(stored, key, algorithm):
    path = stored(key, "k.pem")

    for other in {"RS256", "ES384", "ES512", "ES256"} - {algorithm}:
        assert f"not a key for {other}" in fault(path, algorithm=other)


@pytest.mark.parametrize("name", ["k.pem", "k.p12"])
def test_a_wrong_password_is_told_without_repeating_it(stored, name):
    path = stored(NEW["ES384"](), name, "something else")

    assert "wrong password" in fault(path, PASSWORD, "ES384")


def test_a_missing_and_a_needless_password_are_told(stored):
    assert "needs a password" in fault(stored(NEW["ES384"](), "locked.pem", PASSWORD))
    assert "has no password" in fault(stored(NEW["ES384"](), "open.pem"), PASSWORD)


def test_a_short_rsa_key_is_refused(stored):
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505  that is the point

    assert "2048 bits" in fault(stored(short, "k.pem"))


def test_what_is_no_private_key_is_refused(tmp_path, stored):
    public = tmp_path / "public.pem"
    numbers = NEW["ES384"]().public_key()
    public.write_bytes(numbers.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    garbage = tmp_path / "garbage.p12"
    garbage.write_bytes(b"\x30\x00")

    assert "not a private key" in fault(public)
    assert "not a private key" in fault(garbage)
    assert "no such file" in fault(tmp_path / "absent.pem")
    assert "directory" in fault(tmp_path)


def numbers(key_file):
    return key_file.get().raw_value.private_numbers()


def test_a_key_that_is_replaced_is_used_from_then_on(stored):
    path, new = stored(NEW["ES384"](), "k.pem"), NEW["ES384"]()
    key_file = KeyFile(path, None, "ES384")

    stored(new, "new.pem").replace(path)

    assert numbers(key_file) == new.private_numbers()


def test_a_new_key_that_cannot_be_used_is_logged_once_and_the_old_one_kept(stored, caplog):
    old, new = NEW["ES384"](), NEW["ES384"]()
    path = stored(old, "k.pem")
    key_file = KeyFile(path, None, "ES384")

    for break_it in (path.unlink, lambda: path.write_text(PASSWORD)):
        break_it()
        caplog.clear()
        assert [numbers(key_file) for _ in range(3)] == [old.private_numbers()] * 3
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert PASSWORD not in caplog.text
    path.unlink()
    stored(new, "k.pem")

    assert numbers(key_file) == new.private_numbers()


def test_a_key_that_cannot_be_used_in_the_beginning_is_refused(tmp_path):
    with pytest.raises(KeyUnusable):
        KeyFile(tmp_path / "none.pem", None, "ES384")


def test_an_assertion_is_signed_with_the_key_that_is_in_the_file_now(stored):
    path, new = stored(NEW["RS256"](), "k.pem"), NEW["RS256"]()
    identity = Identity("us", KeyFile(path, None, "RS256"))
    stored(new, "new.pem").replace(path)

    assertion = identity.sign_assertion("https://token", datetime.now(UTC))

    signature = jws.deserialize_compact(assertion, RSAKey.import_key(new.public_key()))
    assert signature.protected["alg"] == "RS256"
