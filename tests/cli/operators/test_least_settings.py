"""Each command asks for the settings that it uses, and for no others."""

import shutil
from importlib.resources import files
from uuid import UUID, uuid4

import click
import pytest

from registry.cli import registry
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.test_command_line import OURS, commands

NOBODY = str(UUID(int=1))
WORKER = "DATABASE_WORKER_URL"
OAUTH = {"OAUTH_TOKEN_URL", "OAUTH_CLIENT_ID", "OAUTH_KEY_PATH"}

# What is typed, and what has to be set for it.
LEAST = {
    "audit check-evidence EXAMPLE": set(),
    f"audit evidence --message {NOBODY} --output FILE": {WORKER, "AUDIT_BUCKET"},
    "audit export --period 2020-01 --output FILE": {WORKER, "AUDIT_BUCKET"},
    "audit public-key": {"AUDIT_KEY_PATH"},
    f"audit reconstruct --token-hash {'ab' * 32}": {WORKER, "AUDIT_BUCKET"},
    "audit resume --reason x": {"DATABASE_OWNER_URL", "AUDIT_BUCKET", "AUDIT_KEY_PATH"},
    "audit verify": {WORKER, "AUDIT_BUCKET"},
    "certificate check": set(),
    "certificate request": set(),
    "conformance": set(),
    "database check": {"DATABASE_OWNER_URL", "DATABASE_URL"},
    "database downgrade --revision base --yes": {"DATABASE_OWNER_URL"},
    "database migrate": {"DATABASE_OWNER_URL"},
    "database pack-entries": {"DATABASE_OWNER_URL"},
    "deploy files --to FILE": set(),
    "ebox check EXAMPLE --from-anybody": set(),
    "ebox erase --ebox enterprise:0999910048 --why x --yes": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "ebox export --ebox enterprise:0999910048 --output FILE": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "ebox import EXAMPLE --from-anybody": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "events list": {WORKER},
    "events preview": {WORKER},
    f"events replay {NOBODY}": {WORKER, "HASH_KEY"},
    f"events show {NOBODY}": {WORKER},
    f"events skip {NOBODY} --why x": {WORKER, "HASH_KEY"},
    f"find --digest {'ab' * 32}": {WORKER, "HASH_KEY"},
    "fsck": {WORKER, "S3_BUCKET", "HASH_KEY"},
    f"hold lift {NOBODY} --why x": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "hold list": {WORKER},
    f"hold refresh {NOBODY}": {WORKER, "S3_BUCKET"},
    "hold set --ebox enterprise:0999910048 --why x": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "jobs purge": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "jobs remind": {WORKER},
    "jobs route 0999910048": {"DATABASE_URL", "PARTITION_URL", *OAUTH},
    "jobs sweep --dry-run": {WORKER, "S3_BUCKET"},
    "jobs verify": {WORKER, "S3_BUCKET"},
    f"message show {NOBODY}": {WORKER, "HASH_KEY"},
    f"message withdraw {NOBODY} --why x": {WORKER, "S3_BUCKET", "HASH_KEY"},
    "publish": set(),
    "refdata check EXAMPLE": set(),
    "refdata diff EXAMPLE": {"DATABASE_OWNER_URL"},
    "refdata edit-example FILE": set(),
    "refdata export FILE": {"DATABASE_OWNER_URL"},
    "refdata import EXAMPLE": {"DATABASE_OWNER_URL"},
    "rescan --since 2026-01-01": {WORKER, "S3_BUCKET", "HASH_KEY", "CLAMD_ADDRESS"},
    "sender list": {WORKER},
    "sender resume 0206731645 --why x": {WORKER, "HASH_KEY"},
    "sender suspend 0206731645 --why x": {WORKER, "HASH_KEY"},
    "settings list": set(),
    "storage check": {"S3_BUCKET", "AUDIT_BUCKET"},
    "storage create": {"S3_BUCKET", "AUDIT_BUCKET"},
    "token explain x": {"OAUTH_INTROSPECT_URL", *OAUTH},
    "worker --once --only measure": {
        *(WORKER, "S3_BUCKET", "HASH_KEY", "AUDIT_BUCKET", "AUDIT_KEY_PATH"),
    },
}
OF_BUCKETS = {"S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"}
# What else is used where it is set.
WHERE_SET = {
    "audit": {*OF_BUCKETS, "AUDIT_KEY_PATH"},
    **dict.fromkeys(("database", "events", "refdata"), frozenset()),
}
# What works where nothing is set.
FREE = {
    *("audit check-evidence EXAMPLE", "ebox check EXAMPLE --from-anybody"),  # 1: no such files
    *("deploy files --to FILE", "refdata check EXAMPLE", "refdata edit-example FILE"),
    "settings list",
}
# What asks for all that the service has.
FOR_ALL = {("doctor",), ("preflight",), ("settings", "check")}


