"""The distribution as others get it: built, and installed into bare environments elsewhere."""

import os
import subprocess
import venv
from pathlib import Path

import pytest

from registry.release.artifacts import make_artifacts

CHECKOUT = Path(__file__).parents[2]


class Environment:
    """A bare virtual environment in a folder of its own, without anything of this one."""

    def __init__(self, folder):
        self.folder = folder
        venv.create(folder / "venv", with_pip=True)

    def install(self, *words):
        self("pip", "install", "--quiet", "--disable-pip-version-check", *map(str, words))

    def program(self, name):
        return self.folder / "venv" / "bin" / name

    def run(self, *command, **variables):
        """Run one of its programs; gives what became of it."""
        inherited = {name: text for name, text in os.environ.items() if is_of_machine(name)}
        return subprocess.run(
            [self.program(command[0]), *command[1:]],
            env={**inherited, "PATH": "/usr/bin:/bin", "HOME": str(self.folder), **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, *command, **variables):
        """Run it, and give what it says; it must not fail."""
        done = self.run(*command, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def list_packages(self):
        lines = self("pip", "list", "--format=freeze").splitlines()
        return {line.partition("==")[0].lower().replace("_", "-") for line in lines}


def is_of_machine(name):
    """Variables by which this machine reaches the package index."""
    return name.lower().startswith(("pip_", "ssl_cert", "requests_ca")) or name.lower().endswith(
        "_proxy"
    )


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    """The folder of a release that is made of this checkout, with nothing written down of it."""
    folder = tmp_path_factory.mktemp("release") / "dist"
    make_artifacts(CHECKOUT, folder, 1_795_000_000)
    return folder


@pytest.fixture(scope="session")
def install(release, tmp_path_factory):
    """Gives an environment with these extras of the wheel."""
    (wheel,) = release.glob("*.whl")

    def make(*extras):
        environment = Environment(tmp_path_factory.mktemp("-".join(["installed", *extras])))
        environment.install(f"{wheel}[{','.join(extras)}]" if extras else wheel)
        return environment

    return make
