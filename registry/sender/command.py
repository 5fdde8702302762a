"""Publishing a message: the Document Sender's command."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import click

from registry.sender.message import File, FileOption, MessageOptions
from registry.sender.multipart_body import Body, Unreadable
from registry.sender.report import GIVE_UP, REFUSAL, advise_to_go_on, report
from registry.sender.token import Credentials, NoToken, get_token, with_credentials
from registry.terminal.gathering import gather_options
from registry.terminal.numbers import EboxType, EnterpriseNumberType
from registry.terminal.screen import make_progress

if TYPE_CHECKING:
    from registry.domain.identifiers import EnterpriseNumber
    from registry.sender.client import Client, Outcome

_KEY: Final = re.compile(r"[ !#-\[\]-~]{1,253}")  # what fits between quotes (RFC 8941)


@dataclass(frozen=True)
class Delivery:
    """The registry that gets a publication, and how often it is tried."""

    to: str
    token: str | None = field(repr=False)
    on_behalf_of: "EnterpriseNumber | None"
    idempotency_key: str | None
    retries: int
    pause: float
    timeout: float


with_draft: Final = gather_options(
    "draft",
    MessageOptions,
    click.option(
        "--message",
        type=click.File("rb"),
        metavar="FILE",
        help="messageToPublish as JSON; - reads it from standard input.",
    ),
    click.option(
        "--recipient",
        type=EboxType(check_digits=False),
        metavar="KIND:NUMBER",
        help="enterprise:NUMBER or citizen:SSIN.",
    ),
    click.option(
        "--sender",
        type=EnterpriseNumberType(),
        help="Your enterprise, or the one you represent.",
    ),
    click.option("--application", metavar="ID", help="senderApplicationId."),
    click.option("--type", metavar="ID", help="messageTypeId."),
    click.option(
        "--subject",
        multiple=True,
        metavar="LANGUAGE=TEXT",
        help="nl=…, fr=… or de=…; repeat for each language.",
    ),
    click.option("--main", metavar="PART", help="The part that is the main content."),
)
with_delivery: Final = gather_options(
    "delivery",
    Delivery,
    click.option("--to", required=True, metavar="URL", help="Base of the registry: …/v3."),
    click.option(
        "--token",
        envvar="EBOX_TOKEN",
        metavar="TOKEN",
        help="An access token, better in the variable EBOX_TOKEN, where nobody sees it; "
        "- reads it from standard input.",
    ),
    click.option(
        "--on-behalf-of", type=EnterpriseNumberType(), help="The enterprise that mandated you."
    ),
    click.option(
        "--idempotency-key",
        metavar="KEY",
        help="To go on where another run gave up.  [default: a new UUID]",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 20),
        default=4,
        show_default=True,
        help="Tries after the first.",
    ),
    click.option(
        "--pause",
        type=click.FloatRange(0, 60),
        default=1,
        show_default=True,
        help="Seconds before the first retry; doubles each time.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 3600),
        default=60,
        show_default=True,
        help="Seconds to wait for the registry.",
    ),
)


@click.command()
@with_delivery
@with_credentials
@with_draft
@click.option(
    "--file",
    "files",
    type=FileOption(),
    multiple=True,
    help="A document; repeat for each. The part ties it to httpPartName, the type is guessed from "
    "the ending.",
)
@click.option("--json", "as_json", is_flag=True, help="Say the outcome as one JSON object.")
def publish(
    delivery: Delivery,
    credentials: Credentials,
    draft: MessageOptions,
    files: tuple[File, ...],
    as_json: bool,
) -> None:
    """Publish a message with its documents to a recipient's e-Box.

    Example: registry publish --to https://…/REST/ebox/enterprise/messageRegistry/v3
    --token-url https://…/REST/oauth/v5/token --client-id my:client --key my.p12
    --sender 0412398765 --recipient enterprise:0765432146 --application fadDocuments
    --type vatStatement --subject "nl=Uw uittreksel" --subject "fr=Votre extrait"
    --file statement=btw-2026-Q3.pdf --file annex=details.csv --main statement

    Instead of the options from --sender to --subject, --message takes a whole messageToPublish;
    digests and missing httpPartNames are filled in. Documents are streamed, whatever their size.

    After a broken connection, 429 or 5xx the publication is tried again with the same
    Idempotency-Key, so that it is never published twice.

    Exit codes: 0 published; 1 refused, and trying again unchanged is of no use; 2 wrong options or
    files; 3 gave up: go on later with --idempotency-key.
    """
    key, client = _key(delivery), _client(delivery, credentials)
    message, documents = draft.compose(files)
    with _show_progress(sum(document.size for document in documents)) as watch:
        outcome = _publish(client, Body(message, documents, watch), key, delivery.on_behalf_of)
    report(outcome, key, as_json=as_json)


def _publish(
    client: "Client", body: Body, key: str, mandator: "EnterpriseNumber | None"
) -> "Outcome":
    try:
        return client.publish(body, key, mandator.digits if mandator else None)
    except Unreadable as error:
        raise click.UsageError(str(error)) from None
    except NoToken as error:
        click.echo(str(error), err=True)
        raise SystemExit(REFUSAL) from None
    except KeyboardInterrupt:
        click.echo(f"\nStopped; it may have been published. {advise_to_go_on(key)}", err=True)
        raise SystemExit(GIVE_UP) from None


def _client(delivery: Delivery, credentials: Credentials) -> "Client":
    from registry.sender.client import Client

    base = delivery.to.rstrip("/").removesuffix("/ebox/messages")
    if not base.startswith(("https://", "http://")):
        raise click.UsageError("--to must be an http or https URL.")
    return Client(
        base,
        _bearer(delivery.token, credentials),
        delivery.retries,
        delivery.pause,
        delivery.timeout,
        credentials.ca_bundle,
        lambda text: click.echo(text, err=True),
    )


def _bearer(token: str | None, credentials: Credentials) -> Callable[[], str]:
    from registry.http_client.access_token import BEARER

    # credentials win over a token that is only lying about in the environment
    if credentials.are_given:
        own_token = credentials.make_own_token()
        return lambda: get_token(own_token)
    if token == "-":  # noqa: S105 - the usual name of standard input
        token = sys.stdin.readline().strip()
    if token is None or not BEARER.fullmatch(token):
        raise click.UsageError("Give --token, or --token-url, --client-id and --key.")
    fixed_token = token
    return lambda: fixed_token


def _key(delivery: Delivery) -> str:
    if delivery.idempotency_key is None:
        return str(uuid4())
    key = delivery.idempotency_key.strip('"')
    if not _KEY.fullmatch(key):
        raise click.UsageError("--idempotency-key is 1 to 253 plain ASCII characters.")
    return key


@contextmanager
def _show_progress(size: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `size` bytes have gone; names no document."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with make_progress(*columns) as bar:
        task = bar.add_task("", total=size)
        yield lambda count: bar.update(task, completed=count)
