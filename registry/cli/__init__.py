"""The command line of operators and senders: `registry GROUP COMMAND`."""

import sys
from typing import Final, NoReturn

import click

from registry import __version__
from registry.domain.errors import SettingsError
from registry.terminal.lazy_group import LazyCommand, LazyGroup

# By name, and not by import: the sender's client and the worker are houses of their own.
_COMMANDS: Final = {
    "audit": LazyCommand(
        "registry.cli.audit:audit", "Verify the audit trail, search it, export it with proof."
    ),
    "certificate": LazyCommand(
        "registry.cli.certificate:certificate",
        "Ask for the certificate by which the federation knows you, and check it.",
    ),
    "conformance": LazyCommand(
        "registry.conformance.command:conformance",
        "Test any MessageRegistry by its URL, and report what it does otherwise than required.",
    ),
    "database": LazyCommand("registry.cli.database:database", "Create and upgrade the database."),
    "deploy": LazyCommand(
        "registry.cli.deploy:deploy", "Have what an operator needs beside the program."
    ),
    "doctor": LazyCommand(
        "registry.cli.doctor.command:doctor",
        "Gather what whoever helps you needs to know, without persons or secrets.",
    ),
    "ebox": LazyCommand(
        "registry.cli.ebox:ebox",
        "Hand an e-Box over to its owner, put it into another registry, or erase it.",
    ),
    "events": LazyCommand(
        "registry.cli.events:events",
        "See what the federation was told of messages, and what it was not.",
    ),
    "find": LazyCommand(
        "registry.cli.find:find", "Find the messages that carry a document, or have a subject."
    ),
    "fsck": LazyCommand(
        "registry.cli.fsck:fsck",
        "Check that storage has the documents which the database promises.",
    ),
    "hold": LazyCommand(
        "registry.cli.hold:hold", "Keep messages from being deleted while the law asks for it."
    ),
    "jobs": LazyCommand(
        "registry.cli.jobs:jobs",
        "Do what has to be done now and then; every job may run beside the service.",
    ),
    "message": LazyCommand(
        "registry.cli.message:message",
        "Look at one message without reading it, or take it away from its readers.",
    ),
    "preflight": LazyCommand(
        "registry.cli.preflight.command:preflight",
        "Look at everything that a registry needs, before it goes live and every week after.",
    ),
    "publish": LazyCommand(
        "registry.sender.command:publish",
        "Publish a message with its documents to a recipient's e-Box.",
    ),
    "refdata": LazyCommand(
        "registry.cli.refdata:refdata",
        "Keep organizations, applications, message types and templates in one file.",
    ),
    "rescan": LazyCommand(
        "registry.cli.rescan:rescan",
        "Show the documents of a time to the malware scanner again.",
    ),
    "sender": LazyCommand(
        "registry.cli.sender:sender",
        "Stop a sender or a sender application that goes wrong, and let it go on.",
    ),
    "settings": LazyCommand("registry.cli.settings:settings", "List and check the settings."),
    "storage": LazyCommand(
        "registry.cli.storage:storage", "Make and check the buckets for documents and for seals."
    ),
    "token": LazyCommand(
        "registry.cli.token:token",
        "Print an access token, got by signing with your private key.",
    ),
    "worker": LazyCommand(
        "registry.worker.command:worker",
        "Tell the federation what happens, remind, purge, sweep, verify and seal, until SIGTERM.",
    ),
}
_STOPPED: Final = "Stopped: what is done stays, and what was under way is taken back."
_CODE_OF_SIGINT: Final = 130


@click.group(cls=LazyGroup, lazy=_COMMANDS, extensions="registry.commands")
@click.version_option(__version__, prog_name="registry")
def registry() -> None:
    """Run and look after an e-Box MessageRegistry, or publish to one.

    The service's settings come from environment variables named REGISTRY_…; see `registry
    settings list`.
    """


def main() -> None:
    """Run the command line; the exit code is 2 when settings are wrong, 130 after Ctrl-C.

    Wrong settings are listed, all at once. A library that was not installed is named, since each
    extra has only what its commands need.
    """
    try:
        code = registry(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except ModuleNotFoundError as error:
        if (error.name or "registry").partition(".")[0] == "registry":
            raise
        _end(
            f"{error.name} is not installed. Install ebox-message-registry[server], or [sender] for"
            " `publish`, `token` and `certificate` alone."
        )
    except SettingsError as error:
        _end("\n".join(error.faults))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _end(_STOPPED, _CODE_OF_SIGINT)
    except click.Abort as error:  # what click makes of Ctrl-C, and of a question without answer
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            _end(_STOPPED, _CODE_OF_SIGINT)
        _end("Nothing was done.", 1)


def _end(text: str, code: int = 2) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(code)
