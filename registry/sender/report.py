"""Outcome of a publication, for a person or for a program."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from registry.sender.refusals import LONGEST_QUOTE, give_advice, quote_refusal
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.sender.client import Outcome

REFUSAL: Final = 1
GIVE_UP: Final = 3

_NO_DIGITAL_USER: Final = (
    "NO_DIGITAL_USER: the recipient has never opened the e-Box. The message is stored and waits "
    "there; where the law asks for more, tell the recipient another way too."
)


def report(outcome: "Outcome", key: str, *, as_json: bool) -> None:
    """Print the outcome, refusals on standard error; raises `SystemExit` unless published."""
    result = _make_members(outcome, key)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        for line in _lines(outcome, result):
            click.echo(line, err=not outcome.is_published)
    if not outcome.is_published:
        raise SystemExit(GIVE_UP if outcome.reply.is_passing else REFUSAL)


def _make_members(outcome: "Outcome", key: str) -> dict[str, Any]:
    """Make JSON of the outcome; what is not known is left out."""
    reply, members = outcome.reply, outcome.reply.members
    result: dict[str, Any] = {
        "outcome": "published" if outcome.is_published else "refused",
        "messageId": _text(members, "messageId"),
        "expirationDate": _text(members, "expirationDate"),
        "code": _text(members, "code"),
        "status": reply.status,
        "idempotencyKey": key,
        "tries": outcome.tries,
    }
    if outcome.is_published:
        result["isDuplicate"] = outcome.is_duplicate
    # Without a status nobody refused: the connection broke, and trying again is safe.
    elif reply.status is None:
        result |= {
            "outcome": "gaveUp",
            "said": _clean(reply.trouble),
            "advice": advise_to_go_on(key),
        }
    else:
        result |= {
            "said": quote_refusal(reply.status, members),
            "advice": give_advice(reply.status, members),
        }
        if reply.is_passing:
            result |= {"outcome": "gaveUp", "retryAfter": reply.wait}
            result["advice"] = (
                f"{result['advice']} {_mention_wait(reply.wait)}{advise_to_go_on(key)}"
            )
    return {name: value for name, value in result.items() if value is not None}


def _lines(outcome: "Outcome", result: dict[str, Any]) -> Iterator[str]:
    name = result.get("messageId", "unknown")
    if outcome.is_duplicate:
        yield f"Published by an earlier try, whose answer was lost: message {name}."
    elif outcome.is_published:
        yield f"Published: message {name}, expires {result.get('expirationDate', 'unknown')}."
        if result.get("code") == "NO_DIGITAL_USER":
            yield _NO_DIGITAL_USER
    else:
        verb = "Gave up" if result["outcome"] == "gaveUp" else "Refused"
        yield f"{verb}: {result['said']}"
        if "messageId" in result:
            yield f"The message published with this key: {name}."
        yield result["advice"]


def _mention_wait(wait: float | None) -> str:
    return "" if wait is None else f"It asks to wait {wait:.0f} s. "


def advise_to_go_on(key: str) -> str:
    """Say how to take up what was given up."""
    return f"Go on later with --idempotency-key {key}: it cannot be published twice."


def _text(members: Any, name: str) -> str | None:
    text = members.get(name)
    return _clean(text) if isinstance(text, str) else None


def _clean(text: str) -> str:
    return clean_text(text, LONGEST_QUOTE)
