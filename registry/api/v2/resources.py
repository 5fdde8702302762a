"""Everything that version 2.1 serves to those with a token."""

from flask import Blueprint

from registry.api.v2 import messages, publishing, reference


def add_resources(blueprint: Blueprint) -> None:
    """Route it."""
    for resources in (messages, publishing, reference):
        resources.add_resources(blueprint)
