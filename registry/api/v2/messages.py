"""The e-Box, its messages, their documents and parts, and what is in sight."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request

from registry.api.authentication import needs
from registry.api.context import call, caller, ebox, registry
from registry.api.costs import weigh
from registry.api.requests.body import read_json
from registry.api.requests.parameters import reads
from registry.api.responses.downloads import download
from registry.api.responses.json_response import (
    render_json,
    render_list,
    render_nothing,
    render_object,
)
from registry.api.v2.schemas.messages import (
    AttachmentSchema,
    MessageSchema,
    PaymentDataSchema,
    SummarySchema,
)
from registry.api.v2.schemas.parameters import MessageQuerySchema, PathSchema
from registry.api.v2.schemas.publication import MessagesToUpdateSchema
from registry.domain.access import Operation
from registry.domain.languages import fill_gaps
from registry.domain.queries import MessageQuery

_PATH: Final = PathSchema()
_OCTETS: Final = "application/octet-stream"  # of every document (contract 6.28)
_PATCH: Final = ("application/merge-patch+json", "application/json")
_EVERYWHERE: Final[frozenset[str]] = frozenset()  # partitions have no names here


def add_resources(blueprint: Blueprint) -> None:
    """Route everything below the e-Box."""
    message = "/ebox/messages/<message_id>"
    for path, view in {
        "/ebox": get_summary,
        "/ebox/messages": list_messages,
        message: get_message,
        f"{message}/attachments": list_attachments,
        f"{message}/attachments/<attachment_id>": get_attachment,
        f"{message}/attachments/<attachment_id>/content": get_content,
        f"{message}/body": get_body,
        f"{message}/paymentData": get_payment_data,
    }.items():
        blueprint.get(path)(view)
    blueprint.patch("/ebox/messages")(update_messages)


@needs(Operation.READ_SUMMARY)
@reads(_PATH)
def get_summary() -> Response:
    """Count the e-Box (contract 6.13)."""
    with weigh(is_costly=True):
        counts = registry().consultation.count_messages(call(), ebox(), _EVERYWHERE)
    return render_object(counts, SummarySchema)


@needs(Operation.READ_MESSAGES)
@reads(_PATH, MessageQuerySchema())
def list_messages(query: MessageQuery) -> Response:
    """Page through the caller's e-Box."""
    with weigh(is_costly=query.is_costly):
        page = registry().consultation.list_messages(call(), ebox(), query)
    return render_list(page.messages, page.total, MessageSchema, is_total_exact=page.is_total_exact)


@needs(Operation.UPDATE_MESSAGES)
@reads(_PATH)
def update_messages() -> Response:
    """Show or hide all the messages that the body names, or none."""
    changes = read_json(MessagesToUpdateSchema(), *_PATCH)
    registry().message_updates.update(call(), ebox(), changes)
    return render_nothing(200)


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def get_message(message_id: UUID) -> Response:
    """Show one message."""
    message = registry().consultation.get_message(call(), ebox(), message_id)
    return render_object(message, MessageSchema)


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def list_attachments(message_id: UUID) -> Response:
    """Show what is known of all documents of a message."""
    attachments = registry().consultation.list_attachments(call(), ebox(), message_id)
    return render_list(attachments, len(attachments), AttachmentSchema)


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def get_attachment(message_id: UUID, attachment_id: str) -> Response:
    """Show what is known of one document."""
    attachment = registry().consultation.get_attachment(call(), ebox(), message_id, attachment_id)
    return render_object(attachment, AttachmentSchema)


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def get_content(message_id: UUID, attachment_id: str) -> Response:
    """Hand out a document, as bytes of whatever kind."""
    document = registry().consultation.find_document(caller(), ebox(), message_id, attachment_id)
    return download(document, _OCTETS)


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def get_body(message_id: UUID) -> Response:
    """Show the body in three languages; HEAD shows nothing and so reads nothing."""
    is_shown = request.method != "HEAD"
    body = registry().consultation.get_body(call(), ebox(), message_id, is_shown=is_shown)
    return render_json(fill_gaps(body))


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def get_payment_data(message_id: UUID) -> Response:
    """Show how the message is to be paid."""
    payment = registry().consultation.get_payment_data(call(), ebox(), message_id)
    return render_object(payment, PaymentDataSchema)
