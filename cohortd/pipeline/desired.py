"""Who should be in which audience: consent and identifiers of everybody, staged for comparison."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd

from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.core.quality import ContactFigures
from cohortd.ledger import Comparison
from cohortd.pipeline.consents import ConsentBook, Contact
from cohortd.pipeline.deciding import People, Withdrawn, decide_batch
from cohortd.pipeline.decisions import keeping
from cohortd.pipeline.quality import contact_quality, identify_in
from cohortd.pipeline.sharing import Shared
from cohortd.pipeline.staging import FamilyStage
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import read_contacts


@dataclass(slots=True)
class Desired:
    """What was staged, and why everybody else was not."""

    #: (family, segment or "") -> reason -> customers left out.
    left_out: dict[tuple[Family, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    #: Withdrawals of customers, by family and member key: whoever of them is still in the ledger
    #: goes by the fast lane.
    withdrawn: Withdrawn = field(default_factory=dict)
    #: Customers whose consent is withdrawn, and who carry what somebody else would be sent by.
    sharing: dict[Family, Sequence[str]] = field(default_factory=dict)
    #: Members for whom a limited audience has no room.
    over_limit: Mapping[Target, int] = field(default_factory=dict)
    #: Contact fields that a newer grant of everybody who carries them frees again.
    freed: dict[Contact, datetime] = field(default_factory=dict)
    #: What everybody's contact fields are worth to each family.
    contacts: ContactFigures = field(default_factory=ContactFigures)


def stage_desired(
    pipeline: Pipeline,
    comparison: Comparison,
    assignment: "pd.Series[str]",
    book: ConsentBook,
    *,
    segments: Sequence[str],
    as_of: datetime,
    decisions: Path | None,
    scratch: Path,
    again: bool = False,
) -> Desired:
    """Read everybody's contact fields once and stage who may be sent where.

    Args:
        assignment: Customer id -> segment id.
        decisions: Where to keep why everybody was left out, or None for a dry look.
        scratch: A folder that goes when the run ends.
        again: Whether everybody is read once more because contact fields were found free again;
            else limited audiences are left empty where that is found.
    """
    pipeline.progress("deciding consent and hashing contact fields")
    desired = Desired()
    stages = {
        family: _stage(pipeline, comparison, family, segments=segments, scratch=scratch)
        for family in pipeline.families
    }
    shared = {family: Shared() for family in stages}
    with keeping(decisions) as keep, contact_quality(pipeline, scratch) as quality:
        for batch in read_contacts(pipeline.sources.customers, None):
            quality.read(batch)
            for family, stage in stages.items():
                found = identify_in(pipeline, batch, family)
                known_by = quality.identified(family, batch, found)
                people, withdrawn = decide_batch(
                    pipeline, batch, family, assignment, book, identified=found, as_of=as_of
                )
                desired.withdrawn |= withdrawn
                shared[family].note_sent(stage.add(people, known_by))
                shared[family].note_withdrawn(people.ids, people.reasons, people.identifiers)
                _account(people, family, desired)
                keep(family, {**people.decided(), "match_keys": known_by.tolist()})
        desired.contacts = quality.figures()
    for family, stage in stages.items():
        desired.freed |= stage.freed()
        desired.sharing[family] = shared[family].customers()
    if again or not desired.freed:
        for stage in stages.values():
            desired.over_limit = {**desired.over_limit, **stage.finish()}
    return desired


def _stage(
    pipeline: Pipeline, comparison: Comparison, family: Family, *, segments: Sequence[str], scratch: Path
) -> FamilyStage:
    return FamilyStage(
        comparison,
        family,
        [each for each in pipeline.destinations.values() if each.family is family],
        suppressed=pipeline.ledger.consent.suppressed(family),
        segments=segments,
        scratch=scratch,
    )


def _account(people: People, family: Family, desired: Desired) -> None:
    pairs = Counter(zip(people.segments.tolist(), people.reasons.tolist(), strict=True))
    for (segment, reason), count in pairs.items():
        if reason:
            desired.left_out[family, segment][reason] += count
