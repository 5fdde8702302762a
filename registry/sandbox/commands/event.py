"""`registry sandbox event`: a button for what the federation tells by its webhook."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from uuid import uuid4

import click

from registry.sandbox.commands import options
from registry.sandbox.federation.changes import FAMILY, KINDS, Change, CloudEvent, Rule
from registry.terminal.numbers import EnterpriseNumberType, SsinType

if TYPE_CHECKING:
    from requests import Response

    from registry.sandbox.layout import Document, Layout

_CRITERIA: Final = ("messageTypeId", "senderApplicationId", "senderOrganizationId")
_MEMBERS: Final = frozenset({"routingRuleId", "partition", *_CRITERIA})
_PARTITIONS: Final = frozenset(kind for kind in KINDS if kind.startswith("partition"))
_TIMEOUT: Final = 10  # seconds


def _type(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if text in KINDS:
        return FAMILY + text
    if text.count(".") < 2:  # a short name that nobody knows
        raise click.BadParameter(f"Give one of {', '.join(KINDS)}, or a full type.")
    return text


def _rule(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> Any:
    return _check_rules([dict(_pair(pair) for pair in text.split(",")) for text in texts])


def _file(_context: click.Context, _parameter: click.Parameter, file: IO[str] | None) -> Any:
    if file is None:
        return None
    try:
        return _check_rules(json.load(file))
    except ValueError:
        raise click.BadParameter("This is not JSON.") from None


@click.command()
@options.directory
@click.argument("type", callback=_type)
@click.option(
    "--enterprise", required=True, type=EnterpriseNumberType(), help="Whose e-Box changes."
)
@click.option("--partition", "partitions", multiple=True, help="An event for each; repeatable.")
@click.option("--ssin", "person", type=SsinType(), help="Whose right it is.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    callback=_rule,
    help="messageTypeId=…,partition=…; repeatable, highest priority first.",
)
@click.option(
    "--rules",
    "file",
    type=click.File(),
    callback=_file,
    help="The same as a JSON list; - is stdin.",
)
@click.option("--time", help="When it happened; now by default. Sent as it is.")
@click.option("--id", "event_id", help="A fresh UUID by default.")
@click.option(
    "--source",
    default="urn:be:eboxenterprise:partition",
    show_default=True,
    help="Who tells of it; with the id it makes an event unique.",
)
@click.option("--binary", is_flag=True, help="Attributes in headers, data alone in the body.")
def event(directory: Path, type: str, **wishes: Any) -> None:  # noqa: A002 - the argument's name
    """Change something in the federation, and tell the registry of it as a CloudEvent.

    TYPE is routingRule.created, .updated or .deleted, partition.created or .deleted,
    partitionUserRight.created or .deleted, or any full type, which changes nothing. --rule or
    --rules give all rules that the e-Box has afterwards; without them the present ones are told
    again, and none is left when one is deleted. Exit code 1 unless the registry takes it.

    Example: registry sandbox event routingRule.updated --enterprise 0999910048
    --rule messageTypeId=summons,partition=partitionB
    """
    if wishes["rules"] and wishes["file"] is not None:
        raise click.UsageError("Give --rule or --rules, not both.")
    if type.removeprefix(FAMILY) in _PARTITIONS and not wishes["partitions"]:
        raise click.UsageError("Give the --partition that it is about.")
    layout, document = options.running(directory)
    changes = list(_changes(type, wishes))
    if len(changes) > 1 and wishes["event_id"]:
        raise click.UsageError("Several partitions are several events, which cannot share an --id.")
    deliveries = [_tell(layout, document, change, wishes) for change in changes]
    if not all(deliveries):
        sys.exit(1)


def _changes(type_: str, wishes: dict[str, Any]) -> Iterator[Change]:
    rules = wishes["file"] if wishes["file"] is not None else wishes["rules"] or None
    for partition in wishes["partitions"] or (None,):
        yield Change(
            type=type_,
            enterprise=wishes["enterprise"].digits,
            partition=partition,
            person=wishes["person"].digits if wishes["person"] else None,
            rules=rules,
        )


def _tell(layout: "Layout", document: "Document", change: Change, wishes: dict[str, Any]) -> bool:
    """Make the change and send the event; True when the registry took it."""
    import requests

    from registry.sandbox import tokens
    from registry.sandbox.personas import PERSONAS

    event = CloudEvent(
        id=wishes["event_id"] or str(uuid4()),
        source=wishes["source"],
        type=change.type,
        time=wishes["time"] or datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        data=change.make(layout.federation / "partitions.json"),
    )
    headers, body = event.render_binary() if wishes["binary"] else event.render_structured()
    url = document["baseUrls"]["enterprise"]["v3"] + "/eventNotifications"
    try:
        token = tokens.fetch(document["tokenUrl"], PERSONAS["portal"], layout.keys)
        with requests.Session() as session:
            session.trust_env = False  # it is on loopback, whatever proxy is set
            headers["Authorization"] = f"Bearer {token}"
            answer = session.post(url, body, headers=headers, timeout=_TIMEOUT)
    except tokens.TokenRefused as error:
        raise click.ClickException(f"The authorization server gave no token: {error}") from None
    except requests.RequestException as error:
        raise click.ClickException(f"The registry did not answer: {error}") from None
    click.echo(f"{event.type} {event.id}: {answer.status_code} {answer.reason}{_why(answer)}")
    return answer.ok


def _why(answer: "Response") -> str:
    """Give the detail of a refusal, ready to be printed behind its status."""
    if answer.status_code in (404, 405):
        return "; this registry serves no webhook"
    try:
        detail = answer.json()["detail"]
    except (ValueError, LookupError, TypeError):
        return ""
    return f"; {detail}"


def _pair(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name.strip(), int(value) if name == "routingRuleId" and value.isdigit() else value


def _check_rules(rules: Any) -> list[Rule]:
    """Rules as the Partition API knows them: a partition, and members that there are."""
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise click.BadParameter("Rules are a list of objects.")
    for rule in rules:
        if not rule.get("partition") or not rule.keys() <= _MEMBERS:
            names = ", ".join(_CRITERIA)
            raise click.BadParameter(f"A rule has a partition and any of {names}, routingRuleId.")
        if not isinstance(rule.get("routingRuleId", 1), int):
            raise click.BadParameter("A routingRuleId is a whole number.")
    return rules
