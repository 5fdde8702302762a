"""The house is written in words that a newcomer can read; this counts where it is not."""

import ast
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

REGISTRY = Path(__file__).parents[2] / "registry"
# Frozen once they are released; their words are those of their day.
MODULES = sorted(
    path for path in REGISTRY.rglob("*.py") if "versions" not in path.relative_to(REGISTRY).parts
)

# Words that say that something happened, but not what a thing is.
IRREGULAR = set(
    """
    found told asked read shown kept given known seen left done taken held sent
    heard meant written made gone got said put lost built brought bought caught thought
    sought chosen drawn begun laid led met paid sold stood understood thrown grown hidden
    forgotten forgiven broken spoken dealt felt
    """.split()  # noqa: SIM905 - a text to read, not a list of quotes
)
VERBS = {"read", "put"}  # as a function's first word these are verbs
NOUNS = {"seed", "need", "speed", "feed", "embed", "hundred", "bed", "exceed", "proceed", "succeed"}
QUESTION = re.compile(
    r"(What|Whether|Where|When|How|Who|Whose|Whom|Which|Why|That|Same|The same|As above)\b"
)


def is_participle(word):
    plain = word.strip("_").lower()
    if plain in NOUNS:
        return False
    return plain in IRREGULAR or re.fullmatch(r"[a-z]{2,}ed", plain) is not None


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.relative_to(REGISTRY.parent), node


@pytest.fixture(scope="module")
def tree():
    return list(nodes())


def bindings(tree):
    """Every name that something is bound to: variables, parameters, fields."""
    for path, node in tree:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name, f"{path}:{node.lineno} {name}"
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, f"{path}:{node.lineno} {name}"


def functions(tree):
    for path, node in tree:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, f"{path}:{node.lineno} {node.name}"


def share(offenders, everything):
    return len(offenders) / len(everything)


def test_what_is_bound_is_named_by_what_it_is(tree):
    everything = list(bindings(tree))

    offenders = [place for name, place in everything if is_participle(name)]

    assert share(offenders, everything) <= 0.005, offenders


def test_functions_begin_with_a_verb_and_no_participle(tree):
    everything = list(functions(tree))

    offenders = [
        place
        for function, place in everything
        if (first := function.name.strip("_").split("_")[0]) not in VERBS and is_participle(first)
    ]

    assert share(offenders, everything) <= 0.005, offenders


def test_docstrings_say_what_a_thing_is_or_does(tree):
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    everything = [
        (docstring, f"{path}: {docstring.splitlines()[0]}")
        for path, node in tree
        if isinstance(node, kinds) and (docstring := ast.get_docstring(node))
    ]

    offenders = [place for docstring, place in everything if QUESTION.match(docstring)]

    assert share(offenders, everything) <= 0.01, offenders


def test_a_class_name_stands_once(tree):
    """Versions 2 and 3 are strangers, so each may have a class of the other's name."""
    places = defaultdict(list)
    for path, node in tree:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and node.name != "Meta":
            version = next((part for part in path.parts if part in ("v2", "v3")), "")
            places[node.name].append((version, path))

    doubled = {
        name: where
        for name, where in places.items()
        if len(where) > 1 and sorted(version for version, _ in where) != ["v2", "v3"]
    }

    assert doubled == {}


def test_rooms_are_small():
    """At most 300 lines a module, and half of them under a hundred."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}

    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}
    assert statistics.median(lengths.values()) <= 100


def test_functions_are_short(tree):
    """None over 45 lines, nine of ten within 20."""
    lengths = {place: node.end_lineno - node.lineno + 1 for node, place in functions(tree)}

    assert {place: lines for place, lines in lengths.items() if lines > 45} == {}
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 20
