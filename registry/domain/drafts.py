"""Drafts of messages: documents that the sender announces, files that arrive, and their match."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from registry.domain import filenames
from registry.domain.attachments import MEDIA_TYPES
from registry.domain.errors import ABSENT, Issue, IssueKind
from registry.domain.identifiers import Ebox, EnterpriseNumber
from registry.domain.languages import TranslatedString

# Clients may match these texts (contract 5).
NO_MAIN: Final = "No main content attachment. Exactly one is expected"
TOO_MANY_MAIN: Final = "Too many main content. Exactly one is expected"
WRONG_MEDIA_TYPE: Final = (
    "Attachment mime type is not valid. See spec for list of available mime types"
)
WRONG_NUMBER: Final = "Json Attachments number is inconsistent with number of parts"
NO_SUCH_PART: Final = "Some json attachment info do not match any file upload part"
NOT_DESCRIBED: Final = "Missing mediaType or fileName in part"
WRONG_DIGEST: Final = "Issue with Digest"
TOO_MANY_LANGUAGES: Final = "Multiple languages provided when only one expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedFile:
    """A document as the message describes it; `part` names the part of the body that carries it.

    `digest` is the SHA-256 that the sender claims, as he wrote it.
    """

    part: str
    is_main: bool
    title: TranslatedString | None = None
    is_signed: bool = False
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile:
    """A file that has arrived and is stored under `blob_key`, but belongs to no message yet.

    `size` in bytes, `digest` SHA-256 in base64url. `file_name` is fit to be shown. `file_name` and
    `media_type` are None where the part said nothing. `is_what_it_says` is the judgement of a
    `Sniffer` on the media type. `is_scanned`: malware was looked for in the whole of it.
    """

    part: str
    file_name: str | None
    media_type: str | None
    size: int
    digest: str
    blob_key: str
    is_what_it_says: bool = True
    is_scanned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttachment:
    """A document of a message to be; `size` in bytes."""

    attachment_id: str
    title: TranslatedString | None
    file_name: str
    is_main: bool
    media_type: str
    size: int
    digest: str
    is_signed: bool
    blob_key: str
    is_scanned: bool = True  # for the audit trail

    @property
    def columns(self) -> dict[str, Any]:
        """Give what the store keeps of it."""
        columns = asdict(self)
        del columns["is_scanned"]
        return columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to publish, or a reply, as far as its sender decides about it.

    A reply has no `recipient`; it may leave out `sender`, `message_type_id` and `application_id`,
    which then follow from the message that it answers. `is_body_main` is None exactly when there is
    no body. `business_data` and `payment_data` are in the shape of their columns in the store.
    """

    subject: TranslatedString
    recipient: Ebox | None = None
    sender: EnterpriseNumber | None = None
    sender_partition: str | None = None
    application_id: str | None = None
    message_type_id: str | None = None
    body: TranslatedString | None = None
    is_body_main: bool | None = None
    attention: Mapping[str, str] | None = None
    business_data: Sequence[Mapping[str, Any]] | None = None
    payment_data: Mapping[str, Any] | None = None
    structured_data: Mapping[str, Any] | None = None
    is_reply_authorized: bool = False
    is_registered: bool = False
    action_id: str | None = None
    action_label: TranslatedString | None = None
    message_template_id: str | None = None
    original_message_id: UUID | None = None
    announced_files: tuple[AnnouncedFile, ...] = ()


def pair_files(
    draft: Draft, files: Sequence[StagedFile], *, under: str = ""
) -> tuple[tuple[NewAttachment, ...], list[Issue]]:
    """Match files to announcements: attachments in the order announced, or every fault.

    Rules of contract 4.8-10 and 5: exactly one main content over documents and body; as many files
    as announced, each under its own part name; digests as announced. With a fault the attachments
    are empty. `under` goes before the names of members in the faults.
    """
    at = f"{under}.attachments" if under else "attachments"
    file_of = {file.part: file for file in files}
    faults = [
        *_main_faults(draft, at),
        *_announcement_faults(draft.announced_files, files, at),
        *_digest_faults(draft.announced_files, file_of, at),
        *_duplicate_faults(files),
        *(fault for file in files for fault in _file_faults(file)),
    ]
    if faults:
        return (), faults
    # Ids count from 1, in the order of the JSON: a client knows its documents by their place.
    return tuple(
        _new_attachment(str(number), announcement, file_of[announcement.part])
        for number, announcement in enumerate(draft.announced_files, 1)
    ), []


