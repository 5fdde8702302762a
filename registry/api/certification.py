"""What the certification of a Document Provider asks for (contract 6.29, a draft of 2020)."""

from typing import Final

from flask import Blueprint, Response
from marshmallow import Schema

from registry.api.authentication import needs
from registry.api.context import call, ebox, registry
from registry.api.docs import load_contract
from registry.api.requests.parameters import EmptySchema, reads
from registry.api.responses.json_response import render_json, render_nothing
from registry.domain.access import Operation

_PATH: Final = EmptySchema()


def add_version(blueprint: Blueprint, document: str, query: Schema) -> None:
    """Route the version of the contract that `document` describes; open to everybody."""

    @blueprint.get("/certification/version")
    @reads(query)
    def get_certification_version() -> Response:
        return render_json({"version": load_contract(document)["info"]["version"]})


def add_reset(blueprint: Blueprint) -> None:
    """Route the reset; only where there is a scope for it, and never in production."""
    blueprint.post("/certification/resetDataSet")(reset_data_set)


@needs(Operation.RESET_DATA_SET)
@reads(_PATH)
def reset_data_set() -> Response:
    """Make the messages of the caller's own e-Box unread and visible, actions to be executed."""
    registry().message_updates.reset(call(204), ebox())
    return render_nothing()
