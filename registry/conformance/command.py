"""`registry conformance`: for whoever runs, buys or certifies a registry."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from registry.conformance.callers.callers import Callers
    from registry.conformance.load.figures import LoadWish
    from registry.conformance.requirement import Requirement
    from registry.conformance.run.ruling import ConformanceReport
    from registry.conformance.run.session import RunWish

_NO_REGISTRY = 3
_FILE = click.Path(dir_okay=False, path_type=Path)
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LIBRARIES = ("authlib", "joserfc", "jsonschema_rs", "requests", "rich", "yaml")


@click.command()
@click.argument("base_url", required=False)
@click.option(
    "--profile",
    type=click.Choice(("production", "acceptance", "scenarios", "load")),
    default="production",
    show_default=True,
    help="production reads only, acceptance publishes and changes, scenarios are the federation's"
    " on prepared data, load is the portal's.",
)
@click.option("--callers", type=_READABLE, metavar="FILE", help="The callers, as TOML.")
@click.option("--token", metavar="TOKEN", help="Of the reader, where there is no FILE; - reads it.")
@click.option("--token-url", metavar="URL", help="Where the reader gets its token.")
@click.option("--client-id", metavar="ID", help="The reader's, as registered there.")
@click.option("--key", type=_READABLE, help="The reader's private key, as PEM.")
@click.option("--algorithm", default="RS256", show_default=True, help="How the reader signs.")
@click.option("--origin", metavar="URL", help="A page of the portal that may call, for CORS.")
@click.option("--may-read", is_flag=True, help="Documents of unread messages may be opened.")
@click.option("--version", type=click.Choice(("v2", "v3")), help="Where the URL does not say it.")
@click.option(
    "--ebox",
    "family",
    type=click.Choice(("enterprise", "citizen")),
    help="Whose e-Boxes these are, where the URL does not say it.",
)
@click.option("--only", multiple=True, metavar="ID", help="Check these alone; * is a group.")
@click.option("--list", "is_list", is_flag=True, help="List what would be checked, and end.")
@click.option("--prepare", is_flag=True, help="List what scenarios need prepared, and end.")
@click.option(
    "--visitors",
    type=click.IntRange(1, 500),
    default=4,
    show_default=True,
    help="People at the portal at once, for the profile load.",
)
@click.option(
    "--load-time",
    type=click.FloatRange(1, 3600),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long they come.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="KIND=SECONDS",
    help="Of the 95th percentile of list, detail, document or reference.",
)
@click.option("--explain", metavar="ID", help="Explain a requirement, and end.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one page.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write the report for CI.")
@click.option("--json", "json_file", type=_FILE, metavar="FILE", help="Write it for programs.")
@click.option("--ca-bundle", type=_READABLE, help="Authorities to trust, as PEM.")
@click.option(
    "--patience",
    type=click.FloatRange(0.2, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one answer has.",
)
@click.option(
    "--time",
    "seconds",
    type=click.FloatRange(1, 86_400),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the whole run has.",
)
def conformance(base_url: str | None, explain: str | None, **wishes: Any) -> None:
    """Test any MessageRegistry by its URL, and report what it does otherwise than required.

    BASE_URL ends with the version, such as …/messageRegistry/v3. What needs a caller or data that
    are not there is said to be not testable. Tokens, numbers, subjects and file names are masked
    wherever they would be shown.

    Exit codes: 0 all is met; 1 something is not that must be; 2 wrong options; 3 no registry
    answers there; 4 something is not met that should be.

    Example: registry conformance https://ebox-acc.provider.example/messageRegistry/v3
    --callers callers.toml --html report.html
    """
    _check_libraries()
    if explain is not None:
        _explain(explain)
        return
    if wishes["prepare"]:
        _print_preparations()
        return
    if base_url is None:
        raise click.UsageError("Give the BASE_URL of a registry, or --explain.")
    wish, requirements = _make_wish(base_url, wishes)
    if wishes["is_list"]:
        from registry.conformance.report.table import print_requirements

        print_requirements(requirements)
        return
    report = _conduct(wish, requirements)
    _write_files(report, wishes)
    sys.exit(report.exit_code)


def _check_libraries() -> None:
    """End with one sentence unless the extra is installed; imports nothing."""
    from importlib.util import find_spec

    if missing := [name for name in _LIBRARIES if find_spec(name) is None]:
        raise click.UsageError(
            f"{missing[0]} is not installed. Install ebox-message-registry[conformance]."
        )


def _explain(id_: str) -> None:
    from registry.conformance.catalogue import find_requirement
    from registry.conformance.report.table import print_explanation

    requirement = find_requirement(id_)
    if requirement is None:
        raise click.UsageError(f"There is no requirement {id_}; see --list.")
    print_explanation(requirement)


def _print_preparations() -> None:
    from registry.conformance.catalogue import list_requirements
    from registry.conformance.requirement import Profile

    for requirement in list_requirements():
        if Profile.SCENARIOS in requirement.profiles and requirement.explanation:
            click.echo(f"{requirement.id}: {requirement.explanation}")


def _read_load(wishes: dict[str, Any]) -> "LoadWish":
    from registry.conformance.load.figures import DEFAULT_LIMITS, CallKind, LoadWish

    limits = dict(DEFAULT_LIMITS)
    for text in wishes["limits"]:
        kind, _, seconds = text.partition("=")
        try:
            limits[CallKind(kind)] = float(seconds)
        except ValueError:
            raise click.UsageError(
                f"--limit {text}: give list, detail, document or reference, = and seconds."
            ) from None
    return LoadWish(visitors=wishes["visitors"], seconds=wishes["load_time"], limits=limits)


def _make_wish(base_url: str, wishes: dict[str, Any]) -> "tuple[RunWish, tuple[Requirement, ...]]":
    from registry.conformance.catalogue import choose_requirements
    from registry.conformance.requirement import Profile
    from registry.conformance.run.session import RunWish
    from registry.conformance.target import NoTarget, make_target

    try:
        target = make_target(base_url, wishes["version"], wishes["family"])
    except NoTarget as error:
        raise click.UsageError(str(error)) from None
    profile = Profile(wishes["profile"])
    requirements = choose_requirements(profile, target, wishes["only"])
    if not requirements:
        raise click.UsageError(f"Profile {profile} has no such requirement here; see --list.")
    wish = RunWish(
        target=target,
        profile=profile,
        callers=_read_callers(wishes),
        patience=wishes["patience"],
        time=wishes["seconds"],
        origin=wishes["origin"],
        may_read=wishes["may_read"],
        ca_bundle=wishes["ca_bundle"],
        load=_read_load(wishes),
    )
    return wish, requirements


def _read_callers(wishes: dict[str, Any]) -> "Callers":
    from registry.conformance.callers.callers import Callers
    from registry.conformance.callers.callers_file import (
        CallersUnusable,
        make_party,
        read_callers,
    )
    from registry.conformance.requirement import Role

    token = wishes["token"]
    if token == "-":  # noqa: S105 - the usual name of standard input
        token = sys.stdin.readline().strip()
    names = ("token_url", "client_id", "algorithm")
    facts = {name: wishes[name] for name in names if wishes[name]}
    if wishes["key"]:
        facts["key"] = str(wishes["key"].absolute())
    if token:
        facts = {"token": token}
    try:
        if wishes["callers"]:
            return read_callers(wishes["callers"], wishes["ca_bundle"])
        if set(facts) <= {"algorithm"}:
            return Callers({})
        folder = Path.cwd()
        return Callers(
            {Role.CONSUMER: make_party(Role.CONSUMER, facts, folder, wishes["ca_bundle"])}
        )
    except CallersUnusable as error:
        raise click.UsageError(str(error)) from None


def _conduct(wish: "RunWish", requirements: "tuple[Requirement, ...]") -> "ConformanceReport":
    from registry.conformance.report.table import print_report, show_progress
    from registry.conformance.run.contact import NoRegistry
    from registry.conformance.run.session import conduct_run

    try:
        with show_progress(len(requirements)) as watch:
            report = conduct_run(wish, requirements, watch)
    except NoRegistry as error:
        click.echo(str(error), err=True)
        sys.exit(_NO_REGISTRY)
    print_report(report)
    return report


def _write_files(report: "ConformanceReport", wishes: dict[str, Any]) -> None:
    """Write each report that is wished for, whole or not at all."""
    from registry.conformance.report.files import write_whole
    from registry.conformance.report.html_report import write_page
    from registry.conformance.report.json_report import write_json
    from registry.conformance.report.junit import write_junit

    writers = {"html": write_page, "junit": write_junit, "json_file": write_json}
    for name, write in writers.items():
        if path := wishes[name]:
            try:
                write_whole(path, write(report))
            except OSError as error:
                reason = (error.strerror or "it fails").lower()
                raise click.ClickException(f"{path} cannot be written: {reason}.") from None
