"""`make clients`: generate clients from both documents and drive them against a sandbox."""

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from registry.sandbox.servers.processes import free_port
from tests.clients.generators import DOCUMENTS, HERE, GenerationFailed, Tools, run

FOLDER = HERE.parents[1] / ".cache" / "clients"
WIRE_VERSIONS = {"3": "v3", "2.1": "v2"}
REGISTRY = [sys.executable, "-m", "registry"]


def main() -> int:
    tools = Tools(FOLDER)
    print("Installing the generators", flush=True)
    tools.install()
    try:
        clients = {}
        for version in DOCUMENTS:
            print(f"Generating clients of version {version}", flush=True)
            clients[version] = tools.generate(version)
        with (
            tempfile.TemporaryDirectory(prefix="registry-clients-") as folder,
            sandbox(Path(folder)) as (bases, tokens),
        ):
            for version, generated in clients.items():
                for name, command in drivers(tools, generated, version):
                    run([*command, bases[version], *tokens])
                    print(f"version {version}: {name} did everything", flush=True)
    except GenerationFailed as error:
        print(error, file=sys.stderr)
        return 1
    print("version 3 and 2.1: java was generated, and is not run: its libraries cannot be had here")
    return 0


def drivers(tools, generated, version):
    """Each client with the command that drives it; base URL and tokens are still to be added."""
    suffix = WIRE_VERSIONS[version]
    yield "openapi-generator python", [tools.python, HERE / f"python_{suffix}.py", generated]
    yield "openapi-python-client", [tools.python, HERE / f"attrs_{suffix}.py", generated]
    for name, kind in {
        "openapi-generator typescript-fetch": "fetch",
        "openapi-typescript": "typed",
    }.items():
        yield name, ["node", tools.bundle(f"{kind}_{suffix}.ts", generated)]


@contextmanager
def sandbox(folder):
    """The base URL of each version, and tokens of a consumer and a sender, of a fresh sandbox."""
    where = ["--dir", folder / "sandbox"]
    run([*REGISTRY, "sandbox", "up", *where, "--port", free_port(), "--detach"])
    try:
        document = json.loads((folder / "sandbox" / "sandbox.json").read_text())
        urls = document["baseUrls"]["enterprise"]
        tokens = [
            run([*REGISTRY, "sandbox", "token", persona, *where]).strip()
            for persona in ("enterprise-consumer", "sender")
        ]
        yield {version: urls[name] for version, name in WIRE_VERSIONS.items()}, tokens
    finally:
        subprocess.run([str(part) for part in [*REGISTRY, "sandbox", "down", *where]], check=False)


if __name__ == "__main__":
    sys.exit(main())
