"""The page of evidence, opened from a disk in a real browser that has no network."""

import base64
import re
import subprocess

import pytest

from tests.unit.audit.test_evidence import LETTER, a_page, a_proof

pytestmark = pytest.mark.process

VERDICT = re.compile('<p id="verdict" role="status" class="([a-z]+)">([^<]+)</p>')


@pytest.fixture
def open_page(tmp_path):
    """Open a page; gives its verdict, in a word and a sentence, and the page as it is then."""

    def show(page):
        path = tmp_path / "evidence.html"
        path.write_bytes(page)
        command = [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", path.as_uri()]
        dom = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=True
        ).stdout
        match = VERDICT.search(dom)
        assert match, dom[:3000]
        return match[1], match[2], dom

    return show


def test_the_page_checks_its_own_proof(open_page):
    verdict, sentence, dom = open_page(a_page(a_proof()))

    assert (verdict, sentence) == (
        "holds",
        "It holds: 2 entries are as they were sealed and signed.",
    )
    assert dom.count("<td>holds</td>") == 2


def test_a_proof_that_nobody_signed_as_a_whole_says_so(open_page):
    verdict, sentence, _ = open_page(a_page(a_proof(private_key=None)))

    assert verdict == "holds"
    assert sentence.endswith("entries may be left out of it.")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'count\\":6', b'count\\":7', "A signature is not that of the key"),
        (b"09:00:05", b"09:00:06", "does not hold entry 5"),
        (b'"key:01"', b'"key:02"', "does not hold entry 2"),
        (b'"index":1', b'"index":0', "does not hold entry 2"),
        (b"ebox-audit-bundle/2", b"ebox-audit-bundle/3", "a form that the page does not know"),
    ],
)
def test_a_changed_proof_does_not_hold(open_page, old, new, reason):
    proof = a_proof()
    assert old in proof
    page = a_page(proof)
    changed = page.replace(base64.b64encode(proof), base64.b64encode(proof.replace(old, new, 1)))

    verdict, sentence, _ = open_page(changed)

    assert verdict == "fails"
    assert reason in sentence


def test_a_page_about_another_letter_than_its_proof_does_not_hold(open_page):
    other = LETTER.replace("0b6f", "1b6f").encode()

    verdict, sentence, _ = open_page(a_page(a_proof()).replace(LETTER.encode(), other))

    assert (verdict, sentence.startswith("It does NOT hold.")) == ("fails", True)
