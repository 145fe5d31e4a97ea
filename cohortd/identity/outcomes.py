"""What becomes of a column of texts under one rule: by the kernel what it takes, the rest by the steps."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES
from cohortd.identity.cells import Integers, Placed
from cohortd.identity.digests import Flags, from_arrow, from_bytes, to_arrow
from cohortd.identity.kernel import Kernel, sha256
from cohortd.identity.normalizing import Normalized, outcome
from cohortd.identity.rules import Rule
from cohortd.identity.steps import Absent, ColumnStep
from cohortd.identity.text import unhashed


@dataclass(frozen=True, slots=True)
class Outcomes:
    """For each text what is sent, or the reason why nothing is; the other one is null."""

    #: Digests, or large strings where the rule sends the value itself.
    sent: pa.Array
    reasons: pa.Array


def outcomes(rule: Rule, placed: Placed, *, hashed: bool, kernel: Kernel | None) -> Outcomes:
    """Apply one rule to texts that may be the same."""
    if rule.stays and not hashed:
        stays = rule.stays(placed)
        left, rest, codes = _the_rest(rule, placed, stays)
        chosen = np.arange(len(stays))
        chosen[left] = len(stays) + codes
        sent = pa.concat_arrays([placed.texts, rest.sent]).take(pa.array(chosen))
        return Outcomes(sent, _scattered(rest.reasons, stays, left, codes))
    if rule.swift and kernel and not hashed:
        taken = rule.swift(kernel, placed)
        left, rest, codes = _the_rest(rule, placed, taken.rows)
        there, digests = taken.rows.copy(), taken.digests
        there[left] = np.asarray(rest.sent.is_valid())[codes]
        digests[left] = from_arrow(rest.sent)[codes]
        return Outcomes(to_arrow(digests, there), _scattered(rest.reasons, taken.rows, left, codes))
    if rule.column_step and not hashed:
        return _by_column_step(rule.column_step, placed, kernel)
    return _by_steps(rule, placed, hashed=hashed)


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


def _the_rest(rule: Rule, placed: Placed, known: Flags) -> tuple[Integers, Outcomes, Integers]:
    """Let the steps decide about texts that are not *known*: which these are, and each one's outcome."""
    left = np.flatnonzero(~known)
    once, codes = placed.take(left).distinct()
    return left, _by_steps(rule, once, hashed=False), codes


def _scattered(reasons: pa.Array, known: Flags, left: Integers, codes: Integers) -> pa.Array:
    """Bring the reasons of the rest to their places; null elsewhere."""
    if reasons.null_count == len(reasons):
        return pa.nulls(len(known), pa.string())
    at = np.zeros(len(known), dtype=np.int64)
    at[left] = codes
    return reasons.take(pa.array(at, mask=known))


def _by_steps(rule: Rule, placed: Placed, *, hashed: bool) -> Outcomes:
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
