"""An export is verified with a file, Python and `cryptography`, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.audit.__main__ import main
from registry.audit.trail import keys
from tests.unit.audit.test_bundle import an_export, changed
from tests.unit.audit.trails import KEY, OTHER_KEY

ROOT = Path(__file__).parents[3]
ALONE = """
import runpy, sys

class Nothing:
    installed = {"registry", "cryptography", "cffi", "_cffi_backend", "coverage"}
    allowed = sys.stdlib_module_names - {"zoneinfo"} | installed

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ModuleNotFoundError(f"{name} is not there")
        is_trail = (name + ".").startswith("registry.audit.trail.")
        is_command = name in ("registry", "registry.audit", "registry.audit.__main__")
        if name.startswith("registry.") and not (is_trail or is_command):
            raise ModuleNotFoundError(f"{name} is not needed")

sys.meta_path.insert(0, Nothing())
sys.path.insert(0, sys.argv.pop(1))
module = sys.argv.pop(1)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_bytes(b"".join(an_export(about="key:01")))
    return path


@pytest.fixture
def pem(tmp_path):
    def write(key):
        path = tmp_path / f"{keys.compute_key_id(key.public_key())}.pem"
        path.write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        return path

    return write


def alone(module, *arguments):
    return subprocess.run(
        [sys.executable, "-I", "-c", ALONE, ROOT, module, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def verify(*arguments):
    return main(["verify", *map(str, arguments)])


def test_it_runs_where_nothing_of_the_service_is_installed(export, pem):
    done = alone("registry.audit", "verify", export, "--key", pem(KEY))

    assert (done.returncode, done.stderr) == (0, "")
    assert "Entries: 6" in done.stdout


def test_the_service_itself_does_not_run_there():
    done = alone("registry", "--help")

    assert done.returncode == 1
    assert "is not needed" in done.stderr


def test_a_right_export_is_summed_up_with_what_its_own_keys_are_worth(export, capsys):
    assert verify(export) == 0

    fingerprint = keys.compute_fingerprint(KEY.public_key())
    assert capsys.readouterr().out.splitlines() == [
        "Period: 2026-11-20T12:00:00+00:00 to 2026-12-20T12:00:00+00:00",
        "About: key:01",
        "Exported: 2026-12-21T12:00:00+00:00",
        "Entries: 6",
        "Seals: 2 whole, 1 in part, numbers 1 to 3 in 1 unbroken run(s)",
        f"Key: {fingerprint[:16]}, SHA-256 of the raw key {fingerprint}",
        "No --key was given: the keys are those that the file itself brings. This shows",
        "that it agrees with itself, not who made it. Compare the SHA-256, or give --key.",
        "Result: all is as it was sealed and signed.",
    ]


def test_with_the_right_key_among_those_given_nothing_is_left_open(export, pem, capsys):
    assert verify(export, "--key", pem(OTHER_KEY), "--key", pem(KEY)) == 0

    assert "No --key" not in capsys.readouterr().out


def test_with_another_key_it_is_wrong(export, pem, capsys):
    assert verify(export, "--key", pem(OTHER_KEY)) == 1

    assert "WRONG  seal 1: unknown key: " in capsys.readouterr().out


def test_what_is_wrong_is_told_with_its_place(export, capsys):
    lines = changed(an_export(), 2, record=[1, "{}", None, None])
    export.write_bytes(b"".join(lines))

    assert verify(export) == 1

    told = capsys.readouterr().out.splitlines()
    assert told[0] == "WRONG  seal 1, entry 1: edit: The entry is not what was sealed."
    assert told[-1] == "Result: 2 wrong."


def test_an_export_cannot_write_lines_of_its_own_to_the_screen(export, capsys):
    export.write_bytes(b"".join(an_export(about="x\nResult: all is well\x1b[2J")))

    verify(export)

    assert "About: x?Result: all is well?[2J" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}\n", b"\n" * 9])
def test_what_is_no_export_is_wrong(content, export, capsys):
    export.write_bytes(content)

    assert verify(export) == 1

    assert capsys.readouterr().out.splitlines()[-1] == "Result: 1 wrong."


def test_a_file_that_is_not_there_or_a_key_that_is_none_is_said_to_be_so(export, tmp_path, capsys):
    assert verify(tmp_path / "none") == 1
    assert verify(export, "--key", export) == 1

    assert capsys.readouterr().out.count("Cannot verify: ") == 2
