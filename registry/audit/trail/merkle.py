"""The Merkle tree of RFC 6962, section 2.1, over leaves that are hashes already.

RFC 6962 splits from above, at the largest power of two. Pairing from below, where the last of an
odd number moves up unchanged, builds the same tree in linear time.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()


def compute_root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root of the tree over these leaf hashes; `EMPTY` for none."""
    level = leaves
    while len(level) > 1:
        level = _pair_up(level)
    return level[0] if level else EMPTY


def find_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Find the proof that leaf `index` is in the tree: the nodes beside its way up.

    RFC 6962, 2.1.1. Raises `IndexError` where there is no such leaf.
    """
    return next(find_paths(leaves, [index]))


def find_paths(leaves: Sequence[bytes], indexes: Iterable[int]) -> Iterator[list[bytes]]:
    """Find the proof for each index, in their order; the tree is hashed only once."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(_pair_up(levels[-1]))
    for index in indexes:
        if not 0 <= index < len(leaves):
            raise IndexError(f"There is no leaf {index} among {len(leaves)}.")
        # The neighbour of node n is n xor 1; the last of an odd level has none.
        yield [
            level[neighbour]
            for height, level in enumerate(levels)
            if (neighbour := index >> height ^ 1) < len(level)
        ]


def compute_root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Compute the root that a proof leads to, for leaf `index` of `size`.

    Raises `ValueError` where a proof of this length is none for that place.
    """
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} among {size}.")
    node, neighbours = leaf, iter(path)
    while size > 1:
        if index ^ 1 < size:
            neighbour = next(neighbours, None)
            if neighbour is None:
                raise ValueError("The proof is too short.")
            is_right = index % 2
            node = _hash_pair(neighbour, node) if is_right else _hash_pair(node, neighbour)
        index, size = index // 2, (size + 1) // 2
    if next(neighbours, None) is not None:
        raise ValueError("The proof is too long.")
    return node


def _pair_up(level: Sequence[bytes]) -> list[bytes]:
    parents = [_hash_pair(*pair) for pair in zip(level[::2], level[1::2], strict=False)]
    if len(level) % 2:
        parents.append(level[-1])
    return parents


def _hash_pair(first: bytes, second: bytes) -> bytes:
    return sha256(b"\1" + first + second).digest()
