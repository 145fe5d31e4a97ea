"""``doctor``: whether the state is sound: the database, the removal log, clocks, work that nobody does."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.ledger import Examined
from cohortd.pipeline.proving import verify_log
from cohortd.pipeline.wiring import Pipeline
from connectors.clocks import ahead_s

#: By how much clocks may differ. Tokens and signed events are refused at five minutes.
CLOCKS_DIFFER_BY_S: Final = 60.0
_CLOCK_CURE: Final = "Set this machine's clock by NTP: deadlines, tokens and signed events go by it."
_RESTORE: Final = "Stop cohortd and put the newest backup back: cohortd restore; docs/recovery.md says how."
_AT_SERVER: Final = (
    "Mend that at the database's server; where data is damaged, put the newest dump back:"
    " docs/recovery.md says how."
)


def examine(pipeline: Pipeline, *, deep: bool, clocks: Mapping[str, str]) -> Iterator[AccessCheck]:
    """Examine the state, a line each; changes nothing and sends nothing.

    Args:
        deep: Compare every index with its table too: minutes for a large ledger.
        clocks: Destination -> an address of its platform whose clock is compared.
    """
    pipeline.progress("examining the database")
    found = pipeline.ledger.examine(deep=deep)
    yield _database(pipeline, found, deep=deep)
    pipeline.progress("verifying the removal log")
    yield _removal_log(pipeline)
    yield from _clocks(pipeline, found, clocks)
    is_led = pipeline.ledger.is_led()
    yield _work(found, is_led=is_led)
    yield _leftovers(pipeline.data_dir, is_led=is_led)


def _database(pipeline: Pipeline, found: Examined, *, deep: bool) -> AccessCheck:
    size = f"{found.size_bytes / 1e6:,.1f} MB"
    has_server = found.server_ahead_s is not None
    if found.faults:
        detail = f"{pipeline.ledger.place}: {'; '.join(found.faults)}"
        return AccessCheck("ledger", ok=False, detail=detail, cure=_AT_SERVER if has_server else _RESTORE)
    looked = "whole, with every index" if deep else "whole; --deep compares indexes too"
    if has_server:
        looked = "its server tells of no damage; pg_amcheck looks at every page"
    return AccessCheck("ledger", ok=True, detail=f"{pipeline.ledger.place}, {size}: {looked}")


def _removal_log(pipeline: Pipeline) -> AccessCheck:
    proof = verify_log(pipeline)
    if proof.ok:
        detail = f"{proof.entries:,} entries, unaltered, by the key {proof.public_key[:16]}…"
        return AccessCheck("removal log", ok=True, detail=detail)
    cure = "See cohortd log verify. Was an older copy put back, or the key lost? Note why."
    return AccessCheck("removal log", ok=False, detail=proof.finding, cure=cure)


def _clocks(pipeline: Pipeline, found: Examined, clocks: Mapping[str, str]) -> Iterator[AccessCheck]:
    newest = found.newest_at
    ahead = timedelta() if newest is None else newest - pipeline.clock()
    if ahead.total_seconds() > CLOCKS_DIFFER_BY_S:
        detail = (
            f"the ledger's newest entry is {ahead} ahead of now: the clock was set back, or runs behind"
        )
        yield AccessCheck("clock", ok=False, detail=detail, cure=_CLOCK_CURE)
    else:
        yield AccessCheck("clock", ok=True, detail="not behind the ledger's newest entry")
    if found.server_ahead_s is not None:
        yield _clock("the database server", found.server_ahead_s)
    for name, url in clocks.items():
        pipeline.progress(f"asking {name} for the time")
        told = ahead_s(url)
        if told is None:
            yield AccessCheck(
                f"clock of {name}", ok=True, detail="could not be asked; cohortd check says why"
            )
        else:
            yield _clock(name, told)


def _clock(name: str, ahead: float) -> AccessCheck:
    ok = abs(ahead) <= CLOCKS_DIFFER_BY_S
    side = "ahead of" if ahead > 0 else "behind"
    detail = f"{abs(ahead):,.0f} s {side} ours" if abs(ahead) >= 1 else "as ours"
    return AccessCheck(f"clock of {name}", ok=ok, detail=detail, cure="" if ok else _CLOCK_CURE)


def _work(found: Examined, *, is_led: bool) -> AccessCheck:
    """Whatever is open has somebody who does it, or waits for somebody to lead."""
    told = f"{found.unanswered:,} batches without an answer, {found.running:,} runs under way"
    if is_led:
        return AccessCheck("work", ok=True, detail=f"a process leads; {told}")
    orphaned = found.unanswered + found.unfinished + found.running
    if not orphaned:
        return AccessCheck("work", ok=True, detail="nobody leads, and nothing is left half-done")
    detail = f"nobody leads, and a process that ended left {told}, {found.unfinished:,} batches not whole"
    cure = (
        "Start the daemon, or run cohortd sync: it goes on from there, and sends again what has no answer."
    )
    return AccessCheck("work", ok=False, detail=detail, cure=cure)


def _leftovers(data_dir: Path, *, is_led: bool) -> AccessCheck:
    """Files of processes that were killed; some name customers, so they should not lie for long."""
    left = [] if is_led else sorted(_left(data_dir))
    if not left:
        return AccessCheck("leftovers", ok=True, detail="no files of a killed process")
    cure = "The next run takes them away: start the daemon, or run cohortd sync."
    detail = f"a killed process left {', '.join(left[:3])}" + (" and more" if len(left) > 3 else "")  # noqa: PLR2004
    return AccessCheck("leftovers", ok=False, detail=detail, cure=cure)


def _left(data_dir: Path) -> Iterator[str]:
    yield from (f"work/{folder.name}" for folder in data_dir.glob("work/run-*") if _is_free(folder))
    yield from (f"approvals/{file.name}" for file in data_dir.glob("approvals/*.taken"))
    yield from (file.name for file in data_dir.glob("cohortd.db-scratch-*"))


def _is_free(folder: Path) -> bool:
    """Tell whether no run holds its folder."""
    try:
        held = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(held)
    return True
