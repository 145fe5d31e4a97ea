"""How commands answer."""

import io
import sys

import pytest

from cohortd.cli.output import answer


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_answer_is_there_at_once_although_its_command_goes_on(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = io.BytesIO()
    monkeypatch.setattr(
        sys, "stdout", io.TextIOWrapper(io.BufferedWriter(heard))
    )  # as with a file or a pipe
    answer({"meta": "http"}, as_json=form == "json", show=lambda console: console.print("meta: http"))

    assert b"http" in heard.getvalue()
