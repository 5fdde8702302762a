"""Each small fault is seen where it is, and nowhere else."""

import os
from functools import reduce

import pytest

from registry.conformance.catalogue import list_requirements
from tests.yardstick.conftest import failures
from tests.yardstick.mutants import READERS, WRITERS

# So many are planted side by side where it is looked for wrong places, which takes a whole run;
# with 1 each is alone, which takes ten times as long.
TOGETHER = int(os.environ.get("MUTANTS_TOGETHER", "7"))


def deal(mutants):
    """Deal them out, so that neighbours, which are much alike, are never together."""
    count = -(-len(mutants) // TOGETHER)
    return [mutants[number::count] for number in range(count)]


@pytest.fixture
def plant(front, stand):
    """Plant faults one before the other; gives the front with all of them."""
    fronts = []

    def before(mutants):
        changes = {name: value for mutant in mutants for name, value in mutant.settings.items()}
        served = stand(**changes) if changes else front
        makers = [mutant.make for mutant in mutants if mutant.make]
        served.fault = lambda app: reduce(lambda inner, make: make(inner), makers, app)
        fronts.append(served)
        return served

    yield before
    for served in fronts:
        served.fault = None


@pytest.mark.parametrize("mutant", [*READERS, *WRITERS], ids=lambda mutant: mutant.name)
def test_a_fault_is_seen_at_its_requirement(examine, plant, mutant):
    report = examine(plant([mutant]), profile=mutant.profile, only=sorted(mutant.caught_by))

    assert set(failures(report)) == mutant.caught_by, failures(report)


@pytest.mark.parametrize(
    "mutants", [*deal(READERS), *deal(WRITERS)], ids=lambda group: group[0].name
)
def test_faults_are_seen_nowhere_else(examine, plant, mutants):
    report = examine(plant(mutants), profile=mutants[0].profile)

    wanted = set().union(*(mutant.caught_by for mutant in mutants))
    assert set(failures(report)) == wanted, failures(report)


def test_there_are_thirty_of_them_and_more_and_each_breaks_what_is_required():
    mutants = [*READERS, *WRITERS]
    known = {requirement.id for requirement in list_requirements()}

    assert len({mutant.name for mutant in mutants}) == len(mutants) >= 30
    assert set().union(*(mutant.caught_by for mutant in mutants)) <= known
