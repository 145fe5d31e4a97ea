"""What the demo did, for machines and for people who buy advertising rather than write software."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cohortd.core.reporting import RevocationReport
from cohortd.core.times import parse_time
from cohortd.report import cards

_BAR_CELLS = 20


@dataclass(frozen=True, slots=True)
class DemoWeek:
    """One simulated week: what a run at ``as_of`` changed over all audiences and destinations."""

    as_of: str
    #: Share of the customers who changed segment; None at the first clustering.
    moved_share: float | None
    #: The same if the customers were clustered anew and clusters kept the numbers they happen to get.
    naive_moved_share: float | None
    added: int
    removed: int
    #: What a guard stopped and the demo approved, as a person would; empty if nothing was.
    approved: str = ""


@dataclass(frozen=True, slots=True)
class DemoAudience:
    """One audience on one destination, summed over the weeks; ``size`` is at the end."""

    audience: str
    name: str
    destination: str
    remote_id: str | None
    added: int
    removed: int
    pending: int
    rejected: int
    size: int


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The whole demo; the fields of ``cohortd demo --json``."""

    #: done or partial.
    status: str
    seconds: float
    weeks: tuple[DemoWeek, ...]
    audiences: tuple[DemoAudience, ...]
    revocations: tuple[RevocationReport, ...]
    #: The settings file the demo ran with.
    settings: str
    #: The folder of the run reports.
    reports: str
    #: The page of the segments, with plots.
    segments: str = ""

    def as_json(self) -> dict[str, object]:
        """Plain dicts, lists and text, ready for JSON."""
        return {
            "status": self.status,
            "seconds": round(self.seconds, 1),
            "weeks": [asdict(week) for week in self.weeks],
            "audiences": [asdict(audience) for audience in self.audiences],
            "revocations": [asdict(revocation) for revocation in self.revocations],
            "settings": self.settings,
            "reports": self.reports,
            "segments": self.segments,
        }


def render_summary(result: DemoResult, console: Console) -> None:
    """Tell the demo's outcome: audiences, weeks, calm, consent taken back, and where to read on."""
    console.print()
    console.print(_opening(result), style="bold")
    _section(console, "Your audiences now", _audiences(result))
    _section(console, "Who came and went", _weeks(result))
    if calm := _calm(result.weeks):
        console.print(Padding(Text(calm), (1, 0, 0, 2)))
    for week in result.weeks:
        if week.approved:
            day = cards.day(parse_time(week.as_of))
            told = f"{day}: a guard stopped the run until it was approved. {week.approved}"
            console.print(Padding(Text(told), (1, 0, 0, 2)))
    _section(console, "Consent taken back", _revocations(result))
    _section(console, "Read on", None)
    pages = (("segments", result.segments), ("reports", result.reports), ("settings", result.settings))
    for title, path in ((title, path) for title, path in pages if path):
        # Not wrapped: a path is to be copied.
        console.print(Text(f"  {title:<9} {path}"), soft_wrap=True)
    console.print()


def _opening(result: DemoResult) -> Text:
    audiences = cards.counted(len({one.audience for one in _living(result)}), "audience")
    places = cards.listed(_destinations(result)) or "no destination"
    kept = f"{audiences} kept true on {places} over {cards.counted(len(result.weeks), 'week')}"
    outcome = "" if result.status == "done" else f" ({cards.status_words(result.status).lower()})"
    return Text(f"{kept}, in {cards.lasting(result.seconds)}{outcome}.")


def _section(console: Console, title: str, table: Table | None) -> None:
    console.print()
    console.print(Text(title), style="bold cyan")
    if table is not None:
        console.print(Padding(table, (0, 0, 0, 2)))


def _audiences(result: DemoResult) -> Table:
    destinations = _destinations(result)
    table = _table("audience")
    for destination in destinations:
        table.add_column(f"on {destination}", justify="right")
    if has_open := any(audience.pending or audience.rejected for audience in result.audiences):
        table.add_column("still open")
    at = {(audience.audience, audience.destination): audience for audience in result.audiences}
    for audience, name in {one.audience: one.name for one in _living(result)}.items():
        told = [at.get((audience, destination)) for destination in destinations]
        cells = [f"{one.size:,}" if one else cards.ABSENT for one in told]
        table.add_row(Text(name), *cells, *([_open(one for one in told if one)] if has_open else []))
    return table


def _living(result: DemoResult) -> list[DemoAudience]:
    """Audiences with anybody in them: one that was merged away is told by its week."""
    return [audience for audience in result.audiences if audience.size]


def _open(audiences: Iterable[DemoAudience]) -> Text:
    told = list(audiences)
    pending, rejected = sum(one.pending for one in told), sum(one.rejected for one in told)
    words = [f"{pending:,} to be confirmed"] if pending else []
    words += [f"{rejected:,} not accepted"] if rejected else []
    return Text(cards.listed(words), style="yellow")


def _weeks(result: DemoResult) -> Table:
    table = _table("run of")
    table.add_column("came", justify="right", style="green")
    table.add_column("left", justify="right", style="red")
    table.add_column("moved", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("naively", justify="right", style="dim")
    for week in result.weeks:
        table.add_row(
            cards.day(parse_time(week.as_of)),
            f"{week.added:,}",
            f"{week.removed:,}",
            "first" if week.moved_share is None else cards.share(week.moved_share),
            _bar(week.moved_share, week.naive_moved_share),
            cards.share(week.naive_moved_share),
        )
    return table


def _bar(moved: float | None, naive: float | None) -> Text:
    """Both shares in one bar: ours in front of the naive one."""
    if moved is None or naive is None:
        return Text("")
    ours, theirs = (round(part * _BAR_CELLS) for part in (moved, naive))
    ours = max(ours, 1) if moved else 0
    return Text("█" * ours, style="cyan") + Text("░" * max(theirs - ours, 0), style="dim")


def _calm(weeks: Iterable[DemoWeek]) -> str:
    """How little moved against the yardstick, both as means over the weeks that have both."""
    pairs = [
        (week.moved_share, week.naive_moved_share)
        for week in weeks
        if week.moved_share is not None and week.naive_moved_share is not None
    ]
    if not pairs:
        return ""
    ours, naive = (sum(shares) / len(pairs) for shares in zip(*pairs, strict=True))
    told = f"In a week {cards.share(ours)} of the customers moved to another segment. Clustered naively, "
    told += f"anew each week and with numbers as they come, {cards.share(naive)} would have"
    return f"{told}, {naive / ours:.0f} times as many." if 0 < ours < naive / 2 else f"{told}."


def _revocations(result: DemoResult) -> Table:
    table = _table("destination")
    for title in ("revoked", "confirmed gone", "slowest"):
        table.add_column(title, justify="right")
    for one in result.revocations:
        is_open = one.confirmed < one.revoked
        confirmed = Text(f"{one.confirmed:,}", style="yellow" if is_open else "green")
        table.add_row(Text(one.destination), f"{one.revoked:,}", confirmed, cards.lasting(one.slowest_s))
    return table


def _table(first: str) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column(first)
    return table


def _destinations(result: DemoResult) -> list[str]:
    return list(dict.fromkeys(audience.destination for audience in result.audiences))
