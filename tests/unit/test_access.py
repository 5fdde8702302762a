"""What a token opens, and which partitions its bearer may read (contract 6.5, 6.15, 6.36)."""

import pytest

from registry.domain.access import Caller, Operation, ScopeTable
from registry.domain.errors import PermissionMissing, ScopeMissing
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Ssin
from registry.domain.partitions import WHOLE_EBOX, Rights

ENTERPRISE = EnterpriseNumber("0206731645")
PERSON = Ssin("85073003328")
TABLE = ScopeTable(
    {
        "read": frozenset({Operation.READ_MESSAGES}),
        "all": frozenset({Operation.READ_MESSAGES, Operation.WHOLE_EBOX}),
        "represent": frozenset({Operation.CONSULT_FOR_ANOTHER}),
        "reference": frozenset({Operation.READ_REFERENCE}),
    }
)


def a_caller(*scopes, **changes):
    described = {"enterprise": ENTERPRISE, "person": None, **changes}
    return Caller("client", frozenset(scopes), "0" * 64, **described)


def an_application(*scopes):
    return a_caller(*scopes)


def a_human(*scopes, **changes):
    return a_caller(*scopes, person=PERSON, **changes)


def test_one_scope_that_opens_the_operation_is_enough():
    TABLE.check(a_caller("reference", "read", "unknown"), Operation.READ_MESSAGES)


@pytest.mark.parametrize("scopes", [(), ("reference",), ("unknown",), ("READ",), ("read ",)])
def test_without_a_scope_that_opens_it_the_operation_is_refused_with_all_that_would(scopes):
    with pytest.raises(ScopeMissing) as refused:
        TABLE.check(a_caller(*scopes), Operation.READ_MESSAGES)

    assert refused.value.scopes == ("all", "read")


def test_an_operation_that_no_scope_opens_is_closed_to_everybody():
    with pytest.raises(ScopeMissing) as refused:
        TABLE.check(a_caller("all", "read", "reference"), Operation.NOTIFY)

    assert refused.value.scopes == ()


EBOX = Ebox(EboxKind.ENTERPRISE, ENTERPRISE.digits)
OTHER = Ebox(EboxKind.ENTERPRISE, "0403170701")


@pytest.mark.parametrize("scopes", [("all",), ("read", "all")])
@pytest.mark.parametrize("person", [None, PERSON])
def test_the_consumers_scope_lifts_the_limit_to_partitions(scopes, person):
    assert TABLE.limit(a_caller(*scopes, person=person), EBOX) is None


def test_without_the_consumers_scope_a_persons_rights_limit_the_caller():
    assert TABLE.limit(a_human("read"), EBOX) == PERSON


def test_without_that_scope_and_without_a_person_nothing_is_open():
    with pytest.raises(PermissionMissing):
        TABLE.limit(an_application("read"), EBOX)


@pytest.mark.parametrize("caller", [an_application("all"), a_human("read"), a_human("all")])
def test_ones_own_rights_open_no_ebox_of_another(caller):
    with pytest.raises(PermissionMissing):
        TABLE.limit(caller, OTHER)


def test_a_representative_sees_the_whole_ebox_of_another():
    assert TABLE.limit(an_application("represent"), OTHER) is None
    with pytest.raises(PermissionMissing):
        TABLE.limit(an_application("represent"), EBOX)


def test_a_citizen_has_no_partitions_to_be_limited_to():
    caller = a_human("read", enterprise=None)

    assert TABLE.limit(caller, Ebox(EboxKind.CITIZEN, PERSON.digits)) is None


def test_who_acts_for_an_enterprise_has_no_citizens_ebox():
    with pytest.raises(PermissionMissing):
        a_human("read").ebox(EboxKind.CITIZEN)


def test_a_callers_ebox_is_that_of_the_owner_his_token_names():
    citizen = a_human(enterprise=None)

    assert a_human().ebox(EboxKind.ENTERPRISE) == EBOX
    assert citizen.ebox(EboxKind.CITIZEN) == Ebox(EboxKind.CITIZEN, PERSON.digits)


@pytest.mark.parametrize(
    ("caller", "kind"),
    [
        (a_caller(enterprise=None, person=PERSON), EboxKind.ENTERPRISE),
        (a_caller(enterprise=None), EboxKind.CITIZEN),
    ],
)
def test_a_token_without_an_owner_of_that_kind_opens_no_ebox(caller, kind):
    with pytest.raises(PermissionMissing):
        caller.ebox(kind)


def test_who_reads_the_whole_ebox_looks_where_he_asks_and_else_everywhere():
    assert WHOLE_EBOX.narrow(frozenset()) is None
    assert WHOLE_EBOX.narrow(frozenset({"B", "unknown"})) == {"B", "unknown"}
    assert WHOLE_EBOX.allow("B")
    assert WHOLE_EBOX.allow(None)


RIGHTS = Rights(frozenset({"GENERAL", "B"}), frozenset({"GENERAL", "B", "closed"}))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (set(), {"GENERAL", "B"}),
        ({"B"}, {"B"}),
        ({"B", "unknown"}, {"B"}),
        ({"unknown"}, set()),
    ],
)
def test_who_is_limited_looks_in_his_own_partitions_among_those_asked_for(asked, found):
    assert RIGHTS.narrow(frozenset(asked)) == found


@pytest.mark.parametrize("asked", [{"closed"}, {"B", "closed"}, {"unknown", "closed"}])
def test_asking_for_a_partition_without_right_is_refused(asked):
    with pytest.raises(PermissionMissing):
        RIGHTS.narrow(frozenset(asked))


def test_a_person_without_any_right_sees_nothing_rather_than_everything():
    nothing = Rights(frozenset(), frozenset({"GENERAL"}))

    assert nothing.narrow(frozenset()) == frozenset()
    assert not nothing.allow("GENERAL")


def test_a_message_in_a_partition_is_shown_only_with_the_right_on_it():
    assert RIGHTS.allow("B")
    assert not RIGHTS.allow("closed")
    assert not RIGHTS.allow("unknown")
    assert not RIGHTS.allow(None)
