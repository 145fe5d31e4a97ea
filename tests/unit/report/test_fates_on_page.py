from dataclasses import replace
from pathlib import Path

import pytest
from test_runs import REPORT, page

from cohortd.core.fates import AudienceFate, SegmentFate
from cohortd.core.reporting import RunReport

FATE = SegmentFate(
    *("merged", "s4", "Small & rare", "s1", "Big spenders", "s1 (Big spenders) (91%)"),
    told="s4 (Small & rare) is merged into s1 (Big spenders).",
    audiences=[AudienceFate("meta", "emptied", 81, "its 81 members leave", "2385")],
)


@pytest.mark.parametrize(("moved", "times"), [(0.1, 1), (None, 0)], ids=["later", "first run"])
def test_the_page_tells_which_segments_came_and_went_but_for_the_first_run(
    tmp_path: Path, moved: float | None, times: int
) -> None:
    text = page(tmp_path, replace(REPORT, moved_share=moved, lineage=[FATE])).text

    for told in ("Segments that came and went", FATE.told, "meta: its 81 members leave"):
        assert text.count(told) == times


def test_fates_come_back_from_a_kept_report() -> None:
    report = replace(REPORT, lineage=[FATE])

    assert RunReport.of_json(report.as_json()) == report
