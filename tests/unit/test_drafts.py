"""What a sender announces and what arrives have to agree."""

import base64
import hashlib

import pytest

from registry.domain.attachments import MEDIA_TYPES
from registry.domain.drafts import (
    AnnouncedFile,
    Draft,
    NewAttachment,
    StagedFile,
    find_language_faults,
    find_part_faults,
    pair_files,
)
from registry.domain.errors import ABSENT, Invalid

HASH = hashlib.sha256(b"a letter 1").digest()  # its base64 holds + and /, or the test would lie
DIGEST = base64.urlsafe_b64encode(HASH).decode()


def an_announcement(part="one", **changes):
    return AnnouncedFile(**{"part": part, "is_main": True, **changes})


def a_file(part="one", **changes):
    values = {
        "part": part,
        "file_name": "letter.pdf",
        "media_type": "application/pdf",
        "size": 10,
        "digest": DIGEST,
        "blob_key": f"blob-{part}",
    }
    return StagedFile(**{**values, **changes})


def a_draft(*documents, **changes):
    return Draft(**{"subject": {"nl": "Brief"}, "announced_files": documents, **changes})


def texts(draft, *files):
    return [issue.detail for issue in pair_files(draft, files)[1]]


def test_files_come_out_as_announced_and_in_that_order():
    draft = a_draft(
        an_announcement("b", title={"nl": "Titel"}, is_signed=True),
        an_announcement("a", is_main=False),
    )

    files, faults = pair_files(draft, [a_file("a", media_type="text/csv"), a_file("b")])

    assert faults == []
    assert files == (
        NewAttachment(
            attachment_id="1",
            title={"nl": "Titel"},
            file_name="letter.pdf",
            is_main=True,
            media_type="application/pdf",
            size=10,
            digest=DIGEST,
            is_signed=True,
            blob_key="blob-b",
        ),
        NewAttachment(
            attachment_id="2",
            title=None,
            file_name="letter.pdf",
            is_main=False,
            media_type="text/csv",
            size=10,
            digest=DIGEST,
            is_signed=False,
            blob_key="blob-a",
        ),
    )


def test_a_body_can_be_the_main_content():
    assert pair_files(a_draft(body={"nl": "x"}, is_body_main=True), []) == ((), [])
    draft = a_draft(an_announcement(is_main=False), body={"nl": "x"}, is_body_main=True)
    assert texts(draft, a_file()) == []


NO_MAIN = "No main content attachment. Exactly one is expected"
TOO_MANY = "Too many main content. Exactly one is expected"


TWO = {"nl": "a", "fr": "b"}


@pytest.mark.parametrize(
    ("draft", "files", "text"),
    [
        (a_draft(), [], NO_MAIN),
        (a_draft(body={"nl": "x"}, is_body_main=False), [], NO_MAIN),
        (a_draft(an_announcement(is_main=False)), [a_file()], NO_MAIN),
        (a_draft(an_announcement("a"), an_announcement("b")), [a_file("a"), a_file("b")], TOO_MANY),
        (a_draft(an_announcement(), body={"nl": "x"}, is_body_main=True), [a_file()], TOO_MANY),
        (
            a_draft(an_announcement()),
            [a_file(), a_file("more")],
            "Json Attachments number is inconsistent with number of parts",
        ),
        (
            a_draft(an_announcement()),
            [a_file("other")],
            "Some json attachment info do not match any file upload part",
        ),
        (
            a_draft(an_announcement()),
            [a_file(file_name=None)],
            "Missing mediaType or fileName in part",
        ),
        (
            a_draft(an_announcement()),
            [a_file(file_name="")],
            "Missing mediaType or fileName in part",
        ),
        (
            a_draft(an_announcement()),
            [a_file(media_type=None)],
            "Missing mediaType or fileName in part",
        ),
        (
            a_draft(an_announcement()),
            [a_file(media_type="application/xml")],
            "Attachment mime type is not valid. See spec for list of available mime types",
        ),
        (
            a_draft(an_announcement()),
            [a_file(is_what_it_says=False)],
            "The content of the file is not application/pdf",
        ),
        (
            a_draft(an_announcement()),
            [a_file(file_name="a" * 256)],
            "The file name is longer than 255 characters",
        ),
        (
            a_draft(an_announcement(), an_announcement(is_main=False)),
            [a_file(), a_file("two")],
            "The part belongs to two attachments",
        ),
    ],
)
def test_each_fault_is_told_in_its_own_words(draft, files, text):
    assert texts(draft, *files) == [text]
    assert pair_files(draft, files)[0] == ()


