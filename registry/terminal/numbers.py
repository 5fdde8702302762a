"""Identifiers as people type them: with points, hyphens or spaces, with BE, without a zero."""

from typing import Any, Final

import click

from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed, Ssin

_PUNCTUATION: Final = str.maketrans("", "", ".- ")


def parse_enterprise_number(text: str, *, check_digits: bool) -> EnterpriseNumber:
    """Read a number that a person typed, such as 0412.398.765, BE 0412 398 765 or 412398765.

    `check_digits` also verifies the check digits. Nine digits lost their zero, which is given
    back only where the check digits then fit. Raises `Malformed`.
    """
    digits = text.translate(_PUNCTUATION)
    if digits[:2].upper() == "BE":
        digits = digits[2:]
    if len(digits) == 9 and digits.isascii() and digits.isdecimal():
        return EnterpriseNumber.parse(f"0{digits}", check_digits=True)
    return EnterpriseNumber.parse(digits, check_digits=check_digits)


def parse_ssin(text: str, *, check_digits: bool) -> Ssin:
    """Read a number that a person typed, such as 85.04.12-997.68. Raises `Malformed`."""
    return Ssin.parse(text.translate(_PUNCTUATION), check_digits=check_digits)


class EnterpriseNumberType(click.ParamType[EnterpriseNumber]):
    """Reads the number of an enterprise; `check_digits` says whether its check digits must fit."""

    name = "NUMBER"

    def __init__(self, *, check_digits: bool = False) -> None:
        self._check_digits = check_digits

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> EnterpriseNumber:
        """Read one value."""
        if isinstance(value, EnterpriseNumber):  # click converts a default a second time
            return value
        try:
            return parse_enterprise_number(str(value), check_digits=self._check_digits)
        except Malformed as error:
            return self.fail(str(error), param, ctx)


class SsinType(click.ParamType[Ssin]):
    """Reads the number of a person; errors do not repeat what was typed."""

    name = "SSIN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Ssin:
        """Read one value; check digits are left to the service that is asked."""
        if isinstance(value, Ssin):
            return value
        try:
            return parse_ssin(str(value), check_digits=False)
        except Malformed as error:
            return self.fail(str(error), param, ctx)


class EboxType(click.ParamType[Ebox]):
    """Reads `enterprise:NUMBER` or `citizen:SSIN`; errors do not repeat what was typed.

    `check_digits` says whether check digits must fit. With `may_omit_kind` ten digits alone are an
    enterprise's, eleven a citizen's.
    """

    def __init__(self, *, check_digits: bool, may_omit_kind: bool = False) -> None:
        self._check_digits = check_digits
        self._may_omit_kind = may_omit_kind
        self.name = f"{'NUMBER|' if may_omit_kind else ''}enterprise:NUMBER|citizen:SSIN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Ebox:
        """Read one value."""
        if isinstance(value, Ebox):
            return value
        kind, colon, number = str(value).partition(":")
        if self._may_omit_kind and not colon:
            number = kind
            is_person = sum(character.isdecimal() for character in number) == 11
            kind = EboxKind.CITIZEN if is_person else EboxKind.ENTERPRISE
        try:
            if kind == EboxKind.ENTERPRISE:
                digits = parse_enterprise_number(number, check_digits=self._check_digits).digits
                return Ebox(EboxKind.ENTERPRISE, digits)
            if kind == EboxKind.CITIZEN:
                return Ebox(
                    EboxKind.CITIZEN, parse_ssin(number, check_digits=self._check_digits).digits
                )
            reason = f"It is {self.name.replace('|', ' or ')}."
        except Malformed as error:
            reason = str(error)
        return self.fail(reason, param, ctx)
