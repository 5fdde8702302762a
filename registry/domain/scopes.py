"""Scopes and the operations that they open (contract 1.4, 6.15, 6.36)."""

from collections.abc import Mapping
from typing import Final

from registry.domain.access import Operation

_CONSULT: Final = "scope:document:management:consult:ws-eboxrestentreprise"
_REPRESENTATIVE: Final = "eboxrepresentativepublication"
_CONSUMER: Final = frozenset(
    {
        Operation.READ_MESSAGES,
        Operation.UPDATE_MESSAGES,
        Operation.READ_STATISTICS,
        Operation.READ_REFERENCE,
        Operation.REPLY,
    }
)
# The official strings of contract 1.4 and what each opens (contract 6.15).
OFFICIAL_SCOPES: Final[Mapping[str, frozenset[Operation]]] = {
    f"{_CONSULT}:documentconsumer": _CONSUMER | {Operation.WHOLE_EBOX, Operation.READ_SUMMARY},
    f"{_CONSULT}:messagesfull": _CONSUMER - {Operation.READ_REFERENCE},
    f"{_CONSULT}:referencedata": frozenset({Operation.READ_REFERENCE}),
    # Version 2.1's; it has no way to name another e-Box than one's own.
    f"{_CONSULT}:summaryownebox": frozenset({Operation.READ_SUMMARY}),
    f"{_CONSULT}:summaryallebox": frozenset({Operation.READ_SUMMARY}),
    f"{_CONSULT}:publicationsender": frozenset({Operation.PUBLISH}),
    f"{_CONSULT}:{_REPRESENTATIVE}": frozenset({Operation.PUBLISH_FOR_ANOTHER}),
    f"scope:document:management:ws-eboxrestentreprise:{_REPRESENTATIVE}": frozenset(
        {Operation.PUBLISH_FOR_ANOTHER}
    ),
}

# By analogy: no page names the scopes of the citizens' authorization (contract 6.36).
_CONSULT_CITIZEN: Final = "scope:document:management:consult:ws-eboxrestcitizen"
CITIZEN_SCOPES: Final[Mapping[str, frozenset[Operation]]] = {
    f"{_CONSULT_CITIZEN}:messagesfull": _CONSUMER - {Operation.READ_REFERENCE},
    f"{_CONSULT_CITIZEN}:referencedata": frozenset({Operation.READ_REFERENCE}),
    f"{_CONSULT_CITIZEN}:summaryownebox": frozenset({Operation.READ_SUMMARY}),
}