def find_part_faults(
    part: str, file_name: str | None, media_type: str | None, *, is_what_it_says: bool = True
) -> list[Issue]:
    """Find the faults of a file by itself, without its announcement (contract 4.8, 4.9).

    `pair_files` checks this too; a caller that asks before it stores the file need not delete it.
    """
    if not file_name or not media_type:
        return [_fault(part, NOT_DESCRIBED)]
    faults = []
    if len(file_name) > filenames.LONGEST:
        too_long = f"The file name is longer than {filenames.LONGEST} characters"
        faults.append(_fault(part, too_long, kind=IssueKind.SCHEMA_VIOLATION))
    if media_type not in MEDIA_TYPES:
        # A media type is as long as its sender likes, but the answer is ours.
        faults.append(_fault(part, WRONG_MEDIA_TYPE, value=media_type[: filenames.LONGEST]))
    elif not is_what_it_says:
        faults.append(_fault(part, f"The content of the file is not {media_type}"))
    return faults


def find_language_faults(draft: Draft, *, under: str = "") -> list[Issue]:
    """Find the texts that are in more languages than one, where one is the rule (contract 6.30).

    Each is judged by itself: official examples mix languages between values (contract 6.45).
    """
    texts = {"subject": draft.subject, "bodyContent": draft.body}
    for number, file in enumerate(draft.announced_files):
        texts[f"attachments[{number}].attachmentTitle"] = file.title
    for number, fact in enumerate(draft.business_data or ()):
        for place, value in enumerate(fact["values"]):
            texts[f"businessDataList[{number}].values[{place}]"] = value
    return [
        _fault(f"{under}.{name}" if under else name, TOO_MANY_LANGUAGES, code="NOT_IMPLEMENTED")
        for name, text in texts.items()
        if len(text or ()) > 1
    ]


def _main_faults(draft: Draft, at: str) -> Iterator[Issue]:
    mains = sum(file.is_main for file in draft.announced_files) + bool(draft.is_body_main)
    if mains != 1:
        yield _fault(at, TOO_MANY_MAIN if mains else NO_MAIN)


def _announcement_faults(
    announcements: Sequence[AnnouncedFile], files: Sequence[StagedFile], at: str
) -> Iterator[Issue]:
    if len(announcements) != len(files):
        yield _fault(at, WRONG_NUMBER)
    parts = {file.part for file in files}
    earlier_parts: set[str] = set()
    for position, part in enumerate(announcement.part for announcement in announcements):
        if part not in parts:
            yield _fault(f"{at}[{position}]", NO_SUCH_PART, value=part)
        elif part in earlier_parts:
            yield _fault(f"{at}[{position}]", "The part belongs to two attachments", value=part)
        earlier_parts.add(part)


def _digest_faults(
    announcements: Sequence[AnnouncedFile], file_of: Mapping[str, StagedFile], at: str
) -> Iterator[Issue]:
    for position, announcement in enumerate(announcements):
        file, claim = file_of.get(announcement.part), announcement.digest
        if file and claim is not None and not _is_same_digest(claim, file.digest):
            yield _fault(f"{at}[{position}].digest", WRONG_DIGEST, code="DIGEST_DO_NOT_MATCH")


def _is_same_digest(claim: str, digest: str) -> bool:
    """Compare base64url with its padding or without; hex and plain base64 differ by themselves."""
    # 32 bytes are 43 characters and one of padding, never two.
    return claim.removesuffix("=") == digest.removesuffix("=")


def _duplicate_faults(files: Iterable[StagedFile]) -> Iterator[Issue]:
    for part, times in Counter(file.part for file in files).items():
        if times > 1:
            yield _fault(part, "More than one part has this name")


def _file_faults(file: StagedFile) -> list[Issue]:
    return find_part_faults(
        file.part, file.file_name, file.media_type, is_what_it_says=file.is_what_it_says
    )


def _fault(
    name: str,
    detail: str,
    *,
    kind: IssueKind = IssueKind.INVALID_INPUT,
    value: Any = ABSENT,
    code: str = "INVALID_INPUT",
) -> Issue:
    return Issue("body", name, detail, kind, value, code)


def _new_attachment(
    attachment_id: str, announcement: AnnouncedFile, file: StagedFile
) -> NewAttachment:
    return NewAttachment(
        attachment_id=attachment_id,
        title=announcement.title,
        file_name=file.file_name or "",
        is_main=announcement.is_main,
        media_type=file.media_type or "",
        size=file.size,
        digest=file.digest,
        is_signed=announcement.is_signed,
        blob_key=file.blob_key,
        is_scanned=file.is_scanned,
    )
