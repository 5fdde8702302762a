"""Clients made from the OpenAPI documents by the generators that integrators use."""

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENTS = {"3": "messageregistry-3.yaml", "2.1": "messageregistry-2.1.yaml"}
OPENAPI = HERE.parents[1] / "openapi"
JAVA_CLIENT = "java"  # made, not run: the libraries that it needs are in no registry reached here


class GenerationFailed(Exception):
    """A generator refused a document, or had to leave something out."""


@dataclass(frozen=True)
class Tools:
    """The generators, installed into a folder of their own."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "python" / "bin" / "python"

    def install(self) -> None:
        """Install them in the versions named beside this file, unless they are there already."""
        wanted = [HERE / "requirements.txt", HERE / "package.json"]
        stamp = self.folder / "installed"
        if stamp.exists() and stamp.read_text() == "".join(file.read_text() for file in wanted):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        venv.create(self.folder / "python", with_pip=True)
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "-r", HERE / "requirements.txt", "ruff"])
        shutil.copy(HERE / "package.json", self.folder)
        run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=self.folder)
        stamp.write_text("".join(file.read_text() for file in wanted))

    def generate(self, version: str) -> Path:
        """All clients of one version, each in a folder of its own below the one returned."""
        document, target = OPENAPI / DOCUMENTS[version], self.folder / f"clients-{version}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for generator in ("python", "typescript-fetch", JAVA_CLIENT):
            self._generate_by_openapi_generator(document, generator, target / generator)
        self._generate_by_openapi_python_client(document, target / "attrs_client")
        # A default in a request is a promise of the server, not a duty of the caller.
        node = [self._node("openapi-typescript"), document, "--default-non-nullable=false"]
        run([*node, "-o", target / "typed.d.ts"])
        return target

    def bundle(self, driver: str, clients: Path) -> Path:
        """A TypeScript driver checked against a client's types and bundled for Node."""
        source = clients / driver
        shutil.copy(HERE / driver, source)
        check = "--noEmit --strict --skipLibCheck --target es2022 --module esnext --lib es2022,dom"
        resolve = "--moduleResolution bundler --types node"
        run([self._node("tsc"), *check.split(), *resolve.split(), source], cwd=self.folder)
        bundled = source.with_suffix(".mjs")
        bundle = ["--bundle", "--platform=node", "--format=esm", "--log-level=error"]
        run([self._node("esbuild"), source, *bundle, f"--outfile={bundled}"], cwd=self.folder)
        return bundled

    def _generate_by_openapi_generator(self, document: Path, generator: str, target: Path) -> None:
        command = [self.folder / "python" / "bin" / "openapi-generator-cli", "generate"]
        output = run([*command, "-i", document, "-g", generator, "-o", target])
        complaints = [line for line in output.splitlines() if " ERROR " in line]
        if complaints:
            raise GenerationFailed(f"{generator}, {document.name}:\n" + "\n".join(complaints))

    def _generate_by_openapi_python_client(self, document: Path, target: Path) -> None:
        command = [self.folder / "python" / "bin" / "openapi-python-client", "generate"]
        output = run([*command, "--path", document, "--meta", "none", "--output-path", target])
        # The documents themselves are for people; no client needs them in YAML.
        left_out = [
            line
            for line in output.splitlines()
            if line.startswith("WARNING") and "/doc/openapi.yaml" not in line
        ]
        if left_out:
            raise GenerationFailed(f"{document.name}:\n" + "\n".join(left_out))

    def _node(self, name: str) -> Path:
        return self.folder / "node_modules" / ".bin" / name


def run(command, cwd=None) -> str:
    """Run the command and give its output; raises `GenerationFailed` with it when it ends badly."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if process.returncode:
        raise GenerationFailed(f"{command[0]} ended with {process.returncode}:\n{process.stdout}")
    return process.stdout
