"""Ids of what is planted: the same in every sandbox."""

from typing import Final
from uuid import UUID, uuid5

SENT_FROM_B: Final = "sent-from-b"  # what the bakery sent from partitionB
_NAMESPACE: Final = UUID("3f0f9b2e-6a84-4d53-9c6e-5d7a1c1f2b90")


def make_message_id(name: str) -> UUID:
    """Make the id of the planted message of this name."""
    return uuid5(_NAMESPACE, name)
