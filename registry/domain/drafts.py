"""A message on its way in: what its sender announces, what arrives, and whether the two agree."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
class Announced:
    """A document as the message describes it; `part` names the part of the body that carries it.

    `digest` is what the sender says the SHA-256 is, as he wrote it.
    """

    part: str
    is_main: bool
    title: TranslatedString | None = None
    is_signed: bool = False
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A file that has arrived and is stored under `blob_key`, but belongs to no message yet.

    `size` in bytes, `digest` SHA-256 in base64url. `file_name` is fit to be shown. `file_name` and
    `media_type` are None where the part said nothing. `is_what_it_says` is what a `Sniffer` found
    of the media type.
    """

    part: str
    file_name: str | None
    media_type: str | None
    size: int
    digest: str
    blob_key: str
    is_what_it_says: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A document of a message to be, by the columns that the store has for it; `size` in bytes."""

    attachment_id: str
    title: TranslatedString | None
    file_name: str
    is_main: bool
    media_type: str
    size: int
    digest: str
    is_signed: bool
    blob_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to publish, or a reply, as far as its sender decides about it.

    A reply has no `recipient`, and may leave `sender`, `message_type_id` and `application_id` to
    what it replies to. `is_body_main` is None exactly when there is no body. `business_data` and
    `payment_data` are in the shape the store keeps them in.
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
    announced: tuple[Announced, ...] = ()


def pair(
    draft: Draft, staged: Sequence[Staged], *, under: str = ""
) -> tuple[tuple[File, ...], list[Issue]]:
    """The files in the order announced, or none of them and every fault (contract 4.8-10, 5).

    Exactly one main content over documents and body; as many files as announced, each under its
    own part name; digests as announced. `under` goes before the names of what was announced.
    """
    at = f"{under}.attachments" if under else "attachments"
    arrived = {file.part: file for file in staged}
    faults = [
        *_main_faults(draft, at),
        *_announcement_faults(draft.announced, staged, at),
        *_digest_faults(draft.announced, arrived, at),
        *_repeated(staged),
        *(fault for file in staged for fault in _file_faults(file)),
    ]
    if faults:
        return (), faults
    numbered = enumerate(draft.announced, 1)
    return tuple(_file(str(n), one, arrived[one.part]) for n, one in numbered), []


def part_faults(
    part: str, file_name: str | None, media_type: str | None, *, is_what_it_says: bool = True
) -> list[Issue]:
    """What is wrong with a file by itself, whatever is announced of it (contract 4.8, 4.9).

    `pair` looks too; whoever asks before storing the file has nothing to throw away.
    """
    if not file_name or not media_type:
        return [_fault(part, NOT_DESCRIBED)]
    faults = []
    if len(file_name) > filenames.LONGEST:
        too_long = f"The file name is longer than {filenames.LONGEST} characters"
        faults.append(_fault(part, too_long, kind=IssueKind.SCHEMA_VIOLATION))
    if media_type not in MEDIA_TYPES:
        faults.append(_fault(part, WRONG_MEDIA_TYPE, value=media_type[: filenames.LONGEST]))
    elif not is_what_it_says:
        faults.append(_fault(part, f"The content of the file is not {media_type}"))
    return faults


def language_faults(draft: Draft, *, under: str = "") -> list[Issue]:
    """A fault unless all the sender's texts are in one language: the rule of contract 6.30."""
    texts = [draft.subject, draft.body, *(one.title for one in draft.announced)]
    texts += [value for fact in draft.business_data or () for value in fact["values"]]
    if len({language for text in texts for language in text or ()}) <= 1:
        return []
    name = f"{under}.subject" if under else "subject"
    return [_fault(name, TOO_MANY_LANGUAGES, code="NOT_IMPLEMENTED")]


def _main_faults(draft: Draft, at: str) -> Iterator[Issue]:
    mains = sum(one.is_main for one in draft.announced) + bool(draft.is_body_main)
    if mains != 1:
        yield _fault(at, TOO_MANY_MAIN if mains else NO_MAIN)


def _announcement_faults(
    announced: Sequence[Announced], staged: Sequence[Staged], at: str
) -> Iterator[Issue]:
    if len(announced) != len(staged):
        yield _fault(at, WRONG_NUMBER)
    parts = {file.part for file in staged}
    claimed: set[str] = set()
    for position, one in enumerate(announced):
        if one.part not in parts:
            yield _fault(f"{at}[{position}]", NO_SUCH_PART, value=one.part)
        elif one.part in claimed:
            yield _fault(f"{at}[{position}]", "The part belongs to two attachments", value=one.part)
        claimed.add(one.part)


def _digest_faults(
    announced: Sequence[Announced], arrived: Mapping[str, Staged], at: str
) -> Iterator[Issue]:
    for position, one in enumerate(announced):
        file = arrived.get(one.part)
        if file and one.digest is not None and not _same(one.digest, file.digest):
            yield _fault(f"{at}[{position}].digest", WRONG_DIGEST, code="DIGEST_DO_NOT_MATCH")


def _same(claimed: str, digest: str) -> bool:
    """Base64url with its padding or without; hex and plain base64 differ of themselves."""
    return claimed.removesuffix("=") == digest.removesuffix("=")


def _repeated(staged: Iterable[Staged]) -> Iterator[Issue]:
    for part, times in Counter(file.part for file in staged).items():
        if times > 1:
            yield _fault(part, "More than one part has this name")


def _file_faults(file: Staged) -> list[Issue]:
    as_said = file.is_what_it_says
    return part_faults(file.part, file.file_name, file.media_type, is_what_it_says=as_said)


def _fault(
    name: str,
    detail: str,
    *,
    kind: IssueKind = IssueKind.INVALID_INPUT,
    value: Any = ABSENT,
    code: str = "INVALID_INPUT",
) -> Issue:
    return Issue("body", name, detail, kind, value, code)


def _file(attachment_id: str, announced: Announced, staged: Staged) -> File:
    return File(
        attachment_id=attachment_id,
        title=announced.title,
        file_name=staged.file_name or "",
        is_main=announced.is_main,
        media_type=staged.media_type or "",
        size=staged.size,
        digest=staged.digest,
        is_signed=announced.is_signed,
        blob_key=staged.blob_key,
    )
