"""Partition API: the partitions of an e-Box, who may read them, mandates, routing rules."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from registry.domain.errors import UpstreamInvalid
from registry.domain.federation_words import Member
from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule
from registry.federation.member_names import LIKELY_NAMES, MemberNames
from registry.federation.rules import read_rules
from registry.http_client.access_token import OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Answer, Upstream, report_invalid
from registry.http_client.deadlines import Deadline
from registry.telemetry.watch import Watch

_LIMIT: Final = 1024 * 1024  # bytes: some thousands of partitions or rules
_CONSULT: Final = "consult"
_MANDATE_PATH: Final = "/ebox/{enterpriseNumber}/hasMandate"
_RULES_PATH: Final = "/ebox/{enterpriseNumber}/routingRules"

T = TypeVar("T")


@dataclass(frozen=True, repr=False, eq=False)
class PartitionApi:
    """The federation's own word on partitions (contract 3.2, 6.17); nothing is cached here.

    The paths are templates with `{enterpriseNumber}` and `{ssin}`. `is_mandate_swapped` exchanges
    the two enterprises of a mandate (contract 6.16). `names` are those of the answers' members.
    """

    base: str
    own: OwnToken
    upstream: Upstream
    breaker: Breaker
    rights_path: str = "/ebox/{enterpriseNumber}/users/{ssin}/partitions"
    list_path: str = "/ebox/{enterpriseNumber}/partitions"
    is_mandate_swapped: bool = False
    names: MemberNames = LIKELY_NAMES

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """List the partitions this person may read; somebody unknown there may read none.

        Raises `Unavailable` and `UpstreamInvalid`, within about the upstream's timeout.
        """
        path = self.rights_path.replace("{ssin}", person.digits)
        reader = partial(_read_readable_partitions, self.names)
        return self._ask("rights", path, enterprise, reader)

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """List the partitions of this e-Box, always with the general one; raises like `rights`."""
        reader = partial(_read_existing_partitions, self.names)
        return _require_answer(self._ask("partitions", self.list_path, enterprise, reader))

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Tell if a mandate covers the operation; false only when the service says so.

        As the federation's page has it, `enterprise` is the token's and `mandatary` the one that
        On-Behalf-Of-Enterprise-Number names (contract 3.2, 6.16). Raises like `rights`: to the
        caller no answer is a denial too.
        """
        if self.is_mandate_swapped:
            enterprise, mandatary = mandatary, enterprise
        query = {"mandataryEnterpriseNumber": mandatary.digits, "operation": operation}
        path = f"{_MANDATE_PATH}?{urlencode(query)}"
        reader = partial(_read_mandate, self.names)
        return _require_answer(self._ask("hasMandate", path, enterprise, reader))

    def routing_rules(self, enterprise: EnterpriseNumber) -> tuple[Rule, ...]:
        """List the rules of this e-Box, the first to match decides; an unknown e-Box has none.

        Raises like `rights` (contract 3.2, 4.13).
        """
        reader = partial(_read_routing_rules, self.names)
        return _require_answer(self._ask("routingRules", _RULES_PATH, enterprise, reader))

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _ask(
        self,
        operation: str,
        path: str,
        enterprise: EnterpriseNumber,
        reader: Callable[[Answer], T],
    ) -> T:
        url = self.base + path.replace("{enterpriseNumber}", enterprise.digits)
        with self.breaker.guard(), Watch(self.upstream.name, operation):
            return self.upstream.within(partial(self._call, url, reader))

    def _call(self, url: str, reader: Callable[[Answer], T], deadline: Deadline) -> T:
        answer = self.own.call_with_token(
            lambda bearer: self.upstream.get(url, bearer, deadline, limit=_LIMIT)
        )
        return reader(answer)


def _read_readable_partitions(names: MemberNames, answer: Answer) -> frozenset[str]:
    if answer.status == 404:
        return frozenset()
    return frozenset(
        _read_partition(names, answer, item)
        for item in _read_items(names, answer)
        if _CONSULT in _read_rights(names, answer, item)
    )


def _read_existing_partitions(names: MemberNames, answer: Answer) -> frozenset[str] | None:
    if answer.is_refusal or answer.status == 404:
        report_invalid(answer.service, f"status {answer.status}")
        return None
    partitions = (_read_partition(names, answer, item) for item in _read_items(names, answer))
    return frozenset(partitions) | {GENERAL}


def _read_mandate(names: MemberNames, answer: Answer) -> bool | None:
    """Read true or false; None for a refused question: whoever calls us names the enterprises."""
    if answer.is_refusal or answer.status == 404:
        report_invalid(answer.service, f"status {answer.status}")
        return None
    has_mandate = names.find(answer.members(), Member.MANDATE, answer.service)
    if not isinstance(has_mandate, bool):
        raise report_invalid(answer.service, "hasMandate is neither true nor false")
    return has_mandate


def _read_routing_rules(names: MemberNames, answer: Answer) -> tuple[Rule, ...] | None:
    if answer.is_refusal:
        report_invalid(answer.service, f"status {answer.status}")
        return None
    if answer.status == 404:
        return ()
    return read_rules(names.find(answer.members(), Member.RULES, answer.service), names)


def _require_answer(answer: T | None) -> T:
    """Give the answer unless it is None, which is `UpstreamInvalid`.

    Raised here, out of the breaker's sight: a refused question is no illness of the service, and
    must not shut it off for others.
    """
    if answer is None:
        raise UpstreamInvalid
    return answer


def _read_items(names: MemberNames, answer: Answer) -> list[dict[str, Any]]:
    items = names.find(answer.members(), Member.ITEMS, answer.service)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise report_invalid(answer.service, "items is not a list of objects")
    return items


def _read_partition(names: MemberNames, answer: Answer, item: dict[str, Any]) -> str:
    name = names.find(item, Member.PARTITION, answer.service)
    if not isinstance(name, str) or not name:
        raise report_invalid(answer.service, "partition is not a name")
    return name


def _read_rights(names: MemberNames, answer: Answer, item: dict[str, Any]) -> list[str]:
    rights = names.find(item, Member.RIGHTS, answer.service)
    if not isinstance(rights, list) or not all(isinstance(right, str) for right in rights):
        raise report_invalid(answer.service, "rights is not a list of words")
    return rights
