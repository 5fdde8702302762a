"""Publishing, replying, broadcasting, and asking how a message fares."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from registry.api.authentication import needs
from registry.api.context import call, caller, ebox, registry
from registry.api.costs import charge
from registry.api.quota import BROADCAST
from registry.api.requests.body import read_json
from registry.api.requests.idempotency_key import HEADER, parse_key
from registry.api.requests.parameters import reads
from registry.api.requests.uploads import ArrivingPublication
from registry.api.responses.json_response import render_list, render_object
from registry.api.senders import make_sender_ebox, render_receipt, sender, sender_ebox
from registry.api.v3.schemas.parameters import PathSchema
from registry.api.v3.schemas.publication import (
    MESSAGE_PART,
    MessageToPublishSchema,
    MessageToReplySchema,
    RecipientsSchema,
    StatusSearchSchema,
)
from registry.api.v3.schemas.receipts import BroadcastSchema, ReceiptSchema, StatusSchema
from registry.domain.access import Operation

_PATH: Final = PathSchema()
_PUBLISH: Final = (Operation.PUBLISH, Operation.PUBLISH_FOR_ANOTHER)


def add_resources(blueprint: Blueprint) -> None:
    """Route everything that sends."""
    blueprint.post("/ebox/messages")(publish)
    blueprint.post("/ebox/messages/<message_id>/replies")(reply)
    blueprint.post("/ebox/messages/<message_id>/recipients")(add_recipients)
    blueprint.post("/ebox/messageStatus/search")(search_status)


@needs(*_PUBLISH)
@reads(_PATH)
def publish() -> Response:
    """File a message with its documents for its recipient."""
    by = sender()
    key = parse_key(request.headers.get(HEADER))
    owner = make_sender_ebox(by)
    with ArrivingPublication(MESSAGE_PART, MessageToPublishSchema(), owner) as (draft, files):
        receipt = registry().publication.publish(call(201), by, draft, files, key)
    return render_receipt(receipt, ReceiptSchema)


@needs(Operation.REPLY)
@reads(_PATH)
def reply(message_id: UUID) -> Response:
    """File an answer in the e-Box of whoever sent the message."""
    key = parse_key(request.headers.get(HEADER))
    publication = registry().publication
    owner = ebox()
    publication.find_answerable(caller(), owner, message_id)  # before a byte of it is read
    with ArrivingPublication(MESSAGE_PART, MessageToReplySchema(), owner) as (draft, files):
        receipt = publication.reply(call(201), owner, message_id, draft, files, key=key)
    return render_receipt(receipt, ReceiptSchema)


@needs(*_PUBLISH)
@reads(_PATH)
def add_recipients(message_id: UUID) -> Response:
    """Put the sender's own message into more e-Boxes."""
    by = sender_ebox()
    key = parse_key(request.headers.get(HEADER))
    recipients = read_json(RecipientsSchema())
    charge(BROADCAST)
    broadcast = registry().broadcast.link(call(201), by, message_id, recipients, key)
    response = render_object(broadcast, BroadcastSchema)
    response.status_code = 201
    return response


@needs(*_PUBLISH)
@reads(_PATH)
def search_status() -> Response:
    """Tell how the sender's own messages fare."""
    by = sender_ebox()
    statuses = registry().broadcast.find_statuses(call(), by, read_json(StatusSearchSchema()))
    return render_list(statuses, len(statuses), StatusSchema)
