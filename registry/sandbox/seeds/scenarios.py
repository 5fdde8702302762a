"""The published consultation scenarios (contract 4.24), and a citizen with a letter.

Partition names and titles are the scenarios' own, so that their steps can be followed literally.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.partitions import GENERAL
from registry.sandbox.personas import ACCOUNTANT, BAKERY, CITIZEN, GARAGE
from registry.sandbox.seeds.names import SENT_FROM_B, make_message_id
from registry.sandbox.seeds.papers import letter
from registry.sandbox.seeds.reference import FINANCE, JUSTICE, SOCIAL_SECURITY

_BAKERY: Final = Ebox(EboxKind.ENTERPRISE, BAKERY.digits)
_GARAGE: Final = Ebox(EboxKind.ENTERPRISE, GARAGE.digits)
_CITIZEN: Final = Ebox(EboxKind.CITIZEN, CITIZEN.digits)
_SENT_BY: Final = {
    FINANCE: ("my-minfin", "tax-assessment"),
    SOCIAL_SECURITY: ("dmfa", "contribution-notice"),
    JUSTICE: ("just-on-web", "summons"),
    BAKERY.digits: (None, "information-letter"),
}


@dataclass(frozen=True)
class Seed:
    """A message to plant; `files` are name, bytes, and whether it is main content."""

    name: str
    ebox: Ebox
    nl: str
    fr: str
    sender: str = FINANCE
    partition: str | None = GENERAL
    hours_ago: int = 24
    days_left: float = 365
    files: tuple[tuple[str, bytes, bool], ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def message_id(self) -> UUID:
        """One id for this name, in every sandbox."""
        return make_message_id(self.name)

    def columns(self, now: datetime) -> dict[str, Any]:
        """The row of the message, had it been published `hours_ago`."""
        application, kind = _SENT_BY[self.sender]
        return {
            "message_id": self.message_id,
            "received_at": now - timedelta(hours=self.hours_ago),
            "expires_at": now + timedelta(days=self.days_left),
            "is_registered": False,
            "is_reply_authorized": False,
            "partition": self.partition,
            "message_type_id": kind,
            "sender": self.sender,
            "sender_application_id": application,
            "subject": {"nl": self.nl, "fr": self.fr},
            **self.more,
        }

    def attachments(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The rows of the files, and their bytes."""
        for number, (name, content, is_main) in enumerate(self.files, start=1):
            digest = hashlib.sha256(content).digest()
            row = {
                "attachment_id": str(number),
                "title": None,
                "file_name": name,
                "is_main": is_main,
                "media_type": "application/pdf",
                "size": len(content),
                "digest": urlsafe_b64encode(digest).decode(),
                "is_signed": False,
                "blob_key": f"seed/{self.message_id}/{number}",
            }
            yield row, content


def seeds() -> Iterator[Seed]:
    """Everything that a fresh sandbox holds."""
    yield from _general()
    yield from _partitions()
    yield Seed(
        "other-enterprise",
        _GARAGE,
        "Aanslagbiljet van de garage",
        "Avertissement-extrait de rôle du garage",
        files=_pdf("garage.pdf", "Aanslagbiljet"),
    )
    yield Seed(
        "citizen",
        _CITIZEN,
        "Uw aanslagbiljet",
        "Votre avertissement-extrait de rôle",
        partition=None,
        files=_pdf("aanslagbiljet-2026.pdf", "Aanslagbiljet 2026"),
        more={"is_registered": True},
    )


def _general() -> Iterator[Seed]:
    """At least eleven messages in GENERAL, to turn the page, and two to move."""
    yield from _messages_in_general()
    for number in range(1, 9):
        yield Seed(
            f"general-{number}",
            _BAKERY,
            f"Bijdragebericht kwartaal {number}",
            f"Avis de cotisation, trimestre {number}",
            sender=SOCIAL_SECURITY,
            hours_ago=24 * (number + 10),
            files=_pdf(f"bijdrage-{number}.pdf", f"Bijdragebericht {number}"),
        )
    for number in (1, 2):
        yield Seed(
            f"to-move-{number}",
            _BAKERY,
            f"Te verplaatsen {number}",
            f"À déplacer {number}",
            hours_ago=40 + number,
            files=_pdf(f"te-verplaatsen-{number}.pdf", f"Te verplaatsen {number}"),
        )


