"""Senders of the sandbox: Belgian organizations as a reader knows them, and one of ours."""

import struct
import zlib
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert

from registry.sandbox.personas import AGENCY
from registry.store import reference
from registry.store.reference import make_folded_texts

FINANCE: Final = "0308357159"
SOCIAL_SECURITY: Final = "0206731645"
JUSTICE: Final = "0308357753"


def _text(nl: str, fr: str, de: str) -> dict[str, str]:
    return {"nl": nl, "fr": fr, "de": de}


# id, short name, long name, site
_ORGANIZATIONS: Final = (
    (
        FINANCE,
        _text("FOD Financiën", "SPF Finances", "FÖD Finanzen"),
        _text(
            "Federale Overheidsdienst Financiën",
            "Service public fédéral Finances",
            "Föderaler Öffentlicher Dienst Finanzen",
        ),
        _text(
            "https://financien.belgium.be/nl",
            "https://finances.belgium.be/fr",
            "https://finanzen.belgium.be/de",
        ),
    ),
    (
        SOCIAL_SECURITY,
        _text("RSZ", "ONSS", "LSS"),
        _text(
            "Rijksdienst voor Sociale Zekerheid",
            "Office national de sécurité sociale",
            "Landesamt für Soziale Sicherheit",
        ),
        _text("https://www.rsz.be", "https://www.onss.be", "https://www.lss.be"),
    ),
    (
        JUSTICE,
        _text("FOD Justitie", "SPF Justice", "FÖD Justiz"),
        _text(
            "Federale Overheidsdienst Justitie",
            "Service public fédéral Justice",
            "Föderaler Öffentlicher Dienst Justiz",
        ),
        _text(
            "https://justitie.belgium.be/nl",
            "https://justice.belgium.be/fr",
            "https://justiz.belgium.be/de",
        ),
    ),
    (
        AGENCY.digits,
        _text("Zandbakagentschap", "Agence du bac à sable", "Sandkastenagentur"),
        _text(
            "Agentschap van de zandbak",
            "Agence fictive du bac à sable",
            "Erfundene Agentur des Sandkastens",
        ),
        _text("https://sandbox.example", "https://sandbox.example", "https://sandbox.example"),
    ),
)

# id, name, description
_APPLICATIONS: Final = (
    (
        "my-minfin",
        _text("MyMinfin", "MyMinfin", "MyMinfin"),
        _text(
            "Uw fiscaal dossier bij Financiën",
            "Votre dossier fiscal auprès des Finances",
            "Ihre Steuerakte bei den Finanzen",
        ),
    ),
    (
        "dmfa",
        _text("DmfA", "DmfA", "DmfA"),
        _text(
            "Multifunctionele aangifte van lonen en arbeidstijden",
            "Déclaration multifonctionnelle des salaires et du temps de travail",
            "Multifunktionelle Erklärung von Löhnen und Arbeitszeiten",
        ),
    ),
    (
        "just-on-web",
        _text("Just-on-web", "Just-on-web", "Just-on-web"),
        _text(
            "Het onlineplatform van Justitie",
            "La plateforme en ligne de la Justice",
            "Die Online-Plattform der Justiz",
        ),
    ),
    (
        "sandbox-sender",
        _text("Zandbakverzender", "Expéditeur du bac à sable", "Absender des Sandkastens"),
        _text(
            "Verzendt voorbeelden",
            "Envoie des exemples",
            "Sendet Beispiele",
        ),
    ),
)

# id, name, description, validity
_TYPES: Final = (
    (
        "tax-assessment",
        _text("Aanslagbiljet", "Avertissement-extrait de rôle", "Steuerbescheid"),
        _text(
            "De berekening van uw belasting",
            "Le calcul de votre impôt",
            "Die Berechnung Ihrer Steuer",
        ),
        (2, "year"),
    ),
    (
        "contribution-notice",
        _text("Bijdragebericht", "Avis de cotisation", "Beitragsbescheid"),
        _text(
            "Verschuldigde socialezekerheidsbijdragen",
            "Cotisations de sécurité sociale dues",
            "Geschuldete Sozialversicherungsbeiträge",
        ),
        (1, "year"),
    ),
    (
        "summons",
        _text("Dagvaarding", "Citation à comparaître", "Vorladung"),
        None,
        (6, "month"),
    ),
    (
        "information-letter",
        _text("Informatiebrief", "Lettre d'information", "Informationsschreiben"),
        None,
        (90, "day"),
    ),
)

_CONFIGURATIONS: Final = (
    (FINANCE, "my-minfin", "tax-assessment"),
    (FINANCE, "my-minfin", "information-letter"),
    (SOCIAL_SECURITY, "dmfa", "contribution-notice"),
    (JUSTICE, "just-on-web", "summons"),
    (AGENCY.digits, "sandbox-sender", "information-letter"),
    (AGENCY.digits, "sandbox-sender", "tax-assessment"),
)


def plant(connection: Connection) -> None:
    """Put the reference data where it is not yet."""
    row: dict[str, Any]
    for number, short, long, url in _ORGANIZATIONS:
        row = {"organization_id": number, "short_name": short, "long_name": long, "url": url}
        row["contact_business"] = "https://sandbox.example/contact"
        _keep(connection, reference.sender_organizations, {**row, **make_folded_texts(short, long)})
        _keep(connection, reference.images, _logo("organization", number))
    for identifier, name, description in _APPLICATIONS:
        row = {"application_id": identifier, "name": name, "description": description}
        _keep(
            connection,
            reference.sender_applications,
            {**row, **make_folded_texts(name, description)},
        )
    for identifier, name, about, (length, unit) in _TYPES:
        row = {"message_type_id": identifier, "name": name, "description": about}
        row |= {"validity_number": length, "validity_unit": unit}
        _keep(connection, reference.message_types, {**row, **make_folded_texts(name, about)})
    for organization, application, kind in _CONFIGURATIONS:
        row = {"organization_id": organization, "application_id": application}
        _keep(connection, reference.sender_configurations, {**row, "message_type_id": kind})
    _keep(connection, reference.images, _logo("application", "my-minfin"))
    _keep(
        connection,
        reference.message_templates,
        {
            "message_template_id": "tax-reminder",
            "message_type_id": "tax-assessment",
            "name": _text("Herinnering", "Rappel", "Erinnerung"),
            "body": _text(
                "U hebt nog niet betaald.", "Vous n'avez pas encore payé.", "Noch nicht bezahlt."
            ),
        },
    )


def _keep(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    connection.execute(insert(table).values(**row).on_conflict_do_nothing())


def _logo(kind: str, owner: str) -> dict[str, Any]:
    colour = zlib.crc32(owner.encode()).to_bytes(4)[:3]
    return {
        "owner_kind": kind,
        "owner_id": owner,
        "image_id": "logo",
        "media_type": "image/png",
        "content": _square(colour),
    }


def _square(colour: bytes, side: int = 48) -> bytes:
    """A PNG of one colour, under the 100 pixels that logos may have (contract 2.3)."""
    rows = (b"\0" + colour * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
