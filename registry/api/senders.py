"""Who publishes, and what he is told."""

from flask import Response
from marshmallow import Schema

from registry.api.context import base_url, caller, mandator, registry
from registry.api.responses.json_response import shown
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.services.publication.filing import Receipt


def sender() -> EnterpriseNumber:
    """Who publishes; decided before the body is touched."""
    return registry().publication.decide_sender(caller(), mandator())


def sender_ebox() -> Ebox:
    """The e-Box of whoever publishes."""
    return Ebox(EboxKind.ENTERPRISE, sender().digits)


def created(receipt: Receipt, schema: type[Schema]) -> Response:
    """The answer to a publication."""
    response = shown(receipt, schema)
    response.status_code = 201
    response.headers["Location"] = f"{base_url()}/ebox/messages/{receipt.message_id}"
    return response
