"""`registry worker --once`: everything that is due, then the end."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.worker.jobs import JOBS
from tests.factories import PDF, a_file, an_ebox

pytestmark = pytest.mark.process


def now():
    return datetime.now(UTC)


def test_everything_that_is_due_is_done(start, alone, worker_services, stand_in):
    ebox, file = an_ebox(), a_file()
    fresh = alone.put(ebox, received_at=now(), expires_at=now() + timedelta(days=90))
    old = alone.put(ebox, received_at=now() - timedelta(days=16))
    ending = alone.put(ebox, received_at=now(), expires_at=now() + timedelta(days=6))
    gone = alone.put(ebox, file, expires_at=now() - timedelta(days=1))
    alone.happen("newDocument", ebox, fresh)
    worker_services.purge.blobs.put(file["blob_key"], [PDF])

    done = start("--once")

    assert done.finish() == 0, done.log
    assert sorted(stand_in.received()) == sorted(
        [
            ("newDocument", str(fresh)),
            ("newDocumentReminder", str(old)),
            ("documentExpirationAlert", str(ending)),
        ]
    )
    assert {state for _, state in alone.states()} == {"told"}
    assert {row.message_id for row in alone.rows("messages")} == {fresh, old, ending}
    (proof,) = worker_services.deletion_proofs.find(gone)
    assert proof.documents[0]["digest"] == file["digest"]
    assert list(worker_services.purge.blobs.keys("", now() + timedelta(days=1))) == []
    for counted in ('"told":3', '"reminded":1', '"alerted":1', '"purged":1', '"erased":1'):
        assert counted in done.log
    assert ebox.number not in done.log


def test_documents_are_read_and_a_fault_is_told_by_its_key(start, alone, worker_services):
    blobs = worker_services.purge.blobs
    well, bad, lost = (a_file(blob_key=f"documents/{name}") for name in ("1", "2", "3"))
    ebox = an_ebox()
    alone.put(ebox, well, expires_at=now() + timedelta(days=90))
    message = alone.put(ebox, bad, expires_at=now() + timedelta(days=90))
    alone.put(ebox, lost, expires_at=now() + timedelta(days=90))
    blobs.put(well["blob_key"], [PDF])
    blobs.put(bad["blob_key"], [PDF[:-1] + b"?"])

    done = start("--once", "--only", "verify")

    assert done.finish() == 0, done.log
    assert '"verified":3' in done.log
    (altered,) = [line for line in done.log.splitlines() if "document altered" in line]
    (unavailable,) = [line for line in done.log.splitlines() if "document unavailable" in line]
    assert '"key":"documents/2"' in altered
    assert f'"message_id":"{message}"' in altered
    assert '"key":"documents/3"' in unavailable
    assert ebox.number not in done.log
    assert "aanslag.pdf" not in done.log
    (finished,) = alone.rows("document_rounds")
    assert (finished.documents, finished.faults) == (3, 2)
    assert finished.finished_at


def test_a_worker_reads_no_documents_where_it_is_told_not_to(start, alone):
    alone.put(an_ebox(), a_file(blob_key="documents/1"))

    done = start("--once", "--only", "verify", REGISTRY_DOCUMENT_CHECK_DAYS="0")

    assert done.finish() == 0, done.log
    assert alone.rows("document_rounds") == []


def test_whose_turn_it_is_does_not_matter(start, alone, worker_services, stand_in):
    for duty in JOBS:
        worker_services.job_leases.take(duty.name, timedelta(days=1))
    alone.put(an_ebox(), received_at=now() - timedelta(days=16))

    done = start("--once", "--only", "remind", "--only", "deliver")

    assert done.finish() == 0, done.log
    assert [kind for kind, _ in stand_in.received()] == ["newDocumentReminder"]


def test_only_what_is_named_is_done(start, alone, stand_in):
    ebox = an_ebox()
    alone.happen("newDocument", ebox, alone.put(ebox, expires_at=now() + timedelta(days=1)))

    done = start("--once", "--only", "purge")

    assert done.finish() == 0, done.log
    assert alone.states() == [("newDocument", "waiting")]


def test_trouble_is_an_exit_code_and_keeps_nobody_from_their_duty(start, alone, stand_in):
    ebox = an_ebox()
    alone.happen("newDocument", ebox, alone.put(ebox, expires_at=now() + timedelta(days=90)))
    gone = alone.put(ebox, expires_at=now() - timedelta(days=1))
    stand_in.fault(events="error")

    done = start("--once")

    assert done.finish() == 1
    assert '"event":"trouble"' in done.log
    assert alone.states() == [("newDocument", "waiting")]
    assert alone.rows("messages", message_id=gone) == []


# What keeps it from starting


def test_settings_that_are_missing_are_listed(start):
    done = start("--once", REGISTRY_S3_BUCKET=None, REGISTRY_OAUTH_CLIENT_ID=None)

    assert done.finish() == 2
    assert "REGISTRY_S3_BUCKET: " in done.log
    assert "REGISTRY_OAUTH_CLIENT_ID: " in done.log


def test_what_the_worker_alone_needs_is_missed_too(start):
    done = start(REGISTRY_DATABASE_WORKER_URL=None)

    assert done.finish() == 2
    assert done.log == "REGISTRY_DATABASE_WORKER_URL: is needed here and not set\n"


def test_what_seals_need_is_missed_at_once_and_whatever_the_environment(start):
    # In acceptation and production these settings of a trial would be refused first.
    for environment in ("development", "integration"):
        missing = {"REGISTRY_AUDIT_BUCKET": None, "REGISTRY_AUDIT_KEY_PATH": None}
        done = start(REGISTRY_ENVIRONMENT=environment, **missing)

        assert done.finish() == 2
        assert done.log == (
            "REGISTRY_AUDIT_BUCKET: is needed here and not set\n"
            "REGISTRY_AUDIT_KEY_PATH: is needed here and not set\n"
        )


def test_a_key_that_cannot_sign_will_not_do(start, alone):
    key = str(alone.settings.oauth_key_path)

    done = start(REGISTRY_AUDIT_KEY_PATH=key)

    assert done.finish() == 1
    assert done.log == (
        f"Error: The key in {key} cannot be used: it is not an Ed25519 private key in PEM.\n"
    )


def test_a_seal_bucket_without_object_lock_will_not_do(start, alone):
    bucket = alone.settings.s3_bucket

    for options in ([], ["--once"]):
        done = start(*options, REGISTRY_AUDIT_BUCKET=bucket)

        assert done.finish() == 1
        assert done.log == f"Error: The seal bucket {bucket} has no Object Lock.\n"


def test_the_applications_role_will_not_do(start, alone):
    role = alone.settings.database_url.get_secret_value()

    for options in ([], ["--once"]):
        done = start(*options, REGISTRY_DATABASE_WORKER_URL=role)

        assert done.finish() == 1
        assert done.log == "Error: The database role is not the worker's: it sees one e-Box.\n"


def test_the_owners_role_will_not_do_either(start, alone):
    role = alone.settings.database_owner_url.get_secret_value()

    done = start(REGISTRY_DATABASE_WORKER_URL=role)

    assert done.finish() == 1
    assert done.log == "Error: The database role owns the tables.\n"


def test_a_bucket_that_is_not_there_will_not_do(start):
    done = start(REGISTRY_S3_BUCKET="no-such-bucket")

    assert done.finish() == 1
    assert done.log == "Error: The document store has no such bucket.\n"


def test_once_does_not_wait_for_a_database(start):
    url = f"postgresql://worker@{LOOPBACK}:{free_port()}/registry"

    done = start("--once", REGISTRY_DATABASE_WORKER_URL=url)

    assert done.finish() == 1
    assert done.log == "Error: The database does not answer.\n"


def test_a_duty_that_there_is_not(start):
    done = start("--only", "delivery")

    assert done.finish() == 2
    assert "There is no job 'delivery'; there are remind, alert, route, broadcast" in done.log
