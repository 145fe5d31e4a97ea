"""What would change, and which guard would stop it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from cohortd.core.fates import SegmentFate
from cohortd.core.figures import TableFigures
from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, GuardStop, Target
from cohortd.core.quality import SourceQuality
from cohortd.core.reporting import SourceReport
from cohortd.engine import Engine
from cohortd.identity import NORMALIZATION_VERSION
from cohortd.ledger import Comparison, Withdrawn
from cohortd.pipeline import guards
from cohortd.pipeline.audiences import audiences_of
from cohortd.pipeline.belonging import Belonging
from cohortd.pipeline.clusters import Clustered
from cohortd.pipeline.desired import Desired, stage_desired
from cohortd.pipeline.dropping import take_all_in
from cohortd.pipeline.fates import fates_of
from cohortd.pipeline.intake import Intake
from cohortd.pipeline.models import MAIN, audience_id, cluster_all
from cohortd.pipeline.plan_notes import plan_notes
from cohortd.pipeline.quality import tables_quality
from cohortd.pipeline.reading import quality_before, read_all
from cohortd.pipeline.refreshing import refresh_days
from cohortd.pipeline.sharing import withdraw_shared
from cohortd.pipeline.traits import Trait, traits
from cohortd.pipeline.weighing import Weighed, weigh
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.withdrawing import withdraw_all
from cohortd.pipeline.workdir import workdir


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do now."""

    plan_id: str
    as_of: datetime
    #: Everybody under each model, by its name.
    models: Mapping[str, Clustered]
    #: Every segment there is now: the models', then people's own.
    segments: tuple[Segment, ...]
    deltas: Mapping[Target, Delta]
    #: Why a target gets no new members.
    held: Mapping[Target, str]
    #: Sentences for people: what was left out, what needs a look.
    notes: tuple[str, ...]
    guards: tuple[GuardStop, ...]
    sources: tuple[SourceReport, ...]
    #: How the tables look, for the next run to compare with.
    figures: tuple[TableFigures, ...]
    quality: tuple[SourceQuality, ...]
    desired: Desired
    intake: Intake
    #: What sets each segment apart, for the report.
    traits: Mapping[str, Sequence[Trait]]
    #: Segments that came and went since the last sync.
    fates: tuple[SegmentFate, ...] = ()
    #: Targets whose segment is gone and whose members stay where they are.
    left: frozenset[Target] = frozenset()
    #: Targets whose members are replaced, since that takes fewer requests.
    replaced: frozenset[Target] = frozenset()

    @property
    def clustered(self) -> Clustered:
        """Everybody under the main model."""
        return self.models[MAIN]

    def stops(self, approved: str | None) -> Sequence[GuardStop]:
        """Say what stops this plan, given the id of the one that a person approved, if any did.

        What is applied is what was looked at, whether a guard stops it or not. Only where nothing is
        left to do may any plan have been approved: it was all done before.
        """
        if approved == self.plan_id:
            return ()
        if approved is None or not (self.guards or self._moves_anybody()):
            return self.guards
        return (*self.guards, *guards.approval(approved, self.plan_id))

    def _moves_anybody(self) -> bool:
        return any(d.removes or (d.adds and target not in self.held) for target, d in self.deltas.items())

    def ordered(self) -> list[tuple[Target, Delta]]:
        """Targets in the order of segment number and destination."""
        return sorted(
            self.deltas.items(),
            key=lambda item: (len(item[0].audience), item[0].audience, item[0].destination),
        )


@contextmanager
def planned(
    pipeline: Pipeline,
    *,
    as_of: datetime,
    refit: bool,
    intake: Intake,
    decisions: Path | None,
    observe: Callable[[Engine, Clustered], None] | None = None,
    anew: Callable[[Target], bool] = lambda _: False,
    may_replace: Callable[[Target], bool] = lambda _: True,
) -> Iterator[tuple[Plan, Comparison]]:
    """Plan, and keep the comparison open so that the caller may queue exactly what was planned.

    Args:
        anew: Targets of which everybody is to be sent again.
        may_replace: Targets that may be replaced where that takes fewer requests than the difference.
    """
    with (
        workdir(pipeline) as folder,
        pipeline.engine(folder) as engine,
        pipeline.ledger.compare() as comparison,
    ):
        trace = pipeline.observer.trace
        with trace("read"):
            tables, reports, shrunk = read_all(pipeline, engine, intake.report, as_of=as_of)
        # What looks broken must not become a model either.
        refit = refit and not tables.anomalies
        with trace("cluster"):
            models = cluster_all(pipeline, engine, tables, as_of=as_of, refit=refit)
        if observe is not None:
            observe(engine, models[MAIN])
        audiences = audiences_of(pipeline, engine, tables, models, as_of=as_of)
        segments = audiences.segments
        stage = partial(_stage, intake=intake, as_of=as_of, decisions=decisions, scratch=folder)
        with trace("decide"):
            desired = stage(pipeline, comparison, audiences.belonging)
        pipeline.progress("comparing with what was sent")
        with trace("compare"):
            weighed = _weighed(pipeline, comparison, segments, desired, anew=anew, may_replace=may_replace)
        quality = tables_quality(reports, desired.contacts)
        plan = Plan(
            plan_id=_plan_id(models, comparison.fingerprint()),
            as_of=as_of,
            models=models,
            segments=segments,
            deltas=weighed.deltas,
            notes=plan_notes(pipeline, comparison, weighed, audiences=audiences, desired=desired),
            held=weighed.held,
            guards=(*shrunk, *tables.anomalies, *_stops(pipeline, models, segments, weighed, quality)),
            sources=reports,
            figures=tables.figures,
            quality=quality,
            desired=desired,
            intake=intake,
            traits=_traits(engine, models),
            fates=fates_of(pipeline, engine, models[MAIN], weighed),
            left=weighed.left,
            replaced=frozenset(weighed.replaced),
        )
        yield plan, comparison


