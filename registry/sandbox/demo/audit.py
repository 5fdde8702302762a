"""The audit trail of all that went before, narrated: it holds, and it tells one message's story."""

import os
import subprocess
import sys
import time
from typing import Final

from rich.console import Console

from registry.sandbox.demo.tour import DemoFailed, must, visitor
from registry.sandbox.layout import Document, Layout

_PATIENCE: Final = 30.0  # seconds until all is sealed


def audit_tour(layout: Layout, document: Document, console: Console) -> None:
    """Verify the trail on a running sandbox, and reconstruct what was done to one message.

    Raises `DemoFailed`.
    """
    reader = visitor(layout, document, "enterprise-consumer", console)
    message = str(reader.get("/ebox/messages", pageSize=1).json()["items"][0]["messageId"])
    reader.get(f"/ebox/messages/{message}")

    console.rule("Who did what to this message: its story, from the audit trail")
    story = _registry(layout, document, console, "audit", "reconstruct", "--message", message)
    must("Its data shown" in " ".join(story.split()), "The trail knows that the message was shown")
    console.print(story, highlight=False, markup=False, soft_wrap=True)

    console.rule("Nothing was changed, removed or put in: every entry is under its seal")
    deadline = time.monotonic() + _PATIENCE
    _registry(layout, document, console, "worker", "--once", "--only", "seal")
    while "not yet" in (output := _registry(layout, document, None, "audit", "verify")):
        if time.monotonic() > deadline:
            break  # verified all the same; the newest entries wait for their seal
        time.sleep(1)
    console.print("registry audit verify", highlight=False)
    console.print(output, highlight=False, markup=False)


def _registry(layout: Layout, document: Document, console: Console | None, *command: str) -> str:
    """Run `registry …` in this sandbox and give its output; raises `DemoFailed` for an error."""
    if console:
        console.print(f"registry {' '.join(command)}", highlight=False)
    result = subprocess.run(
        [sys.executable, "-m", "registry", *command],
        capture_output=True,
        text=True,
        env=layout.merge_environment(document, os.environ),
        check=False,
    )
    if result.returncode:
        output = result.stderr.strip() or result.stdout.strip()
        raise DemoFailed(f"registry {command[0]} ended with {result.returncode}: {output}")
    return result.stdout.strip()
