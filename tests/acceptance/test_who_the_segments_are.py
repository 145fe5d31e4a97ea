"""The report of the segments, what machines get of it, and why one person is where they are."""

from pathlib import Path

import pytest
from shop import Answer, Shop


@pytest.fixture
def drawn(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that has sent everybody, with pictures."""
    monkeypatch.setenv("COHORTD_REPORTS__PLOTS", "true")
    assert shop.sync().code == 0
    return shop


def test_a_new_model_version_is_told_drawn_and_asked_for_by_person(drawn: Shop) -> None:
    made = drawn.call("recluster", "--json").json
    audiences = drawn.call("audiences", "--json").json["audiences"]
    traced = drawn.call("trace", "--customer", "c00007", "--json")

    _check_page(drawn, Path(made["report"]))
    assert all(segment["hint"] and segment["stage"] for segment in made["segments"])
    assert made["quality"]["explanation"]["fidelity"] > 0.5
    assert all(row["effects"] and row["rules"] and row["hint"] for row in audiences)
    _check_placement(drawn, traced)


def _check_page(shop: Shop, page: Path) -> None:
    html = page.read_text(encoding="utf-8")

    assert page == shop.data_dir / "reports" / "segments-v1.html"
    assert {path.stem for path in page.with_suffix("").glob("*.png")} >= {
        "sizes",
        "profiles",
        "map",
        "quality",
    }
    for customer, fields in shop.customers.items():
        assert customer not in html
        assert fields["email"] not in html


def _check_placement(shop: Shop, traced: Answer) -> None:
    (placement,) = traced.json["placements"]
    run = shop.call("runs", "--json").json["runs"][0]["run_id"]

    assert placement["segment"] == traced.json["decisions"][0]["segment_id"]
    assert placement["why_not"] == ""
    assert placement["since_run"] == run
    assert placement["distance"] <= placement["runner_up"]["distance"]
    assert not placement["kept_by_margin"]
    assert {"title", "value", "typical", "typical_others"} <= set(placement["features"][0])
    assert shop.customers["c00007"]["email"] not in traced.out
