"""Chance that is the same on every machine and in every order: a hash of who and what for."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")

_BITS = 64


def draw(customer_id: str, purpose: str) -> float:
    """Draw from [0, 1); the same customer and purpose always draw the same."""
    digest = hashlib.blake2b(
        f"cohortd-demo/{purpose}/{customer_id}".encode(), digest_size=_BITS // 8
    ).digest()
    # 53 bits are what a float holds; all 64 could round up to 1.0.
    return (int.from_bytes(digest, "big") >> (_BITS - 53)) / float(1 << 53)


def pick(customer_id: str, purpose: str, choices: Sequence[Choice]) -> Choice:
    """Choose one of *choices*."""
    return choices[int(draw(customer_id, purpose) * len(choices))]


def band(customer_id: str, purpose: str, shares: Sequence[tuple[Choice, float]]) -> Choice:
    """Choose by share; the last choice takes what the shares leave."""
    left = draw(customer_id, purpose)
    for choice, share in shares[:-1]:
        if left < share:
            return choice
        left -= share
    return shares[-1][0]
