"""Publishing, replying, broadcasting, and asking how a message fares."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from registry.api.arriving import Arriving
from registry.api.authentication import needs
from registry.api.context import base_url, caller, ebox, registry
from registry.api.idempotency import HEADER, parse_key
from registry.api.reading import reads
from registry.api.receiving import read_json
from registry.api.showing import listed, shown
from registry.api.v3.schemas.parameters import PathSchema
from registry.api.v3.schemas.publication import (
    MESSAGE_PART,
    MessageToPublishSchema,
    MessageToReplySchema,
    RecipientsSchema,
    StatusSearchSchema,
)
from registry.api.v3.schemas.receipts import LinkedSchema, ReceiptSchema, StatusSchema
from registry.domain.access import Operation
from registry.domain.errors import Invalid, Issue
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.services.filing import Receipt

ON_BEHALF_OF: Final = "On-Behalf-Of-Enterprise-Number"
_PATH: Final = PathSchema()
_PUBLISH: Final = (Operation.PUBLISH, Operation.PUBLISH_FOR_ANOTHER)


def add_resources(blueprint: Blueprint) -> None:
    """Route everything that sends; the official examples post with a slash at the end (6.22)."""
    blueprint.post("/ebox/messages")(publish)
    blueprint.post("/ebox/messages/", endpoint="publish_with_slash")(publish)
    blueprint.post("/ebox/messages/<message_id>/replies")(reply)
    blueprint.post("/ebox/messages/<message_id>/recipients")(add_recipients)
    blueprint.post("/ebox/messageStatus/search")(search_status)


@needs(*_PUBLISH)
@reads(_PATH)
def publish() -> Response:
    """File a message with its documents for its recipient."""
    sender = _sender()
    key = parse_key(request.headers.get(HEADER))
    with Arriving(MESSAGE_PART, MessageToPublishSchema()) as (draft, staged):
        receipt = registry().publishing.publish(sender, draft, staged, key)
    return _created(receipt)


@needs(Operation.REPLY)
@reads(_PATH)
def reply(message_id: UUID) -> Response:
    """File an answer in the e-Box of whoever sent the message."""
    key = parse_key(request.headers.get(HEADER))
    publishing = registry().publishing
    publishing.replyable(caller(), ebox(), message_id)  # before a byte of it is read
    with Arriving(MESSAGE_PART, MessageToReplySchema()) as (draft, staged):
        receipt = publishing.reply(caller(), ebox(), message_id, draft, staged, key=key)
    return _created(receipt)


@needs(*_PUBLISH)
@reads(_PATH)
def add_recipients(message_id: UUID) -> Response:
    """Put the sender's own message into more e-Boxes."""
    sender = _sender_ebox()
    recipients = read_json(RecipientsSchema())
    linked = registry().broadcasting.link(sender, message_id, recipients)
    response = shown(linked, LinkedSchema)
    response.status_code = 201
    return response


@needs(*_PUBLISH)
@reads(_PATH)
def search_status() -> Response:
    """Tell how the sender's own messages fare."""
    sender = _sender_ebox()
    statuses = registry().broadcasting.statuses(sender, read_json(StatusSearchSchema()))
    return listed(statuses, len(statuses), StatusSchema)


def _sender_ebox() -> Ebox:
    return Ebox(EboxKind.ENTERPRISE, _sender().digits)


def _sender() -> EnterpriseNumber:
    """Who publishes; decided before the body is touched."""
    header = request.headers.get(ON_BEHALF_OF)
    try:
        other = None if header is None else EnterpriseNumber.parse(header, checked=False)
    except Malformed as error:
        raise Invalid([Issue("header", ON_BEHALF_OF, str(error))]) from None
    return registry().publishing.sender(caller(), other)


def _created(receipt: Receipt) -> Response:
    response = shown(receipt, ReceiptSchema)
    response.status_code = 201
    response.headers["Location"] = f"{base_url()}/ebox/messages/{receipt.message_id}"
    return response
