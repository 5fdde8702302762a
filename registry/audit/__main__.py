"""`python -m registry.audit verify FILE [--key PUBLIC.pem]`: is it what was sealed?

The file is an export of the trail, or a package of evidence of one letter.

Needs nothing but the standard library and `cryptography`: auditors run it on machines of their own.
The exit code is 0 if the export is right, 1 otherwise.
"""

import sys
import zipfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from registry.audit.trail import keys
from registry.audit.trail.evidence_report import inspect_evidence
from registry.audit.trail.inspect_export import Inspection

_LONGEST_LINE: Final = 64 * 1024 * 1024  # bytes: a seal of a million entries has 43 MiB


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _make_parser().parse_args(arguments)
    try:
        return _verify(options)
    except (OSError, keys.NoKey) as error:
        _print(f"Cannot verify: {error}")
        return 1


def _make_parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m registry.audit", description=__doc__)
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser("verify", help="check an export, or evidence of a letter")
    verify.add_argument("export", type=Path)
    verify.add_argument(
        "--key",
        type=Path,
        action="append",
        metavar="PUBLIC.pem",
        help="a public key to trust, instead of those in the export; may be repeated",
    )
    return parser


def _verify(options: Namespace) -> int:
    keyring = None
    if options.key:
        keyring = keys.make_keyring(
            keys.parse_public_key(path.read_bytes()) for path in options.key
        )
    if zipfile.is_zipfile(options.export):
        return _verify_evidence(options.export, keyring)
    inspection, count = Inspection(keyring), 0
    with options.export.open("rb") as file:
        for finding in inspection.check_lines(_read_lines(file)):
            count += not finding.is_known
            _print(f"{'KNOWN' if finding.is_known else 'WRONG'}  {finding}")
    _summarize(inspection, has_key=keyring is not None)
    _print(f"Result: {count} wrong." if count else "Result: all is as it was sealed and signed.")
    return 1 if count else 0


def _verify_evidence(path: Path, keyring: keys.Keys | None) -> int:
    report = inspect_evidence(path.read_bytes(), keyring)
    for finding in report.findings:
        _print(f"WRONG  {finding}")
    if not report.findings:
        _print(f"Letter: {report.message_id}")
        for line in report.story:
            events = f" ({', '.join(line.step.events)})" if line.step.events else ""
            times = "" if line.count == 1 else f" to {line.last}, {line.count} times"
            _print(f"{line.first}{times}: {line.step.title}{events}")
        _print_keys(report.keys, has_key=keyring is not None)
    count = len(report.findings)
    _print(f"Result: {count} wrong." if count else "Result: all is as it was sealed and signed.")
    return 1 if count else 0


def _summarize(inspection: Inspection, *, has_key: bool) -> None:
    header, contents = inspection.header, inspection.contents
    if header is None:
        return
    _print(f"Period: {header.begin.isoformat()} to {header.end.isoformat()}")
    _print(f"About: {header.about or 'everybody'}")
    _print(f"Exported: {header.made_at.isoformat()}")
    _print(f"Entries: {contents.entries}")
    seals = f"Seals: {contents.whole_seals} whole, {contents.partial_seals} in part"
    if contents.first_seal is not None:
        seals += f", numbers {contents.first_seal} to {contents.last_seal}"
        seals += f" in {contents.runs} unbroken run(s)"
    _print(seals)
    if not inspection.is_signed:
        _print("Nobody signed the export as a whole: each entry is proved by the signed seals, but")
        _print("seals before the first and after the last, or entries of a part, may be left out.")
    _print_keys(inspection.keys, has_key=has_key)


def _print_keys(keyring: keys.Keys, *, has_key: bool) -> None:
    for key_id, key in keyring.items():
        _print(f"Key: {key_id}, SHA-256 of the raw key {keys.compute_fingerprint(key)}")
    if not has_key:
        _print("No --key was given: the keys are those that the file itself brings. This shows")
        _print("that it agrees with itself, not who made it. Compare the SHA-256, or give --key.")


def _read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Read line by line; one that is too long comes in pieces, none of which is JSON."""
    return iter(lambda: file.readline(_LONGEST_LINE), b"")


def _print(text: str) -> None:
    """Print one line in ASCII: some of it was written by whoever made the export."""
    sys.stdout.write("".join(c if " " <= c <= "~" else "?" for c in text) + "\n")


if __name__ == "__main__":
    sys.exit(main())