def _messages_in_general() -> Iterator[Seed]:
    """One of each thing that a message in GENERAL may have."""
    yield from _search_texts()
    yield from _pressing()


def _search_texts() -> Iterator[Seed]:
    """Texts of all kinds, for searches."""
    yield Seed(
        "one-document",
        _BAKERY,
        "Aanslagbiljet vennootschapsbelasting",
        "Avertissement-extrait de rôle, impôt des sociétés",
        hours_ago=2,
        files=_pdf("aanslagbiljet.pdf", "Aanslagbiljet vennootschapsbelasting"),
        more={"payment_data": _payment(), "business_data": _business(), "attention": _attention()},
    )
    yield Seed(
        "test-in-title",
        _BAKERY,
        "Dit is een test van het zoeken",
        "Ceci est un test de la recherche : épinards, œufs et crème brûlée",
        hours_ago=5,
        more={
            "body": {"nl": "Alleen tekst.", "fr": "Du texte seulement."},
            "is_body_main": True,
            "structured_data": {"scenario": "search", "version": 1},
        },
    )


def _pressing() -> Iterator[Seed]:
    """Messages that ask for something: before long, or at all."""
    yield Seed(
        "expiring-soon",
        _BAKERY,
        "Deze brief vervalt binnenkort",
        "Cette lettre expire bientôt",
        hours_ago=24 * 80,
        days_left=10,
        files=_pdf("vervalt.pdf", "Vervalt binnenkort"),
    )
    yield Seed(
        "two-documents",
        _BAKERY,
        "Dagvaarding met bijlage",
        "Citation avec annexe",
        sender=JUSTICE,
        hours_ago=30,
        files=(*_pdf("dagvaarding.pdf", "Dagvaarding"), ("bijlage.pdf", letter("Bijlage"), False)),
        more={
            "is_registered": True,
            "action_id": "confirm-presence",
            "action_label": {"nl": "Bevestig uw komst", "fr": "Confirmez votre présence"},
        },
    )


def _partitions() -> Iterator[Seed]:
    """Messages in the other partitions, and one that was sent from partitionB."""
    yield Seed(
        "partition-b",
        _BAKERY,
        "Voor afdeling B",
        "Pour le département B",
        partition="partitionB",
        files=_pdf("afdeling-b.pdf", "Voor afdeling B"),
    )
    yield Seed(
        "no-access",
        _BAKERY,
        "Vertrouwelijk",
        "Confidentiel",
        partition="partitionNoAccess",
        files=_pdf("vertrouwelijk.pdf", "Vertrouwelijk"),
    )
    for number in (1, 2):
        yield Seed(
            f"move-out-{number}",
            _BAKERY,
            f"Te verplaatsen voor het wissen {number}",
            f"À déplacer avant suppression {number}",
            partition="partitionToDelete",
            files=_pdf(f"wissen-{number}.pdf", f"Te verplaatsen {number}"),
        )
    yield Seed(
        SENT_FROM_B,
        _GARAGE,
        "Vraag van de bakkerij",
        "Question de la boulangerie",
        sender=BAKERY.digits,
        files=_pdf("vraag.pdf", "Vraag van de bakkerij"),
        more={"sender_partition": "partitionB"},
    )


def _pdf(name: str, title: str) -> tuple[tuple[str, bytes, bool], ...]:
    return ((name, letter(title, "Dit is een voorbeeld.", "Ceci est un exemple."), True),)


def _payment() -> dict[str, Any]:
    return {
        "payment_data_id": "2026-0001",
        "amount": "1250.10",
        "vat_amount": "0.00",
        "currency": "EUR",
        "due_date": "2027-01-31T23:59:59+01:00",
        "iban": "BE68539007547034",
        "bic": "PCHQBEBB",
        "reference": {"structured": "010806817183"},
    }


def _business() -> list[dict[str, Any]]:
    name = {"nl": "Aanslagjaar", "fr": "Exercice d'imposition"}
    return [{"key": "assessmentYear", "name": name, "values": [{"nl": "2026"}]}]


def _attention() -> dict[str, str]:
    return {"ssin": ACCOUNTANT.digits, "label": "Boekhouding"}
