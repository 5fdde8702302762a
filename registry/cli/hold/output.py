"""Legal holds as operators and their programs see them."""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from registry.cli.output import make_owner_members, name_owner, write_local_time
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.domain.errors import RegistryError
    from registry.domain.identifiers import Ebox
    from registry.store.retention.legal_holds import LegalHold

HEADINGS: Final = ("hold id", "e-Box", "message id", "set at", "why")


def write_outcome(hold: "LegalHold", count: int, *, has_lock: bool) -> str:
    """Say what storage did."""
    if hold.lifted_at is not None:
        return f"Documents that no other hold is on: {count}."
    if has_lock:
        return f"Documents held in storage: {count}."
    return f"Documents: {count}. Storage has no Object Lock: the database alone protects them."


def write_advice(hold: "LegalHold", trouble: "RegistryError", count: int) -> str:
    """Say what storage did not do, and how it comes to do it."""
    again = f"`registry hold refresh {hold.hold_id}`"
    if hold.lifted_at is None:
        stands = "The hold itself stands: the database protects the messages."
        return f"{trouble} {stands} {count} documents are held in storage; {again} completes them."
    return (
        f"{trouble} The hold is lifted. {count} documents are let go in storage; {again} goes on."
    )


def describe_scope(ebox: "Ebox", message_id: UUID | None) -> str:
    """Describe what a hold is on."""
    # "and gets": a hold on an e-Box is also on what arrives while it is in force.
    if message_id:
        return f"message {message_id} of {name_owner(ebox)}"
    return f"all that {name_owner(ebox)} has and gets"


def make_hold_row(hold: "LegalHold") -> tuple[str, ...]:
    """Make a row of the list of a hold."""
    why = clean_text(hold.why)
    if hold.lifted_at is not None:
        why = f"{why} (lifted at {write_local_time(hold.lifted_at)}: {clean_text(hold.lifted_why)})"
    message = str(hold.message_id or "all")
    return str(hold.hold_id), name_owner(hold.ebox), message, write_local_time(hold.set_at), why


def make_hold_json(hold: "LegalHold") -> dict[str, Any]:
    """Make JSON of a hold; what is not known is left out."""
    members = {
        "holdId": hold.hold_id,
        "ebox": make_owner_members(hold.ebox),
        "messageId": hold.message_id,
        "why": clean_text(hold.why),
        "setAt": hold.set_at,
        "liftedAt": hold.lifted_at,
        "liftedWhy": clean_text(hold.lifted_why) or None,
    }
    return {name: value for name, value in members.items() if value is not None}
