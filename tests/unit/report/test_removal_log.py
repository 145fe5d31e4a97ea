import csv
import io
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

from cohortd.core.printable import printable
from cohortd.core.removals import RemovalEntry
from cohortd.report import removal_log_csv, removal_log_html, removal_log_jsonl
from cohortd.report.cases import begun_until, cases_of, closing
from cohortd.report.removal_log import COLUMNS

ANN, BEN = "3fa9c1d2" * 4, "77b01e42" * 4
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)


def entry(
    seq: int, event: str, subject: str = ANN, *, at_s: float = 0.0, destination: str = "", detail: str = ""
) -> RemovalEntry:
    return RemovalEntry(
        seq=seq,
        at=f"2026-11-22T00:58:{at_s:09.6f}Z",
        event=event,
        subject=subject,
        trigger="consent_record",
        source="loyalty card form",
        event_time="2026-11-21T10:00:00Z",
        audience="s1" if destination else "",
        destination=destination,
        platform=destination,
        account="123",
        remote_id="9001" if destination else "",
        identifier_kinds="email phone" if destination else "",
        batch=4 if destination else 0,
        detail=detail,
        previous="0" * 64,
        hash=f"{seq:064x}",
    )


WHOLE = (
    entry(1, "recorded"),
    entry(2, "queued", at_s=0.1, destination="google"),
    entry(3, "queued", at_s=0.1, destination="meta"),
    entry(4, "recorded", BEN, at_s=0.2),
    entry(5, "sent", at_s=0.3, destination="google"),
    entry(6, "sent", at_s=0.4, destination="meta"),
    entry(7, "rejected", at_s=0.5, destination="meta", detail="too small to remove"),
    entry(8, "accepted", at_s=0.6, destination="google"),
    entry(9, "confirmed", at_s=4.5, destination="google"),
)


def html(*entries: RemovalEntry, verdict: str = "", sound: bool = True) -> str:
    out = io.StringIO()
    removal_log_html(entries, out, made_at=NOW, verdict=verdict, sound=sound)
    return out.getvalue()


def test_csv_holds_every_field_of_every_entry() -> None:
    out = io.StringIO()
    removal_log_csv(WHOLE, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))

    assert list(rows[0]) == list(COLUMNS)
    assert rows == [{name: str(value) for name, value in asdict(one).items()} for one in WHOLE]


def test_a_cell_cannot_become_a_formula() -> None:
    for start in ("=", "+", "-", "@", "\t", "\r"):
        out = io.StringIO()
        removal_log_csv([replace(WHOLE[0], detail=f'{start}HYPERLINK("x"),1')], out)
        row = next(csv.DictReader(io.StringIO(out.getvalue(), newline="")))

        assert row["detail"] == f'\'{printable(start)}HYPERLINK("x"),1'
        assert row["trigger"] == "consent_record"


def test_no_form_of_the_log_gives_orders_to_a_terminal() -> None:
    odd = replace(WHOLE[0], source="\x1b[2J\x9b31m\u202e")
    outs = [io.StringIO() for _ in range(3)]
    for write, out in zip((removal_log_csv, removal_log_jsonl, removal_log_html), outs, strict=True):
        write([odd], out)

    assert [out.getvalue() for out in outs] == [printable(out.getvalue()) for out in outs]
    assert json.loads(outs[1].getvalue())["source"] == odd.source


def test_json_lines_hold_every_field_as_it_was_sealed() -> None:
    odd = replace(WHOLE[0], detail="=1+1\nZoë")
    out = io.StringIO()
    removal_log_jsonl([odd, *WHOLE[1:]], out)
    lines = [RemovalEntry(**json.loads(line)) for line in out.getvalue().splitlines()]

    assert lines == [odd, *WHOLE[1:]]


def test_each_record_begins_a_case_and_steps_find_theirs() -> None:
    ann, ben = cases_of(WHOLE)
    google, meta = ann.removals.values()

    assert (ann.subject, ben.subject, ben.removals) == (ANN, BEN, {})
    assert (google.state, ann.seconds(google)) == ("confirmed", 4.5)
    assert (meta.state, meta.detail, ann.seconds(meta)) == ("rejected", "too small to remove", None)


def test_a_late_answer_goes_to_the_case_that_waits_for_it() -> None:
    again = (
        entry(1, "recorded"),
        entry(2, "queued", destination="google"),
        entry(3, "recorded", at_s=1),
        entry(4, "confirmed", at_s=2, destination="google"),
    )
    first, second = cases_of(again)

    assert [removal.state for removal in first.removals.values()] == ["confirmed"]
    assert second.removals == {}


def test_an_excerpt_without_the_record_claims_no_duration() -> None:
    (case,) = cases_of(WHOLE[1:2] + WHOLE[8:])

    assert case.recorded_at == ""
    assert closing([case]).slowest_s is None


def test_the_log_is_summed_up() -> None:
    sums = closing(cases_of(WHOLE))

    assert (sums.revocations, sums.removals, sums.confirmed, sums.refused, sums.open) == (2, 2, 1, 1, 0)
    assert sums.slowest_s == 4.5


def test_the_page_shows_eight_digits_of_a_subject_and_whole_chain_hashes() -> None:
    text = html(*WHOLE)

    assert "3fa9c1d2…" in text
    assert ANN[:9] not in text
    assert all(one.hash in text for one in WHOLE)


def test_the_page_says_what_is_not_confirmed() -> None:
    text = " ".join(html(*WHOLE).split())

    assert "1 of 2 removals is confirmed, 1 refused by the platform." in text
    assert "too small to remove" in text
    assert "in no audience: nothing to remove" in text


def test_the_page_carries_the_verdict_good_or_bad() -> None:
    assert "Log intact" in html(*WHOLE, verdict="9 entries, one chain.")
    altered = html(*WHOLE, verdict="Entry 4 was changed.", sound=False)

    assert "Log altered" in altered
    assert "Entry 4 was changed." in altered
    assert "Log intact" not in html(*WHOLE)


def test_an_export_says_its_time_only_when_told() -> None:
    out = io.StringIO()
    removal_log_html(WHOLE, out)

    assert "exported 22 Nov 2026, 01:00:00 UTC" in html(*WHOLE)
    assert "exported" not in out.getvalue()


def test_an_empty_log_is_a_page_too() -> None:
    assert "No consent was taken back." in html()


def test_what_a_platform_says_is_text_and_never_markup() -> None:
    assert "<b>boo" not in html(*WHOLE[:3], replace(WHOLE[6], detail="<b>boo</b>"))


def test_a_period_has_the_cases_recorded_in_it_with_what_became_of_them_later() -> None:
    cases = begun_until(cases_of(WHOLE[1:]), "2026-11-22T00:58:00.300000Z")
    out = io.StringIO()
    removal_log_html(WHOLE, out, made_at=NOW, period=("2026-11-22", "2026-11-22T00:58:00.100000Z"))

    assert [case.subject for case in cases] == [BEN]  # the record of the other lies before
    assert "confirmed by the platform" in out.getvalue()
    assert BEN[:8] not in out.getvalue()


def test_what_was_late_and_what_is_past_its_time_is_counted() -> None:
    due = {"due_at": "2026-11-22T00:58:03.000000Z"}
    late = replace(WHOLE[8], on_time="no", **due)
    closed = closing(cases_of([*(replace(one, **due) for one in WHOLE[:8]), late]), now="2026-11-22T01")

    assert (closed.on_time, closed.late, closed.overdue) == (0, 1, 1)
    assert closing(cases_of([replace(WHOLE[8], on_time="yes")])).on_time == 1
