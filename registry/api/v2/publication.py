"""Publishing, linking, and asking how a message fares."""

from typing import Final

from flask import Blueprint, Response, request

from registry.api.authentication import needs
from registry.api.context import call, registry
from registry.api.requests.body import read_json
from registry.api.requests.idempotency_key import HEADER, parse_key
from registry.api.requests.parameters import reads
from registry.api.requests.uploads import ArrivingPublication
from registry.api.responses.json_response import render_array, render_object
from registry.api.senders import render_receipt, sender, sender_ebox
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
    blueprint.post("/linkEboxMessage")(link)
    blueprint.post("/searchMessageStatus")(search_status)


@needs(*_PUBLISH)
@reads(_PATH)
def publish() -> Response:
    """File a message with its documents for its recipient."""
    by = sender()
    key = parse_key(request.headers.get(HEADER))
    with ArrivingPublication(MESSAGE_PART, MessageToPublishSchema()) as (draft, files):
        receipt = registry().publication.publish(call(201), by, draft, files, key)
    return render_receipt(receipt, ReceiptSchema)


@needs(*_PUBLISH)
@reads(_PATH)
def link() -> Response:
    """Put the sender's own message into more e-Boxes."""
    by = sender_ebox()
    broadcast = registry().broadcast.link(call(201), by, *read_json(MessageToLinkSchema()))
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
