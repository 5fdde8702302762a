"""The Merkle tree of RFC 6962, section 2.1, over leaves that are hashed already.

RFC 6962 splits from above, at the largest power of two. Pairing from below, where the last of an
odd number moves up as it is, builds the same tree in linear time.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of the tree over these leaf hashes; that of nothing for none."""
    level = leaves
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else EMPTY


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What proves that leaf `index` is in the tree: the nodes beside its way up (RFC 6962, 2.1.1).

    Raises `IndexError` where there is no such leaf.
    """
    return next(paths(leaves, [index]))


def paths(leaves: Sequence[bytes], indexes: Iterable[int]) -> Iterator[list[bytes]]:
    """The proof for each index; the tree is hashed but once."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        levels.append(_parents(levels[-1]))
    for index in indexes:
        if not 0 <= index < len(leaves):
            raise IndexError(f"There is no leaf {index} among {len(leaves)}.")
        yield [
            level[beside]
            for height, level in enumerate(levels)
            if (beside := index >> height ^ 1) < len(level)
        ]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a proof leads to, for leaf `index` of `size`; to compare with the known one.

    Raises `ValueError` where a proof of this length is none for that place.
    """
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} among {size}.")
    node, beside = leaf, iter(path)
    while size > 1:
        if index ^ 1 < size:
            sibling = next(beside, None)
            if sibling is None:
                raise ValueError("The proof is too short.")
            node = _parent(sibling, node) if index % 2 else _parent(node, sibling)
        index, size = index // 2, (size + 1) // 2
    if next(beside, None) is not None:
        raise ValueError("The proof is too long.")
    return node


def _parents(level: Sequence[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [sha256(b"\1" + left + right).digest() for left, right in pairs]
    if len(level) % 2:
        above.append(level[-1])
    return above


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
