"""A file of reference data to begin with, and commands to type about it."""

import struct
import zlib
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from registry.cli import registry

GOOD = """\
organizations:
  "0308357159":
    shortName: {nl: FOD, fr: SPF, de: FÖD}
    url: https://sandbox.example/nl
    logos:
      logo: {file: logos/square.png, language: nl}
    sends:
      app: [letter]
applications:
  app:
    name: App
messageTypes:
  letter:
    name: {nl: Brief, fr: Lettre, de: Schreiben}
    description: Lang
    validity: 90 days
templates:
  reminder:
    messageType: letter
    name: Reminder
    body: Text
"""


def a_png(side=48, colour=b"\x10\x20\x30"):
    rows = (b"\0" + colour * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.fixture
def file(tmp_path):
    """The file in a folder with its logo; `file.write_text(…)` makes it another."""
    (tmp_path / "logos").mkdir()
    (tmp_path / "logos" / "square.png").write_bytes(a_png())
    path = tmp_path / "reference.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def refdata():
    """Type `registry refdata …`; gives exit code and what was said."""

    def typed(*command, env=None):
        # Wide, as where nobody looks at a terminal.
        done = CliRunner().invoke(
            registry, ["refdata", *map(str, command)], env={"COLUMNS": None, **(env or {})}
        )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return typed
