"""`registry audit reconstruct`: what happened to a message, with a token, in an e-Box."""

import os
from uuid import UUID

import click

from registry.audit.investigation import Sought
from registry.audit.verification import Period
from registry.cli.asking import in_json
from registry.cli.audit import output as texts
from registry.cli.audit.options import AnyEbox, TokenHash, dated
from registry.cli.output import as_json, tabulate
from registry.cli.services import worker_services
from registry.domain.identifiers import Ebox
from registry.settings import Settings


@click.command()
@click.option("--message", type=click.UUID, help="What names this message.")
@click.option("--token-hash", type=TokenHash(), help="What was done with this token: its SHA-256.")
@click.option("--ebox", type=AnyEbox(), help="What was done in this e-Box.")
@dated("The first day; as the database dates entries.", "The last day.")
@in_json
def reconstruct(
    *,
    message: UUID | None,
    token_hash: str | None,
    ebox: Ebox | None,
    period: Period,
    is_json: bool,
) -> None:
    """Tell the story of a message, a token or an e-Box, in the order of time.

    E-Boxes are found by the keyed hashes that stand for them, also under former keys. Each entry
    says under which seal it lies. That you ask is recorded. Exit code 1 when there is nothing.
    """
    if sum(each is not None for each in (message, token_hash, ebox)) != 1:
        raise click.UsageError("Give one of --message, --token-hash and --ebox.")
    sought = Sought(message_id=message, token_hash=token_hash, ebox=ebox, period=period)
    with worker_services() as services:
        found = services.investigation.story(sought)
    if not found:
        raise click.ClickException("The trail has nothing of this.")
    if is_json:
        as_json([texts.members(each) for each in found])
        return
    settings = Settings.load(os.environ)
    bases = (settings.enterprise_base_path, settings.citizen_base_path)
    tabulate(texts.STORY, [texts.line(each, bases) for each in found])
