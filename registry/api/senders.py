"""Who publishes, and what he is told."""

from typing import Final

from flask import Response, request
from marshmallow import Schema

from registry.api.context import base_url, caller, registry
from registry.api.responses.json_response import shown
from registry.domain.errors import Invalid, Issue
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed
from registry.services.publication.filing import Receipt

ON_BEHALF_OF: Final = "On-Behalf-Of-Enterprise-Number"


def sender() -> EnterpriseNumber:
    """Who publishes; decided before the body is touched."""
    header = request.headers.get(ON_BEHALF_OF)
    try:
        other = None if header is None else EnterpriseNumber.parse(header, checked=False)
    except Malformed as error:
        raise Invalid([Issue("header", ON_BEHALF_OF, str(error))]) from None
    return registry().publication.decide_sender(caller(), other)


def sender_ebox() -> Ebox:
    """The e-Box of whoever publishes."""
    return Ebox(EboxKind.ENTERPRISE, sender().digits)


def created(receipt: Receipt, schema: type[Schema]) -> Response:
    """The answer to a publication."""
    response = shown(receipt, schema)
    response.status_code = 201
    response.headers["Location"] = f"{base_url()}/ebox/messages/{receipt.message_id}"
    return response
