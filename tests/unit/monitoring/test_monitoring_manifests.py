"""Dashboard and alerts name what there is: metrics, labels, pages; the documentation names them all."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from cohortd.core.conditions import KINDS
from cohortd.monitoring.catalog import METRICS, REVOCATION_SECONDS, Kind
from cohortd.monitoring.counting import Counting
from cohortd.monitoring.documentation import document

ROOT = Path(__file__).parents[3]
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [
    *(rule["expr"] for rule in RULES),
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(each["expr"] for each in DASHBOARD["annotations"]["list"]),
]
#: Every series -> its labels; those of the scrape come on top.
SERIES = {
    f"{metric.name}{suffix}": {*metric.labels, *("le" for _ in metric.buckets)}
    for metric in METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",))
}
OF_THE_SCRAPE = {"instance"}


def _named(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Every series of an expression, with the labels that are asked of it or that it is summed up by."""
    for part in expression.split(" or "):
        by = {
            label.strip() for found in re.findall(r"\bby \(([^)]*)\)", part) for label in found.split(",")
        }
        for name, chosen in re.findall(r"\b(cohortd_\w+)(\{[^}]*\})?", part):
            yield name, by | set(re.findall(r"(\w+)\s*[=!]", chosen))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_names_series_and_labels_that_there_are(expression: str) -> None:
    named = list(_named(expression))

    assert named
    assert {name for name, _ in named} <= set(SERIES)
    assert [(name, labels) for name, labels in named if not labels <= SERIES[name] | OF_THE_SCRAPE] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_where_its_cure_stands(rule: dict) -> None:
    page, _, anchor = rule["annotations"]["cure"].partition("#")
    text = (ROOT / page).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    labels = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))

    assert len(rule["annotations"]["summary"]) > 20
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert anchor in headings
    assert f"| `{rule['alert']}` |" in text
    assert all(labels <= asked for _, asked in _named(rule["expr"]))


def test_panels_have_names_and_places_of_their_own() -> None:
    ids, titles = [each["id"] for each in DASHBOARD["panels"]], [each["title"] for each in PANELS]
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in (panel["gridPos"],)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_metric_is_documented() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == document(), (
        "write it again: python -m cohortd.monitoring > docs/metrics.md"
    )


def test_what_a_process_counts_is_in_the_catalog() -> None:
    registry: CollectorRegistry = Counting().registry
    told = {family.name: set(family.documentation) for family in registry.collect()}

    assert set(told) == {
        metric.name.removesuffix("_total")
        for metric in METRICS
        if metric.kind is not Kind.GAUGE and metric is not REVOCATION_SECONDS
    }


def test_names_follow_the_conventions() -> None:
    counters = {metric.name for metric in METRICS if metric.kind is Kind.COUNTER}
    reserved = {"job", "instance", "le", "quantile"}

    assert {name for name in counters if not name.endswith("_total")} == set()
    assert {metric.name for metric in METRICS if set(metric.labels) & reserved} == set()
    assert {metric.name for metric in METRICS if not re.fullmatch(r"cohortd_[a-z_]+", metric.name)} == set()


def test_every_kind_of_condition_is_documented_and_watched() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    table = re.findall(
        r"^\| (`[^|]+) \|", page.split("\n## What is told\n")[1].split("\n## ")[0], re.MULTILINE
    )
    (rest,) = [rule["expr"] for rule in RULES if rule["alert"] == "CohortdNeedsSomebody"]
    left_to_others = set(re.findall(r'kind!~"([^"]+)"', rest)[0].split("|"))

    assert {kind for row in table for kind in re.findall(r"`([^`]+)`", row)} == KINDS
    assert left_to_others < KINDS