def _weighed(
    pipeline: Pipeline,
    comparison: Comparison,
    segments: Sequence[Segment],
    desired: Desired,
    *,
    anew: Callable[[Target], bool],
    may_replace: Callable[[Target], bool],
) -> Weighed:
    """Compare, and say what is done about the difference."""
    return weigh(
        pipeline,
        _compared(pipeline, comparison, desired, anew),
        segments,
        waiting=comparison.waiting(),
        may_replace=may_replace,
        compare=lambda which: _compare(pipeline, comparison, lambda t: t in which or anew(t)),
    )


def _stops(
    pipeline: Pipeline,
    models: Mapping[str, Clustered],
    segments: Sequence[Segment],
    weighed: Weighed,
    quality: Sequence[SourceQuality],
) -> list[GuardStop]:
    """Hold the plan's numbers against the limits."""
    limits, deltas = pipeline.guards, weighed.deltas
    names = {segment.id: segment.name for segment in segments}
    filled = guards.filled_shares(quality_before(pipeline))
    return [
        *guards.null_share(quality, filled, limit=limits.null_share),
        *(
            stop
            for name, each in models.items()
            for stop in guards.moved_share(each.moved_share, limit=limits.moved_share, model=name)
        ),
        *guards.removed_share(deltas, limit=limits.removed_share, names=names),
        *guards.audience_drop(deltas, limit=limits.audience_drop, names=names),
        *guards.first_size(deltas, limit=limits.first_size),
    ]


def _stage(
    pipeline: Pipeline,
    comparison: Comparison,
    belonging: Belonging,
    *,
    intake: Intake,
    as_of: datetime,
    decisions: Path | None,
    scratch: Path,
) -> Desired:
    """Stage who is desired; once more where that showed that a contact field is free again."""
    stage = partial(
        stage_desired,
        pipeline,
        comparison,
        belonging,
        intake.book,
        as_of=as_of,
        decisions=decisions,
        scratch=scratch,
    )
    desired = stage()
    if not desired.freed:
        return desired
    _free_contacts(pipeline, desired)
    return stage(again=True)


def make_plan(pipeline: Pipeline, *, as_of: datetime) -> Plan:
    """Plan without sending anything; consent that came in is recorded and queued all the same."""
    intake = take_all_in(pipeline, as_of=as_of)
    with planned(pipeline, as_of=as_of, refit=False, intake=intake, decisions=None) as (plan, _):
        return plan


def _free_contacts(pipeline: Pipeline, desired: Desired) -> None:
    """Lift withdrawals of contact fields that everybody who carries them answered with a newer grant."""
    for contact, granted_at in desired.freed.items():
        pipeline.ledger.consent.lift_contact(contact, granted_at=granted_at, now=pipeline.clock())


def _compared(
    pipeline: Pipeline, comparison: Comparison, desired: Desired, anew: Callable[[Target], bool]
) -> Mapping[Target, Delta]:
    """Compare, once whoever's consent is withdrawn went down the fast lane."""
    withdraw_shared(pipeline, desired.sharing, desired.withdrawn)
    compared = _compare(pipeline, comparison, anew)
    return (
        _compare(pipeline, comparison, anew)
        if _withdraw_leftovers(pipeline, comparison, desired)
        else compared
    )


def _compare(
    pipeline: Pipeline, comparison: Comparison, anew: Callable[[Target], bool]
) -> Mapping[Target, Delta]:
    days = refresh_days(pipeline)
    return comparison.deltas(
        now=pipeline.clock(),
        # After no day at all everybody is due.
        refresh_after=lambda target: 0 if anew(target) else days(target),
        version=NORMALIZATION_VERSION,
    )


def _withdraw_leftovers(pipeline: Pipeline, comparison: Comparison, desired: Desired) -> bool:
    """Send whoever's consent is withdrawn, and who still is on a platform, down the fast lane.

    Intake catches a withdrawal by whom it names; this catches the rest, as when two customers carry
    the address that was withdrawn.

    Returns:
        Whether there was anybody, which changes what is left to plan.
    """
    leaving = comparison.leaving()
    left = [
        Withdrawn(record, {family}) for (family, key), record in desired.withdrawn.items() if key in leaving
    ]
    withdraw_all(pipeline, left)
    return bool(left)


def _plan_id(models: Mapping[str, Clustered], fingerprint: str) -> str:
    """Name a plan by what it would do: changed data or a new model make another plan."""
    versions = ":".join(str(each.version.id) for each in models.values())
    return sha256(f"{versions}:{fingerprint}".encode()).hexdigest()[:12]


def _traits(engine: Engine, models: Mapping[str, Clustered]) -> dict[str, Sequence[Trait]]:
    return {
        audience_id(name, segment): told
        for name, each in models.items()
        for segment, told in traits(engine, each).items()
    }
