"""``python -m tests.evidence KIND``: show it, and write down in docs/evidence.md what was shown."""

import argparse
import logging
import sys
import time
from collections.abc import Callable
from typing import Final

import structlog

from tests.evidence.records import BrokenLawError, LackingError, Outcome, Progress, Taken, write


def main(arguments: list[str]) -> int:
    """Run one kind, or all; 0 if every law held, 1 if one was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence", description=__doc__)
    parser.add_argument("kind", choices=[*KINDS, "all"])
    parser.add_argument("--runs", type=int, help="how many; else as many as docs/evidence.md tells of")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-page", action="store_true", help="leave docs/evidence.md as it is")
    called = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    kinds = list(KINDS) if called.kind == "all" else [called.kind]
    held = [_show(kind, runs=called.runs, seed=called.seed, with_page=not called.no_page) for kind in kinds]
    return 0 if all(held) else 1


def _show(kind: str, *, runs: int | None, seed: int, with_page: bool) -> bool:
    """Run one kind, and write down what came of it; tell whether nothing was broken."""
    began, outcome = time.monotonic(), None
    try:
        outcome = KINDS[kind](runs, seed, _progress(kind))
        result = "every law held"
    except BrokenLawError as broken:
        result = f"BROKEN: {broken}"
    except LackingError as lacking:
        result = f"NOT SHOWN: {lacking}"
    if with_page:
        write(Taken(kind, seed, began, result), outcome)
    numbers = ", ".join(f"{name} {count:,}" for name, count in outcome.counts.items()) if outcome else ""
    print(f"{kind}: {result}. {numbers}", *(outcome.lines if outcome else ()), sep="\n  ")  # noqa: T201
    return not result.startswith("BROKEN")


def _progress(kind: str) -> Progress:
    def show(done: int, of: int, what: str) -> None:
        if done == of or done % max(1, of // 50) == 0:
            print(f"{kind}: {done:,} of {of:,}, {what}", file=sys.stderr, flush=True)  # noqa: T201

    return show


# Each kind is loaded when it is asked for: a sweep must not carry along the threads of a soak.


def _sweep(runs: int | None, seed: int, progress: Progress) -> Outcome:
    from tests.evidence.sweep import sweep  # noqa: PLC0415

    return sweep(runs=runs, seed=seed, progress=progress)


def _machine(runs: int | None, seed: int, progress: Progress) -> Outcome:
    from tests.evidence.machine_runs import run_machine  # noqa: PLC0415

    return run_machine(runs=runs, seed=seed, progress=progress)


def _mutants(runs: int | None, seed: int, progress: Progress) -> Outcome:
    from tests.evidence.mutants import mutate  # noqa: PLC0415

    return mutate(runs=runs, seed=seed, progress=progress)


def _lost_writes(runs: int | None, seed: int, progress: Progress) -> Outcome:
    from tests.evidence.lost_writes import lose_writes  # noqa: PLC0415

    return lose_writes(runs=runs, seed=seed, progress=progress)


def _soak(runs: int | None, seed: int, progress: Progress) -> Outcome:
    from tests.evidence.soak import soak  # noqa: PLC0415

    return soak(runs=runs, seed=seed, progress=progress)


KINDS: Final[dict[str, Callable[[int | None, int, Progress], Outcome]]] = {
    "sweep": _sweep,
    "machine": _machine,
    "mutants": _mutants,
    "lost-writes": _lost_writes,
    "soak": _soak,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
