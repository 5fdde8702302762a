"""Partition API: the partitions of an e-Box, who may read them, mandates, routing rules."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from registry.domain.errors import UpstreamInvalid
from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule
from registry.federation.rules import read_rules
from registry.http_client.access_token import OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Answer, Upstream, lied

_LIMIT: Final = 1024 * 1024  # bytes: some thousands of partitions or rules
_CONSULT: Final = "consult"
_MANDATE_PATH: Final = "/ebox/{enterpriseNumber}/hasMandate"
_RULES_PATH: Final = "/ebox/{enterpriseNumber}/routingRules"

T = TypeVar("T")


@dataclass(frozen=True, repr=False, eq=False)
class PartitionService:
    """The federation's own word on partitions (contract 3.2, 6.17); nothing is cached here.

    The paths are templates with `{enterpriseNumber}` and `{ssin}`. `swapped` exchanges the two
    enterprises of a mandate (contract 6.16).
    """

    base: str
    own: OwnToken
    upstream: Upstream
    breaker: Breaker
    rights_path: str = "/ebox/{enterpriseNumber}/users/{ssin}/partitions"
    list_path: str = "/ebox/{enterpriseNumber}/partitions"
    swapped: bool = False

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """The partitions this person may read; somebody unknown there may read none.

        Raises `Unavailable` and `UpstreamInvalid`, within about the upstream's timeout.
        """
        path = self.rights_path.replace("{ssin}", person.digits)
        return self._ask(path, enterprise, _readable)

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """The partitions of this e-Box, always with the general one; raises like `rights`."""
        return _given(self._ask(self.list_path, enterprise, _existing))

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Whether a mandate covers the operation; false only when the service says so.

        As the federation's page has it, `enterprise` is the token's and `mandatary` the one that
        On-Behalf-Of-Enterprise-Number names (contract 3.2, 6.16). Raises like `rights`: to the
        caller no answer is a denial too.
        """
        if self.swapped:
            enterprise, mandatary = mandatary, enterprise
        query = {"mandataryEnterpriseNumber": mandatary.digits, "operation": operation}
        granted = self._ask(f"{_MANDATE_PATH}?{urlencode(query)}", enterprise, _granted)
        return _given(granted)

    def routing_rules(self, enterprise: EnterpriseNumber) -> tuple[Rule, ...]:
        """The rules of this e-Box, the first to match decides; an unknown e-Box has none.

        Raises like `rights` (contract 3.2, 4.13).
        """
        return _given(self._ask(_RULES_PATH, enterprise, _ordered))

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _ask(self, path: str, enterprise: EnterpriseNumber, understand: Callable[[Answer], T]) -> T:
        url = self.base + path.replace("{enterpriseNumber}", enterprise.digits)
        with self.breaker.guard():
            return self.upstream.within(partial(self._answered, url, understand))

    def _answered(self, url: str, understand: Callable[[Answer], T]) -> T:
        answer = self.own.spend(lambda bearer: self.upstream.get(url, bearer, limit=_LIMIT))
        return understand(answer)


def _readable(answer: Answer) -> frozenset[str]:
    if answer.status == 404:
        return frozenset()
    return frozenset(
        _name(answer, item) for item in _items(answer) if _CONSULT in _rights(answer, item)
    )


def _existing(answer: Answer) -> frozenset[str] | None:
    if answer.dislikes or answer.status == 404:
        lied(answer.service, f"status {answer.status}")
        return None
    return frozenset(_name(answer, item) for item in _items(answer)) | {GENERAL}


def _granted(answer: Answer) -> bool | None:
    """None when the question is disliked: the enterprises come from whoever calls us."""
    if answer.dislikes or answer.status == 404:
        lied(answer.service, f"status {answer.status}")
        return None
    granted = answer.members().get("hasMandate")
    if not isinstance(granted, bool):
        raise lied(answer.service, "hasMandate is neither true nor false")
    return granted


def _ordered(answer: Answer) -> tuple[Rule, ...] | None:
    if answer.dislikes:
        lied(answer.service, f"status {answer.status}")
        return None
    if answer.status == 404:
        return ()
    members = answer.members()
    return read_rules(members.get("items", members.get("orderedRoutingRules")))


def _given(answer: T | None) -> T:
    """What was answered; raises out of the breaker's sight what is not the service's illness."""
    if answer is None:
        raise UpstreamInvalid
    return answer


def _items(answer: Answer) -> list[dict[str, Any]]:
    items = answer.members().get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise lied(answer.service, "items is not a list of objects")
    return items


def _name(answer: Answer, item: dict[str, Any]) -> str:
    name = item.get("partition")
    if not isinstance(name, str) or not name:
        raise lied(answer.service, "partition is not a name")
    return name


def _rights(answer: Answer, item: dict[str, Any]) -> list[str]:
    rights = item.get("rights")
    if not isinstance(rights, list) or not all(isinstance(right, str) for right in rights):
        raise lied(answer.service, "rights is not a list of words")
    return rights
