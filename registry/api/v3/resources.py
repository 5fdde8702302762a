"""Everything that version 3 serves to those with a token."""

from flask import Blueprint

from registry.api.v3 import marking, messages, publishing, reference, webhook


def add_resources(blueprint: Blueprint) -> None:
    """Route it."""
    for resources in (messages, marking, publishing, reference, webhook):
        resources.add_resources(blueprint)
