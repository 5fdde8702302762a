"""Subjects as people get them, in three languages, some words common and some rare."""

import json
import random
from dataclasses import dataclass
from functools import cache
from typing import Final

from registry.domain.search import make_search_texts

COMMON, RARE, ACCENT, LETTER, ABSENT = "société", "ruches", "impôt", "w", "zzyzx"  # of French

# (weight, sender, application, type, Dutch, French, German); {} is the reference of the letter.
_SUBJECTS: Final = (
    (300, "0308357159", "my-minfin", "tax-assessment",
     "Aanslagbiljet {} van de vennootschap", "Avertissement-extrait de rôle {} de la société",
     "Steuerbescheid {} der Gesellschaft"),
    (150, "0308357159", "my-minfin", "information-letter",
     "Voorafbetaling {} van de belasting", "Versement anticipé {} de l'impôt",
     "Vorauszahlung {} der Steuer"),
    (220, "0206731645", "dmfa", "contribution-notice",
     "Kwartaalbijdragen {}: verschuldigd saldo", "Cotisations trimestrielles {} : solde dû",
     "Quartalsbeiträge {}: fälliger Betrag"),
    (120, "0206731645", "dmfa", "contribution-notice",
     "Wijziging van uw aangifte {}", "Modification de votre déclaration {}",
     "Änderung Ihrer Erklärung {}"),
    (60, "0308357753", "just-on-web", "summons",
     "Oproeping {} voor de ondernemingsrechtbank", "Convocation {} au tribunal de l'entreprise",
     "Vorladung {} vor das Unternehmensgericht"),
    (90, "1999930063", "sandbox-sender", "information-letter",
     "Vernieuwing van vergunning {}", "Renouvellement du permis {}",
     "Erneuerung der Genehmigung {}"),
    (59, "1999930063", "sandbox-sender", "information-letter",
     "Jaarverslag {} over afval en water", "Rapport annuel {} sur l'eau et les déchets",
     "Jahresbericht {} über Abfall und Wasser"),
    (1, "1999930063", "sandbox-sender", "information-letter",
     "Telling {} van de bijenkasten", "Recensement {} des ruches", "Zählung {} der Bienenstöcke"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of message, its texts as PostgreSQL's COPY takes them; {} is the reference."""

    sender: str
    application: str
    type: str
    subject: str  # JSON
    searched: tuple[str, str, str]  # nl, fr, de


@cache
def list_letters() -> list[Letter]:
    """All kinds, each as often as it occurs among a thousand."""
    letters: list[Letter] = []
    for weight, sender, application, kind, *texts in _SUBJECTS:
        subject = dict(zip(("nl", "fr", "de"), texts, strict=True))
        searched = make_search_texts(subject, None, None)
        content = _escape(json.dumps(subject, ensure_ascii=False))
        dutch, french, german = (_escape(searched[language]) for language in subject)
        letters += [Letter(sender, application, kind, content, (dutch, french, german))] * weight
    random.Random(16).shuffle(letters)
    return letters


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
