"""Every command in every trouble: one sentence, an exit code, and nothing half done."""

import signal
import time
from types import SimpleNamespace

import pytest

from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.test_least_settings import LEAST, arguments
from tests.forked import RegistryProcess
from tests.roads import Road

pytestmark = pytest.mark.process

URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL")
BUCKETS = ("S3_BUCKET", "AUDIT_BUCKET")
ASKS_DATABASE = [words for words, needs in LEAST.items() if needs & set(URLS)]
ASKS_STORE = [words for words, needs in LEAST.items() if needs & set(BUCKETS)]
# One has an end of its own, the other looks at its file first.
WAITS = [words for words in ASKS_DATABASE if not words.startswith(("worker", "ebox import"))]


def leave_out(*names):
    """The commands, but for those that have nothing to complain of."""
    return [words for words in ASKS_DATABASE if not words.startswith(names)]


CLAMD = {"REGISTRY_CLAMD_ADDRESS": f"{LOOPBACK}:1"}


@pytest.mark.parametrize("words", ASKS_DATABASE)
def test_a_database_that_is_not_there_is_told_in_one_sentence(start, tmp_path, secluded, words):
    url = f"postgresql://someone:secret-word@{LOOPBACK}:{free_port()}/registry"

    done = start(*arguments(words, tmp_path), env=secluded.environment | CLAMD | with_urls(url))

    check(done)


@pytest.mark.parametrize("words", ASKS_DATABASE)
def test_a_role_that_there_is_not_is_told_in_one_sentence(
    start, tmp_path, cluster, secluded, words
):
    url = f"postgresql://nobody:secret-word@{LOOPBACK}:{cluster.port}/postgres"

    done = start(*arguments(words, tmp_path), env=secluded.environment | CLAMD | with_urls(url))

    check(done)


@pytest.mark.parametrize("words", leave_out("database migrate", "refdata export FILE"))
def test_a_role_without_the_right_is_told_in_one_sentence(start, tmp_path, secluded, words):
    environment = secluded.environment
    swapped = {
        "REGISTRY_DATABASE_URL": environment["REGISTRY_DATABASE_WORKER_URL"],
        "REGISTRY_DATABASE_WORKER_URL": environment["REGISTRY_DATABASE_URL"],
        "REGISTRY_DATABASE_OWNER_URL": environment["REGISTRY_DATABASE_URL"],
    }

    done = start(*arguments(words, tmp_path), env=environment | CLAMD | swapped)

    check(done)


@pytest.mark.parametrize("words", leave_out("database migrate", "database downgrade"))
def test_a_database_that_was_never_migrated_is_told_in_one_sentence(start, tmp_path, fresh, words):
    name = fresh["REGISTRY_DATABASE_URL"].rpartition("/")[2]
    worker = fresh["REGISTRY_DATABASE_WORKER_URL"].rpartition("/")[0]

    done = start(
        *arguments(words, tmp_path),
        env=fresh | CLAMD | {"REGISTRY_DATABASE_WORKER_URL": f"{worker}/{name}"},
    )

    check(done)


@pytest.mark.parametrize("words", ASKS_STORE)
def test_a_store_that_is_not_there_is_told_in_one_sentence(start, tmp_path, secluded, words):
    store = {"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"}

    done = start(*arguments(words, tmp_path), env=secluded.environment | CLAMD | store)

    # Where there is nothing to do, nobody asks the store.
    if done.returncode:
        check(done)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", WAITS)
def test_ctrl_c_ends_what_waits_for_a_silent_database(tmp_path, cluster, secluded, words):
    with Road((LOOPBACK, cluster.port)) as road:
        road.silence()
        environment = secluded.environment
        led = {
            f"REGISTRY_{name}": environment[f"REGISTRY_{name}"].replace(
                f":{cluster.port}/", f":{road.port}/"
            )
            for name in URLS
        }
        done = interrupt(words, environment | CLAMD | led, tmp_path)

    check(done, codes=[130])


def with_urls(url):
    return {f"REGISTRY_{name}": url for name in URLS}


def interrupt(words, environment, folder, after=1.5):
    """Press Ctrl-C after so many seconds; gives exit code and output."""
    output, errors = folder / "stdout", folder / "stderr"
    process = RegistryProcess(arguments(words, folder), environment, output, errors)
    try:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
    finally:
        process.kill()
    return SimpleNamespace(returncode=code, stdout=output.read_text(), stderr=errors.read_text())


def check(done, codes=(1, 3)):
    assert "Traceback" not in done.stderr + done.stdout
    assert "secret-word" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.returncode in codes, done.stderr
