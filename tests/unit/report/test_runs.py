import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cohortd.core.modelling import Segment
from cohortd.core.planning import GuardStop
from cohortd.core.reporting import AudienceReport, RevocationReport, RunReport, SourceReport
from cohortd.report import pages, write_run_report
from cohortd.report.views import card_views

SEGMENTS = (
    Segment("s1", "Big spenders", "Spends three times what the others do."),
    Segment(
        "s2", "Night owls", "Shops after ten.", held="Too few: 64 customers, and the settings ask for 150."
    ),
)
PROFILE = {"s1": [("Order value", "$96.40", "high"), ("Visits", "9.2", "low")]}
REPORT = RunReport(
    run_id="20170904T030000-7c1f",
    kind="sync",
    status="partial",
    as_of="2017-09-04T03:00:00.000000Z",
    started_at="2026-11-22T00:58:01.120000Z",
    finished_at="2026-11-22T00:58:13.904000Z",
    model_version=3,
    moved_share=0.068,
    plan_id="p41",
    sources=[
        SourceReport(
            *("customers", 2469, 2466, 0, {"duplicate_key": 3}),
            [{"row": 17, "reason": "duplicate_key", "email": "never@shown.example"}],
        )
    ],
    audiences=[
        AudienceReport(
            *("s1", "Big spenders", "", "google", "google_ads", "9001"),
            eligible=440,
            added=56,
            removed=12,
            pending=5,
            size=447,
            left_out={"no_consent": 21, "denied": 9},
        ),
        AudienceReport("s1", "Big spenders", "", "meta", "meta", "2385", eligible=430, added=50, size=430),
    ],
    revocations=[RevocationReport("google", 12, 11, 4.2)],
    notes=["Meta is paused: renew its token."],
)


class Page(HTMLParser):
    """What a browser would make of a page: its text, its tags, what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            value or "" for name, value in attrs if name in {"src", "href", "action", "srcset", "data"}
        ]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def page(folder: Path, report: RunReport = REPORT) -> Page:
    return Page(write_run_report(folder, report, SEGMENTS, PROFILE).read_text(encoding="utf-8"))


def test_a_run_leaves_a_page_and_the_same_numbers_as_json(tmp_path: Path) -> None:
    path = write_run_report(tmp_path / "reports", REPORT, SEGMENTS, PROFILE)

    assert path == tmp_path / "reports" / "20170904T030000-7c1f.html"
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) == REPORT.as_json()


def test_the_page_names_the_digest_of_its_json(tmp_path: Path) -> None:
    digest = hashlib.sha256()
    text = page(tmp_path).text
    digest.update((tmp_path / f"{REPORT.run_id}.json").read_bytes())

    assert digest.hexdigest() in text


def test_the_page_loads_and_runs_nothing(tmp_path: Path) -> None:
    shown = page(tmp_path)

    assert "script" not in shown.tags
    assert shown.loads == []
    html = (tmp_path / f"{REPORT.run_id}.html").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?://|\bon\w+=", html)


def test_the_page_is_whole_markup(tmp_path: Path) -> None:
    assert page(tmp_path).open == []


def test_the_page_tells_the_run(tmp_path: Path) -> None:
    text = page(tmp_path).text

    for told in (
        "106 additions and 12 removals were made in 1 audience on google and meta",
        "Partly done",
        "6.8% of the customers changed segment",
        "Meta is paused: renew its token.",
        "56 people came, 12 left.",
        "5 to be confirmed.",
        "gave no consent",
        "Order value $96.40 ▲",
        "Visits 9.2 ▼",
        "of 12 revocations confirmed",
        "3 duplicate key (row 17)",
        "22 Nov 2026, 00:58:01",
    ):
        assert told in text, told


def test_a_segment_that_is_held_is_shown_with_why(tmp_path: Path) -> None:
    text = page(tmp_path).text

    assert "Segments not sent anywhere Night owls" in text
    assert "Held back. Too few: 64 customers" in text


def test_an_audience_held_on_one_destination_says_why_there(tmp_path: Path) -> None:
    held = replace(REPORT.audiences[0], held="Only 80 may be sent, and Google needs 100.")

    assert "Held back. Only 80 may be sent" in page(tmp_path, replace(REPORT, audiences=[held])).text


def test_a_samples_contact_field_never_reaches_the_page(tmp_path: Path) -> None:
    page(tmp_path)

    assert "never@shown" not in (tmp_path / f"{REPORT.run_id}.html").read_text(encoding="utf-8")


def test_a_stopped_run_says_which_guard_and_how_to_approve(tmp_path: Path) -> None:
    stop = GuardStop("moved_share", "41% of the customers would move; the settings allow 30%.")
    planned = replace(REPORT.audiences[0], adds=9, removes=4, added=0, removed=0)
    text = page(tmp_path, replace(REPORT, status="stopped", guards=[stop], audiences=[planned])).text

    assert "A guard stopped the run: 9 additions and 4 removals wait for approval." in text
    assert "Moved share. 41% of the customers would move" in text
    assert "cohortd sync --approve p41" in text
    assert "9 people would come, 4 would leave." in text


def test_names_from_outside_are_text_and_never_markup(tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script>"
    audiences = [replace(REPORT.audiences[0], destination=nasty, rejected=1, rejected_reasons={nasty: 1})]
    report = replace(REPORT, audiences=audiences, notes=[nasty])
    path = write_run_report(tmp_path, report, [Segment("s1", nasty, nasty)], {"s1": [(nasty, nasty, "")]})

    assert "<script" not in path.read_text(encoding="utf-8")
    assert nasty in Page(path.read_text(encoding="utf-8")).text


def test_an_empty_run_is_still_a_page(tmp_path: Path) -> None:
    bare = RunReport("r0", "sync", "done", as_of="2017-09-04", started_at="", finished_at="")
    path = write_run_report(tmp_path, bare, (), None)

    assert "Nothing to do" in Page(path.read_text(encoding="utf-8")).text


def test_the_pieces_of_a_bar_fill_it(tmp_path: Path) -> None:
    html = write_run_report(tmp_path, REPORT, SEGMENTS, None).read_text(encoding="utf-8")
    bar = re.findall(r'class="fill-\w+" x="[\d.]+%" y="0" width="([\d.]+)%"', html)

    assert sum(map(float, bar[:3])) == pytest.approx(100, abs=0.01)


def test_who_is_held_back_is_not_counted_as_sent_as_well() -> None:
    held = replace(REPORT.audiences[0], left_out={"segment_held": 100, "denied": 60})
    ((card, _),) = [card_views(replace(REPORT, audiences=[held]), SEGMENTS, None)]

    assert [piece.people for piece in card.places[0].pieces] == [340, 100, 60]


def test_an_audience_whose_segment_is_gone_comes_last_under_its_own_name() -> None:
    gone = replace(REPORT.audiences[0], audience="s0", name="Coupon users")
    cards = card_views(replace(REPORT, audiences=[gone, *REPORT.audiences]), SEGMENTS, None)

    assert [card.name for card in cards] == ["Big spenders", "Night owls", "Coupon users"]


@pytest.mark.parametrize("run_id", ["../up", "a/b", "", ".hidden"])
def test_a_run_id_cannot_name_a_file_elsewhere(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        write_run_report(tmp_path, replace(REPORT, run_id=run_id), (), None)


def test_a_failed_write_leaves_the_old_page_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    monkeypatch.setattr(Path, "replace", _full_disk)

    with pytest.raises(OSError, match="full"):
        pages.write_whole(target, "new")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "old")]


def _full_disk(self: Path, target: Path) -> None:
    raise OSError("disk full")
