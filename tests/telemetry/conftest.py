"""Other applications on the parts of all tests, as the tests of the API make them."""

import pytest
from prometheus_client import REGISTRY

from tests.api.conftest import (
    a_sender,
    app_with,
    configure,
    elsewhere,
    publication,
    publishing_settings,
    sender,
)

__all__ = [
    "a_sender",
    "app_with",
    "configure",
    "elsewhere",
    "publication",
    "publishing_settings",
    "sender",
]


@pytest.fixture
def figure():
    """A figure as it is now: `figure(name, label=…)`; 0 before it was ever counted."""
    return lambda name, **labels: REGISTRY.get_sample_value(name, labels) or 0


@pytest.fixture
def growth(figure):
    """How much a figure grew since this was asked first."""
    before = {}

    def ask(name, **labels):
        value = figure(name, **labels)
        return value - before.setdefault((name, *sorted(labels.items())), value)

    return ask
