"""The webhook, by which the federation tells of partitions, rights and rules (CloudEvents)."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.request_body import make_json_body, make_raw_body
from registry.conformance.requirement import (
    ENTERPRISE,
    V3,
    WRITING,
    Obligation,
    Role,
    expect,
    requires,
)
from registry.conformance.workbench import Workbench

_PATH: Final = "/eventNotifications"
_MEDIA_TYPE: Final = "application/cloudevents+json"
_SOURCE: Final = "contract 3.5 (HOOK, NOTIF): mandatory for every provider"
_ROLES: Final = (Role.FEDERATION,)
_V3: Final = frozenset({V3})
_ENTERPRISE: Final = frozenset({ENTERPRISE})
# No enterprise has it: what is told of it changes nobody's rules.
_NOBODY: Final = "0999999922"


def _make_event(**changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "urn:registry:conformance",
        "type": "be.eboxenterprise.v1.routingRule.updated",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "datacontenttype": "application/json",
        "data": {"enterpriseNumber": _NOBODY, "routingRuleId": 1, "orderedRoutingRules": []},
        **changes,
    }


def _tell(bench: Workbench, event: Any, role: Role | None = Role.FEDERATION) -> Exchange:
    return bench.ask("POST", _PATH, role=role, body=make_json_body(event, _MEDIA_TYPE))


def _expect_taken(answer: Exchange) -> None:
    expect(200 <= answer.status < 300, f"An event is answered with {answer.status}.")


@requires(
    "event-taken",
    source=_SOURCE,
    mend="Serve POST /eventNotifications, and acknowledge with 2xx.",
    roles=_ROLES,
    profiles=WRITING,
    versions=_V3,
    families=_ENTERPRISE,
)
def take_event(bench: Workbench) -> None:
    """A change of routing rules is taken."""
    _expect_taken(_tell(bench, _make_event()))


@requires(
    "event-twice",
    source=f"{_SOURCE}; CloudEvents 1.0: source and id make an event unique",
    mend="Acknowledge an event that came before, and do nothing.",
    roles=_ROLES,
    profiles=WRITING,
    versions=_V3,
    families=_ENTERPRISE,
)
def take_event_twice(bench: Workbench) -> None:
    """An event that comes again is acknowledged."""
    event = _make_event()
    for _ in range(2):
        _expect_taken(_tell(bench, event))


@requires(
    "event-late",
    source=f"{_SOURCE}; NOTIF: order events by time",
    mend="Acknowledge an event that is older than the newest, and do not apply it.",
    roles=_ROLES,
    profiles=WRITING,
    versions=_V3,
    families=_ENTERPRISE,
)
def take_late_event(bench: Workbench) -> None:
    """An event of earlier is acknowledged."""
    _expect_taken(_tell(bench, _make_event(time="2024-01-01T00:00:00Z")))


@requires(
    "event-unknown-type",
    source="decision 6.19: what is not understood is acknowledged, and stale rules are dropped",
    mend="Acknowledge types that you do not know: the federation adds some.",
    obligation=Obligation.SHOULD,
    roles=_ROLES,
    profiles=WRITING,
    versions=_V3,
    families=_ENTERPRISE,
)
def take_unknown_event(bench: Workbench) -> None:
    """An event of a type that nobody knows yet is acknowledged."""
    _expect_taken(_tell(bench, _make_event(type="be.eboxenterprise.v9.newThing.created")))


@requires(
    "event-malformed",
    source="decision 6.19: what is no CloudEvent at all is 400",
    mend="Refuse what has no specversion, id, source and type.",
    obligation=Obligation.SHOULD,
    roles=_ROLES,
    profiles=WRITING,
    versions=_V3,
    families=_ENTERPRISE,
)
def refuse_malformed_event(bench: Workbench) -> None:
    """Anything that is no CloudEvent is refused with 400."""
    _tell(bench, {"hello": "world"}).expect_status(400)
    body = make_raw_body(b"{", _MEDIA_TYPE)
    bench.ask("POST", _PATH, role=Role.FEDERATION, body=body).expect_status(400)


@requires(
    "event-stranger",
    source="decision 6.15: the webhook is opened by a scope or a client id; neither is deny",
    mend="Let nobody but the federation tell of changes.",
    roles=(Role.READER,),
    profiles=WRITING,
    versions=_V3,
    families=_ENTERPRISE,
)
def refuse_event_of_stranger(bench: Workbench) -> None:
    """An event of somebody else is refused."""
    _tell(bench, _make_event(), None).expect_status(401)
    _tell(bench, _make_event(), Role.READER).expect_status(403)
