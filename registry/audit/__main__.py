"""`python -m registry.audit verify EXPORT [--key PUBLIC.pem]`: is it what was sealed?

The only module here that reads files. It ends with 0 if all is well, with 1 if anything is not.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from registry.audit.trail import keys
from registry.audit.trail.inspect_export import Inspection

_LONGEST: Final = 64 * 1024 * 1024  # bytes of a line: a seal of a million entries has 43 MiB


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _verify(options)
    except (OSError, keys.NoKey) as error:
        _say(f"Cannot verify: {error}")
        return 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m registry.audit", description=__doc__)
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser("verify", help="check an export of the audit trail")
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
    trusted = None
    if options.key:
        trusted = keys.keyring(keys.read_public(path.read_bytes()) for path in options.key)
    inspection, count = Inspection(trusted), 0
    with options.export.open("rb") as file:
        for finding in inspection.findings(_lines(file)):
            count += 1
            _say(f"WRONG  {finding}")
    _summarize(inspection, is_trusted=trusted is not None)
    _say(f"Result: {count} wrong." if count else "Result: all is as it was sealed and signed.")
    return 1 if count else 0


def _summarize(inspection: Inspection, *, is_trusted: bool) -> None:
    said, inside = inspection.header, inspection.contents
    if said is None:
        return
    _say(f"Period: {said.begin.isoformat()} to {said.end.isoformat()}")
    _say(f"About: {said.about or 'everybody'}")
    _say(f"Exported: {said.made_at.isoformat()}")
    _say(f"Entries: {inside.records}")
    seals = f"Seals: {inside.whole} whole, {inside.parts} in part"
    if inside.first is not None:
        seals += f", numbers {inside.first} to {inside.last} in {inside.runs} unbroken run(s)"
    _say(seals)
    for key_id, key in inspection.keys.items():
        _say(f"Key: {key_id}, SHA-256 of the raw key {keys.fingerprint(key)}")
    if not is_trusted:
        _say("No --key was given: the keys are those that the export itself brings. This shows")
        _say("that it agrees with itself, not who made it. Compare the SHA-256, or give --key.")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """One that is too long comes in pieces, none of which is JSON."""
    return iter(lambda: file.readline(_LONGEST), b"")


def _say(text: str) -> None:
    """In ASCII, on one line: some of it was written by whoever made the export."""
    sys.stdout.write("".join(c if " " <= c <= "~" else "?" for c in text) + "\n")


if __name__ == "__main__":
    sys.exit(main())
