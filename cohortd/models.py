"""Models out of their settings: the main one, and those beside it."""

from collections.abc import Mapping

from clustering import ClusteringPolicy, DriftLimits, Preparing, refuse_sensitive
from cohortd.engine import resolve, with_own
from cohortd.features import attributes_of, vocabulary_of
from cohortd.pipeline.wiring import SegmentationPolicy
from config.models import Model
from config.settings import Settings


def beside(settings: Settings) -> Mapping[str, Settings]:
    """Write the settings as each further model reads them: with itself for the main one."""
    return {name: _of(settings, name, model) for name, model in settings.models.items()}


def _of(settings: Settings, name: str, model: Model) -> Settings:
    main, audiences = settings.segmentation, settings.audiences
    shared = {each: getattr(main, each) for each in ("expressions", "conversion_types", "page_view_types")}
    prefix = f"{name}-"
    own = {
        "names": {
            segment.removeprefix(prefix): called
            for segment, called in audiences.names.items()
            if segment.startswith(prefix)
        },
        "pinned": tuple(
            segment.removeprefix(prefix) for segment in audiences.pinned if segment.startswith(prefix)
        ),
    }
    return settings.model_copy(
        update={
            "segmentation": model.model_copy(update=shared),
            "audiences": audiences.model_copy(update=own),
        }
    )


def segmentation(settings: Settings) -> SegmentationPolicy:
    """Turn the settings of a model into what the pipeline knows.

    Raises:
        SettingsError: A feature is unknown, or sensitive.
    """
    wanted = settings.segmentation
    attributes, vocabulary = attributes_of(settings), vocabulary_of(settings)
    asked = resolve(wanted.chosen, attributes, vocabulary)
    specs = tuple(asked if isinstance(wanted, Model) else with_own(asked, vocabulary))
    refuse_sensitive(specs, wanted.allow_sensitive)
    return SegmentationPolicy(
        specs=specs,
        vocabulary=vocabulary,
        attributes=attributes,
        window=wanted.window,
        refit_every=wanted.refit_every,
        sample_size=wanted.sample_size,
        drift=DriftLimits(
            wanted.drift.psi, wanted.drift_limit, wanted.drift.silhouette_drop, wanted.drift.churn
        ),
        allow_sensitive=frozenset(wanted.allow_sensitive),
        churn_budget=wanted.churn_budget,
        clustering=ClusteringPolicy(
            algorithm=wanted.algorithm,
            k=None if wanted.k == "auto" else wanted.k,
            k_min=wanted.k_min,
            k_max=wanted.k_max,
            margin=wanted.margin,
            churn_budget=wanted.churn_budget,
            minimum_size=settings.audiences.minimum_size,
            minimum_share=settings.audiences.minimum_share,
            below_minimum=settings.audiences.below_minimum,
            seed=wanted.seed,
            names=settings.audiences.names,
            pinned=frozenset(settings.audiences.pinned),
            noise=wanted.noise,
            micro_audiences=wanted.micro_audiences,
            preparing=Preparing(wanted.scaling, wanted.correlation_limit),
        ),
    )
