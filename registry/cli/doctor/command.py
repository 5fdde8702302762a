"""`registry doctor`."""

import io
import json
import os
import tarfile
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from registry.diagnosis.bundle_mask import SecretMask

_LINES: Final = 500  # of a log, the last ones
_FOLDER: Final = "registry-doctor"


@click.command()
@click.option(
    "--to",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.tar.gz",
    required=True,
    help="Where the bundle is written; no file is written over.",
)
@click.option(
    "--log",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with our log, of whose last lines figures and our own words are taken over.",
)
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 600),
    help="How long all that is looked at has, in each of two stages; else 30.",
)
def doctor(*, path: Path, log: Path | None, patience: float | None) -> None:
    """Gather what whoever helps you needs to know, without persons or secrets.

    Versions, settings by name with secrets masked, the report of `registry preflight`, the shape of
    the database, sizes of tables, depths of queues, figures of this machine, and with --log an
    excerpt of our log. It works when nothing else does: what cannot be asked is left out. Look into
    it before you send it.

    Example: registry doctor --to doctor.tar.gz --log /var/log/ebox-registry.log
    """
    if path.exists():
        raise click.ClickException(f"{path} is there already, and is not written over.")
    from registry.diagnosis.bundle_mask import SecretMask
    from registry.settings import Settings
    from registry.settings.examination import examine_settings

    settings = examine_settings(Settings, os.environ).settings
    contents = _gather(settings, patience)
    if log:
        contents["log.json"] = _read_log(log)
    _write_bundle(path, contents, SecretMask(settings))
    click.echo(f"{path} has {', '.join(contents)}. Look into it before you send it.")


def _gather(settings: Any, patience: float | None) -> dict[str, Any]:
    from registry.cli.preflight.command import make_report_members
    from registry.cli.progress import show_checks
    from registry.diagnosis.bundle_mask import describe_settings
    from registry.diagnosis.preflight.report import PATIENCE, PreflightWish, report_preflight
    from registry.diagnosis.support_bundle import (
        describe_database,
        describe_program,
        describe_system,
    )

    wish = PreflightWish(patience=PATIENCE if patience is None else patience)
    with show_checks() as progress:
        report = report_preflight(os.environ, wish, progress)
    return {
        "program.json": describe_program(),
        "settings.json": describe_settings(settings),
        "preflight.json": make_report_members(report),
        "database.json": describe_database(settings),
        "system.json": describe_system(),
    }


def _read_log(path: Path) -> list[dict[str, Any]]:
    from registry.diagnosis.bundle_mask import excerpt_log

    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return list(excerpt_log(deque(file, _LINES)))
    except OSError as error:
        reason = (error.strerror or "it fails").lower()
        raise click.ClickException(f"{path} cannot be read: {reason}.") from None


def _write_bundle(path: Path, contents: Mapping[str, Any], mask: "SecretMask") -> None:
    """Write the bundle whole, or not at all, for its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz") as bundle,
        ):
            for name, value in contents.items():
                text = json.dumps(mask.mask(value), ensure_ascii=False, indent=2)
                _add(bundle, name, text.encode())
        os.link(draft, path)  # never over a file that somebody has put there meanwhile
    except OSError as error:
        reason = (error.strerror or "it fails").lower()
        raise click.ClickException(f"{path} cannot be written: {reason}.") from None
    finally:
        draft.unlink(missing_ok=True)


def _add(bundle: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(f"{_FOLDER}/{name}")
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    bundle.addfile(member, io.BytesIO(content))
