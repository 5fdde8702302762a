"""Checkpoints: how far a verification has read the bucket, for the next one to go on from."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from registry.audit.trail.untrusted_json import DamagedText, read_member, read_object
from registry.audit.trail.verify import Finding, FindingKind

_FORMAT: Final = "ebox-audit-checkpoint/1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A seal up to which the bucket was read and seen to lock all; `hash` names those before too.

    What the database has is compared with that hash, and entries are always compared with seals.
    """

    seal: int
    hash: str

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read the file, None where there is none; raises `DamagedText` and `OSError`."""
        try:
            members = read_object(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise DamagedText("The checkpoint is not UTF-8.") from error
        if members.get("format") != _FORMAT:
            raise DamagedText("This is not a checkpoint of a verification.")
        return cls(read_member(members, "seal", int), read_member(members, "hash", str))

    def save(self, path: Path) -> None:
        """Write the file whole, or leave the one that is there."""
        draft = path.with_name(f"{path.name}.new")
        text = json.dumps({"format": _FORMAT, **asdict(self)}) + "\n"
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        finally:  # also on Ctrl-C
            draft.unlink(missing_ok=True)

    def check(self, number: int, seal_hash: str) -> Iterator[Finding]:
        """Find that this seal, if it is the one of the checkpoint, is not what it was."""
        if number == self.seal and seal_hash != self.hash:
            detail = "It is not the one of the checkpoint; verify without that to learn where."
            yield Finding(FindingKind.BROKEN_CHAIN, number, detail=detail)

    def check_end(self, last: int) -> Iterator[Finding]:
        """Find that the trail ends before the seal that was already seen."""
        if last < self.seal:
            detail = f"The trail ends at seal {last}; the checkpoint has seen seal {self.seal}."
            yield Finding(FindingKind.ROLLBACK, last + 1, detail=detail)
