"""Where data is aggregated: stage, features, sample, assign, and what is read back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

import ibis
import pandas as pd
import pyarrow as pa

from cohortd.core.errors import SettingsError
from cohortd.core.figures import TableFigures
from cohortd.core.modelling import CentroidModel, FeatureSpec
from cohortd.engine.aggregation import Input, Span, commonest_slugs, feature_table
from cohortd.engine.assignment import assignment
from cohortd.engine.backend import DuckdbBackend
from cohortd.engine.belonging import belonging_table
from cohortd.engine.catalog import definition_of, is_family
from cohortd.engine.context import CONTEXT_FAMILIES
from cohortd.engine.families import FAMILIES, FIXED_FAMILIES
from cohortd.engine.figures import customer_figures, event_figures
from cohortd.engine.names import FeatureName
from cohortd.engine.profiling import flows_table, means_of, totals_table
from cohortd.engine.staging import StagedTable, open_staged, staged_path, write_staged
from cohortd.engine.templates import attribute_spec
from cohortd.engine.vocabulary import STANDARD, Vocabulary

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from cohortd.engine.conditions import Condition

#: Features a family or a categorical attribute becomes: more would drown the others.
MOST_OF_A_FAMILY = 5
#: An attribute is a number when this share of its values is.
_NUMERIC_SHARE = 0.95
P = ParamSpec("P")
T = TypeVar("T")


class Engine:
    """One work directory and the engine over it; a context manager."""

    def __init__(self, workdir: Path, backend: DuckdbBackend, vocabulary: Vocabulary = STANDARD) -> None:
        """Take all; use :meth:`duckdb`."""
        self._workdir = workdir
        self._backend = backend
        self._vocabulary = vocabulary

    @classmethod
    def duckdb(
        cls,
        workdir: Path,
        memory_limit: str | None = None,
        threads: int | None = None,
        *,
        vocabulary: Vocabulary = STANDARD,
    ) -> Self:
        """Open DuckDB over *workdir*, which is made and belongs to the caller."""
        workdir.mkdir(parents=True, exist_ok=True, mode=0o700)
        backend = DuckdbBackend(workdir, memory_limit=memory_limit, threads=threads)
        return cls(workdir, backend, vocabulary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def beside(self, name: str) -> Self:
        """The same engine, which stages its tables in a folder of its own within this one's."""
        folder = self._workdir / name
        folder.mkdir(exist_ok=True, mode=0o700)
        return type(self)(folder, self._backend, self._vocabulary)

    def close(self) -> None:
        """Give back memory and spill files; staged tables stay."""
        self._backend.close()
        self._remove_spilled()

    def near(self, compute: Callable[Concatenate[Engine, P], T], *given: P.args, **options: P.kwargs) -> T:
        """Call a module's function with this engine, where the engine is: maybe in another process."""
        return compute(self, *given, **options)

    def stage(
        self, name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema | None = None
    ) -> StagedTable:
        """Write *batches* to disk under *name*, replacing what was there.

        Raises:
            ValueError: A contact column is among them.
        """
        return write_staged(staged_path(self._workdir, name), batches, schema=schema)

    def unknown_customers(self, events: StagedTable, customers: StagedTable) -> int:
        """Count the event rows whose customer is not in *customers*."""
        strangers = self._read(events).anti_join(self._read(customers), "customer_id")
        return int(self._backend.number(strangers.count()) or 0)

    def latest(self, events: StagedTable) -> datetime | None:
        """Return the second of the newest event, in UTC; None where there is none."""
        if "occurred_at" not in events.columns:
            return None
        newest = self._backend.number(self._read(events).occurred_at.epoch_seconds().floor().max())
        return None if newest is None else datetime.fromtimestamp(newest, UTC)

    def figures(
        self, events: StagedTable, customers: StagedTable, *, since: datetime | None, later: int
    ) -> tuple[TableFigures, TableFigures]:
        """Look at customers and events in a few numbers; see ``event_figures``."""
        return customer_figures(self._read(customers), self._backend.fetch), event_figures(
            self._read(events), self._backend.fetch, latest=self.latest(events), since=since, later=later
        )

    def expand(
        self,
        specs: Sequence[FeatureSpec],
        *,
        events: StagedTable,
        customers: StagedTable,
        context: StagedTable | None = None,
    ) -> list[FeatureSpec]:
        """Replace families and categorical attributes by one feature for each of their commonest values.

        A model must keep the expanded features: what is commonest may change, a member
        (``category_share:grocery``) is computed the same for ever.
        """
        expanded: list[FeatureSpec] = []
        for spec in specs:
            if spec.table == "customers":
                expanded += self._values_of(spec, customers)
                continue
            name = FeatureName.read(spec.name)
            members = self._members(name.base, events, context) if is_family(name) else []
            found = [definition_of(str(name.of(member)), self._vocabulary) for member in members]
            expanded += [each.spec for each in found if each is not None] if is_family(name) else [spec]
        return list({spec.name: spec for spec in expanded}.values())

    def features(
        self,
        events: StagedTable,
        customers: StagedTable,
        specs: Sequence[FeatureSpec],
        *,
        as_of: datetime,
        window: timedelta | None,
        context: StagedTable | None = None,
        name: str = "features",
    ) -> StagedTable:
        """Compute *specs* over the events from ``as_of - window`` up to, not including, *as_of*.

        Args:
            events: ``customer_id``, ``occurred_at`` and what the specs need.
            customers: Others' events are left out.
            specs: Families are expanded; see the result's columns.
            as_of: Aware; a whole day keeps results calm within it.
            window: None for everything before *as_of*; features may have one of their own.
            context: ``date``, ``place`` where the vocabulary names one, and numbers.
            name: Where it is staged.

        Returns:
            ``customer_id`` and a double a feature (NULL where absent), ordered by customer:
            everybody with an event in the window, or all customers when only attributes are asked.

        Raises:
            SettingsError: No feature is left to compute.
        """
        expanded = self.expand(specs, events=events, customers=customers, context=context)
        if not expanded:
            raise SettingsError("none of the asked features can be computed: their columns hold no values")
        tables = Input(
            self._read(events),
            self._read(customers),
            None if context is None else self._read(context),
            self._vocabulary,
        )
        ever = any(each.endswith(("@all", "/all")) for each in (spec.name for spec in expanded))
        span = self._span(events, as_of=as_of, window=window, ever=ever)
        return self._write(feature_table(tables, specs=expanded, span=span), name)

    def sample(self, features: StagedTable, size: int, seed_text: str) -> pd.DataFrame:
        """Draw *size* customers by the hash of their id: the same ones for the same text.

        Returns:
            The features with index ``customer_id``, ordered by it; NaN where absent.
        """
        table = self._read(features)
        if features.rows > size:
            lot = (ibis.literal(seed_text) + ":" + table.customer_id).hexdigest("sha256")
            table = table.mutate(lot=lot).order_by(["lot", "customer_id"]).limit(size).drop("lot")
        return self._backend.fetch(table.order_by("customer_id")).set_index("customer_id").astype("float64")

    def count(self, features: StagedTable) -> int:
        """Count the customers of a feature table."""
        return int(self._backend.number(self._read(features).count()) or 0)

    def assign(
        self,
        features: StagedTable,
        model: CentroidModel,
        previous: Path | None,
        *,
        name: str = "assignment",
    ) -> StagedTable:
        """Assign everybody of *features*; *previous* is an earlier assignment's file.

        Returns:
            customer_id, segment_id, distance, previous_segment_id, ordered by customer; where the
            model is soft also confidence, the probability of the segment.

        Raises:
            SettingsError: A feature of the model is missing.
        """
        before = None if previous is None else self._backend.read(previous)
        return self._write(
            assignment(self._read(features), model, previous=before).order_by("customer_id"), name
        )

    def sizes(self, assigned: StagedTable) -> dict[str, int]:
        """Count the customers of each segment that has any."""
        table = self._read(assigned)
        counted = table.group_by("segment_id").agg(n=table.count()).order_by("segment_id")
        frame = self._backend.fetch(counted)
        return {str(segment): int(n) for segment, n in zip(frame["segment_id"], frame["n"], strict=True)}

    def confidences(self, assigned: StagedTable) -> dict[str, float]:
        """Average how sure each segment's customers are of it; empty where the model is not soft."""
        if "confidence" not in assigned.columns:
            return {}
        grouped = self._read(assigned).group_by("segment_id")
        frame = self._backend.fetch(grouped.agg(sure=lambda t: t.confidence.mean()))
        return {
            str(name): float(sure) for name, sure in zip(frame["segment_id"], frame["sure"], strict=True)
        }

    def moved_share(self, assigned: StagedTable) -> float | None:
        """Which part of the customers in both assignments changed segment; None where none is in both."""
        table = self._read(assigned)
        both = table.drop_null("previous_segment_id")
        return self._backend.number((both.segment_id != both.previous_segment_id).cast("float64").mean())

    def flows(self, assigned: StagedTable) -> list[tuple[str, str, int]]:
        """Count the customers by the segment before, empty where none, and the segment now."""
        frame = self._backend.fetch(flows_table(self._read(assigned)))
        columns = (frame[name] for name in ("before", "segment_id", "n"))
        return [(str(before), str(now), int(n)) for before, now, n in zip(*columns, strict=True)]

    def read_assignment(self, path: Path) -> pd.Series:
        """Read an assignment back: index ``customer_id``, value ``segment_id``."""
        table = self._backend.read(path).select("customer_id", "segment_id").order_by("customer_id")
        segments: pd.Series = self._backend.fetch(table).set_index("customer_id")["segment_id"]
        return segments

    def belonging(
        self,
        customers: StagedTable,
        assigned: Mapping[str, tuple[StagedTable, Sequence[str]]],
        *,
        features: Sequence[StagedTable] = (),
        conditions: Mapping[str, Condition] | None = None,
    ) -> pd.DataFrame:
        """Bring into memory which segments everybody is in, and which conditions hold of them.

        Args:
            customers: Everybody, with the attributes that the conditions read.
            assigned: By model, an assignment and the segments to look for.
            features: What the conditions read.
            conditions: By name.

        Returns:
            Index ``customer_id``; a column for each model, its name after ``PLACE``, then one of truths
            for each condition. Whoever has none of them is left out.
        """
        table = belonging_table(
            self._read(customers),
            {name: (self._read(table), segments) for name, (table, segments) in assigned.items()},
            features=[self._read(each) for each in features],
            conditions=conditions or {},
        )
        return self._backend.fetch(table).set_index("customer_id")

    def means(self, features: StagedTable, assigned: StagedTable) -> pd.DataFrame:
        """Average raw features over each segment, and over everybody.

        Returns:
            A column a feature, NaN where nobody has any; index ``segment_id``, empty for everybody.
        """
        names = [name for name in features.columns if name != "customer_id"]
        totals = totals_table(self._read(features), self._read(assigned), names)
        return means_of(self._backend.fetch(totals), names)

    def _remove_spilled(self) -> None:
        shutil.rmtree(self._workdir / "spill", ignore_errors=True)

    def _read(self, staged: StagedTable) -> ir.Table:
        return self._backend.read(staged.path)

    def _write(self, table: ir.Table, name: str) -> StagedTable:
        path = staged_path(self._workdir, name)
        self._backend.copy(table, path)
        return open_staged(path)

    def _span(self, events: StagedTable, *, as_of: datetime, window: timedelta | None, ever: bool) -> Span:
        end_s = int(as_of.timestamp())
        first_s = self._first_s(events, end_s) if window is None or ever else None
        if window is None:
            return Span(end_s if first_s is None else first_s, end_s, first_s)
        return Span(end_s - int(window.total_seconds()), end_s, first_s)

    def _first_s(self, events: StagedTable, end_s: int) -> int:
        if "occurred_at" not in events.columns:
            return end_s
        first = self._backend.number(self._read(events).occurred_at.epoch_seconds().floor().min())
        return end_s if first is None else min(int(first), end_s)

    def _members(self, family: str, events: StagedTable, context: StagedTable | None) -> list[str]:
        if family in FAMILIES:
            return self._slugs(self._read(events), FAMILIES[family].column)
        if family in FIXED_FAMILIES:
            return list(FIXED_FAMILIES[family].members)
        assert family in CONTEXT_FAMILIES
        return [name for name in (context.columns if context else ()) if name not in ("date", "place")]

    def _values_of(self, spec: FeatureSpec, customers: StagedTable) -> list[FeatureSpec]:
        if ":" in spec.name or not self._is_text(customers, spec.name):
            return [spec]
        slugs = self._slugs(self._read(customers), spec.name)
        return [attribute_spec(spec.name, slug) for slug in slugs]

    def _slugs(self, table: ir.Table, column: str) -> list[str]:
        counted = self._backend.fetch(commonest_slugs(table, column, most=MOST_OF_A_FAMILY))
        return [str(slug) for slug in counted["slug"]]

    def _is_text(self, customers: StagedTable, attribute: str) -> bool:
        column = self._read(customers)[attribute]
        if not column.type().is_string():
            return False
        known, numbers = column.count(), column.try_cast("float64").count()
        share = self._backend.number(numbers / known.nullif(0))
        return share is not None and share < _NUMERIC_SHARE
