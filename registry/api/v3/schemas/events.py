"""Events that the federation tells version 3, as CloudEvents."""

from typing import Any

from marshmallow import INCLUDE, post_load, pre_load
from marshmallow.fields import Dict

from registry.api.requests.body_fields import Company, Moment, Text
from registry.api.requests.json_body import Members
from registry.api.requests.validators import one_of
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.notifications import Notification


class NotificationSchema(Members):
    """A CloudEvent 1.0 in structured mode; attributes that we do not know are extensions."""

    specversion = Text(required=True, validate=one_of("1.0"))
    id = Text(required=True)
    source = Text(required=True)
    type = Text(required=True)
    time = Moment()
    data = Dict()

    class Meta:
        """CloudEvents 3.1: extension attributes must be accepted."""

        unknown = INCLUDE

    @pre_load
    def drop_nulls(self, members: Any, **_: Any) -> Any:
        """Drop null attributes: they count as absent (CloudEvents JSON format, 2.2)."""
        if not isinstance(members, dict):
            return members
        return {name: value for name, value in members.items() if value is not None}

    @post_load
    def to_notification(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a `Notification`."""
        return Notification(
            source=data["source"],
            id=data["id"],
            type=data["type"],
            time=data.get("time"),
            data=data.get("data", {}),
        )


class EventDataSchema(Members):
    """The data of every event: the enterprise that it is about."""

    enterprise = Company(data_key="enterpriseNumber", required=True, check_digits=False)

    class Meta:
        """Each type of event has members of its own."""

        unknown = INCLUDE

    @post_load
    def to_ebox(self, data: dict[str, Any], **_: Any) -> Any:
        """Make the enterprise's `Ebox`."""
        return Ebox(EboxKind.ENTERPRISE, data["enterprise"].digits)
