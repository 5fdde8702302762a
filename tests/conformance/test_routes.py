"""What is served is what the document describes, no more and no less."""

import re

import pytest

from registry.api.v2.schemas.parameters import PathSchema as PathSchema2
from registry.api.v3.schemas.parameters import PATH_NAMES
from tests.conformance.bases import V2
from tests.conformance.validation import VERSION_2, VERSION_3, implemented
from tests.conftest import V3

AUTOMATIC = {"HEAD", "OPTIONS"}  # Flask answers these for every GET
FOR_PEOPLE = (".get_doc_page", ".get_doc_file")  # no part of the contract


def list_rules(app):
    """The rules of what programs call."""
    return [rule for rule in app.url_map.iter_rules() if not rule.endpoint.endswith(FOR_PEOPLE)]


def served(app, base):
    """Method and path below the base of every rule; parameters are but places.

    The official examples publish with a slash at the end (contract 6.22): no path of its own.
    """
    return {
        (method, re.sub(r"<[^>]+>", "{}", rule.rule.removeprefix(base)).removesuffix("/"))
        for rule in list_rules(app)
        if rule.rule.startswith(f"{base}/")
        for method in rule.methods - AUTOMATIC
    }


def described(contract):
    return {(method, re.sub(r"{\w+}", "{}", path)) for method, path in contract.implemented()}


@pytest.mark.parametrize("kind", V3)
@pytest.mark.parametrize(("contract", "bases"), [(VERSION_3, V3), (VERSION_2, V2)])
def test_the_operations_that_are_served_are_those_that_are_described(app, kind, contract, bases):
    assert served(app, bases[kind]) == described(contract)


def test_nothing_is_served_outside_the_base_paths(app):
    bases = [*V3.values(), *V2.values()]
    outside = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith(tuple(f"{base}/" for base in bases))
    }

    assert outside == set()


def test_a_path_parameter_keeps_its_name_on_the_way_in(app):
    """A view's argument is named as `PATH_NAMES` translates it, or `reads` would not find it."""
    described_names = {name for _, path in implemented() for name in re.findall(r"{(\w+)}", path)}
    served_names = {name for rule in list_rules(app) for name in rule.arguments}

    assert {PATH_NAMES[name] for name in served_names} == described_names


def test_version_2_names_its_path_parameters_as_version_3_does():
    ours = {name: field.data_key for name, field in PathSchema2().fields.items()}

    assert ours.items() <= PATH_NAMES.items()
