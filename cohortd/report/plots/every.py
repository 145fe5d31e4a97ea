"""All plots of a version's page, in their order."""

from typing import TYPE_CHECKING

from cohortd.core.modelling import ModelVersion
from cohortd.report.plots.canvas import Plot
from cohortd.report.plots.drift import drift_plot
from cohortd.report.plots.fit import fit_plots
from cohortd.report.plots.flow import flow_plot
from cohortd.report.plots.history import history_plot

if TYPE_CHECKING:
    from cohortd.report.segments import Looks


def segment_plots(version: ModelVersion, looks: "Looks") -> list[Plot]:
    """Draw what there is to draw."""
    plots = list(fit_plots(version, looks.portrait, looks.sizes))
    if looks.movement is not None and looks.movement.known:
        plots.append(flow_plot(version.segments, looks.movement))
    history = history_plot(looks.readings, looks.limits or {})
    names = [feature.name for feature in version.centroid_model.features]
    titles = dict(zip(names, looks.portrait.features, strict=True))
    drift = drift_plot(looks.readings, titles, limit=(looks.limits or {}).get("psi_max"))
    return [*plots, *(plot for plot in (history, drift) if plot is not None)]
