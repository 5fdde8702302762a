"""`registry refdata check` and `edit-example`: every fault of a file, without a database."""

import json
import os
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image

from tests.cli.refdata.conftest import GOOD, a_png


def faults_of(file, done):
    """Line and rest of each line that was said on standard error."""
    assert done.code == 2
    assert done.out == ""
    return [
        (int(number), text)
        for line in done.err.splitlines()
        for number, text in [line.removeprefix(f"{file}:").split(": ", 1)]
    ]


@pytest.fixture
def faults(file, refdata):
    """What is said of the file with one text in place of another."""

    def change(old, new):
        assert old in GOOD
        file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
        return faults_of(file, refdata("check", file))

    return change


def test_a_sound_file_is_counted(refdata, file):
    done = refdata("check", file)

    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"{file} is sound. organizations: 1, applications: 1, messageTypes: 1, templates: 1,"
        " sendings: 1.\n"
    )


def test_programs_are_told_in_json(refdata, file):
    assert json.loads(refdata("check", "--json", file).out) == {
        "isSound": True,
        "faults": [],
        "organizations": 1,
        "applications": 1,
        "messageTypes": 1,
        "templates": 1,
        "sendings": 1,
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        ("applications:", "aplications:", 1, "has no applications"),
        (
            "applications:",
            "aplications:",
            9,
            "aplications: is not known here; organizations, applications, messageTypes, templates",
        ),
        ("url:", "uri:", 4, "organizations.0308357159.uri: is not known here; "),
        ("{nl: FOD, fr: SPF, de: FÖD}", "{nl: FOD, fr: SPF}", 3, "shortName: has no de"),
        ("{nl: FOD, fr", "{en: FOD, nl: F, fr", 3, "shortName.en: is not known here; nl, fr, de"),
        ("name: App", "name: ''", 11, "applications.app.name: is empty"),
        ("name: App", "name:", 11, "applications.app.name: is empty"),
        ("name: App", "name: [App]", 11, "applications.app.name: must be a list of names"),
        ("name: App", "name: !!python/name:os.system ''", 11, "applications.app.name: "),
        ("name: App", 'name: "A\\nB"', 11, "has a line break or another character"),
        ("name: App", 'name: "A\\0B"', 11, "has a line break or another character"),
        ("name: App", 'name: "A\\uD800B"', 11, "has a line break or another character"),
        ("name: App", f"name: {'a' * 401}", 11, "has 401 characters; at most 400 are possible"),
        ('"0308357159"', '"0308357158"', 2, "The enterprise number fails its check digits."),
        ('"0308357159"', "308357159", 2, "An enterprise number has ten digits, the first 0 or 1."),
        ("  app:\n    name", "  a/b:\n    name", 10, "applications.a/b: its id must be of letters"),
        ("https:", "javascript:", 4, "url: must be a URL with https:// or http://"),
        ("https://sandbox", "https://[sandbox", 4, "url: must be a URL with https:// or http://"),
        ("90 days", "90", 16, "messageTypes.letter.validity: must be a time such as 90 days"),
        ("90 days", "0 days", 16, "messageTypes.letter.validity: must be a time such as 90 days"),
        ("90 days", "101 years", 16, "validity: must be a time such as"),
        ("90 days", "90 weeks", 16, "validity: must be a time such as"),
        ("      app: [letter]", "      ap: [letter]", 8, "there is no application ap in this file"),
        ("[letter]", "[leter]", 8, "sends.app[1]: there is no message type leter in this file"),
        ("[letter]", "[letter, letter]", 8, "sends.app[2]: names letter again"),
        ("[letter]", "[]", 8, "sends.app: must be a list with at least one item"),
        ("[letter]", "letter", 8, "sends.app: must be a list with at least one item"),
        ("messageType: l", "messageType: x", 19, "there is no message type xetter in this file"),
        (
            "    body",
            "    name",
            21,
            "templates.reminder.name: stands here twice, first in line 20",
        ),
        ("language: nl", "language: en", 6, "logos.logo.language: must be one of nl, fr, de"),
        ("file: logos/square.png, ", "", 6, "logos.logo: has no file"),
    ],
)
def test_a_fault_is_told_with_its_line_and_member(faults, old, new, line, fault):
    told = faults(old, new)

    assert [text for number, text in told if number == line and fault in text] != [], told


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_lines(refdata, file):
    text = GOOD.replace("90 days", "long").replace("[letter]", "[leter]").replace("https", "ftp")
    file.write_text(text.replace("messageType: letter", "messageType: l"), encoding="utf-8")

    told = faults_of(file, refdata("check", file))

    assert [number for number, _ in told] == [4, 8, 16, 19]


def test_faults_are_told_to_programs_too(refdata, file):
    file.write_text(GOOD.replace("90 days", "long"), encoding="utf-8")

    done = refdata("check", "--json", file)

    assert (done.code, done.err) == (2, "")
    assert json.loads(done.out) == {
        "isSound": False,
        "faults": [
            {
                "line": 16,
                "member": "messageTypes.letter.validity",
                "fault": "must be a time such as 90 days, 6 months or 2 years, at most a hundred"
                " years",
            }
        ],
    }


