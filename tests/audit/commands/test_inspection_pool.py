"""Several processes find in a trail what one finds, and none of them outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from registry.audit.inspection_pool import InspectionPool
from registry.audit.period import EVER, TrailPeriod
from registry.audit.verification import Verification
from registry.cli.services import open_trail
from registry.wiring import trail_keys

pytestmark = [pytest.mark.long, pytest.mark.process]

SEALS = 9
# As `registry audit verify` does it, but that it says when it has begun, and takes its time then.
SCRIPT = """
import time
from registry.audit.inspection_pool import InspectionPool
from registry.audit.period import EVER
from registry.cli.services import open_trail

def report(count, total):
    if count == 1:
        print("begun", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    pool = InspectionPool(open_trail, jobs=2, seals=2)
    with open_trail() as investigation:
        _, findings = investigation.verify(EVER, report, pool=pool)
        list(findings)
"""


@pytest.fixture
def trail(written, sealer):
    """Seals of two entries each."""
    for _ in range(SEALS):
        written.write(2)
        assert sealer.seal() == 2
    return written


@pytest.fixture
def look(alone, store, settings, auditor_env, monkeypatch):
    """Verify with so many processes, two seals at a time; findings, figures, checkpoint, steps."""
    for name, value in auditor_env.items():
        monkeypatch.setenv(name, value)

    def verify(jobs, period=EVER, checkpoint=None):
        steps = []
        verification = Verification(
            trail_keys.load_keyring(settings),
            period,
            datetime.now(UTC),
            lambda *step: steps.append(step),
            checkpoint,
            InspectionPool(open_trail, jobs, seals=2),
        )
        findings = list(verification.find_faults(alone.worker, store))
        return findings, verification.figures, verification.checkpoint, steps

    return verify


@pytest.fixture
def harmed(trail, superuser, client, store):
    """A trail to which much was done: in the middle, where ranges meet, and at both ends."""
    rows = trail.seals()
    gone = [record.number for record in trail.entries(rows[1].until_xid, rows[2].until_xid)]
    superuser("DELETE FROM audit_entries WHERE entry_number = ANY(:gone)", gone=gone)
    dated = trail.entries(rows[3].until_xid, rows[4].until_xid)[0].number
    superuser(
        "UPDATE audit_entries SET recorded_at = '2010-05-03' WHERE entry_number = :n", n=dated
    )
    superuser("DELETE FROM audit_seals WHERE seal_number = 4")
    superuser("UPDATE audit_seals SET signature = '' WHERE seal_number = 6")
    superuser(
        "UPDATE audit_entries SET entry = '{}' WHERE xid >= CAST(:x AS xid8)",
        x=str(rows[7].until_xid),
    )
    client.put_object(Bucket=store.bucket, Key="seals/000000000002.json", Body=b"{}")
    client.put_object(Bucket=store.bucket, Key="seals/000000000005x", Body=b"{}")
    client.put_object(Bucket=store.bucket, Key="seals/000000000077.json", Body=b"{}")
    return trail


def is_gone(group):
    """Say that no process of the group is left, for whose end a moment is given."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_several_processes_find_nothing_in_a_trail_that_nobody_touched(trail, look):
    findings, figures, checkpoint, steps = look(2)

    assert findings == []
    assert (figures.seals, figures.sealed_entries, figures.compared_entries) == (9, 18, 18)
    assert checkpoint.seal == SEALS
    assert steps == [(count, SEALS) for count in range(1, SEALS + 1)]


def test_several_processes_find_what_one_finds_and_in_the_same_order(harmed, look):
    alone, together = look(1), look(2)

    assert together == alone
    kinds = {finding.kind.value for finding in alone[0]}
    assert {"edit", "deletion", "time", "missing seal", "copy differs", "foreign object"} <= kinds
    assert alone[2].seal < SEALS


def test_several_processes_stop_at_the_same_checkpoint_and_go_on_from_there(
    trail, sealer, look, superuser
):
    _, _, checkpoint, _ = look(2)
    trail.write(2)
    sealer.seal()
    superuser("DELETE FROM audit_seals WHERE seal_number = 3")

    alone, together = (look(jobs, checkpoint=checkpoint) for jobs in (1, 2))

    assert together == alone
    assert [(finding.kind.value, finding.seal) for finding in alone[0]] == [("missing seal", 3)]


def test_several_processes_leave_out_the_entries_of_other_periods(trail, look):
    """Also those of the first seals of a range, which do not show when the ones before were."""
    before = TrailPeriod(end=datetime.now(UTC) - timedelta(hours=2))

    alone, together = look(1, before), look(2, before)

    assert together == alone
    assert (alone[0], alone[1].compared_entries) == ([], 0)


def test_a_database_older_than_the_bucket_is_told_all_the_same(trail, look, superuser):
    superuser("DELETE FROM audit_seals WHERE seal_number > 6")
    superuser(
        "DELETE FROM audit_entries WHERE xid >= CAST(:x AS xid8)", x=str(trail.seals()[5].until_xid)
    )

    alone, together = look(1), look(2)

    assert together == alone
    assert [(finding.kind.value, finding.seal) for finding in alone[0]] == [("rollback", 7)]


@pytest.mark.parametrize(("number", "is_group"), [(signal.SIGINT, True), (signal.SIGKILL, False)])
def test_no_process_outlives_a_verification_that_is_stopped(trail, auditor_env, number, is_group):
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command,
        env={**os.environ, **auditor_env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"

        (os.killpg if is_group else os.kill)(process.pid, number)

        errors = process.stderr.read()  # which ends with the last process that has it
    assert process.returncode == -number or "KeyboardInterrupt" in errors
    assert "SpawnProcess" not in errors
    assert is_gone(process.pid)
