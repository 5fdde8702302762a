"""A sender's message, from a file or from options, with its documents tied to their parts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import click
import orjson

from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.sender.multipart_body import DocumentFile

# Contract 4.8: the media types a registry takes, by the endings of file names.
MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".csv": "text/csv",
    ".html": "text/html",
    ".htm": "text/html",
    ".txt": "text/plain",
    ".xml": "text/xml",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".odg": "application/vnd.oasis.opendocument.graphics",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ppt": "application/vnd.ms-powerpoint",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_TYPE: Final = re.compile(r"(.+);\s*([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)", re.DOTALL)
_PART: Final = re.compile(r"([^=/\\]{1,255})=(.+)", re.DOTALL)
_MESSAGE: Final = "messageToPublish"


@dataclass(frozen=True)
class File:
    """One `--file`: the name of its part, None when it is to be chosen, and where it is."""

    part: str | None
    path: Path = field(repr=False)
    media_type: str


class FileOption(click.ParamType[File]):
    """Reads `[part=]path[;type]`."""

    name = "[PART=]PATH[;TYPE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> File:
        """Read one value; fails when there is no such file, or no media type for it."""
        text, media_type = str(value), None
        if match := _TYPE.fullmatch(text):
            text, media_type = match.groups()
        match = _PART.fullmatch(text)
        part, text = match.groups() if match else (None, text)
        path = Path(text)
        if not path.is_file():
            self.fail(f"there is no file {text!r}", param, ctx)
        media_type = media_type or MEDIA_TYPES.get(path.suffix.lower())
        if media_type is None:
            self.fail(f"add ;TYPE, since {path.suffix!r} tells none of the 15 types", param, ctx)
        if part == _MESSAGE:
            self.fail(f"{_MESSAGE} is the part of the message itself", param, ctx)
        return File(part, path, media_type)


@dataclass(frozen=True)
class MessageOptions:
    """The message as options describe it; `message` is a file, all others but `main` build one."""

    message: IO[bytes] | None
    recipient: Ebox | None = field(repr=False)
    sender: EnterpriseNumber | None
    application: str | None
    type: str | None
    subject: tuple[str, ...]
    main: str | None

    def compose(self, files: Sequence[File]) -> tuple[dict[str, Any], list[DocumentFile]]:
        """Compose the message without digests, and its documents; raises `click.UsageError`."""
        message = self._build() if self.message is None else self._parse(self.message)
        attachments = _attachments(message)
        documents = _documents(files, [entry.get("httpPartName") for entry in attachments])
        _tie(attachments, documents)
        _choose_main(message, attachments, documents, self.main)
        if attachments:
            message = {**message, "attachments": attachments}
        return message, documents

    def _parse(self, file: IO[bytes]) -> dict[str, Any]:
        if any((self.recipient, self.sender, self.application, self.type, self.subject)):
            raise click.UsageError(
                "--message holds the whole message: leave out the options for it."
            )
        try:
            message = orjson.loads(file.read())
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise click.UsageError("--message is not a JSON object in UTF-8.")
        return message

    def _build(self) -> dict[str, Any]:
        recipient, sender = self.recipient, self.sender
        options = {
            "--recipient": recipient,
            "--sender": sender,
            "--application": self.application,
            "--type": self.type,
            "--subject": self.subject,
        }
        missing = [name for name, value in options.items() if not value]
        if missing or recipient is None or sender is None:
            raise click.UsageError(f"Give --message, or also {', '.join(missing)}.")
        return {
            "sender": _address(Ebox(EboxKind.ENTERPRISE, sender.digits)),
            "recipient": _address(recipient),
            "subject": dict(_translation(text) for text in self.subject),
            "messageTypeId": self.type,
            "senderApplicationId": self.application,
        }


def _address(ebox: Ebox) -> dict[str, str]:
    member = "enterpriseNumber" if ebox.kind is EboxKind.ENTERPRISE else "ssin"
    return {"eboxType": ebox.kind.value, member: ebox.number}


def _translation(text: str) -> tuple[str, str]:
    language, _, words = text.partition("=")
    if language not in ("nl", "fr", "de") or not words:
        raise click.UsageError("--subject is nl=…, fr=… or de=…, once for each language.")
    return language, words


def _attachments(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Copy the attachments that the message announces."""
    attachments = message.get("attachments", [])
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise click.UsageError("attachments in --message is not a list of objects.")
    return [dict(attachment) for attachment in attachments]


def _documents(files: Sequence[File], part_names: Sequence[Any]) -> list[DocumentFile]:
    """Give each file a part; those without get the free ones of `part_names`, in order."""
    own_parts = {file.part for file in files if file.part}
    if len(own_parts) < sum(file.part is not None for file in files):
        raise click.UsageError("Two --file have the same part.")
    free = [name for name in part_names if isinstance(name, str) and name not in own_parts]
    spare = (f"document{n}" for n in range(1, len(files) + len(own_parts) + 1))
    names = iter([*free, *(name for name in spare if name not in own_parts | set(free))])
    return [
        DocumentFile(file.part or next(names), file.path, file.media_type, file.path.stat().st_size)
        for file in files
    ]


def _tie(attachments: list[dict[str, Any]], documents: Sequence[DocumentFile]) -> None:
    """Have one attachment for each document; those without a part take the documents in order."""
    names = {entry.get("httpPartName") for entry in attachments}
    free_parts = [document.part for document in documents if document.part not in names]
    for entry in attachments:
        if "httpPartName" not in entry and free_parts:
            entry["httpPartName"] = free_parts.pop(0)
    parts = {document.part for document in documents}
    for entry in attachments:
        if entry.get("httpPartName") not in parts:
            raise click.UsageError(
                f"The message announces the part {entry.get('httpPartName')!r}: add --file for it."
            )
    attachments += [{"httpPartName": part, "isMainContent": False} for part in free_parts]


def _choose_main(
    message: dict[str, Any],
    attachments: list[dict[str, Any]],
    documents: Sequence[DocumentFile],
    main: str | None,
) -> None:
    if main is not None:
        if main not in {document.part for document in documents}:
            raise click.UsageError("--main names no part of a --file.")
        # Also False: the message may have named another, and two are refused.
        for entry in attachments:
            entry["isMainContent"] = entry["httpPartName"] == main
    is_chosen = message.get("isBodyMainContent") or any(
        entry.get("isMainContent") for entry in attachments
    )
    is_ours = len(attachments) > len(message.get("attachments", []))
    if is_chosen or (message.get("attachments") and not is_ours):
        return  # a whole message of the sender's own making goes as it is
    if len(attachments) != 1:
        raise click.UsageError(
            "Give a --file; of several, name the part of the main one by --main."
        )
    attachments[0]["isMainContent"] = True
