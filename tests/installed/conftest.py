"""The distribution as others get it: built, and installed into bare environments elsewhere."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
UV = CHECKOUT / ".cache" / "uv" / "bin" / "uv"


class Environment:
    """A bare virtual environment in a folder of its own, without anything of this one."""

    def __init__(self, folder, requirement):
        self.folder = folder
        venv.create(folder / "venv", with_pip=True)
        self("pip", "install", "--quiet", "--disable-pip-version-check", requirement)

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
        return {line.partition("==")[0].lower() for line in lines}


def is_of_machine(name):
    """Variables by which this machine reaches the package index."""
    return name.lower().startswith(("pip_", "ssl_cert", "requests_ca")) or name.lower().endswith(
        "_proxy"
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel that is built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", folder],
        cwd=CHECKOUT,
        check=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def install(wheel, tmp_path_factory):
    """Gives an environment with these extras of it."""

    def make(*extras):
        folder = tmp_path_factory.mktemp("-".join(["installed", *extras]))
        named = f"[{','.join(extras)}]" if extras else ""
        return Environment(folder, f"{wheel}{named}")

    return make
