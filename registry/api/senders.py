"""Senders of publications, and their receipts."""

from flask import Response, g
from marshmallow import Schema

from registry.api.context import caller, mandator, registry
from registry.api.place import base_url
from registry.api.responses.json_response import render_object
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.services.publication.filing import Receipt


def sender() -> EnterpriseNumber:
    """Find the enterprise that publishes; decided before the body is touched."""
    return registry().publication.decide_sender(caller(), mandator())


def sender_ebox() -> Ebox:
    """Give the e-Box of the enterprise that publishes."""
    return make_sender_ebox(sender())


def make_sender_ebox(number: EnterpriseNumber) -> Ebox:
    """Make the e-Box of an enterprise that publishes."""
    return Ebox(EboxKind.ENTERPRISE, number.digits)


def render_receipt(receipt: Receipt, schema: type[Schema]) -> Response:
    """Render the answer to a publication."""
    g.published_message = receipt.message_id  # for the log
    response = render_object(receipt, schema)
    response.status_code = 201
    response.headers["Location"] = f"{base_url()}/ebox/messages/{receipt.message_id}"
    return response
