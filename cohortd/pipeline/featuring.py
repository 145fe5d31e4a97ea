"""Which features are computed, and which the next model is fitted on."""

from collections.abc import Iterable
from dataclasses import dataclass

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
    #: Features of the model in force that cannot be computed any more.
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
    if current is None:
        fitted = tuple(engine.expand(usable, events=tables.events, customers=tables.customers))
        return Chosen(fitted, fitted, (), notes)
    model, gone = _available(_specs_of(pipeline, current), tables)
    lost = tuple(spec.name for spec, _ in gone)
    if not lost and _families(model) == _families(usable):
        return Chosen(tuple(model), tuple(model), (), notes)
    fitted = tuple(engine.expand(usable, events=tables.events, customers=tables.customers))
    return Chosen(_without_twins([*model, *fitted]), fitted, lost, notes)


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