@pytest.mark.parametrize(
    ("content", "line", "fault"),
    [
        (b"", 1, "is empty"),
        (b"# nothing\n", 1, "is empty"),
        (b"- a\n", 1, "must be a list of names with a colon behind each"),
        (b"a: 1\nb: [\n", 3, "is no YAML: "),
        (b"a: 1\n---\nb: 1\n", 2, "is no YAML: but found another document"),
        (b"a: 1\nb: \xff\n", 2, "is not UTF-8"),
        (b"a: 1\nb: \x01\n", 2, "has a character that cannot be shown"),
        (b"a: " + b"[" * 100_000, 1, "is nested too deeply"),
        (b"a: *nobody\n", 1, "is no YAML: found undefined alias"),
        (b"? [a, b]\n: 1\n", 1, "has a name that is no text"),
        (b"#" * ((16 << 20) + 1), 1, "is larger than 16777216 characters"),
    ],
)
def test_what_is_no_such_file_is_told_where(refdata, file, content, line, fault):
    file.write_bytes(content)

    told = faults_of(file, refdata("check", file))

    assert any(number == line and text.startswith(fault) for number, text in told), told


def test_aliases_of_aliases_end(refdata, file):
    """A billion names in a few lines."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefgh")]
    file.write_text("\n".join(lines))

    told = faults_of(file, refdata("check", file))

    assert len(told) == len(lines) + 3


def test_texts_are_taken_as_they_are_written(refdata, file):
    """`no` is no truth value, and a number with zeros at its beginning is no octal one."""
    text = GOOD.replace("{nl: FOD, fr: SPF, de: FÖD}", "{nl: no, fr: 1.50, de: 2030-01-01}")
    file.write_text(text.replace('"0308357159"', "0206731645"), encoding="utf-8")

    assert refdata("check", file).code == 0


def test_a_byte_order_mark_does_no_harm(refdata, file):
    file.write_text(GOOD, encoding="utf-8-sig")

    assert refdata("check", file).code == 0


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, 2),
        ({"REGISTRY_ENVIRONMENT": "test"}, 0),
        ({"REGISTRY_ENVIRONMENT": "acceptation"}, 2),
        ({"REGISTRY_CHECK_DIGITS": "false"}, 0),
    ],
)
def test_check_digits_count_where_mail_is_real(refdata, file, settings, code):
    file.write_text(GOOD.replace("0308357159", "0308357158"), encoding="utf-8")

    assert refdata("check", file, env=settings).code == code


# logos


def picture(kind, side=48):
    content = BytesIO()
    Image.new("RGB", (side, side)).save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("a.gif", "GIF"), ("a.JPG", "JPEG"), ("a.jpeg", "JPEG")]
)
def test_pictures_of_the_contract_are_taken(refdata, file, name, kind):
    (file.parent / name).write_bytes(picture(kind, 99))
    file.write_text(GOOD.replace("logos/square.png", name), encoding="utf-8")

    assert refdata("check", file).code == 0


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.png", None, "names a.png, where there is no file"),
        ("a.png", a_png(100), "names a.png of 100 by 100 pixels; a logo has fewer than 100"),
        ("a.png", picture("JPEG"), "names a.png, which is image/jpeg by its bytes"),
        ("a.png", a_png()[:20], "names a.png, which is no PNG, GIF or JPEG"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "is no PNG"),
        ("a.png", a_png() + bytes(64 << 10), "names a.png, which is larger than 64 KiB"),
        ("a.webp", picture("WEBP"), "names a.webp, which is no PNG, GIF or JPEG"),
    ],
)
def test_other_pictures_are_told(faults, file, name, content, fault):
    if content is not None:
        (file.parent / name).write_bytes(content)

    ((line, text),) = faults("logos/square.png", name)

    assert line == 6
    assert text.startswith("organizations.0308357159.logos.logo.file: ")
    assert fault in text


def test_no_file_outside_the_folder_is_read(faults, file, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(a_png())
    (file.parent / "link.png").symlink_to(outside)

    for name in (str(outside), f"../{outside.parent.name}/secret.png", "link.png"):
        ((_, text),) = faults("logos/square.png", name)

        assert text.endswith("must be a path below the folder of this file")


def test_a_pipe_keeps_nobody_waiting(faults, file):
    os.mkfifo(file.parent / "pipe.png")

    ((_, text),) = faults("logos/square.png", "pipe.png")

    assert text.endswith("where there is no file")


# the file itself, and the one to start from


def test_a_file_that_is_not_there_is_told(refdata, tmp_path):
    done = refdata("check", tmp_path / "nothing.yaml")

    assert done.code == 2
    assert "nothing.yaml' does not exist" in done.err


def test_the_example_is_sound_and_says_what_to_do(refdata, tmp_path):
    path = tmp_path / "start.yaml"

    written = refdata("edit-example", path)

    assert (written.code, written.err) == (0, "")
    assert written.out == f"{path} is written. Edit it, then: registry refdata check {path}\n"
    assert refdata("check", path).code == 0
    assert refdata("edit-example").out == path.read_text(encoding="utf-8")


def test_no_file_is_replaced_by_the_example(refdata, file):
    done = refdata("edit-example", file)

    assert done.code == 2
    assert f"{file} is there already, and is not replaced." in done.err
    assert file.read_text(encoding="utf-8") == GOOD


def test_an_example_that_cannot_be_written_is_told(refdata, tmp_path):
    done = refdata("edit-example", tmp_path / "nowhere" / "a.yaml")

    assert done.code == 2
    assert "a.yaml cannot be written: No such file or directory." in done.err
