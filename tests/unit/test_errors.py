"""Errors speak for themselves."""

import pytest

from registry.domain import errors
from registry.domain.errors import Issue, RegistryError

PLAIN = [
    error
    for error in RegistryError.__subclasses__()
    if error.__init__ is RegistryError.__init__  # those that need nothing to be raised
]


@pytest.mark.parametrize("error", PLAIN)
def test_an_error_says_what_its_docstring_says_unless_it_is_told_better(error):
    assert error().detail == error.__doc__
    assert str(error("Told better.")) == "Told better."


def test_an_invalid_request_keeps_all_its_faults_in_order():
    issues = [Issue("query", "page", "is not a number"), Issue("query", "q", "is too long")]

    assert errors.Invalid(iter(issues)).issues == tuple(issues)


def test_an_invalid_request_goes_by_the_code_of_its_first_fault_unless_it_is_given_one():
    digest = Issue("body", "digest", "Issue with Digest", code="DIGEST_DO_NOT_MATCH")
    other = Issue("body", "subject", "is too long")

    assert errors.Invalid([digest, other]).code == "DIGEST_DO_NOT_MATCH"
    assert errors.Invalid([other, digest]).code == "INVALID_INPUT"
    assert errors.Invalid([other], code="INVALID_SENDER").code == "INVALID_SENDER"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (1 << 30, "1 GiB"),
        (3 << 20, "3 MiB"),
        (8192, "8 KiB"),
        (1000, "1000 bytes"),
        ((1 << 30) + 1, "1073741825 bytes"),
    ],
)
def test_what_is_too_large_says_how_large_it_may_be(limit, said):
    assert errors.TooLarge(limit, "A file").detail == f"A file must not exceed {said}"


def test_a_quota_says_how_much_there_was_and_when_to_come_back():
    error = errors.TooManyRequests(1200, 17)

    assert error.detail == "Quota of 1200 requests reached, retry in 17 seconds"
