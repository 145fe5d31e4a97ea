"""The removal log checked in one reading, nothing kept: whether all is well, not what is wrong."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from cohortd.core.removals import RemovalEntry, SignedHead, Tree
from consent.merkle import grow
from consent.removal_log import follows, is_signed_by_any


class Survey:
    """What a log comes to whose entries are handed over in their order, however many."""

    def __init__(self, kept: Iterable[SignedHead] = (), *, public_keys: Collection[str]) -> None:
        """Take what the log is held to.

        Args:
            kept: Heads that were kept outside the database, in any order.
            public_keys: 32 bytes each, hex: the keys that heads may be signed by.
        """
        #: How many entries there were, and the newest one's hash.
        self.size, self.newest = 0, ""
        self._public_keys = public_keys
        self._kept: dict[int, list[SignedHead]] = defaultdict(list)
        for head in kept:
            self._kept[head.seq].append(head)
        self._tree = Tree()
        self._is_sound = True

    def take(self, entries: Iterable[RemovalEntry]) -> None:
        """Take the next entries in; behind the first that does not fit nothing is looked at."""
        waiting: list[str] = []
        for entry in entries:
            self._is_sound &= entry.seq == self.size + 1 and follows(self.newest, entry)
            if not self._is_sound:
                return
            self.size, self.newest = entry.seq, entry.hash
            waiting.append(entry.hash)
            if entry.seq in self._kept:
                self._tree, waiting = grow(self._tree, waiting), []
                self._is_sound &= all(self._fits(head) for head in self._kept[entry.seq])
        self._tree = grow(self._tree, waiting)

    def is_whole(self, head: SignedHead | None) -> bool:
        """Whether it is the log of its signed head, and of every head that was kept of it."""
        if not self._is_sound or any(not 1 <= seq <= self.size for seq in self._kept):
            return False
        if head is None:
            return not self.size
        return head.seq == self.size and self._fits(head)

    def _fits(self, head: SignedHead) -> bool:
        """Whether a head of the newest entry is true, and by us."""
        is_root = not head.root or head.root == self._tree.root
        return head.hash == self.newest and is_root and is_signed_by_any(head, self._public_keys)
