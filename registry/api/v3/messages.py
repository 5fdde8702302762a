"""Messages, their documents and parts, and counts."""

from uuid import UUID

from flask import Blueprint, Response, request

from registry.api.authentication import needs
from registry.api.context import call, caller, ebox, registry
from registry.api.costs import weigh
from registry.api.requests.parameters import reads
from registry.api.responses.downloads import download
from registry.api.responses.json_response import render_json, render_list, render_object
from registry.api.v3.schemas.messages import (
    AttachmentSchema,
    MessageSchema,
    PaymentDataSchema,
    StatisticsSchema,
)
from registry.api.v3.schemas.parameters import MessageQuerySchema, PartitionsSchema, PathSchema
from registry.domain.access import Operation
from registry.domain.languages import fill_gaps
from registry.domain.queries import MessageQuery

_PATH = PathSchema()


def add_resources(blueprint: Blueprint) -> None:
    """Route everything that reads an e-Box."""
    message = "/ebox/messages/<message_id>"
    for path, view in {
        "/ebox/messages": list_messages,
        message: get_message,
        f"{message}/attachments": list_attachments,
        f"{message}/attachments/<attachment_id>": get_attachment,
        f"{message}/attachments/<attachment_id>/content": get_content,
        f"{message}/body": get_body,
        f"{message}/paymentData": get_payment_data,
        f"{message}/structuredData": get_structured_data,
        "/ebox/statistics": get_statistics,
    }.items():
        blueprint.get(path)(view)


@needs(Operation.READ_MESSAGES)
@reads(_PATH, MessageQuerySchema())
def list_messages(query: MessageQuery) -> Response:
    """Page through the caller's e-Box."""
    with weigh(is_costly=query.is_costly):
        page = registry().consultation.list_messages(call(), ebox(), query)
    return render_list(page.messages, page.total, MessageSchema, is_total_exact=page.is_total_exact)


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
    """Hand out a document, under its own media type."""
    document = registry().consultation.find_document(caller(), ebox(), message_id, attachment_id)
    return download(document, document.attachment.media_type)


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


@needs(Operation.READ_MESSAGES)
@reads(_PATH)
def get_structured_data(message_id: UUID) -> Response:
    """Show the sender's own object, untouched."""
    return render_json(registry().consultation.get_structured_data(call(), ebox(), message_id))


@needs(Operation.READ_STATISTICS)
@reads(_PATH, PartitionsSchema())
def get_statistics(query: frozenset[str]) -> Response:
    """Count the e-Box."""
    with weigh(is_costly=True):
        counts = registry().consultation.count_messages(call(), ebox(), query)
    return render_object(counts, StatisticsSchema)
