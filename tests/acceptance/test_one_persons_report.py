"""One person's report, for a reader who knows nothing of cohortd: what was sent, why, what came back."""

import json
from collections.abc import Iterator

import pytest
from shop import Shop, open_shop

WHO = "c00041"


@pytest.fixture(scope="module")
def revoked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that one person was taken back from."""
    with open_shop(tmp_path_factory.mktemp("report"), customers=120) as shop:
        del shop.settings["destinations"][1]
        shop.write()
        assert shop.sync().code == 0
        assert shop.call("revoke", "--customer", WHO, "--reason", "asked <b>by letter</b>").code == 0
        assert shop.sync().code == 0
        yield shop


def test_the_page_tells_where_why_and_when_it_was_taken_back(revoked: Shop) -> None:
    page = revoked.folder / "report.html"
    answer = revoked.call("trace", "--customer", WHO, "--output", str(page))
    told = page.read_text(encoding="utf-8")

    assert (answer.code, answer.out) == (0, f"Written: {page}\n")
    assert "Everything that was sent about this person was taken back." in told
    assert "e-mail address" in told
    assert "consent was taken back, and no newer consent answers it" in told
    assert "Could be sent: consent had been given for this, by the record of 1 Jan 2025" in told
    assert "on time" in told
    assert "is unaltered" in told
    assert f"cohortd log prove --customer {WHO} --output proof.json" in told
    assert "asked &lt;b&gt;by letter&lt;/b&gt;" in told
    assert page.stat().st_mode & 0o077 == 0


def test_the_same_is_written_as_json_and_names_nobody_by_an_address(revoked: Shop) -> None:
    file = revoked.folder / "report.json"
    row = revoked.customers[WHO]
    answer = revoked.call("trace", "--email", row["email"], "--no-why", "--output", str(file))
    told = file.read_text(encoding="utf-8")
    report = json.loads(told)

    assert answer.code == 0
    assert {place["destination"] for place in report["places"]} == {"google", "meta"}
    assert {place["state"] for place in report["places"]} == {"removed"}
    assert report["who"] == "whoever was named by this e-mail address"
    assert report["entries"][0]["event"] == "recorded"
    assert report["proof"]["sound"] is True
    assert "canary" not in told.lower()


def test_a_report_is_named_by_what_it_is(revoked: Shop) -> None:
    answer = revoked.call("trace", "--customer", WHO, "--output", str(revoked.folder / "report.pdf"))

    assert answer.code == 2
    assert "name it .html or .json" in answer.err


def test_a_period_has_the_revocations_recorded_in_it(revoked: Shop) -> None:
    since, long_ago = "2026-01-01", "2020-01-01"
    within = revoked.call("log", "export", "--format", "html", "--since", since)
    before = revoked.call("log", "export", "--format", "csv", "--until", long_ago)
    lines = revoked.call("log", "export", "--format", "jsonl", "--since", since).out.splitlines()
    linked = json.loads(revoked.call("log", "export", "--format", "jsonld", "--since", since).out)
    turned = revoked.call("log", "export", "--since", since, "--until", long_ago)

    assert "confirmed on time" in within.out
    assert "what was recorded from 1 Jan 2026" in within.out
    assert len(before.out.splitlines()) == 1
    assert len(lines) > 5
    assert [len(record["cohortd:steps"]) for record in linked["@graph"]] == [len(lines)]
    assert (turned.code, "--until must be later" in turned.err) == (2, True)
