"""Processes killed during all that they do: nothing is lost, half there, or told to nobody.

Then harm is done on purpose, to see that the ledger finds it.
"""

import os
import secrets
import time
from pathlib import Path

import click
import pytest

from registry.sandbox.drill.report_page import ReportPage
from tests.journeys.ledger.book import Harm, Kind
from tests.journeys.ledger.house import open_house
from tests.journeys.ledger.report import TITLE, write_report, write_table
from tests.journeys.ledger.sabotage import Sabotage

KILLS = int(os.environ.get("JOURNEY_KILLS", "27"))
SEED = int(os.environ.get("JOURNEY_SEED") or secrets.randbelow(1_000_000))
PAGE = os.environ.get("JOURNEY_REPORT")

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """After all kills, and after all that workers and operators do then."""
    click.echo(f"JOURNEY_SEED={SEED}")
    began = time.monotonic()
    with open_house(tmp_path_factory.mktemp("kills"), SEED) as house:
        house.run(KILLS, lambda line: click.echo(f"{time.monotonic() - began:5.0f} s: {line}"))
        house.seconds = time.monotonic() - began
        yield house


@pytest.fixture(scope="module")
def findings(house):
    """What the judge finds before any harm is done on purpose."""
    findings = house.judge()
    click.echo("\n".join(write_table(house.book, findings)))
    if PAGE:
        text = write_report(house.book, findings, seed=SEED, minutes=house.seconds / 60)
        ReportPage(Path(PAGE)).replace_section(TITLE, text, command="make journeys")
    return findings


def test_nothing_is_lost_half_or_unannounced(findings):
    assert findings == []


def test_all_kinds_of_work_were_killed(house):
    assert sum(house.book.kills.values()) >= KILLS
    assert min(house.book.kills[kind] for kind in Kind) >= KILLS // len(Kind)


# What is done on purpose, and what the ledger says to it.
SABOTAGE = {
    "delete_a_message": (Kind.PUBLICATION, Harm.LOST),
    "delete_a_row_of_a_document": (Kind.PUBLICATION, Harm.HALF),
    "delete_an_object": (Kind.PUBLICATION, Harm.HALF),
    "delete_a_record": (Kind.PUBLICATION, Harm.HALF),
    "cut_an_object": (Kind.PUBLICATION, Harm.HALF),
    "change_an_object": (Kind.PUBLICATION, Harm.HALF),
    "leave_an_object_of_nobody": (Kind.PUBLICATION, Harm.HALF),
    "drop_an_event": (Kind.PUBLICATION, Harm.UNANNOUNCED),
    "tell_an_event_twice": (Kind.DELIVER, Harm.HALF),
    "take_a_broadcast_from_somebody": (Kind.BROADCAST, Harm.LOST),
    "leave_a_broadcast_unfinished": (Kind.BROADCAST, Harm.HALF),
    "forget_a_broadcast": (Kind.BROADCAST, Harm.LOST),
    "delete_a_proof": (Kind.PURGE, Harm.HALF),
    "put_a_purged_document_back": (Kind.PURGE, Harm.HALF),
    "delete_an_entry_of_the_trail": (Kind.SEAL, Harm.LOST),
    "delete_a_stray_from_quarantine": (Kind.FSCK, Harm.LOST),
}


@pytest.fixture(scope="module")
def harms(house, findings):
    """All that the judge finds when each harm is done once, and what each was done to."""
    sabotage = Sabotage(house)
    subjects = {name: getattr(sabotage, name)() for name in SABOTAGE}
    house.settlement.tell_all()
    harms = {(each.kind, each.harm, each.subject) for each in house.judge()}
    return subjects, harms


@pytest.mark.parametrize("name", SABOTAGE)
def test_the_ledger_would_find_it(harms, name):
    subjects, findings = harms

    assert (*SABOTAGE[name], subjects[name]) in findings


def test_the_ledger_would_find_what_a_migration_lost_or_left_halfway(house):
    name = house.migrations.copy("0003")
    house.migrations.execute(name, "DELETE FROM messages WHERE ebox = 'enterprise:1'")
    house.migrations.execute(name, "CREATE INDEX left_halfway ON messages (body)")

    findings = house.migrations.judge(name, "0003")

    assert {each.harm for each in findings} == {Harm.LOST, Harm.HALF}


def test_the_ledger_would_find_an_entry_that_a_resumption_lost(house):
    trail = house.resumptions
    trail.lose_survivor()

    assert {each.harm for each in trail.judge()} == {Harm.LOST, Harm.HALF}
