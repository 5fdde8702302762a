"""Sets of reference data: what differs between two, and how one is written."""

from registry.cli.refdata.writer import write_yaml
from registry.domain.reference_set import (
    EntryName,
    MemberChange,
    ReferenceAction,
    ReferenceChange,
    ReferenceKind,
    ReferenceLogo,
    ReferenceOrganization,
    ReferenceSet,
    ReferenceType,
    Sending,
    compare_sets,
)


def text(words):
    return {"nl": words, "fr": words, "de": words}


def an_organization(**changes):
    values = {
        "short_name": text("A"),
        "long_name": None,
        "url": None,
        "contact_business": None,
        "contact_technical": None,
        "logos": {},
    }
    return ReferenceOrganization(**{**values, **changes})


def a_set(**changes):
    values = {
        "organizations": {"0308357159": an_organization()},
        "applications": {},
        "message_types": {},
        "templates": {},
        "sendings": frozenset(),
    }
    return ReferenceSet(**{**values, **changes})


def a_type(number=2, unit="year"):
    return ReferenceType(
        name=text("T"), description=None, validity_number=number, validity_unit=unit
    )


def test_equal_sets_do_not_differ():
    assert compare_sets(a_set(), a_set()) == ()


def test_what_comes_goes_and_changes_is_found():
    old = a_set(message_types={"a": a_type(), "b": a_type()})
    new = a_set(message_types={"b": a_type(1, "month"), "c": a_type()})

    added, changed, removed = sorted(compare_sets(old, new))

    assert (added.action, added.name) == (
        ReferenceAction.ADD,
        EntryName(ReferenceKind.MESSAGE_TYPE, "c"),
    )
    assert changed == ReferenceChange(
        ReferenceAction.CHANGE,
        EntryName(ReferenceKind.MESSAGE_TYPE, "b"),
        (MemberChange("validity", "2 years", "1 month"),),
    )
    assert (removed.action, removed.name.identifier) == (ReferenceAction.REMOVE, "a")


def test_a_logo_of_equal_size_is_another_one():
    logos = [
        {"logo": ReferenceLogo(media_type="image/png", content=content)} for content in (b"a", b"b")
    ]
    old, new = (a_set(organizations={"1": an_organization(logos=each)}) for each in logos)

    (change,) = compare_sets(old, new)

    assert [member.member for member in change.members] == ["logos.logo"]


def test_who_may_send_what_is_compared():
    sending = Sending("0308357159", "app", "letter")

    (change,) = compare_sets(a_set(), a_set(sendings=frozenset({sending})))

    assert change.name == EntryName(ReferenceKind.SENDING, "0308357159 app letter")


def test_the_same_set_is_written_the_same_in_whatever_order_it_comes():
    types = {"b": a_type(), "a": a_type()}

    assert write_yaml(a_set(message_types=types)) == write_yaml(
        a_set(message_types=dict(reversed(types.items())))
    )


def test_gaps_are_written_as_readers_see_them():
    written = write_yaml(a_set(organizations={"1": an_organization(short_name={"fr": "Seul"})}))

    assert "shortName: Seul\n" in written
