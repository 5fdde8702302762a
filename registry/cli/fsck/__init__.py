"""`registry fsck`: documents in storage held against the database, and put right."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.fsck.adoption import with_adoption
from registry.cli.fsck.endings import Unfinished, advise_at_the_end
from registry.cli.fsck.output import CheckBar, print_finding, print_summary, show_check
from registry.cli.fsck.state import DOCUMENTS, OBJECTS, CheckState
from registry.cli.operator import named_operator
from registry.cli.options import QuietCommand, in_json, with_age, with_state
from registry.cli.services import worker_services
from registry.domain.errors import Unavailable
from registry.terminal.numbers import EboxType

if TYPE_CHECKING:
    from registry.domain.identifiers import Ebox
    from registry.services.documents.check import CheckedBatch
    from registry.services.documents.repair import StorageRepair
    from registry.wiring.operators import OperatorServices

_PAUSES: Final = (0.5, 1.0, 2.0)  # seconds before a batch is tried again


@dataclass(frozen=True)
class _Orders:
    """The options that were typed."""

    ebox: "Ebox | None"
    is_deep: bool
    is_repairing: bool
    older_than: timedelta
    path: Path | None
    is_json: bool


@click.command(cls=QuietCommand)
@click.option("--ebox", type=EboxType(check_digits=True), help="Check this e-Box alone.")
@click.option("--deep", "is_deep", is_flag=True, help="Read every byte, and compare the digests.")
@click.option(
    "--repair",
    "is_repairing",
    is_flag=True,
    help="Mark what cannot be read, and move strays below quarantine/.",
)
@with_age("Leave objects alone that are younger and belong to nothing.")
@with_state
@with_adoption
@named_operator
@in_json
def fsck(
    *,
    ebox: "Ebox | None",
    is_deep: bool,
    is_repairing: bool,
    older_than: int,
    path: Path | None,
    is_json: bool,
) -> None:
    """Check that storage has the documents which the database promises.

    First each document of a message is held against its object: is it there, of the right size, and
    under lock and hold as it has to be; then each object against the messages and the uploads that
    are noted, so that strays are found. One e-Box has only the first step. Without --repair nothing
    is changed.

    With --adopt no document is checked: publications are listed that the database lost, as after a
    restore, and with --yes those are filed again of which every byte is there.

    Exit code 0 when all is well or was put right, 1 when something is left, 2 when the call is
    wrong, 3 when the check could not be finished.

    Example: registry fsck --deep --state /var/lib/registry/fsck.json

    Example: registry fsck --adopt --yes --older-than 0
    """
    orders = _Orders(ebox, is_deep, is_repairing, timedelta(hours=older_than), path, is_json)
    if path is not None and not path.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder for {path}.")
    with worker_services("documents", "hash key") as services:
        state = CheckState.load(path, services.storage_check.name_scope(ebox), is_deep=is_deep)
        try:
            with advise_at_the_end(_advise(path)):
                _Check(services, orders, state).run()
        except OSError as error:  # of the state
            raise Unfinished(f"{path} cannot be written: {error.strerror}.") from None
    print_summary(state, is_json=is_json)
    if path is not None:
        path.unlink(missing_ok=True)  # the next call begins anew
    if state.unsettled_count:
        what = "finding is" if state.unsettled_count == 1 else "findings are"
        raise click.ClickException(f"{state.unsettled_count} {what} left.")


class _Check:
    """One check, from where its state says to its end."""

    def __init__(self, services: "OperatorServices", orders: _Orders, state: CheckState) -> None:
        self._check, self._orders, self._state = services.storage_check, orders, state
        self._repair: StorageRepair = services.storage_repair

    def run(self) -> None:
        orders, state = self._orders, self._state
        with show_check(self._check.count_documents(orders.ebox)) as bar:
            if state.step == DOCUMENTS:
                self._run_step(
                    lambda after: self._check.check_documents(
                        orders.ebox, after=after, is_deep=orders.is_deep
                    ),
                    bar,
                )
                # An object says nothing of an e-Box: what belongs to nobody is in no e-Box either.
                if orders.ebox is None:
                    state.step, state.after = OBJECTS, ""
                    state.save(orders.path)
            if state.step == OBJECTS:
                self._run_step(
                    lambda after: self._check.check_objects(
                        after=after, older_than=orders.older_than
                    ),
                    bar,
                )

    def _run_step(self, check: Callable[[str], Iterator["CheckedBatch"]], bar: CheckBar) -> None:
        """Take all batches of a step; one that fails is tried again, a few times in a row."""
        pauses = iter(_PAUSES)
        while True:
            try:
                for batch in check(self._state.after):
                    self._take(batch)
                    bar.show(self._state)
                    pauses = iter(_PAUSES)
            except Unavailable:
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)
            else:
                return

    def _take(self, batch: "CheckedBatch") -> None:
        state, orders = self._state, self._orders
        for each in batch.findings:
            finding = self._repair.repair(each) if orders.is_repairing else each
            print_finding(finding, is_json=orders.is_json)
            name = finding.fault.value
            state.findings[name] = state.findings.get(name, 0) + 1
            state.unsettled_count += not finding.is_settled
        if state.step == DOCUMENTS:
            state.documents += batch.count
        else:
            state.objects += batch.count
        state.bytes_read += batch.size
        state.after = batch.last
        state.save(orders.path)


def _advise(path: Path | None) -> str:
    if path is None:
        return "The check is not finished; with --state FILE it could go on."
    return "The check is not finished; the same call goes on from here."
