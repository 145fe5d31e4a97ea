"""The command: ``python -m benchmarks.clustering``; see ``--help`` for one measure alone."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.clustering import accuracy, explanations, scale, stability
from benchmarks.clustering.weeks import year
from clustering import ALGORITHMS, ClusteringPolicy


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked, or everything; 1 where a bar is missed."""
    asked = _asked(arguments)
    everything = not (asked.stability or asked.accuracy or asked.explanations or asked.scale)
    found: dict[str, object] = {}
    kept = []
    with tempfile.TemporaryDirectory(prefix="clustering-benchmark-", dir=asked.folder) as folder:
        if asked.stability or everything:
            lines = _stability(asked, Path(folder))
            found["stability"] = [asdict(line) for line in lines]
            kept.append(stability.kept(lines))
        if asked.accuracy or everything:
            scores = _accuracy(asked)
            found["accuracy"] = accuracy.rows(scores)
            kept.append(accuracy.kept(scores))
        if asked.explanations or everything:
            trees = _explanations(asked, Path(folder))
            found["explanations"] = [asdict(tree) for tree in trees]
        if asked.scale or everything:
            for customers in asked.customers:
                figures = scale.measure(customers, Path(folder) / str(customers), _say)
                found[f"scale {customers:,}"] = figures
                kept.append(scale.kept(figures))
                _show_scale(customers, figures, as_json=asked.json)
    if asked.json:
        print(json.dumps(found, indent=2))
    return 0 if all(kept) else 1


def _stability(asked: argparse.Namespace, folder: Path) -> list[stability.Line]:
    policy = ClusteringPolicy(
        algorithm=asked.algorithm, k=None if asked.k == "auto" else int(asked.k), minimum_size=50
    )
    with year(folder, weeks=asked.weeks + 1) as weeks:
        lines = stability.measure(weeks, seeds=asked.seeds, policy=policy, say=_say)
    if not asked.json:
        print(f"stability: {asked.weeks} weekly re-clusterings by {asked.algorithm}, k={asked.k}, ", end="")
        print(f"{asked.seeds} seeds, {len(weeks.specs)} features")
        _table([asdict(line) for line in lines])
        print(f"bars: churn at most {stability.CHURN_BAR:.2f} of raw numbers', inertia ", end="")
        print(f"at most {stability.INERTIA_BAR:.2f}: {'met' if stability.kept(lines) else 'MISSED'}\n")
    return lines


def _explanations(asked: argparse.Namespace, folder: Path) -> list[explanations.Fidelity]:
    policy = ClusteringPolicy(k=None if asked.k == "auto" else int(asked.k), minimum_size=50)
    with year(folder, weeks=asked.weeks + 1) as weeks:
        trees = explanations.measure(weeks, seeds=asked.seeds, policy=policy, say=_say)
    if not asked.json:
        print(f"explanations: trees over the last of {asked.weeks} weeks, k={asked.k}, {asked.seeds} seeds")
        _table([asdict(tree) for tree in trees])
        print()
    return trees


def _accuracy(asked: argparse.Namespace) -> list[accuracy.Score]:
    scores = accuracy.measure(seeds=asked.seeds, say=_say)
    if not asked.json:
        print(f"accuracy: adjusted Rand index, {asked.seeds} seeds; all but auto and densities are told k")
        _table(_turned(accuracy.rows(scores)))
        told = "met" if accuracy.kept(scores) else "MISSED"
        print(f"bar: auto, told nothing, at least the best of the others in the mean: {told}\n")
    return scores


def _show_scale(customers: int, figures: Mapping[str, scale.Figures], *, as_json: bool) -> None:
    if as_json:
        return
    print(
        f"scale: {customers:,} customers, {scale.EVENTS_EACH} events each, {len(scale.FEATURES)} features"
    )
    _table([{"step": step, "ratio": "", **_rounded(found)} for step, found in figures.items()])
    print(f"bars: features {scale.FEATURES_BAR} times by_hand, assign {scale.ASSIGNMENT_BAR} times", end="")
    told = "met" if scale.kept(figures) else "MISSED"
    print(f" predict, in processor time; memory {scale.MEMORY_BAR_MB:,.0f} MB: {told}\n")


def _rounded(found: scale.Figures) -> dict[str, object]:
    return {key: f"{value:.0f}" if key == "peak_mb" else f"{value:.2f}" for key, value in found.items()}


def _turned(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """A line a way, a column a shape: so it fits on a screen."""
    ways = [key for key in rows[0] if key != "shape"]
    return [{"way": way} | {str(row["shape"]): row[way] for row in rows} for way in ways]


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clustering", description=__doc__)
    parser.add_argument("--stability", action="store_true", help="weekly re-clusterings of real households")
    parser.add_argument("--accuracy", action="store_true", help="labelled data, beside plain scikit-learn")
    parser.add_argument("--explanations", action="store_true", help="how far the trees can be trusted")
    parser.add_argument(
        "--scale", action="store_true", help="features, fit and assignment of many customers"
    )
    parser.add_argument("--weeks", type=int, default=39)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--algorithm", choices=[*ALGORITHMS, "auto"], default="kmeans")
    parser.add_argument("--k", default="8", help="how many segments, or auto")
    parser.add_argument(
        "--customers",
        type=lambda text: int(float(text)),
        nargs="+",
        default=[1_000_000],
        help="how many to scale to, such as 1e6 5e6 20e6",
    )
    parser.add_argument("--folder", type=Path, help="where the data lies while it is measured")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _table(rows: Sequence[Mapping[str, object]]) -> None:
    """A column a field: text to the left, numbers to the right."""
    cells = [list(rows[0])] + [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(cells[0]))]
    for line in cells:
        first, *rest = (
            text.ljust(width) if not place else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *rest]))


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