def test_a_name_of_255_characters_is_short_enough():
    assert texts(a_draft(an_announcement()), a_file(file_name="a" * 255)) == []


def test_two_parts_of_one_name_are_a_fault():
    draft = a_draft(an_announcement(), an_announcement(is_main=False))

    assert "More than one part has this name" in texts(draft, a_file(), a_file())


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_the_fifteen_media_types_are_taken(media_type):
    assert find_part_faults("one", "a", media_type) == []


@pytest.mark.parametrize("digest", [DIGEST, DIGEST.rstrip("="), None])
@pytest.mark.parametrize("stored", [DIGEST, DIGEST.rstrip("=")])
def test_a_digest_in_base64url_agrees_with_its_padding_and_without(digest, stored):
    assert texts(a_draft(an_announcement(digest=digest)), a_file(digest=stored)) == []


@pytest.mark.parametrize(
    "digest",
    [
        HASH.hex(),
        HASH.hex().upper(),
        base64.b64encode(HASH).decode(),
        base64.b64encode(HASH).decode().rstrip("="),
        DIGEST + "=",
        DIGEST.swapcase(),
        "A" * 43,
        "\u00e9",
    ],
)
def test_any_other_digest_is_refused_under_its_own_code(digest):
    issues = pair_files(a_draft(an_announcement(digest=digest)), [a_file()])[1]

    assert [(i.name, i.detail) for i in issues] == [("attachments[0].digest", "Issue with Digest")]
    assert Invalid(issues).code == "DIGEST_DO_NOT_MATCH"


def test_the_digest_of_these_tests_tells_base64url_from_plain_base64():
    assert set(base64.b64encode(HASH).decode()) & set("+/")


def test_all_faults_are_told_together_each_with_its_place():
    draft = a_draft(
        an_announcement("a", is_main=False, digest="wrong"), an_announcement("gone", is_main=False)
    )

    files = [a_file("a"), a_file("b", media_type="image/png"), a_file("c", file_name=None)]
    issues = pair_files(draft, files, under="messageToPublish")[1]

    assert [(issue.name, issue.value) for issue in issues] == [
        ("messageToPublish.attachments", ABSENT),
        ("messageToPublish.attachments", ABSENT),
        ("messageToPublish.attachments[1]", "gone"),
        ("messageToPublish.attachments[0].digest", ABSENT),
        ("b", "image/png"),
        ("c", ABSENT),
    ]
    assert {issue.where for issue in issues} == {"body"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("subject", {"subject": TWO}),
        ("bodyContent", {"body": TWO, "is_body_main": True}),
        ("attachments[0].attachmentTitle", {"announced_files": (an_announcement(title=TWO),)}),
        (
            "businessDataList[0].values[1]",
            {"business_data": [{"key": "k", "values": [{"nl": "a"}, TWO]}]},
        ),
    ],
)
def test_a_text_in_two_languages_is_a_fault_where_one_is_expected(name, changes):
    issues = find_language_faults(a_draft(**changes), under="messageToPublish")

    assert [(i.name, i.detail, i.code) for i in issues] == [
        (
            f"messageToPublish.{name}",
            "Multiple languages provided when only one expected",
            "NOT_IMPLEMENTED",
        )
    ]


def test_one_language_throughout_is_none():
    draft = a_draft(
        an_announcement(title={"nl": "c"}),
        an_announcement("two"),
        body={"nl": "b"},
        is_body_main=False,
        # Official examples mix languages between values (contract 6.45).
        business_data=[{"key": "k", "name": TWO, "values": [{"nl": "a"}, {"fr": "b"}]}],
    )

    assert find_language_faults(draft) == []
