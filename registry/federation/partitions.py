"""Partition API: which partitions an e-Box has, and which of them a person may read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.domain.messages import GENERAL
from registry.federation.breaker import Breaker
from registry.federation.http import Answer, Upstream, lied
from registry.federation.oauth import OwnToken

_LIMIT: Final = 1024 * 1024  # bytes: some thousands of partitions
_CONSULT: Final = "consult"

Names = frozenset[str]
_Understand = Callable[[Answer], Names]


@dataclass(frozen=True, repr=False, eq=False)
class PartitionService:
    """The federation's own word on partitions (contract 3.2, 6.17); nothing is cached here.

    The paths are templates with `{enterpriseNumber}` and `{ssin}`.
    """

    base: str
    own: OwnToken
    upstream: Upstream
    breaker: Breaker
    rights_path: str = "/ebox/{enterpriseNumber}/users/{ssin}/partitions"
    list_path: str = "/ebox/{enterpriseNumber}/partitions"

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """The partitions this person may read; somebody unknown there may read none.

        Raises `Unavailable` and `UpstreamInvalid`, within about the upstream's timeout.
        """
        path = self.rights_path.replace("{ssin}", person.digits)
        return self._ask(path, enterprise, _readable)

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """The partitions of this e-Box, always with the general one; raises like `rights`."""
        return self._ask(self.list_path, enterprise, _existing)

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _ask(self, path: str, enterprise: EnterpriseNumber, understand: _Understand) -> Names:
        url = self.base + path.replace("{enterpriseNumber}", enterprise.digits)
        with self.breaker.guard():
            return self.upstream.within(partial(self._answered, url, understand))

    def _answered(self, url: str, understand: _Understand) -> Names:
        answer = self.own.spend(lambda bearer: self.upstream.get(url, bearer, limit=_LIMIT))
        return understand(answer)


def _readable(answer: Answer) -> Names:
    if answer.status == 404:
        return frozenset()
    return frozenset(
        _name(answer, item) for item in _items(answer) if _CONSULT in _rights(answer, item)
    )


def _existing(answer: Answer) -> Names:
    return frozenset(_name(answer, item) for item in _items(answer)) | {GENERAL}


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
