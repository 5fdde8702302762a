"""`registry doctor`: a bundle that helps, and has nothing of a person or a secret in it."""

import json
import stat
import tarfile

import pytest
from sqlalchemy import create_engine

from registry.domain.identifiers import EboxKind
from registry.store.consultation import messages
from tests.factories import a_file, a_message, an_ebox

pytestmark = pytest.mark.process

SECRETS = {
    "REGISTRY_HASH_KEY": "correct-horse-battery-staple-of-the-hash",
    "REGISTRY_S3_SECRET_KEY": "planted-secret-of-s3",
    "REGISTRY_S3_ACCESS_KEY": "planted-access-of-s3",
    "REGISTRY_AUDIT_S3_SECRET_KEY": "planted-secret-of-seals",
    "REGISTRY_OAUTH_KEY_PASSWORD": "planted-password-of-oauth",
    "REGISTRY_RATE_LIMIT_URL": "redis://:planted-password-of-redis@127.0.0.1:9/0",
    "REGISTRY_FEDERATION_URL": "http://someone:planted-userinfo@127.0.0.1:9/federation",
    "REGISTRY_MISSPELT_PASSWORD": "planted-password-of-a-misspelt-setting",
}
SSIN = "85041299768"
SUBJECT = "Beslag op het loon van Jan Peeters"
FILE = "beslag-jan-peeters.pdf"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
WORDS = [
    *(value for name, value in SECRETS.items() if "URL" not in name),
    *("planted-password-of-redis", "planted-userinfo"),
    *(SSIN, "85.04.12-997.68", "Peeters", FILE, TOKEN, "c2lnbmF0dXJl"),
]
LOG = [
    {"event": "request", "level": "info", "method": "GET", "status": 200, "seconds": 0.01},
    {"event": SUBJECT, "level": "error", "file_name": FILE, "subject": SUBJECT},
    {"event": "failed", "reason": f"no letter for {SSIN}", "duty": "deliver"},
    {"event": "request", "method": f"GET {FILE}", "trace_id": SUBJECT, "status": SSIN},
    {"event": "request", "status": int(SSIN), "headers": {"Authorization": f"Bearer {TOKEN}"}},
]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "service.log"
    lines = [*(json.dumps(line, ensure_ascii=False) for line in LOG), f"{SUBJECT} {SSIN}"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def filed(secluded):
    """A letter to a citizen in the database, with a name in its subject and that of its file."""
    ebox = an_ebox(EboxKind.CITIZEN)
    engine = create_engine(secluded.environment["REGISTRY_DATABASE_OWNER_URL"])
    with engine.begin() as connection:
        subject = {"nl": SUBJECT, "fr": SUBJECT, "de": SUBJECT}
        messages.add(connection, ebox, a_message(ebox, subject=subject), [a_file(file_name=FILE)])
    engine.dispose()
    return secluded.environment | SECRETS


@pytest.fixture
def gather(run, tmp_path):
    """Gather a bundle; gives the file, and what each file in it has."""

    def call(environment, *options):
        path = tmp_path / "doctor.tar.gz"
        done = run("doctor", "--to", str(path), "--patience", "20", *options, env=environment)
        assert done.code == 0, done.said
        with tarfile.open(path) as bundle:
            names = bundle.getnames()
            contents = {name: bundle.extractfile(name).read().decode() for name in names}
        return path, {name.partition("/")[2]: text for name, text in contents.items()}

    return call


def test_no_person_and_no_secret_is_in_any_file_of_it(gather, filed, log):
    _, contents = gather(filed, "--log", str(log))

    assert {
        (name, word) for name, text in contents.items() for word in WORDS if word in text
    } == set()


def test_it_has_what_whoever_helps_needs(gather, secluded, log):
    path, contents = gather(secluded.environment, "--log", str(log))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = {name: json.loads(text) for name, text in contents.items()}
    assert values["program.json"]["libraries"]["click"]
    assert values["settings.json"]["REGISTRY_HASH_KEY"] == "***"
    assert values["settings.json"]["REGISTRY_ENVIRONMENT"] == "test"
    assert "indexes" in {line["subject"] for line in values["preflight.json"]["lines"]}
    database = values["database.json"]
    assert database["shape"]["revision"]
    assert "messages" in {table["name"] for table in database["tables"]}
    assert set(database["queues"]) == {
        *("events", "dead_events", "erasures", "uploads", "broadcasts"),
    }
    assert values["system.json"]["processors"]
    assert values["log.json"][0] == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "status": 200,
        "seconds": 0.01,
    }
    assert values["log.json"][1] == {"event": "(left out)", "level": "error"}


def test_it_works_where_nothing_else_does(gather):
    _, contents = gather({})

    assert json.loads(contents["database.json"]) == {
        "error": "REGISTRY_DATABASE_WORKER_URL is not set"
    }


def test_no_file_is_written_over(run, tmp_path):
    path = tmp_path / "doctor.tar.gz"
    path.write_text("mine")

    done = run("doctor", "--to", str(path), env={})

    assert done.code == 1
    assert done.err == f"Error: {path} is there already, and is not written over.\n"
    assert path.read_text() == "mine"
