"""The drill: a sandbox under load loses its database, and comes back from backup and archive."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from registry.sandbox import tokens
from registry.sandbox.demo.tour import Visitor, must
from registry.sandbox.drill import journeys
from registry.sandbox.drill.archived_cluster import ArchivedCluster
from registry.sandbox.drill.examiner import Examiner, StorageVerdict, TrailVerdict
from registry.sandbox.drill.ledger import Acknowledgement, Ledger, leave_out
from registry.sandbox.drill.restore_report import RestorePlan, RestoreReport
from registry.sandbox.drill.senders import Senders
from registry.sandbox.layout import Document, Layout
from registry.sandbox.personas import PERSONAS
from registry.sandbox.servers.processes import pause
from registry.sandbox.supervisor import Supervisor

REASON: Final = "Drill: the database was lost and restored from its backup"
_WARM_UP: Final = 3  # publications before the backup begins
_LEAST: Final = 3  # publications that only unarchived WAL has, so that the drill shows a loss
_SHARE: Final = 0.6  # of the time between two segments that has passed when the database is lost
_PATIENCE: Final = 60.0  # seconds until publications are acknowledged


@dataclass(frozen=True, slots=True)
class _Loss:
    """The moment, the last segment in the archive, and where recovery ends if not with that."""

    at: datetime
    segment: str | None
    target: datetime | None


@dataclass(frozen=True, slots=True)
class _Aftermath:
    """The state after a restore, and what the checks say of it.

    `absences` are the acknowledgements that the restored database did not have, `losses` those of
    them that were not filed again, `survivors` the others.
    """

    absences: Sequence[Acknowledgement]
    losses: Sequence[Acknowledgement]
    survivors: Sequence[Acknowledgement]
    recovery_point: datetime | None
    storage: StorageVerdict
    trail: TrailVerdict


class RestoreDrill:
    """One drill on a sandbox of its own, in the folder of `layout`; `say` gets the progress."""

    def __init__(
        self, layout: Layout, port: int, plan: RestorePlan, say: Callable[[str], None]
    ) -> None:
        self._layout, self._plan, self._say = layout, plan, say
        self._cluster = ArchivedCluster(layout.postgres, archive_every=plan.archive_every)
        self._supervisor = Supervisor(layout, port, say=say, cluster=self._cluster)
        self._ledger = Ledger(layout.directory / "ledger.jsonl")
        self._seconds: dict[str, float] = {}

    def run(self) -> RestoreReport:
        """Do all of it, and stop everything.

        Raises what `Supervisor.up` raises, `ArchiveFailed`, and `DemoFailed` when the registry does
        not do what it should.
        """
        with self._supervisor.up() as document:
            self._ledger.path.unlink(missing_ok=True)
            examiner = Examiner(self._supervisor, self._cluster, document)
            senders = Senders(
                self._plan.senders,
                document["baseUrls"]["enterprise"]["v3"],
                lambda: self._fetch_token("sender", document),
                self._ledger,
            )
            with senders:
                loss = self._publish_and_lose(examiner)
                aftermath = self._restore(examiner, loss)
                first = self._open()
                self._walk(examiner, aftermath, first)
            with self._step("registry jobs sweep"):
                examiner.sweep()
            return self._report(examiner, loss, aftermath, first)

    def _publish_and_lose(self, examiner: Examiner) -> _Loss:
        """Back up and archive beside publications, and lose the database amid them."""
        self._await_publications(_WARM_UP)
        with self._step("Base backup"):
            self._cluster.back_up()
        self._say(f"Publishing for {self._plan.publishing} s …")
        pause(self._plan.publishing)
        deadline = time.monotonic() + _PATIENCE
        while not self._is_bad_moment(examiner) and time.monotonic() < deadline:
            pause(0.1)
        state = self._cluster.read_archive_state()
        loss_at = datetime.now(UTC)
        self._cluster.lose()
        self._say("The database is lost: its processes are killed, its folder is deleted.")
        target = loss_at - timedelta(seconds=self._plan.rewind) if self._plan.rewind else None
        if target and state.archived_at and target >= state.archived_at:
            target = None  # the archive ends before
        return _Loss(loss_at, state.segment, target)

    def _is_bad_moment(self, examiner: Examiner) -> bool:
        """Tell if publications and a seal would be lost now, and more than on average."""
        archived_at = self._cluster.read_archive_state().archived_at
        if archived_at is None or len(self._ledger.list_since(archived_at)) < _LEAST:
            return False
        age = (datetime.now(UTC) - archived_at).total_seconds()
        return age > _SHARE * self._plan.archive_every and examiner.has_seal_since(archived_at)

    def _restore(self, examiner: Examiner, loss: _Loss) -> _Aftermath:
        """Restore the database, and put everything in order before anybody is let in."""
        with self._step("Everything that uses it is stopped"):
            self._supervisor.stop_registry()
        lines = self._ledger.list_since(None)
        with self._step("Restore"):
            self._cluster.restore(loss.segment, loss.target)
            self._supervisor.start_database()
        with self._step("registry database migrate"):
            self._supervisor.run_registry("database", "migrate")
        absences = leave_out(lines, examiner.list_messages())
        with self._step("registry fsck --deep"):
            storage = examiner.check_storage()
        with self._step("registry fsck --adopt"):
            examiner.adopt()
        losses = leave_out(absences, examiner.list_messages())
        with self._step("registry audit resume"):
            examiner.resume_sealing(REASON)
        with self._step("registry audit verify"):
            trail = examiner.verify_trail()
        must(trail.breaks, "registry audit verify shows the break")
        survivors = leave_out(lines, {line.message_id for line in losses})
        must(survivors, "Something of before the loss is there")
        point = self._cluster.read_recovery_point()
        return _Aftermath(absences, losses, survivors, point, storage, trail)

    def _open(self) -> Acknowledgement:
        """Start what serves, and give the first acknowledgement."""
        opening_at = datetime.now(UTC)
        with self._step("The registry is open again"):
            self._supervisor.start_registry()
            self._await_publications(1, opening_at)
        return self._ledger.list_since(opening_at)[0]

    def _walk(self, examiner: Examiner, aftermath: _Aftermath, first: Acknowledgement) -> None:
        """Go the main journeys."""
        with self._step("The main journeys"):
            document, survivors = examiner.document, aftermath.survivors
            token = self._fetch_token("enterprise-consumer", document)
            reader = Visitor(document["baseUrls"]["enterprise"]["v3"], token)
            journeys.walk(reader, (survivors[0], survivors[-1], first))
            journeys.await_seals(examiner, aftermath.trail)

    def _report(
        self,
        examiner: Examiner,
        loss: _Loss,
        aftermath: _Aftermath,
        first: Acknowledgement,
    ) -> RestoreReport:
        return RestoreReport(
            plan=self._plan,
            acknowledgements=len(aftermath.losses) + len(aftermath.survivors),
            absences=aftermath.absences,
            losses=aftermath.losses,
            loss_at=loss.at,
            target=loss.target,
            recovery_point=aftermath.recovery_point,
            first_answer_at=first.at,
            strays=aftermath.storage.strays,
            findings=aftermath.storage.others,
            orphans=self._find_orphans(examiner),
            known_break=aftermath.trail.breaks[-1],
            seconds=self._seconds,
        )

    def _find_orphans(self, examiner: Examiner) -> list[str]:
        lines = leave_out(self._ledger.list_since(None), examiner.list_documents())
        return [line.message_id for line in lines]

    def _await_publications(self, count: int, begin: datetime | None = None) -> None:
        deadline = time.monotonic() + _PATIENCE
        while len(self._ledger.list_since(begin)) < count:
            must(time.monotonic() < deadline, "Publications are acknowledged")
            pause(0.05)

    def _fetch_token(self, persona: str, document: Document) -> str:
        return tokens.fetch(document["tokenUrl"], PERSONAS[persona], self._layout.keys)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        beginning = time.monotonic()
        yield
        self._seconds[name] = time.monotonic() - beginning
        self._say(f"{name}: {self._seconds[name]:.1f} s")
