"""`registry find`: which messages carry a document, or have a subject."""

import base64
import binascii
import hashlib
from typing import IO, TYPE_CHECKING, Any, Final

import click

from registry.cli.options import QuietCommand, in_json
from registry.cli.output import make_owner_members, print_json, print_table, write_local_time
from registry.cli.services import worker_services

if TYPE_CHECKING:
    from datetime import datetime

    from registry.domain.pseudonyms import Pseudonyms
    from registry.store.consultation.carriers import Carrier

_HEADINGS: Final = ("message id", "received at", "state", "documents", "e-Box")
_PIECE: Final = 1 << 20  # bytes that are read at a time
_BITS: Final = 256


class _Sha256(click.ParamType[bytes]):
    """Reads a SHA-256, in 64 hexadecimal digits or in base64url; an error does not repeat it."""

    name = "SHA256"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Read one value."""
        if isinstance(value, bytes):
            return value
        typed = str(value).strip()
        try:
            if len(typed) == _BITS // 4:
                return bytes.fromhex(typed)
            digest = base64.b64decode(typed.rstrip("=") + "=", altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            digest = b""
        if len(digest) != _BITS // 8:
            self.fail("It is no SHA-256, in 64 hexadecimal digits or in base64url.", param, ctx)
        return digest


@click.command(cls=QuietCommand)
@click.option("--digest", type=_Sha256(), help="Of a document, as `message show` has it.")
@click.option("--subject-hash", type=_Sha256(), help="Of a subject in one language, in UTF-8.")
@click.option("--file", type=click.File("rb"), help="A copy of the document; - for what is piped.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many, the oldest first.",
)
@in_json
def find(
    *,
    digest: bytes | None,
    subject_hash: bytes | None,
    file: IO[bytes] | None,
    limit: int,
    is_json: bool,
) -> None:
    """Find the messages that carry a document, or have a subject.

    They are named by id, and their e-Boxes by the pseudonyms of the audit trail: nobody's number is
    shown. A subject is looked for by its hash, so that it stays in no history and no log, such as
    of `printf %s 'Aanslagbiljet' | sha256sum`. What was deleted is not found.

    Exit code 1 when there is none.

    Example: registry find --file suspicious.pdf --json
    """
    if sum(each is not None for each in (digest, subject_hash, file)) != 1:
        raise click.UsageError("Give one of --digest, --subject-hash and --file.")
    with worker_services("hash key") as services:
        if subject_hash is not None:
            carriers = services.carrier_search.find_by_subject(subject_hash, limit + 1)
        else:
            digest = digest or _hash_file(file)
            carriers = services.carrier_search.find_by_digest(digest, limit + 1)
        pseudonyms, now = services.pseudonyms, services.carrier_search.now()
    first_carriers = carriers[:limit]
    if is_json:
        print_json([_make_json(each, pseudonyms, now) for each in first_carriers])
    elif first_carriers:
        print_table(_HEADINGS, [_make_row(each, pseudonyms, now) for each in first_carriers])
    if not carriers:
        raise click.ClickException("No message has it.")
    if len(carriers) > limit:
        click.echo(f"These are the oldest {limit}; more have it: use --limit.", err=True)


def _hash_file(file: IO[bytes] | None) -> bytes:
    sha256 = hashlib.sha256()
    try:
        while file is not None and (piece := file.read(_PIECE)):
            sha256.update(piece)
    except OSError as error:
        raise click.ClickException(f"The file cannot be read: {error.strerror}.") from None
    return sha256.digest()


def _name_state(carrier: "Carrier", now: "datetime") -> str:
    if carrier.withdrawn_at is not None:
        return "withdrawn"
    return "expired" if carrier.expires_at <= now else "present"


def _make_row(carrier: "Carrier", pseudonyms: "Pseudonyms", now: "datetime") -> tuple[str, ...]:
    return (
        str(carrier.message_id),
        write_local_time(carrier.received_at),
        _name_state(carrier, now),
        ", ".join(carrier.attachment_ids),
        f"{carrier.ebox.kind} {pseudonyms.hash_ebox(carrier.ebox)}",
    )


def _make_json(carrier: "Carrier", pseudonyms: "Pseudonyms", now: "datetime") -> dict[str, Any]:
    members = {
        "messageId": carrier.message_id,
        "eboxType": make_owner_members(carrier.ebox)["eboxType"],
        "pseudonym": pseudonyms.hash_ebox(carrier.ebox),
        "state": _name_state(carrier, now),
        "receivedAt": carrier.received_at,
        "withdrawnAt": carrier.withdrawn_at,
        "sender": carrier.sender,
        "senderApplicationId": carrier.sender_application_id,
        "attachmentIds": list(carrier.attachment_ids),
    }
    return {name: value for name, value in members.items() if value is not None}
