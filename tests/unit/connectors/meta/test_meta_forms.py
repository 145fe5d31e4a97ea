"""Forms are encoded as urllib does it."""

import json
from urllib.parse import quote_plus, unquote_plus, urlencode

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors.meta.forms import FormSession, encoded, payload_of, quoted

FORM = {"payload": '{"schema":["EMAIL"],"data":[["a b+c%20~"]]}', "session_id": 7, "naïve": "é=&"}


@given(st.text())
def test_any_text_is_quoted_as_urllib_quotes_it(text: str) -> None:
    assert quoted(text) == quote_plus(text, errors="strict")


@pytest.mark.parametrize("number", range(128))
def test_every_ascii_character_is_quoted_as_urllib_quotes_it(number: int) -> None:
    assert quoted(f"a{chr(number)}b") == quote_plus(f"a{chr(number)}b")


def test_a_form_is_encoded_as_urllib_encodes_it() -> None:
    assert encoded(FORM) == urlencode(FORM)


def test_a_session_sends_the_same_request_as_its_parent_does() -> None:
    sent = []
    for session in (FormSession(), requests.Session()):
        with responses.RequestsMock() as mock:
            mock.post("https://graph.example/1/users", json={})
            session.request("POST", "https://graph.example/1/users", data=FORM, headers={"X-One": "1"})
            request = mock.calls[0].request
            sent.append((request.body, request.headers["Content-Type"], request.headers["Content-Length"]))

    assert sent[0] == sent[1]


CELLS = st.one_of(st.text("0123456789abcdef", max_size=4), st.text(max_size=4))


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4))
def test_any_rows_are_json_behind_the_quoting(rows: list[list[str]]) -> None:
    payload = payload_of(("EMAIL", "EXTERN_ID"), rows)

    assert json.loads(unquote_plus(encoded({"payload": payload}).removeprefix("payload="))) == {
        "schema": ["EMAIL", "EXTERN_ID"],
        "data": rows,
    }


def test_plain_rows_are_written_as_the_encoder_writes_them() -> None:
    rows = [["ab", ""], ["c-1", "d.2"]]
    text = json.dumps({"data": rows, "schema": ["EMAIL", "MADID"]}, separators=(",", ":"))

    assert payload_of(("EMAIL", "MADID"), rows) == quote_plus(text)
