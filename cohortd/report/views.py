"""A run report as its page shows it: grouped, summed, with bars measured in percent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cohortd.core.consenting import Reason
from cohortd.core.modelling import Segment
from cohortd.core.reporting import AudienceReport, RunReport, SourceReport
from cohortd.report import cards

#: Segment id -> (feature title, value text, direction), the direction high, low or empty.
Profile = Mapping[str, Sequence[tuple[str, str, str]]]

_EXAMPLE_ROWS = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a stacked bar; ``start`` and ``width`` in percent of it."""

    kind: str
    people: int
    words: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One audience on one destination."""

    report: AudienceReport
    platform: str
    came: int
    went: int
    #: Bars of who came and went, in percent of the run's largest movement.
    came_width: float
    went_width: float
    pieces: tuple[Piece, ...]
    #: What the platform did not take and why, a sentence; empty when it took all.
    refused: str


@dataclass(frozen=True, slots=True)
class CardView:
    """One audience on all its destinations."""

    id: str
    name: str
    description: str
    held: str
    traits: tuple[tuple[str, str, str], ...]
    places: tuple[PlaceView, ...]
    hint: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class SourceView:
    """One table: its losses by reason, with the numbers of some rows."""

    report: SourceReport
    lost: int
    kept_width: float
    losses: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What the run did over all audiences and destinations."""

    came: int
    went: int
    pending: int
    rejected: int
    revoked: int
    taken_back: int


def card_views(report: RunReport, segments: Sequence[Segment], profile: Profile | None) -> list[CardView]:
    """Group the audiences by segment, in the segments' order; what no segment names comes last."""
    by_audience: dict[str, list[AudienceReport]] = {segment.id: [] for segment in segments}
    for audience in report.audiences:
        by_audience.setdefault(audience.audience, []).append(audience)
    known = {segment.id: segment for segment in segments}
    planned = cards.is_planned(report)
    largest = max((max(cards.movement(one, planned=planned)) for one in report.audiences), default=0)
    return [
        _card(known.get(name), told, traits=(profile or {}).get(name, ()), planned=planned, largest=largest)
        for name, told in by_audience.items()
    ]


def source_views(report: RunReport) -> list[SourceView]:
    """Say of each table what was lost and why."""
    return [_source(source) for source in report.sources]


def totals(report: RunReport) -> Totals:
    """Sum up the run."""
    moves = [cards.movement(audience, planned=cards.is_planned(report)) for audience in report.audiences]
    return Totals(
        came=sum(move[0] for move in moves),
        went=sum(move[1] for move in moves),
        pending=sum(audience.pending for audience in report.audiences),
        rejected=sum(audience.rejected for audience in report.audiences),
        revoked=sum(revocation.revoked for revocation in report.revocations),
        taken_back=sum(revocation.confirmed for revocation in report.revocations),
    )


def _card(
    segment: Segment | None,
    told: Sequence[AudienceReport],
    *,
    traits: Sequence[tuple[str, str, str]],
    planned: bool,
    largest: int,
) -> CardView:
    return CardView(
        id=segment.id if segment else told[0].audience,
        name=segment.name if segment else told[0].name,
        description=segment.description if segment else told[0].description,
        held=segment.held if segment else "",
        traits=tuple(traits),
        places=tuple(_place(audience, planned=planned, largest=largest) for audience in told),
        hint=segment.hint if segment else "",
        stage=segment.stage if segment else "",
    )


def _place(audience: AudienceReport, *, planned: bool, largest: int) -> PlaceView:
    came, went = cards.movement(audience, planned=planned)
    return PlaceView(
        report=audience,
        platform=cards.platform_name(audience.platform),
        came=came,
        went=went,
        came_width=_percent(came, largest),
        went_width=_percent(went, largest),
        pieces=_pieces(audience),
        refused=cards.not_accepted(audience.rejected, audience.rejected_reasons),
    )


def _pieces(audience: AudienceReport) -> tuple[Piece, ...]:
    ordered = sorted(audience.left_out.items(), key=lambda item: (-item[1], item[0]))
    # Whoever is held back for the segment's sake is eligible all the same: not counted twice.
    free = max(audience.eligible - audience.left_out.get(Reason.SEGMENT_HELD, 0), 0)
    parts = [("sent", free, "may be sent")]
    parts += [(_kind(reason), number, cards.reason_words(reason)) for reason, number in ordered if number]
    whole = sum(number for _, number, _ in parts)
    pieces, start = list[Piece](), 0.0
    for kind, number, words in parts:
        width = _percent(number, whole)
        pieces.append(Piece(kind=kind, people=number, words=words, start=round(start, 3), width=width))
        start += width
    return tuple(pieces)


def _kind(reason: str) -> str:
    match reason:
        case Reason.REVOKED | Reason.IDENTIFIER_REVOKED:
            return "revoked"
        case Reason.DENIED:
            return "denied"
        case Reason.NO_CONSENT:
            return "silent"
        case Reason.NO_IDENTIFIER:
            return "unknown"
        case _:
            return "other"


def _source(source: SourceReport) -> SourceView:
    rows: dict[str, list[str]] = {}
    for sample in source.samples:
        # Only these two: whatever else a sample holds has no business on a page.
        rows.setdefault(str(sample.get("reason", "")), []).append(str(sample.get("row", "?")))
    ordered = sorted(source.dropped.items(), key=lambda item: (-item[1], item[0]))
    return SourceView(
        report=source,
        lost=sum(source.dropped.values()),
        kept_width=_percent(source.kept, source.kept + sum(source.dropped.values())),
        losses=tuple(
            (number, cards.plain(reason), _examples(rows.get(reason, []))) for reason, number in ordered
        ),
    )


def _examples(rows: Sequence[str]) -> str:
    if not rows:
        return ""
    more = ", …" if len(rows) > _EXAMPLE_ROWS else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(rows[:_EXAMPLE_ROWS])}{more}"


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 3) if whole else 0.0
