"""A trail as the command line sees it: in a bucket of its own, with the key of the settings."""

import json
from types import SimpleNamespace
from uuid import uuid4

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from registry.audit.store.seal_bucket import S3Seals
from registry.cli import registry
from registry.sandbox.servers.postgres import SUPERUSER
from registry.settings.fault import PREFIX
from registry.wiring import trail_keys


@pytest.fixture
def store(client, objects):
    """A bucket of the test's own: the command line looks for seals where they always are."""
    bucket = f"seals-{uuid4().hex[:12]}"
    objects.create_bucket(bucket, has_object_lock=True)
    return S3Seals(client, bucket)


@pytest.fixture
def private_key(settings):
    return trail_keys.load_private_key(settings)


@pytest.fixture
def superuser(written, cluster, alone):
    """Do something in the database as a superuser, whom nothing stops there."""
    name = make_url(alone.settings.database_owner_url.get_secret_value()).database
    engine = create_engine(cluster.url(SUPERUSER, name))

    def do(statement, **values):
        with engine.begin() as connection:
            connection.execute(text(statement), values)

    yield do
    engine.dispose()


@pytest.fixture
def auditor_env(alone, store, tmp_path, private_key):
    """The settings of an auditor, who has public keys only."""
    public = tmp_path / "public.pem"
    public.write_bytes(
        private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    ours = {
        "environment": "test",
        "database_worker_url": alone.settings.database_worker_url,
        "audit_bucket": store.bucket,
        "audit_public_keys": public,
        **{
            f"audit_s3_{name}": getattr(alone.settings, f"s3_{name}")
            for name in ("endpoint", "access_key", "secret_key")
        },
    }
    return {
        PREFIX + name.upper(): value.get_secret_value()
        if isinstance(value, SecretStr)
        else str(value)
        for name, value in ours.items()
    }


@pytest.fixture
def verify(auditor_env):
    """Type `registry audit verify --json`, as an auditor has it; gives what was found."""

    def invoke(*options, **changes):
        command = ["audit", "verify", "--json", *options]
        return CliRunner().invoke(registry, command, env=auditor_env | changes)

    def typed(*options, **changes):
        done = invoke(*options, **changes)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        told = json.loads(done.stdout)
        found = [
            (each["kind"], each.get("seal"), tuple(each["entries"])) for each in told["findings"]
        ]
        return SimpleNamespace(code=done.exit_code, found=found, told=told)

    typed.type = invoke
    return typed
