"""Words for what the network does: the reason, and what to do about it, by the cause."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from registry.domain.diagnoses import Cause, Diagnosis
from registry.http_client.failures import Failure


@dataclass(frozen=True, slots=True)
class Place:
    """The variables that say where a neighbour is, whom it is trusted by, and how it knows us.

    `ca_variable` names the authorities for it, None where no setting can; `ca_bundle` is the file,
    None where none is set.
    """

    variable: str
    ca_variable: str | None = None
    ca_bundle: Path | None = None
    certificate: Path | None = None

    @property
    def trust(self) -> str:
        """The authorities whose certificates count there."""
        if self.ca_bundle and self.ca_variable:
            return f"the authorities in {self.ca_variable} ({self.ca_bundle})"
        return "the authorities that this machine trusts"

    @property
    def trust_remedy(self) -> str:
        """The way to have another authority trusted."""
        if self.ca_variable is None:
            return "Have a certificate of an authority that everybody trusts there."
        return (
            f"Set {self.ca_variable} to a PEM file with the authority that signed its certificate,"
            " if you know that it is its own."
        )


CERTIFICATE_VARIABLE: Final = "REGISTRY_FEDERATION_CERTIFICATE"


class _Words(NamedTuple):
    reason: str
    remedy: str


_RENEW: Final = "Have whoever runs it replace its certificate."
_WORDS: Final = {
    Cause.NAME_NOT_RESOLVED: _Words(
        "The name is not resolved on this machine.",
        "Correct the host in {variable}, or have its name in DNS.",
    ),
    Cause.CONNECTION_REFUSED: _Words(
        "Nobody listens at that port, or a firewall refuses us.",
        "Start it, or correct host and port in {variable}.",
    ),
    Cause.UNREACHABLE: _Words(
        "No way leads there from this machine.",
        "Have routes and firewalls let this machine through, or correct {variable}.",
    ),
    Cause.TIME_OUT: _Words(
        "There is none within {seconds:g} seconds: a firewall drops what we send, or it hangs.",
        "Look at firewalls between, and whether it is well; or correct {variable}.",
    ),
    Cause.CONNECTION_CUT: _Words(
        "The connection is cut before there is an answer.",
        "Look at its log, and at proxies and firewalls between; or correct {variable}.",
    ),
    Cause.PROXY_IN_THE_WAY: _Words(
        "The proxy that the environment names does not let us through.",
        "Correct https_proxy and http_proxy, or name the host in no_proxy.",
    ),
    Cause.TLS_MISSING: _Words(
        "No TLS is spoken at that port.",
        "Correct the port in {variable}; http:// is for trials alone.",
    ),
    Cause.CERTIFICATE_UNKNOWN: _Words(
        "Its certificate is unknown to {trust}: {words}.", "{trust_remedy}"
    ),
    Cause.CERTIFICATE_EXPIRED: _Words("Its certificate has expired, or one above it.", _RENEW),
    Cause.CERTIFICATE_EARLY: _Words(
        "Its certificate is not valid yet, or one above it.",
        "Look at this machine's clock; if that is right, wait, or have the certificate replaced.",
    ),
    Cause.CERTIFICATE_OF_ANOTHER: _Words(
        "Its certificate is of another name than the host's.",
        "Write in {variable} a name that the certificate has.",
    ),
    Cause.ANOTHER_SERVICE: _Words(
        "It sends us to another address, which our token is not for.",
        "Write in {variable} the address where it is.",
    ),
}
_OTHER: Final = _Words(
    "The call failed: {words}.", "Look whether it is well, and what lies between."
)
_STRANGER: Final = _Words(
    "It refuses our certificate, the one in " + CERTIFICATE_VARIABLE + ": {words}.",
    "Have it registered there, or set " + CERTIFICATE_VARIABLE + " to the one that is.",
)
_NAMELESS: Final = _Words(
    "It asks for a certificate, and we have none to show: {words}.",
    "Set " + CERTIFICATE_VARIABLE + " to a PEM file with our certificate and its key.",
)
_ABOUT_TRUST: Final = (Cause.CERTIFICATE_UNKNOWN,)


def diagnose_failure(
    failure: Failure, name: str, address: str, place: Place, seconds: float
) -> Diagnosis:
    """Say why `name` at an address gave no answer within so many seconds."""
    words = _WORDS.get(failure.cause, _OTHER)
    variables = [place.variable]
    if failure.cause in _ABOUT_TRUST and place.ca_variable:
        variables.append(place.ca_variable)
    if failure.cause is Cause.OUR_CERTIFICATE_REFUSED:
        words = _STRANGER if place.certificate else _NAMELESS
        variables.append(CERTIFICATE_VARIABLE)
    details = {
        "variable": place.variable,
        "seconds": seconds,
        "trust": place.trust,
        "trust_remedy": place.trust_remedy,
        "words": failure.words or "no more is known",
    }
    return Diagnosis(
        tuple(variables),
        f"The {name} at {address} gives no answer.",
        failure.cause,
        words.reason.format(**details),
        words.remedy.format(**details),
    )
