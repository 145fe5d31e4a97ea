"""The main model and those beside it: each divides the same customers, by itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import ModelVersion
from cohortd.engine import Engine
from cohortd.pipeline.clusters import Clustered, cluster
from cohortd.pipeline.reading import Tables
from cohortd.pipeline.wiring import Pipeline

#: How the main model is named among the others: its segments' ids bear no name.
MAIN = ""


def of_model(pipeline: Pipeline, name: str) -> Pipeline:
    """The pipeline as a model beside the main one sees it: with that model's settings and versions."""
    if name == MAIN:
        return pipeline
    return replace(
        pipeline, segmentation=pipeline.models[name], ledger=pipeline.ledger.of_model(name), models={}
    )


def only_model(pipeline: Pipeline, name: str) -> Pipeline:
    """The pipeline as a model sees it that people name.

    Raises:
        SettingsError: There is no such model beside the main one.
    """
    if name not in pipeline.models:
        known = ", ".join(pipeline.models) or "none"
        raise SettingsError(f"there is no model {name} beside the main one; there are {known}")
    return of_model(pipeline, name)


def cluster_all(
    pipeline: Pipeline,
    engine: Engine,
    tables: Tables,
    *,
    as_of: datetime,
    refit: bool,
    force: bool = False,
) -> dict[str, Clustered]:
    """Assign everybody under every model, the main one first; see ``cluster``."""
    found = {}
    for name in (MAIN, *pipeline.models):
        if name:
            pipeline.progress(f"model {name}")
        found[name] = cluster(
            of_model(pipeline, name),
            engine.beside(f"model_{name}") if name else engine,
            tables,
            as_of=as_of,
            refit=refit,
            force=force,
        )
    return found


def versions_in_force(pipeline: Pipeline) -> dict[str, ModelVersion]:
    """The version of each model that has one."""
    models = pipeline.ledger.models
    found = {name: models.of(name).current() for name in (MAIN, *pipeline.models)}
    return {name: version for name, version in found.items() if version is not None}


def versions_of(clustered: Mapping[str, Clustered]) -> dict[str, ModelVersion]:
    """The versions under which everybody was assigned."""
    return {name: each.version for name, each in clustered.items()}


def audience_id(model: str, segment: str) -> str:
    """How a model's segment is known among all audiences."""
    return f"{model}-{segment}" if model else segment
