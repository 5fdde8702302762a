"""Enterprise numbers, SSINs, and the e-Box that each names."""

import calendar
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

_ENTERPRISE: Final = re.compile(r"[01][0-9]{9}")
_SSIN: Final = re.compile(r"[0-9]{11}")


class Malformed(ValueError):
    """The text does not have the form of this identifier, or fails its check digits."""


@dataclass(frozen=True, slots=True)
class EnterpriseNumber:
    """A CBE number: ten digits, the last two 97 less the first eight modulo 97."""

    digits: str

    @classmethod
    def parse(cls, text: str, *, check_digits: bool = True) -> Self:
        """Read a number as messages write it; `check_digits` also verifies the check digits.

        Raises `Malformed`. Rule: Belgian REST guide, EnterpriseNumber.
        """
        if not _ENTERPRISE.fullmatch(text):
            raise Malformed("An enterprise number has ten digits, the first 0 or 1.")
        if check_digits and 97 - int(text[:8]) % 97 != int(text[8:]):
            raise Malformed("The enterprise number fails its check digits.")
        return cls(text)

    @classmethod
    def from_claim(cls, text: str) -> Self:
        """Read a token's claim, which may have lost its leading zeros (contract 3.1).

        The authorization server vouches for the number, so check digits are not looked at.
        """
        return cls.parse(text.zfill(10), check_digits=False)

    def __str__(self) -> str:
        return self.digits


@dataclass(frozen=True, slots=True)
class Ssin:
    """A person's number: birth date, counter and two check digits, or a bis number."""

    digits: str

    @classmethod
    def parse(cls, text: str, *, check_digits: bool = True) -> Self:
        """Read a number as messages write it; `check_digits` also verifies date and check digits.

        Raises `Malformed`. Rule: Belgian REST guide, Ssin; a bis number adds 20 or 40 to the month.
        """
        if not _SSIN.fullmatch(text):
            raise Malformed("An SSIN has eleven digits.")
        if check_digits and not any(
            _is_birth_date(text, century) for century in _find_centuries(text)
        ):
            raise Malformed("The SSIN fails its check digits or names no possible birth date.")
        return cls(text)

    def __str__(self) -> str:
        return self.digits


def _find_centuries(text: str) -> list[int]:
    """Find the centuries whose checksum holds: births from 2000 put a 2 before the number."""
    check = int(text[9:])
    return [
        century
        for century, prefix in ((1900, 0), (2000, 2_000_000_000))
        if 97 - (prefix + int(text[:9])) % 97 == check
    ]


def _is_birth_date(text: str, century: int) -> bool:
    year, month_code, day, counter = (
        century + int(text[:2]),
        int(text[2:4]),
        int(text[4:6]),
        text[6:9],
    )
    month = month_code % 20
    if month_code > 52 or month > 12:
        return False
    if month_code <= 12 and counter in ("000", "999"):
        return False
    return month == 0 or day <= calendar.monthrange(year, month)[1]


class EboxKind(StrEnum):
    """Kinds of owners: the two families of base paths (contract 6.22)."""

    ENTERPRISE = "enterprise"
    CITIZEN = "citizen"


@dataclass(frozen=True, slots=True)
class Ebox:
    """One mailbox; `number` is the enterprise number or the SSIN of its owner."""

    kind: EboxKind
    number: str

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Read the key by which the store knows an e-Box."""
        kind, _, number = key.partition(":")
        return cls(EboxKind(kind), number)

    @property
    def enterprise_number(self) -> str | None:
        """The owner's number, when the owner is an enterprise."""
        return self.number if self.kind is EboxKind.ENTERPRISE else None

    @property
    def ssin(self) -> str | None:
        """The owner's number, when the owner is a person."""
        return self.number if self.kind is EboxKind.CITIZEN else None

    @property
    def key(self) -> str:
        """The store's name for it: first column of every key, and read by row-level security."""
        return f"{self.kind}:{self.number}"
