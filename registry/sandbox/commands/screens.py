"""Tables that the sandbox prints on a terminal."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from registry.sandbox import ownership
from registry.sandbox.layout import Document, Layout
from registry.sandbox.personas import PERSONAS
from registry.sandbox.servers.processes import answers
from registry.terminal.screen import make_console


def show_places(layout: Layout, document: Document) -> None:
    """Print where everything is, and who may be played."""
    places = Table("what", "where", title="The sandbox")
    places.add_row("portal", document["portalUrl"])
    for kind, versions in document["baseUrls"].items():
        for version, url in versions.items():
            places.add_row(f"{kind} {version}", url)
    places.add_row("tokens", document["tokenUrl"])
    places.add_row("introspection", document["introspectUrl"])
    places.add_row("database", document["databaseUrl"])
    places.add_row("S3", f"{document['s3']['endpoint']}/{document['s3']['bucket']}")
    places.add_row("all of this", _near(layout.document))
    places.add_row("logs", _near(layout.logs))
    parties = Table("persona", "who", "number", title="registry sandbox token PERSONA")
    for name, identity in document["personas"].items():
        numbers = (identity.get("enterpriseNumber"), identity.get("ssin"))
        parties.add_row(name, PERSONAS[name].about, " ".join(filter(None, numbers)))
    console = make_console()
    console.print(places)
    console.print(parties)


def show_status(layout: Layout, document: Document) -> bool:
    """Print each process and the registry's health; whether all of it is as it should be."""
    table = Table("part", "pid", "state")
    well = True
    for name, pid in document["processes"].items():
        alive = ownership.is_ours(name, pid, layout)
        well &= alive
        table.add_row(name, str(pid), "running" if alive else Text("gone", "red"))
    healthy = answers(document["baseUrls"]["enterprise"]["v3"] + "/health")
    table.add_row("health", "", "UP" if healthy else Text("DOWN", "red"))
    make_console().print(table)
    return well and healthy


def _near(path: Path) -> str:
    """The path as somebody in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
