"""The removal log as a Merkle tree (RFC 6962): some of its entries are proven without showing the others.

A leaf is the hash of an entry, a root stands for all entries up to one. A tree that only grows is kept
by its peaks: the roots of its whole subtrees, the largest first, no more than one a binary digit of its
size.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from cohortd.core.removals import Tree

_DIGITS: Final = 64


def grow(tree: Tree, hashes: Iterable[str]) -> Tree:
    """Put entries' hashes behind those that are in the tree; hex in, hex out."""
    peaks = [tree.peaks[at : at + _DIGITS] for at in range(0, len(tree.peaks), _DIGITS)]
    size = tree.size
    for digest in hashes:
        top, number = _leaf(digest), size
        while number & 1:  # the last peaks are as large as what was just made
            top = _node(peaks.pop(), top)
            number >>= 1
        peaks.append(top)
        size += 1
    return Tree(size, "".join(peaks), _root(peaks))


def audit_paths(hashes: Iterable[str], numbers: Iterable[int]) -> list[list[str]]:
    """Return, for each entry by its number from 1, the hashes that lead from it to the root."""
    levels = [[_leaf(digest) for digest in hashes]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        levels.append([*above, *below[len(above) * 2 :]])  # a last one without a partner goes up as it is
    return [_path(levels, number - 1) for number in numbers]


def leads_to(root: str, digest: str, *, number: int, size: int, path: Sequence[str]) -> bool:
    """Whether an entry's hash is the one at *number*, from 1, in the tree of this size and root.

    Source: RFC 9162, 2.1.3.2.
    """
    if not 1 <= number <= size:
        return False
    at, last, top = number - 1, size - 1, _leaf(digest)
    for sibling in path:
        if not last:
            return False
        if at & 1 or at == last:
            top = _node(sibling, top)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            top = _node(top, sibling)
        at, last = at >> 1, last >> 1
    return not last and top == root


def growth_path(hashes: Sequence[str], size: int) -> list[str]:
    """Return the hashes that lead from the tree of the first *size* entries, 1 or more, to that of all.

    Source: RFC 6962, 2.1.2.
    """
    return _growth([_leaf(digest) for digest in hashes], size, is_whole=True)


def grew(old: tuple[int, str], new: tuple[int, str], path: Sequence[str]) -> bool:
    """Whether the tree of this size and root begins with that of the other one, 1 or more entries.

    Source: RFC 9162, 2.1.4.2.
    """
    (size, root), (new_size, new_root) = old, new
    if not 1 <= size <= new_size or size == new_size:
        return size == new_size >= 1 and root == new_root and not path
    steps = list(path) if size & (size - 1) else [root, *path]
    if not steps:
        return False
    at, last = size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if not last:
            return False
        if at & 1 or at == last:
            before, after = _node(step, before), _node(step, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = _node(after, step)
        at, last = at >> 1, last >> 1
    return not last and (before, after) == (root, new_root)


def _growth(leaves: Sequence[str], size: int, *, is_whole: bool) -> list[str]:
    """The path within a subtree; *is_whole*: what is proven of it is known to the verifier."""
    if size == len(leaves):
        return [] if is_whole else [_top(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= half:
        return [*_growth(leaves[:half], size, is_whole=is_whole), _top(leaves[half:])]
    return [*_growth(leaves[half:], size - half, is_whole=False), _top(leaves[:half])]


def _top(leaves: Sequence[str]) -> str:
    level = list(leaves)
    while len(level) > 1:
        above = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = [*above, *level[len(above) * 2 :]]
    return level[0]


def _path(levels: Sequence[Sequence[str]], at: int) -> list[str]:
    path = []
    for level in levels[:-1]:
        if at ^ 1 < len(level):
            path.append(level[at ^ 1])
        at >>= 1
    return path


def _root(peaks: Sequence[str]) -> str:
    if not peaks:
        return sha256(b"").hexdigest()
    top = peaks[-1]
    for peak in reversed(peaks[:-1]):
        top = _node(peak, top)
    return top


def _leaf(digest: str) -> str:
    return sha256(b"\x00" + bytes.fromhex(digest)).hexdigest()


def _node(left: str, right: str) -> str:
    return sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()
