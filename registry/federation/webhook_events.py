"""Changes out of the webhook's events, as the federation writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from registry.domain.federation_words import EVENT_TYPES, EventKind, Member
from registry.domain.notifications import FederationChange, Notification
from registry.federation.member_names import LIKELY_NAMES, MemberNames, list_names
from registry.federation.rules import read_rules
from registry.http_client.client import report_invalid

_SERVICE: Final = "webhook"


@dataclass(frozen=True, slots=True)
class WebhookReader:
    """Reads events by the names and types that the settings, or else we, suppose."""

    names: MemberNames = LIKELY_NAMES
    types: Mapping[EventKind, tuple[str, ...]] = field(default_factory=dict)

    def find_enterprise(self, data: Mapping[str, Any]) -> Any:
        """Find what an event's data says of the enterprise; None when it says nothing.

        Raises `UpstreamInvalid` for two different enterprises.
        """
        return self.names.find(data, Member.ENTERPRISE, _SERVICE)

    def list_names(self, data: Mapping[str, Any]) -> Sequence[str]:
        """List the names of the members that the data have, for a line of log."""
        return list_names(data)

    def read_change(self, notification: Notification) -> FederationChange:
        """Read the change that an event tells; raises `UpstreamInvalid` when that is not clear."""
        kind, data = self._find_kind(notification.type), notification.data
        match kind:
            case None:
                raise report_invalid(_SERVICE, "an event of a type that we do not know")
            case EventKind.RULES:
                rules = self.names.find(data, Member.RULES, _SERVICE)
                return FederationChange(kind, rules=read_rules(rules, self.names))
            case EventKind.RIGHTS:
                # Whose rights on which partition matters not: all are asked for again.
                return FederationChange(kind)
            case EventKind.PARTITION_CREATED | EventKind.PARTITION_DELETED:
                partition = self.names.find(data, Member.PARTITION, _SERVICE)
                if not isinstance(partition, str) or not partition:
                    raise report_invalid(_SERVICE, "an event about a partition without its name")
                return FederationChange(kind, partition=partition)

    def _find_kind(self, event_type: str) -> EventKind | None:
        for kind, likely_types in EVENT_TYPES.items():
            for name in self.types.get(kind, likely_types):
                if event_type == name or (name.endswith(".") and event_type.startswith(name)):
                    return kind
        return None
