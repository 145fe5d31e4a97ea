"""Who should be in which audience: consent and identifiers of everybody, staged for comparison."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.core.quality import ContactFigures
from cohortd.ledger import Comparison
from cohortd.pipeline.belonging import Belonging, Division, nowhere
from cohortd.pipeline.consents import ConsentBook
from cohortd.pipeline.deciding import People, Withdrawn, decide_batch
from cohortd.pipeline.decisions import keeping
from cohortd.pipeline.quality import contact_quality, identify_in
from cohortd.pipeline.sharing import Shared
from cohortd.pipeline.staging import FamilyStage
from cohortd.pipeline.subjects import Contact
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import read_contacts


@dataclass(slots=True)
class Desired:
    """What was staged, and why everybody else was not."""

    #: (family, audience or "") -> reason -> customers left out.
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
    belonging: Belonging,
    book: ConsentBook,
    *,
    as_of: datetime,
    decisions: Path | None,
    scratch: Path,
    again: bool = False,
) -> Desired:
    """Read everybody's contact fields once and stage who may be sent where.

    Args:
        decisions: Where to keep why everybody was left out, or None for a dry look.
        scratch: A folder that goes when the run ends.
        again: Whether everybody is read once more because contact fields were found free again;
            else limited audiences are left empty where that is found.
    """
    pipeline.progress("deciding consent and hashing contact fields")
    desired = Desired()
    stages = {
        family: _stage(pipeline, comparison, family, audiences=belonging.audiences, scratch=scratch)
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
                    pipeline, batch, family, belonging, book, identified=found, as_of=as_of
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
    pipeline: Pipeline, comparison: Comparison, family: Family, *, audiences: Sequence[str], scratch: Path
) -> FamilyStage:
    return FamilyStage(
        comparison,
        family,
        [each for each in pipeline.destinations.values() if each.family is family],
        suppressed=pipeline.ledger.consent.suppressed(family),
        audiences=audiences,
        scratch=scratch,
    )


def _account(people: People, family: Family, desired: Desired) -> None:
    """Count who is left out, by audience and reason; whoever is in no audience counts under ""."""
    reasons, named = pd.factorize(people.reasons)
    in_none = Division(("",), np.where(nowhere(people.divisions, len(people.ids)), 0, -1).astype(np.int16))
    for division in (*people.divisions, in_none):
        rows = np.flatnonzero(division.codes >= 0)
        pairs, counts = np.unique(
            division.codes[rows].astype(np.int64) * len(named) + reasons[rows], return_counts=True
        )
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            code, reason = divmod(pair, len(named))
            if named[reason]:
                desired.left_out[family, division.audiences[code]][named[reason]] += count
