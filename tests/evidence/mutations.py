"""Deliberate breaks of the protocol, one line each, and the quick tests that must notice."""

from dataclasses import dataclass
from typing import Final

_UNIT: Final = "tests/unit/ledger/test_ledger_"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One break."""

    #: What the code does then, for people.
    name: str
    law: int
    path: str
    #: What stands there, and what is put in its place; the first one where it stands more than once.
    before: str
    after: str
    #: Files of tests, of which at least one test must fail.
    tests: tuple[str, ...]


MUTATIONS: Final = (
    Mutation(
        "who took consent back is not left out when a batch is claimed",
        1,
        "cohortd/ledger/claiming.py",
        "            _leave_out_suppressed(connection, work)",
        "            pass",
        (f"{_UNIT}revoking.py", f"{_UNIT}delivering.py"),
    ),
    Mutation(
        "an add is sent before it is written down",
        3,
        "cohortd/ledger/claiming.py",
        "            _write_ahead(connection, work, ask.now)\n",
        "",
        (f"{_UNIT}delivering.py",),
    ),
    Mutation(
        "a row is deleted when its removal is sent, not when it is acknowledged",
        3,
        "cohortd/ledger/claiming.py",
        "        connection.exec_driver_sql(MARK_LEAVING, values)\n",
        "        connection.exec_driver_sql(MARK_LEAVING, values)\n"
        '        connection.exec_driver_sql("DELETE FROM membership WHERE state = 2")\n',
        (f"{_UNIT}delivering.py",),
    ),
    Mutation(
        "what an attempt may have sent is forgotten when consent is taken back",
        2,
        "cohortd/ledger/claiming.py",
        "    if work.attempts:\n",
        "    if False:\n",
        (f"{_UNIT}revoking.py", f"{_UNIT}late.py"),
    ),
    Mutation(
        "a revocation waits for its turn",
        2,
        "cohortd/ledger/claiming.py",
        "b.lane = 'revocation' OR NOT EXISTS (\n        SELECT 1 FROM batch o",
        "(1 = 0) OR NOT EXISTS (\n        SELECT 1 FROM batch o",
        (f"{_UNIT}delivering.py", f"{_UNIT}revoking.py"),
    ),
    Mutation(
        "an add is sent while a removal of the same audience is under way",
        4,
        "cohortd/ledger/claiming.py",
        "(o.action != b.action AND o.state IN ('sending', 'accepted'))",
        "(1 = 0)",
        (f"{_UNIT}delivering.py",),
    ),
    Mutation(
        "an old leader may still claim",
        4,
        "cohortd/ledger/outbox.py",
        "                check_epoch(connection, epoch)\n                claimed",
        "                claimed",
        (f"{_UNIT}opening.py", f"{_UNIT}delivering.py"),
    ),
    Mutation(
        "an old leader may still settle",
        4,
        "cohortd/ledger/outbox.py",
        "            check_epoch(connection, epoch)\n            yield",
        "            yield",
        (f"{_UNIT}opening.py", f"{_UNIT}delivering.py"),
    ),
    Mutation(
        "a removed row goes although an add of it is under way",
        3,
        "cohortd/ledger/settling.py",
        "    connection.exec_driver_sql(_KEEP_IN_FLIGHT, values)\n",
        "",
        (f"{_UNIT}revoking.py", f"{_UNIT}late.py"),
    ),
    Mutation(
        "a removal is not repeated where a lost add may land late",
        2,
        "cohortd/ledger/late.py",
        "    if blind:\n",
        "    if False:\n",
        (f"{_UNIT}late.py",),
    ),
    Mutation(
        "whoever left an audience to which an add was lost is forgotten at once",
        3,
        "cohortd/ledger/settling.py",
        "        late.keep_who_left(connection, work, now=now)\n",
        "        pass\n",
        (f"{_UNIT}late.py",),
    ),
    Mutation(
        "a removal that an add overtook is taken for the last word",
        3,
        "cohortd/ledger/settling.py",
        "    connection.exec_driver_sql(_KEEP_OVERTAKEN, values)\n",
        "",
        (f"{_UNIT}late.py",),
    ),
    Mutation(
        "a revocation queues no removal",
        2,
        "cohortd/ledger/withdrawing.py",
        "    queue_removals(connection, journal, leaving, schedule=Schedule(at, now))\n",
        "",
        (f"{_UNIT}revoking.py",),
    ),
    Mutation(
        "a grant of the same moment answers a revocation",
        2,
        "cohortd/ledger/suppressions.py",
        "w.withdrawn_at < :granted_at",
        "w.withdrawn_at <= :granted_at",
        (f"{_UNIT}consent.py", f"{_UNIT}revoking.py"),
    ),
    Mutation(
        "the halves of a refused batch lose their rows",
        4,
        "cohortd/ledger/refusing.py",
        "    connection.exec_driver_sql(_MOVE_MEMBERSHIPS, values)\n",
        "",
        (f"{_UNIT}failing.py", f"{_UNIT}delivering.py"),
    ),
    Mutation(
        "an entry of the removal log is not chained to the one above",
        7,
        "cohortd/ledger/removal_log.py",
        "            previous = sealed\n",
        "            previous = previous or sealed\n",
        ("tests/evidence/test_evidence_story.py", f"{_UNIT}removal_log.py"),
    ),
    Mutation(
        "no answer is taken for yes",
        4,
        "cohortd/pipeline/sending.py",
        "            self._postpone(claimed, error)\n            return Outcome.RETRIED\n",
        "            from cohortd.core.delivery import BatchState\n"
        "            self.settle(batch.id, Receipt(BatchState.CONFIRMED), destination)\n"
        "            return Outcome.CONFIRMED\n",
        ("tests/evidence/test_evidence_story.py",),
    ),
    Mutation(
        "accepted is taken for done",
        4,
        "cohortd/pipeline/polling.py",
        "        if receipt.state is not BatchState.ACCEPTED:\n",
        "        receipt = type(receipt)(BatchState.CONFIRMED)\n"
        "        if receipt.state is not BatchState.ACCEPTED:\n",
        ("tests/evidence/test_evidence_story.py",),
    ),
    Mutation(
        "the floor is forgotten",
        6,
        "cohortd/pipeline/holding.py",
        "        elif 0 < delta.eligible < floor:\n",
        "        elif 0 < delta.eligible < 0:\n",
        ("tests/evidence/test_evidence_story.py",),
    ),
    Mutation(
        "a commit is not synced to the disk",
        3,
        "cohortd/ledger/dialects/sqlite.py",
        '"synchronous = FULL"',
        '"synchronous = NORMAL"',
        ("tests/evidence/test_evidence_lost_writes.py",),
    ),
)
#: Quick ones of as many kinds, for every day.
EVERYDAY: Final = (0, 9, 16)