def test_every_command_is_in_the_table():
    leaves = {
        path
        for path, command in commands(registry)
        if not isinstance(command, click.Group) and path[0] in OURS
    }

    typed = [tuple(words.split()) for words in LEAST]
    assert {next(p for p in leaves if words[: len(p)] == p) for words in typed} == leaves - FOR_ALL


@pytest.mark.parametrize("words", LEAST)
def test_without_settings_all_that_the_command_needs_is_told(start, tmp_path, words):
    done = start(*arguments(words, tmp_path))

    names = {
        line.split(":")[0] for line in done.stderr.splitlines() if line.startswith("REGISTRY_")
    }
    assert names == {f"REGISTRY_{name}" for name in LEAST[words]}
    assert done.returncode in ((0, 1) if words in FREE else (2,))


@pytest.mark.parametrize("words", [words for words in LEAST if LEAST[words]])
def test_with_what_it_needs_a_command_does_its_work(start, tmp_path, secluded, fresh, words):
    environment = fresh if words.startswith("database") else secluded.environment
    # Nobody is there: the database has no document to be looked at.
    environment = {"REGISTRY_CLAMD_ADDRESS": f"{LOOPBACK}:{free_port()}", **environment}
    names = LEAST[words] | WHERE_SET.get(words.split()[0], OF_BUCKETS)
    given = {f"REGISTRY_{name}": environment[f"REGISTRY_{name}"] for name in names}
    if words == "storage create":  # those that are there are for all tests, and keep no versions
        given |= {name: uuid4().hex for name in ("REGISTRY_S3_BUCKET", "REGISTRY_AUDIT_BUCKET")}

    done = start(*arguments(words, tmp_path), env=given | {"REGISTRY_ENVIRONMENT": "test"})

    assert done.returncode in (0, 1)
    assert "REGISTRY_" not in done.stderr
    assert "Traceback" not in done.stderr


def test_what_another_command_would_find_wrong_is_no_business_of_this_one(start, secluded):
    ours = {
        "REGISTRY_DATABASE_WORKER_URL": secluded.environment["REGISTRY_DATABASE_WORKER_URL"],
        "REGISTRY_ENVIRONMENT": "test",
    }
    others = {"REGISTRY_S3_ENDPOINT": "nowhere", "REGISTRY_DATABASE_OWNER_URL": "of somebody else"}

    done = start("hold", "list", env=ours | others)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_setting_that_there_is_not_is_told_by_every_command(start, secluded):
    url = secluded.environment["REGISTRY_DATABASE_WORKER_URL"]

    done = start("hold", "list", env={"REGISTRY_DATABASE_WORKER_URL": url, "REGISTRY_NO": "1"})

    assert done.returncode == 2
    assert "REGISTRY_NO: there is no such setting" in done.stderr


def arguments(words, folder):
    example = folder / "example.yaml"
    shutil.copy(files("registry.cli.refdata") / "example.yaml", example)
    paths = {"FILE": str(folder / "file"), "EXAMPLE": str(example)}
    return [paths.get(word, word) for word in words.split()]
