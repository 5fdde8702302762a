"""A sender's access token, got with his own key (private_key_jwt, contract 3.1)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.terminal.gathering import gather_options

if TYPE_CHECKING:
    from registry.http_client.access_token import OwnToken

_TIMEOUT: Final = 10  # seconds
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

# What the codes of RFC 6749 section 5.2 mean to whoever holds the key.
_ADVICE: Final = {
    "invalid_client": "Check the client id, that this key is the one registered for it, that "
    "--algorithm and --audience are right, and that this computer's clock is.",
    "unauthorized_client": "This client may not ask for tokens this way.",
    "unsupported_grant_type": "The server does not offer client credentials: is it the right one?",
    "invalid_scope": "A --scope was not granted to this client; without --scope you get all that "
    "were.",
    "status 404": "There is no token endpoint at this --token-url.",
}


class NoToken(Exception):
    """There is no token; the text says why and what to do. `is_outage`: trying later may help."""

    def __init__(self, reason: str, *, is_outage: bool) -> None:
        self.is_outage = is_outage
        super().__init__(reason)


@dataclass(frozen=True)
class Credentials:
    """A sender's registration with the authorization server, as options name it."""

    token_url: str | None
    client_id: str | None
    key: Path | None = field(repr=False)
    key_password_file: Path | None
    algorithm: str
    scope: tuple[str, ...]
    audience: str | None
    ca_bundle: Path | None

    @property
    def are_given(self) -> bool:
        """True when any was given."""
        return any((self.token_url, self.client_id, self.key))

    def make_own_token(self) -> "OwnToken":
        """Make what gets the token and renews it; raises `click.UsageError` when it cannot work."""
        if self.token_url is None or self.client_id is None or self.key is None:
            raise click.UsageError("Give --token-url, --client-id and --key together.")
        if not self.token_url.startswith(("https://", "http://")):
            raise click.UsageError("--token-url must be an http or https URL.")
        from registry.domain.errors import KeyUnusable
        from registry.http_client.access_token import Identity, OwnToken
        from registry.http_client.private_key import load_key

        try:
            key = load_key(self.key, self._password(), algorithm=self.algorithm)
        except KeyUnusable as error:
            raise click.UsageError(str(error)) from None
        return OwnToken(
            Identity(self.client_id, key, self.algorithm, audience=self.audience),
            self.token_url,
            lambda: datetime.now(UTC),
            scope=" ".join(self.scope) or None,
            timeout=_TIMEOUT,
            ca_bundle=self.ca_bundle,
        )

    def _password(self) -> str | None:
        if self.key_password_file is None:
            return None
        try:
            return self.key_password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            raise click.UsageError("The file with the key's password cannot be read.") from None


with_credentials: Final = gather_options(
    "credentials",
    Credentials,
    click.option("--token-url", metavar="URL", help="Where the authorization server gives tokens."),
    click.option("--client-id", metavar="ID", help="As registered with the authorization server."),
    click.option("--key", type=_FILE, help="Private key: PEM, or PKCS#12 ending in .p12 or .pfx."),
    click.option(
        "--key-password-file", type=_FILE, help="Holds the key's password, if it has one."
    ),
    click.option(
        "--algorithm",
        type=click.Choice(["RS256", "ES384", "ES512"]),
        default="RS256",
        show_default=True,
        help="How to sign.",
    ),
    click.option("--scope", multiple=True, help="Ask for this scope only; may be repeated."),
    click.option("--audience", help="Of the signed assertion.  [default: the token URL]"),
    click.option("--ca-bundle", type=_FILE, help="Authorities to trust, as PEM, instead of usual."),
)


@click.command()
@with_credentials
def token(credentials: Credentials) -> None:
    """Print an access token, got by signing with your private key.

    Example: registry token --token-url https://…/REST/oauth/v5/token --client-id my:client:id
    --key my.p12 --key-password-file password.txt

    The token is all that goes to standard output; whoever has it is you until it expires. Exit
    code 1: the server refuses; 2: wrong options; 3: the server does not answer.
    """
    try:
        click.echo(get_token(credentials.make_own_token()))
    except NoToken as error:
        click.echo(str(error), err=True)
        raise SystemExit(3 if error.is_outage else 1) from None


def get_token(own_token: "OwnToken") -> str:
    """Get a token that holds now; raises `NoToken`."""
    with _collect_reasons() as reasons:
        try:
            return own_token.value()
        except (Unavailable, UpstreamInvalid) as error:
            is_outage = isinstance(error, Unavailable)
    reason = reasons[-1] if reasons else "no answer in time"
    advice = next((text for code, text in _ADVICE.items() if code in reason), "")
    raise NoToken(f"No access token ({reason}). {advice}".strip(), is_outage=is_outage)


@contextmanager
def _collect_reasons() -> Iterator[list[str]]:
    """Collect what our clients log in the block: fixed words, which their errors do not carry."""
    logger, reasons = logging.getLogger("registry.http_client"), list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: reasons.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        yield reasons
    finally:
        logger.removeHandler(handler)
