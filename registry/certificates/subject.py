"""The subject of a certificate of the federation (contract 3.1): whose it is, and of where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

FederationEnvironment = Literal["ACC", "PRD", "INT"]
ENVIRONMENTS: Final[tuple[FederationEnvironment, ...]] = ("ACC", "PRD", "INT")
GOVERNMENT: Final = "Belgian Federal Government"
_URN: Final = "urn:be:fgov:kbo-bce:organization:cbe-number:"
_NUMBER: Final = re.compile(_URN + r"([0-9]{9,10})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSubject:
    """A subject: `number` of the enterprise has ten digits, `application` is the id of a client."""

    organization: str
    number: str
    environment: FederationEnvironment
    application: str
    locality: str
    province: str
    unit: str = GOVERNMENT

    def write(self) -> x509.Name:
        """Write it as X.509 does; raises `ValueError` for a part that is too long, or empty."""
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
                x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, self.province),
                x509.NameAttribute(NameOID.LOCALITY_NAME, self.locality),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.unit),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, _URN + self.number),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.environment),
                x509.NameAttribute(NameOID.COMMON_NAME, self.application),
            ]
        )


def list_units(name: x509.Name) -> Iterator[str]:
    """List the organizational units of a subject."""
    for attribute in name.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME):
        yield str(attribute.value)


def find_number(name: x509.Name) -> str | None:
    """Find the number of the enterprise in a subject, ten digits, whatever zeros it lost there."""
    numbers = (match[1] for unit in list_units(name) if (match := _NUMBER.fullmatch(unit)))
    number = next(numbers, None)
    return number.zfill(10) if number else None


def find_environments(name: x509.Name) -> tuple[FederationEnvironment, ...]:
    """Find the environments that a subject names: one, in a certificate of the federation."""
    units = set(list_units(name))
    return tuple(each for each in ENVIRONMENTS if each in units)
