"""Assignment in the engine against numpy: not one label may differ."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import CentroidModel, Part, PreparedFeature


def by_hand(frame: pd.DataFrame, model: CentroidModel, previous: dict[str, str]) -> pd.DataFrame:
    """Apply the rule customer by customer, in numpy."""
    rows = []
    for customer, values in frame.iterrows():
        z = [_prepared(values[feature.name], feature) for feature in model.features]
        distances = np.sqrt([_squared(np.array(z), model, row) for row in range(len(model.centroids))])
        nearest = int(np.argmin(distances))
        before = previous.get(str(customer))
        if before in model.segment_ids:
            own = model.segment_ids.index(before)
            if not distances[nearest] < (1 - model.margin) * distances[own]:
                nearest = own
        rows.append((customer, model.segment_ids[nearest], distances[nearest], before))
    return pd.DataFrame(rows, columns=["customer_id", "segment_id", "distance", "previous_segment_id"])


def _squared(z, model: CentroidModel, row: int) -> float:
    """By the words of `Part`: to the nearest part of a segment."""
    found = []
    for part in model.parts or [Part(row, model.centroids[row])]:
        if part.segment == row:
            away = z - np.array(part.center) if part.center else np.zeros(1)
            found.append(((np.array(part.axes or np.eye(len(away))) @ away) ** 2).sum() + part.offset)
    return min(found)


def _prepared(raw: float, feature: PreparedFeature) -> float:
    filled = feature.fill if np.isnan(raw) else raw
    return ((np.log1p(max(filled, 0.0)) if feature.log else filled) - feature.center) / feature.scale


def stage_features(engine, frame, name="features"):
    return engine.stage(name, pa.Table.from_pandas(frame.reset_index()).to_batches())


def assign(engine, frame, model, previous=None):
    path = None
    if previous is not None:
        rows = {"customer_id": list(previous), "segment_id": list(previous.values())}
        path = engine.stage("previous", [pa.record_batch(rows)]).path
    return engine.assign(stage_features(engine, frame), model, path)


def random_model(rng, *, features=6, segments=7, margin=0.15):
    prepared = tuple(
        PreparedFeature(
            f"f{i}", float(rng.normal()), bool(i % 2), float(rng.normal()), float(rng.uniform(0.3, 3))
        )
        for i in range(features)
    )
    centroids = tuple(tuple(float(x) for x in row) for row in rng.normal(size=(segments, features)))
    return CentroidModel(prepared, centroids, tuple(f"s{k}" for k in range(1, segments + 1)), margin)


def plain(model, rng):
    """Nothing but centroids."""
    del rng
    return model


def many_places(model, rng):
    """Two to four places a segment, and a segment for whoever is far from all."""
    parts = [
        Part(row, tuple(rng.normal(size=len(model.features))))
        for row in range(len(model.centroids) - 1)
        for _ in range(rng.integers(2, 5))
    ]
    return replace(model, parts=(*parts, Part(len(model.centroids) - 1, (), (), 4.0)))


def densities(model, rng):
    """Ellipsoids that lean, each with a height of its own."""
    count = len(model.features)
    parts = tuple(
        Part(row, centroid, tuple(map(tuple, np.triu(rng.normal(size=(count, count))))), float(row))
        for row, centroid in enumerate(model.centroids)
    )
    return replace(model, parts=parts, soft=True)


def random_features(rng, *, rows=1500, features=6):
    frame = pd.DataFrame(
        rng.normal(1, 3, size=(rows, features)), columns=[f"f{i}" for i in range(features)]
    )
    frame[rng.random(frame.shape) < 0.05] = np.nan
    frame.index = pd.Index([f"c{n:05}" for n in rng.permutation(rows)], name="customer_id")
    return frame


@pytest.mark.parametrize(
    ("seed", "margin", "shape"),
    [
        (1, 0.0, plain),
        (2, 0.15, plain),
        (1, 0.5, plain),
        (3, 0.15, many_places),
        (4, 0.15, densities),
    ],
)
def test_no_label_differs_from_numpy(engine, seed, margin, shape):
    rng = np.random.default_rng(seed)
    frame, model = random_features(rng), shape(random_model(rng, margin=margin), rng)
    names = [*model.segment_ids, "s99"]  # s99 is no more
    previous = {customer: names[rng.integers(len(names))] for customer in frame.index[:1000]} | {
        "left": "s1"
    }

    assigned = assign(engine, frame, model, previous)

    expected = by_hand(frame.sort_index(), model, previous)
    found = pd.read_parquet(assigned.path)
    assert found["segment_id"].tolist() == expected["segment_id"].tolist()
    assert found["customer_id"].tolist() == expected["customer_id"].tolist()
    np.testing.assert_allclose(found["distance"], expected["distance"], rtol=1e-9)
    before = [None if pd.isna(segment) else segment for segment in found["previous_segment_id"]]
    assert before == [previous.get(customer) for customer in expected["customer_id"]]
    moved = expected.dropna()
    assert engine.moved_share(assigned) == pytest.approx(
        (moved.segment_id != moved.previous_segment_id).mean()
    )
    assert engine.sizes(assigned) == expected["segment_id"].value_counts().to_dict()
    flows = (
        expected.fillna({"previous_segment_id": ""}).groupby(["previous_segment_id", "segment_id"]).size()
    )
    assert engine.flows(assigned) == [(before, now, n) for (before, now), n in flows.items()]


def test_a_soft_model_says_how_sure_it_is(engine):
    model = CentroidModel(
        (PreparedFeature("x", 0.0, log=False, center=0.0, scale=1.0),),
        ((0.0,), (2.0,)),
        ("s1", "s2"),
        0.15,
        (Part(0, (0.0,)), Part(1, (2.0,), offset=1.0)),
        soft=True,
    )
    frame = pd.DataFrame({"x": [0.0, 1.25, 500.0]}, index=pd.Index(["a", "b", "c"], name="customer_id"))
    assigned = assign(engine, frame, model)

    found = pd.read_parquet(assigned.path)
    second = 1 / (1 + np.exp(-5 / 2))
    assert found["confidence"].tolist() == pytest.approx([second, 0.5, 1.0])
    assert found["segment_id"].tolist() == ["s1", "s1", "s2"]
    sure = engine.confidences(assigned)
    assert sure == {"s1": pytest.approx((second + 0.5) / 2), "s2": pytest.approx(1.0)}


def test_a_model_that_is_not_soft_says_nothing_of_confidence(engine):
    frame = pd.DataFrame({"x": [1.0]}, index=pd.Index(["a"], name="customer_id"))

    assert engine.confidences(assign(engine, frame, line(0.0, 1.0))) == {}


def line(*centroids: float, margin: float = 0.15) -> CentroidModel:
    """A model on one unprepared feature."""
    segments = tuple(f"s{k}" for k in range(1, len(centroids) + 1))
    return CentroidModel(
        (PreparedFeature("x", 0.0, log=False, center=0.0, scale=1.0),),
        tuple((c,) for c in centroids),
        segments,
        margin,
    )


def on_a_line(engine, model, values, previous=None):
    frame = pd.DataFrame(
        {"x": list(values.values())}, index=pd.Index(list(values), name="customer_id"), dtype=float
    )
    return engine.read_assignment(assign(engine, frame, model, previous).path).to_dict()


def test_ties_go_to_the_earlier_row(engine):
    assert on_a_line(engine, line(4.0, 2.0, 2.0), {"a": 3.0, "b": 2.0}) == {"a": "s1", "b": "s2"}


def test_a_tie_keeps_the_previous_segment(engine):
    found = on_a_line(engine, line(4.0, 2.0, margin=0.0), {"a": 3.0, "b": 3.0}, {"a": "s2", "b": "s1"})

    assert found == {"a": "s2", "b": "s1"}


def test_a_customer_stays_until_another_centre_is_nearer_by_the_margin(engine):
    values = {"near": 0.53, "far": 0.55}  # distances .53/.47 and .55/.45; .85 * .55 = .4675
    assert on_a_line(engine, line(0.0, 1.0), values, dict.fromkeys(values, "s1")) == {
        "near": "s1",
        "far": "s2",
    }


def test_absent_values_count_as_what_the_model_fills(engine):
    model = CentroidModel(
        (PreparedFeature("x", 5.0, log=True, center=0.0, scale=1.0),), ((0.0,), (1.8,)), ("s1", "s2"), 0.15
    )
    found = on_a_line(engine, model, {"absent": None, "negative": -7.0, "zero": 0.0})

    assert found == {"absent": "s2", "negative": "s1", "zero": "s1"}


def test_without_a_previous_assignment_nobody_moved(engine):
    frame = pd.DataFrame({"x": [1.0]}, index=pd.Index(["a"], name="customer_id"))
    assert engine.moved_share(assign(engine, frame, line(0.0, 1.0))) is None


def test_a_feature_that_is_gone_says_what_to_do(engine):
    frame = pd.DataFrame({"y": [1.0]}, index=pd.Index(["a"], name="customer_id"))

    with pytest.raises(SettingsError, match=r"reads x.*recluster"):
        assign(engine, frame, line(0.0, 1.0))


def test_the_previous_assignment_may_be_the_file_that_is_replaced(engine):
    frame = pd.DataFrame({"x": [0.53]}, index=pd.Index(["a"], name="customer_id"))
    first = engine.assign(stage_features(engine, frame - 0.5), line(0.0, 1.0), None)
    again = engine.assign(stage_features(engine, frame), line(0.0, 1.0), first.path)

    assert again.path == first.path
    assert engine.read_assignment(again.path).to_dict() == {"a": "s1"}


def test_means_of_raw_values_are_told_for_each_segment_and_for_everybody(engine):
    frame = pd.DataFrame(
        {"x": [1.0, 2.0, 6.0, 9.0, None], "y": [None, None, None, 3.0, 5.0]},
        index=pd.Index(list("abcde"), name="customer_id"),
    )
    staged = stage_features(engine, frame)
    means = engine.means(staged, engine.assign(staged, line(0.0, 8.0), None))

    assert means["x"].to_dict() == {"s1": 1.5, "s2": 7.5, "": 4.5}
    assert means["y"].to_dict() == {"s1": 5.0, "s2": 3.0, "": 4.0}
