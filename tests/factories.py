"""Sentences with defaults: what a test does not name does not matter to it."""

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

from registry.domain.identifiers import Ebox, EboxKind

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PDF = b"%PDF-1.4 a document\n%%EOF\n"
PAYMENT = {
    "payment_data_id": "1",
    "amount": "0.10",
    "vat_amount": "0.00",
    "currency": "EUR",
    "due_date": "2026-11-30T23:59:59+01:00",
    "iban": "BE68539007547034",
}
# Each process of a test run counts from a number of its own, so that no two make the same.
_FIRST = 1_000_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_enterprises = count(_FIRST + 1_000_000)
_persons = count(_FIRST)


def an_enterprise() -> str:
    """A number nobody else in this test run has, with right check digits."""
    digits = f"0{next(_enterprises) % 10**7:07d}"
    return f"{digits}{97 - int(digits) % 97:02d}"


def a_person() -> str:
    """An SSIN nobody else has, of somebody born before 2000, with right check digits."""
    born, number = divmod(next(_persons), 998)
    rest, day = divmod(born, 10)
    year, month = divmod(rest, 9)
    digits = f"{10 + year % 89:02d}0{1 + month}1{day}{1 + number:03d}"
    return f"{digits}{97 - int(digits) % 97:02d}"


def an_ebox(kind: EboxKind = EboxKind.ENTERPRISE) -> Ebox:
    return Ebox(kind, an_enterprise() if kind is EboxKind.ENTERPRISE else a_person())


def a_message(ebox: Ebox, **changes):
    """Columns of a message."""
    now = datetime.now(UTC)
    columns = {
        "message_id": uuid4(),
        "received_at": now - timedelta(hours=1),
        "expires_at": now + timedelta(days=90),
        "is_registered": False,
        "is_reply_authorized": False,
        "partition": "GENERAL" if ebox.kind is EboxKind.ENTERPRISE else None,
        "message_type_id": "tax-assessment",
        "sender": "0308357159",
        "sender_application_id": "my-minfin",
        "subject": {"nl": "Aanslagbiljet", "fr": "Avertissement-extrait de rôle"},
    }
    return {**columns, **changes}


def a_file(content: bytes = PDF, **changes):
    """Columns of an attachment, but for those that place it in a message."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
    columns = {
        "attachment_id": "1",
        "title": None,
        "file_name": "aanslag.pdf",
        "is_main": True,
        "media_type": "application/pdf",
        "size": len(content),
        "digest": digest,
        "is_signed": False,
        "blob_key": str(uuid4()),
    }
    return {**columns, **changes}
