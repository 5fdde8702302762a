"""`python -m tests.ha`: deploy/ha on this machine, a fault after the other, and what became of it.

Ends with 1 when something acknowledged is lost, an outage lasts too long, or an old primary takes
or serves anything.
Needs root, and Debian's patroni, etcd-server, haproxy, postgresql and iproute2. Its folder and its
namespaces are its own, so that several may run at once.

Example: python -m tests.ha --way haproxy --only "cut off" --keep
"""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from registry.sandbox.drill.report_page import ReportPage
from registry.sandbox.servers.processes import StartFailed
from tests.ha.clients import Clients
from tests.ha.episodes import Episode, run_episode
from tests.ha.faults import FAULTS, Fault
from tests.ha.installation import Installation
from tests.ha.ledger import Ledger
from tests.ha.machines import DATA
from tests.ha.report import TITLE, write_section

_PROGRAMS: Final = ("ip", "patroni", "etcd", "haproxy", "psql", "setpriv")
_THROUGH_HAPROXY: Final = "PostgreSQL through HAProxy"
_BY_NAMES: Final = "PostgreSQL by the names of its hosts"


@click.command(help=__doc__)
@click.option("--only", multiple=True, metavar="TEXT", help="Faults with this in their name alone.")
@click.option(
    "--way",
    type=click.Choice(["haproxy", "names", "both"]),
    default="both",
    show_default=True,
    help="How the registries find PostgreSQL.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write the section here too.")
@click.option("--keep", is_flag=True, help="Keep the folder with all logs.")
def main(*, only: tuple[str, ...], way: str, report: Path | None, keep: bool) -> None:
    """Run every fault, print the section, and say with the status if all of it holds."""
    started = time.monotonic()
    if absent := [name for name in _PROGRAMS if not shutil.which(name, path=_path())]:
        raise SystemExit(f"Not installed: {', '.join(absent)}.")
    if report:
        ReportPage(report).require_section(TITLE)
    faults = [fault for fault in FAULTS if not only or any(text in fault.name for text in only)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as Ctrl-C: nothing is left behind
    # Not in /tmp, which some hosts have of their own; and open to the user that runs PostgreSQL.
    area = Path(tempfile.mkdtemp(prefix="registry-ha-", dir="/var/tmp"))
    area.chmod(0o755)
    try:
        episodes = _run(area, faults, way)
    except StartFailed as error:
        raise SystemExit(str(error)) from None
    finally:
        if keep:
            click.echo(f"The logs are in {area}.")
        else:
            shutil.rmtree(area, ignore_errors=True)
    text = write_section(episodes)
    click.echo(text)
    click.echo(f"{time.monotonic() - started:.0f} s in all")
    if report:
        ReportPage(report).replace_section(TITLE, text, command="make failover")
    sys.exit(any(episode.faults for several in episodes.values() for episode in several))


def _path() -> str:
    return ":".join(str(folder) for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"))


def _run(area: Path, faults: Sequence[Fault], way: str) -> Mapping[str, Sequence[Episode]]:
    episodes = {}
    with Installation(area) as installation:
        click.echo("All clusters are whole.")
        names = ",".join(f"{name}:5432" for name in DATA)
        settings = installation.database_settings(names, "?target_session_attrs=read-write")
        if way != "names":
            episodes[_THROUGH_HAPROXY] = _run_way(installation, faults, _THROUGH_HAPROXY, {})
        if way != "haproxy":
            fewer = [fault for fault in faults if fault.is_tried_by_names]
            episodes[_BY_NAMES] = _run_way(installation, fewer, _BY_NAMES, settings)
    return episodes


def _run_way(
    installation: Installation, faults: Sequence[Fault], title: str, options: Mapping[str, str]
) -> list[Episode]:
    click.echo(f"{title}:")
    installation.start_registries(options)
    episodes, ledger = [], Ledger()
    with Clients(installation, ledger):
        for fault in faults:
            episode = run_episode(installation, ledger, fault, click.echo)
            episodes.append(episode)
            click.echo(
                f"  readers {episode.read_outage:.1f} s, senders {episode.publish_outage:.1f} s, "
                f"{episode.account.acknowledged} acknowledged, {len(episode.account.lost)} lost"
            )
            for text in episode.faults:
                click.echo(f"  does not hold: {text}")
    return episodes


if __name__ == "__main__":
    main()
