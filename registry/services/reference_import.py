"""Reference data from outside: a whole set takes the place of the one that is there."""

from dataclasses import dataclass

from sqlalchemy import Engine

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.reference_set import (
    ReferenceAction,
    ReferenceChange,
    ReferenceSet,
    compare_sets,
)
from registry.store import reference_set
from registry.store.reference_uses import ReferenceUse, find_uses


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """All that a set would change, and the messages that it would leave without what they name.

    It is carried out only when there are no such messages.
    """

    changes: tuple[ReferenceChange, ...]
    uses: tuple[ReferenceUse, ...]


@dataclass(frozen=True)
class ReferenceImport:
    """Reads and replaces reference data through the owner's role, each in one transaction.

    The service reads them at each call, so that it has the new ones as soon as they are committed.
    """

    engine: Engine
    audit_log: AuditLog

    def read(self) -> ReferenceSet:
        """Read what is there."""
        with self.engine.begin() as connection:
            reference_set.wait_for_imports(connection)  # of which half would be read
            return reference_set.read_set(connection)

    def replace(self, new: ReferenceSet, *, is_rehearsal: bool = False) -> ImportPlan:
        """Make the data those of `new`, unless that would orphan messages; a rehearsal looks only.

        What changes goes into the trail with the operator's name. A publication of a type that is
        removed, and that is filed meanwhile, makes the database refuse the whole of it.
        """
        with self.engine.begin() as connection:
            reference_set.wait_for_imports(connection)
            changes = compare_sets(reference_set.read_set(connection), new)
            removals = [each.name for each in changes if each.action is ReferenceAction.REMOVE]
            plan = ImportPlan(changes, find_uses(connection, removals))
            if changes and not plan.uses and not is_rehearsal:
                reference_set.write_changes(connection, new, changes)
                facts = details.describe_reference_changes(changes)
                self.audit_log.note(connection, "refdata/import", facts)
        return plan
