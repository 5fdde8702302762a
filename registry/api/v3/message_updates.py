"""Showing, hiding and moving messages, and executing their actions."""

from typing import Final
from uuid import UUID

from flask import Blueprint, Response

from registry.api.authentication import needs
from registry.api.context import call, ebox, registry
from registry.api.requests.body import read_json
from registry.api.requests.parameters import reads
from registry.api.responses.json_response import render_list, render_object
from registry.api.v3.schemas.message_updates import (
    MessageActionPatchSchema,
    MessagesPatchSchema,
    UpdatedMessageSchema,
)
from registry.api.v3.schemas.messages import ActionSchema
from registry.api.v3.schemas.parameters import PathSchema
from registry.domain.access import Operation

_PATH: Final = PathSchema()
_PATCH: Final = ("application/merge-patch+json", "application/json")  # `[doc-patch]`


def add_resources(blueprint: Blueprint) -> None:
    """Route everything that changes a message."""
    blueprint.patch("/ebox/messages")(update_messages)
    blueprint.patch("/ebox/messages/<message_id>/messageAction")(execute_message_action)


@needs(Operation.UPDATE_MESSAGES)
@reads(_PATH)
def update_messages() -> Response:
    """Change all the messages that the body names, or none."""
    changes = read_json(MessagesPatchSchema(), *_PATCH)
    updates = registry().message_updates.update(call(), ebox(), changes)
    return render_list(updates, len(updates), UpdatedMessageSchema)


@needs(Operation.UPDATE_MESSAGES)
@reads(_PATH)
def execute_message_action(message_id: UUID) -> Response:
    """Note that what the message asks for was done."""
    read_json(MessageActionPatchSchema(), *_PATCH)
    action = registry().message_updates.execute_action(call(), ebox(), message_id)
    return render_object(action, ActionSchema)
