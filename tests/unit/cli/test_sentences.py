"""Sentences of answers say one thing as one, and end where they end."""

import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cohortd.cli.consents import _progress
from cohortd.cli.entry import run, say_in_utf8
from cohortd.cli.output import Plain
from cohortd.cli.runs import _show_sync
from cohortd.pipeline.revoking import Revoked


@pytest.mark.parametrize(
    ("queued", "still", "told"),
    [
        (0, 0, "or their removal is under way already; they are kept out from now on."),
        (
            0,
            1,
            "queued before. 1 destination has not confirmed yet; 'cohortd log show' tells when.",
        ),
        (1, 0, "To be taken off 1 remote audience: confirmed."),
        (
            2,
            1,
            "2 remote audiences: sent. 1 destination has not confirmed yet; 'cohortd log show' tells when.",
        ),
    ],
)
def test_a_revocation_is_told_in_plain_numbers(queued: int, still: int, told: str) -> None:
    done = Revoked(
        subject="5a" * 16,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        queued=queued,
        open=still,
        sent=True,
        notes=(),
        fell_short=False,
        in_source=True,
    )

    assert _progress(done).endswith(told)


@pytest.mark.parametrize("call", [["runs", "--limit", "9" * 20], ["log", "show", "--limit", "9" * 20]])
def test_a_number_that_no_database_takes_is_a_wrong_call(capsys, call: list[str]) -> None:
    code = run(call)
    said = capsys.readouterr().err

    assert code == 2
    assert said.endswith(". See: cohortd " + " ".join(call[: call.index("--limit")]) + " --help\n")


def test_a_name_with_an_umlaut_is_said_in_utf8_whatever_the_locale() -> None:
    raw = io.BytesIO()
    said = io.TextIOWrapper(raw, encoding="ascii")
    say_in_utf8(said)
    said.write("Käufer")
    said.flush()

    assert raw.getvalue() == "Käufer".encode()


def test_an_answer_that_nobody_reads_ends_as_for_any_other_program() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-c", "from cohortd.cli import main; main()", "init", "--help"]
    done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_while_the_program_loads_shows_no_traceback() -> None:
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from cohortd.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (130, b"")


@pytest.mark.parametrize(
    ("option", "said"),
    [(("--grpc-port", "70000"), "65535"), (("--state", "taken"), "--state names a folder")],
)
def test_emulate_says_which_of_its_options_is_wrong(capsys, monkeypatch, tmp_path, option, said) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").touch()

    assert (run(["emulate", *option]), said in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize("pending", [0, 3])
def test_what_is_pending_is_explained_where_anything_is(pending: int) -> None:
    audience = SimpleNamespace(
        audience="s1",
        name="A",
        destination="g",
        added=1,
        removed=0,
        pending=pending,
        rejected=0,
        size=1,
        held="",
    )
    report = SimpleNamespace(
        audiences=[audience], lineage=(), notes=[], guards=[], plan_id=None, run_id="r", status="done"
    )
    console = Plain(file=io.StringIO(), width=120)
    _show_sync(console, report)

    assert ("not confirmed yet" in console.file.getvalue()) is bool(pending)
