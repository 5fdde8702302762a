"""`registry audit`: verification of the trail, searches in it, exports, and its resumption."""

from typing import Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_ROOM: Final = "registry.cli.audit"
_COMMANDS: Final = {
    "check-evidence": LazyCommand(
        f"{_ROOM}.evidence:check_evidence",
        "Check a package of evidence without a network, and tell the letter's story.",
    ),
    "evidence": LazyCommand(
        f"{_ROOM}.evidence:evidence",
        "Take the evidence of one letter out of the trail, with proofs.",
    ),
    "export": LazyCommand(
        f"{_ROOM}.export:export",
        "Write the entries of months to a signed file, each with the proof that it was sealed.",
    ),
    "public-key": LazyCommand(
        f"{_ROOM}.public_key:print_public_key",
        "Print the public key with which auditors verify, and its fingerprints.",
    ),
    "reconstruct": LazyCommand(
        f"{_ROOM}.reconstruct:reconstruct",
        "List what happened to a message, with a token or in an e-Box, in the order of time.",
    ),
    "resume": LazyCommand(
        f"{_ROOM}.resume:resume",
        "Have sealing go on from an older database, beside the bucket as it is.",
    ),
    "verify": LazyCommand(
        f"{_ROOM}.verify:verify",
        "Compare every entry with its seal, and the seals with those in the bucket.",
    ),
}


@click.group(cls=QuietLazyGroup, lazy=_COMMANDS)
def audit() -> None:
    """Verify the audit trail, search it, export it with proof.

    Every call that succeeds leaves an entry, every entry comes under a signed seal, and every seal
    into a bucket of which nothing can be taken back. Numbers of citizens are never shown.
    """
