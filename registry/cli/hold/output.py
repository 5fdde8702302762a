"""Legal holds as operators type and see them."""

from typing import Any, Final
from uuid import UUID

import click

from registry.cli.output import local, owner, owner_members, plain
from registry.domain.errors import RegistryError
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed, Ssin
from registry.store.retention.legal_holds import LegalHold

HEADINGS: Final = ("hold id", "e-Box", "message id", "set at", "why")


class EboxOption(click.ParamType[Ebox]):
    """Reads `enterprise:NUMBER` or `citizen:SSIN`; its errors do not repeat what was typed."""

    name = "enterprise:NUMBER|citizen:SSIN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Ebox:
        """Read one value, with or without dots; check digits must be right."""
        kind, _, number = str(value).partition(":")
        digits = number.translate(str.maketrans("", "", ".- "))
        try:
            if kind == EboxKind.ENTERPRISE:
                return Ebox(EboxKind.ENTERPRISE, EnterpriseNumber.parse(digits).digits)
            if kind == EboxKind.CITIZEN:
                return Ebox(EboxKind.CITIZEN, Ssin.parse(digits).digits)
            reason = f"It is {self.name}."
        except Malformed as error:
            reason = str(error)
        return self.fail(reason, param, ctx)


def outcome(hold: LegalHold, count: int, *, has_lock: bool) -> str:
    """What storage did."""
    if hold.lifted_at is not None:
        return f"Documents that no other hold is on: {count}."
    if has_lock:
        return f"Documents held in storage: {count}."
    return f"Documents: {count}. Storage has no Object Lock: the database alone protects them."


def advice(hold: LegalHold, trouble: RegistryError, count: int) -> str:
    """What storage did not do, and how it comes to."""
    again = f"`registry hold refresh {hold.hold_id}`"
    if hold.lifted_at is None:
        stands = "The hold itself stands: the database protects the messages."
        return f"{trouble} {stands} {count} documents are held in storage; {again} completes them."
    return (
        f"{trouble} The hold is lifted. {count} documents are let go in storage; {again} goes on."
    )


def what(ebox: Ebox, message_id: UUID | None) -> str:
    """What a hold is on."""
    if message_id:
        return f"message {message_id} of {owner(ebox)}"
    return f"all that {owner(ebox)} has and gets"


def line(hold: LegalHold) -> tuple[str, ...]:
    """A hold as a row of the list."""
    why = plain(hold.why)
    if hold.lifted_at is not None:
        why = f"{why} (lifted at {local(hold.lifted_at)}: {plain(hold.lifted_why)})"
    message = str(hold.message_id or "all")
    return str(hold.hold_id), owner(hold.ebox), message, local(hold.set_at), why


def members(hold: LegalHold) -> dict[str, Any]:
    """A hold for a program; what is not known is left out."""
    told = {
        "holdId": hold.hold_id,
        "ebox": owner_members(hold.ebox),
        "messageId": hold.message_id,
        "why": plain(hold.why),
        "setAt": hold.set_at,
        "liftedAt": hold.lifted_at,
        "liftedWhy": plain(hold.lifted_why) or None,
    }
    return {name: value for name, value in told.items() if value is not None}
