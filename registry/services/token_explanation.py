"""Explanation of a token: which operation it opens, on which e-Box, and by which rule."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from registry.domain.access import Caller, Operation, ScopeTable
from registry.domain.errors import PermissionMissing
from registry.domain.identifiers import EboxKind

_PUBLISHING: Final = frozenset({Operation.PUBLISH, Operation.PUBLISH_FOR_ANOTHER})
_WITHOUT_EBOX: Final = frozenset({Operation.READ_REFERENCE, Operation.NOTIFY})
_BY_SCOPE: Final = "by its scope"


class AccessVerdict(NamedTuple):
    """Decision on an operation for a caller, and the rule that it goes by."""

    is_allowed: bool
    rule: str


@dataclass(frozen=True)
class TokenExplanation:
    """Goes by the rules that the service goes by; `tables` are of each family of e-Boxes."""

    tables: Mapping[EboxKind, ScopeTable]

    def judge(
        self, caller: Caller, kind: EboxKind, operations: Collection[Operation]
    ) -> AccessVerdict:
        """Judge a resource that one of these operations opens, for the caller's own e-Box."""
        if not self.tables[kind].allows(caller, *operations):
            return AccessVerdict(False, self._name_scopes(kind, operations))
        if _PUBLISHING & set(operations):
            return self._judge_publication(caller, operations)
        if set(operations) <= _WITHOUT_EBOX:
            return AccessVerdict(True, _BY_SCOPE)
        return self._judge_reading(caller, kind)

    def _name_scopes(self, kind: EboxKind, operations: Collection[Operation]) -> str:
        scopes = self.tables[kind].make_refusal(*operations).scopes
        if not scopes:
            return "no setting names a scope that opens it here"
        return f"needs the scope {' or '.join(scopes)}"

    def _judge_publication(
        self, caller: Caller, operations: Collection[Operation]
    ) -> AccessVerdict:
        """Judge a publication; whose it is, the table of enterprises decides in both families."""
        table = self.tables[EboxKind.ENTERPRISE]
        if caller.enterprise is None:
            return AccessVerdict(False, "the token names no enterprise that could be the sender")
        if table.allows(caller, Operation.PUBLISH):
            return AccessVerdict(True, f"as the sender {caller.enterprise}")
        if table.allows(caller, Operation.PUBLISH_FOR_ANOTHER):
            header = "On-Behalf-Of-Enterprise-Number"
            return AccessVerdict(True, f"with {header}, if there is a mandate of that enterprise")
        if Operation.WHOLE_EBOX in operations:
            return AccessVerdict(True, "to answer a message that was received, and no other")
        return AccessVerdict(False, self._name_scopes(EboxKind.ENTERPRISE, operations))

    def _judge_reading(self, caller: Caller, kind: EboxKind) -> AccessVerdict:
        try:
            ebox = caller.ebox(kind)
            person = self.tables[EboxKind.ENTERPRISE].limit(caller, ebox)
        except PermissionMissing as error:
            return AccessVerdict(False, error.detail.rstrip(".").lower())
        if kind is EboxKind.CITIZEN:
            return AccessVerdict(True, "the e-Box of the person, who has no partitions")
        if person is None:
            return AccessVerdict(True, f"the whole e-Box of {ebox.number}")
        return AccessVerdict(True, f"the person's partitions of {ebox.number}")
