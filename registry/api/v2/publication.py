"""Publishing, linking, and asking how a message fares."""

from typing import Final

from flask import Blueprint, Response, request

from registry.api.authentication import needs
from registry.api.context import call, caller, ebox, mandator, registry
from registry.api.costs import charge
from registry.api.quota import BROADCAST
from registry.api.requests.body import read_json
from registry.api.requests.idempotency_key import HEADER, parse_key
from registry.api.requests.parameters import reads
from registry.api.requests.uploads import ArrivingPublication
from registry.api.responses.json_response import render_array, render_object
from registry.api.senders import make_sender_ebox, render_receipt, sender, sender_ebox
from registry.api.v2.schemas.parameters import PathSchema
from registry.api.v2.schemas.publication import (
    MESSAGE_PART,
    MessageToLinkSchema,
    MessageToPublishSchema,
    StatusRequestSchema,
)
from registry.api.v2.schemas.receipts import BroadcastSchema, ReceiptSchema, StatusSchema
from registry.domain.access import Operation

_PATH: Final = PathSchema()
_PUBLISH: Final = (Operation.PUBLISH, Operation.PUBLISH_FOR_ANOTHER)


def add_resources(blueprint: Blueprint) -> None:
    """Route everything that sends."""
    blueprint.post("/publishMessage")(publish)
    add_tracking(blueprint)


def add_tracking(blueprint: Blueprint) -> None:
    """Route broadcast and status, which the newest page for senders has in version 3 too."""
    # Names of their own: version 3 has a view of the same name for its own resource.
    blueprint.post("/linkEboxMessage", endpoint="link_ebox_message")(link)
    blueprint.post("/searchMessageStatus", endpoint="search_message_status")(search_status)


@needs(*_PUBLISH, Operation.WHOLE_EBOX)
@reads(_PATH)
def publish() -> Response:
    """File a message with its documents for its recipient.

    Software of the recipient may do so as well, to reply and for nothing else (contract 6.15).
    """
    publication = registry().publication
    by = sender() if publication.may_send(caller(), mandator()) else None
    key = parse_key(request.headers.get(HEADER))
    owner = make_sender_ebox(by) if by else ebox()
    with ArrivingPublication(MESSAGE_PART, MessageToPublishSchema(), owner) as (draft, files):
        if by is None:
            receipt = publication.answer(call(201), owner, draft, files, key=key)
        else:
            receipt = publication.publish(call(201), by, draft, files, key)
    return render_receipt(receipt, ReceiptSchema)


@needs(*_PUBLISH)
@reads(_PATH)
def link() -> Response:
    """Put the sender's own message into more e-Boxes."""
    by = sender_ebox()
    key = parse_key(request.headers.get(HEADER))
    message_id, recipients = read_json(MessageToLinkSchema())
    charge(BROADCAST)
    broadcast = registry().broadcast.link(call(201), by, message_id, recipients, key)
    response = render_object(broadcast, BroadcastSchema)
    response.status_code = 201
    return response


@needs(*_PUBLISH)
@reads(_PATH)
def search_status() -> Response:
    """Tell how the sender's own messages fare; 201 although nothing is created (contract 1.3)."""
    by = sender_ebox()
    statuses = registry().broadcast.find_statuses(
        call(201), by, read_json(StatusRequestSchema(many=True))
    )
    response = render_array(statuses, StatusSchema)
    response.status_code = 201
    return response
