"""Numbers of persons in texts of others: the one rule that keeps them out of what we show."""

import re
from typing import Final

MASK: Final = "***"

# The first alternatives pass over what may hold as many digits and names nobody: a UUID, a trace
# id and a SHA-256 in hex. The length of each alternative is bounded, so that the time grows with
# the text and no faster, whoever wrote it.
_NUMBER: Final = re.compile(
    r"(?P<harmless>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b)"
    # no part of a longer number; the digits of a percent-escape belong to no number
    r"|(?:(?<![0-9])|(?<=%[0-9][0-9]))"
    r"[0-9]{2}[. -]?[0-9]{2}[. -]?[0-9]{2}[. -]?[0-9]{3}[. -]?[0-9]{2}(?![0-9])",
    re.ASCII,
)


def mask_personal_numbers(text: str) -> str:
    """Replace every SSIN in the text by `MASK`, whether it is one or merely looks like one.

    An SSIN is eleven digits, bare (85041299768) or as people print it (85.04.12-997.68), with a
    point, a hyphen or a space between the groups; letters may touch it. Check digits are not
    looked at: a number with a typing error still tells who is meant.
    """
    return _NUMBER.sub(lambda match: match["harmless"] or MASK, text)
