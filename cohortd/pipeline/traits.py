"""What sets each segment apart, in the numbers of the data, for the cards of a report."""

import math
from collections.abc import Hashable, Iterator, Mapping

from cohortd.core.modelling import CentroidModel, FeatureSpec
from cohortd.engine import EVERYBODY, Engine
from cohortd.pipeline.clusters import Clustered

#: Traits of a segment that a card shows, and how many deviations from the middle make one.
MOST_TRAITS = 5
TELLING = 0.5

Trait = tuple[str, str, str]


def traits(engine: Engine, clustered: Clustered) -> dict[str, list[Trait]]:
    """Describe every segment by (feature title, value, "high" or "low"), the most telling first."""
    told = engine.means(clustered.features, clustered.assignment)
    means = {(segment, name): mean for name, column in told.items() for segment, mean in column.items()}
    titles = {spec.name: spec for spec in clustered.specs}
    model = clustered.version.centroid_model
    return {
        segment: list(_of_segment(model, place, segment, means, titles))
        for place, segment in enumerate(model.segment_ids)
    }


def _of_segment(
    model: CentroidModel,
    place: int,
    segment: str,
    means: Mapping[tuple[Hashable, Hashable], float],
    titles: dict[str, FeatureSpec],
) -> Iterator[Trait]:
    centroid = model.centroids[place]
    order = sorted(range(len(centroid)), key=lambda i: (-abs(centroid[i]), i))
    for i in order[:MOST_TRAITS]:
        name = model.features[i].name
        mean, everybody = (means.get((of, name), math.nan) for of in (segment, EVERYBODY))
        if abs(centroid[i]) < TELLING or name not in titles or math.isnan(mean) or math.isnan(everybody):
            continue
        value = f"{_number(mean)} on average, everybody {_number(everybody)}"
        yield titles[name].title, value, "high" if centroid[i] > 0 else "low"


def _number(value: float) -> str:
    """Write three digits or so: 1,234, 12.3 or 0.12."""
    size = math.log10(abs(value)) if value else 0.0
    return f"{value:,.{0 if size >= 2 else 1 if size >= 0 else 2}f}"  # noqa: PLR2004 - powers of ten
