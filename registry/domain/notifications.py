"""Notifications from the federation: events about partitions, rights and routing rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.domain.federation_words import EventKind
from registry.domain.routing import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One CloudEvent (contract 3.5); the same `source` and `id` again is a duplicate.

    The greater `time` (aware) is the newer of two; None when the event has none.
    """

    source: str
    id: str
    type: str
    time: datetime | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FederationChange:
    """A change in an enterprise's e-Box: its partition, or all its rules as they are now."""

    kind: EventKind
    partition: str | None = None
    rules: tuple[Rule, ...] = ()
