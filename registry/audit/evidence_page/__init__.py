"""The page of evidence for people: one file that shows a letter's story and checks its proof.

The page needs no server and asks none for anything: its policy lets it load nothing. Signatures are
checked by noble-ed25519 (MIT), which is in the page, since not all browsers have Ed25519.
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from registry.audit.trail.keys import Keys, compute_fingerprint
from registry.audit.trail.letter_story import StoryLine

_SECONDS: Final = len("2026-11-27T09:30:00")


def make_page(
    proof: bytes, message_id: str, story: Iterable[StoryLine], keys: Keys, made_at: datetime
) -> bytes:
    """Make the page out of a proof (the lines of `export_file`) and the story that it tells."""
    script = f"{_read('noble-ed25519.js')}\n{_read('page.js')}"
    style = _read("page.css")
    page = Template(_read("page.html")).substitute(
        message_id=escape(message_id),
        made_at=escape(made_at.isoformat(" ", "seconds")),
        story="\n".join(map(_make_row, story)),
        fingerprints=" ".join(map(compute_fingerprint, keys.values())),
        proof=base64.b64encode(proof).decode(),
        script=script,
        script_hash=_hash(script),
        style=style,
        style_hash=_hash(style),
    )
    return page.encode()


def _make_row(line: StoryLine) -> str:
    cells = (
        _shorten(line.first),
        _shorten(line.last),
        str(line.count),
        line.step.title,
        ", ".join(line.step.events),
        ", ".join(line.clients),
    )
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _shorten(time: str) -> str:
    """Leave out what is less than a second; the proof has it."""
    return f"{time[:_SECONDS].replace('T', ' ')} {time[-6:]}" if len(time) > _SECONDS else time


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Hash what stands between the tags, as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
