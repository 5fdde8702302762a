"""Everything that version 2.1 serves to those with a token."""

from flask import Blueprint

from registry.api.v2 import messages, publication, reference


def add_resources(blueprint: Blueprint) -> None:
    """Route it."""
    for resources in (messages, publication, reference):
        resources.add_resources(blueprint)
