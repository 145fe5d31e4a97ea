"""A rule applied to a column of texts: by the kernel what it takes, the rest by the steps."""

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES
from cohortd.identity.cells import Integers, Placed
from cohortd.identity.digests import Flags, from_arrow, from_bytes, from_hex, to_arrow
from cohortd.identity.kernel import Kernel, Taken, sha256
from cohortd.identity.normalizing import HASH_OF_NOTHING, Normalized, outcome
from cohortd.identity.outcomes import Outcomes
from cohortd.identity.remembered import Remembered
from cohortd.identity.rules import Rule, WhenHashed
from cohortd.identity.steps import Absent, ColumnStep
from cohortd.identity.text import unhashed

_OF_NOTHING = np.frombuffer(bytes.fromhex(HASH_OF_NOTHING), dtype=np.uint8)


def apply_rule(
    rule: Rule, placed: Placed, *, hashed: bool, kernel: Kernel | None, memory: Remembered | None
) -> Outcomes:
    """Say what becomes of texts, some of which may be the same.

    Args:
        hashed: Whether they are SHA-256 already.
        kernel: For the texts that it takes.
        memory: For those that go through the rule's steps.
    """
    if hashed and rule.when_hashed is not WhenHashed.IGNORE:
        return (
            _of_digests(rule, placed)
            if rule.when_hashed is WhenHashed.TAKE
            else _by_steps(rule, placed, hashed=True)
        )
    if rule.stays:
        stays = rule.stays(placed)
        left, rest, codes = _the_rest(rule, placed, stays, memory)
        chosen = np.arange(len(stays))
        chosen[left] = len(stays) + codes
        sent = pa.concat_arrays([placed.texts, rest.sent]).take(pa.array(chosen))
        return Outcomes(sent, _scattered(rest.reasons, stays, left, codes))
    if rule.swift and kernel:
        taken = rule.swift(kernel, placed)
        return _completed(taken, *_the_rest(rule, placed, taken.rows, memory))
    if rule.column_step:
        return _by_column_step(rule.column_step, placed, kernel)
    return _one_by_one(rule, placed, memory)


def _of_digests(rule: Rule, placed: Placed) -> Outcomes:
    """Check what was hashed at the source."""
    digests, sound = from_hex(placed.texts)
    left = np.flatnonzero(~(sound & (digests != _OF_NOTHING).any(axis=1)))
    once, codes = placed.take(left).distinct()
    return _completed(Taken(digests, sound), left, _by_steps(rule, once, hashed=True), codes)


def _completed(taken: Taken, left: Integers, rest: Outcomes, codes: Integers) -> Outcomes:
    """Bring the outcomes of the rest to their places among what was taken."""
    there, digests = taken.rows.copy(), taken.digests
    there[left] = np.asarray(rest.sent.is_valid())[codes]
    digests[left] = from_arrow(rest.sent)[codes]
    known = np.ones(len(there), dtype=np.bool_)
    known[left] = False
    return Outcomes(to_arrow(digests, there), _scattered(rest.reasons, known, left, codes))


def _by_column_step(step: ColumnStep, placed: Placed, kernel: Kernel | None) -> Outcomes:
    wheres = [placed.places[place] for place in placed.place_of.tolist()]
    found = [
        # Again, as for one value: what was dropped may have hidden a digest.
        unhashed(result) if isinstance(result, str) else result
        for result in step(placed.texts.to_pylist(), wheres)
    ]
    reasons = pa.array([one.reason if isinstance(one, Absent) else None for one in found], pa.string())
    there = np.array([isinstance(one, str) for one in found], dtype=np.bool_)
    texts = pa.array([one if isinstance(one, str) else "" for one in found], pa.large_string())
    return Outcomes(to_arrow(sha256(texts, kernel), there), reasons)


def _the_rest(
    rule: Rule, placed: Placed, known: Flags, memory: Remembered | None
) -> tuple[Integers, Outcomes, Integers]:
    """Let the steps decide about texts that are not *known*: which these are, and each one's outcome."""
    left = np.flatnonzero(~known)
    once, codes = placed.take(left).distinct()
    return left, _one_by_one(rule, once, memory), codes


def _one_by_one(rule: Rule, placed: Placed, memory: Remembered | None) -> Outcomes:
    if memory is None or rule.dated or not rule.digested:
        return _by_steps(rule, placed)
    return memory.outcomes(rule, placed, _by_steps)


def _scattered(reasons: pa.Array, known: Flags, left: Integers, codes: Integers) -> pa.Array:
    """Bring the reasons of the rest to their places; null elsewhere."""
    if reasons.null_count == len(reasons):
        return pa.nulls(len(known), pa.string())
    at = np.zeros(len(known), dtype=np.int64)
    at[left] = codes
    return reasons.take(pa.array(at, mask=known))


def _by_steps(rule: Rule, placed: Placed, *, hashed: bool = False) -> Outcomes:
    results = [
        outcome(rule, text, placed.places[place], hashed=hashed)
        for text, place in zip(placed.texts.to_pylist(), placed.place_of.tolist(), strict=True)
    ]
    reasons = pa.array([result.reason for result in results], pa.string())
    if rule.digested:
        return Outcomes(_digests(results), reasons)
    return Outcomes(pa.array([result.normalized for result in results], pa.large_string()), reasons)


def _digests(results: list[Normalized]) -> pa.Array:
    nothing = bytes(DIGEST_BYTES)
    digests = [bytes.fromhex(result.sha256) if result.sha256 else nothing for result in results]
    there = np.array([result.sha256 is not None for result in results], dtype=np.bool_)
    return to_arrow(from_bytes(digests), there)
