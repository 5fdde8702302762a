"""The canary: a letter and a document that are written, read and taken back, for nobody's e-Box."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NoReturn
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy import Connection, select

from registry.blobs.bucket_canary import Canary
from registry.blobs.bucket_findings import get_code
from registry.diagnosis.preflight.database_checks import CANARY
from registry.domain.errors import RegistryError
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.report_lines import Grade, ReportLine
from registry.store.consultation import messages
from registry.store.reference import message_types
from registry.store.transactions import Transactions, name_ebox
from registry.wiring.buckets import BucketAccess
from registry.wiring.clock import now

LETTER: Final = "canary letter"
DOCUMENT: Final = "canary document"
_ANOTHER: Final = Ebox(EboxKind.ENTERPRISE, "0000000001")
_SUBJECT: Final = {"nl": "canary", "fr": "canary", "de": "canary"}


class _TakenBack(Exception):
    """Ends the transaction, with what was seen in it."""

    def __init__(self, line: ReportLine) -> None:
        super().__init__()
        self.line = line


def fly_letter(transactions: Transactions) -> Iterator[ReportLine]:
    """Write a letter into an e-Box of nobody, read it there and not in another, and take it back.

    All in one transaction that is never committed: nobody sees it, and nothing of it stays.
    """
    try:
        with transactions(CANARY) as connection:
            _take_back(_judge_letter(connection))
    except _TakenBack as flight:
        yield flight.line
    except RegistryError as error:
        remedy = "Run `registry database migrate` again, which grants what the roles need."
        yield ReportLine(LETTER, Grade.FAIL, f"It could not be written: {error.detail}", remedy)


def _take_back(line: ReportLine) -> NoReturn:
    raise _TakenBack(line)


def _judge_letter(connection: Connection) -> ReportLine:
    type_id = connection.scalar(select(message_types.c.message_type_id).limit(1))
    if type_id is None:
        sight = "No letter could be written: there is no message type."
        return ReportLine(LETTER, Grade.WARN, sight, "Import reference data first.")
    message_id, instant = uuid4(), now()
    columns = {
        "message_id": message_id,
        "received_at": instant,
        "expires_at": instant + timedelta(days=1),
        "is_registered": False,
        "is_reply_authorized": False,
        "partition": "GENERAL",
        "message_type_id": type_id,
        "sender": CANARY.enterprise_number,
        "subject": _SUBJECT,
    }
    messages.add(connection, CANARY, columns, [])
    if messages.find(connection, CANARY, message_id, instant) is None:
        sight, remedy = "What was written could not be read again.", "Look at the role's rights."
        return ReportLine(LETTER, Grade.FAIL, sight, remedy)
    name_ebox(connection, _ANOTHER)
    # Asked for by the e-Box that has it, which the transaction does not name any more.
    if messages.find(connection, CANARY, message_id, instant) is not None:
        sight = "Row-level security shows the letter of one e-Box to another."
        remedy = "Stop serving, and run `registry database migrate`; look who changed the policies."
        return ReportLine(LETTER, Grade.FAIL, sight, remedy)
    sight = "Written, read, hidden from another e-Box, and taken back."
    return ReportLine(LETTER, Grade.PASS, sight)


@dataclass
class DocumentFlight:
    """Puts an object below `storage-check/`, reads it back, and deletes it."""

    open_bucket: Callable[[], BucketAccess]
    subject: str = DOCUMENT
    _canary: Canary | None = field(default=None, init=False)

    def look(self) -> Iterator[ReportLine]:
        """Say whether the bytes came back, and whether all of it is gone."""
        bucket = self.open_bucket()
        canary = self._canary = Canary(bucket.client, bucket.plan.name)
        try:
            canary.put()
            is_same = canary.is_read_back()
        except ClientError as error:
            remedy = "`registry storage check` says which right the key lacks."
            yield ReportLine(DOCUMENT, Grade.FAIL, f"S3 answers {get_code(error)}.", remedy)
            return
        finally:
            remains = self.end()
        yield _judge_document(remains, is_same=is_same)

    def end(self) -> list[str]:
        """Remove what is there yet, and give the keys of what stays."""
        if self._canary is None:
            return []
        with suppress(ClientError, BotoCoreError):
            return self._canary.remove()
        return ["it"]


def _judge_document(remains: list[str], *, is_same: bool) -> ReportLine:
    if not is_same:
        sight = "The bytes that came back are not those that were stored."
        remedy = "Look at the store, and at proxies between it and us, before anything is served."
        return ReportLine(DOCUMENT, Grade.FAIL, sight, remedy)
    if remains:
        sight = f"Stored and read; {', '.join(remains)} could not be deleted."
        remedy = "Grant s3:DeleteObjectVersion: `registry storage check` tells more."
        return ReportLine(DOCUMENT, Grade.FAIL, sight, remedy)
    return ReportLine(DOCUMENT, Grade.PASS, "Stored, read back byte by byte, and deleted.")
