"""What becomes of a column of texts under one rule: by the kernel what it takes, the rest by the steps."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES
from cohortd.identity.cells import Placed
from cohortd.identity.digests import Flags, from_bytes, to_arrow
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
        return _with_the_rest(rule, placed, stays, placed.texts)
    if rule.swift and kernel and not hashed:
        taken = rule.swift(kernel, placed)
        return _with_the_rest(rule, placed, taken.rows, to_arrow(taken.digests))
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


def _with_the_rest(rule: Rule, placed: Placed, known: Flags, sent: pa.Array) -> Outcomes:
    """Let the steps decide about every text that is not *known* yet."""
    left = np.flatnonzero(~known)
    if not left.size:
        return Outcomes(sent, pa.nulls(len(known), pa.string()))
    once, codes = placed.take(left).distinct()
    rest = _by_steps(rule, once, hashed=False)
    at = np.zeros(len(known), dtype=np.int64)
    at[left] = codes
    reasons = rest.reasons.take(pa.array(at, mask=known))
    either = np.arange(len(known))
    either[left] = len(known) + codes
    return Outcomes(pa.concat_arrays([sent, rest.sent]).take(pa.array(either)), reasons)


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
