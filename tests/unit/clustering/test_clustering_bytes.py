"""The same customers give the same bytes, whatever the machine has to work with."""

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import hashlib, os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
from clustering_shop import SPECS, assign, version, week
from clustering import ALGORITHMS, ClusteringPolicy, fit

for algorithm in (*sorted(ALGORITHMS), "auto"):
    policy = ClusteringPolicy(
        algorithm=algorithm, k=4, minimum_size=25, noise="leftovers",
        micro_audiences=True, micro_size=8,
    )
    said, fitted = "", None
    for number in range(2):
        fitted = fit(
            week(number, customers=200), SPECS, policy, total=200,
            previous=None if fitted is None else version(fitted, algorithm=fitted.algorithm),
            previous_labels=None,
            next_segment_number=1 if fitted is None else fitted.next_segment_number,
        )
        said += repr(fitted)
    print(algorithm, hashlib.sha256(said.encode()).hexdigest()[:8])
"""


def test_every_algorithm_gives_the_same_bytes_on_one_core_and_on_two() -> None:
    alone, together = _started(1), _started(2)

    one, two = alone.communicate()[0], together.communicate()[0]

    assert one == two
    assert len(one.splitlines()) == 7


def _started(cores: int) -> "subprocess.Popen[str]":
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": f"{here}{os.pathsep}{here.parents[2]}"}
    for setting in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment |= {setting: str(cores)}
    command = [sys.executable, "-c", _PROGRAM, str(cores)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
