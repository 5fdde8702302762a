"""Validators of values in requests, in whichever version they come."""

import re
from typing import Any, Final

from marshmallow import ValidationError, validate

# Every listing shows these, so they are bounded though no document says how much they may hold.
LONGEST_TITLE: Final = 1000  # characters of the title of a document, or of the label of an action
LARGEST_REFERENCE: Final = 4096  # bytes of JSON that the reference of a payment may take


def one_of(*choices: str) -> validate.OneOf:
    """Make a validator for a closed set of words."""
    return validate.OneOf(choices, error=f"is none of {', '.join(choices)}")


def between(least: int, most: int) -> validate.Range:
    """Make a validator for a range of numbers, both ends included."""
    return validate.Range(least, most, error=f"must be between {least} and {most}")


def matching(pattern: str, error: str) -> Any:
    """Make a validator for a text of which the whole has to match; classes are ASCII's."""
    regex = re.compile(pattern, re.ASCII)

    def check(text: str) -> None:
        if not regex.fullmatch(text):
            raise ValidationError(error)

    return check


NAME: Final = matching(r"[A-Za-z0-9_.-]{1,100}", "is not 1 to 100 letters, digits, dots, _ or -")
SHORT: Final = matching(r"[A-Za-z0-9_.-]{1,64}", "is not 1 to 64 letters, digits, dots, _ or -")
ENTERPRISE: Final = matching(r"[01][0-9]{9}", "is not ten digits, the first 0 or 1")
# The Belgian REST guide's patterns `[dec-type]` and of its common types.
CURRENCY: Final = matching(r"[A-Z]{3}", "is not a currency code")
IBAN: Final = matching(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}", "is not an IBAN without spaces")
BIC: Final = matching(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", "is not a BIC")
