"""Suspensions of senders: an operator stops all that one publishes, until he lets it go on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.errors import NotFound
from registry.store.publication import suspensions
from registry.store.publication.suspensions import SuspendedSender, Suspension
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class Suspensions:
    """Suspends senders and sender applications, and resumes them (ADR 036).

    The database asks in the transaction of every publication, reply, broadcast and chunk of one.
    Reasons must have no numbers of persons: they are kept in the trail.
    """

    transactions: Transactions
    audit_log: AuditLog
    now: Callable[[], datetime]

    def suspend(self, sender: SuspendedSender, why: str) -> Suspension:
        """Suspend a sender, once; gives the suspension that is in force then.

        What was being published is waited for: nothing is after this returns. Raises `NotFound` for
        an application that reference data do not have.
        """
        suspension_id = uuid4()
        with self.transactions() as connection:
            if not suspensions.has_application(connection, sender.application_id):
                raise NotFound("application_id", "", "There is no such sender application.")
            suspensions.wait_for_publications(connection)
            is_new = suspensions.suspend(connection, suspension_id, sender, why=why, now=self.now())
            if is_new:
                facts = details.describe_suspension(
                    suspension_id, sender.number, sender.application_id, why
                )
                self.audit_log.note(connection, "sender/suspend", facts)
            suspension = suspensions.find_current(connection, sender)
        if suspension is None:  # resumed between two statements
            raise NotFound("sender", "", "The sender was resumed at this moment.")
        return suspension

    def resume(self, sender: SuspendedSender, why: str) -> None:
        """Let a sender publish again. Raises `NotFound` unless exactly this one is suspended."""
        with self.transactions() as connection:
            suspension_id = suspensions.resume(connection, sender, why=why, now=self.now())
            if suspension_id is None:
                raise NotFound("sender", "", "There is no such suspension in force.")
            facts = details.describe_suspension(
                suspension_id, sender.number, sender.application_id, why
            )
            self.audit_log.note(connection, "sender/resume", facts)

    def list_suspensions(self, *, with_resumed: bool, limit: int) -> Sequence[Suspension]:
        """List the suspensions in force, the oldest first; `with_resumed` also those that ended."""
        with self.transactions() as connection:
            return suspensions.list_suspensions(connection, with_resumed=with_resumed, limit=limit)
