"""How long files are kept, since their digests are personal data, and what of them still waits.

- What was uploaded (moved to ``uploaded``) goes after ``keep_days``.
- An addition that nobody took goes after ``keep_days`` too, and that is told until somebody deletes its
  manifest: whoever was in it never reached the platform.
- A removal that nobody took stays, and is told: only with it can people be taken back who may be there.

Manifests stay; they hold no identifier.
"""

from datetime import UTC, datetime, timedelta

from cohortd.core.delivery import RemoteStatus
from connectors.csv_drop.home import UPLOADED, Home, Kind, Step


def tidy(home: Home, *, now: datetime, keep_days: int) -> None:
    """Delete what has been kept long enough; the caller holds the lock."""
    home.sweep()
    taken = home.path / UPLOADED
    longest = timedelta(days=keep_days)
    for name in home.disk.names(taken):
        stem = name.removesuffix(".csv")
        if name != stem and _age(home, stem, now) > longest:
            home.disk.delete(taken / name)
    for step in home.steps():
        if step.kind is Kind.ADD and step.waits and _age(home, step.stem, now) > longest:
            # The manifest first: whatever happens in between, it is told.
            home.disk.rename(home.path / f"{step.stem}.json", f"{step.stem}.expired.json")
            home.disk.delete(home.path / f"{step.stem}.csv")


def status_of(home: Home, *, now: datetime, keep_days: int, retired: bool) -> RemoteStatus:
    """Say what waits to be uploaded; how the platform sees the audience nobody here knows."""
    steps = home.steps()
    waiting = [step for step in steps if step.waits]
    told = [_waiting_words(home, waiting, now)]
    removals = [step for step in waiting if step.kind is Kind.REMOVE]
    overdue = [step for step in removals if _age(home, step.stem, now) > timedelta(days=keep_days)]
    if overdue:
        told.append(f"{overdue[0].stem}.csv takes people back and waits for more than {keep_days} days")
    expired = [step for step in steps if step.expired]
    if expired:
        told.append(
            f"{_files(len(expired))} of additions deleted after {keep_days} days before anybody uploaded"
            f" them, {expired[0].stem}.csv first"
        )
    if retired:
        told.insert(0, "retired")
    return RemoteStatus(state="; ".join(told), usable=False if retired else None)


def _waiting_words(home: Home, waiting: list[Step], now: datetime) -> str:
    if not waiting:
        return "no file waits to be uploaded"
    first = waiting[0]
    days = _age(home, first.stem, now).days
    since = f", for {days} days" if days > 1 else ""
    return f"{_files(len(waiting))} to be uploaded by hand, {first.stem}.csv first{since}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _age(home: Home, stem: str, now: datetime) -> timedelta:
    """How long ago a file was written, by its manifest; without one, long enough to be deleted or told."""
    return now - (home.written_at(stem) or datetime.min.replace(tzinfo=UTC))
