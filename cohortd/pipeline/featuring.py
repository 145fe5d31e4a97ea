"""Which features are computed, and which the next model is fitted on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clustering import is_sensitive, refuse_sensitive
from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec, ModelVersion
from cohortd.engine import Engine, available, resolve
from cohortd.pipeline.reading import Tables
from cohortd.pipeline.wiring import Pipeline


@dataclass(frozen=True, slots=True)
class Chosen:
    """Features of this run."""

    #: What the model in force reads, and what a new one would be fitted on.
    computed: tuple[FeatureSpec, ...]
    fitted: tuple[FeatureSpec, ...]
    #: Features of the model in force that cannot be computed any more, or may not.
    lost: tuple[str, ...]
    notes: tuple[str, ...]


def choose_features(
    pipeline: Pipeline, engine: Engine, tables: Tables, current: ModelVersion | None
) -> Chosen:
    """Choose by the settings, the tables' columns and the model in force.

    A family such as the category shares means the commonest categories; which these are may change
    from week to week. The model keeps those it began with as long as the settings ask for the same,
    so that a refit can start from where the segments are.

    Raises:
        SettingsError: None of the features can be computed from these tables.
    """
    usable, missing = _available(pipeline.segmentation.specs, tables)
    if not usable:
        why = "; ".join(f"{spec.name}: {reason}" for spec, reason in missing[:5])
        raise SettingsError(f"segmentation: none of the features can be computed from these tables. {why}")
    notes = tuple(f"feature {spec.name} left out: {reason}" for spec, reason in missing)
    allowed = pipeline.segmentation.allow_sensitive
    if current is None:
        fitted, refused = _expanded(engine, usable, tables, allowed)
        return Chosen(fitted, fitted, (), (*notes, *refused))
    model, gone = _available(_specs_of(pipeline, current), tables)
    refused_now = (spec.name for spec in model if is_sensitive(spec, allowed))
    lost = (*(spec.name for spec, _ in gone), *refused_now)
    model = [spec for spec in model if spec.name not in lost]
    if not lost and _families(model) == _families(usable):
        return Chosen(tuple(model), tuple(model), (), notes)
    fitted, refused = _expanded(engine, usable, tables, allowed)
    return Chosen(_without_twins([*model, *fitted]), fitted, lost, (*notes, *refused))


def _expanded(
    engine: Engine, specs: Sequence[FeatureSpec], tables: Tables, allowed: frozenset[str]
) -> tuple[tuple[FeatureSpec, ...], list[str]]:
    """Expand families; categories found in the data that are sensitive stay out unless they are allowed.

    Raises:
        SettingsError: Nothing is left.
    """
    expanded = engine.expand(specs, events=tables.events, customers=tables.customers)
    refused = [spec.name for spec in expanded if is_sensitive(spec, allowed)]
    kept = tuple(spec for spec in expanded if spec.name not in refused)
    if expanded and not kept:
        refuse_sensitive(expanded, allowed)
    return kept, [
        f"feature {name} left out: it may say something sensitive of a person; where it does not, name it"
        " in segmentation.allow_sensitive"
        for name in refused
    ]


def _available(
    specs: Iterable[FeatureSpec], tables: Tables
) -> tuple[list[FeatureSpec], list[tuple[FeatureSpec, str]]]:
    return available(specs, tables.events.columns, tables.customers.columns)


def _specs_of(pipeline: Pipeline, version: ModelVersion) -> list[FeatureSpec]:
    """Features a version was fitted on, those found constant then included."""
    asked = version.quality.get("features")
    names = (
        asked if isinstance(asked, list) else [feature.name for feature in version.centroid_model.features]
    )
    return resolve([str(name) for name in names], pipeline.segmentation.attributes)


def _families(specs: Iterable[FeatureSpec]) -> set[str]:
    return {spec.name.partition(":")[0] for spec in specs}


def _without_twins(specs: Iterable[FeatureSpec]) -> tuple[FeatureSpec, ...]:
    return tuple({spec.name: spec for spec in specs}.values())
