"""What texts in requests look like, in whichever version they come."""

from typing import Final

from registry.api.responses.fields import matching

NAME: Final = matching(r"[A-Za-z0-9_.-]{1,100}", "is not 1 to 100 letters, digits, dots, _ or -")
SHORT: Final = matching(r"[A-Za-z0-9_.-]{1,64}", "is not 1 to 64 letters, digits, dots, _ or -")
ENTERPRISE: Final = matching(r"[01][0-9]{9}", "is not ten digits, the first 0 or 1")
# The Belgian REST guide's patterns `[dec-type]` and of its common types.
AMOUNT: Final = matching(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", "is not a decimal number")
CURRENCY: Final = matching(r"[A-Z]{3}", "is not a currency code")
IBAN: Final = matching(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}", "is not an IBAN without spaces")
BIC: Final = matching(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", "is not a BIC")
