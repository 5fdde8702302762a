"""`registry storage create` and `check`."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from registry.cli.options import in_json
from registry.cli.services import errors_in_one_line, load_settings

if TYPE_CHECKING:
    from registry.blobs.bucket_findings import BucketFinding
    from registry.wiring.buckets import BucketAccess, Store

_UNFIT: Final = 1  # exit code

of_store = click.option(
    "--only",
    "only",
    type=click.Choice(("documents", "seals")),
    help="This store alone; else both.",
)


@click.command()
@of_store
@in_json
def create(*, only: "Store | None", is_json: bool) -> None:
    """Make the buckets, and give them what they must have.

    Versioning; Object Lock for seals, and for documents where REGISTRY_S3_OBJECT_LOCK asks for it;
    encryption by default; an end to unfinished uploads after two days; no CORS, no public access.
    Nothing that is stored is touched, and a second call changes nothing. What the store does not
    offer is a warning. Needs the settings of the store, with a key that may make buckets; the
    service's own needs less.

    Example: registry storage create
    """
    findings: list[BucketFinding] = []
    for bucket in _open_buckets(only):
        with _errors_of_store(bucket):
            findings += bucket.look_after(may_change=True).run()
    _conclude(findings, is_json=is_json)


@click.command()
@of_store
@in_json
def check(*, only: "Store | None", is_json: bool) -> None:
    """Say whether the buckets are as they must be, and which rights the key lacks.

    Each call that the service makes is made on small objects below storage-check/, with the key of
    the settings, and they are removed. Under Object Lock that takes ten seconds, the shortest
    retention; where the key may not delete, as it should not among seals, they stay. Exit code 1
    when something is missing.

    Example: registry storage check --only documents
    """
    from registry.blobs.bucket_findings import BucketOutcome

    findings: list[BucketFinding] = []
    for bucket in _open_buckets(only):
        with _errors_of_store(bucket):
            care = list(bucket.look_after(may_change=False).run())
            findings += care
            if care[0].outcome is not BucketOutcome.MISSING:
                findings += _try_rights(bucket)
    _conclude(findings, is_json=is_json)


def _try_rights(bucket: "BucketAccess") -> Iterator["BucketFinding"]:
    """Try the rights, and remove what was put there, whatever happens meanwhile."""
    rights = bucket.try_rights(_wait)
    try:
        yield from rights.run()
    except BaseException:
        for _ in rights.clean(is_hasty=True):
            pass
        raise
    yield from rights.clean()


def _wait(seconds: float) -> None:
    click.echo(f"Waiting for {seconds:.0f} s, until an object under a lock can go …", err=True)
    time.sleep(seconds)


def _open_buckets(only: "Store | None") -> Sequence["BucketAccess"]:
    """Give the buckets, once all settings are seen to be there."""
    stores: tuple[Store, ...] = (only,) if only else ("documents", "seals")
    settings = load_settings(*stores)  # parts have their names
    from registry.wiring.buckets import open_bucket

    return [open_bucket(settings, store) for store in stores]


@contextmanager
def _errors_of_store(bucket: "BucketAccess") -> Iterator[None]:
    """Turn what is no finding into one line and exit code 1."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    from registry.blobs.bucket_findings import get_code

    name = bucket.plan.name
    try:
        with errors_in_one_line():
            yield
    except ClientError as error:
        raise click.ClickException(
            f"{name}: the store refuses this key: {get_code(error)}."
        ) from None
    except (BotoCoreError, HTTPError) as error:
        reason = str(error).splitlines()[0]
        raise click.ClickException(f"{name}: the store does not answer: {reason}") from None


def _conclude(findings: Sequence["BucketFinding"], *, is_json: bool) -> None:
    from registry.blobs.bucket_findings import BucketOutcome
    from registry.cli.storage.output import print_findings

    print_findings(findings, is_json=is_json)
    if any(finding.outcome is BucketOutcome.MISSING for finding in findings):
        sys.exit(_UNFIT)
