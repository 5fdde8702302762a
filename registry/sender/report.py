"""How a publication ended, told to a person or to a program."""

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from registry.sender.client import Outcome
from registry.sender.refusals import advice, clean, said

REFUSED: Final = 1
GAVE_UP: Final = 3

_NO_DIGITAL_USER: Final = (
    "NO_DIGITAL_USER: the recipient has never opened the e-Box. The message is stored and waits "
    "there; where the law asks for more, tell the recipient another way too."
)


def report(outcome: Outcome, key: str, *, as_json: bool) -> None:
    """Tell it, refusals on standard error; raises `SystemExit` unless it is published."""
    told = _told(outcome, key)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in _lines(outcome, told):
            click.echo(line, err=not outcome.is_published)
    if not outcome.is_published:
        raise SystemExit(GAVE_UP if outcome.reply.passes else REFUSED)


def _told(outcome: Outcome, key: str) -> dict[str, Any]:
    """The outcome as members; what is not known is left out."""
    reply, members = outcome.reply, outcome.reply.members
    told: dict[str, Any] = {
        "outcome": "published" if outcome.is_published else "refused",
        "messageId": _text(members, "messageId"),
        "expirationDate": _text(members, "expirationDate"),
        "code": _text(members, "code"),
        "status": reply.status,
        "idempotencyKey": key,
        "tries": outcome.tries,
    }
    if outcome.is_published:
        told["isDuplicate"] = outcome.is_duplicate
    elif reply.status is None:
        told |= {"outcome": "gaveUp", "said": clean(reply.trouble), "advice": go_on(key)}
    else:
        told |= {"said": said(reply.status, members), "advice": advice(reply.status, members)}
        if reply.passes:
            told |= {"outcome": "gaveUp", "retryAfter": reply.wait}
            told["advice"] = f"{told['advice']} {_asked(reply.wait)}{go_on(key)}"
    return {name: value for name, value in told.items() if value is not None}


def _lines(outcome: Outcome, told: dict[str, Any]) -> Iterator[str]:
    name = told.get("messageId", "unknown")
    if outcome.is_duplicate:
        yield f"Published by an earlier try, whose answer was lost: message {name}."
    elif outcome.is_published:
        yield f"Published: message {name}, expires {told.get('expirationDate', 'unknown')}."
        if told.get("code") == "NO_DIGITAL_USER":
            yield _NO_DIGITAL_USER
    else:
        verb = "Gave up" if told["outcome"] == "gaveUp" else "Refused"
        yield f"{verb}: {told['said']}"
        if "messageId" in told:
            yield f"The message published with this key: {name}."
        yield told["advice"]


def _asked(wait: float | None) -> str:
    return "" if wait is None else f"It asks to wait {wait:.0f} s. "


def go_on(key: str) -> str:
    """How to take up what was given up."""
    return f"Go on later with --idempotency-key {key}: it cannot be published twice."


def _text(members: Any, name: str) -> str | None:
    text = members.get(name)
    return clean(text) if isinstance(text, str) else None
