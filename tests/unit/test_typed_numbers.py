"""Numbers as people type them mean the same in every command."""

import click
import pytest

from registry.domain.identifiers import Ebox, EboxKind, Malformed
from registry.terminal.numbers import EboxType, EnterpriseNumberType, parse_enterprise_number


@pytest.mark.parametrize(
    "typed",
    [
        "0999910048",
        "0999.910.048",
        "BE0999910048",
        "BE 0999.910.048",
        "be 0999 910 048",
        "999910048",
    ],
)
def test_an_enterprise_number_is_read_as_people_write_it(typed):
    assert parse_enterprise_number(typed, check_digits=True).digits == "0999910048"


@pytest.mark.parametrize(
    "typed",
    ["", "BE", "099991004", "999910049", "09999100481", "2999910048", "١٢٣٤٥٦٧٨٩", "0x99910048"],
)
def test_what_is_no_enterprise_number_is_refused(typed):
    with pytest.raises(Malformed):
        parse_enterprise_number(typed, check_digits=False)


def test_check_digits_are_looked_at_where_a_command_asks_for_it():
    assert parse_enterprise_number("0999910047", check_digits=False).digits == "0999910047"
    with pytest.raises(Malformed):
        parse_enterprise_number("0999910047", check_digits=True)


@pytest.mark.parametrize(
    ("typed", "ebox"),
    [
        ("enterprise:0999.910.048", Ebox(EboxKind.ENTERPRISE, "0999910048")),
        ("citizen:85.04.12-997.68", Ebox(EboxKind.CITIZEN, "85041299768")),
        ("999910048", Ebox(EboxKind.ENTERPRISE, "0999910048")),
        ("85041299768", Ebox(EboxKind.CITIZEN, "85041299768")),
    ],
)
def test_an_ebox_is_read_with_its_kind_or_by_its_length(typed, ebox):
    assert EboxType(check_digits=True, may_omit_kind=True).convert(typed, None, None) == ebox


@pytest.mark.parametrize("typed", ["citizen:85041299767", "club:1", "85041299768x", "enterprise:"])
def test_an_error_does_not_repeat_what_was_typed(typed):
    with pytest.raises(click.BadParameter) as refused:
        EboxType(check_digits=True).convert(typed, None, None)

    assert "85041299" not in refused.value.message


def test_a_value_that_was_read_is_left_as_it_is():
    number = parse_enterprise_number("0999910048", check_digits=True)

    assert EnterpriseNumberType().convert(number, None, None) is number
