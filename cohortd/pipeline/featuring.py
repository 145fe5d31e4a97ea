"""Which features are computed, and which the next model is fitted on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from clustering import is_sensitive, refuse_sensitive
from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec, ModelVersion
from cohortd.engine import Engine, available, family_of, meaning_of, resolve
from cohortd.pipeline.reading import Tables
from cohortd.pipeline.wiring import Pipeline

#: Where a version's quality keeps them.
_MEANINGS: Final = "meanings"


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
    model, gone = _still_there(pipeline, current, tables)
    lost = (*gone, *(spec.name for spec in model if is_sensitive(spec, allowed)))
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
    expanded = engine.expand(
        specs, events=tables.events, customers=tables.customers, context=tables.context
    )
    refused = [spec.name for spec in expanded if is_sensitive(spec, allowed)]
    kept = tuple(spec for spec in expanded if spec.name not in refused)
    if expanded and not kept:
        refuse_sensitive(expanded, allowed)
    return kept, [
        f"feature {name} left out: it may say something sensitive of a person; where it does not, name it"
        " in segmentation.allow_sensitive"
        for name in refused
    ]


def meanings(pipeline: Pipeline, specs: Iterable[FeatureSpec]) -> dict[str, object]:
    """Say, for a version's quality, what those features meant whose meaning is in the settings."""
    told = {spec.name: meaning_of(spec.name, pipeline.segmentation.vocabulary) for spec in specs}
    known = {name: meaning for name, meaning in told.items() if meaning}
    return {_MEANINGS: known} if known else {}


def _available(
    specs: Iterable[FeatureSpec], tables: Tables
) -> tuple[list[FeatureSpec], list[tuple[FeatureSpec, str]]]:
    context = tables.context.columns if tables.context is not None else ()
    return available(specs, tables.events.columns, tables.customers.columns, context)


def _still_there(
    pipeline: Pipeline, version: ModelVersion, tables: Tables
) -> tuple[list[FeatureSpec], tuple[str, ...]]:
    """Part the features a version was fitted on, those found constant then included, from the lost.

    Lost is what the tables no longer give, and what the settings no longer mean: an expression that
    is gone or was rewritten.
    """
    asked = version.quality.get("features")
    names = [str(name) for name in asked] if isinstance(asked, list) else _fitted_names(version)
    meant = version.quality.get(_MEANINGS)
    segmentation, known, lost = pipeline.segmentation, list[FeatureSpec](), list[str]()
    for name in names:
        before = meant.get(name, "") if isinstance(meant, dict) else ""
        try:
            spec = resolve([name], segmentation.attributes, segmentation.vocabulary)
        except SettingsError:
            lost.append(name)
            continue
        if before and before != meaning_of(name, segmentation.vocabulary):
            lost.append(name)
        else:
            known += spec
    usable, gone = _available(known, tables)
    return usable, (*lost, *(spec.name for spec, _ in gone))


def _fitted_names(version: ModelVersion) -> list[str]:
    return [feature.name for feature in version.centroid_model.features]


def _families(specs: Iterable[FeatureSpec]) -> set[str]:
    return {family_of(spec.name) for spec in specs}


def _without_twins(specs: Iterable[FeatureSpec]) -> tuple[FeatureSpec, ...]:
    return tuple({spec.name: spec for spec in specs}.values())
