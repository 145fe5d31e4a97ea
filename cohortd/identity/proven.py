"""Whether the kernel is used: only after it gave what hashlib and the rules give."""

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa

from cohortd.identity.cells import Placed
from cohortd.identity.digests import from_bytes
from cohortd.identity.kernel import SWITCHED_OFF, Kernel, is_built, is_switched_off
from cohortd.identity.normalizing import outcome
from cohortd.identity.rules import RULES, Rule
from cohortd.identity.steps import Where

_NOWHERE = Where(None, date(2000, 1, 1))
#: Past every length at which SHA-256 pads otherwise or goes on to another block.
_LENGTHS = range(3 * 64 + 1)
_TEXTS = [
    " Ann.B+tag@Gmail.COM\t",
    "a.b@googlemail.com",
    "a.b+c@ymail.com",
    "a.b+c@goodlemail.com",
    "x@sub.Example-1.org",
    "x@a--b.org",
    "x@ab--c.org",
    "x@-a.org",
    "x@a-.org",
    "x@a..org",
    "x@a.org.",
    "x@org",
    "@a.org",
    "x@y@a.org",
    "+@gmail.com",
    "x@" + "a" * 63 + ".org",
    "x@" + "a" * 64 + ".org",
    "x" * 70 + "@" + "a." * 60 + "org",
    "jos\u00e9@example.org",
    "Mr. O'Neil-Smith jr.",
    "12 High St",
    "0a" * 32,
    "a" * 63,
    "-",
    "",
    *(f"a{chr(code)}b" for code in range(129)),
    *(f"a{chr(code)}b@c.de" for code in range(129)),
    *(f"a@c{chr(code)}d.de" for code in range(129)),
]


@dataclass(frozen=True, slots=True)
class Proof:
    """The kernel, if there is one to be used, and what to tell people about it."""

    kernel: Kernel | None
    says: str


def how_it_hashes() -> str:
    """Say whether the native kernel is used, and if not, why."""
    return proven().says


@cache
def proven() -> Proof:
    """Load the kernel and try it, once a process."""
    if is_switched_off():
        return Proof(None, f"without the native kernel: {SWITCHED_OFF} is set")
    if not is_built():
        return Proof(None, "without the native kernel: it was not built")
    try:
        kernel = Kernel.load()
    except (OSError, AttributeError):
        return Proof(None, "without the native kernel: it does not load on this machine")
    except ValueError:
        return Proof(None, "without the native kernel: it was built from another version")
    if not is_right(kernel):
        return Proof(None, "without the native kernel: it failed its self-test")
    by = "SHA instructions" if kernel.has_sha_instructions else "portable code"
    return Proof(kernel, f"with the native kernel, by {by}")


def is_right(kernel: Kernel) -> bool:
    """Whether the kernel gives what Python gives, wherever it claims to know."""
    messages = [bytes(range(length)) for length in _LENGTHS]
    expected = from_bytes([hashlib.sha256(message).digest() for message in messages])
    if not np.array_equal(kernel.sha256(pa.array(messages, pa.large_binary())), expected):
        return False
    return all(_agrees(kernel, rule) for rules in RULES.values() for rule in rules.values())


def _agrees(kernel: Kernel, rule: Rule) -> bool:
    if rule.swift is None:
        return True
    placed = Placed(pa.array(_TEXTS, pa.large_string()), np.zeros(len(_TEXTS), dtype=np.int64), [_NOWHERE])
    taken = rule.swift(kernel, placed)
    return all(
        outcome(rule, text, _NOWHERE, hashed=False).sha256 == digest.tobytes().hex()
        for text, digest, known in zip(_TEXTS, taken.digests, taken.rows, strict=True)
        if known
    )
