"""The keys of the trail, as the settings name them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from registry.audit.trail.keys import compute_key_id
from registry.domain.errors import KeyUnusable, SettingsError
from registry.wiring import trail_keys


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def named(settings, tmp_path):
    """Settings that name files with these contents."""

    def write(key, former=None):
        changes = {"audit_key_path": None, "audit_public_keys": None}
        for name, content in zip(changes, (key, former), strict=True):
            if content is not None:
                changes[name] = tmp_path / f"{name}.pem"
                changes[name].write_bytes(content)
        return settings.model_copy(update=changes)

    return write


def test_our_key_signs_and_is_known(named):
    key = Ed25519PrivateKey.generate()

    ours = named(private(key))

    assert trail_keys.load_private_key(ours).private_bytes_raw() == key.private_bytes_raw()
    assert set(trail_keys.load_keyring(ours)) == {compute_key_id(key.public_key())}


@pytest.mark.parametrize("between", [b"", b"\n", b"\n# until 2026\r\n"], ids=repr)
def test_the_keys_that_signed_before_are_known_too(named, between):
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    former = between.join(public(key) for key in keys[1:]) + between

    known = trail_keys.load_keyring(named(private(keys[0]), former))

    assert set(known) == {compute_key_id(key.public_key()) for key in keys}


def test_whoever_only_verifies_needs_no_private_key(named):
    key = Ed25519PrivateKey.generate()

    assert set(trail_keys.load_keyring(named(None, public(key)))) == {
        compute_key_id(key.public_key())
    }


def test_without_a_key_nobody_signs(named):
    with pytest.raises(SettingsError, match="REGISTRY_AUDIT_KEY_PATH: is needed here and not set"):
        trail_keys.load_private_key(named(None))


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", private(X25519PrivateKey.generate()), public(Ed25519PrivateKey.generate())],
    ids=["nothing", "garbage", "of another kind", "public"],
)
def test_what_cannot_sign_is_refused_by_the_name_of_its_file(named, content):
    ours = named(content)

    with pytest.raises(KeyUnusable, match="not an Ed25519 private key") as refused:
        trail_keys.load_private_key(ours)

    assert str(ours.audit_key_path) in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        private(Ed25519PrivateKey.generate()),
        public(X25519PrivateKey.generate()),
        public(Ed25519PrivateKey.generate()) + b"-----END PUBLIC KEY-----\n",
    ],
    ids=["nothing", "garbage", "private", "of another kind", "one and a half"],
)
def test_what_is_no_public_key_is_refused(named, content):
    with pytest.raises(KeyUnusable, match="Ed25519 public keys"):
        trail_keys.load_keyring(named(None, content))


def test_files_that_are_not_there_are_named(settings, tmp_path):
    absent = tmp_path / "absent.pem"
    changes = {"audit_key_path": absent, "audit_public_keys": absent}

    for name in changes:
        ours = settings.model_copy(update={"audit_key_path": None, name: absent})
        with pytest.raises(KeyUnusable, match=r"absent\.pem .* no such file"):
            trail_keys.load_keyring(ours)
