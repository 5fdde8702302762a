"""Names of files are shown as sent, but for what would mislead."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.attachments import MEDIA_TYPES
from registry.domain.filenames import decode_name, make_display_name


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("aanslag.pdf", "aanslag.pdf"),
        ("r\u00f4le 2026 (1).pdf", "r\u00f4le 2026 (1).pdf"),
        ("100%.pdf", "100%.pdf"),
        ("a+b.pdf", "a+b.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("C:\\letters\\1.pdf", "C:_letters_1.pdf"),
        ("a\0b\r\nc.pdf", "a_b__c.pdf"),
        ("exe.\u202efdp.exe", "exe.fdp.exe"),
        ("a\u2066b\u2028c.pdf", "ab_c.pdf"),
        ("a\u200bb\u00ad\ufeff\u3164c.pdf", "abc.pdf"),
        ("\U000e0041a.pdf", "a.pdf"),
        ("a\ud800.pdf", "a_.pdf"),
        (" a.pdf ", "a.pdf"),
        ("..", "__"),
        ("   ", ""),
        ("\u05d0\u200f.pdf", "\u05d0.pdf"),
        ("a.bat. . ", "a.bat"),
        ("a\ufe00\U000e0100.pdf", "a.pdf"),
    ],
)
def test_a_name_is_shown_without_what_would_mislead(sent, shown):
    assert make_display_name(sent) == shown


@pytest.mark.parametrize(
    ("sent", "decoded"),
    [
        ("r%C3%B4le.pdf", "r\u00f4le.pdf"),
        ("%E2%82%AC.pdf", "\u20ac.pdf"),
        ("100%.pdf", "100%.pdf"),
        ("100%25.pdf", "100%.pdf"),
        ("50% of %C3%B4.pdf", "50% of %C3%B4.pdf"),
        ("r%F4le.pdf", "r%F4le.pdf"),
        ("a+b.pdf", "a+b.pdf"),
        ("a%00b%0D%0Ac.pdf", "a\0b\r\nc.pdf"),
    ],
)
def test_an_encoded_name_is_decoded_once(sent, decoded):
    assert decode_name(sent) == decoded


@pytest.mark.parametrize(
    ("sent", "media_type", "shown"),
    [
        ("invoice.pdf.bat", "text/plain", "invoice.pdf.bat.txt"),
        ("invoice.PDF", "application/pdf", "invoice.PDF"),
        ("invoice.pdf ", "application/pdf", "invoice.pdf"),
        ("invoice.exe.", "application/pdf", "invoice.exe.pdf"),
        ("invoice.p\u200bdf", "application/pdf", "invoice.pdf"),
        ("J. Peeters", "application/pdf", "J. Peeters.pdf"),
        ("invoice", "application/pdf", "invoice"),
        # Dots that programs without Unicode take for one.
        ("invoice\uff0ebat", "application/pdf", "invoice\uff0ebat.pdf"),
        ("invoice\u2024bat", "text/plain", "invoice\u2024bat.txt"),
        (".htaccess", "text/plain", ".htaccess.txt"),
        ("data.csv", "text/plain", "data.csv"),
        ("x" * 251 + ".bat", "text/plain", "x" * 251 + ".txt"),
        ("x" * 252 + ".bat", "text/plain", "x" * 252 + ".bat.txt"),
        ("a.bat", "image/png", "a.bat"),
    ],
)
def test_the_last_extension_fits_the_media_type(sent, media_type, shown):
    assert make_display_name(sent, media_type) == shown


def test_every_media_type_has_its_extensions():
    for media_type in MEDIA_TYPES:
        assert make_display_name("a.bat", media_type) != "a.bat", media_type


@given(st.text())
def test_a_percent_encoded_name_is_the_name(name):
    written = name.encode(errors="ignore").decode()

    assert decode_name(quote(written, safe="")) == written


@given(st.text(st.characters()))
def test_nothing_unfit_is_ever_shown(name):
    shown = make_display_name(name)

    assert not set(shown) & set("/\\\0\u202e")
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Cf"}
    assert shown.encode().decode() == shown
    assert len(shown) <= len(name)


def test_names_that_differ_in_what_is_unfit_stay_different_from_the_rest():
    assert make_display_name("a/b.pdf") != make_display_name("ab.pdf")
