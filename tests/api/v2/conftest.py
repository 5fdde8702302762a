"""The callers of the other tests, at version 2.1."""

import pytest

from tests.api.v2.visiting import in_version_2


@pytest.fixture
def consumer_2(consumer):
    """The software of an enterprise."""
    return in_version_2(consumer)


@pytest.fixture
def portal_user_2(portal_user):
    """A person who may read GENERAL and partitionB, not partitionNoAccess."""
    return in_version_2(portal_user)


@pytest.fixture
def citizen_2(citizen):
    """A citizen in the portal."""
    return in_version_2(citizen)
