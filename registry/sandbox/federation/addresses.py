"""Paths of the stand-ins, and names that both sides use; imports nothing, so cheap."""

from typing import Final

OAUTH: Final = "/REST/oauth/v5"
PARTITION: Final = "/REST/ebox/enterprise/partition/v1"
FEDERATION: Final = "/REST/ebox/enterprise/federation/v1"
EVENTS: Final = "/EventServices/Ebox/v2/enterprise/document/events"
HEALTH: Final = "/sandbox/health"
FAULTS: Final = "/sandbox/faults"
CALLS: Final = "/sandbox/calls"
EVENTS_TAKEN: Final = "/sandbox/events"
POISON: Final = "/sandbox/events/poison"

INTROSPECT_SCOPE: Final = "scope:security:authorization:oauth:oauth-autz-server:introspect"
PREFERENCE_SCOPE: Final = "scope:documentmanagement:ebox:enterprise:federation-rest:preference"
AUDIENCE: Final = "ebox-message-registry"  # of the tokens, as the registry checks it
