"""The tree of RFC 6962, against the reference tree of Certificate Transparency and its own text."""

from hashlib import sha256
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.trail.merkle import (
    compute_root,
    compute_root_from_path,
    find_path,
    find_paths,
)

INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
REFERENCE = [sha256(b"\0" + bytes.fromhex(data)).digest() for data in INPUTS]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
SIZES = st.integers(1, 70)


def some_leaves(size):
    return [sha256(bytes([n])).digest() for n in range(size)]


def by_the_rules(leaves):
    """RFC 6962, 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + by_the_rules(leaves[:split]) + by_the_rules(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_reference_trees_have_the_known_roots(size):
    assert compute_root(REFERENCE[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("place", "nodes"), PATHS.items())
def test_the_reference_proofs_are_the_known_ones(place, nodes):
    index, size = place

    assert [node.hex() for node in find_path(REFERENCE[:size], index)] == nodes


@given(SIZES)
def test_pairing_from_below_builds_the_tree_that_the_rfc_splits_from_above(size):
    assert compute_root(some_leaves(size)) == by_the_rules(some_leaves(size))


@given(SIZES, st.data())
def test_every_proof_leads_to_the_root(size, data):
    leaves, index = some_leaves(size), data.draw(st.integers(0, size - 1))

    assert compute_root_from_path(
        leaves[index], index, size, find_path(leaves, index)
    ) == compute_root(leaves)


@given(st.integers(2, 70), st.data())
def test_a_proof_is_for_one_leaf_in_one_place_only(size, data):
    leaves = some_leaves(size)
    index, other = data.draw(
        st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True)
    )
    proof = find_path(leaves, index)

    assert compute_root_from_path(leaves[other], index, size, proof) != compute_root(leaves)
    assert leads_elsewhere(leaves[index], other, size, proof, compute_root(leaves))


def leads_elsewhere(leaf, index, size, proof, expected):
    try:
        return compute_root_from_path(leaf, index, size, proof) != expected
    except ValueError:
        return True


@given(SIZES, st.data())
def test_a_proof_of_another_length_is_refused(size, data):
    leaves, index = some_leaves(size), data.draw(st.integers(0, size - 1))
    proof = find_path(leaves, index)

    with pytest.raises(ValueError, match="too long"):
        compute_root_from_path(leaves[index], index, size, [*proof, leaves[0]])
    if proof:
        with pytest.raises(ValueError, match="too short"):
            compute_root_from_path(leaves[index], index, size, proof[:-1])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index, size):
    with pytest.raises(IndexError):
        find_path(some_leaves(size), index)
    with pytest.raises(ValueError, match="There is no leaf"):
        compute_root_from_path(b"", index, size, [])


def test_many_proofs_of_one_tree_are_each_the_one_for_its_leaf():
    leaves = some_leaves(11)

    assert list(find_paths(leaves, [10, 0, 3])) == [
        find_path(leaves, index) for index in (10, 0, 3)
    ]


def test_proofs_are_made_when_they_are_asked_for():
    assert len(list(islice(find_paths(some_leaves(3), [0, 1, 99]), 2))) == 2
