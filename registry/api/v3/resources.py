"""Everything that version 3 serves to those with a token."""

from flask import Blueprint

from registry.api.v3 import message_updates, messages, publication, reference, webhook


def add_resources(blueprint: Blueprint) -> None:
    """Route it."""
    for resources in (messages, message_updates, publication, reference, webhook):
        resources.add_resources(blueprint)
