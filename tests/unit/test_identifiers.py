"""Enterprise numbers, SSINs and e-Boxes (belgif.md 2.10)."""

import pytest

from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Malformed, Ssin

WELL_FORMED_ENTERPRISES = {
    "the social security office": "0206731645",
    "a number with a zero in its check digits": "1000000021",
    "a remainder of zero, which gives 97": "0200004397",
    "a number that begins with 1": "1234567894",
}
ILL_FORMED = {
    "empty": "",
    "nine digits": "206731645",
    "eleven digits": "02067316450",
    "an establishment unit": "2206731645",
    "dots": "0206.731.645",
    "a country code": "BE0206731645",
    "a space before": " 0206731645",
    "a line break after": "0206731645\n",
    "a sign": "+206731645",
    "Arabic-Indic digits": "٠٢٠٦٧٣١٦٤٥",
    "full-width digits": "\uff10\uff12\uff10\uff16\uff17\uff13\uff11\uff16\uff14\uff15",
    "superscript digits": "\u2070\u00b2\u2070\u2076\u2077\u00b3\u00b9\u2076\u2074\u2075",
}
BIRTHS = {
    "a birth in the 1900s": "85073003328",
    "a birth in 2001": "01092399676",
    "a leap day of 2000, which 1900 did not have": "00022900145",
    "a leap day of 1984": "84022903302",
    "a bis number, sex unknown": "85273003371",
    "a bis number, sex known": "85473003317",
    "a bis number of a birth in 2001, sex unknown": "01292399622",
    "a bis number of a birth in 2001, sex known": "01492399665",
    "December in a bis number, sex unknown": "85323103376",
    "December in a bis number, sex known": "85523103322",
    "an unknown month": "85000003306",
    "an unknown month with a day": "85003103346",
    "an unknown day": "85070003355",
    "an unknown month in a bis number, any day": "85209903386",
    "an unknown month in a bis number, sex known": "85400003392",
    "counter 000 in a bis number": "85273000007",
    "counter 999 in a bis number": "85473099921",
    "a remainder of zero in the 1900s": "85073006197",
    "a remainder of zero from 2000": "01092300597",
}
NO_BIRTHS = {
    "a wrong check digit": "85073003329",
    "the e-Box documentation's own example": "71022722580",
    "a leap day that only the other century had": "00022900116",
    "a leap day of a common year": "85022903323",
    "31 April": "85043103374",
    "day 32": "85073203365",
    "30 February in a bis number": "85223003336",
    "month 13": "85133003370",
    "month 19": "85193003315",
    "month 33": "85333003316",
    "month 53": "85533003359",
    "month 60": "85603003311",
    "counter 000": "85073000061",
    "counter 999": "85073099932",
}


def named(cases):
    return pytest.mark.parametrize("text", cases.values(), ids=cases.keys())


@named(WELL_FORMED_ENTERPRISES)
def test_an_enterprise_number_with_right_check_digits_is_kept_as_written(text):
    assert EnterpriseNumber.parse(text).digits == text


@named(ILL_FORMED)
@pytest.mark.parametrize("checked", [True, False])
def test_nothing_but_ten_ascii_digits_is_an_enterprise_number(text, checked):
    with pytest.raises(Malformed):
        EnterpriseNumber.parse(text, check_digits=checked)


@pytest.mark.parametrize("text", ["0123456789", "0206731646", "0206731600", "0000000000"])
def test_an_enterprise_number_with_wrong_check_digits_passes_only_unchecked(text):
    with pytest.raises(Malformed):
        EnterpriseNumber.parse(text)

    assert EnterpriseNumber.parse(text, check_digits=False).digits == text


@pytest.mark.parametrize("check", [check for check in range(100) if check != 45])
def test_an_enterprise_number_has_but_one_pair_of_check_digits(check):
    with pytest.raises(Malformed):
        EnterpriseNumber.parse(f"02067316{check:02d}")


@pytest.mark.parametrize(
    ("claim", "number"),
    [
        ("0206731645", "0206731645"),
        ("206731645", "0206731645"),
        ("196", "0000000196"),
        ("0123456789", "0123456789"),
    ],
)
def test_a_claim_gets_back_the_zeros_it_lost_and_is_not_doubted(claim, number):
    assert EnterpriseNumber.from_claim(claim).digits == number


@pytest.mark.parametrize("claim", ["02067316450", "-206731645", "20673164x", "9206731645", "٢٠٦"])
def test_a_claim_that_padding_does_not_make_a_number_is_refused(claim):
    with pytest.raises(Malformed):
        EnterpriseNumber.from_claim(claim)


@named(BIRTHS)
def test_an_ssin_of_a_possible_birth_is_kept_as_written(text):
    assert Ssin.parse(text).digits == text


@named(NO_BIRTHS)
def test_an_ssin_of_no_possible_birth_passes_only_unchecked(text):
    with pytest.raises(Malformed):
        Ssin.parse(text)

    assert Ssin.parse(text, check_digits=False).digits == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8507300332",
        "850730033281",
        "85.07.30-033.28",
        "85073003328\n",
        " 85073003328",
        "٨٥٠٧٣٠٠٣٣٢٨",
    ],
)
@pytest.mark.parametrize("checked", [True, False])
def test_nothing_but_eleven_ascii_digits_is_an_ssin(text, checked):
    with pytest.raises(Malformed):
        Ssin.parse(text, check_digits=checked)


def test_a_refusal_repeats_no_part_of_the_number():
    with pytest.raises(Malformed) as refused:
        Ssin.parse("85073003329")

    assert "8507" not in str(refused.value)


@pytest.mark.parametrize(
    ("ebox", "key"),
    [
        (Ebox(EboxKind.ENTERPRISE, "0206731645"), "enterprise:0206731645"),
        (Ebox(EboxKind.CITIZEN, "85073003328"), "citizen:85073003328"),
    ],
)
def test_an_ebox_is_found_again_by_its_key(ebox, key):
    assert ebox.key == key
    assert Ebox.from_key(key) == ebox


def test_an_ebox_shows_its_number_under_the_name_of_its_kind_alone():
    enterprise = Ebox(EboxKind.ENTERPRISE, "0206731645")
    citizen = Ebox(EboxKind.CITIZEN, "85073003328")

    assert (enterprise.enterprise_number, enterprise.ssin) == ("0206731645", None)
    assert (citizen.enterprise_number, citizen.ssin) == (None, "85073003328")


def test_an_enterprise_and_a_citizen_never_share_a_key():
    keys = {Ebox(kind, "0206731645").key for kind in EboxKind}

    assert len(keys) == len(EboxKind)
